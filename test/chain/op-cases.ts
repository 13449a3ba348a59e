// Every op as entries for the chain. In: the samples of the registry, and shapes with free sizes for what samples say in numbers. Out:
// graph cases per op.
// Holds: samples are tried with every dtype that the type rule takes; feeds are rounded to their dtype before any link sees them.

import { Dim, type DType, dtypeNames, isFloat, isInteger, isSigned, isWide, roundTo, type Shape } from '../../src/base/index.js';
import {
  type Attrs,
  type Entry,
  type GraphBuilder,
  type ModuleGraph,
  type Node,
  type Region,
  sourceOf,
  tensor,
  type TensorNode,
  type TensorType,
} from '../../src/graph/index.js';
import {
  apply,
  bitcast,
  boundedRecurrence,
  cast,
  type CastAttrs,
  closeRegion,
  closeTogether,
  fill,
  infer,
  inlineRegion,
  iota,
  type IotaAttrs,
  item,
  loop,
  matmul,
  type Op,
  placeholder,
  placeholderOp,
  productAndRule,
  recurrence,
  recurrenceBack,
  registry,
  type Sample,
  type SampleArgument,
  scalarNames,
  scalars,
  spread,
  tensorOf,
  tensorValue,
  wrap,
} from '../../src/ops/index.js';
import { differentiate } from '../../src/passes/index.js';
import { dimsOf, type Size } from '../eval/make.js';
import { modesFor } from '../ops/derivatives.js';
import { numbers, sampled, valueOf } from '../ops/samples.js';
import { CaseMake, type GraphCase, type Sizes, usualTolerance } from './graphs.js';

/** An argument with free sizes. */
interface Argument extends Omit<SampleArgument, 'shape'> {
  readonly shape: readonly Size[];
}

interface Variant {
  readonly args: readonly Argument[];
  readonly on?: NonNullable<Sample<Attrs>['on']>;
  readonly attrs: Sample<Attrs>['attrs'];
  readonly sizes: readonly Sizes[];
}

const lengths: readonly Sizes[] = [{ N: 0 }, { N: 1 }, { N: 21 }, { N: 70 }];
const planes: readonly Sizes[] = [
  { B: 0, N: 3 },
  { B: 3, N: 0 },
  { B: 1, N: 1 },
  { B: 5, N: 37 },
  { B: 66, N: 9 },
];
const boxes: readonly Sizes[] = [
  { A: 1, B: 1, N: 1 },
  { A: 3, B: 0, N: 5 },
  { A: 3, B: 5, N: 18 },
  { A: 2, B: 17, N: 2 },
];
const D = Dim.of;
const f = (...shape: Size[]): Argument => ({ dtype: 'f64', shape });
const ids = (low: number, high: number, ...shape: Size[]): Argument => ({ dtype: 'i32', shape, range: [low, high] });
const bits = (...shape: Size[]): Argument => ({ dtype: 'bool', shape });

const here = { source: 'm.tdsl', start: 0, end: 1 };

const axesOfPlanes = [[0], [1], [0, 1]].map((axes) => ({ axes }));
const axesOfBoxes = [[0], [1], [2], [0, 2], [0, 1], [1, 2], [0, 1, 2]].map((axes) => ({ axes }));
const reductions = (argument: (...shape: Size[]) => Argument): Variant[] => [
  ...axesOfPlanes.map((attrs): Variant => ({ args: [argument('B', 'N')], attrs, sizes: planes })),
  ...axesOfBoxes.map((attrs): Variant => ({ args: [argument('A', 'B', 'N')], attrs, sizes: boxes })),
  ...[
    [3, 40],
    [40, 3],
    [17, 17],
  ].flatMap((shape) => axesOfPlanes.map((attrs): Variant => ({ args: [argument(...shape)], attrs, sizes: [{}] }))),
];

/** A region of a product and what follows it. */
const again: Variant = {
  args: [f('B', 'N'), f('N', 'B')],
  attrs: (build) => {
    const { whenTrue, whenFalse } = productsOf(build, dimsOf(['B', 'N']), dimsOf(['N', 'B']));
    return { body: { ...whenTrue, results: [...whenTrue.results, ...whenFalse.results] } };
  },
  sizes: planes,
};

