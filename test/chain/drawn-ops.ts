// What a random graph may grow by. In: a drawing. Out: one more item, or nothing where it does not fit. Holds: comparisons and rounding see
// exact items only, since an error in the last place would choose the other side.

import { Dim, type DType, elementCount, isFloat, isInteger, isWide as isWideInteger, shapeEquals } from '../../src/base/index.js';
import { tensor } from '../../src/graph/index.js';
import { applyTensor, contraction, fill, transpose as transposeOp } from '../../src/ops/index.js';
import { bounded, type Drawing, type Item, rangeOf } from './drawing.js';

type Grow = (d: Drawing) => Item | undefined;

const isFloating = ({ node }: Item): boolean => isFloat(node.type.dtype);
const isWide = ({ node }: Item): boolean => node.type.dtype === 'f32' || node.type.dtype === 'f64';
const isNumber = ({ node }: Item): boolean => node.type.dtype !== 'bool';
const isBool = ({ node }: Item): boolean => node.type.dtype === 'bool';
const isExact = ({ error }: Item): boolean => error === 0;
const shapeOf = ({ node }: Item): readonly Dim[] => node.type.shape;
const dtypeOf = ({ node }: Item): DType => node.type.dtype;
const countOf = (d: Drawing, shape: readonly Dim[]): number => d.most(elementCount(shape));

/** Another operand for an elementwise op: of the same type by nature, by fitting, or a constant. */
function partner(d: Drawing, x: Item, good: (item: Item) => boolean = () => true): Item | undefined {
  const type = x.node.type;
  const same = d.find((item) => good(item) && dtypeOf(item) === type.dtype && shapeEquals(shapeOf(item), type.shape));
  if (same !== undefined && d.chance(0.5)) return same;
  if (d.chance(0.15)) return d.constant(type);
  const other = d.find((item) => good(item) && (isNumber(item) || type.dtype === 'bool'));
  const fitted = other === undefined ? undefined : d.fit(other, type);
  return fitted !== undefined && good(fitted) ? fitted : same;
}

const unary: Grow = (d) => {
  const x = d.find(isNumber);
  if (x === undefined) return undefined;
  const { node, bound, error } = x;
  const whole = isExact(x) && isFloating(x) ? ['floor', 'ceil', 'round', 'trunc', 'sign'] : isFloating(x) ? [] : ['sign'];
  const drawn = d.pick(['neg', 'abs', 'square', ...whole]);
  // What is nearly 0 may be 0, or of the other sign, in other arithmetic; there the slope of an absolute value jumps.
  const name = drawn === 'abs' && d.uneven && !isExact(x) ? 'neg' : drawn;
  const made = d.make.op(name, [node]);
  if (name === 'square') return d.take(made, bounded(dtypeOf(x), bound * bound), error === 0 ? 0 : 2 * bound * error + bound * bound);
  return d.take(made, bounded(dtypeOf(x), name === 'sign' ? 1 : bound), error);
};

/** Half of a whole number, rounded down: costs more than adding, and is exact. */
const halve: Grow = (d) => {
  const x = d.find((item) => isExact(item) && isWide(item));
  return x === undefined ? undefined : d.take(d.make.op('floor', [d.scale(x, 0.5).node]), x.bound, 0);
};

/** Slope at most 1 in the ranges used, and costly enough to be worth storing. */
const smooth: Grow = (d) => {
  const x = d.find(isWide);
  if (x === undefined) return undefined;
  const name = d.pick(['tanh', 'sigmoid', 'sin', 'cos', 'atan', 'erf', 'exp', 'log1p', 'sqrt', 'reciprocal']);
  const { make } = d;
  const one = fill(make.build, x.node.type, 1);
  switch (name) {
    case 'exp': {
      const small = x.bound > 3 ? d.clamp(x, 2) : x;
      return d.take(make.op('exp', [small.node]), Math.exp(small.bound), Math.exp(small.bound) * (x.error + 4));
    }
    case 'log1p':
      return d.uneven
        ? d.take(make.op('log1p', [make.op('square', [x.node])]), Math.log1p(x.bound ** 2), x.error + 4 + x.bound)
        : d.take(make.op('log1p', [make.op('abs', [x.node])]), Math.log1p(x.bound), x.error + 4 + x.bound);
    case 'sqrt':
      return d.take(make.op('sqrt', [make.op('add', [make.op('square', [x.node]), one])]), x.bound + 1, x.error + 4 * (x.bound + 1));
    case 'reciprocal':
      return d.take(make.op('div', [one, make.op('add', [make.op('square', [x.node]), one])]), 1, x.error + 8);
    default:
      return d.take(make.op(name, [x.node]), 2, 1.2 * x.error + 8 + x.bound);
  }
};

