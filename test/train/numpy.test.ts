// Files that NumPy wrote. In: those that test/data/numpy/make.py made. Out: their arrays by name. Holds: every dtype and order has the
// values that Python gave it, stored and deflated, in memory and read from the file.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ElementType } from '../../runtime/index.js';
import { f16ToNumber } from '../../runtime/half.js';
import { openDataset } from '../../src/train/data/open-dataset.js';
import { entryOf } from './entry.js';
import { elementsOf } from './support.js';

const made = (name: string): string => join(import.meta.dirname, '..', 'data', 'numpy', name);
const numbers = Array.from({ length: 12 }, (_, at) => at);

/** As make.py has them. */
const arrays: Readonly<Record<string, readonly [dtype: ElementType, rowLength: number, elements: readonly (number | bigint)[]]>> = {
  half: ['f16', 2, numbers.map((one) => one / 8)],
  single: ['f32', 2, numbers.map((one) => Math.fround(one / 7))],
  double: ['f64', 2, numbers.map((one) => one / 7)],
  short: ['i32', 0, numbers.slice(0, 6).map((one) => one - 3)],
  long: ['i64', 0, numbers.slice(0, 6).map((one) => BigInt(one) + 2n ** 60n)],
  byte: ['u8', 0, numbers.slice(0, 6).map((one) => one * 40)],
  flag: ['bool', 0, [1, 0, 1, 0, 1, 0]],
  fortran: ['f32', 2, numbers],
};

it.each(
  ['stored.npz', 'deflated.npz'].flatMap((name) =>
    Object.keys(arrays).flatMap((array) => [2 ** 20, 0].map((memory) => [name, array, memory] as const)),
  ),
)('%s has %s, with %d bytes of memory', async (name, array, memory) => {
  const [dtype, rowLength, wanted] = arrays[array] as NonNullable<(typeof arrays)[string]>;
  const entry = entryOf({ [array]: rowLength === 0 ? [dtype] : [dtype, rowLength] });
  const opened = openDataset(made(name), entry, { memory });
  // Rows of an array in Fortran order are not together.
  if (array === 'fortran' && memory === 0) return expect(opened).rejects.toThrow('an array in Fortran order cannot be read row by row');
  const dataset = await opened;
  expect(dataset.rows).toBe(6);
  const elements = await elementsOf(dataset, array);
  expect(dtype === 'f16' ? elements.map((bits) => f16ToNumber(Number(bits))) : elements).toEqual(wanted);
  dataset.close?.();
});

it('single.npy is the array of its only feed', async () => {
  const dataset = await openDataset(made('single.npy'), entryOf({ x: ['f32', 2] }));
  expect(await elementsOf(dataset, 'x')).toEqual(arrays['single']?.[2]);
});