/** What the samples of an op say in numbers, with free sizes; each op but the elementwise ones has a row. */
const variants: Readonly<Record<string, readonly Variant[]>> = {
  iota: [
    { args: [], attrs: { shape: dimsOf(['B', 'N']), axis: 0, dtype: 'i32' }, sizes: planes },
    { args: [], attrs: { shape: dimsOf(['N']), axis: 0, dtype: 'f32' }, sizes: lengths },
  ],
  dimension: [{ args: [], attrs: { dim: D('B').mul(D('N')).add(2) }, sizes: planes }],
  feed: [{ args: [], attrs: { name: 'x', dtype: 'f64', shape: dimsOf(['B', 'N']) }, sizes: planes }],
  variable: [{ args: [], attrs: { path: 'w', dtype: 'f64', shape: dimsOf([3, 4]) }, sizes: [{}] }],
  argument: [{ args: [], attrs: { index: 1, dtype: 'f64', shape: dimsOf(['B', 'N']) }, sizes: planes }],
  placeholder: [{ args: [], attrs: { mark: 0, dtype: 'f64', shape: dimsOf(['B', 'N']) }, sizes: planes }],
  cast: [],
  // What they round is told by samples of numbers that need no rounding: the interpreter rounds nothing.
  narrow: [],
  widen: [],
  recurrence: [false, true].flatMap((reverse) =>
    [1, 2].map((count): Variant => ({ args: Array.from({ length: count }, () => f('B', 'N')), attrs: { reverse }, sizes: planes })),
  ),
  bitcast: [{ args: [{ dtype: 'f32', shape: ['B', 'N'] }], attrs: { dtype: 'i32' }, sizes: planes }],
  constant: [],
  named: [{ args: [f('B', 'N')], attrs: { path: 'x' }, sizes: planes }],
  stopGradient: [{ args: [f('B', 'N')], attrs: {}, sizes: planes }],
  element: [],
  loop: [
    {
      args: [f('N'), f('N')],
      attrs: (build) => ({ trip: D('B'), carries: 1, body: recurrence(build, dimsOf(['N'])) }),
      sizes: planes,
    },
  ],
  while: [
    {
      args: [f('N'), f('N'), ids(0, 6)],
      attrs: (build) => ({ carries: 1, ...boundedRecurrence(build, dimsOf(['N'])), limit: 5, limited: true }),
      sizes: lengths,
    },
  ],
  unwind: [
    {
      args: [ids(0, 6), f('N'), f('N'), f('N'), f('N')],
      attrs: (build) => ({ carries: 1, captures: 1, ...recurrenceBack(build, dimsOf(['N'])), active: [0], sums: [0], limit: 9 }),
      sizes: lengths,
    },
    // More rounds than are recorded: on two levels of 71, on three of 40.
    ...[
      { rounds: 300, limit: 5_000 },
      { rounds: 1_700, limit: 60_000 },
    ].map(({ rounds, limit }): Variant => ({
      args: [{ dtype: 'i32', shape: [], values: [rounds] }, f('N'), { dtype: 'f64', shape: ['N'], range: [-0.9, 0.9] }, f('N'), f('N')],
      attrs: (build) => ({ carries: 1, captures: 1, ...wandering(build, dimsOf(['N'])), active: [0], sums: [0], limit }),
      sizes: [{ N: 3 }],
    })),
  ],
  branch: [0, 1].map((taken): Variant => ({
    args: [{ dtype: 'bool', shape: [], values: [taken] }, f('B', 'N'), f('N', 'B')],
    attrs: (build) => productsOf(build, dimsOf(['B', 'N']), dimsOf(['N', 'B'])),
    sizes: planes,
  })),
  checkpoint: [again],
  recompute: [again],
  call: [{ args: [f('B', 'N'), f('B', 'N')], attrs: (build) => productAndRule(build, tensor('f64', dimsOf(['B', 'N']))), sizes: planes }],
  grad: [
    {
      args: [f('B', 'N')],
      on: (build, [x]) => [scalars.exp(build, x as TensorNode), x as TensorNode],
      attrs: { outputs: 1 },
      sizes: planes,
    },
  ],
  jvp: [
    {
      args: [f('B', 'N'), f('B', 'N')],
      on: (build, [x, v]) => [scalars.exp(build, x as TensorNode), x as TensorNode, v as TensorNode],
      attrs: { inputs: 1 },
      sizes: planes,
    },
  ],
  inverse: [{ args: [{ dtype: 'f64', shape: ['N', 'N'] }], attrs: {}, sizes: [{ N: 1 }, { N: 2 }, { N: 7 }] }],
  lu: [true, false].flatMap((pivots) =>
    [
      { args: [f('N', 'N')], sizes: [{ N: 0 }, { N: 1 }, { N: 2 }, { N: 7 }, { N: 19 }] },
      {
        args: [f('B', 'N', 'N')],
        sizes: [
          { B: 0, N: 3 },
          { B: 3, N: 0 },
          { B: 4, N: 5 },
        ],
      },
    ].map((variant): Variant => ({ ...variant, on: (build, [x]) => [farFromSingular(build, x as TensorNode)], attrs: { pivots } })),
  ),
  substitute: [true, false].flatMap((upper) =>
    [
      { args: [f('N', 'N'), f('N', 'B')], sizes: planes },
      { args: [f('N', 'N'), f('N', 1)], sizes: lengths },
      { args: [f('B', 'N', 'N'), f('B', 'N', 3)], sizes: planes },
    ].map((variant, at): Variant => ({
      ...variant,
      on: (build, [x, b]) => [farFromSingular(build, x as TensorNode), b as TensorNode],
      attrs: { upper, unit: (at === 0) === upper },
    })),
  ),
  sortOrder: [true, false].flatMap((descending) =>
    [f('N'), f('B', 'N'), { ...f('B', 'N'), range: [-1, 1] as const }, ids(-3, 3, 'B', 'N')].map((arg): Variant => ({
      args: [arg],
      attrs: { descending },
      sizes: [
        { B: 0, N: 3 },
        { B: 2, N: 0 },
        { B: 1, N: 1 },
        { B: 3, N: 70 },
      ],
    })),
  ),
  randomBits: [
    {
      args: [
        { dtype: 'i64', shape: [], values: [-77] },
        { dtype: 'i32', shape: [], values: [3] },
      ],
      attrs: { shape: dimsOf(['B', 'N']) },
      sizes: planes,
    },
  ],
  broadcast: [
    { args: [f('N')], attrs: { shape: dimsOf(['B', 'N']), axes: [1] }, sizes: planes },
    { args: [f('B')], attrs: { shape: dimsOf(['B', 'N']), axes: [0] }, sizes: planes },
    { args: [f('N', 1)], attrs: { shape: dimsOf(['A', 'N', 'B']), axes: [1, 2] }, sizes: boxes },
    { args: [f()], attrs: { shape: dimsOf(['B', 'N']), axes: [] }, sizes: planes },
  ],
  reshape: [
    { args: [f('B', 'N')], attrs: { shape: [D('B').mul(D('N'))] }, sizes: planes },
    { args: [f('B', 6)], attrs: { shape: dimsOf([3, D('B').mul(2)]) }, sizes: [{ B: 0 }, { B: 1 }, { B: 11 }] },
    { args: [f('A', 'B', 'N')], attrs: { shape: [D('A'), D('B').mul(D('N')), D(1)] }, sizes: boxes },
    { args: [f('B', 12)], attrs: { shape: dimsOf(['B', 3, 4]) }, sizes: [{ B: 0 }, { B: 7 }] },
  ],
  transpose: [
    { args: [f('B', 'N')], attrs: { axes: [1, 0] }, sizes: planes },
    { args: [f('A', 'B', 'N')], attrs: { axes: [2, 0, 1] }, sizes: boxes },
    { args: [f('A', 'B', 'N')], attrs: { axes: [1, 0, 2] }, sizes: boxes },
  ],
  slice: [
    {
      args: [f('B', 'N')],
      attrs: { starts: dimsOf([0, 0]), stops: dimsOf(['B', D('N').sub(1)]), steps: [1, 1] },
      sizes: [
        { B: 0, N: 3 },
        { B: 1, N: 1 },
        { B: 9, N: 40 },
      ],
    },
    {
      args: [f('B', 'N')],
      attrs: { starts: [D('B').sub(1), D(1)], stops: [D(-1), D('N')], steps: [-1, 1] },
      sizes: [
        { B: 0, N: 3 },
        { B: 4, N: 1 },
        { B: 9, N: 40 },
      ],
    },
    { args: [f('N')], attrs: { starts: [D('N').sub(1)], stops: [D(-1)], steps: [-1] }, sizes: lengths },
    { args: [f('B', 40)], attrs: { starts: dimsOf([0, 39]), stops: dimsOf(['B', -1]), steps: [1, -3] }, sizes: [{ B: 1 }, { B: 5 }] },
  ],
  pad: [
    { args: [f('B', 'N')], attrs: { before: dimsOf([1, 0]), after: dimsOf([0, 2]), inner: [0, 0] }, sizes: planes },
    { args: [f('N')], attrs: { before: dimsOf([2]), after: dimsOf([1]), inner: [2] }, sizes: [{ N: 1 }, { N: 2 }, { N: 30 }] },
    { args: [f('B', 'N')], attrs: { before: dimsOf(['N', 'B']), after: dimsOf([0, 1]), inner: [0, 0] }, sizes: planes },
  ],
  view: [
    // A moving window, a band, every second column backwards, what a stride leaves.
    {
      args: [f('N')],
      attrs: { shape: dimsOf(['N', 3]), coefficients: [[D(1), D(2)]], offsets: [D(-2)], divisors: [1], outside: 0 },
      sizes: lengths,
    },
    {
      args: [f('N', 'N')],
      attrs: {
        shape: dimsOf(['N', 3]),
        coefficients: [
          [D(1), D(0)],
          [D(1), D(1)],
        ],
        offsets: dimsOf([0, -1]),
        divisors: [1, 1],
        outside: 2,
      },
      sizes: lengths,
    },
    {
      args: [f('B', 'N')],
      attrs: {
        shape: dimsOf(['B', 5]),
        coefficients: [
          [D(1), D(0)],
          [D(0), D(-2)],
        ],
        offsets: [D(0), D('N').sub(1)],
        divisors: [1, 1],
        outside: 0,
      },
      sizes: planes,
    },
    {
      args: [f('N')],
      attrs: { shape: [D('N').mul(2).add(3)], coefficients: [[D(1)]], offsets: [D(-1)], divisors: [2], outside: 0 },
      sizes: lengths,
    },
    {
      args: [f('A', 'B', 'N')],
      attrs: {
        shape: dimsOf(['A', 'N', 3, 'B']),
        coefficients: [
          [D(1), D(0), D(0), D(0)],
          [D(0), D(0), D(0), D(1)],
          [D(0), D(1), D(-1), D(0)],
        ],
        offsets: dimsOf([0, 0, 1]),
        divisors: [1, 1, 1],
        outside: 0,
      },
      sizes: boxes,
    },
  ],
  contract: [
    // A convolution of signals, one with a border, what a stride leaves, a row of kernels for each batch.
    {
      args: [f('B', D('N').add(2), 5), f(3, 5, 20)],
      attrs: {
        shape: dimsOf(['B', 'N', 3, 5]),
        coefficients: [
          [D(1), D(0), D(0), D(0)],
          [D(0), D(1), D(1), D(0)],
          [D(0), D(0), D(0), D(1)],
        ],
        offsets: dimsOf([0, 0, 0]),
        divisors: [1, 1, 1],
        outside: false,
        batch: 0,
        rows: 2,
      },
      sizes: planes,
    },
    {
      args: [f('N', 3), f(5, 3, 17)],
      attrs: {
        shape: dimsOf(['N', 5, 3]),
        coefficients: [
          [D(1), D(1), D(0)],
          [D(0), D(0), D(1)],
        ],
        offsets: dimsOf([-2, 0]),
        divisors: [1, 1],
        outside: 0,
        batch: 0,
        rows: 1,
      },
      sizes: lengths,
    },
    {
      args: [f('B', 7, 4), f('B', 3, 4, 'N')],
      attrs: {
        shape: dimsOf(['B', 15, 3, 4]),
        coefficients: [
          [D(1), D(0), D(0), D(0)],
          [D(0), D(1), D(-1), D(0)],
          [D(0), D(0), D(0), D(1)],
        ],
        offsets: dimsOf([0, 1, 0]),
        divisors: [1, 2, 1],
        outside: 0,
        batch: 1,
        rows: 1,
      },
      sizes: planes,
    },
  ],
  concat: [
    { args: [f('B', 'N'), f(2, 'N')], attrs: { axis: 0 }, sizes: planes },
    { args: [f('B', 3), f('B', 'N'), f('B', 'N')], attrs: { axis: 1 }, sizes: planes },
  ],
  gather: [
    {
      args: [f('N', 3), ids(-9, 9, 'B')],
      attrs: {},
      sizes: [
        { B: 0, N: 3 },
        { B: 1, N: 1 },
        { B: 5, N: 37 },
        { B: 40, N: 4 },
      ],
    },
    {
      args: [f('N'), ids(-3, 40, 'B', 2)],
      attrs: {},
      sizes: [
        { B: 0, N: 3 },
        { B: 1, N: 1 },
        { B: 5, N: 37 },
      ],
    },
    {
      args: [f('N', 'B'), { dtype: 'i64', shape: [], range: [-2, 2] }],
      attrs: {},
      sizes: [
        { B: 0, N: 3 },
        { B: 33, N: 5 },
      ],
    },
  ],
  scatterAdd: [
    { args: [ids(-9, 9, 'B'), f('B', 'N')], attrs: { rows: D(5) }, sizes: planes },
    {
      args: [ids(0, 40, 'B'), f('B')],
      attrs: { rows: D('N') },
      sizes: [
        { B: 0, N: 3 },
        { B: 1, N: 1 },
        { B: 50, N: 37 },
      ],
    },
  ],
  inRange: [
    { args: [ids(0, 4, 'B')], attrs: { ...here, size: D(5), length: D(1) }, sizes: lengths.map(({ N = 1 }) => ({ B: N })) },
    { args: [ids(0, 1, 'B', 'N')], attrs: { ...here, size: D('N').add(4), length: D(3) }, sizes: planes },
  ],
  ensure: [
    {
      args: [f('B', 'N'), { dtype: 'bool', shape: ['B'], range: [1, 1] }, ids(0, 9, 'B')],
      attrs: { ...here, code: 'index-out-of-range', size: D('N') },
      sizes: planes,
    },
  ],
  matmul: [
    { args: [f('B', 'N'), f('N', 'A')], attrs: {}, sizes: [...boxes, { A: 50, B: 19, N: 33 }, { A: 2, B: 9, N: 0 }] },
    ...[
      [1, 5, 1],
      [1, 9, 40],
      [33, 7, 1],
      [9, 1, 50],
      [17, 20, 17],
      [8, 3, 48],
      [5, 64, 300],
    ].map(([m, k, n]): Variant => ({ args: [f(m as number, k as number), f(k as number, n as number)], attrs: {}, sizes: [{}] })),
    { args: [f('A', 'B', 'N'), f('A', 'N', 7)], attrs: {}, sizes: boxes },
    { args: [f(3, 'B', 'N'), f(3, 'N', 1)], attrs: {}, sizes: planes },
    { args: [f('N', 17), f(17, 'B')], attrs: {}, sizes: planes },
    { args: [f(1, 'N'), f('N', 33)], attrs: {}, sizes: lengths },
  ],
  ...Object.fromEntries(['reduceSum', 'reduceProduct', 'reduceMax', 'reduceMin'].map((name) => [name, reductions(f)])),
  ...Object.fromEntries(['reduceAny', 'reduceAll'].map((name) => [name, reductions(bits)])),
};

