// What all commands share. In: what a command does. Out: its exit code, and errors in the form that was asked for.
// Holds: exit 0: done; 1: the input was wrong, or we failed; 2: wrong usage. Results go to standard output, everything else to standard
// error; with --json errors are results.

import type { Texts } from '../../../grammar/places.js';
import { TfcError } from '../../../runtime/index.js';
import { reasonOf } from '../../../runtime/system-error.js';
import { type Diagnostic, printableLines } from '../../base/index.js';
import { reportHint, toInternal } from '../api/failures.js';
import { type JsonError, jsonFailure, mistakesOf, toJson } from '../mistakes.js';
import { UsageError } from './options.js';

export interface Invocation {
  readonly json: boolean;
  /** Texts that the command has read, for code frames. */
  readonly texts: Texts;
}

/**
 * Everything that a command prints goes through here, JSON included: what programs and files contain neither steers a terminal nor hides.
 */
export const print = (text: string): void => void process.stdout.write(`${printableLines(text)}\n`);
export const printError = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`);

/** Diagnostics with code frames, on standard error. */
export async function printDiagnostics(diagnostics: readonly Diagnostic[], texts: Texts): Promise<void> {
  if (diagnostics.length === 0) return;
  // Loaded here because most commands succeed.
  const { render } = await import('../report/render.js');
  const color = process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined;
  process.stderr.write(`${diagnostics.map((one) => render(one, texts, color)).join('\n\n')}\n`);
}

export const warn = (message: string): void => printError(`warning: ${message}`);

/** Whether somebody is at a terminal, and shall be shown how far we are. */
export const isWatched = (json: boolean | undefined): boolean => json !== true && process.stderr.isTTY === true;

/** Whether what is printed still arrives somewhere; if not, the process ends as soon as it rests. */
export const isRead = (): boolean => process.stdout.errored === null;

/**
 * For what nobody can catch: a standard output that takes nothing more, a rejection that nobody waits for. Errors end in the same form as
 * all others. `json`: on standard error where standard output is what failed.
 */
export function guardProcess(json: boolean): void {
  if (process.listenerCount('uncaughtException') > 0) return;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe went away (`tfc … | head`): nothing is left to say.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    const failure: JsonError = { code: 'file-not-written', message: `standard output: ${reasonOf(error)}` };
    printError(json ? JSON.stringify({ error: failure }) : `error[${failure.code}]: ${failure.message}`);
    process.exit(1);
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
  process.on('uncaughtException', (error) => {
    printInternal(error, json);
    process.exit(1);
  });
}

/** Runs a command's body and sets the exit code; `texts` is for what the body reads. */
export async function perform(json: boolean | undefined, body: (texts: Map<string, string>) => Promise<void> | void): Promise<void> {
  const texts = new Map<string, string>();
  try {
    await body(texts);
  } catch (error) {
    process.exitCode = await fail(error, { json: json === true, texts });
  }
}

export async function fail(error: unknown, { json, texts }: Invocation): Promise<number> {
  if (error instanceof UsageError) {
    const { message, hint } = error;
    if (json) print(JSON.stringify({ error: { code: 'usage', message, ...(hint === undefined ? {} : { hint }) } }));
    else printError(`error: ${message}${hint === undefined ? '' : ` (${hint})`}`);
    return 2;
  }
  const mistakes = mistakesOf(error);
  if (mistakes !== undefined) {
    const all = new Map([...texts, ...textsOf(error)]);
    if (json) print(JSON.stringify(jsonFailure(mistakes.map((one) => toJson(one, all)))));
    else await printDiagnostics(mistakes, all);
    return 1;
  }
  printInternal(error, json);
  return 1;
}

function printInternal(error: unknown, json: boolean): void {
  // An error of the API has the pass in its message.
  const { message } = error instanceof TfcError ? error : toInternal(error);
  if (json) print(JSON.stringify({ error: { code: 'internal-error', message, hint: reportHint } }));
  else printError(`${message}\n${reportHint}`);
}

/** Sources that came back from another process with its diagnostics. */
const textsOf = (error: unknown): Texts =>
  error instanceof Error && 'texts' in error && error.texts instanceof Map ? (error.texts as Texts) : new Map();
