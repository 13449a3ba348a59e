// The log of a run, read back. In: a run's directory. Out: its curves, what it was started with, how it ended.
// Holds: of what was logged twice, because a run was resumed before that step, the later one counts; a last line that is cut, as a process
// that was killed leaves it, is left out; whatever else is no line of a log is refused with its number.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TfcError } from '../../runtime/error.js';
import { parseStrictJson } from '../../runtime/strict-json.js';
import { notRead, readBytes, readText } from '../input/files.js';
import type { HistogramSummary } from './histogram.js';
import { type HyperParameter, isStep, type Outcome } from './recorder.js';
import type { RunFacts } from './run-facts.js';
import { byNumbers } from './run-directory.js';
import { drawingName, logName, logVersion } from './run-log.js';

/** A scalar over steps; the three are equally long. */
export interface Curve {
  readonly steps: number[];
  /** Seconds since 1970. */
  readonly times: number[];
  readonly values: number[];
}

export interface RunRecord {
  readonly name: string;
  readonly directory: string;
  readonly facts: RunFacts;
  /** Seconds since 1970; of the last thing that was recorded, where the run did not end. */
  readonly started: number;
  readonly ended: number;
  /** `running`: it runs, or was killed. */
  readonly outcome: Outcome | 'running';
  /** Steps after which it was gone on with. */
  readonly resumedAt: readonly number[];
  readonly curves: ReadonlyMap<string, Curve>;
  /** The last one of each tag. */
  readonly histograms: ReadonlyMap<string, { readonly step: number; readonly summary: HistogramSummary }>;
  readonly texts: ReadonlyMap<string, string>;
  readonly hparams: Readonly<Record<string, HyperParameter>>;
  readonly metrics: readonly string[];
  /** SVG, as it was found. */
  readonly drawing: Buffer | undefined;
}

/** Seconds; there are no later dates. */
const latest = 8.64e12;

/** Lines do not nest deeper. */
const maximumDepth = 8;

/**
 * The directories with a log: the one that is named, or those directly in it, in order of their names.
 * @throws DiagnosticsError file-not-found when the directory cannot be read, or has no run.
 */
export function runsIn(path: string): string[] {
  if (existsSync(join(path, logName))) return [path];
  let names: readonly string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    throw notRead(path, error);
  }
  const found = names.filter((name) => existsSync(join(path, name, logName))).sort(byNumbers);
  if (found.length === 0)
    throw new TfcError('file-not-found', `${path}: no run was recorded here`, {
      hint: `A run's directory has a ${logName}, which \`tfc train --logdir\` writes; name one, or the directory around several.`,
    });
  return found.map((name) => join(path, name));
}

/** @throws DiagnosticsError file-not-found; TfcError bad-data with the line's number. */
export function readRun(directory: string): RunRecord {
  const path = join(directory, logName);
  const lines = readText(path).split('\n');
  // Behind the last line feed there is nothing, or half of a line.
  lines.pop();
  const run = new Reading(directory, path);
  for (const [at, line] of lines.entries()) run.take(line, at + 1);
  return run.record();
}

type Fields = { readonly [name: string]: unknown };

class Reading {
  readonly #directory: string;
  readonly #path: string;
  readonly #curves = new Map<string, Curve>();
  readonly #histograms = new Map<string, { step: number; summary: HistogramSummary }>();
  readonly #texts = new Map<string, string>();
  readonly #resumedAt: number[] = [];
  #name = '';
  #facts: RunFacts | undefined;
  #started = 0;
  #ended = 0;
  #outcome: Outcome | 'running' = 'running';
  #hparams: Record<string, HyperParameter> = {};
  #metrics: readonly string[] = [];
  #line = 0;

  constructor(directory: string, path: string) {
    this.#directory = directory;
    this.#path = path;
  }

  take(text: string, line: number): void {
    this.#line = line;
    const fields = this.#fields(this.#parsed(text));
    if ((this.#facts === undefined) !== (fields['kind'] === 'run')) throw this.#mistake('a log begins with one line of the kind "run"');
    switch (fields['kind']) {
      case 'run':
        if (fields['version'] !== logVersion)
          throw this.#mistake(`it is a log of version ${JSON.stringify(fields['version'])}, and this tfc reads version ${logVersion}`);
        this.#name = this.#text(fields['name']);
        this.#started = this.#time(fields);
        this.#facts = this.#readFacts(fields['facts']);
        return;
      case 'resumed':
        this.#facts = this.#readFacts(fields['facts']);
        this.#resume(this.#step(fields), this.#time(fields));
        return;
      case 'scalars':
        this.#scalars(this.#step(fields), this.#time(fields), this.#fields(fields['values']));
        return;
      case 'histogram':
        this.#time(fields);
        this.#histograms.set(this.#text(fields['tag']), {
          step: this.#step(fields),
          summary: this.#readHistogram(this.#fields(fields['summary'])),
        });
        return;
      case 'text':
        this.#texts.set(this.#text(fields['tag']), this.#text(fields['text']));
        return;
      case 'hparams':
        this.#hparams = this.#parameters(fields['values']);
        this.#metrics = this.#list(fields['metrics']).map((one) => this.#text(one));
        return;
      case 'end':
        this.#outcome = fields['outcome'] === 'failed' ? 'failed' : 'done';
        this.#time(fields);
        return;
      default:
        throw this.#mistake(`a line of the kind ${JSON.stringify(fields['kind'])}`);
    }
  }

