// Statements of a kernel as LLVM instructions. In: kernel IR and a scope. Out: code at the builder's place. Holds: a vector loop runs whole
// vectors first and its rest with masks (or lane by lane where the processor has none); a tile whose last columns may be missing gets a
// variant without masks for when none is.

import { InternalError } from '../../../src/base/index.js';
import { type Expr, type For, forEachStatement, iterationsOf, type Stmt, visitExpr } from '../../../src/kernel/index.js';
import { extentVariants } from '../../../src/target/index.js';
import type { AccumulatorFile } from './accumulators.js';
import type { Expressions, Memo } from './expressions.js';
import type { Flow } from './control-flow.js';
import { partsOf } from '../../analysis/interleave.js';
import type { LlvmValue } from '../builder/index.js';
import type { Memory } from './memory.js';
import type { KernelPlan } from '../../analysis/plan.js';
import { readIn } from '../../analysis/register-use.js';
import { copied, inner, type Lanes, type Partials, type PartialTile, type Scalar, type Scope, withIndex } from './scope.js';
import type { CpuLevel } from '../isa/isa.js';

export class Statements {
  readonly #expressions: Expressions;
  readonly #memory: Memory;
  readonly #accumulators: AccumulatorFile;
  readonly #flow: Flow;
  readonly #plan: KernelPlan;
  readonly #cpu: CpuLevel;
  /** Found once for all copies of a statement. */
  readonly #tiles = new Map<Stmt, readonly For[]>();

  constructor(expressions: Expressions, memory: Memory, accumulators: AccumulatorFile, flow: Flow, plan: KernelPlan, cpu: CpuLevel) {
    this.#expressions = expressions;
    this.#memory = memory;
    this.#accumulators = accumulators;
    this.#flow = flow;
    this.#plan = plan;
    this.#cpu = cpu;
  }

  /** Emits `stmts` into `scope`, which it extends. */
  emit(stmts: readonly Stmt[], scope: Scope): void {
    const open = scope.lanes === undefined && stmts.some((stmt) => this.#tilesIn(stmt).length > 0);
    for (const [at, stmt] of stmts.entries()) {
      if (!open) {
        this.#statement(stmt, scope);
        continue;
      }
      const rest = stmts.slice(at);
      for (let tile = this.#openTile(rest, scope); tile !== undefined; tile = this.#openTile(rest, scope)) {
        if (!this.#cpu.maskRegisters && scope.extents.size < extentVariants) {
          this.#emitVariants(tile, rest, scope);
          return;
        }
        scope.extents.set(tile.key, this.#partial(tile, this.#expressions.scalar(tile.extent, scope)));
      }
      this.#statement(stmt, scope);
    }
  }

  #statement(stmt: Stmt, scope: Scope, memo: Memo = new Map()): void {
    switch (stmt.kind) {
      case 'let':
        scope.lets.set(stmt.name, { value: this.#expressions.emit(stmt.value, scope, memo), depth: scope.depth });
        return;
      case 'declare':
        this.#accumulators.declare(stmt.accumulator, stmt.initial, scope);
        return;
      case 'accumulate':
        this.#accumulators.accumulate(stmt.accumulator, stmt.index, stmt.combine, stmt.value, scope, memo);
        return;
      case 'assign':
        this.#accumulators.assign(stmt.accumulator, stmt.index, stmt.value, scope, memo);
        return;
      case 'store':
        this.#memory.store(stmt, scope, memo);
        return;
      case 'fetch':
        this.#memory.fetch(stmt, scope, memo);
        return;
      case 'if':
        this.#branch(stmt, scope, memo);
        return;
      case 'for':
        this.#reducing(stmt, scope);
        return;
      case 'share':
      case 'barrier':
      case 'copy':
      case 'multiply':
      case 'combine':
      case 'commit':
      case 'wait':
      case 'settle':
        throw new InternalError('codegen', `${stmt.kind}, which only blocks of threads do`);
    }
  }

  #branch(stmt: Stmt & { readonly kind: 'if' }, scope: Scope, memo: Memo): void {
    const { value, lanes } = this.#expressions.emit(stmt.condition, scope, memo);
    if (lanes !== 1) throw new InternalError('codegen', 'a condition depends on the lanes of a vector loop');
    const otherwise = stmt.otherwise === undefined ? undefined : () => this.emit(stmt.otherwise ?? [], inner(scope));
    this.#flow.choose(value, this.#flow.changed([stmt], scope), () => this.emit(stmt.then, inner(scope)), otherwise);
  }

  /** A tile loop among `stmts` whose extent is decided by what is in scope now, but is not known yet. */
  #openTile(stmts: readonly Stmt[], scope: Scope): OpenTile | undefined {
    const first = stmts[0];
    if (first === undefined || first.kind === 'let') return undefined;
    for (const loop of stmts.flatMap((stmt) => this.#tilesIn(stmt))) {
      if (loop.limit === undefined || this.#expressions.known(loop.extent, scope) !== undefined) continue;
      const key = this.#expressions.forms.key(loop.extent);
      if (!scope.extents.has(key) && isOpen(loop.extent, scope))
        return { extent: loop.extent, key, limit: loop.limit, least: loop.least ?? 0, lanes: loop.lanes ?? 1 };
    }
    return undefined;
  }

  #tilesIn(stmt: Stmt): readonly For[] {
    let tiles = this.#tiles.get(stmt);
    if (tiles === undefined) this.#tiles.set(stmt, (tiles = openTiles(stmt)));
    return tiles;
  }

  #emitVariants(tile: OpenTile, stmts: readonly Stmt[], scope: Scope): void {
    const { ops, math } = this.#expressions;
    const extent = math.value(this.#expressions.scalar(tile.extent, scope));
    const [full, part] = [inner(scope), inner(scope)];
    full.extents.set(tile.key, tile.limit);
    const whole = (): void => this.emit(stmts, full);
    this.#flow.choose(ops.builder.icmp('eq', extent, math.value(tile.limit)), this.#flow.changed(stmts, scope), whole, () => {
      part.extents.set(tile.key, this.#partial(tile, extent));
      this.emit(stmts, part);
    });
  }

  #partial(tile: OpenTile, extent: Scalar): number | PartialTile {
    if (typeof extent === 'number') return extent;
    const { ops, math } = this.#expressions;
    const chunks = Array.from({ length: Math.ceil(tile.limit / tile.lanes) }, (_, at) => at * tile.lanes);
    return {
      extent,
      masks: chunks.map((base) =>
        base + tile.lanes <= tile.least ? undefined : this.#mask(tile.lanes, ops.builder.sub(extent, math.value(base))),
      ),
    };
  }

