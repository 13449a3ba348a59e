// What a register tile asks for before it needs it, by `fetch` (see the note at the end). In: a product, its tiling, where its operands and
// results are stored; a tile and a step of its depth. Out: fetches in a scope.
// Holds: no value changes; processors find by themselves what lies together in the order in which it is read, so only the rest is asked
// for.

import { bytesOf, type Dim } from '../../../../base/index.js';
import type { Node, TensorNode } from '../../../../graph/index.js';
import { type Buffer, build, type Expr } from '../../../../kernel/index.js';
import {
  assumedDepth,
  assumedRows,
  type CpuTarget,
  fedLineCycles,
  lineBytes,
  lineCycles,
  nearBytes,
  roomyStep,
  vectorsPerCycle,
} from '../../../../target/index.js';
import { rightIndex, spread, tensorOf, type MatmulForm } from '../../../form/forms.js';
import { loadOfLeft, strideOfLeft } from '../../../form/operands.js';
import { panelIndex } from './pack.js';
import type { EmitContext } from '../../common/emitter.js';
import type { Scope } from '../../../form/scope.js';

/** Where a tile begins in the product, and which of its rows and columns exist. */
export interface Place {
  readonly batch: readonly Expr[];
  readonly row: Expr;
  /** Rows of the tile that do not exist are computed as the last one that does, and not stored. */
  readonly end: Expr | undefined;
  readonly column: Expr;
  readonly extent: Expr;
  /** The fewest columns that `extent` may be. */
  readonly least: number | undefined;
  /** Columns of a whole tile. */
  readonly width: number;
  /** Where the right side is read from, if not from its own place. */
  readonly panel: Buffer | undefined;
  /** Tiles of the block before this one, with the same columns. */
  readonly before: Expr;
}

/** A step of the depth: its number, and where it is along each inner axis. */
export interface Step {
  readonly k: Expr;
  readonly along: readonly Expr[];
}

/** Runs `fill` for the columns of a tile, in lanes. */
export type Vectors = (where: Scope, fill: (j: Expr, body: Scope) => void) => void;

export class TileFetch {
  readonly #form: MatmulForm;
  readonly #context: EmitContext;
  readonly #lanes: number;
  /** Tiles below one another in a block. */
  readonly #tiles: number;
  readonly #stored: readonly TensorNode[];
  readonly #target: CpuTarget;
  /** The left side if each step of the depth reads another line of it, so far from the one before that no processor guesses it. */
  readonly #leftApart: Buffer | undefined;
  readonly #right: Buffer | undefined;
  /** Whether rows of the right side do not start on lines. */
  readonly #isBetweenLines: boolean;

  constructor(form: MatmulForm, context: EmitContext, lanes: number, tiles: number, stored: readonly TensorNode[], target: CpuTarget) {
    this.#target = target;
    this.#form = form;
    this.#context = context;
    this.#lanes = lanes;
    this.#tiles = tiles;
    this.#stored = stored;
    const along = (loops: readonly string[]): number | undefined =>
      strideOfLeft(form, loops, (node) => context.storage.stored(node), context.forms);
    const isApart = form.inner.length === 1 && along(['m', 'k0']) === 1 && along(['k0', 'm']) !== 1;
    const first = [...form.batch, form.rows, ...form.inner].map(() => build.int(0));
    this.#leftApart = isApart ? loadOfLeft(form, first, (node) => context.storage.stored(node), context.forms)?.buffer : undefined;
    const right = context.storage.stored(tensorOf(form.node.args[1] as Node));
    this.#right = right?.kind === 'buffer' ? right.buffer : undefined;
    this.#isBetweenLines =
      this.#right !== undefined && ((this.#right.strides.at(-2)?.constant ?? 1) * bytesOf(this.#right.dtype)) % lineBytes !== 0;
  }

