// The registry and the type rules: what every op has, and how it refuses.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { type Attrs, GraphBuilder, type Region, tensor, type Type, typeToString } from '../../src/graph/index.js';
import { build as loopIr, type Expr, isMachineOp } from '../../src/kernel/index.js';
import {
  closeRegion,
  evaluateScalar,
  expansions,
  infer,
  placeholder,
  registry,
  scalarNames,
  scalarOfKernel,
  scalars,
  scalarTable,
} from '../../src/ops/index.js';
import { built, cases } from './samples.js';

describe('the registry', () => {
  it('gives samples for every op', () => {
    expect([...registry.values()].filter((op) => op.samples().length === 0).map((op) => op.name)).toEqual([]);
  });

  it('documents every op in a sentence', () => {
    for (const op of registry.values()) expect(op.doc, op.name).toMatch(/^.+\.$/u);
  });

  it.each(cases.map((one) => [one.text, one] as const))('%s has a type', (_, one) => {
    expect(built(one).node.type.kind).toBe('tensor');
  });

  it('refuses too many arguments everywhere', () => {
    const many: Type[] = Array.from({ length: 7 }, () => tensor('f64', [Dim.of(2)]));
    for (const one of cases) {
      if (['concat', 'grad'].includes(one.op.name)) continue;
      expect(infer(one.op, many, built(one).made.attrs).kind, one.op.name).toBe('problem');
    }
  });

  it('refuses tuples everywhere but where an item is taken', () => {
    for (const one of cases) {
      const { args, attrs } = built(one).made;
      if (args.length === 0) continue;
      const types: Type[] = args.map(() => ({ kind: 'tuple', items: [] }));
      expect(infer(one.op, types, attrs).kind, one.op.name).toBe('problem');
    }
  });
});

describe('the scalar table', () => {
  it('has one name per function in kernel IR, shared with a machine op only where both mean the same', () => {
    expect(scalarOfKernel.size).toBe(scalarNames.length);
    for (const name of scalarNames) {
      const { kernel, arity, result } = scalarTable[name];
      if (!isMachineOp(kernel)) continue;
      const params = ['x', 'y', 'z']
        .slice(0, arity)
        .map((one, at) =>
          loopIr.name(
            one,
            name === 'select' && at === 0 ? 'bool' : result === 'bool' && scalarTable[name].takes === 'bool' ? 'bool' : 'f32',
          ),
        );
      const expanded = expansions[name](loopIr.dtypeOf(params[arity - 1] as Expr), ...params);
      expect(expanded.kind === 'apply' && expanded.fn, name).toBe(kernel);
    }
  });

  it.each([
    ['add', 'i32', [2147483647, 1], -2147483648],
    ['mul', 'i64', [4294967296n, 4294967296n], 0n],
    ['sub', 'u8', [3, 5], 254],
    ['div', 'i32', [-7, 2], -3],
    ['div', 'i32', [7, 0], 0],
    ['rem', 'i32', [-7, 2], 1],
    ['rem', 'i32', [7, -2], -1],
    ['rem', 'i64', [-8n, 2n], 0n],
    ['floorDiv', 'i32', [-7, 2], -4],
    ['floorDiv', 'i64', [7n, -2n], -4n],
    ['floorDiv', 'i32', [-7, 0], 0],
    ['floorDiv', 'f64', [-7.5, 2], -4],
    ['rem', 'i64', [7n, 0n], 7n],
    ['rem', 'f64', [-7.5, 2], 0.5],
    ['rem', 'f64', [7.5, -2], -0.5],
    ['rem', 'f64', [-1, Infinity], Infinity],
    ['pow', 'i32', [3, 20], -808182895],
    ['pow', 'i32', [-1, -3], -1],
    ['pow', 'i32', [2, -1], 0],
    ['pow', 'f64', [1, NaN], 1],
    ['pow', 'f64', [NaN, 0], 1],
    ['pow', 'f64', [-1, Infinity], 1],
    ['pow', 'f64', [-8, 1 / 3], NaN],
    ['max', 'f64', [NaN, 1], NaN],
    ['min', 'f64', [1, NaN], NaN],
    ['round', 'f64', [2.5], 2],
    ['round', 'f64', [-0.5], -0],
    ['sign', 'f64', [-0], 0],
    ['sign', 'f64', [NaN], NaN],
    ['ne', 'f64', [NaN, NaN], 1],
    ['eq', 'bool', [1, 1], 1],
    ['select', 'i64', [1, 5n, 6n], 5n],
    ['isnan', 'f64', [NaN], 1],
    ['erf', 'f64', [0.5], 0.5204998778130465],
    ['erf', 'f64', [3.5], 0.9999992569016276],
    ['sigmoid', 'f64', [-800], 0],
  ] as const)('%s of %s %o is %s', (name, dtype, args, value) => {
    const found = evaluateScalar(scalarTable[name], dtype, args);
    if (typeof value === 'number' && !Number.isInteger(value) && Number.isFinite(value)) expect(found).toBeCloseTo(value, 14);
    else expect(found).toBe(value);
  });
});

