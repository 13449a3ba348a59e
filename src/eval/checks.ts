// Checks of a program that do not hold. In: what the interpreter found, or what an entry's outputs say. Out: the mistake that is told.
// Holds: of several the one that stands first in the text; of one place the first that was found.

import { DiagnosticsError, type DiagnosticCode, diagnosticCodes } from '../base/index.js';
import type { Entry } from '../graph/index.js';
import type { CheckFailure, TensorValue } from '../ops/index.js';

const before = (a: CheckFailure, b: CheckFailure): boolean =>
  a.source === b.source ? a.start < b.start || (a.start === b.start && a.end < b.end) : a.source < b.source;

/** Throws a DiagnosticsError if there are any. */
export function refuse(failures: readonly CheckFailure[]): void {
  const [one, ...others] = failures;
  if (one === undefined) return;
  const { code, source, start, end, said, size, length } = others.reduce((first, other) => (before(other, first) ? other : first), one);
  if (!(code in diagnosticCodes)) throw new TypeError(`no diagnostic is called ${code}`);
  throw new DiagnosticsError([
    { code: code as DiagnosticCode, message: `${said} of ${size}${length === 1 ? '' : ` for ${length}`}`, span: { source, start, end } },
  ]);
}

/** The same for what an entry says after the pass `checks`. */
export function refuseOutputs({ checks }: Entry, outputs: readonly TensorValue[], dims: ReadonlyMap<string, number>): void {
  if (checks === undefined) return;
  const place = checks.places[Number(outputs[checks.status]?.data[0] ?? 0) - 1];
  if (place === undefined) return;
  const [size, length] = [place.size.evaluate(dims) ?? NaN, place.length.evaluate(dims) ?? NaN];
  refuse([{ ...place, size, length, said: Number(outputs[checks.said]?.data[0]) }]);
}