/** An eighth of x, and 4 more on the diagonal. */
function farFromSingular(build: GraphBuilder, x: TensorNode): TensorNode {
  const { shape } = x.type;
  const count = (back: number): TensorNode =>
    tensorOf<IotaAttrs>(apply<IotaAttrs>(build, iota, [], { shape, axis: shape.length - back, dtype: 'i32' }));
  const diagonal = scalars.select(build, scalars.eq(build, count(2), count(1)), fill(build, x.type, 4), fill(build, x.type, 0));
  return scalars.add(build, scalars.mul(build, x, fill(build, x.type, 0.125)), diagonal);
}

/** x → x · a + cos i, and rounds back whose states depend on every x and on their order. */
function wandering(build: GraphBuilder, shape: Shape): { readonly forward: Region; readonly back: Region } {
  const [i, x, a, w, sum] = [tensor('i32'), ...Array.from({ length: 4 }, () => tensor('f64', shape))].map((type) =>
    placeholder(build, type),
  ) as [TensorNode, TensorNode, TensorNode, TensorNode, TensorNode];
  const count = spread(build, tensorOf(apply<CastAttrs>(build, cast, [i], { dtype: 'f64' })), shape);
  const half = fill(build, x.type, 0.5);
  const next = scalars.add(build, scalars.mul(build, x, a), scalars.cos(build, count));
  const before = scalars.add(build, scalars.mul(build, w, half), x);
  return {
    forward: closeRegion(build, [i, x, a], [next]).region,
    back: closeRegion(build, [i, x, a, w, sum], [before, scalars.add(build, sum, scalars.sin(build, scalars.mul(build, x, count)))]).region,
  };
}