const D = Dim.of;
const f32 = (...shape: (number | string)[]): Type => tensor('f32', shape.map(D));
const i32 = (...shape: (number | string)[]): Type => tensor('i32', shape.map(D));
const bool = (...shape: (number | string)[]): Type => tensor('bool', shape.map(D));

function typeOf(name: string, args: readonly Type[], attrs: Attrs = {}): string {
  const op = registry.get(name);
  if (op === undefined) throw new Error(`no op ${name}`);
  const type = infer(op, args, attrs);
  return type.kind === 'problem' ? `${type.code}: ${type.message}` : typeToString(type);
}

describe('types', () => {
  it.each([
    ['matmul', [f32('B', 784), f32(784, 10)], {}, 'f32[B, 10]'],
    ['matmul', [f32('H', 'T', 'D'), f32('H', 'D', 'T')], {}, 'f32[H, T, T]'],
    ['lt', [f32('B'), f32('B')], {}, 'bool[B]'],
    ['broadcast', [f32(1, 'D')], { shape: [D('B'), D('N'), D('D')], axes: [1, 2] }, 'f32[B, N, D]'],
    ['reshape', [f32('B', 'H', 'D')], { shape: [D('B'), D('H').mul(D('D'))] }, 'f32[B, D*H]'],
    ['transpose', [f32('A', 'B', 3)], { axes: [2, 0, 1] }, 'f32[3, A, B]'],
    ['slice', [f32('N')], { starts: [D(1)], stops: [D('N')], steps: [1] }, 'f32[N - 1]'],
    ['slice', [f32('M')], { starts: [D('M').sub(1)], stops: [D(-1)], steps: [-1] }, 'f32[M]'],
    ['pad', [f32('N')], { before: [D(1)], after: [D(0)], inner: [2] }, 'f32[3*N - 1]'],
    ['concat', [f32('A', 2), f32('B', 2)], { axis: 0 }, 'f32[A + B, 2]'],
    ['gather', [f32('V', 'D'), i32('B', 'T')], {}, 'f32[B, T, D]'],
    ['scatterAdd', [i32('B', 'T'), f32('B', 'T', 'D')], { rows: D('V') }, 'f32[V, D]'],
    ['reduceSum', [f32('A', 'B', 'C')], { axes: [0, 2] }, 'f32[B]'],
    ['cast', [bool('B')], { dtype: 'f16' }, 'f16[B]'],
    ['inverse', [f32('N', 'N')], {}, 'f32[N, N]'],
    ['grad', [f32(), f32(3), f32('B')], { outputs: 1 }, '(f32[3], f32[B])'],
    ['jvp', [f32(2), f32('B'), f32('B')], { inputs: 1 }, 'f32[2]'],
  ] as const)('%s', (name, args, attrs, expected) => {
    expect(typeOf(name, args, attrs)).toBe(expected);
  });
});

