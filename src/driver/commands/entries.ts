// Entries as commands name them. In: a manifest, a name or none. Out: the entry that is meant. Holds: which of several is never a guess.

import { suggestion } from '../../../runtime/error.js';
import type { EntrySpec, Manifest } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import type { Entry, ModuleGraph } from '../../graph/index.js';
import { scalarNames } from '../../train/metrics.js';
import { UsageError } from './options.js';

/** The step of that name, or the only one. Errors: unknown-entry. @throws UsageError when there are several. */
export function stepOf({ entries, module }: Manifest, named: string | undefined): EntrySpec {
  const steps = entries.filter((entry) => entry.kind === 'step');
  const names = steps.map((entry) => entry.name).join(', ');
  const found = named === undefined ? (steps.length === 1 ? steps[0] : undefined) : steps.find((entry) => entry.name === named);
  if (found !== undefined) return found;
  const hint = steps.length === 0 ? 'Write `export step train<B>(x: f32[B, 784], …) { … }`.' : `It has: ${names}.`;
  if (named !== undefined || steps.length === 0)
    throw new DiagnosticsError([
      { code: 'unknown-entry', message: `${module} exports no step${named === undefined ? '' : ` ${named}`}`, hint },
    ]);
  throw new UsageError(`name one of the steps: ${names}`);
}

/** The function of that name. Errors: unknown-entry. */
export function functionOf({ entries, module }: Manifest, named: string): EntrySpec {
  const found = entries.find((entry) => entry.kind === 'fn' && entry.name === named);
  if (found !== undefined) return found;
  const names = entries.filter(({ kind }) => kind === 'fn').map(({ name }) => name);
  const isStep = entries.some((entry) => entry.kind === 'step' && entry.name === named);
  throw unknown(
    `${module} exports no function ${named}`,
    isStep ? `${named} is a step: it changes variables.` : (suggestion(named, names) ?? functionsHint(names)),
  );
}

/** What is evaluated: the entry of that name, or the only step, or the only function that returns numbers. Errors: unknown-entry. */
export function evaluatedOf(manifest: Manifest, named: string | undefined): EntrySpec {
  const { entries, module } = manifest;
  const exported = entries.filter(({ kind }) => kind !== 'init');
  if (named !== undefined) {
    const found = exported.find(({ name }) => name === named);
    if (found !== undefined) return found;
    const names = exported.map(({ name }) => name);
    throw unknown(`${module} exports no ${named}`, suggestion(named, names) ?? `It has: ${names.join(', ')}.`);
  }
  if (exported.some(({ kind }) => kind === 'step')) return stepOf(manifest, undefined);
  const [found, ...others] = exported.filter((entry) => scalarNames(entry).length > 0);
  if (found === undefined)
    throw unknown(
      `${module} exports nothing that returns numbers by name`,
      'Write `export fn metrics<B>(x: f32[B, 784], …): { loss: f32 } = …`.',
    );
  if (others.length > 0) throw new UsageError(`name one of the functions: ${[found, ...others].map(({ name }) => name).join(', ')}`);
  return found;
}

/** Entries of a checked module that callers know: the one of that name, or all. Errors: unknown-entry. */
export function exportedOf({ entries }: ModuleGraph, file: string, named: string | undefined): readonly Entry[] {
  const exported = entries.filter(({ kind }) => kind !== 'init');
  const found = named === undefined ? exported : exported.filter(({ name }) => name === named);
  if (named !== undefined && found.length === 0)
    throw unknown(`${file} exports no ${named}`, `It exports ${exported.map(({ name }) => name).join(', ') || 'none'}.`);
  return found;
}

/** All builds of an entry: with open ranks there are several, and all read the same. */
export const readsOf = ({ entries }: Manifest, named: string): readonly EntrySpec[] => entries.filter(({ name }) => name === named);

const functionsHint = (names: readonly string[]): string => (names.length === 0 ? 'It exports none.' : `It has: ${names.join(', ')}.`);
const unknown = (message: string, hint: string): DiagnosticsError => new DiagnosticsError([{ code: 'unknown-entry', message, hint }]);
