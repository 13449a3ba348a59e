// Loops that do not end within their limit. In: entries with such loops, inside of one another and of branches. Out: `loop-limit` with the
// line, in values and derivatives, the same for any number of threads; variables as they were; nothing for loops that are not run.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSync, type Feeds, type Session, tensor, TfcError } from '../../src/driver/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const text = `state calls: i32 = 0

fn root(a: f64): f64 =
  while abs(z * z - a) > 1e-10 with z = a limit 5 { 0.5 * (z + a / z) }

export step counted(a: f64): f64 {
  calls <- calls + 1
  return root(a)
}
export fn slope(a: f64): f64 {
  let z = root(a)
  return grad(z, a)
}
export fn along(a: f64): f64 {
  let z = root(a)
  return jvp(z, a, 1.0)
}
export fn second(a: f64): i32 {
  let (z, n) = while z < a with (z, n) = (a * 0.0 + 1.0, 0) limit 4 { (z * 2.0, n + 1) }
  return n
}
export fn inner(x: f64[3], n: i32): f64[3] = fold i in 0..n with z = x {
  if sum(z) > 2.0 then (while sum(y) > 1.0 with y = z limit 3 { y * 0.9 }) else z * 2.0
}
export fn untaken<N>(x: f64[N], i: i32): f64 = if i < 3 then (fold j in 0..i with z = x[i] { z + x[j] }) else 0.0
export fn walked(next: i32[4], from: i32): i32 = while next[at] != at with at = from limit 9 { next[at] }
`;
const module = compileSync(join(place.directory, place.file('limits.tdsl', text)));

/** The error's code and message, without the directory. */
function refusal(session: Session, entry: string, feeds: Feeds): readonly string[] | undefined {
  try {
    session.run(entry, feeds);
    return undefined;
  } catch (error) {
    if (!(error instanceof TfcError)) throw error;
    return [error.code, error.message.replaceAll(`${place.directory}/`, '')];
  }
}

describe.each([1, 3])('with %i threads', (threads) => {
  const session = module.session({ threads });

  it('a limit that is reached ends the step, which changes nothing', () => {
    expect(refusal(session, 'counted', { a: 2 })).toBeUndefined();
    expect(refusal(session, 'counted', { a: 200 })).toEqual([
      'loop-limit',
      'counted: `abs(z * z - a) > 1e-10` at limits.tdsl:4:9 still holds after 5 rounds, the limit of its loop.',
    ]);
    expect(session.get('calls')).toBe(1);
  });

  it('derivatives and every part of the carry ask for the end', () => {
    for (const entry of ['slope', 'along']) {
      expect(refusal(session, entry, { a: 2 })).toBeUndefined();
      expect(refusal(session, entry, { a: 200 })?.[0]).toBe('loop-limit');
    }
    // Exactly as many rounds as the limit are no failure.
    expect(session.run('second', { a: 16 })).toBe(4);
    expect(refusal(session, 'second', { a: 17 })?.[0]).toBe('loop-limit');
  });

  it('loops in branches of loops are asked where they run', () => {
    const x = tensor(Float64Array.of(0.1, 0.2, 0.3), [3]);
    expect(refusal(session, 'inner', { x, n: 2 })).toBeUndefined();
    expect(refusal(session, 'inner', { x, n: 9 })?.[1]).toContain('`sum(y) > 1.0` at limits.tdsl:23:31 still holds after 3 rounds');
  });

  it('what a side takes that is not run, and what a condition takes, is checked where it is taken', () => {
    const x = tensor(Float64Array.of(0.1, 0.2, 0.3), [3]);
    expect(session.run('untaken', { x, i: 7 })).toBe(0);
    expect(session.run('untaken', { x, i: 2 })).toBeCloseTo(0.6, 12);
    expect(refusal(session, 'untaken', { x, i: -1 })?.[0]).toBe('index-out-of-range');
    const next = (...of: number[]) => tensor(Int32Array.from(of), [4]);
    expect(session.run('walked', { next: next(2, 1, 3, 3), from: 0 })).toBe(3);
    expect(refusal(session, 'walked', { next: next(2, 1, 9, 3), from: 0 })?.[1]).toContain('takes element 9 of an axis of 4');
    expect(refusal(session, 'walked', { next: next(1, 0, 2, 3), from: 0 })?.[0]).toBe('loop-limit');
  });
});