const oneParam = (
  make: (build: GraphBuilder, x: ReturnType<typeof placeholder>) => ReturnType<typeof placeholder>[],
  types: readonly Type[] = [f32()],
): Region => {
  const build = new GraphBuilder();
  const params = types.map((type) => placeholder(build, type.kind === 'tensor' ? type : tensor('f32')));
  return closeRegion(build, params, make(build, params[params.length - 1] as ReturnType<typeof placeholder>)).region;
};

describe('refusals', () => {
  it.each([
    ['add', [f32('B', 10), f32('B')], {}, 'shape-mismatch: add of the shapes [B, 10] and [B], which differ'],
    ['add', [f32(), i32()], {}, 'dtype-mismatch: add of f32 and i32: element types never mix'],
    ['exp', [i32(3)], {}, 'dtype-mismatch: exp takes floats (f32, f64, f16, bf16), not i32'],
    ['not', [f32()], {}, 'dtype-mismatch: not takes bool, not f32'],
    ['add', [bool(), bool()], {}, 'dtype-mismatch: add takes numbers, not bool'],
    ['select', [f32(2), f32(2), f32(2)], {}, 'dtype-mismatch: the condition of select is f32, not bool'],
    ['select', [bool(2), f32(2), f32(3)], {}, 'shape-mismatch: select of the shapes [2], [2] and [3], which differ'],
    ['neg', [], {}, 'type-mismatch: neg takes one tensor, not 0'],
    [
      'contract',
      [f32('N'), f32(3, 2)],
      { shape: [D(4), D(3)], coefficients: [[D(1), D(1)]], offsets: [D(-1)], divisors: [1], outside: 0, batch: 0, rows: 1 },
      'invalid-value: contract of [N] read as [4, 3]: it may have no element where that has some',
    ],
    [
      'matmul',
      [f32('B', 784), f32(300, 10)],
      {},
      'shape-mismatch: matmul of [B, 784] and [300, 10]: 784 columns on the left, 300 rows on the right',
    ],
    ['matmul', [f32(3), f32(3, 2)], {}, 'shape-mismatch: matmul of [3] and [3, 2]: two matrices, or equal stacks of them, are needed'],
    ['matmul', [f32(2, 3, 4), f32(3, 4, 5)], {}, 'shape-mismatch: matmul of [2, 3, 4] and [3, 4, 5]: the leading axes differ'],
    ['matmul', [bool(2, 2), bool(2, 2)], {}, 'dtype-mismatch: matmul takes numbers, not bool'],
    ['broadcast', [f32(3)], { shape: [D(2), D(4)], axes: [1] }, 'shape-mismatch: [3] does not broadcast to [2, 4]: the size 3 meets 4'],
    ['broadcast', [f32(3)], { shape: [D(3)], axes: [] }, 'shape-mismatch: broadcast places 0 axes of a tensor of rank 1'],
    [
      'broadcast',
      [f32(3, 2)],
      { shape: [D(2), D(3)], axes: [1, 0] },
      'invalid-value: broadcast: the axes 1 and 0 are not in increasing order',
    ],
    ['reshape', [f32('B', 4)], { shape: [D('B'), D(3)] }, 'shape-mismatch: reshape of [B, 4] (4*B elements) to [B, 3] (3*B elements)'],
    ['transpose', [f32(2, 3)], { axes: [0, 0] }, 'invalid-value: transpose: [0, 0] is not an order of the 2 axes of [2, 3]'],
    [
      'slice',
      [f32(5)],
      { starts: [D(2)], stops: [D(7)], steps: [1] },
      'invalid-value: the part from 2 to 7 is not inside axis 0, whose size is 5',
    ],
    [
      'slice',
      [f32('N')],
      { starts: [D(0)], stops: [D('N')], steps: [2] },
      'ambiguous-size: every 2th element from 0 to N of axis 0: whether their number is whole depends on the sizes',
    ],
    [
      'slice',
      [f32(5)],
      { starts: [D(0)], stops: [D(5)], steps: [0] },
      'invalid-value: the step of a slice is a whole number other than 0, not 0',
    ],
    ['slice', [f32(5)], { starts: [], stops: [], steps: [] }, 'shape-mismatch: slice of [5] needs 1 starts, stops and steps'],
    ['pad', [f32(5)], { before: [D(-1)], after: [D(0)], inner: [0] }, 'invalid-value: pad of axis 0 with -1 zeros'],
    ['concat', [f32(2, 3), f32(2, 4)], { axis: 0 }, 'shape-mismatch: concat along axis 0 of [2, 3] and [2, 4]: the other axes differ'],
    ['concat', [f32(2), i32(2)], { axis: 0 }, 'dtype-mismatch: concat of f32 and i32: element types never mix'],
    ['concat', [], { axis: 0 }, 'type-mismatch: concat takes at least one tensor, not 0'],
    ['gather', [f32(4), f32(2)], {}, 'dtype-mismatch: rows are numbered by i32 or i64, not by f32'],
    ['gather', [f32(), i32(2)], {}, 'shape-mismatch: a scalar has no rows to gather'],
    ['scatterAdd', [i32(3), f32(4, 2)], { rows: D(5) }, 'shape-mismatch: scatterAdd of [4, 2] to rows [3]: the first axes differ'],
    ['reduceSum', [bool(3)], { axes: [0] }, 'dtype-mismatch: reduceSum takes numbers, not bool'],
    ['reduceAny', [f32(3)], { axes: [0] }, 'dtype-mismatch: reduceAny takes bool, not f32'],
    ['reduceMax', [f32(3)], { axes: [1] }, 'invalid-value: reduceMax: there is no axis 1 in a tensor of rank 1'],
    ['inverse', [f32(2, 3)], {}, 'shape-mismatch: inverse of [2, 3], whose last two axes are no square matrix'],
    ['inverse', [i32(2, 2)], {}, 'dtype-mismatch: inverse takes floats (f32, f64, f16, bf16), not i32'],
    ['randomBits', [i32(), i32()], { shape: [] }, 'type-mismatch: the key of random numbers is an i64'],
    ['randomBits', [tensor('i64'), i32(2)], { shape: [] }, 'type-mismatch: the stream of random numbers is an i32'],
    ['iota', [], { shape: [D(3)], axis: 1, dtype: 'i32' }, 'invalid-value: iota: there is no axis 1 in a tensor of rank 1'],
    ['iota', [], { shape: [D(3)], axis: 0, dtype: 'bool' }, 'dtype-mismatch: iota counts in numbers, not in bool'],
    ['constant', [], { value: 1, dtype: 'i64' }, 'type-mismatch: the constant 1 is not written as i64'],
    ['element', [f32()], { index: 0 }, 'type-mismatch: element takes one tuple'],
    ['grad', [f32(), i32()], { outputs: 1 }, 'dtype-mismatch: grad is defined for floats, not for i32'],
    ['jvp', [f32(), f32('B'), f32('C')], { inputs: 1 }, 'shape-mismatch: jvp: the direction is f32[C], its input f32[B]'],
    [
      'loop',
      [i32()],
      { trip: D(3), carries: 1, body: oneParam((build, x) => [scalars.exp(build, x)], [i32(), f32()]) },
      'type-mismatch: the body of the loop takes (i32, f32), but is given (i32, i32)',
    ],
    [
      'loop',
      [f32()],
      { trip: D(3), carries: 1, body: oneParam((build, x) => [scalars.gt(build, x, x)], [i32(), f32()]) },
      'dtype-mismatch: the loop starts with f32, and its body gives bool',
    ],
    [
      'call',
      [f32()],
      { body: oneParam((build, x) => [scalars.exp(build, x)]), rule: oneParam((build, x) => [scalars.exp(build, x)]) },
      'type-mismatch: the rule takes (f32), but the arguments and the cotangents are (f32, f32)',
    ],
  ] as const)('%s', (name, args, attrs, expected) => {
    expect(typeOf(name, args, attrs)).toBe(expected);
  });
});
