// What grows while a program is checked. In: work and depth, as they are met; the constructs that repeat what stands in them. Out: a
// diagnostic that names the one that grew.
// Holds: nothing here depends on time. A program is given up at its first excess, with everything that it had not said yet.

import type { Span } from '../../grammar/index.js';
import { limits, type Meter, TooLarge } from '../base/index.js';
import type { Checker, Context } from './context.js';
import { fail } from './report.js';
import { isTree, type Value } from './values.js';

/** What constructs take of the machine's stack, in units of a quarter of a kilobyte: measured, and rounded up. */
const depths = { expression: 2, call: 6, body: 5, scope: 1, list: 5, loop: 8, instance: 2, declaration: 2, update: 4 } as const;

export type Kind = keyof typeof depths;

/**
 * How deep constructs may stand inside one another: half of Node's stack, which has one megabyte. 200 calls, or the 500 levels of the
 * deepest expression inside of 100 calls.
 */
const DEEPEST = 2_000;

/** A call, list or loop whose inside is being evaluated. */
interface Construct {
  readonly context: Context;
  readonly span: Span;
  /** `the call of `f``. */
  readonly what: string;
  /** The meter when it began. */
  readonly start: number;
  /** How deep it stands. */
  readonly depth: number;
}

export class Growth {
  readonly #meter: Meter;
  #open: Construct[] = [];
  #depth = 0;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  spend(units: number): void {
    this.#meter.spend(units);
  }

  /** Where things stand, for `returnTo`. */
  get mark(): number {
    return this.#depth;
  }

  /** Something begins; `returnTo` ends it, with all that began since and was left by an exception. */
  enter(kind: Kind): number {
    this.#meter.spend(1);
    return this.#descend(kind);
  }

  returnTo(mark: number): void {
    this.#depth = mark;
    while ((this.#open.at(-1)?.depth ?? -1) >= mark) this.#open.pop();
  }

  /** Evaluates what stands inside of a construct. */
  within<T>(kind: Kind, context: Context, span: Span, what: string, inside: () => T): T {
    this.#open.push({ context, span, what, start: this.#meter.spent, depth: this.#depth });
    const mark = this.#descend(kind);
    const value = inside();
    this.#depth = mark;
    this.#open.pop();
    return value;
  }

  #descend(kind: Kind): number {
    const mark = this.#depth;
    if (mark + depths[kind] > DEEPEST) throw new TooLarge('depth', 'calls, loops and expressions are nested too deeply in one another');
    this.#depth = mark + depths[kind];
    return mark;
  }

  /**
   * Reports an excess where it grew: the innermost construct that has half of all work in it, else the outermost. What was open is closed.
   */
  report(error: TooLarge, checker: Checker, otherwise: Span): void {
    const open = this.#open;
    this.#open = [];
    this.#depth = 0;
    const half = this.#meter.spent / 2;
    const grown = error.of === 'work' ? (open.findLast((one) => this.#meter.spent - one.start >= half) ?? open[0]) : open.at(-1);
    const subject = grown?.what ?? 'the program';
    const sentence =
      error.of === 'work'
        ? `${subject} becomes too large: everything that it calls, repeats and computes is written out, and takes more than ${limits.expansion} steps`
        : `${subject}: ${error.message}`;
    const hint =
      error.of === 'work'
        ? 'repeat with `fold` or `scan` over a range or the rows of a tensor, which are compiled once'
        : error.of === 'depth'
          ? 'give names to parts with `let`, or repeat with `fold`'
          : undefined;
    if (grown === undefined) checker.reporter.add({ code: 'too-large', message: sentence, span: otherwise, hint });
    else fail(grown.context, 'too-large', grown.span, sentence, { hint });
  }
}

/** False after a diagnostic when a value has more parts than can be told apart one by one. */
export function countable(context: Context, value: Value, span: Span, what: string, most: number = limits.leaves): boolean {
  if (!isTree(value) || value.leaves <= most) return true;
  const count = value.leaves < Number.MAX_SAFE_INTEGER ? `${value.leaves}` : `more than ${Number.MAX_SAFE_INTEGER}`;
  fail(context, 'too-large', span, `${what} has ${count} parts: at most ${most}`, {
    hint: 'each part is a value of its own; put equal ones into one tensor',
  });
  return false;
}

/** The value; an error after a diagnostic when tuples, records and lists in it are nested too deeply. */
export function shallow<T extends Value>(context: Context, value: T, span: Span): Value {
  if (!isTree(value) || value.depth <= limits.valueDepth) return value;
  return fail(context, 'too-large', span, `tuples, records and lists are nested more than ${limits.valueDepth} deep in this value`, {
    hint: 'keep parts side by side: `concat` and `stack` join tensors',
  });
}
