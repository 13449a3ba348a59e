// Kinds of files that readers take. In: nothing. Out: the form of one. Holds: what a file is written from is random; what is plainly valid
// is said without the reader under test.

import type { Random } from './random.js';
import type { Verdict } from './target.js';

/** One kind of file. */
export interface Kind {
  /** A valid file. */
  write(random: Random): Uint8Array;
  /** Throws what the reader throws. */
  check(path: string, bytes: Uint8Array): Verdict | Promise<Verdict>;
  /** Whether a file that the reader refused is plainly valid. */
  valid?(bytes: Uint8Array): boolean;
}
