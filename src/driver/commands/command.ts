// What all commands share. In: what a command does. Out: its exit code, and errors in the form that was asked for.
// Holds: exit 0: done; 1: the input was wrong, or we failed; 2: wrong usage. Results go to standard output, everything else to standard error.

import { InternalError } from '../../base/index.js';
import { CompileError } from '../index.js';
import { jsonFailure, mistakesOf, render, type Texts, toJson } from '../render.js';

/** Wrong usage that the argument parser cannot see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Invocation {
  readonly json: boolean;
  /** Texts that the command has read, for code frames. */
  readonly texts: Texts;
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printError = (text: string): void => void process.stderr.write(`${text}\n`);
export const useColor = (): boolean => process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined;

/** Runs a command's body and turns what it throws into output and an exit code. */
export async function perform(invocation: Invocation, body: () => Promise<void> | void): Promise<number> {
  try {
    await body();
    return 0;
  } catch (error) {
    return fail(error, invocation);
  }
}

function fail(error: unknown, { json, texts }: Invocation): number {
  if (error instanceof UsageError) {
    if (json) print(JSON.stringify({ error: { code: 'usage', message: error.message } }));
    else printError(`error: ${error.message}`);
    return 2;
  }
  const all: Texts = error instanceof CompileError ? new Map([...texts, ...error.texts]) : texts;
  const mistakes = mistakesOf(error);
  if (mistakes !== undefined) {
    if (json) print(JSON.stringify(jsonFailure(mistakes.map((one) => toJson(one, all)))));
    else printError(mistakes.map((one) => render(one, all, useColor())).join('\n\n'));
    return 1;
  }
  const message = error instanceof InternalError ? error.message : `internal error: ${error instanceof Error ? error.message : String(error)}`;
  if (json) print(JSON.stringify({ error: { code: 'internal-error', message } }));
  else printError(`${message}\nThis is a defect of tfc, not of your program. Please report it with the program that shows it.`);
  return 1;
}

/** `Name=4` pairs of `--set`. */
export function parseSet(pairs: readonly string[]): Record<string, number> {
  const set: Record<string, number> = {};
  for (const pair of pairs) {
    const match = /^([A-Za-z_]\w*)=(\d+)$/.exec(pair);
    if (match === null) throw new UsageError(`--set takes Name=N with a whole number, e.g. --set Hidden=512; got ${JSON.stringify(pair)}`);
    set[match[1] as string] = Number(match[2]);
  }
  return set;
}

/** A whole number of at least `least`. */
export function parseCount(text: string, option: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || text.trim() === '') throw new UsageError(`${option} takes a whole number of at least ${least}; got ${JSON.stringify(text)}`);
  return value;
}

/** Collects the values of an option that may be given several times. */
export const collect = (value: string, before: readonly string[]): string[] => [...before, value];
