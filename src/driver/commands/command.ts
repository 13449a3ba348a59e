// What all commands share. In: what a command does. Out: its exit code, and errors in the form that was asked for.
// Holds: exit 0: done; 1: the input was wrong, or we failed; 2: wrong usage. Results go to standard output, everything else to standard error; with --json errors are results.

import { type Diagnostic, InternalError, printableLines } from '../../base/index.js';
import { jsonFailure, mistakesOf, type Texts, toJson } from '../mistakes.js';
import { UsageError } from './options.js';

export interface Invocation {
  readonly json: boolean;
  /** Texts that the command has read, for code frames. */
  readonly texts: Texts;
}

/** Everything that a command prints goes through here, JSON included: what programs and files contain neither steers a terminal nor hides. */
export const print = (text: string): void => void process.stdout.write(`${printableLines(text)}\n`);
export const printError = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`);

/** Diagnostics with code frames, on standard error. */
export async function printDiagnostics(diagnostics: readonly Diagnostic[], texts: Texts): Promise<void> {
  if (diagnostics.length === 0) return;
  // Loaded here because most commands succeed.
  const { render } = await import('../render.js');
  const color = process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined;
  process.stderr.write(`${diagnostics.map((one) => render(one, texts, color)).join('\n\n')}\n`);
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
    if (json) print(JSON.stringify({ error: { code: 'usage', message: error.message } }));
    else printError(`error: ${error.message}`);
    return 2;
  }
  const mistakes = mistakesOf(error);
  if (mistakes !== undefined) {
    const all = new Map([...texts, ...textsOf(error)]);
    if (json) print(JSON.stringify(jsonFailure(mistakes.map((one) => toJson(one, all)))));
    else await printDiagnostics(mistakes, all);
    return 1;
  }
  const message = error instanceof InternalError ? error.message : `internal error: ${error instanceof Error ? error.message : String(error)}`;
  if (json) print(JSON.stringify({ error: { code: 'internal-error', message } }));
  else printError(`${message}\nThis is a defect of tfc, not of your program. Please report it with the program that shows it.`);
  return 1;
}

/** Sources that came back from another process with its diagnostics. */
const textsOf = (error: unknown): Texts => (error instanceof Error && 'texts' in error && error.texts instanceof Map ? (error.texts as Texts) : new Map());
