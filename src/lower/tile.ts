// Kernels of matrix products: register tiles with a fused epilogue. In: a tile group and its storage. Out: statements in a scope.
// Holds: every element of the product is one accumulator that sums over the whole depth in order, so neither tile sizes nor threads change its bits; see the note at the end.

import { bytesOf, type Dim } from '../base/index.js';
import type { TensorNode } from '../graph/index.js';
import { type Accumulator, build, type Expr } from '../loop/index.js';
import { combinedAs, identity, spread, tensorOf, type TileForm, widthAs } from './forms.js';
import { type EmitContext, lanesOf, PointEmitter } from './points.js';
import type { Group } from './groups.js';
import { type Scope, valueKey } from './scope.js';

interface TileSizes {
  /** Rows of a full tile, a power of two. */
  readonly rows: number;
  /** Vectors per row of a full tile. */
  readonly vectors: number;
  readonly lanes: number;
}

/** Tiles side by side: `count` tiles from column `first` on, each `width` wide; `ragged`: the last one ends where the columns end. */
interface ColumnClass {
  readonly first: number;
  readonly count: Expr;
  readonly width: number;
  readonly ragged: boolean;
}

/** Rows that one block of a parallel loop takes: enough to reuse the columns of the right side from the nearest cache. */
const rowTilesPerBlock = 8;

export class TileEmitter {
  readonly #points: PointEmitter;
  readonly #form: TileForm;
  readonly #sizes: TileSizes;
  readonly #stored: readonly TensorNode[];

  readonly group: Group;
  readonly context: EmitContext;

  constructor(group: Group, context: EmitContext) {
    this.group = group;
    this.context = context;
    this.#points = new PointEmitter(group, context);
    const tile = group.members.find((member) => member.role === 'tile');
    this.#form = (tile as Extract<typeof tile, { role: 'tile' }>).form;
    this.#sizes = tileSizes(context, this.#form.node);
    this.#stored = group.members.flatMap((member) => (member.role === 'tile' || member.role === 'map' ? [member.node] : []));
  }

  emit(scope: Scope): void {
    const batch = this.#form.batch;
    const parallel = this.context.parallel;
    const inBatch = (body: Scope, before: readonly Expr[]): void => {
      const [next, free] = [batch[before.length], batch.every((dim) => dim.constant === 1)];
      if (next === undefined) return this.#blocks(body, before, parallel && free);
      if (next.constant === 1) return inBatch(body, [...before, build.int(0)]);
      body.loop('b', build.size(next), parallel && batch.slice(0, before.length).every((dim) => dim.constant === 1) ? 'parallel' : 'serial', (b, inner) => inBatch(inner, [...before, b]));
    };
    inBatch(scope, []);
  }

