// TensorBoard's event files. In: what a recorder is told. Out: `events.out.tfevents.…` in the run's directory.
// Holds: each process writes a file of its own, also when it goes on with a run; such a file begins by saying from which step on the run is
// gone on with, and TensorBoard forgets what earlier files have for later ones.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AppendFile } from '../append-file.js';
import { histogramOf } from '../histogram.js';
import type { Recorder } from '../recorder.js';
import { graphDefOf } from './graph-def.js';
import { sessionEnd, sessionStart } from './hyperparameters.js';
import { EventSchema, SessionLog_SessionStatus, type Summary_Value } from './proto/event_pb.js';
import { GraphDefSchema } from './proto/graph_pb.js';
import { framed } from './record-file.js';
import { Summaries } from './summaries.js';

/** Files of this process, which may open several in one second. */
let count = 0;

/** `resumedAt`: the step after which the run is gone on with. @throws TfcError file-not-written. */
export function eventFile(directory: string, { resumedAt }: { readonly resumedAt?: number } = {}): Recorder {
  const now = (): number => Date.now() / 1000;
  const seconds = String(Math.floor(now())).padStart(10, '0');
  const file = new AppendFile(join(directory, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${count++}`), 'new');
  const summaries = new Summaries();
  let lastStep = resumedAt ?? 0;
  let ended = false;
  const add = (step: number, wallTime: number, event: MessageInitShape<typeof EventSchema>): void =>
    file.append(framed(toBinary(EventSchema, create(EventSchema, { ...event, wallTime, step: BigInt(step) }))));
  const addValues = (step: number, wallTime: number, value: readonly Summary_Value[]): void =>
    add(step, wallTime, { what: { case: 'summary', value: { value: [...value] } } });
  add(0, now(), { what: { case: 'fileVersion', value: 'brain.Event:2' }, sourceMetadata: { writer: 'tfc' } });
  if (resumedAt !== undefined)
    add(resumedAt + 1, now(), { what: { case: 'sessionLog', value: { status: SessionLog_SessionStatus.START } } });
  return {
    scalars(step, wallTime, values) {
      lastStep = step;
      const all = Object.entries(values).map(([tag, value]) => summaries.scalar(tag, value));
      if (all.length > 0) addValues(step, wallTime, all);
    },
    histogram(step, wallTime, tag, values) {
      lastStep = step;
      const summary = histogramOf(values);
      const { notFinite } = summary;
      addValues(step, wallTime, [
        summaries.histogram(tag, summary),
        // The buckets have no place for them.
        ...(notFinite > 0 ? [summaries.scalar(`${tag} (not finite)`, notFinite)] : []),
      ]);
    },
    text: (tag, text) => addValues(lastStep, now(), [summaries.text(tag, text)]),
    hparams: (values, metrics) => addValues(0, now(), sessionStart(values, metrics, now())),
    graph: (graph) => add(0, now(), { what: { case: 'graphDef', value: toBinary(GraphDefSchema, graphDefOf(graph)) } }),
    close: async (outcome = 'done') => {
      if (ended) return;
      ended = true;
      try {
        addValues(lastStep, now(), [sessionEnd(outcome, now())]);
      } finally {
        file.close();
      }
    },
  };
}
