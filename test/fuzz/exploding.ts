// Small programs that would grow large. In: choices. Out: a text. Holds: each is one kind of growth with numbers drawn at the edges of what
// is sensible.

import { copies } from './copies.js';
import type { Random } from './random.js';

const doubling = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `  ${line(at)}`).join('\n');
const depth = (random: Random): number => random.pick([2, 5, 12, 20, 30, 31, 40, 64, 200]);
const large = (random: Random): string =>
  random.pick(['1000', '65535', '65536', '1000000', '2147483647', '2147483648', '4294967296', '9007199254740991', '100000000']);

const kinds: readonly ((random: Random) => string)[] = [
  (random) =>
    `export fn f(x: f32): f32 {\n  let a0 = (x, x)\n${doubling(depth(random), (at) => `let a${at + 1} = (a${at}, a${at})`)}\n  return x\n}`,
  (random) => {
    const count = depth(random);
    return `export fn f(x: f32) {\n  let a0 = ${random.pick(['(x, x)', '{ p: x, q: x }', '[x, x]', '[]'])}\n${doubling(count, (at) => `let a${at + 1} = ${random.pick(['(', '['])}a${at}, a${at}`.replace(/^(.*= )([([])(.*)$/, (_, head: string, open: string, rest: string) => `${head}${open}${rest}${open === '(' ? ')' : ']'}`))}\n  return a${count}\n}`;
  },
  (random) => {
    const count = depth(random);
    return `fn f0(x: f32): f32 = sin(x)\n${Array.from({ length: count }, (_, at) => `fn f${at + 1}(x: f32): f32 = ${random.pick([`f${at}(f${at}(x))`, `f${at}(x) + f${at}(x + 1)`, `f${at}(x) * f${at}(x)`])}`).join('\n')}\nexport fn f(x: f32): f32 = f${count}(x)`;
  },
  (random) => {
    const count = random.pick([2, 5, 10, 16, 25, 40, 100]);
    return `export fn f(x: f32): f32 {\n  let d0 = ${random.pick(['sin(x)', 'exp(x) * x', 'x ** 3', 'tanh(x)', 'x / (1 + x * x)'])}\n${doubling(count, (at) => `let d${at + 1} = ${random.pick([`grad(d${at}, x)`, `grad(d${at}, x)`, `jvp(d${at}, x, 1.0)`])}`)}\n  return d${count}\n}`;
  },
  (random) => `fn d(f: fn): fn = x => grad(f(x), x)\nexport fn g(x: f32): f32 = ${'d('.repeat(depth(random))}sin${')'.repeat(3)}(x)`,
  (random) =>
    `export fn f<B>(x: f32[B]) = x[${random.pick(['', '-'])}${large(random)}:${random.pick(['', large(random)])}:${random.pick(['', '-', ''])}${large(random)}]`,
  (random) => `export fn f<B>(x: f32[B]) = x[::${random.pick(['-', ''])}${large(random)}]`,
  (random) =>
    `export fn f(x: f32) = ${random.pick(['stack', 'addN', 'concat'])}([x * f32(i) for i in 0..${large(random)}]${random.pick(['', ', axis: 0'])})`,
  (random) => `export fn f(x: f32) = fold i in 0..${large(random)} with z = x { z * 0.5${random.pick(['', ' + f32(i)'])} }`,
  (random) =>
    `export fn f(x: f32) {\n  let (last, all) = scan i in 0..${large(random)} with z = x { yield (z * 0.5, z) }\n  return grad(sum(all), x)\n}`,
  (random) =>
    `export fn f(x: f32[${Array.from({ length: random.pick([2, 8, 33, 64, 65, 1000, 100_000]) }, () => random.pick(['1', '2', 'N'])).join(', ')}]) = x * 2`.replace(
      'fn f(',
      'fn f<N>(',
    ),
  (random) =>
    `export fn f(x: f32[${large(random)}, ${large(random)}], y: f32[${large(random)}]) = ${random.pick(['sum(x)', 'x @ y', 'x * 2', 'reshape(x, [-1])', 'softmax(x)', 'transpose(x)'])}`,
  (random) =>
    `export fn f<N>(x: f32[N]) = ${random.pick(['sum', 'softmax', ''])}(${[0, 1, 2, 3]
      .slice(0, 2 + random.int(3))
      .map((axis, _, axes) => `reshape(x, [${axes.map((other) => (other === axis ? 'N' : '1')).join(', ')}])`)
      .join(' * ')})`,
  (random) =>
    `export fn f(x: f32): f32 {\n  let h0 = x\n${doubling(random.pick([50, 500, 700, 3000, 10_000]), (at) => `let h${at + 1} = sin(h${at}) * 1.01`)}\n  return ${random.pick(['h50', 'grad(h50, x)', 'h40 + h49'])}\n}`,
  (random) =>
    `export fn f(x: f32): f32 = ${Array.from({ length: random.pick([100, 490, 1000, 5000]) }, () => 'x').join(random.pick([' + ', ' * ', ' - ', ' ** ']))}`,
  (random) =>
    `dim A = ${large(random)}\ndim B = A * A * A\nexport fn f(x: f32[${random.pick(['B', 'A * B', 'B - B + 1', 'A / 3', 'B % A'])}]) = sum(x)`,
  (random) =>
    `param w: f32[${large(random)}, ${random.pick(['1', '2', large(random)])}] = ${random.pick(['zeros()', 'uniform(-1, 1)', '0'])}\nexport step s(x: f32): f32 {\n  w <- w * x\n  return sum(w)\n}`,
  (random) =>
    `model M<N> {\n  param w: f32[N] = zeros()\n}\nmodel P0 { a = M<2>() }\n${Array.from({ length: depth(random) }, (_, at) => `model P${at + 1} {\n  a = P${at}()\n  b = P${at}()\n}`).join('\n')}\nnet = P${random.pick([2, 5, 12, 20])}()\nexport fn f(x: f32): f32 = x`,
  (random) => `export fn f<N>(x: f32[N]) = ${random.pick(['pad', 'x => x'])}(x, ${large(random)}, ${large(random)})`,
  (random) =>
    `export fn f(x: f32) = ${random.pick(['iota', 'broadcastTo', 'full'])}(${random.pick(['[', 'x, ['])}${large(random)}, ${large(random)}]${random.pick([')', ', axis: 1)', ', axis: 0)'])}`,
  (random) =>
    Array.from({ length: random.pick([10, 300, 3000]) }, (_, at) =>
      random.pick([
        `export fn f${at}(x: f32) = x + ${at}`,
        `param w${at}: f32[2] = 0`,
        `const c${at} = ${at === 0 ? '1' : `c${at - 1} + c${at - 1}`}`,
      ]),
    ).join('\n'),
  (random) => {
    const made = random.pick(Object.values(copies))(random.pick([2, 7, 20, 40]));
    return typeof made === 'string' ? made : made.main;
  },
];

export const exploding = (random: Random): string => random.pick(kinds)(random);
