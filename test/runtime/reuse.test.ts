// Results that are reused, and results that are not: who may write where, and how long memory is held.
import { expect, test } from 'vitest';
import { type Tensor, openModule, toJson } from '../../runtime/index.js';
import { compileFixture, scratch } from './fixture.js';

const module = openModule(compileFixture(scratch(), 'reuse'));

test('a reused result is fed to the next run, in a loop, and two arrays are enough', () => {
  using session = module.session({ threads: 1 });
  const entry = session.entry('scale', { reuse: true });
  let state = entry.run({ x: [[1, 2, 3]], factor: 1 }) as Tensor<'f32'>;
  const buffers = new Set<unknown>();
  for (let step = 0; step < 20; step += 1) {
    const before = [...state.data];
    const next = entry.run({ x: state, factor: 2 }) as Tensor<'f32'>;
    expect(next.data.buffer).not.toBe(state.data.buffer);
    expect([...state.data]).toEqual(before);
    expect([...next.data]).toEqual(before.map((value) => 2 * value));
    state = next;
    buffers.add(state.data.buffer);
  }
  expect(buffers.size).toBe(2);
});

test('a part of it, a view of it, and steps over it', () => {
  using session = module.session({ threads: 1 });
  const entry = session.entry('scale', { reuse: true });
  const first = entry.run({
    x: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    factor: 1,
  }) as Tensor<'f32'>;
  expect(toJson(entry.run({ x: first.data.subarray(3), factor: 10 }))).toEqual([[40, 50, 60]]);
  expect([...first.data]).toEqual([1, 2, 3, 4, 5, 6]);
  const second = entry.run({ x: new Float32Array(first.data.buffer, 0, 6), factor: 2 }) as Tensor<'f32'>;
  expect([...second.data]).toEqual([2, 4, 6, 8, 10, 12]);
  const { last } = entry.runSteps({ x: second, factor: 2 }, { batch: { B: 1 } });
  expect(toJson(last)).toEqual([[16, 20, 24]]);
  expect([...second.data]).toEqual([2, 4, 6, 8, 10, 12]);
});

test('without anything of its own fed, it is the same memory every time', () => {
  using session = module.session({ threads: 1 });
  const entry = session.entry('scale', { reuse: true });
  const x = Float32Array.of(1, 2, 3);
  const results = [1, 2, 3].map((factor) => entry.run({ x, factor }) as Tensor);
  expect(new Set(results.map(({ data }) => data.buffer)).size).toBe(1);
});

test('results that are no longer used are collected while a loop goes on', () => {
  using session = module.session({ threads: 1 });
  const x = new Float32Array(400_002);
  const entry = session.entry('scale');
  const before = process.memoryUsage.rss();
  let most = 0;
  for (let call = 0; call < 1000; call += 1) {
    entry.run({ x, factor: 1 });
    if (call % 50 === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  // All of them together have 1.6 GB.
  expect(most - before).toBeLessThan(800 * 2 ** 20);
});
