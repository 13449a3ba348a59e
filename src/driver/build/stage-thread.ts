// The thread that draws which stage of compiling runs. In: a StageThread, then names of stages as messages. Out: a line on the terminal.
// Holds: it writes only while it is its turn; a terminal that takes nothing is no failure.

import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { StageLine, type StageThread, turns } from './stage-line.js';

/** Milliseconds between two drawings. */
const drawEvery = 100;

const { file, silence, start, state } = workerData as StageThread;
const line = new StageLine(
  (text) => void writeSync(file, text),
  () => Date.now() - start,
  silence,
);
parentPort?.on('message', (next: string) => line.begin(next));

setInterval(() => {
  if (Atomics.compareExchange(state, 0, turns.free, turns.drawing) !== turns.free) return;
  try {
    if (line.draw()) Atomics.store(state, 1, 1);
  } catch {
    // Nobody is left to see it.
  }
  Atomics.store(state, 0, turns.free);
}, drawEvery);
