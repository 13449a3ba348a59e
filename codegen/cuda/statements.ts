// Statements of a kernel as instructions of each thread of a block. In: kernel IR and a scope. Out: code at the builder's place.
// Holds: what stands in no vector loop all threads compute alike, and the first of them stores it; in a vector loop each thread takes every
// so many iterations. Where a kernel reads what it stores, all threads wait for each other before and behind whatever stores it.

import { type ExpressionCache, type For, forEachStatement, iterationsOf, type Stmt } from '../../src/kernel/index.js';
import type { KernelPlan } from '../analysis/plan.js';
import { readIn } from '../analysis/register-use.js';
import type { Flow } from '../llvm/emit/control-flow.js';
import type { Expressions } from '../llvm/emit/expressions.js';
import type { Memory } from '../llvm/emit/memory.js';
import { inner, type Partials, type Scalar, type Scope, withIndex } from '../llvm/emit/scope.js';
import type { ThreadAccumulators } from './accumulators.js';
import type { Block, Team, Warp } from './block.js';
import { GroupProducts } from './group-products.js';
import { WarpProducts } from './multiply.js';
import type { SharedMemory } from './shared.js';

export class ThreadStatements {
  readonly #expressions: Expressions;
  readonly #memory: Memory;
  readonly #accumulators: ThreadAccumulators;
  readonly #flow: Flow;
  readonly #plan: KernelPlan;
  readonly #warp: Warp;
  /** Who computes together here. */
  #team: Team;
  readonly #room: SharedMemory;
  readonly #products: WarpProducts;
  readonly #groupProducts: GroupProducts;
  /** Whether four warps multiply what threads bring. */
  readonly #multipliesByGroups: boolean;
  /** Whether all threads have just waited for each other. */
  #settled = false;
  /** Buffers that are stored and read, or stored more than once: by different threads, for all that is known. */
  readonly #shared: ReadonlySet<string>;

  constructor(
    expressions: Expressions,
    memory: Memory,
    accumulators: ThreadAccumulators,
    flow: Flow,
    plan: KernelPlan,
    block: Block,
    warp: Warp,
    room: SharedMemory,
    body: readonly Stmt[],
  ) {
    this.#expressions = expressions;
    this.#memory = memory;
    this.#accumulators = accumulators;
    this.#flow = flow;
    this.#plan = plan;
    this.#team = block;
    this.#warp = warp;
    this.#room = room;
    this.#products = new WarpProducts(expressions, memory, warp);
    this.#groupProducts = new GroupProducts(expressions, memory, warp);
    this.#multipliesByGroups = multipliesByGroups(body);
    this.#shared = sharedBuffers(body, plan.cache);
  }

  /** Emits `stmts` into `scope`, which it extends. */
  emit(stmts: readonly Stmt[], scope: Scope): void {
    for (const stmt of stmts) this.#statement(stmt, scope);
  }

  #statement(stmt: Stmt, scope: Scope): void {
    const memo = new Map();
    const settled = this.#settled;
    this.#settled = false;
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
        if (this.#accumulators.within !== undefined) this.#memory.store(stmt, scope, memo);
        else this.#apart(stmt, settled, () => this.#team.once(() => this.#memory.store(stmt, inner(scope), memo)));
        return;
      // Caches of a GPU are not asked for anything.
      case 'fetch':
        return;
      case 'if':
        this.#branch(stmt, scope);
        return;
      case 'for':
        this.#reducing(stmt, scope, settled);
        return;
      case 'share':
        this.#settled = settled;
        return;
      case 'barrier':
        if (this.#multipliesByGroups) this.#room.fence();
        if (!settled) this.#team.barrier();
        this.#settled = true;
        return;
      case 'copy':
        this.#room.copy(stmt, this.#memory, scope, memo);
        return;
      case 'multiply':
        (stmt.warps === 4 ? this.#groupProducts : this.#products).emit(stmt, scope, memo);
        return;
      case 'settle':
        this.#groupProducts.settle(stmt.open, scope);
        return;
      case 'combine':
        this.#accumulators.combine(stmt, scope, this.#warp);
        return;
      case 'commit':
        this.#room.commit();
        return;
      case 'wait':
        this.#room.wait(stmt.open);
        return;
    }
  }

  #branch(stmt: Stmt & { readonly kind: 'if' }, scope: Scope): void {
    const { value } = this.#expressions.emit(stmt.condition, scope);
    const { otherwise } = stmt;
    const other = otherwise === undefined ? undefined : (): void => this.emit(otherwise, inner(scope));
    this.#flow.choose(value, this.#flow.changed([stmt], scope), () => this.emit(stmt.then, inner(scope)), other);
    this.#settled = false;
  }

  /** Results that each thread keeps for itself live around the loop. */
  #reducing(loop: For, scope: Scope, settled: boolean): void {
    const { partials } = loop;
    if (partials === undefined) {
      this.#loop(loop, scope, settled);
      return;
    }
    const within = inner(scope);
    for (const one of partials) within.partials.set(one.accumulator.name, this.#accumulators.beginPartials(one, scope));
    this.#loop(loop, within, settled);
    for (const { accumulator } of partials)
      this.#accumulators.endPartials(accumulator, within.partials.get(accumulator.name) as Partials, scope);
    this.#settled = false;
  }

