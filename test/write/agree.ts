// What a written function must fulfil. In: nodes over feeds, what they are called. Out: differences between their values and those of the
// text, checked and evaluated anew. Holds: the text is in canonical form, and compiles without a warning.

import { parse, print } from '../../grammar/index.js';
import { evaluateEntry } from '../../src/eval/index.js';
import type { Entry } from '../../src/graph/index.js';
import type { TensorValue } from '../../src/ops/index.js';
import { differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { moduleOf } from '../check/support.js';

/** The one entry of a text, after looking at the text itself. */
export function entryOf(text: string): Entry {
  const { program, problems } = parse(text, 'written.tdsl');
  if (problems.length > 0) throw new Error(`${problems[0]?.message}\n${text}`);
  if (print(program) !== text) throw new Error(`not in canonical form:\n${text}`);
  const { module, result } = moduleOf(text);
  if (result.warnings.length > 0) throw new Error(`${result.warnings[0]?.message}\n${text}`);
  const { output } = Pipeline.of(differentiate).then(strip).run(module, { build: result.build });
  return output.entries[0] as Entry;
}

export const valuesOf = (
  entry: Entry,
  feeds: ReadonlyMap<string, TensorValue>,
  dims: ReadonlyMap<string, number> = new Map(),
): readonly TensorValue[] => evaluateEntry(entry, { feeds, dims }).outputs;

/** The first element that differs by more than a rounding or two of sums; undefined when none does. */
export function difference(actual: TensorValue, expected: TensorValue, tolerance = 1e-12): string | undefined {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join())
    return `${actual.dtype}[${actual.shape.join(', ')}] for ${expected.dtype}[${expected.shape.join(', ')}]`;
  const numbers = Array.from<number | bigint>(expected.data).map(Number);
  const largest = numbers.reduce((most, one) => (Number.isFinite(one) ? Math.max(most, Math.abs(one)) : most), 0);
  for (const [at, one] of numbers.entries()) {
    const other = Number(actual.data[at]);
    if (Object.is(one, other) || one === other) continue;
    if (!(Math.abs(one - other) <= tolerance * Math.max(Math.abs(one), 1e-3 * largest))) return `element ${at} is ${other} for ${one}`;
  }
  return undefined;
}