const binary: Grow = (d) => {
  const x = d.find(isNumber);
  const y = x === undefined ? undefined : partner(d, x, isNumber);
  if (x === undefined || y === undefined) return undefined;
  const dtype = dtypeOf(x);
  const name = d.pick(['add', 'add', 'sub', 'mul', 'mul', 'max', 'min', ...(isInteger(dtype) ? ['div', 'rem'] : [])]);
  const made = d.make.op(name, d.chance(0.5) ? [x.node, y.node] : [y.node, x.node]);
  const sum = x.error + y.error;
  switch (name) {
    case 'add':
    case 'sub':
      return d.take(made, bounded(dtype, x.bound + y.bound), sum === 0 ? 0 : sum + x.bound + y.bound);
    case 'mul':
      return d.take(made, bounded(dtype, x.bound * y.bound), sum === 0 ? 0 : x.bound * y.error + y.bound * x.error + x.bound * y.bound + 1);
    default:
      return d.take(
        made,
        bounded(dtype, Math.max(x.bound, y.bound) + (name === 'rem' || name === 'div' ? rangeOf(dtype) - Math.max(x.bound, y.bound) : 0)),
        Math.max(x.error, y.error),
      );
  }
};

const compare: Grow = (d) => {
  const x = d.find((item) => isExact(item) && isNumber(item));
  const y = x === undefined ? undefined : partner(d, x, (item) => isExact(item) && isNumber(item));
  if (x === undefined || y === undefined) return undefined;
  return d.take(d.make.op(d.pick(['lt', 'le', 'gt', 'ge', 'eq', 'ne']), [x.node, y.node]), 1, 0);
};

const logic: Grow = (d) => {
  const x = d.find(isBool);
  if (x === undefined) return undefined;
  if (d.chance(0.3)) return d.take(d.make.op('not', [x.node]), 1, 0);
  const y = partner(d, x, isBool);
  return y === undefined ? undefined : d.take(d.make.op(d.pick(['and', 'or', 'eq']), [x.node, y.node]), 1, 0);
};

const choose: Grow = (d) => {
  const x = d.find(isNumber);
  const y = x === undefined ? undefined : partner(d, x, isNumber);
  const c = d.find(isBool);
  const condition = x === undefined || c === undefined ? undefined : d.fit(c, tensor('bool', shapeOf(x)));
  if (x === undefined || y === undefined || condition === undefined) return undefined;
  return d.take(d.make.op('select', [condition.node, x.node, y.node]), Math.max(x.bound, y.bound), Math.max(x.error, y.error));
};

const convert: Grow = (d) => {
  const x = d.find();
  const made = x === undefined ? undefined : d.convert(x, d.pick(d.dtypes));
  return made === undefined || made === x ? undefined : d.take(made.node, made.bound, made.error);
};

const spread: Grow = (d) => {
  const x = d.find();
  if (x === undefined || shapeOf(x).length > 2) return undefined;
  const shape = [...shapeOf(x)];
  const axes = shape.map((_, axis) => axis);
  const at = d.int(shape.length + 1);
  shape.splice(at, 0, d.pick(d.palette));
  return d.take(
    d.make.broadcast(
      x.node,
      shape,
      axes.map((axis) => (axis >= at ? axis + 1 : axis)),
    ),
    x.bound,
    x.error,
  );
};

const someAxes = (d: Drawing, rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => d.chance(0.5));
  return axes.length === 0 ? [d.int(rank)] : axes;
};

