// Memory that is not there. In: sizes that ask for more than the system has left. Out: an error at once, before anything is computed.
import { freemem, totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { TfcError } from '../../runtime/index.js';
import { loadNative, translating } from '../../runtime/native.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const native = loadNative();
const path = compileFixture(scratch(), 'room');
const sum = 3; // works in eight bytes per element

test('what an arena will take is not there for results, and more than there is is refused', () => {
  const { handle } = native.openModule(path);
  const session = native.createSession(1, -1, Float64Array.of(1, 8, 8, 1, 4, 4));
  const step = native.createStep(session, handle, sum, Int32Array.of(1, 1, 1), Int32Array.of(0), Int32Array.of(1));
  const before = native.room(step);
  // Swap, which counts as well, is seldom larger than memory.
  expect(before).toBeGreaterThan(Math.min(freemem(), process.constrainedMemory() || Infinity) / 8);
  expect(before).toBeLessThan(8 * totalmem());

  const half = Math.floor(before / 2);
  native.sizeStep(step, Float64Array.of(half / 8));
  expect(native.room(step)).toBeLessThan(before - half / 2);

  const tooMuch = thrown(() => translating(() => native.sizeStep(step, Float64Array.of(totalmem()))));
  expect(tooMuch).toMatchObject({ code: 'out-of-memory', message: expect.stringContaining(String(8 * totalmem())) as string });
  expect(native.room(step)).toBeGreaterThan(before - half / 2);

  const total = new Float64Array(1);
  native.bindFeed(step, 0, new Float64Array(1000).fill(0.5));
  native.bindOutput(step, 0, total);
  native.sizeStep(step, Float64Array.of(1000));
  expect(native.run(step)).toBe(0);
  expect(total[0]).toBe(500);
  for (const one of [step, session, handle]) native.close(one);
});

test('large arrays come from what is left', () => {
  for (const bytes of [2 * totalmem(), 2 ** 45]) {
    const error = thrown(() => translating(() => native.buffer(bytes)));
    expect(error).toBeInstanceOf(TfcError);
    expect(error).toMatchObject({ code: 'out-of-memory' });
  }
});