  /** Per-lane partial results live around the loop that keeps them. */
  #reducing(loop: For, scope: Scope): void {
    const { partials } = loop;
    if (partials === undefined) {
      this.#loop(loop, scope);
      return;
    }
    const within = inner(scope);
    for (const one of partials) within.partials.set(one.accumulator.name, this.#accumulators.beginPartials(one, scope));
    this.#loop(loop, within);
    for (const { accumulator } of partials)
      this.#accumulators.endPartials(accumulator, within.partials.get(accumulator.name) as Partials, scope);
  }

  #loop(loop: For, scope: Scope): void {
    const decided = scope.extents.get(this.#expressions.forms.key(loop.extent));
    const extent =
      decided === undefined ? this.#expressions.scalar(iterationsOf(loop), scope) : typeof decided === 'number' ? decided : decided.extent;
    const lanes = scope.lanes === undefined && loop.axis === 'vector' ? (loop.lanes ?? 1) : 1;
    if (lanes > 1) {
      if (loop.limit === undefined) this.#strip(loop, extent, lanes, scope);
      else this.#tile(loop, extent, loop.limit, lanes, typeof decided === 'object' ? decided.masks : undefined, scope);
    } else if (loop.axis === 'unroll' && typeof extent === 'number') {
      if (loop.rolled !== true) {
        const around =
          loop.transpose === true ? copied(scope, { square: { index: loop.index, count: extent, columns: new Map() } }) : scope;
        for (let at = 0; at < extent; at++) this.emit(loop.body, withIndex(around, loop.index, at));
      } else {
        const spilled = inner(scope);
        for (const accumulator of readIn(loop, this.#plan.cache)) this.#accumulators.spill(accumulator, spilled);
        this.#flow.count(0, extent, 1, loop.index, [], (index) => this.emit(loop.body, withIndex(spilled, loop.index, index)));
      }
    } else {
      const asked = loop.while;
      this.#flow.count(
        0,
        extent,
        1,
        loop.index,
        this.#flow.changed([loop], scope),
        (index, multiples) =>
          this.emit(loop.body, withIndex(scope, loop.index, index, this.#plan.innermost.has(loop) ? multiples : undefined)),
        asked === undefined ? undefined : () => this.#accumulators.read(asked, [], scope).value,
      );
    }
  }

  /** A register tile: every chunk written out, with the lanes that the extent leaves. */
  #tile(loop: For, extent: Scalar, limit: number, lanes: number, masks: PartialTile['masks'] | undefined, scope: Scope): void {
    const { ops, math } = this.#expressions;
    const total = typeof extent === 'number' ? Math.min(extent, limit) : limit;
    const splats = isStraight(loop.body) ? { values: new Map(), lets: new Set(scope.lets.keys()) } : undefined;
    for (let base = 0; base < total; base += lanes) {
      const mask =
        typeof extent === 'number'
          ? this.#constantMask(lanes, extent - base)
          : masks === undefined
            ? this.#mask(lanes, ops.builder.sub(extent, math.value(base)))
            : masks[base / lanes];
      this.#chunk(loop, { lanes, base, mask, active: undefined, copy: 0, splats, ahead: undefined }, scope);
    }
  }

  /** Whole vectors, then the rest. */
  #strip(loop: For, extent: Scalar, lanes: number, scope: Scope): void {
    const { ops, math } = this.#expressions;
    const { interleave = 1, ahead } = loop;
    const whole = this.#roundDown(extent, lanes);
    const cells = this.#flow.changed([loop], scope);
    const chunk = (base: Scalar, mask: LlvmValue | undefined, copy: number, active?: Scalar): void =>
      this.#chunk(loop, { lanes, base, mask, active, copy, splats: undefined, ahead }, scope);
    if (loop.straight === true && typeof whole === 'number') {
      for (let base = 0; base < whole; base += lanes) chunk(base, undefined, (base / lanes) % interleave);
    } else {
      let done: Scalar = 0;
      if (interleave > 1) {
        done = this.#roundDown(extent, lanes * interleave);
        this.#flow.count(0, done, lanes * interleave, loop.index, cells, (base) => {
          if (loop.jam === true) this.#jammed(loop, lanes, interleave, base, scope);
          else for (let copy = 0; copy < interleave; copy++) chunk(math.add(base, copy * lanes), undefined, copy);
        });
      }
      this.#flow.count(done, whole, lanes, loop.index, cells, (base) => chunk(base, undefined, 0));
    }
    if (!this.#cpu.masks) {
      this.#flow.count(whole, extent, 1, loop.index, cells, (index) => this.emit(loop.body, withIndex(scope, loop.index, index)));
      return;
    }
    if (typeof extent === 'number') {
      const rest = extent - (whole as number);
      if (rest > 0) chunk(whole, this.#constantMask(lanes, rest), 0, rest);
      return;
    }
    const rest = ops.builder.sub(extent, math.value(whole), { nsw: true });
    this.#flow.choose(ops.builder.icmp('sgt', rest, math.value(0)), cells, () => chunk(whole, this.#mask(lanes, rest), 0, rest));
  }