const reduce: Grow = (d) => {
  let x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const axes = someAxes(d, shapeOf(x).length);
  const dims = axes.map((axis) => shapeOf(x as Item)[axis] as Dim);
  const count = countOf(d, dims);
  if (isBool(x)) return d.take(d.make.op(d.pick(['reduceAny', 'reduceAll']), [x.node], { axes }), 1, 0);
  const name = d.pick(['reduceSum', 'reduceSum', 'reduceSum', 'reduceMax', 'reduceMin', 'reduceProduct']);
  if (name === 'reduceMax' || name === 'reduceMin') {
    const empty = dims.some((dim) => d.least(dim) === 0);
    return d.take(d.make.op(name, [x.node], { axes }), empty ? rangeOf(dtypeOf(x)) : x.bound, x.error);
  }
  if (name === 'reduceProduct') {
    if (isFloating(x) && x.bound > 1) x = d.clamp(x, 1);
    return d.take(d.make.op(name, [x.node], { axes }), isFloating(x) ? 1 : rangeOf(dtypeOf(x)), x.error === 0 ? 0 : count * (x.error + 1));
  }
  if (isExact(x) && isFloating(x) && x.bound * count > 2 ** 20) x = d.clamp(x, dtypeOf(x) === 'f32' || dtypeOf(x) === 'f64' ? 20 : 0);
  if (isExact(x) && (dtypeOf(x) === 'f16' || dtypeOf(x) === 'bf16')) x = d.clamp(x, 1);
  if ((dtypeOf(x) === 'bf16' && count > 100) || (dtypeOf(x) === 'f16' && count > 1000)) return undefined;
  return d.take(
    d.make.op(name, [x.node], { axes }),
    bounded(dtypeOf(x), x.bound * count),
    x.error === 0 ? 0 : count * (x.error + x.bound / 4),
  );
};

const transpose: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 1);
  if (x === undefined) return undefined;
  const axes = shapeOf(x).map((_, axis) => axis);
  for (let at = axes.length - 1; at > 0; at--) {
    const other = d.int(at + 1);
    [axes[at], axes[other]] = [axes[other] as number, axes[at] as number];
  }
  return d.take(applyTensor(d.make.build, transposeOp, [x.node], { axes }), x.bound, x.error);
};

const reshape: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const shape = [...shapeOf(x)];
  const at = d.int(shape.length);
  const size = (shape[at] as Dim).constant;
  const factor = size === undefined ? undefined : [2, 3, 4, 5, 8].find((one) => size > one && size % one === 0);
  if (factor !== undefined && size !== undefined && d.chance(0.5))
    shape.splice(at, 1, ...(d.chance(0.5) ? [Dim.of(factor), Dim.of(size / factor)] : [Dim.of(size / factor), Dim.of(factor)]));
  else if (shape.length > 1 && d.chance(0.7)) {
    const left = Math.min(at, shape.length - 2);
    shape.splice(left, 2, (shape[left] as Dim).mul(shape[left + 1] as Dim));
  } else shape.splice(at, 0, Dim.one);
  return shape.length > 4 ? undefined : d.take(d.make.op('reshape', [x.node], { shape }), x.bound, x.error);
};

const slice: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const cuts = shapeOf(x).map((dim): readonly [Dim, Dim, number] => {
    const kind = d.int(4);
    if (kind === 0) return [dim.sub(1), Dim.of(-1), -1];
    const size = dim.constant;
    if (kind === 1 && size !== undefined && size > 1) {
      const start = d.int(size);
      const step = d.pick([1, 1, 2, 3]);
      return d.chance(0.5) ? [Dim.of(start), Dim.of(start + 1 + d.int(size - start)), step] : [Dim.of(start), Dim.of(-1), -step];
    }
    if (kind === 2 && d.least(dim) > 0) return d.chance(0.5) ? [Dim.one, dim, 1] : [Dim.zero, dim.sub(1), 1];
    return [Dim.zero, dim, 1];
  });
  return d.take(
    d.make.op('slice', [x.node], {
      starts: cuts.map(([start]) => start),
      stops: cuts.map(([, stop]) => stop),
      steps: cuts.map(([, , step]) => step),
    }),
    x.bound,
    x.error,
  );
};

const pad: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const amounts = (): Dim[] => shapeOf(x).map(() => Dim.of(d.pick([0, 0, 1, 3])));
  const inner = shapeOf(x).map((dim) => (d.least(dim) > 0 && d.chance(0.25) ? d.pick([1, 2]) : 0));
  return d.take(d.make.op('pad', [x.node], { before: amounts(), after: amounts(), inner }), x.bound, x.error);
};

/** Elements at any sums of indices, most of them outside. */
const view: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const shape = Array.from({ length: 1 + d.int(3) }, () => (d.chance(0.5) ? d.pick(d.palette) : Dim.of(1 + d.int(4))));
  if (countOf(d, shape) > 2000) return undefined;
  const border = d.pick([0, 1]);
  const attrs = {
    shape,
    coefficients: shapeOf(x).map(() => shape.map(() => Dim.of(d.pick([0, 0, 1, 1, -1, 2])))),
    offsets: shapeOf(x).map((dim) => d.pick([Dim.zero, Dim.one, Dim.of(-2), dim.sub(1)])),
    divisors: shapeOf(x).map(() => d.pick([1, 1, 1, 2, 3])),
    outside: isWideInteger(dtypeOf(x)) ? BigInt(border) : border,
  };
  return d.take(d.make.op('view', [x.node], attrs), Math.max(x.bound, border), x.error);
};

