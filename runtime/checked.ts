// Checks that failed when an entry ran. In: the entry, what it said, sizes. Out: an error that names the line, the number and the size.
// Holds: nothing was written when there is one.

import type { CheckPlace, EntrySpec } from './abi/manifest.js';
import { type RuntimeCode, TfcError } from './error.js';
import { type Sizes, evaluate } from './size.js';

interface Numbers {
  /** What the check says: an index, rounds. */
  readonly said: number | bigint;
  readonly size: number;
  readonly length: number;
}

interface Told {
  readonly sentence: string;
  /** Numbers that would have fitted. */
  readonly expected?: string;
  readonly hint?: string;
}

/** What entries check, by the error's code. */
const failures = {
  'index-out-of-range': ({ said, size, length }: Numbers): Told => {
    const sentence =
      length === 1 ? `takes element ${said} of an axis of ${size}` : `takes ${length} elements from ${said} on of an axis of ${size}`;
    const last = size - length;
    return last < 0 ? { sentence } : { sentence, expected: `0 to ${last}`, hint: `Indices from 0 to ${last} are valid.` };
  },
  'loop-limit': ({ size }: Numbers): Told => ({
    sentence: `still holds after ${size} rounds, the limit of its loop`,
    hint: 'A higher limit lets it go on; a loop that never ends has a condition that its numbers cannot fulfil.',
  }),
} satisfies Partial<Record<RuntimeCode, (numbers: Numbers) => Told>>;

type CheckCode = keyof typeof failures;

export const isCheckCode = (code: unknown): code is CheckCode => typeof code === 'string' && Object.hasOwn(failures, code);

/** The error for a status above 0, or undefined where the entry has no such check. */
export function failedCheck(
  { name, checks, writes }: EntrySpec,
  status: number,
  said: number | bigint,
  sizes: Sizes,
): TfcError | undefined {
  const place: CheckPlace | undefined = checks?.places[status - 1];
  if (place === undefined || !isCheckCode(place.code)) return undefined;
  const [size, length] = [evaluate(place.size, sizes) ?? NaN, evaluate(place.length, sizes) ?? NaN];
  const { sentence, expected, hint: valid } = failures[place.code]({ said, size, length });
  const kept = writes.length === 0 ? undefined : 'Variables are what they were before this step.';
  const hint = [valid, kept].filter((text) => text !== undefined).join(' ');
  return new TfcError(place.code, `${name}: \`${place.text}\` at ${place.at} ${sentence}.`, {
    actual: String(said),
    ...(expected === undefined ? {} : { expected }),
    ...(hint === '' ? {} : { hint }),
  });
}