/** A matrix product on each side. */
function productsOf(build: GraphBuilder, left: Shape, right: Shape): { readonly whenTrue: Region; readonly whenFalse: Region } {
  const [x, y] = [left, right].map((shape) => placeholder(build, tensor('f64', shape))) as [TensorNode, TensorNode];
  const product = tensorOf(apply(build, matmul, [x, y], {}));
  const [whenTrue, whenFalse] = closeTogether(build, [x, y], [[scalars.sin(build, product)], [scalars.mul(build, product, product)]])
    .regions as [Region, Region];
  return { whenTrue, whenFalse };
}

const isElementwise = (op: Op): boolean => (scalarNames as readonly string[]).includes(op.name);

/** Samples and variants of an op. */
function formsOf(op: Op): readonly Variant[] {
  const samples = op.samples().map((sample): Variant => ({ ...sample, sizes: [{}] }));
  if (!isElementwise(op)) {
    const own = variants[op.name];
    if (own === undefined) throw new Error(`no variants of ${op.name} with free sizes`);
    return [...samples, ...own];
  }
  // One sample gives the domain; shapes are chosen here.
  const first = samples[0] as Variant;
  const integers = samples.filter(({ args }) => args.some((arg) => arg.dtype === 'i32'));
  const shaped = (variant: Variant, shape: readonly Size[], sizes: readonly Sizes[]): Variant => ({
    ...variant,
    args: variant.args.map((arg) => ({ ...arg, shape })),
    sizes,
  });
  return [first, ...integers].flatMap((variant) => [
    shaped(variant, [], [{}]),
    shaped(variant, ['N'], lengths),
    shaped(variant, [3, 'N'], [{ N: 19 }]),
  ]);
}

