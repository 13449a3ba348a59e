// Checks that failed when an entry ran. In: the entry, what it said, sizes. Out: an error that names the line, the number and the size.
// Holds: nothing was written when there is one.
import type { CheckPlace, EntrySpec } from './abi/manifest.js';
import { type RuntimeCode, TfcError } from './error.js';
import { type Sizes, evaluate } from './size.js';

/** What entries check, by the error's code. */
const sentences = {
  'index-out-of-range': ({ length }: Numbers, said: number | bigint, size: string): string =>
    length === 1 ? `takes element ${said} of an axis of ${size}` : `takes ${length} elements from ${said} on of an axis of ${size}`,
} satisfies Partial<Record<RuntimeCode, (numbers: Numbers, said: number | bigint, size: string) => string>>;

interface Numbers {
  readonly length: number;
}

type CheckCode = keyof typeof sentences;

export const isCheckCode = (code: unknown): code is CheckCode => typeof code === 'string' && Object.hasOwn(sentences, code);

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
  const last = size - length;
  const sentence = sentences[place.code]({ length }, said, String(size));
  const valid = last < 0 ? '' : `Indices from 0 to ${last} are valid.`;
  const kept = writes.length === 0 ? '' : 'Variables are what they were before this step.';
  const hint = [valid, kept].filter((text) => text !== '').join(' ');
  return new TfcError(place.code, `${name}: \`${place.text}\` at ${place.at} ${sentence}.`, {
    actual: String(said),
    ...(last < 0 ? {} : { expected: `0 to ${last}` }),
    ...(hint === '' ? {} : { hint }),
  });
}