  /** Blocks of rows times tiles of columns. */
  #blocks(scope: Scope, batch: readonly Expr[], parallel: boolean): void {
    const rows = build.size(this.#form.rows);
    const blockRows = build.int(this.#sizes.rows * rowTilesPerBlock);
    const classes = this.#columnClasses();
    const columnTiles = classes.reduce<Expr>((sum, one) => build.plus(sum, one.count), build.int(0));
    const rowBlocks = build.over(build.plus(rows, build.minus(blockRows, build.int(1))), blockRows);
    scope.loop('p', build.times(rowBlocks, columnTiles), parallel ? 'parallel' : 'serial', (p, body) => {
      const start = body.let('row', build.times(build.over(p, columnTiles), blockRows));
      const tile = body.let('tile', build.modulo(p, columnTiles));
      let before: Expr = build.int(0);
      for (const [which, one] of classes.entries()) {
        const after = build.plus(before, one.count);
        const here = (part: Scope): void => {
          const column = part.let('column', build.plus(build.int(one.first), build.times(build.minus(tile, before), build.int(one.width))));
          this.#rowsOfBlock(part, batch, start, column, one);
        };
        if (classes.length === 1) here(body);
        else if (which === 0) body.when(build.apply('lt', 'bool', tile, after), here);
        else if (which === classes.length - 1) body.when(build.apply('ge', 'bool', tile, before), here);
        else body.when(build.apply('and', 'bool', build.apply('ge', 'bool', tile, before), build.apply('lt', 'bool', tile, after)), here);
        before = after;
      }
    });
  }

  /** Full tiles, then what is left of the rows: one tile of the exact height when it is known, else halving tiles. */
  #rowsOfBlock(scope: Scope, batch: readonly Expr[], start: Expr, column: Expr, columns: ColumnClass): void {
    const { rows: height } = this.#sizes;
    const total = this.#form.rows.constant;
    const blockRows = height * rowTilesPerBlock;
    const extent = columns.ragged ? scope.let('width', build.smaller(build.int(columns.width), build.minus(build.size(this.#form.columns), column))) : build.int(columns.width);
    const left = build.minus(build.size(this.#form.rows), start);
    const known = total !== undefined && total % blockRows === 0 ? build.int(blockRows) : total !== undefined && total < blockRows ? build.int(total) : build.smaller(build.int(blockRows), left);
    const here = scope.let('rows', known);
    const full = build.over(here, build.int(height));
    if (build.intValue(full) !== 0) scope.loop('m', full, 'serial', (m, body) => this.#tile(body, batch, body.let('row', build.plus(start, build.times(m, build.int(height)))), height, column, extent, columns.width));
    if (total !== undefined) {
      const rest = total % height;
      if (rest === 0) return;
      const at = build.int(total - rest);
      const last = (body: Scope): void => this.#tile(body, batch, at, rest, column, extent, columns.width);
      if (total < blockRows) last(scope);
      else scope.when(build.apply('le', 'bool', left, build.int(blockRows)), last);
      return;
    }
    // Pairs of rows, then a single one: two more bodies of code instead of one per power of two, and nearly as fast.
    const rest = scope.let('row', build.plus(start, build.times(full, build.int(height))));
    const remaining = build.modulo(here, build.int(height));
    scope.loop('m', build.over(remaining, build.int(2)), 'serial', (m, body) => this.#tile(body, batch, body.let('row', build.plus(rest, build.times(m, build.int(2)))), 2, column, extent, columns.width));
    scope.when(build.apply('ne', 'bool', build.modulo(remaining, build.int(2)), build.int(0)), (body) => this.#tile(body, batch, body.let('row', build.plus(rest, build.minus(remaining, build.int(1)))), 1, column, extent, columns.width));
  }

  #tile(scope: Scope, batch: readonly Expr[], row: Expr, height: number, column: Expr, extent: Expr, width: number): void {
    const node = this.#form.node;
    const dtype = combinedAs(node.type.dtype);
    const [left, right] = node.args.map(tensorOf) as [TensorNode, TensorNode];
    const values = this.#points.values;
    const registers = (stem: string, shape: readonly number[]): Accumulator => {
      const accumulator: Accumulator = { name: scope.names.fresh(stem), dtype, shape };
      scope.emit({ kind: 'declare', accumulator, initial: identity('sum', dtype) });
      return accumulator;
    };
    const lanes = (where: Scope, fill: (j: Expr, body: Scope) => void): void => where.loop('j', extent, 'vector', fill, { limit: width });
    const sums = registers('acc', [height, width]);
    const columns = registers('b', [width]);
    scope.loop('k', build.size(this.#form.depth), 'serial', (k, body) => {
      lanes(body, (j, lane) => lane.emit({ kind: 'assign', accumulator: columns, index: [j], value: widthAs(dtype, values.at(right, [...batch, k, build.plus(column, j)], lane)) }));
      body.loop('i', build.int(height), 'unroll', (i, one) => {
        const a = one.let('a', widthAs(dtype, values.at(left, [...batch, build.plus(row, i), k], one)));
        lanes(one, (j, lane) => lane.emit({ kind: 'accumulate', accumulator: sums, index: [i, j], combine: 'sum', value: build.apply('mul', dtype, a, build.read(columns, [j])) }));
      });
    });
    scope.loop('i', build.int(height), 'unroll', (i, body) =>
      lanes(body, (j, lane) => {
        const index = [...batch, build.plus(row, i), build.plus(column, j)];
        const loops = index.filter((_, at) => (node.type.shape[at] as Dim).constant !== 1);
        // A single row has no loop of its own: its index is 0 wherever the epilogue reads it.
        lane.remember(valueKey(node, spread(node.type.shape, loops)), widthAs(node.type.dtype, build.read(sums, [i, j])));
        this.#points.store(lane, this.#stored, loops);
      }),
    );
  }

  #columnClasses(): ColumnClass[] {
    const { vectors, lanes } = this.#sizes;
    const columns = this.#form.columns.constant;
    if (columns === undefined) {
      const width = vectors * lanes;
      return [{ first: 0, count: build.over(build.plus(build.size(this.#form.columns), build.int(width - 1)), build.int(width)), width, ragged: true }];
    }
    const all = Math.ceil(columns / lanes);
    if (all <= vectors) return [{ first: 0, count: build.int(1), width: columns, ragged: false }];
    // Full tiles, then narrower ones that share the rest evenly, so that no tile is one vector wide if that can be helped.
    let full = Math.floor(all / vectors);
    let rest = all - full * vectors;
    while (rest > 0 && rest < vectors - 1 && full > 0) {
      full -= 1;
      rest += vectors;
    }
    const narrow = rest === 0 ? 0 : Math.ceil(rest / Math.ceil(rest / (vectors - 1)));
    const narrowCount = rest === 0 ? 0 : Math.ceil(rest / narrow);
    const ragged = columns % lanes !== 0;
    const classes: ColumnClass[] = [];
    if (full > 0) classes.push({ first: 0, count: build.int(full), width: vectors * lanes, ragged: ragged && narrowCount === 0 });
    if (narrowCount > 0) classes.push({ first: full * vectors * lanes, count: build.int(narrowCount), width: narrow * lanes, ragged: ragged || narrow * narrowCount !== rest });
    return classes;
  }
}

function tileSizes(context: EmitContext, node: TensorNode): TileSizes {
  const lanes = lanesOf(context.target, bytesOf(node.type.dtype));
  return context.target.vectorRegisters === 32 ? { rows: 8, vectors: 3, lanes } : { rows: 4, vectors: 3, lanes };
}

/* Note: register tiles.
   A tile of R rows and V vectors needs R·V accumulators, V vectors of the right side and one broadcast element of the left side: R·V + V + 1 registers, 28 of 32 with 8×3, 16 of 16 with 4×3. The left
   side is read element by element, so it may have any strides; the right side must be contiguous along columns, else it is packed by a kernel of its own. Per step of the depth the tile does R·V multiply-adds
   for R + V loads, so arithmetic is the limit as soon as R, V ≥ 2. */