/** The same with another dtype; undefined where the type rule refuses, and where what is built of the arguments is written for one. */
function retyped(op: Op, variant: Variant, to: DType): Variant | undefined {
  const base = variant.args.some((arg) => arg.dtype === 'f64') ? 'f64' : 'i32';
  if (variant.on !== undefined) return to === base ? variant : undefined;
  if (variant.args.length > 0 && !variant.args.some((arg) => arg.dtype === base)) return isFirst(to) ? variant : undefined;
  const isId = (at: number): boolean => (op.name === 'gather' && at === 1) || (op.name === 'scatterAdd' && at === 0);
  const args = variant.args.map((arg, at): Argument => {
    if (arg.dtype !== base || isId(at)) return arg;
    if (isFloat(to)) return { ...arg, dtype: to };
    // Whole numbers that are in range everywhere; domains of floats say nothing about them.
    const range: readonly [number, number] = to === 'bool' ? [0, 1] : isSigned(to) ? [-9, 9] : [0, 9];
    const { values, ...rest } = arg;
    return {
      ...rest,
      dtype: to,
      range,
      ...(values === undefined
        ? {}
        : { values: values.map((value) => Math.max(range[0], Math.min(range[1], Math.trunc(Number.isFinite(value) ? value : 1)))) }),
    };
  });
  const attrs = variant.args.length === 0 && 'dtype' in variant.attrs ? { ...variant.attrs, dtype: to } : variant.attrs;
  if (typeof attrs === 'function') return to === base ? variant : undefined;
  if ((typeof attrs['value'] === 'bigint') !== isWide(to) && op.name === 'constant') return undefined;
  if (op.name === 'constant' && !isFloat(to) && typeof attrs['value'] === 'number' && !Number.isInteger(attrs['value'])) return undefined;
  const types = args.map((arg): TensorType => tensor(arg.dtype, dimsOf(arg.shape)));
  return infer(op, types, attrs).kind === 'problem' ? undefined : { ...variant, args, attrs };
}

