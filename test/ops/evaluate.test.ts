// What each op means: known values, worked out by hand or stated by others.

import { describe, expect, it } from 'vitest';
import { Dim, type DType, roundTo } from '../../src/base/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { type Attrs, GraphBuilder, tensor } from '../../src/graph/index.js';
import {
  apply,
  argument,
  closeRegion,
  convertValue,
  fill,
  item,
  loop,
  philoxBlock,
  placeholder,
  registry,
  scalars,
  tensorOf,
  tensorValue,
  type TensorValue,
} from '../../src/ops/index.js';

const D = Dim.of;
const v = (dtype: DType, shape: readonly number[], data: readonly (number | bigint)[]): TensorValue => tensorValue(dtype, shape, data);
const f = (shape: readonly number[], ...data: number[]): TensorValue => v('f64', shape, data);
const i = (shape: readonly number[], ...data: number[]): TensorValue => v('i32', shape, data);

function run(name: string, args: readonly TensorValue[], attrs: Attrs = {}): TensorValue {
  const build = new GraphBuilder();
  const op = registry.get(name);
  if (op === undefined) throw new Error(`no op ${name}`);
  const nodes = args.map(({ dtype, shape }, index) => apply(build, argument, [], { index, dtype, shape: shape.map(D) }));
  return evaluateNodes([tensorOf(apply(build, op, nodes, attrs))], { args: [...args] })[0] as TensorValue;
}

const nan = NaN;

describe('values', () => {
  it.each([
    ['iota', [], { shape: [D(2), D(3)], axis: 1, dtype: 'i32' }, i([2, 3], 0, 1, 2, 0, 1, 2)],
    ['dimension', [], { dim: D(7) }, i([], 7)],
    ['constant', [], { value: 7n, dtype: 'i64' }, v('i64', [], [7n])],
    ['named', [f([1], 3)], { path: 'x' }, f([1], 3)],
    ['stopGradient', [f([1], 3)], {}, f([1], 3)],
    ['broadcast', [f([2], 1, 2)], { shape: [D(2), D(2)], axes: [0] }, f([2, 2], 1, 1, 2, 2)],
    ['broadcast', [f([2], 1, 2)], { shape: [D(2), D(2)], axes: [1] }, f([2, 2], 1, 2, 1, 2)],
    ['broadcast', [f([2, 1], 1, 2)], { shape: [D(2), D(3)], axes: [0, 1] }, f([2, 3], 1, 1, 1, 2, 2, 2)],
    ['reshape', [f([2, 3], 1, 2, 3, 4, 5, 6)], { shape: [D(3), D(2)] }, f([3, 2], 1, 2, 3, 4, 5, 6)],
    ['transpose', [f([2, 3], 1, 2, 3, 4, 5, 6)], { axes: [1, 0] }, f([3, 2], 1, 4, 2, 5, 3, 6)],
    ['transpose', [f([1, 2, 3], 1, 2, 3, 4, 5, 6)], { axes: [2, 0, 1] }, f([3, 1, 2], 1, 4, 2, 5, 3, 6)],
    ['slice', [f([5], 0, 1, 2, 3, 4)], { starts: [D(1)], stops: [D(5)], steps: [2] }, f([2], 1, 3)],
    ['slice', [f([5], 0, 1, 2, 3, 4)], { starts: [D(4)], stops: [D(-1)], steps: [-2] }, f([3], 4, 2, 0)],
    ['pad', [f([2], 1, 2)], { before: [D(1)], after: [D(2)], inner: [1] }, f([6], 0, 1, 0, 2, 0, 0)],
    ['concat', [f([1, 1], 1), f([1, 2], 2, 3)], { axis: 1 }, f([1, 3], 1, 2, 3)],
    ['gather', [f([3, 2], 1, 2, 3, 4, 5, 6), i([4], 2, -1, 9, -9)], {}, f([4, 2], 5, 6, 1, 2, 5, 6, 1, 2)],
    ['scatterAdd', [i([3], 0, 2, 0), f([3, 1], 1, 2, 3)], { rows: D(3) }, f([3, 1], 4, 0, 2)],
    ['inRange', [i([2], 0, 2)], { source: '', start: 0, end: 0, size: D(3), length: D(1) }, i([2], 0, 2)],
    [
      'ensure',
      [f([1], 5), v('bool', [], [1]), i([], 7)],
      { source: '', start: 0, end: 0, size: D(3), code: 'index-out-of-range' },
      f([1], 5),
    ],
    ['reduceSum', [f([2, 2], 1, 2, 3, 4)], { axes: [0] }, f([2], 4, 6)],
    ['reduceSum', [f([0, 2])], { axes: [0] }, f([2], 0, 0)],
    ['reduceSum', [i([2], 2147483647, 1)], { axes: [0] }, i([], -2147483648)],
    ['reduceProduct', [f([3], 2, 3, 4)], { axes: [0] }, f([], 24)],
    ['reduceMax', [f([3], 2, nan, 4)], { axes: [0] }, f([], nan)],
    ['reduceMin', [f([2, 2], 2, -3, 4, 1)], { axes: [0, 1] }, f([], -3)],
    ['reduceMax', [f([0])], { axes: [0] }, f([], -Infinity)],
    ['reduceMax', [i([0])], { axes: [0] }, i([], -2147483648)],
    ['reduceAny', [v('bool', [2, 2], [0, 0, 1, 0])], { axes: [1] }, v('bool', [2], [0, 1])],
    ['reduceAll', [v('bool', [2, 2], [1, 1, 1, 0])], { axes: [1] }, v('bool', [2], [1, 0])],
    ['matmul', [f([2, 2], 1, 2, 3, 4), f([2, 2], 5, 6, 7, 8)], {}, f([2, 2], 19, 22, 43, 50)],
    ['matmul', [f([2, 1, 1], 2, 3), f([2, 1, 1], 5, 7)], {}, f([2, 1, 1], 10, 21)],
    ['matmul', [f([1, 0]), f([0, 2])], {}, f([1, 2], 0, 0)],
    ['matmul', [i([1, 2], 65536, 65536), i([2, 1], 65536, 1)], {}, i([1, 1], 65536)],
    ['inverse', [f([2, 2], 0, 2, 4, 0)], {}, f([2, 2], 0, 0.25, 0.5, 0)],
    ['cast', [f([4], -2.7, nan, 3e9, 0.5)], { dtype: 'i32' }, i([4], -2, 0, 2147483647, 0)],
    ['cast', [v('i64', [2], [4294967297n, -1n])], { dtype: 'u8' }, v('u8', [2], [1, 255])],
    ['select', [v('bool', [2], [1, 0]), f([2], 1, 2), f([2], 3, 4)], {}, f([2], 1, 4)],
    ['le', [i([2], 1, 3), i([2], 1, 2)], {}, v('bool', [2], [1, 0])],
  ] as const)('%s', (name, args, attrs, expected) => {
    const got = run(name, args, attrs);
    expect(got.dtype).toBe(expected.dtype);
    expect(got.shape).toEqual(expected.shape);
    expect([...got.data].map((x) => (x === 0 ? 0 : x))).toEqual([...expected.data]);
  });

  it('inverts a singular matrix into what division by 0 gives', () => {
    expect([...run('inverse', [f([2, 2], 1, 2, 2, 4)]).data].some((x) => !Number.isFinite(x))).toBe(true);
  });

  it('counts a loop: carries after, stacks along a new first axis', () => {
    const build = new GraphBuilder();
    const [at, z] = [placeholder(build, tensor('i32')), placeholder(build, tensor('i32'))] as const;
    const { region } = closeRegion(build, [at, z], [scalars.add(build, z, at), scalars.mul(build, at, at)]);
    const made = apply(build, loop, [fill(build, tensor('i32'), 10)], { trip: D('T'), carries: 1, body: region });
    const values = (trip: number) =>
      evaluateNodes([item(build, made, 0), item(build, made, 1)], { dims: new Map([['T', trip]]) }).map((value) => [...value.data]);
    expect(values(4)).toEqual([[16], [0, 1, 4, 9]]);
    expect(values(0)).toEqual([[10], []]);
  });
});

