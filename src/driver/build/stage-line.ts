// Which stage of compiling runs, as a line of a terminal. In: names of stages as they begin, a clock. Out: `lower … 3 s`, drawn over what
// was drawn before. Holds: nothing is written of what ends soon.

import { duration } from '../../train/progress.js';

/** Erases the line on which the cursor is, and goes to its start. */
export const clearLine = '\r\x1b[K';

/** What the thread is given. */
export interface StageThread {
  /** Descriptor of a terminal. */
  readonly file: number;
  readonly silence: number;
  /** When compiling began, by the date: threads have clocks of their own. */
  readonly start: number;
  /** Who may write, one of `turns`; and 1 when there is something to erase. */
  readonly state: Int32Array;
}

export const turns = { free: 0, drawing: 1, stopped: 2 } as const;

export class StageLine {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  readonly #silence: number;
  #stage = '';
  #drawn = '';

  /** `now`: milliseconds since compiling began, of which so many are silent. */
  constructor(write: (text: string) => void, now: () => number, silence: number) {
    this.#write = write;
    this.#now = now;
    this.#silence = silence;
  }

  begin(stage: string): void {
    this.#stage = stage;
  }

  /** Draws what has changed; whether anything has been drawn so far. */
  draw(): boolean {
    const now = this.#now();
    if (this.#stage === '' || now < this.#silence) return false;
    const line = `${this.#stage} … ${duration(Math.floor(now / 1000))}`;
    if (line !== this.#drawn) this.#write(`${clearLine}${line}`);
    this.#drawn = line;
    return true;
  }
}