  /** What one step of the depth asks for, beside the right side. */
  step(scope: Scope, place: Place, height: number, step: Step, vectors: Vectors): void {
    const { k } = step;
    this.#next(scope, place, k);
    // Where rows do not start on lines, the last element of the tile is on one more than its vectors ask for.
    if (place.panel === undefined && this.#isBetweenLines) this.right(scope, place, height, step, build.int(place.width - 1));
    if (this.#leftApart !== undefined) this.#left(scope, this.#leftApart, place, height, k);
    if (place.end === undefined) this.#written(scope, place, height, k, vectors);
  }

  /** The right side some steps ahead, if the nearest cache does not keep the tile's columns of it from tile to tile. */
  right(vector: Scope, { batch, column, width, panel }: Place, height: number, step: Step, j: Expr): void {
    const { depth, node } = this.#form;
    const buffer = panel ?? this.#right;
    const bytes = width * bytesOf(node.type.dtype) + (panel === undefined && this.#isBetweenLines ? lineBytes : 0);
    if (buffer === undefined || (depth.constant ?? assumedDepth) * bytes <= nearBytes(this.#target)) return;
    const ahead = build.int(this.#stepsAhead(buffer, height, width));
    const later = [...step.along.slice(0, -1), build.plus(step.along.at(-1) as Expr, ahead)];
    const index =
      panel === undefined
        ? rightIndex(this.#form, batch, later, build.plus(column, j))
        : [panelIndex(this.#form, width, this.#lanes, column, build.plus(step.k, ahead), j)];
    vector.emit({ kind: 'fetch', to: 'read', buffer, index });
  }

  /** Steps of the depth in which a line comes. What the caller gives no other core has written. */
  #stepsAhead({ role }: Buffer, height: number, width: number): number {
    const cycles = role.kind === 'feed' ? fedLineCycles : lineCycles;
    return Math.ceil(cycles / ((height * width) / this.#lanes / vectorsPerCycle));
  }

  /**
   * The left side some steps ahead: the lines of the tile's first and of its last row. Where those are less than half a line apart, the
   * tile above has mostly asked for the first.
   */
  #left(scope: Scope, buffer: Buffer, { batch, row, width }: Place, height: number, k: Expr): void {
    const later = build.plus(k, build.int(this.#stepsAhead(buffer, height, width)));
    const isShort = 2 * height * bytesOf(this.#form.node.type.dtype) < lineBytes;
    for (const at of new Set([isShort ? height - 1 : 0, height - 1])) {
      const load = loadOfLeft(
        this.#form,
        [...batch, build.plus(row, build.int(at)), later],
        (node) => this.#context.storage.stored(node),
        this.#context.forms,
        scope,
      );
      if (load !== undefined) scope.emit({ kind: 'fetch', to: 'read', buffer: load.buffer, index: load.index });
    }
  }

  /**
   * What the epilogue writes, a row in each of the first steps of the depth: as many at once would keep operands waiting. Variables may
   * have been read by another thread last; other results matter where the nearest cache does not hold them.
   */
  #written(scope: Scope, { batch, row, column, width }: Place, height: number, k: Expr, vectors: Vectors): void {
    const { shape, dtype } = this.#form.node.type;
    const elements = shape.reduce((count, size) => count * (size.constant ?? assumedRows), 1);
    const isRoomy = (height * width) / this.#lanes >= roomyStep;
    const isFar = isRoomy && elements * bytesOf(dtype) > nearBytes(this.#target);
    const places = this.#stored.flatMap((node) =>
      this.#context.storage
        .destinations(node)
        .flatMap((to) => (to.kind === 'buffer' && (isFar || to.buffer.role.kind === 'variable') ? [{ node, ...to }] : [])),
    );
    if (places.length === 0) return;
    scope.when(build.apply('lt', 'bool', k, build.int(height)), (body) =>
      vectors(body, (j, vector) => {
        const index = [...batch, build.plus(row, k), build.plus(column, j)].filter((_, at) => (shape[at] as Dim).constant !== 1);
        for (const { node, buffer, prefix } of places)
          vector.emit({ kind: 'fetch', to: 'write', buffer, index: [...prefix, ...spread(node.type.shape, index)] });
      }),
    );
  }

  /**
   * A piece of the panel to the right of this one. The first tile that reads it would wait for each of its lines; so the tiles of a block
   * ask for it before, each for as much in each step of the depth.
   */
  #next(scope: Scope, { panel, column, width, before }: Place, k: Expr): void {
    if (panel === undefined) return;
    const depth = build.size(this.#form.depth);
    const piece = build.int(Math.ceil(width / this.#tiles));
    const next = build.times(build.plus(column, build.int(width)), depth);
    scope.emit({
      kind: 'fetch',
      to: 'later',
      buffer: panel,
      index: [build.plus(next, build.times(build.plus(build.times(before, depth), k), piece))],
    });
  }
}

/* Note: asking ahead.
   A step of f32[128, 1024] @ f32[1024, 1024], which reads its right side from panels, without and with fetches:

     vector for j11 in 0..48 limit 48 { b9[j11] = t0[column5 * 1024 + k10 * 48 + j11] }

     vector for j11 in 0..48 limit 48 {
       b9[j11] = t0[column5 * 1024 + k10 * 48 + j11]
       fetch t0[column5 * 1024 + (k10 + 17) * 48 + j11]
     }
     fetch later t0[(column5 + 48) * 1024 + (m6 * 1024 + k10) * 3]

   A line from afar takes some two hundred cycles, a step of this tile twelve: asked for seventeen steps ahead it is there in time. The
   second fetch brings the next panel, a piece in each step, as near as the second-level cache: the nearest one has no room for it. What
   is read as it lies, in rows that do not start on lines, has a line more than vectors: `fetch in_w[k10 + 17, column5 + 15]` is that of
   a tile 16 columns wide. T. C. Mowry, M. S. Lam and A. Gupta, "Design and Evaluation of a Compiler Algorithm for Prefetching", ASPLOS
   1992, has the distance as latency over the time of an iteration. Shown by "tiles ask ahead for what no processor guesses: …" and "tiles
   ask for one line more of rows that do not start on lines, …" in test/lower/facts.test.ts. */
