// Memory for feeds: where it lies, what it holds, and what becomes of it.
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { expect, test } from 'vitest';
import type { ElementType } from '../../runtime/abi/manifest.js';
import { elementTypes } from '../../runtime/element.js';
import { type Session, openModule, zeros } from '../../runtime/index.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const path = compileFixture(scratch(), 'zeros');
const open = (): Session => openModule(path).session({ threads: 1 });
const megabytes = 2 ** 20;

test('every element type has zeros of its own kind, with its shape', () => {
  for (const dtype of elementTypes) {
    const tensor = zeros([3, 5], dtype);
    expect([tensor.dtype, tensor.shape, tensor.data.length]).toEqual([dtype, [3, 5], 15]);
    expect([...tensor.data].every((element) => Number(element) === 0)).toBe(true);
  }
  expect(zeros([2])).toMatchObject({ dtype: 'f32', data: new Float32Array(2) });
  expect(zeros([]).data).toHaveLength(1);
  expect(zeros([0, 7]).data).toHaveLength(0);
});

test('tensors start at a multiple of 128 bytes, large ones where huge pages start', () => {
  using session = open();
  const placeOf = (bytes: number): number => session.run('place', { x: zeros([bytes], 'u8') }) as number;
  for (const bytes of [1, 100, 4096, 65_536, 1_000_000]) expect(placeOf(bytes) % 128).toBe(0);
  for (const bytes of [1.5 * megabytes, 2 * megabytes, 9 * megabytes]) expect(placeOf(bytes) % (2 * megabytes)).toBe(0);
});

test('a tensor is fed as it stands, again and again, also when only its elements change', () => {
  using session = open();
  const x = zeros([2, 3]);
  const scaled = (): unknown => (session.run('scale', { x, factor: 2 }) as { toArray(): unknown }).toArray();
  expect(scaled()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  x.data.set([1, 2, 3, 4, 5, 6]);
  expect(scaled()).toEqual([
    [2, 4, 6],
    [8, 10, 12],
  ]);
  expect(session.run('scale', { x: x.data, factor: 1 })).toMatchObject({ shape: [2, 3] });
  expect(scaled()).toEqual([
    [2, 4, 6],
    [8, 10, 12],
  ]);
});

test('the elements of one array in another shape are noticed', () => {
  using session = open();
  const { data } = zeros([6]);
  const square = { data, shape: [2, 3] };
  expect(session.run('scale', { x: square, factor: 1 })).toMatchObject({ shape: [2, 3] });
  expect(thrown(() => session.run('scale', { x: zeros([3, 2]), factor: 1 }))).toMatchObject({ code: 'shape-mismatch' });
});

test('handed over, the elements are with the receiver, and an array that is empty since is refused', () => {
  using session = open();
  const x = zeros([1000, 3]);
  x.data.fill(7);
  const fed = (): unknown => session.run('scale', { x, factor: 1 });
  fed();
  expect(structuredClone(x.data)).toEqual(x.data);
  const buffer = x.data.buffer as ArrayBuffer;
  const received = new Float32Array(structuredClone(buffer, { transfer: [buffer] }));
  expect(received).toEqual(new Float32Array(3000).fill(7));
  // Versions of Node that copy memory which they did not make leave the array as it was.
  if (x.data.length === 3000) expect(fed()).toMatchObject({ data: received });
  else expect(thrown(fed)).toMatchObject({ code: 'bad-data', feed: 'x' });
});

test('memory goes back to the system when nothing shows it any more', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const resident = (): number => 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = resident();
  for (let at = 0; at < 20; at += 1) {
    zeros([16 * megabytes], 'u8').data.fill(1);
    collect();
    await turn();
  }
  expect(resident() - before).toBeLessThan(160 * megabytes);
});

test('what is no shape and no element type is refused', () => {
  for (const shape of [[-1], [1.5], [2 ** 40, 2 ** 40]]) expect(thrown(() => zeros(shape))).toMatchObject({ code: 'bad-data' });
  expect(thrown(() => zeros([2], 'f23' as ElementType))).toMatchObject({ code: 'bad-data' });
  expect(thrown(() => zeros([2 ** 50], 'f64'))).toMatchObject({ code: 'out-of-memory' });
});
