// Calls of one session that wait for each other. In: pieces of work. Out: their results. Holds: one at a time, in the order in which they
// were asked for; whoever waits for a turn holds none, so nobody waits for himself.

export class Turns {
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  /** Does `work` once everything before it is done; what comes after waits until the work's promise is settled. */
  async take<Value>(work: () => Value): Promise<Awaited<Value>> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    try {
      return await work();
    } finally {
      // The turn passes on without being free in between, so that nobody who asks now comes first.
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken = false;
      else next();
    }
  }
}
