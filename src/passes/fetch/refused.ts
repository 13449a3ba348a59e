// What is wrong with what a caller fetches and feeds. In: a code and sentences. Out: an error that the runtime throws on in its own words.
// Holds: the program is right, so there is no span; sentences are for people, without marks around names.

import type { DiagnosticCode } from '../../base/index.js';

type FetchCode = Extract<
  DiagnosticCode,
  'unknown-fetch' | 'ambiguous-name' | 'unknown-feed' | 'missing-feed' | 'ambiguous-size' | 'invalid-value'
>;

/** As plain data: it crosses from the compiling process to the caller. */
export interface Refusal {
  readonly code: FetchCode;
  readonly message: string;
  readonly hint?: string;
  /** Name of the feed in question. */
  readonly feed?: string;
}

export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.message}`);
    this.refusal = refusal;
  }
}

/** Nobody reads longer names. */
const longest = 80;

/** What a caller wrote, in a sentence. */
export const written = (name: string): string => (name.length > longest ? `${name.slice(0, longest)}…` : name);

/** `a`, `a and b`, `a, b and c`; of many, the first ones and how many there are beside. */
export function listed(names: readonly string[], most = 12): string {
  const shown = names.length <= most ? names.map(written) : [...names.slice(0, most - 1).map(written), `${names.length - most + 1} more`];
  const last = shown.at(-1) ?? 'none';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}
