// Directories of checkpoints. In: a directory, a session, the state of a run. Out: `step-000123.safetensors` files, the newest and the best
// of them. Holds: a file is there whole or not at all, so whatever is there can be gone on with, also after a kill in the middle of a save;
// the newest N and the best one are kept, and only after a newer one is there an older one is removed; what is not called like a checkpoint
// is never touched.

import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sweepDirectory } from '../../runtime/atomic-file.js';
import { type Session, TfcError } from '../../runtime/index.js';
import { codeOf, notWritten } from '../../runtime/system-error.js';
import { makeDirectory } from '../input/files.js';
import { type Criterion, criterionToString, isBetter, parseCriterion } from './criterion.js';
import { readState, toMetadata, type TrainingState } from './training-state.js';

/**
 * A checkpoint, and the steps that are done in it.
 * @example
 * ```ts
 * const describe = ({ path, step }: CheckpointFile): string => `${path}, after step ${step}`;
 * ```
 */
export interface CheckpointFile {
  readonly path: string;
  readonly step: number;
}

export interface CheckpointOptions {
  /** How many of the newest are kept. */
  readonly keep: number;
  /** By which the best is chosen, which is kept beside them. */
  readonly best?: Criterion;
}

export class Checkpoints {
  readonly directory: string;
  readonly #options: CheckpointOptions;
  /** The best so far; read from the files when it is first asked for. */
  #best: { readonly path: string; readonly value: number } | undefined;
  #searched = false;

  /** Makes the directory, and removes what a killed process has left half written in it. @throws TfcError file-not-written. */
  constructor(directory: string, options: CheckpointOptions) {
    this.directory = directory;
    this.#options = options;
    try {
      makeDirectory(directory);
    } catch (error) {
      throw notWritten(directory, error);
    }
    sweepDirectory(directory);
  }

  get latest(): CheckpointFile | undefined {
    return checkpointsIn(this.directory).at(-1);
  }

  /** Whether a checkpoint with these metrics would be the best. */
  isBest(metrics: TrainingState['metrics']): boolean {
    const { best } = this.#options;
    const value = best === undefined ? undefined : metrics[best.metric];
    return best !== undefined && value !== undefined && isBetter(best, value, this.#bestSoFar(best)?.value);
  }

  /** Writes a checkpoint, and removes those that are no longer kept. @throws TfcError file-not-written. */
  save(session: Session, state: TrainingState): CheckpointFile {
    const { best } = this.#options;
    const { step } = state.position;
    const path = join(this.directory, nameOf(step));
    const isBest = this.isBest(state.metrics);
    session.save(path, { metadata: toMetadata({ ...state, ...(best === undefined ? {} : { best: criterionToString(best) }) }) });
    if (best !== undefined && isBest) this.#best = { path, value: state.metrics[best.metric] as number };
    this.#prune();
    return { path, step };
  }

  #prune(): void {
    const { best, keep } = this.#options;
    const kept = best === undefined ? undefined : this.#bestSoFar(best)?.path;
    for (const { path } of checkpointsIn(this.directory).slice(0, -keep)) if (path !== kept) remove(path);
  }

  #bestSoFar(criterion: Criterion): { readonly path: string; readonly value: number } | undefined {
    if (!this.#searched) this.#best = bestIn(checkpointsIn(this.directory), criterion);
    this.#searched = true;
    return this.#best;
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // One more than asked for harms nobody.
  }
}

/** Sorts by name, too, up to a million steps. */
const nameOf = (step: number): string => `step-${String(step).padStart(6, '0')}.safetensors`;
const namePattern = /^step-(\d{6,15})\.safetensors$/;

/** By step. Errors: those of the file system. */
export const checkpointsIn = (directory: string): readonly CheckpointFile[] =>
  readdirSync(directory)
    .flatMap((name) => {
      const step = Number(namePattern.exec(name)?.[1] ?? Number.NaN);
      return Number.isNaN(step) ? [] : [{ path: join(directory, name), step }];
    })
    .sort((one, other) => one.step - other.step);

/** Of equal ones the first. */
function bestIn(files: readonly CheckpointFile[], criterion: Criterion): { readonly path: string; readonly value: number } | undefined {
  let best: { readonly path: string; readonly value: number } | undefined;
  for (const { path } of files) {
    const value = readState(path).metrics[criterion.metric];
    if (value !== undefined && isBetter(criterion, value, best?.value)) best = { path, value };
  }
  return best;
}

/**
 * The file that `path` means: a file as it is; of a directory of checkpoints, or of DIR/latest, the newest; of DIR/best the best, by the
 * metric that its run watched. @throws TfcError file-not-found, bad-data.
 */
export function resolveCheckpoint(path: string): string {
  const isDirectory = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  try {
    if (isDirectory(path)) return newestIn(path);
    const [directory, which] = [dirname(path), basename(path)];
    if ((which !== 'latest' && which !== 'best') || statSync(path, { throwIfNoEntry: false }) !== undefined || !isDirectory(directory))
      return path;
    return which === 'latest' ? newestIn(directory) : bestOf(directory);
  } catch (error) {
    if (error instanceof TfcError || typeof codeOf(error) !== 'string') throw error;
    throw new TfcError('file-not-found', `${path} cannot be read: ${error instanceof Error ? error.message : ''}.`, { cause: error });
  }
}

function newestIn(directory: string): string {
  const newest = checkpointsIn(directory).at(-1);
  if (newest !== undefined) return newest.path;
  throw new TfcError('file-not-found', `${directory} has no checkpoint.`, {
    hint: 'tfc train --checkpoint DIR writes step-000123.safetensors there.',
  });
}

function bestOf(directory: string): string {
  const criterion = readState(newestIn(directory)).best;
  const hint = 'tfc train --best METRIC says by what the best is chosen.';
  if (criterion === undefined) throw new TfcError('bad-data', `The run in ${directory} watched no metric.`, { hint });
  const best = bestIn(checkpointsIn(directory), parseCriterion(criterion));
  if (best === undefined) throw new TfcError('bad-data', `No checkpoint in ${directory} has a value of ${criterion}.`, { hint });
  return best.path;
}
