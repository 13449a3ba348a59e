// Progress of compiling, for whoever waits for it at a terminal. In: stages as they begin. Out: a line on the terminal, drawn by a thread
// (`stage-thread.ts`), because compiling does not return before it is done. Holds: when `stop` returns, the line is gone and stays so.

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../package.js';
import { clearLine, type StageThread, turns } from './stage-line.js';

/** Is told which stage begins. */
export type Begin = (stage: string) => void;

/** Nobody is. */
export const unwatched: Begin = () => undefined;

/** The stage after all passes. */
export const codeGeneration = 'code generation';

export interface StageWatch {
  readonly begin: Begin;
  stop(): void;
}

/** Milliseconds that compiling may take without a word. */
const patience = 2000;

/** `file`: descriptor of a terminal; `silence`: milliseconds without a word. */
export function watchStages(file: number, silence = patience): StageWatch {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const given: StageThread = { file, silence, start: Date.now(), state };
  const thread = new Worker(builtFile('dist', 'src', 'driver', 'build', 'stage-thread.js'), { workerData: given });
  // The line is no reason to stay, nor to fail.
  thread.unref();
  thread.on('error', () => undefined);
  return {
    begin: (stage) => thread.postMessage(stage),
    stop: () => {
      while (Atomics.compareExchange(state, 0, turns.free, turns.stopped) === turns.drawing) Atomics.wait(state, 0, turns.drawing, 1);
      void thread.terminate();
      if (Atomics.load(state, 1) === 1) erase(file);
    },
  };
}

/** Of a terminal that is gone nothing need be erased. */
export function erase(file: number): void {
  try {
    writeSync(file, clearLine);
  } catch {
    // Nobody is left to see it.
  }
}
