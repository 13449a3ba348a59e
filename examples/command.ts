// What examples share on the command line. In: an example's body. Out: what it says on standard output; mistakes as one line on standard
// error, and exit code 1.

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'commander';
import { TfcError } from '@tdsl/tfc';

/** Whether Node was started with this module: importing an example, as tests do, must not run it. */
export const isMain = (url: string): boolean => process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);

/** Prints the text that `body` returns, if it does. */
export async function report(body: () => Promise<unknown>): Promise<void> {
  try {
    const said = await body();
    if (typeof said === 'string') process.stdout.write(`${said}\n`);
  } catch (error) {
    if (!(error instanceof TfcError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** For options that take a whole number of at least 1. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It takes a whole number of at least 1.');
  return value;
}
