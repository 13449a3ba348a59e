// Facts that callees declare. In: functions with facts behind `where`, called with sizes that are free. Out: sizes that these facts make
// equal or divisible, and preconditions of the entry.

import { describe, expect, test } from 'vitest';
import { check, entryTexts, type Json, moduleOf, render, runEntry } from './support.js';

const halves = `fn halves<D>(x: f64[D]): f64[D / 2] where D % 2 == 0 {
  let first = x[: D / 2]
  return first + x[D / 2 :]
}
`;
const x = [1, 2, 3, 4];
const facts = (text: string): string[] =>
  moduleOf(text).module.entries.flatMap(({ facts: own, declared }) =>
    [...(declared?.facts ?? []), ...own].map(({ left, relation, right }) => `${left} ${relation} ${right}`),
  );
const run = (text: string, feeds: Readonly<Record<string, Json>>): Json => runEntry(text, 'f', feeds)[0] as Json;

describe('a callee that needs a multiple', () => {
  test('has one for a free size, and asks the caller of the entry', () => {
    const text = `${halves}export fn f<N>(x: f64[N]): f64[N / 2] = halves(x)`;
    expect(facts(text)).toContain('2 divides N');
    expect(entryTexts(moduleOf(text).module)).toEqual(['fn f(x: f64[2*N÷2]): f64[N÷2]']);
  });
  test('has one for products and sums of sizes', () => {
    expect(facts(`${halves}export fn f<N>(x: f64[3 * N]) = halves(x)`)).toContain('2 divides 3*N');
    expect(facts(`${halves}export fn f<N>(x: f64[N, 2]) = halves(reshape(x, [2 * N]))`)).toEqual([]);
    const text = `${halves}export fn f<N, M>(x: f64[N], y: f64[M]) = halves(concat([x, y], axis: 0))`;
    expect(facts(text)).toContain('2 divides M + N');
    expect(facts(`${halves}export fn f<N>(x: f64[N]) = halves(concat([x, f64(1) + x[:1]], axis: 0))`)).toContain('2 divides N + 1');
  });
  test('twice, of what is half already', () => {
    const text = `${halves}export fn f<N>(x: f64[N]) = halves(halves(x))`;
    expect(facts(text)).toEqual(expect.arrayContaining(['4 divides N']));
  });
  test('is refused where it cannot have one', () => {
    expect(render(check(`${halves}export fn f(x: f64[3]) = halves(x)`))).toContain('unsatisfied-fact');
  });
  test('in steps with optimizers, whose slots are made once', () => {
    const { module } = moduleOf(`import { adam } from "std/optim"
${halves}param w: f64[2] = 1
export step f<N>(x: f64[N]): f64 { let loss = sum(halves(x)) * sum(w)  minimize loss with adam(lr: 0.1)  return loss }`);
    expect(new Set(module.variables.map(({ path }) => path)).size).toBe(module.variables.length);
    expect(module.variables.map(({ path }) => path)).toContain('f/adam/w/m');
  });
});

test('a callee that needs equal sizes has them', () => {
  const sum = 'fn both<A, B>(x: f64[A], y: f64[B]): f64[A] where A == B = x + y\n';
  const text = `${sum}export fn f<N, M>(x: f64[N], y: f64[M]) = both(x, y)`;
  expect(facts(text)).toContain('N == M');
  expect(run(text, { x, y: x })).toEqual([2, 4, 6, 8]);
});

test('bounds that a callee declares are known in it', () => {
  const inner = 'fn inner<D>(x: f64[D]): f64[D - 2] where D >= 3 = x[1 : D - 1] * x[1]\n';
  expect(facts(`${inner}export fn f<N>(x: f64[N]) = inner(x)`)).toEqual(['N >= 3']);
});
