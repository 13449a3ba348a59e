// Progress of compiling, for whoever waits for it at a terminal. In: stages as they begin. Out: a line on the terminal, drawn by a thread
// (`stage-thread.ts`), because compiling does not return before it is done. Holds: when `stop` returns, the line is gone and stays so; what
// is compiled at once starts no thread.

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { builtFile } from './package.js';
import { clearLine, patience } from './stage-line.js';

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

/** What the thread is given. */
export interface StageThread {
  /** Descriptor of a terminal. */
  readonly file: number;
  readonly silence: number;
  /** When compiling began, by the date: threads have clocks of their own. */
  readonly start: number;
  readonly stage: string;
  /** Who may write, one of `turns`; and 1 when there is something to erase. */
  readonly state: Int32Array;
}

export const turns = { free: 0, drawing: 1, stopped: 2 } as const;

/** Starting a thread takes as long as a small program; one that takes two seconds has a stage that begins later. */
const worthThread = 100;

/** `file`: descriptor of a terminal; `silence`: milliseconds without a word. */
export function watchStages(file: number, silence = patience): StageWatch {
  const start = Date.now();
  const state = new Int32Array(new SharedArrayBuffer(8));
  let thread: Worker | undefined;
  return {
    begin: (stage) => {
      if (thread !== undefined) thread.postMessage(stage);
      else if (Date.now() - start >= Math.min(worthThread, silence)) thread = threadOf({ file, silence, start, stage, state });
    },
    stop: () => {
      if (thread === undefined) return;
      while (Atomics.compareExchange(state, 0, turns.free, turns.stopped) === turns.drawing) Atomics.wait(state, 0, turns.drawing, 1);
      void thread.terminate();
      thread = undefined;
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

function threadOf(given: StageThread): Worker {
  const thread = new Worker(builtFile('dist', 'src', 'driver', 'stage-thread.js'), { workerData: given });
  // The line is no reason to stay, nor to fail.
  thread.unref();
  thread.on('error', () => undefined);
  return thread;
}