const concat: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0);
  if (x === undefined) return undefined;
  const axis = d.int(shapeOf(x).length);
  const fitting = (item: Item): boolean =>
    dtypeOf(item) === dtypeOf(x) &&
    shapeOf(item).length === shapeOf(x).length &&
    shapeOf(item).every((dim, at) => at === axis || dim.equals(shapeOf(x)[at] as Dim));
  const parts = [x, ...Array.from({ length: 1 + d.int(2) }, () => d.find(fitting) ?? x)];
  return d.take(
    d.make.op(
      'concat',
      parts.map(({ node }) => node),
      { axis },
    ),
    Math.max(...parts.map(({ bound }) => bound)),
    Math.max(...parts.map(({ error }) => error)),
  );
};

/** Small integers of a shape: row numbers. */
function ids(d: Drawing, shape: readonly Dim[]): Item | undefined {
  const known = d.find(
    (item) => isExact(item) && (dtypeOf(item) === 'i32' || dtypeOf(item) === 'i64') && shapeEquals(shapeOf(item), shape),
  );
  return known ?? (d.depth === 0 ? d.feed(shape, 'i32') : undefined);
}

const gather: Grow = (d) => {
  const x = d.find((item) => shapeOf(item).length > 0 && d.least(shapeOf(item)[0] as Dim) > 0);
  const rows = x === undefined ? undefined : ids(d, d.shape([0, 1, 1, 2]));
  return x === undefined || rows === undefined ? undefined : d.take(d.make.op('gather', [x.node, rows.node]), x.bound, x.error);
};

const scatter: Grow = (d) => {
  const x = d.find((item) => isNumber(item) && shapeOf(item).length > 0 && (isWide(item) || isInteger(dtypeOf(item))));
  if (x === undefined) return undefined;
  const rows = ids(d, shapeOf(x).slice(0, 1 + d.int(shapeOf(x).length)));
  const result = d.pick(d.palette);
  if (rows === undefined || d.least(result) === 0) return undefined;
  const count = countOf(d, shapeOf(rows));
  const from = isExact(x) && isFloating(x) && x.bound * count > 2 ** 20 ? d.clamp(x, 20) : x;
  return d.take(
    d.make.op('scatterAdd', [rows.node, from.node], { rows: result }),
    bounded(dtypeOf(x), from.bound * count),
    from.error === 0 ? 0 : count * (from.error + from.bound),
  );
};

const matmul: Grow = (d) => {
  let x = d.find((item) => shapeOf(item).length >= 2 && (isWide(item) || isInteger(dtypeOf(item))));
  if (x === undefined) return undefined;
  const shape = shapeOf(x);
  const depth = shape.at(-1) as Dim;
  const batch = shape.slice(0, -2);
  const dtype = dtypeOf(x);
  const turned = (item: Item): Item => ({
    ...item,
    node: applyTensor(d.make.build, transposeOp, [item.node], {
      axes: [...batch.map((_, axis) => axis), shape.length - 1, shape.length - 2],
    }),
  });
  const alike = (item: Item): boolean =>
    dtypeOf(item) === dtype && shapeOf(item).length === shape.length && batch.every((dim, axis) => dim.equals(shapeOf(item)[axis] as Dim));
  const plain = d.find((item) => alike(item) && (shapeOf(item).at(-2) as Dim).equals(depth));
  const other = d.find((item) => alike(item) && (shapeOf(item).at(-1) as Dim).equals(depth));
  let y = plain !== undefined && d.chance(0.4) ? plain : other !== undefined && d.chance(0.5) ? turned(other) : undefined;
  if (y === undefined) {
    const columns = d.pick([...d.palette, Dim.one]);
    const wanted = tensor(dtype, [...batch, depth, columns]);
    const fitted = d.chance(0.4) ? d.find((item) => isNumber(item) && shapeOf(item).length > 0) : undefined;
    y =
      (fitted === undefined ? undefined : d.fit(fitted, wanted)) ??
      (d.depth === 0 && countOf(d, wanted.shape) < 2000 ? d.feed(wanted.shape, dtype) : undefined);
  }
  if (y === undefined) return undefined;
  const count = d.most(depth);
  if (isFloating(x)) {
    if (x.bound > 16) x = d.clamp(x, 16);
    if (y.bound > 16) y = d.clamp(y, 16);
  }
  const error = x.error + y.error === 0 ? 0 : count * (x.bound * y.error + y.bound * x.error + x.bound * y.bound + 1);
  return d.take(d.make.op('matmul', [x.node, y.node]), bounded(dtype, count * x.bound * y.bound), error);
};

