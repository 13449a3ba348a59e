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
    const { message, hint } = error;
    process.stderr.write(`error: ${message}\n${hint === undefined || message.includes(hint) ? '' : `  hint: ${hint}\n`}`);
    process.exitCode = 1;
  }
}

/** For options that take a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It takes a number above 0.');
  return value;
}

/** Asks for an end, between two steps, at the first Ctrl-C; a second one ends the process at once. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    process.exitCode = interrupted;
    controller.abort();
  });
  return controller.signal;
}

/** As shells have it: 128 and the signal's number. */
const interrupted = 130;

/** For options that take a whole number of at least 1. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It takes a whole number of at least 1.');
  return value;
}
