// Smaller inputs that fail in the same way. In: an input, ways to cut it, a test. Out: the smallest input that was found. Holds: delta
// debugging (Zeller, Hildebrandt 2002): parts are left out, many at first, then fewer; it asks at most so many questions.

import type { Grain, Input } from './target.js';

export async function minimize(
  input: Input,
  grains: readonly Grain[],
  fails: (input: Input) => Promise<boolean>,
  questions = 300,
): Promise<Input> {
  let best = input;
  let left = questions;
  for (const grain of grains) {
    let parts: readonly Uint8Array[];
    try {
      parts = grain.split(best.bytes);
    } catch {
      continue;
    }
    for (let size = Math.ceil(parts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < parts.length;) {
        if (left-- <= 0) return best;
        const fewer = [...parts.slice(0, at), ...parts.slice(at + size)];
        const candidate = { extension: best.extension, bytes: grain.join(fewer) };
        if (await fails(candidate)) {
          parts = fewer;
          best = candidate;
        } else at += size;
      }
    }
  }
  return best;
}
