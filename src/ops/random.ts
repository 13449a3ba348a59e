// Counter-based random bits: Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers, as easy as 1, 2, 3; SC 2011). In: a key
// (i64) and a stream (i32), which separates uses of one key. Out: i32 of any shape.
// Holds: element i is word 0 of the block with counter (low(i), high(i), stream, 0) and key (low(key), high(key)): the same on every
// machine, for any order of evaluation.

import { Dim, elementCount } from '../base/index.js';
import { type Node, tensor, type TensorType } from '../graph/index.js';
import { build as loop, type Expr } from '../kernel/index.js';
import { defineOp, type Op, type SampleArgument } from './define.js';
import { isProblem, problem, tensors } from './problem.js';
import { called } from './tdsl.js';
import { get, tabulate, tensorAt } from './value.js';
import { written } from './writing.js';

export type RandomBitsAttrs = { readonly shape: readonly Dim[] };

const rounds = 10;
const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const weyl = [0x9e3779b9, 0xbb67ae85] as const;

type Four<T> = readonly [T, T, T, T];

/** One word of a block, over numbers or over expressions. */
interface Words<T> {
  high(a: T, constant: number): T;
  low(a: T, constant: number): T;
  add(a: T, constant: number): T;
  xor(a: T, b: T): T;
}

function philox<T>(words: Words<T>, counter: Four<T>, key: readonly [T, T]): Four<T> {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [m0, m1] = multipliers;
    [c0, c1, c2, c3] = [
      words.xor(words.xor(words.high(c2, m1), c1), k0),
      words.low(c2, m1),
      words.xor(words.xor(words.high(c0, m0), c3), k1),
      words.low(c0, m0),
    ];
    [k0, k1] = [words.add(k0, weyl[0]), words.add(k1, weyl[1])];
  }
  return [c0, c1, c2, c3];
}

/** The upper half of the product of two unsigned words, by halves: every sum stays far below 2⁵³. */
function highWord(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

const numbers: Words<number> = {
  high: highWord,
  low: (a, constant) => Math.imul(a, constant),
  add: (a, constant) => (a + constant) | 0,
  xor: (a, b) => a ^ b,
};

const expressions: Words<Expr> = {
  high: (a, constant) => loop.apply('mulhi', 'i32', a, loop.constant('i32', constant | 0)),
  low: (a, constant) => loop.apply('mul', 'i32', a, loop.constant('i32', constant | 0)),
  add: (a, constant) => loop.apply('add', 'i32', a, loop.constant('i32', constant | 0)),
  xor: (a, b) => loop.apply('xor', 'i32', a, b),
};

/** The four words of a block, each as a signed 32-bit number. */
export const philoxBlock = (counter: Four<number>, key: readonly [number, number]): Four<number> => philox(numbers, counter, key);

const low = (word: bigint): number => Number(BigInt.asIntN(32, word));
const lowExpr = (word: Expr): Expr => loop.apply('convert', 'i32', word);
const highExpr = (word: Expr): Expr => lowExpr(loop.apply('shr', 'i64', word, loop.int(32)));

const drawn = (key: number, stream: number): SampleArgument[] => [
  { dtype: 'i64', shape: [], values: [key] },
  { dtype: 'i32', shape: [], values: [stream] },
];

export const randomBits: Op<RandomBitsAttrs> = defineOp<RandomBitsAttrs>({
  name: 'randomBits',
  doc: '32 random bits per element, determined by a key, a stream and the position.',
  type(args, { shape }) {
    const two = tensors('randomBits', args, 2);
    if (isProblem(two)) return two;
    const [key, stream] = two as [TensorType, TensorType];
    if (key.dtype !== 'i64' || key.shape.length !== 0) return problem('type-mismatch', 'the key of random numbers is an i64', [0]);
    if (stream.dtype !== 'i32' || stream.shape.length !== 0) return problem('type-mismatch', 'the stream of random numbers is an i32', [1]);
    return tensor('i32', shape);
  },
  derivative: { kind: 'zero' },
  evaluate(args, { type, shape }) {
    const key = BigInt(get(tensorAt(args, 0), 0));
    const stream = Number(get(tensorAt(args, 1), 0));
    let at = 0n;
    return tabulate('i32', shape(type as TensorType), () => {
      const [word] = philoxBlock([low(at), low(at >> 32n), stream, 0], [low(key), low(key >> 32n)]);
      at += 1n;
      return word;
    });
  },
  lowering: {
    kind: 'element',
    at(node, index, arg) {
      const { shape } = node.attrs;
      const linear = index.reduce<Expr>((sum, at, axis) => loop.plus(loop.times(sum, loop.size(shape[axis] as Dim)), at), loop.int(0));
      // No need to ask for the upper half of positions that fit into 32 bits.
      const small = (elementCount(shape).constant ?? Infinity) <= 2 ** 32;
      const key = arg(0, []);
      const zero = loop.constant('i32', 0);
      return philox(expressions, [lowExpr(linear), small ? zero : highExpr(linear), arg(1, []), zero], [lowExpr(key), highExpr(key)])[0];
    },
    cost: 60,
  },
  write({ args, attrs: { shape } }, writer) {
    const [key, stream] = args as [Node, Node];
    const bits = called('randomBits', [writer.sizes(shape)], {
      key: writer.exact(key),
      stream: writer.written(stream).literal ?? writer.exact(stream),
    });
    return written(bits, shape);
  },
  samples: () => [
    { args: drawn(42, 0), attrs: { shape: [Dim.of(5)] } },
    { args: drawn(-1, -1), attrs: { shape: [Dim.of(2), Dim.of(3)] } },
    { args: drawn(0, 7), attrs: { shape: [] } },
    { args: drawn(0, 7), attrs: { shape: [Dim.of(0)] } },
  ],
});