  /** Several vectors, operation by operation. */
  #jammed(loop: For, lanes: number, interleave: number, base: Scalar, scope: Scope): void {
    const { math } = this.#expressions;
    const bases = Array.from({ length: interleave }, (_, at) => math.add(base, at * lanes));
    const scopes = bases.map((one) =>
      this.#within(loop, { lanes, base: one, mask: undefined, active: undefined, copy: 0, splats: undefined, ahead: loop.ahead }, scope),
    );
    for (const stmt of loop.body) {
      const memos = scopes.map((): Memo => new Map());
      for (const part of partsOf(stmt)) for (const [at, one] of scopes.entries()) this.#expressions.emit(part, one, memos[at]);
      for (const [at, one] of scopes.entries()) this.#statement(stmt, one, memos[at]);
    }
  }

  #chunk(loop: For, given: Omit<Lanes, 'index' | 'depth'>, scope: Scope): void {
    this.emit(loop.body, this.#within(loop, given, scope));
  }

  #within(loop: For, given: Omit<Lanes, 'index' | 'depth'>, scope: Scope): Scope {
    const depth = scope.depth + 1;
    const lanes: Lanes = { ...given, index: loop.index, depth };
    // Chunks at known places follow one another; the others stand in loops and branches of their own.
    const within = typeof given.base === 'number' ? copied(scope, { depth, lanes }) : inner(scope, { depth, lanes });
    within.indices.set(loop.index, { value: given.base, depth });
    return within;
  }

  #roundDown(extent: Scalar, to: number): Scalar {
    const { ops } = this.#expressions;
    if (typeof extent === 'number') return Math.floor(extent / to) * to;
    return ops.builder.and(extent, this.#expressions.math.value(-to));
  }

  #constantMask(lanes: number, active: number): LlvmValue | undefined {
    return active >= lanes ? undefined : this.#expressions.ops.firstLanes(lanes, active);
  }

  /** Lanes below `active` (i64, may be negative). */
  #mask(lanes: number, active: LlvmValue): LlvmValue {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const { i32 } = module.types;
    const order = ops.steps(i32, lanes, 1);
    const bounded = build.select(build.icmp('sgt', active, module.i64(lanes)), module.i64(lanes), active);
    return build.icmp('slt', order, build.splat(lanes, build.trunc(bounded, i32)));
  }
}

/** Without stores, branches and counted loops: what all lanes read stays the same from chunk to chunk. */
const isStraight = (stmts: readonly Stmt[]): boolean =>
  stmts.every(
    (stmt) => stmt.kind === 'let' || stmt.kind === 'accumulate' || (stmt.kind === 'for' && stmt.axis === 'unroll' && isStraight(stmt.body)),
  );

/** Tiles in a statement whose extents are not known before the code is emitted, outermost first. */
function openTiles(stmt: Stmt): readonly For[] {
  const found: For[] = [];
  forEachStatement([stmt], (one) => {
    if (one.kind === 'for' && one.axis === 'vector' && one.limit !== undefined && one.extent.kind !== 'const') found.push(one);
  });
  return found;
}

interface OpenTile {
  readonly extent: Expr;
  readonly key: string;
  readonly limit: number;
  readonly least: number;
  readonly lanes: number;
}

/** Whether every name in the expression has its value here. */
function isOpen(expr: Expr, scope: Scope): boolean {
  let open = true;
  visitExpr(expr, (part) => {
    if (part.kind === 'index' && !scope.indices.has(part.name)) open = false;
    if (part.kind === 'name' && !scope.lets.has(part.name)) open = false;
    if (part.kind === 'load' || part.kind === 'read') open = false;
  });
  return open;
}
