// Where the threads of a block are in the tiles of attention's derivative. In: a plan. Out: loops over threads, registers, lines and steps
// by their numbers. Holds: what is read beyond the end is read at the end, so that no address is out of bounds.

import type { Dim, Shape } from '../../../../base/index.js';
import type { TensorNode } from '../../../../graph/index.js';
import { type Accumulator, build, type Expr } from '../../../../kernel/index.js';
import { spread } from '../../../form/forms.js';
import type { Scope } from '../../../form/scope.js';
import type { MatmulForm } from '../../../form/forms.js';
import type { Arithmetic, ThreadPlace } from './arithmetic.js';
import type { SweepPlan } from './backward-plan.js';

/** Where a block is: its matrix, and its first line. */
export interface Block {
  readonly batch: readonly Expr[];
  readonly line: Expr;
}

/** A line or a step, and one that there is. */
export interface Place {
  readonly number: Expr;
  readonly at: Expr;
  /** What has to hold for it to be there; undefined where all are. */
  readonly isThere: Expr | undefined;
}

export class Places {
  /** How many lines there are, and how many steps. */
  readonly lines: Dim;
  readonly steps: Dim;
  readonly batch: Shape;
  readonly #plan: SweepPlan;
  readonly #threads: number;

  constructor(plan: SweepPlan, { batch, rows, columns }: MatmulForm, threads: number) {
    this.#plan = plan;
    this.#threads = threads;
    this.batch = batch;
    [this.lines, this.steps] = plan.over === 'keys' ? [rows, columns] : [columns, rows];
  }

  registers(scope: Scope, stem: string, shape: readonly number[]): Accumulator {
    const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype: 'f32', shape: [...shape, this.#threads] };
    scope.emit({ kind: 'declare', accumulator, initial: build.constant('f32', 0) });
    return accumulator;
  }

  eachThread(scope: Scope, arithmetic: Arithmetic, fill: (thread: Expr, place: ThreadPlace, vector: Scope) => void): void {
    scope.loop('t', build.int(this.#threads), 'vector', (thread, vector) => fill(thread, arithmetic.place(thread, vector), vector), {
      limit: this.#threads,
    });
  }

  /** Of a thread. */
  lineAt(scope: Scope, { line }: Block, place: ThreadPlace, i: Expr): Place {
    return this.#inside(scope, scope.let('m', build.plus(line, place.row(i))), this.lines, this.#plan.rows);
  }

  stepAt(scope: Scope, first: Expr, place: ThreadPlace, j: Expr): Place {
    return this.#inside(scope, scope.let('n', build.plus(first, place.key(j))), this.steps, this.#plan.keys);
  }

  #inside(scope: Scope, number: Expr, size: Dim, part: number): Place {
    if (size.constant !== undefined && size.constant % part === 0) return { number, at: number, isThere: undefined };
    const last = build.minus(build.size(size), build.int(1));
    return { number, at: scope.let('at', build.smaller(number, last)), isThere: build.apply('lt', 'bool', number, build.size(size)) };
  }

  /** The index of a row's result. */
  ofRow({ type: { shape } }: TensorNode, { batch }: Block, query: Expr): readonly Expr[] {
    return spread(shape, [...batch.filter((_, axis) => this.batch[axis]?.constant !== 1), query]);
  }
}
