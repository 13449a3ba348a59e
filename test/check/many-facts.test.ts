// Facts in great number. In: short programs that ask for many. Out: an answer by what is counted, not by what it takes.
import { expect, test } from 'vitest';
import { check } from './support.js';

const taken = (text: string): { readonly codes: readonly string[]; readonly seconds: number } => {
  const before = process.cpuUsage();
  const { diagnostics } = check(text);
  const { user, system } = process.cpuUsage(before);
  return { codes: diagnostics.map(({ code }) => code), seconds: (user + system) / 1e6 };
};

test('slices of a free axis in a comprehension are refused, or known, before they take long', () => {
  taken('export fn f(x: f32) = x\n');
  expect(taken('export fn f<N>(x: f32[N]) = addN([sum(x[0:k]) for k in 0..200])\n').codes).toEqual([]);
  for (const program of [
    'export fn f<N>(x: f32[N]) = addN([sum(x[0:k]) for k in 0..5000])\n',
    'export fn f<N, M>(x: f32[N, M]) = addN([sum(x[k:N - k, 3 * k : M]) for k in 0..3000])\n',
  ]) {
    const { codes, seconds } = taken(program);
    expect(codes).toEqual(['too-large']);
    // It took 26 and 40.
    expect(seconds).toBeLessThan(8);
  }
});

test('as many facts as a file of 10 KB has', () => {
  const facts = Array.from({ length: 400 }, (_, at) => `N * ${at + 1} < M * ${at + 2}`).join(', ');
  expect(taken(`export fn f<N, M>(x: f32[N, M]): f32 where ${facts} = sum(x)\n`).codes).toEqual([]);
});

test('what follows from several facts is found still', () => {
  const text = (facts: string, body: string): readonly string[] =>
    taken(`export fn f<N, M, K>(x: f32[N, M, K]) where ${facts} = ${body}\n`).codes;
  expect(text('N >= M, M >= K, K >= 3, N >= 10', 'x[0:3]')).toEqual([]);
  expect(text('N >= 5, N < 3', 'x')).toEqual(['unsatisfied-fact']);
  expect(text('N > M, M > K, K > N', 'x')).toEqual(['unsatisfied-fact']);
});