const isFirst = (dtype: DType): boolean => dtype === dtypeNames[0];

/** Conversions between any two dtypes, with values that round, saturate and wrap. */
function castVariants(): Variant[] {
  const values = [0, 1, -1, 2.5, -2.5, 0.49, 127, 255, 300, -300, 70000, 1e10, -1e10, 2147483647];
  const special = [NaN, Infinity, -Infinity, -0, 1e-3, 65504, 3e38];
  return dtypeNames.flatMap((from) =>
    dtypeNames.map((to): Variant => {
      const all = isFloat(from)
        ? [...values, ...special]
        : [...new Set(values.map((value) => (from === 'bool' ? Number(value > 1) : roundTo(from, value))))];
      return { args: [{ dtype: from, shape: [all.length], values: all }], attrs: { dtype: to }, sizes: [{}] };
    }),
  );
}

/** Bits of every dtype as those of every other one of its width. */
function bitcastVariants(): Variant[] {
  const patterns = [0, 1, 2, 56, 60, 120, 127, 128, 255, 15360, 31743, 32768, 49152, 65535, 1065353216, 2139095040, 3212836864];
  const floats = [0, -0, 1, -1.5, 0.1, -0.00390625, 65504, 1e30, Infinity];
  const all = dtypeNames.filter((dtype) => dtype !== 'bool');
  return all.flatMap((from) =>
    all.flatMap((to): Variant[] => {
      const values = isFloat(from) ? floats : [...new Set(patterns.map((value) => Number(wrap(from, BigInt(value)))))];
      const arg = { dtype: from, shape: [values.length], values };
      const problem = infer(bitcast, [tensor(from, [Dim.of(values.length)])], { dtype: to }).kind === 'problem';
      return problem ? [] : [{ args: [arg], attrs: { dtype: to }, sizes: [{}] }];
    }),
  );
}