/** Sums of products of anything that a view reads. */
const contract: Grow = (d) => {
  let x = d.find((item) => shapeOf(item).length > 0 && (isWide(item) || isInteger(dtypeOf(item))));
  if (x === undefined) return undefined;
  const dtype = dtypeOf(x);
  const axes = (most: number): Dim[] =>
    Array.from({ length: 1 + d.int(most) }, () => (d.chance(0.5) ? d.pick(d.palette) : Dim.of(1 + d.int(4))));
  const [batch, rows, inner] = [d.chance(0.3) ? axes(1) : [], axes(2), axes(2)];
  const columns = d.pick([...d.palette, Dim.one]);
  const shape = [...batch, ...rows, ...inner];
  const wanted = tensor(dtype, [...batch, ...inner, columns]);
  if (countOf(d, [...shape, columns]) > 20_000) return undefined;
  const fitted = d.chance(0.5) ? d.find((item) => isNumber(item) && shapeOf(item).length > 0) : undefined;
  let y =
    (fitted === undefined ? undefined : d.fit(fitted, wanted)) ??
    (d.depth === 0 && countOf(d, wanted.shape) < 2000 ? d.feed(wanted.shape, dtype) : undefined);
  if (y === undefined) return undefined;
  if (isFloating(x)) {
    if (x.bound > 16) x = d.clamp(x, 16);
    if (y.bound > 16) y = d.clamp(y, 16);
  }
  const attrs = {
    shape,
    coefficients: shapeOf(x).map(() => shape.map(() => Dim.of(d.pick([0, 0, 1, 1, -1, 2])))),
    offsets: shapeOf(x).map((dim) => d.pick([Dim.zero, Dim.one, Dim.of(-2), dim.sub(1)])),
    divisors: shapeOf(x).map(() => d.pick([1, 1, 1, 2])),
    outside: isWideInteger(dtype) ? 0n : 0,
    batch: batch.length,
    rows: rows.length,
  };
  const terms = countOf(d, inner);
  const error = x.error + y.error === 0 ? 0 : terms * (x.bound * y.error + y.bound * x.error + x.bound * y.bound + 1);
  return d.take(contraction(d.make.build, x.node, y.node, attrs), bounded(dtype, terms * x.bound * y.bound), error);
};

const count: Grow = (d) => {
  const dtype = d.pick(d.dtypes.filter((one) => one !== 'bool'));
  if (d.chance(0.2)) {
    const dim = d.pick(d.palette).add(d.int(2));
    return d.take(d.make.op('dimension', [], { dim }), d.most(dim), 0);
  }
  const shape = d.shape([1, 2]);
  const axis = d.int(shape.length);
  if (d.most(shape[axis] as Dim) > 100) return undefined;
  return d.take(d.make.op('iota', [], { shape, axis, dtype }), d.most(shape[axis] as Dim), 0);
};

const random: Grow = (d) => {
  const key = d.find((item) => isExact(item) && dtypeOf(item) === 'i64' && shapeOf(item).length === 0) ?? d.constant(tensor('i64'));
  const bits = d.make.op('randomBits', [key.node, fill(d.make.build, tensor('i32'), d.int(5))], { shape: d.shape([0, 1, 2]) });
  return d.take(d.make.op('rem', [bits, fill(d.make.build, bits.type, 10)]), 10, 0);
};

const given: Grow = (d) => {
  if (d.depth > 0) return undefined;
  const dtype = d.pick(d.dtypes);
  if (d.chance(0.6)) {
    const shape = d.shape();
    return countOf(d, shape) > 3000 ? undefined : d.feed(shape, dtype);
  }
  return d.variable(d.constantShape(), dtype === 'bf16' || dtype === 'f16' ? 'f32' : dtype);
};

