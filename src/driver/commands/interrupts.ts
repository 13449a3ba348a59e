// Signals while something runs that can be stopped between two steps. In: what to do at the first signal. Out: a signal for the loop, and
// which one it was. Holds: the first Ctrl-C or SIGTERM asks the loop to stop; from then on nobody listens, so a second one ends the process
// at once, even in the middle of a step.

export type Interrupt = 'SIGINT' | 'SIGTERM';

/** As shells have it: 128 and the number of the signal. */
export const exitCodes: Readonly<Record<Interrupt, number>> = { SIGINT: 130, SIGTERM: 143 };

export class Interrupts {
  readonly #controller = new AbortController();
  readonly #listeners: readonly (readonly [signal: Interrupt, listener: () => void])[];
  #by: Interrupt | undefined;

  constructor(onFirst: (by: Interrupt) => void) {
    this.#listeners = (Object.keys(exitCodes) as Interrupt[]).map((signal) => [
      signal,
      () => {
        this[Symbol.dispose]();
        this.#by = signal;
        onFirst(signal);
        this.#controller.abort();
      },
    ]);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that came. */
  get by(): Interrupt | undefined {
    return this.#by;
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}
