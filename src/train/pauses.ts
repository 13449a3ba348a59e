// Pauses of loops that compute all the time. In: the time. Out: a turn of the event loop now and then. Holds: between two pauses no more
// than some milliseconds and one call pass, so signals, timers and output are not kept waiting.

import { setImmediate } from 'node:timers/promises';

/** Milliseconds. */
const every = 10;

export class Pauses {
  #last = performance.now();

  areDue(now: number): boolean {
    return now - this.#last > every;
  }

  async pause(): Promise<void> {
    await setImmediate();
    this.#last = performance.now();
  }
}
