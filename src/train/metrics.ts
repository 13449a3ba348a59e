// Metrics of a model that is not trained meanwhile. In: a step, and the module that it is of. Out: what computes its scalars from a batch
// without changing variables, and their means over a data set. Holds: what runs is an exported function whose batched feeds are those of
// the step and whose scalars have the step's names, and which one is never a guess; else the step's own scalars, without its updates.

import { shown } from '../../runtime/shown.js';
import type { EntrySpec, FeedValue, Module, Session, Signal } from '../../runtime/index.js';
import { DiagnosticsError } from '../base/index.js';
import { batchedFeeds } from './data/batch-size.js';
import type { Dataset } from './data/dataset.js';
import { Pauses } from './pauses.js';
import { Means, type Scalars, scalarsOf } from './scalars.js';
import { stepMetrics } from './step-metrics.js';
import type { RunStep } from './train.js';

export interface MetricsRunner {
  readonly entry: EntrySpec;
  readonly run: RunStep;
}

/** Scalars that an entry returns as numbers, by name; `result` for one alone. */
export const scalarNames = ({ outputs, result }: EntrySpec): readonly string[] =>
  result.kind === 'output'
    ? outputs.flatMap(({ dtype, shape }) => (shape.length === 0 && dtype !== 'bool' ? ['result'] : []))
    : result.kind === 'record'
      ? result.fields.flatMap(([name, tree]) => {
          const output = tree.kind === 'output' ? outputs[tree.index] : undefined;
          return output !== undefined && output.shape.length === 0 && output.dtype !== 'bool' ? [name] : [];
        })
      : [];

/**
 * What computes the metrics of `entry`: itself when it is a function, else the function that `named` says, else the one that fits, else the
 * step's own scalars, without its updates. Errors: unknown-entry when there is none, or several.
 */
export function metricsRunner(
  session: Session,
  module: Pick<Module, 'graph' | 'manifest'>,
  entry: EntrySpec,
  named?: string,
): MetricsRunner {
  const found = entry.kind === 'fn' && named === undefined ? entry : functionFor(module.manifest.entries, entry, named);
  if (found === undefined) {
    const own = stepMetrics(session, module, entry, scalarNames(entry));
    if (own !== undefined) return own;
    throw noEntry(
      `no exported function computes the metrics of ${entry.name} without training, and its numbers cannot be fetched`,
      hintFor(entry),
    );
  }
  const bound = session.entry(found.name);
  return { entry: found, run: (feeds) => bound.run(feeds) };
}

/** Undefined where none fits. */
function functionFor(entries: readonly EntrySpec[], step: EntrySpec, named: string | undefined): EntrySpec | undefined {
  const functions = entries.filter(({ kind }) => kind === 'fn');
  const candidates = functions.filter((one) => misfitOf(one, step) === undefined);
  if (named !== undefined) {
    const found = functions.find(({ name }) => name === named);
    if (found === undefined) throw noEntry(`the module exports no function ${named}`, hintFor(step));
    const misfit = misfitOf(found, step);
    if (misfit !== undefined) throw noEntry(`${named} does not compute the metrics of ${step.name}: ${misfit}`, hintFor(step));
    return found;
  }
  // One that returns all of them is meant before one that returns some.
  const most = Math.max(...candidates.map((one) => scalarNames(one).length));
  const [found, ...others] = candidates.filter((one) => scalarNames(one).length === most);
  if (found !== undefined && others.length > 0) {
    const names = [found, ...others].map(({ name }) => name);
    throw noEntry(`${names.join(' and ')} all compute the metrics of ${step.name}`, `Name one of them, by --validate-with ${found.name}.`);
  }
  return found;
}

/** Why a function is not the one. */
function misfitOf(one: EntrySpec, step: EntrySpec): string | undefined {
  const batched = new Set(isBatched(one) ? batchedFeeds(one).map(({ name }) => name) : []);
  for (const feed of batchedFeeds(step)) {
    const own = one.feeds.find(({ name }) => name === feed.name);
    if (own === undefined) return `it does not take ${feed.name}`;
    if (!batched.has(feed.name)) return `its ${feed.name} has no row per example`;
    if (own.dtype !== feed.dtype || own.shape.length !== feed.shape.length) return `its ${feed.name} is of another type`;
  }
  const taken = new Set(step.feeds.map(({ name }) => name));
  const more = one.feeds.find(({ name, initial }) => initial === undefined && !taken.has(name));
  if (more !== undefined) return `it takes ${more.name}, which ${step.name} does not`;
  const [names, known] = [scalarNames(one), new Set(scalarNames(step))];
  if (names.length === 0) return 'it returns no numbers by name';
  const other = names.find((name) => !known.has(name));
  return other === undefined ? undefined : `it returns ${other}, which ${step.name} does not`;
}

/** Whether its feeds say which size is the batch. */
function isBatched(one: EntrySpec): boolean {
  try {
    return batchedFeeds(one).length > 0;
  } catch {
    return false;
  }
}

const noEntry = (message: string, hint: string): DiagnosticsError => new DiagnosticsError([{ code: 'unknown-entry', message, hint }]);

function hintFor(step: EntrySpec): string {
  const [feeds, names] = [batchedFeeds(step).map(({ name }) => `${name}: …`), scalarNames(step)];
  return `Export a function of the same data that returns the same numbers: export fn metrics<B>(${feeds.join(', ')}): { ${names.map((name) => `${name}: f32`).join(', ')} }.`;
}

/** Means over all rows, in order; over those before `signal` is aborted. Errors: those of the data and of the entry. */
export async function meansOver(
  { entry, run }: MetricsRunner,
  data: Dataset,
  {
    batch,
    constant = {},
    signal,
  }: { readonly batch: number; readonly constant?: Readonly<Record<string, FeedValue>>; readonly signal?: Signal },
): Promise<{ readonly means: Scalars; readonly rows: number }> {
  // What the step alone takes, such as a learning rate, is no feed of a function.
  const fed = Object.fromEntries(Object.entries(constant).filter(([name]) => entry.feeds.some((feed) => feed.name === name)));
  const names = new Set(entry.feeds.map(({ name }) => name));
  const [sums, pauses] = [new Means(), new Pauses()];
  for await (const { feeds, rows } of data.batches({ epoch: 1, seed: 0, batch, shuffle: false, rest: 'keep' })) {
    const own = Object.entries(feeds).filter(([name]) => names.has(name));
    const result = run({ ...fed, ...Object.fromEntries(own) });
    sums.add(scalarsOf(result instanceof Promise ? await result : result), rows);
    if (pauses.areDue(performance.now())) await pauses.pause();
    if (signal?.aborted === true) break;
  }
  if (sums.rows === 0) throw new DiagnosticsError([{ code: 'bad-data', message: `the data for ${shown(entry.name)} has no rows` }]);
  return { means: sums.means(), rows: sums.rows };
}