interface Named {
  readonly op: Op;
  readonly variant: Variant;
  /** Whether it is tried on every run: every form with one dtype, and every dtype with at least one form. */
  readonly quick: boolean;
}

/** Every op with every form and dtype. */
export function opForms(): readonly Named[] {
  return [...registry.values()].flatMap((op) => {
    if (op.name === 'cast') return castVariants().map((variant): Named => ({ op, variant, quick: true }));
    if (op.name === 'bitcast') return bitcastVariants().map((variant): Named => ({ op, variant, quick: true }));
    const found = new Map<string, Named>();
    for (const [at, variant] of formsOf(op).entries()) {
      for (const [which, dtype] of dtypeNames.entries()) {
        const typed = retyped(op, variant, dtype);
        if (typed === undefined) continue;
        const isWritten = typed.on !== undefined || typeof typed.attrs === 'function';
        found.set(JSON.stringify([typed.args, isWritten ? at : describeAttrs(typed.attrs as Attrs)]), {
          op,
          variant: typed,
          quick: isWritten || which === 0 || at === (op.name === 'matmul' ? 0 : 1),
        });
      }
    }
    const all = [...found.values()];
    const tried = new Set(all.flatMap((one) => (one.quick ? (dtypeOf(one) ?? []) : [])));
    return all.map((one): Named => {
      const dtype = dtypeOf(one);
      if (dtype === undefined || tried.has(dtype)) return one;
      tried.add(dtype);
      return { ...one, quick: true };
    });
  });
}

/** What is computed with: that of the last argument, since conditions and positions come first. */
const dtypeOf = ({ variant: { args, attrs } }: Named): DType | undefined =>
  args.at(-1)?.dtype ?? (typeof attrs === 'object' && 'dtype' in attrs ? (attrs.dtype as DType) : undefined);

const describeAttrs = (attrs: Attrs): string =>
  Object.entries(attrs)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
    .join(';');

function feedsOf(make: CaseMake, variant: Variant): TensorNode[] {
  // Sizes that no argument has come in by feeds of their own.
  const args = variant.args.map((arg, at) => make.feed(`a${at}`, arg.shape, arg.dtype));
  const known = new Set(variant.args.flatMap((arg) => arg.shape.flatMap((size) => (typeof size === 'string' ? [size] : []))));
  for (const name of Object.keys(variant.sizes[0] ?? {})) if (!known.has(name)) make.feed(`size${name}`, [name], 'u8');
  return args;
}

const valueFor =
  (variant: Variant, seed: number): GraphCase['value'] =>
  (name, type, shape) => {
    const at = /^a(\d+)$/.exec(name)?.[1];
    const argument = at === undefined ? undefined : variant.args[Number(at)];
    const next = numbers(seed + 97 * Number(at ?? 50) + 1);
    const raw = valueOf(
      { ...(argument ?? (isInteger(type.dtype) && !isSigned(type.dtype) ? { range: [0, 9] } : {})), dtype: type.dtype, shape },
      next,
    );
    const square = shape.length === 2 && shape[0] === shape[1] && !('axes' in variant.attrs);
    const dominant = (one: number): number => (square && argument?.values === undefined && one % ((shape[0] as number) + 1) === 0 ? 8 : 0);
    return isFloat(type.dtype)
      ? tensorValue(
          type.dtype,
          shape,
          Array.from(raw.data as Float64Array, (value, one) => roundTo(type.dtype, value + (isDominant(variant) ? dominant(one) : 0))),
        )
      : raw;
  };

