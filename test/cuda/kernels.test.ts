// Whole kernels on the emulated device against plain computation. In: kernels.ts. Out: results that JavaScript computes by itself.
// Holds: whatever order the seed gives to warps and blocks, the result is the same.

import { describe, expect, test } from 'vitest';
import { numberToBf16, roundToBF16 } from '../../runtime/half.js';
import { launch } from './emulator.js';
import * as kernels from './kernels.js';

const seeds = [1, 2, 3];
const counting = (count: number, from = 0): Float32Array => Float32Array.from({ length: count }, (_, i) => from + i);

/** Runs a sound kernel; what the driver says must be success. */
function sound<B extends Parameters<typeof launch>[0]['buffers']>(what: Parameters<typeof launch<B>>[0]): B {
  const { status, fault, buffers } = launch(what);
  expect(fault).toBe('');
  expect(status).toBe(0);
  return buffers;
}

describe.each(seeds)('seed %i', (seed) => {
  const settings = { seed };

  test('rows are summed through shuffles and shared memory', () => {
    const from = Float32Array.from({ length: 3 * 256 }, (_, i) => Math.fround(Math.sin(i)));
    const buffers = { from, to: new Float32Array(3) };
    const { to } = sound({ ptx: kernels.sumRows, kernel: 'sumRows', grid: 3, block: 256, buffers, args: ['from', 'to'], settings });
    // Within warps as a butterfly adds, then the warps one after the other.
    const warp = (values: number[], step = 16): number =>
      step === 0
        ? values[0]!
        : warp(
            values.map((x, i) => Math.fround(x + values[i ^ step]!)),
            step >> 1,
          );
    const expected = [0, 1, 2].map((row) => {
      const warps = Array.from({ length: 8 }, (_, w) => warp([...from.subarray(row * 256 + w * 32, row * 256 + w * 32 + 32)]));
      return warps.reduce((sum, x) => Math.fround(sum + x), 0);
    });
    expect([...to]).toEqual(expected);
  });

  test('squares are transposed', () => {
    const buffers = { from: counting(512), to: new Float32Array(512) };
    const { to } = sound({ ptx: kernels.transposeTwice, kernel: 'transposeTwice', block: 256, buffers, args: ['from', 'to'], settings });
    expect([...to]).toEqual([0, 256].flatMap((first) => Array.from({ length: 256 }, (_, i) => first + (i % 16) * 16 + (i >> 4))));
  });

  test('lanes leave a loop one by one and meet behind it', () => {
    const from = Uint32Array.from({ length: 64 }, (_, i) => i + 1);
    const { to } = sound({
      ptx: kernels.collatz,
      kernel: 'collatz',
      block: 64,
      buffers: { from, to: new Uint32Array(128) },
      args: ['from', 'to'],
      settings,
    });
    const steps = (n: number): number => (n <= 1 ? 0 : 1 + steps(n % 2 === 0 ? n / 2 : 3 * n + 1));
    expect([...to]).toEqual([...from].flatMap((n) => [steps(n), 0xffffffff]));
  });

  test('the last block sums what all have written', () => {
    const from = Float32Array.from({ length: 320 }, (_, i) => Math.fround(Math.cos(i)));
    const buffers = { from, parts: new Float32Array(320), to: new Float32Array(1) };
    const { to } = sound({
      ...{ ptx: kernels.sumByLastBlock, kernel: 'sumByLastBlock', grid: 5, block: 64, buffers, args: ['from', 'parts', 'to'], settings },
    });
    expect(to[0]).toBe(from.reduce((sum, x) => Math.fround(sum + x), 0));
  });

  test('a histogram by atomics', () => {
    const from = Uint32Array.from({ length: 512 }, (_, i) => (i * i) % 16);
    const { to } = sound({
      ...{ ptx: kernels.histogram, kernel: 'histogram', grid: 4, block: 128, settings },
      ...{ buffers: { from, to: new Uint32Array(16) }, args: ['from', 'to'] },
    });
    expect([...to]).toEqual(Array.from({ length: 16 }, (_, v) => from.filter((x) => x === v).length));
  });

  test('copies run while the ones before are read', () => {
    const buffers = { from: counting(512), to: new Float32Array(128) };
    const { to } = sound({ ptx: kernels.pipeline, kernel: 'pipeline', block: 128, buffers, args: ['from', 'to'], settings });
    expect([...to]).toEqual(Array.from({ length: 128 }, (_, i) => [0, 1, 2, 3].reduce((sum, k) => sum + k * 128 + 127 - i, 0)));
  });

  test('a product of bf16 through ldmatrix', () => {
    const a = Array.from({ length: 256 }, (_, i) => roundToBF16(Math.sin(i)));
    const b = Array.from({ length: 128 }, (_, i) => roundToBF16(Math.cos(3 * i)));
    const buffers = { left: Uint16Array.from(a, numberToBf16), right: Uint16Array.from(b, numberToBf16), to: new Float32Array(128) };
    const { to } = sound({ ptx: kernels.productBf16, kernel: 'productBf16', buffers, args: ['left', 'right', 'to'], settings });
    const element = (i: number): number =>
      a.slice((i >> 3) * 16, (i >> 3) * 16 + 16).reduce((sum, x, k) => sum + x * b[k * 8 + (i & 7)]!, 0);
    expect([...to]).toEqual(Array.from({ length: 128 }, (_, i) => Math.fround(1 + element(i))));
  });

  test('a product of tf32, whose lower bits are not seen', () => {
    const left = Float32Array.from({ length: 128 }, (_, i) => Math.fround(1 + i / 64 + 2 ** -20));
    const right = Float32Array.from({ length: 64 }, (_, i) => i - 30);
    const { to } = sound({
      ...{ ptx: kernels.productTf32, kernel: 'productTf32', settings },
      ...{ buffers: { left, right, to: new Float32Array(128) }, args: ['left', 'right', 'to'] },
    });
    const cut = (x: number): number =>
      new Float32Array(Uint32Array.of(new Uint32Array(Float32Array.of(x).buffer)[0]! & ~0x1fff).buffer)[0]!;
    const element = (i: number): number =>
      Array.from({ length: 8 }, (_, k) => cut(left[(i >> 3) * 8 + k]!) * right[k * 8 + (i & 7)]!).reduce((sum, x) => sum + x, 0);
    expect([...to]).toEqual(Array.from({ length: 128 }, (_, i) => Math.fround(element(i))));
  });

  test.each([
    [0, 0],
    [8, 40],
    [20, -3],
  ])('a box at column %i, row %i by a tensor copy', (column, row) => {
    const buffers = { from: counting(24 * 64), to: new Float32Array(256) };
    // 24 columns and 64 rows of f32; a box of 8 by 32.
    const { to } = sound({
      ...{ ptx: kernels.tensorBox, kernel: 'tensorBox', block: 256, buffers, settings },
      before: ['tensor-map t from 7 0 2 24 64 96 8 32'],
      args: ['map:t', 'to', { u32: column }, { u32: row >>> 0 }],
    });
    const at = (x: number, y: number): number => (x < 24 && y >= 0 && y < 64 ? y * 24 + x : 0);
    expect([...to]).toEqual(Array.from({ length: 256 }, (_, i) => at(column + (i % 8), row + (i >> 3))));
  });

  test('a warp that writes and one that reads', () => {
    const { to } = sound({
      ptx: kernels.producer,
      kernel: 'producer',
      block: 64,
      buffers: { to: new Uint32Array(32) },
      args: ['to'],
      settings,
    });
    expect([...to]).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  test('lanes exchange through shared memory', () => {
    const { to } = sound({ ptx: kernels.exchange, kernel: 'exchange', buffers: { to: new Uint32Array(32) }, args: ['to'], settings });
    expect([...to]).toEqual(Array.from({ length: 32 }, (_, i) => i ^ 1));
  });

  test('a grid larger than the data', () => {
    const { data } = sound({
      ...{ ptx: kernels.double, kernel: 'double', grid: 4, block: 96 },
      ...{ buffers: { data: counting(300) }, args: ['data', { u32: 300 }], settings },
    });
    expect([...data]).toEqual(Array.from({ length: 300 }, (_, i) => 2 * i));
  });
});