  #loop(loop: For, scope: Scope, settled: boolean): void {
    const extent = this.#expressions.scalar(iterationsOf(loop), scope);
    if (loop.axis === 'vector' && this.#accumulators.within === undefined) {
      this.#apart(loop, settled, () => {
        if (loop.limit === undefined) this.#threadsOver(loop, extent, scope);
        else this.#tile(loop, extent, loop.limit, scope);
      });
      return;
    }
    if (loop.warps === true) {
      this.#apart(loop, settled, () => this.#byWarps(loop, extent, scope));
      return;
    }
    if (loop.axis === 'unroll' && typeof extent === 'number') this.#unroll(loop, extent, scope);
    else {
      const asked = loop.while;
      const cells = this.#flow.changed([loop], scope);
      const goesOn = asked === undefined ? undefined : () => this.#accumulators.read(asked, [], scope).value;
      this.#flow.count(0, extent, 1, loop.index, cells, (index) => this.emit(loop.body, withIndex(scope, loop.index, index)), goesOn);
    }
    this.#settled = false;
  }

  /** Each warp has the iteration of its number. */
  #byWarps(loop: For, extent: Scalar, scope: Scope): void {
    const { math, ops } = this.#expressions;
    const block = this.#team;
    const body = (): void => {
      this.#team = this.#accumulators.team = this.#warp;
      this.emit(loop.body, withIndex(scope, loop.index, this.#warp.number));
      this.#team = this.#accumulators.team = block;
    };
    this.#flow.choose(ops.builder.icmp('slt', this.#warp.number, math.value(extent)), [], body);
  }

  #unroll(loop: For, extent: number, scope: Scope): void {
    if (loop.rolled !== true) {
      for (let at = 0; at < extent; at++) this.emit(loop.body, withIndex(scope, loop.index, at));
      return;
    }
    const spilled = inner(scope);
    for (const accumulator of readIn(loop, this.#plan.cache)) this.#accumulators.spill(accumulator, spilled);
    this.#flow.count(0, extent, 1, loop.index, [], (index) => this.emit(loop.body, withIndex(spilled, loop.index, index)));
  }

  /** Each thread from its own number on. */
  #threadsOver(loop: For, extent: Scalar, scope: Scope): void {
    const { math, ops } = this.#expressions;
    const cells = this.#flow.changed([loop], scope);
    const { thread } = this.#team;
    const body = (index: Scalar): void => this.#each(undefined, () => this.emit(loop.body, withIndex(scope, loop.index, index)));
    if (typeof extent === 'number' && extent <= this.#team.threads) {
      if (extent === this.#team.threads) body(thread);
      else this.#flow.choose(ops.builder.icmp('slt', thread, math.value(extent)), cells, () => body(thread));
    } else this.#flow.count(thread, extent, this.#team.threads, loop.index, cells, body);
  }

  /** A register tile: each thread has one element of every chunk. */
  #tile(loop: For, extent: Scalar, limit: number, scope: Scope): void {
    const { math, ops } = this.#expressions;
    const total = typeof extent === 'number' ? Math.min(extent, limit) : limit;
    const cells = this.#flow.changed([loop], scope);
    for (let number = 0; number * this.#team.threads < total; number++) {
      const index = math.add(this.#team.thread, number * this.#team.threads);
      const body = (): void => this.#each({ index: loop.index, number }, () => this.emit(loop.body, withIndex(scope, loop.index, index)));
      if (typeof extent === 'number' && (number + 1) * this.#team.threads <= extent) body();
      else this.#flow.choose(ops.builder.icmp('slt', math.value(index), math.value(extent)), cells, body);
    }
  }

  #each(chunk: { readonly index: string; readonly number: number } | undefined, body: () => void): void {
    this.#accumulators.within = { chunk };
    body();
    this.#accumulators.within = undefined;
  }

  /** All threads wait before and behind a statement that stores what others read; not twice at one place. Shared memory says it itself. */
  #apart(stmt: Stmt, settled: boolean, body: () => void): void {
    let stores = false;
    forEachStatement([stmt], (one) => (stores ||= one.kind === 'store' && this.#shared.has(one.buffer.name)));
    if (stores && !settled) this.#team.barrier();
    body();
    if (stores) this.#team.barrier();
    this.#settled = stores;
  }
}

/** Whether four warps multiply together. */
function multipliesByGroups(body: readonly Stmt[]): boolean {
  let found = false;
  forEachStatement(body, (stmt) => (found ||= stmt.kind === 'multiply' && stmt.warps === 4));
  return found;
}

function sharedBuffers(body: readonly Stmt[], cache: ExpressionCache): ReadonlySet<string> {
  const [stored, shared, loaded] = [new Set<string>(), new Set<string>(), new Set<string>()];
  forEachStatement(body, (stmt) => {
    for (const part of cache.of(stmt)) if (part.kind === 'load') loaded.add(part.buffer.name);
    if (stmt.kind === 'copy') loaded.add(stmt.from.name);
    if (stmt.kind !== 'store' || stmt.buffer.role.kind === 'shared') return;
    if (stored.has(stmt.buffer.name)) shared.add(stmt.buffer.name);
    stored.add(stmt.buffer.name);
  });
  for (const name of stored) if (loaded.has(name)) shared.add(name);
  return shared;
}