  record(): RunRecord {
    if (this.#facts === undefined) throw new TfcError('bad-data', `${this.#path}: the log is empty`);
    const drawing = join(this.#directory, drawingName);
    return {
      name: this.#name,
      directory: this.#directory,
      facts: this.#facts,
      started: this.#started,
      ended: this.#ended,
      outcome: this.#outcome,
      resumedAt: this.#resumedAt,
      curves: this.#curves,
      histograms: this.#histograms,
      texts: this.#texts,
      hparams: this.#hparams,
      metrics: this.#metrics,
      drawing: existsSync(drawing) ? readBytes(drawing) : undefined,
    };
  }

  #scalars(step: number, time: number, values: Fields): void {
    for (const [tag, value] of Object.entries(values)) {
      const curve = this.#curves.get(tag) ?? { steps: [], times: [], values: [] };
      this.#curves.set(tag, curve);
      curve.steps.push(step);
      curve.times.push(time);
      curve.values.push(this.#number(value));
    }
  }

  /** Forgets what was logged behind a step. */
  #resume(step: number, time: number): void {
    this.#resumedAt.push(step);
    this.#outcome = 'running';
    this.#ended = time;
    for (const [tag, curve] of this.#curves) {
      let kept = curve.steps.length;
      while (kept > 0 && (curve.steps[kept - 1] as number) > step) kept -= 1;
      for (const one of [curve.steps, curve.times, curve.values]) one.length = kept;
      if (kept === 0) this.#curves.delete(tag);
    }
    for (const [tag, histogram] of this.#histograms) if (histogram.step > step) this.#histograms.delete(tag);
  }

  #readFacts(value: unknown): RunFacts {
    const { command, options, environment, variables, kernels } = this.#fields(value);
    return {
      command: this.#text(command),
      options: this.#parameters(options),
      environment: this.#parameters(environment),
      variables: this.#list(variables).map((one) => {
        const { path, kind, type, elements } = this.#fields(one);
        return {
          path: this.#text(path),
          kind: this.#text(kind),
          type: this.#text(type),
          ...(elements === undefined ? {} : { elements: this.#number(elements) }),
        };
      }),
      kernels: this.#list(kernels).map((one) => {
        const { name, title, lines, bytesRead, bytesWritten, flops } = this.#fields(one);
        return {
          name: this.#text(name),
          title: this.#text(title),
          lines: this.#list(lines).map((line) => this.#text(line)),
          bytesRead: this.#text(bytesRead),
          bytesWritten: this.#text(bytesWritten),
          flops: this.#text(flops),
        };
      }),
    };
  }

  #readHistogram(fields: Fields): HistogramSummary {
    const number = (name: keyof HistogramSummary): number => this.#number(fields[name]);
    const numbers = (name: keyof HistogramSummary): number[] => this.#list(fields[name]).map((one) => this.#number(one));
    const [limits, counts] = [numbers('limits'), numbers('counts')];
    if (limits.length !== counts.length) throw this.#mistake('a histogram whose limits and counts are not equally many');
    return {
      minimum: number('minimum'),
      maximum: number('maximum'),
      count: number('count'),
      sum: number('sum'),
      sumOfSquares: number('sumOfSquares'),
      notFinite: number('notFinite'),
      limits,
      counts,
    };
  }

  #parsed(text: string): unknown {
    try {
      return parseStrictJson(text, { maximumDepth });
    } catch (error) {
      throw this.#mistake(error instanceof Error ? error.message : 'no JSON');
    }
  }

  #time({ time }: Fields): number {
    if (typeof time !== 'number' || Math.abs(time) > latest) throw this.#mistake('a time is missing');
    return (this.#ended = time);
  }

  #step({ step }: Fields): number {
    if (!isStep(step)) throw this.#mistake('a step is missing');
    return step;
  }

  #fields(value: unknown): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#mistake('an object is missing');
    return value as Fields;
  }

  #list(value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw this.#mistake('an array is missing');
    return value;
  }

  #text(value: unknown): string {
    if (typeof value !== 'string') throw this.#mistake('a text is missing');
    return value;
  }

  #number(value: unknown): number {
    if (typeof value === 'number') return value;
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
    throw this.#mistake('a number is missing');
  }

  #parameters(value: unknown): Record<string, HyperParameter> {
    const fields = this.#fields(value);
    for (const one of Object.values(fields))
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') throw this.#mistake('a value is missing');
    return fields as Record<string, HyperParameter>;
  }

  #mistake(what: string): TfcError {
    return new TfcError('bad-data', `${this.#path}:${this.#line}: ${what}`, { hint: 'Logs are written by tfc alone, and not changed.' });
  }
}
