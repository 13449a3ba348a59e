// Every program of test/programs through the API: parsed, checked, compiled, run. The expected values were computed outside of tfc.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compile, type FeedValue, type Module, TfcError, toJson } from '../../src/driver/index.js';

interface Case {
  readonly program: string;
  readonly entry: string;
  readonly feeds: Readonly<Record<string, FeedValue>>;
  readonly expect?: readonly unknown[];
  readonly rtol?: number;
  readonly error?: string;
}

const directory = join(import.meta.dirname, '..', 'programs');
const { cases } = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8')) as { readonly cases: readonly Case[] };

const modules = new Map<string, Promise<Module>>();
function moduleOf(program: string): Promise<Module> {
  let module = modules.get(program);
  if (module === undefined) modules.set(program, (module = compile(join(directory, program))));
  return module;
}
afterAll(async () => {
  for (const module of modules.values()) (await module).close();
});

/** Same structure, and numbers within a relative tolerance. */
export function expectClose(actual: unknown, expected: unknown, rtol: number, path = 'result'): void {
  if (typeof expected === 'number') {
    expect(typeof actual, path).toBe('number');
    if (rtol === 0) expect(actual, path).toBe(expected);
    else
      expect(Math.abs((actual as number) - expected), `${path}: ${String(actual)} against ${expected}`).toBeLessThanOrEqual(
        rtol * Math.abs(expected),
      );
  } else if (Array.isArray(expected)) {
    expect(Array.isArray(actual), path).toBe(true);
    expect((actual as unknown[]).length, path).toBe(expected.length);
    for (const [at, one] of expected.entries()) expectClose((actual as unknown[])[at], one, rtol, `${path}[${at}]`);
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object).sort(), path).toEqual(Object.keys(expected).sort());
    for (const [name, one] of Object.entries(expected))
      expectClose((actual as Record<string, unknown>)[name], one, rtol, `${path}.${name}`);
  } else {
    expect(actual, path).toEqual(expected);
  }
}

describe('programs', () => {
  for (const { program, entry, feeds, expect: values, rtol = 0, error } of cases) {
    it(`${program} ${entry} ${JSON.stringify(feeds).slice(0, 60)}`, async () => {
      const module = await moduleOf(program);
      for (const threads of [1, 2]) {
        using session = module.session({ threads });
        if (error !== undefined) {
          let caught: unknown;
          try {
            session.run(entry, feeds);
          } catch (thrown) {
            caught = thrown;
          }
          expect(caught).toBeInstanceOf(TfcError);
          expect((caught as TfcError).code).toBe(error);
          continue;
        }
        for (const [step, value] of (values ?? []).entries()) expectClose(toJson(session.run(entry, feeds)), value, rtol, `step ${step}`);
      }
    });
  }
});