const softmax: Grow = (d) => {
  const x = d.find((item) => isWide(item) && shapeOf(item).length > 0 && shapeOf(item).every((dim) => d.least(dim) > 0));
  if (x === undefined) return undefined;
  const axis = d.int(shapeOf(x).length);
  const kept = shapeOf(x)
    .map((_, at) => at)
    .filter((at) => at !== axis);
  const again = (node: Item['node']): Item['node'] => d.make.broadcast(node, shapeOf(x), kept);
  const exps = d.make.op('exp', [d.make.op('sub', [x.node, again(d.make.op('reduceMax', [x.node], { axes: [axis] }))])]);
  return d.take(
    d.make.op('div', [exps, again(d.make.sum(exps, axis))]),
    1,
    4 * x.error + 4 * x.bound + d.most(shapeOf(x)[axis] as Dim) + 10,
  );
};

const loop: Grow = (d) => {
  if (d.depth > 1) return undefined;
  const trip = d.depth === 0 && d.chance(0.5) ? d.pick(['B', 'N'].map((name) => Dim.of(name))) : Dim.of(d.int(5));
  const limit = 16;
  /** What a carry may be wrong by, whatever the iteration. */
  const worst = 500;
  const inits: Item[] = [];
  for (let at = d.int(3); at >= 0; at--) {
    const found = d.find((item) => isNumber(item) && countOf(d, shapeOf(item)) < 300);
    if (found !== undefined) inits.push(isFloating(found) && found.bound > limit ? d.clamp(found, limit) : found);
  }
  const size = (item: Item): Item =>
    item.error === 0 ? item : d.scale(item, 2 ** -Math.max(0, Math.ceil(Math.log2(item.error / worst) + 1)));
  const starts = inits.map(size);
  const outside = d.items;
  let stacked: Item[] = [];
  const before = [...outside];
  d.items = before.filter((item) => countOf(d, shapeOf(item)) < 600);
  d.depth += 1;
  const results = d.make.loop(
    trip,
    starts.map(({ node }) => node),
    (index, ...carries) => {
      d.items.push({ node: index, bound: d.most(trip), error: 0 });
      for (const [at, node] of carries.entries())
        d.items.push({
          node,
          bound: bounded(node.type.dtype, isFloat(node.type.dtype) ? limit : rangeOf(node.type.dtype)),
          error: (starts[at] as Item).error > 0 ? worst : 0,
        });
      for (let step = 2 + d.int(5); step > 0; step--) grow(d);
      const next = carries.map((carry, at): Item['node'] => {
        const start = starts[at] as Item;
        const good = (item: Item): boolean => start.error > 0 || item.error === 0;
        const found = d.find(good);
        const fitted = found === undefined ? undefined : d.fit(found, carry.type);
        if (fitted === undefined || !good(fitted) || countOf(d, shapeOf(found as Item)) > 600) return carry;
        const small = isFloat(carry.type.dtype) && fitted.bound > limit ? d.clamp(fitted, limit) : fitted;
        return size(small).node;
      });
      stacked = Array.from({ length: d.int(3) }, () => d.find((item) => countOf(d, shapeOf(item)) * d.most(trip) < 2000)).flatMap(
        (one) => one ?? [],
      );
      return [...next, ...stacked.map(({ node }) => node)];
    },
  );
  d.depth -= 1;
  d.items = before;
  let last: Item | undefined;
  for (const [at, node] of results.entries()) {
    const start = starts[at];
    last =
      start === undefined
        ? d.take(node, (stacked[at - starts.length] as Item).bound, (stacked[at - starts.length] as Item).error)
        : d.take(node, isFloat(node.type.dtype) ? limit : rangeOf(node.type.dtype), start.error > 0 ? worst : 0);
  }
  return last;
};

const growths: readonly (readonly [number, Grow])[] = [
  [3, unary],
  [2, halve],
  [6, smooth],
  [12, binary],
  [2, compare],
  [1, logic],
  [3, choose],
  [2, convert],
  [3, spread],
  [7, reduce],
  [3, transpose],
  [3, reshape],
  [3, slice],
  [2, pad],
  [3, view],
  [2, concat],
  [2, gather],
  [1, scatter],
  [5, matmul],
  [3, contract],
  [1, count],
  [0.4, random],
  [4, given],
  [1.5, softmax],
  [1.5, loop],
];

/** One more item, if the chosen op fits. */
export function grow(d: Drawing): Item | undefined {
  let at = d.random() * growths.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, one] of growths) {
    at -= weight;
    if (at < 0) return one(d);
  }
  return undefined;
}
