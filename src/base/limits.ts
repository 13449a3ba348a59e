// How much a program may become while it is compiled. In: nothing. Out: every limit that is not the grammar's, with its reason; the meter
// that counts; what is thrown when a count goes over its limit.
// Holds: what is counted follows from the program alone, never from time or memory, so every machine gives the same answer.

/**
 * Work is counted in units: an expression that is evaluated is 1, a call of a function 20, a graph node 4 and one more for 64 letters of
 * its key (its arguments, sizes and names). A unit takes about half a microsecond. For comparison: 10,000 steps `let h2 = sin(h1) * 1.01`
 * take 200,000 units, a GPT of 48 layers with Adam 370,000, a perceptron of 512 layers with Adam 450,000.
 */
export const limits = {
  /** Work of the checker beyond what the text itself says: calls, loops over lists and comprehensions repeat what stands in them. */
  expansion: 500_000,
  /** The same for a text with syntax errors: what else is wrong with it is said as far as this goes. */
  expansionOfBroken: 100_000,
  /** Work per character of the text: what is written out is never too large. */
  expansionPerCharacter: 4,
  /** Work of one pass over the graph, beyond `passPerNode` for each node that there is already: derivatives of derivatives multiply. */
  pass: 300_000,
  passPerNode: 64,
  /** Elements of a list or tuple that stands for a number of rounds, as in a comprehension. */
  list: 10_000,
  /** Tensors in one value (a result, a carry, a list that becomes a tensor): each is an output, a parameter or an argument of its own. */
  leaves: 200_000,
  /** Results of an entry, one buffer each. */
  results: 10_000,
  /**
   * Values that a kernel computes at indices of its own, where one is read at many places: neighbours of neighbours double with every step.
   */
  inlined: 200_000,
  /** Carries and outputs of a loop: rules look at each beside all others. */
  carries: 1_000,
  /** Tuples, records and lists inside one another: as deep as brackets nest. */
  valueDepth: 100,
  /** Axes of a tensor: as many as NumPy has. */
  rank: 64,
  /** Bytes of a tensor, as far as the program says: no processor addresses more. Far enough below 2⁵³ that sums of sizes stay exact. */
  bytes: 2 ** 48,
  /** Rounds of a loop: its counter is an i32. */
  rounds: 2 ** 31 - 1,
  /** Terms of a size, such as the three of `B*H + B + 1`, and factors of a term. */
  terms: 1_000,
  factors: 128,
  /** Bits of an integer that is known when compiling: what f64 can hold, rounded. */
  integerBits: 1024,
  /** Bits of each part of a fraction that is known when compiling: twice what decimals in the range of f64 need. Beyond, doubles go on. */
  exactBits: 2_200,
} as const;

/** A count went over its limit. Rooms that know what grew make it a diagnostic. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
  /** `work`: the meter's; `depth`: things inside one another; `size`: a size left what can be computed exactly. */
  readonly of: 'work' | 'depth' | 'size';

  constructor(of: TooLarge['of'], message: string) {
    super(message);
    this.of = of;
  }
}

/** Counts work. */
export class Meter {
  #spent = 0;
  #limit = Infinity;

  get spent(): number {
    return this.#spent;
  }

  spend(units: number): void {
    this.#spent += units;
    if (this.#spent > this.#limit) throw new TooLarge('work', `more than ${this.#limit} units of work`);
  }

  /** From now on `units` may be spent. */
  allow(units: number): void {
    this.#limit = this.#spent + units;
  }
}