describe('Philox 4×32-10', () => {
  // Known answers of the authors' Random123 library (kat_vectors, philox4x32 10).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [-1, -1, -1, -1],
      [-1, -1],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('of %j', (counter, key, words) => {
    const [a, b, c, d] = counter;
    expect(philoxBlock([a | 0, b | 0, c | 0, d | 0], [key[0] | 0, key[1] | 0]).map((word) => word >>> 0)).toEqual([...words]);
  });

  it('gives element i the block with counter (i, 0, stream, 0)', () => {
    const got = run('randomBits', [v('i64', [], [(3n << 32n) | 5n]), v('i32', [], [9])], { shape: [D(2), D(2)] });
    expect([...got.data]).toEqual([0, 1, 2, 3].map((at) => philoxBlock([at, 0, 9, 0], [5, 3])[0]));
  });
});

describe('rounding', () => {
  it.each([
    ['f16', 1 / 3, 0.333251953125],
    ['f16', 65519.99, 65504],
    ['f16', 65520, Infinity],
    ['f16', 2 ** -25, 0],
    ['f16', -(2 ** -25), -0],
    ['f16', 2 ** -24 * 1.5, 2 ** -23],
    ['bf16', 1 / 3, 0.333984375],
    ['bf16', 1.00390625, 1],
    ['f32', 0.1, 0.10000000149011612],
    ['i32', -3.9, -3],
    ['u8', 300, 255],
    ['bool', nan, 1],
  ] as const)('to %s of %d is %d', (dtype, x, rounded) => {
    expect(roundTo(dtype, x)).toBe(rounded);
  });

  it('converts between integers by wrapping, and saturates from floats', () => {
    expect(convertValue('i64', 'i32', 2147483648n)).toBe(-2147483648);
    expect(convertValue('f64', 'i64', 1e30)).toBe(2n ** 63n - 1n);
    expect(convertValue('f64', 'i64', nan)).toBe(0n);
  });
});
