// The log of a run: one JSON object per line, in the run's directory. In: what a recorder is told. Out: `run.jsonl`, and the graph's
// drawing beside it as `graph.svg`.
// Holds: lines are only ever appended, but for half of one that a killed process left; a run that is gone on with says from which step on,
// and whoever reads it forgets what was logged behind that step (`read-run.ts`).

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles, writeFully } from '../../runtime/atomic-file.js';
import { toJson } from '../../runtime/json.js';
import { AppendFile } from './append-file.js';
import { type HistogramSummary, histogramOf } from './histogram.js';
import type { HyperParameter, Outcome, RecordedGraph, Recorder } from './recorder.js';
import type { RunFacts } from './run-facts.js';

export const logName = 'run.jsonl';
export const drawingName = 'graph.svg';
export const logVersion = 1;

/** A line; numbers that JSON lacks are the strings "NaN", "Infinity" and "-Infinity". Times are seconds since 1970. */
export type LogLine =
  | { readonly kind: 'run'; readonly version: typeof logVersion; readonly name: string; readonly time: number; readonly facts: RunFacts }
  | { readonly kind: 'resumed'; readonly step: number; readonly time: number; readonly facts: RunFacts }
  | { readonly kind: 'scalars'; readonly step: number; readonly time: number; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'histogram'; readonly step: number; readonly time: number; readonly tag: string; readonly summary: HistogramSummary }
  | { readonly kind: 'text'; readonly tag: string; readonly text: string }
  | {
      readonly kind: 'hparams';
      readonly values: Readonly<Record<string, HyperParameter>>;
      readonly metrics: readonly string[];
    }
  | { readonly kind: 'end'; readonly outcome: Outcome; readonly time: number };

export interface RunLogOptions {
  /** What the run is called in reports. */
  readonly name: string;
  readonly facts: RunFacts;
  /** Goes on with the log that is there, after this step. */
  readonly resumedAt?: number;
}

/** @throws TfcError file-not-written; also for a directory that has a log already, unless the run is resumed. */
export function runLog(directory: string, { name, facts, resumedAt }: RunLogOptions): Recorder {
  const path = join(directory, logName);
  const goesOn = resumedAt !== undefined && existsSync(path);
  const file = new AppendFile(path, goesOn ? 'continue' : 'new');
  const append = (line: LogLine): void => file.append(Buffer.from(`${JSON.stringify(toJson(line))}\n`));
  const time = Date.now() / 1000;
  // A process that was killed early may not have written the first line.
  const hasBegun = goesOn && file.cutHalfLine() > 0;
  append(hasBegun ? { kind: 'resumed', step: resumedAt, time, facts } : { kind: 'run', version: logVersion, name, time, facts });
  let ended = false;
  return {
    scalars: (step, wallTime, values) => append({ kind: 'scalars', step, time: wallTime, values }),
    histogram: (step, wallTime, tag, values) => append({ kind: 'histogram', step, time: wallTime, tag, summary: histogramOf(values) }),
    text: (tag, text) => append({ kind: 'text', tag, text }),
    hparams: (values, metrics) => append({ kind: 'hparams', values, metrics }),
    graph: (graph) => writeDrawing(directory, graph),
    close: async (outcome = 'done') => {
      if (ended) return;
      ended = true;
      try {
        append({ kind: 'end', outcome, time: Date.now() / 1000 });
      } finally {
        file.close();
      }
    },
  };
}

function writeDrawing(directory: string, { drawing }: RecordedGraph): void {
  if (drawing === undefined) return;
  const text = Buffer.from(drawing);
  writeFiles([{ path: join(directory, drawingName), write: (file) => writeFully(file, text) }]);
}