/** Matrices that are inverted are far from singular. */
const isDominant = (variant: Variant): boolean =>
  variant.args.length === 1 && typeof variant.attrs !== 'function' && Object.keys(variant.attrs).length === 0;

/** The results of a node as they may stand in an entry: a source is declared there, or is a parameter of what closes a region over it. */
function placed(make: CaseMake, node: Node): TensorNode[] {
  const { build } = make;
  if (node.type.kind === 'tuple') return node.type.items.map((_, index) => item(build, node, index));
  const [type, source] = [node.type, sourceOf(node)];
  switch (source?.kind) {
    case 'feed':
      return [make.feed(source.name, type.shape, type.dtype)];
    case 'variable':
      return [make.variable(source.path, type.shape, type.dtype)];
    case 'argument': {
      const body: Region = { kind: 'region', params: [tensor('i32'), type], results: [tensorOf(node)] };
      const inits = [make.feed('init', type.shape, type.dtype)];
      return [item(build, apply(build, loop, inits, { trip: Dim.of(2), carries: inits.length, body }), 0)];
    }
    case undefined:
  }
  if (node.op !== placeholderOp) return [tensorOf(node)];
  const { region } = closeRegion(build, [tensorOf(node)], [tensorOf(node)]);
  return inlineRegion(build, region, [make.feed('init', type.shape, type.dtype)]);
}

/** The entry of a derivative, which means what it is expanded to; test/passes compares that with differences. */
function expanded(make: CaseMake, entry: Entry): Entry {
  const module: ModuleGraph = { path: 'derivative.tdsl', variables: make.variables, entries: [entry] };
  return differentiate.run(module, { build: make.build, report: () => undefined, note: () => undefined }).entries[0] as Entry;
}

/** The value of the op. */
export function valueCase({ op, variant }: Named, at: number): GraphCase {
  const make = new CaseMake(`c${at}`);
  const args = feedsOf(make, variant);
  const results = placed(make, sampled(make.build, op, variant, args));
  const entry = make.entry(results, {}, { dims: Object.keys(variant.sizes[0] ?? {}) });
  return {
    name: `${op.name}_${at}`,
    make,
    entry: op.derivative.kind === 'none' ? expanded(make, entry) : entry,
    sizes: variant.sizes,
    value: valueFor(variant, at),
    tolerance: toleranceOf(op),
  };
}

const toleranceOf =
  (op: Op): NonNullable<GraphCase['tolerance']> =>
  (result, dtype) =>
    usualTolerance(result, dtype) * (op.name === 'inverse' ? 10 : 1);

/** Both derivatives of the op, for cotangents and tangents that are fed; undefined where there are none. */
export function derivativeCase({ op, variant }: Named, at: number): GraphCase | undefined {
  if (
    op.derivative.kind !== 'rules' ||
    !variant.args.some(({ dtype }) => dtype === 'f64' || dtype === 'f32') ||
    variant.args.some(({ values }) => values?.some((value) => !Number.isFinite(value)))
  )
    return undefined;
  const make = new CaseMake(`d${at}`);
  const args = feedsOf(make, variant);
  const [y] = placed(make, sampled(make.build, op, variant, args)) as [TensorNode];
  if (!isFloat(y.type.dtype)) return undefined;
  const inputs = args.filter((arg) => isFloat(arg.type.dtype));
  const modes = modesFor(make.build);
  const cotangent = make.feed('g', y.type.shape, y.type.dtype);
  const tangents = inputs.map((input, index) => make.feed(`v${index}`, input.type.shape, input.type.dtype));
  const found = [...modes.vjp([y], [cotangent], inputs), ...modes.jvp([y], inputs, tangents)].flatMap((one) =>
    one === undefined ? [] : [one],
  );
  if (found.length === 0) return undefined;
  const tolerance = toleranceOf(op);
  return {
    name: `${op.name}_${at}_d`,
    make,
    entry: make.entry(found, {}, { dims: Object.keys(variant.sizes[0] ?? {}) }),
    sizes: variant.sizes,
    value: valueFor(variant, at),
    simplified: at % 2 === 0,
    // A cotangent that is drawn is rounded by kernels, and not by the interpreter.
    tolerance: (result, dtype) => Math.max(20 * tolerance(result, dtype), rounding.has(op.name) ? 2 ** -8 : 0),
  };
}

/** Ops that round to another dtype than their own. */
const rounding: ReadonlySet<string> = new Set(['narrow', 'widen']);
