// What derivatives of weights need of their row: the sum over keys of weights times cotangents, and what dividing by the total multiplies
// by. In: a plan, storage. Out: statements. Holds: blocks of queries compute them and leave them for those of keys.

import { build, type Accumulator, type Buffer, type Expr } from '../../../../kernel/index.js';
import { widthAs } from '../../../form/forms.js';
import { type Scope, valueKey } from '../../../form/scope.js';
import type { AttentionBackward, RowSum } from '../../../fuse/attention-backward.js';
import type { KernelEmitter } from '../../common/emitter.js';
import { readSide } from '../matmul/sides.js';
import type { Arithmetic, ThreadPlace } from './arithmetic.js';
import type { Block, Place, Places } from './places.js';

/** The total of a row, and its inverse: a division of each element takes as long as the rest of a weight. */
export interface RowTotal {
  readonly total: Expr;
  readonly inverse: Expr;
}

/** Of the rows of a thread. */
export interface OwnRows {
  readonly sums: Accumulator;
  readonly inverses: Accumulator;
}

export class RowResults {
  readonly #points: KernelEmitter;
  readonly #backward: AttentionBackward;
  readonly #places: Places;
  /** Sums, and inverses, by rows; undefined where one kernel alone needs them. */
  readonly #kept: Buffer | undefined;

  constructor(points: KernelEmitter, backward: AttentionBackward, places: Places, kept: Buffer | undefined) {
    this.#points = points;
    this.#backward = backward;
    this.#places = places;
    this.#kept = kept;
  }

  /** For blocks of queries; undefined where nothing sums over rows. */
  compute(scope: Scope, block: Block, arithmetic: Arithmetic): OwnRows | undefined {
    const { rowSum } = this.#backward;
    if (rowSum === undefined) return undefined;
    const { down, rowLanes } = arithmetic;
    const own: OwnRows = {
      sums: this.#places.registers(scope, 'rest', [down]),
      inverses: this.#places.registers(scope, 'inverse', [down]),
    };
    this.#sum(scope, block, arithmetic, own.sums);
    this.#places.eachThread(scope, arithmetic, (thread, place, vector) =>
      vector.loop('i', build.int(down), 'unroll', (i, line) => {
        const index = [i, thread];
        const query = this.#places.lineAt(line, block, place, i);
        const inverse = this.#total(line, block, query.at)?.inverse ?? build.constant('f32', 1);
        const sum = line.let('rest', scaled(rowSum, build.read(own.sums, index), inverse));
        line.emit(
          { kind: 'assign', accumulator: own.sums, index, value: sum },
          { kind: 'assign', accumulator: own.inverses, index, value: inverse },
        );
        // One of the threads that have the row.
        const isOwn = build.apply('eq', 'bool', build.modulo(thread, build.int(rowLanes)), build.int(0));
        if (this.#kept !== undefined) this.#keep(line, block, query, isOwn, this.#kept, [sum, inverse]);
      }),
    );
    return own;
  }

  /** Results times their cotangents, as these are multiplied: where weights are all or nothing the difference is nothing as well. */
  #sum(scope: Scope, block: Block, arithmetic: Arithmetic, sums: Accumulator): void {
    const { attention, cotangents } = this.#backward;
    if (cotangents === undefined) return;
    const { down, rowLanes } = arithmetic;
    const width = cotangents.depth.constant ?? 0;
    const side = readSide(cotangents, 'left', this.#points.context, false);
    const each = Math.ceil(width / rowLanes);
    const row = (line: Scope, place: ThreadPlace, i: Expr, lane: Expr, thread: Expr): void => {
      const { at } = this.#places.lineAt(line, block, place, i);
      line.loop('j', build.int(each), 'unroll', (j, one) => {
        const n = one.let('n', build.plus(lane, build.times(j, build.int(rowLanes))));
        const add = (where: Scope): void => {
          const cotangent = widthAs('f32', side.element(block.batch, at, n, where));
          const result = widthAs('f32', this.#points.values.at(attention.mixed.node, [...block.batch, at, n], where));
          const value = build.apply('muladd', 'f32', cotangent, result, build.read(sums, [i, thread]));
          where.emit({ kind: 'assign', accumulator: sums, index: [i, thread], value });
        };
        if (each * rowLanes === width) add(one);
        else one.each(build.apply('lt', 'bool', n, build.int(width)), add);
      });
    };
    this.#places.eachThread(scope, arithmetic, (thread, place, vector) => {
      const lane = vector.let('lane', build.modulo(thread, build.int(rowLanes)));
      vector.loop('i', build.int(down), 'unroll', (i, line) => row(line, place, i, lane, thread));
    });
    scope.emit({ kind: 'combine', accumulator: sums, combine: 'sum', lanes: rowLanes });
  }

  #keep(scope: Scope, block: Block, { at, isThere }: Place, isOwn: Expr, to: Buffer, values: readonly Expr[]): void {
    const condition = isThere === undefined ? isOwn : build.apply('and', 'bool', isOwn, isThere);
    scope.each(condition, (inside) => {
      for (const [which, value] of values.entries())
        inside.emit({ kind: 'store', buffer: to, index: this.#keptAt(which, block, at), value });
    });
  }

  readonly #keptAt = (which: number, { batch }: Block, query: Expr): readonly Expr[] => [...batch, query, build.int(which)];

  /** Undefined where nothing is divided by totals, so that nobody stores them. */
  #total(scope: Scope, block: Block, query: Expr): RowTotal | undefined {
    const { node } = this.#backward.attention.total;
    if (this.#points.context.storage.stored(node) === undefined) return undefined;
    const total = this.#points.values.at(node, this.#places.ofRow(node, block, query), scope);
    return { total, inverse: scope.let('inverse', build.apply('div', 'f32', build.constant('f32', 1), widthAs('f32', total))) };
  }

  /** Makes the results of a row known to what is computed in `scope`; `own`: where the thread has them. */
  remember(
    scope: Scope,
    block: Block,
    query: Expr,
    own: readonly [rows: OwnRows, index: readonly Expr[]] | undefined,
  ): RowTotal | undefined {
    const { rowSum } = this.#backward;
    const [rows, index] = own ?? [];
    const kept = this.#kept;
    const found = (which: number, register: Accumulator | undefined): Expr | undefined => {
      if (register !== undefined && index !== undefined) return build.read(register, index);
      return kept === undefined ? undefined : scope.let('kept', build.load(kept, this.#keptAt(which, block, query)));
    };
    const [sum, inverse] = rowSum === undefined ? [] : [found(0, rows?.sums), found(1, rows?.inverses)];
    if (rowSum === undefined || sum === undefined || inverse === undefined) return this.#total(scope, block, query);
    const { node } = rowSum.form;
    scope.remember(valueKey(node, this.#places.ofRow(node, block, query)), widthAs(node.type.dtype, sum));
    const { node: total } = this.#backward.attention.total;
    return { total: this.#points.values.at(total, this.#places.ofRow(total, block, query), scope), inverse };
  }
}

function scaled({ constant, over }: RowSum, sum: Expr, inverse: Expr): Expr {
  let value = constant === 1 ? sum : build.apply('mul', 'f32', sum, build.constant('f32', constant));
  for (let time = 0; time < over; time++) value = build.apply('mul', 'f32', value, inverse);
  return value;
}
