// What loops say about how they run. In: a kernel's body that is sound otherwise. Out: the first rule of `verify.ts` that it breaks, if
// any. Holds: code that is made as the loops say computes what the kernel means.

import type { Accumulator, Ahead, For, PartialResult, Stmt } from './ir.js';
import { bodiesOf, changedBy, computes, forEachStatement } from './walk.js';
import { indexedBy, mentions, type Sources, sourcesOf, ExpressionCache } from './expression-cache.js';
import { isWhole } from './whole-vectors.js';

export interface ScheduleProblem {
  readonly rule: 'width' | 'partials' | 'interleave' | 'nontemporal' | 'rolled' | 'transpose';
  readonly message: string;
}

/** `vectorized`: loops must say all that code generators ask. */
export function scheduleProblem(body: readonly Stmt[], vectorized: boolean): ScheduleProblem | undefined {
  if (!vectorized && !saysAnything(body)) return undefined;
  const checker = new Checker(body, vectorized);
  checker.body(body, { declared: new Set(), kept: new Map(), vector: undefined });
  return checker.problem;
}

interface Around {
  /** Accumulators in scope. */
  readonly declared: ReadonlySet<string>;
  /** Of them, those whose results loops around keep in lanes. */
  readonly kept: ReadonlyMap<string, PartialResult>;
  readonly vector: For | undefined;
}

class Checker {
  problem: ScheduleProblem | undefined;
  readonly #vectorized: boolean;
  readonly #cache = new ExpressionCache();
  readonly #body: readonly Stmt[];
  #sources: Sources | undefined;
  /** Lanes of the loops that index the accumulators of a name. */
  readonly #widths = new Map<string, number | undefined>();

  constructor(body: readonly Stmt[], vectorized: boolean) {
    this.#vectorized = vectorized;
    this.#body = body;
  }

  body(stmts: readonly Stmt[], around: Around): void {
    const declared = new Set(around.declared);
    const scope = { ...around, declared };
    for (const stmt of stmts) {
      if (stmt.kind === 'declare') declared.add(stmt.accumulator.name);
      this.#uses(stmt, scope);
      if (stmt.kind === 'store' && stmt.nontemporal === true) this.#past(stmt, around.vector);
      if (stmt.kind === 'for') this.#loop(stmt, scope);
      else for (const inner of bodiesOf(stmt)) this.body(inner, scope);
    }
  }

  #loop(loop: For, around: Around): void {
    const { index, axis, limit, lanes, interleave, jam, straight, rolled, transpose, ahead, partials = [] } = loop;
    const isVector = axis === 'vector';
    if (lanes === undefined) {
      if (isVector && this.#vectorized) this.#fail('width', `${index} has no lanes`);
    } else if (!isVector || !Number.isInteger(Math.log2(lanes)) || lanes < 1) this.#fail('width', `${index} has the lanes ${lanes}`);
    if (isVector && limit !== undefined) for (const name of indexedBy(loop, this.#cache)) this.#sameWidth(name, lanes);

    const turns = interleave ?? 1;
    if ((interleave !== undefined || straight === true) && (!isVector || limit !== undefined))
      this.#fail('interleave', `${index} is no vector loop of any extent`);
    if (!Number.isInteger(turns) || turns < 1) this.#fail('interleave', `${index} computes ${turns} vectors at once`);
    if (jam === true && (interleave === undefined || !loop.body.every(computes)))
      this.#fail('interleave', `${index} is jammed and does more than compute several vectors`);

    if (ahead !== undefined) this.#ahead(loop, ahead);

    if (rolled === true) {
      const changed = changedIn(loop);
      if (axis !== 'unroll' || around.vector !== undefined) this.#fail('rolled', `${index} is rolled and is no unrolled loop by itself`);
      for (const name of around.declared) if (changed.has(name)) this.#fail('rolled', `${index} is rolled and changes ${name}`);
    }

    const copies = loop.extent.kind === 'const' ? Number(loop.extent.value) : Infinity;
    if (transpose === true && (axis !== 'unroll' || around.vector === undefined || copies > (around.vector.lanes ?? copies)))
      this.#fail('transpose', `${index} makes no square with the lanes of ${around.vector?.index ?? 'a vector loop'}`);

    const kept = new Map(around.kept);
    for (const one of partials) {
      const { name } = one.accumulator;
      if (around.vector !== undefined || !around.declared.has(name) || kept.has(name) || one.chains < 1)
        this.#fail('partials', `${index} keeps results of ${name}, which are none of its own`);
      kept.set(name, one);
    }
    this.body(loop.body, { ...around, kept, vector: around.vector ?? (isVector ? loop : undefined) });
  }

  #past(store: Stmt & { readonly kind: 'store' }, vector: For | undefined): void {
    const { lets, loaded } = (this.#sources ??= sourcesOf(this.#body, this.#cache));
    const { name } = store.buffer;
    if (loaded.has(name)) this.#fail('nontemporal', `${name} is stored past the caches and loaded`);
    if (vector === undefined || vector.limit !== undefined || !isWhole(store, vector, vector.lanes ?? 1, lets))
      this.#fail('nontemporal', `what is stored past the caches into ${name} are no whole vectors`);
  }

  #ahead({ index, axis, limit }: For, { bytes, buffers }: Ahead): void {
    const { loaded } = (this.#sources ??= sourcesOf(this.#body, this.#cache));
    if (axis !== 'vector' || limit !== undefined) this.#fail('nontemporal', `${index} loads ahead and is no vector loop of any extent`);
    if (!Number.isInteger(bytes) || bytes < 1) this.#fail('nontemporal', `${index} loads ahead by ${bytes} bytes`);
    for (const { name } of buffers)
      if (!loaded.has(name)) this.#fail('nontemporal', `${index} asks ahead for ${name}, which is not loaded`);
  }

  #sameWidth(name: string, lanes: number | undefined): void {
    const known = this.#widths.has(name) ? this.#widths.get(name) : lanes;
    if (known !== lanes) this.#fail('width', `${name} is indexed by loops of ${known} and of ${lanes} lanes`);
    this.#widths.set(name, lanes);
  }

  /** What a statement does to accumulators whose results are kept in lanes. */
  #uses(stmt: Stmt, { declared, kept, vector }: Around): void {
    for (const part of kept.size === 0 ? [] : this.#cache.of(stmt))
      if (part.kind === 'read' && kept.has(part.accumulator.name))
        this.#fail('partials', `${part.accumulator.name} is read while its results are kept in lanes`);
    const changes = stmt.kind === 'accumulate' ? undefined : changedBy(stmt);
    if (changes !== undefined && kept.has(changes.name))
      this.#fail('partials', `${changes.name} is assigned while its results are kept in lanes`);
    if (stmt.kind !== 'accumulate') return;
    const { accumulator, combine, index } = stmt;
    const lanes = vector?.lanes ?? 1;
    const isOver = vector !== undefined && lanes > 1 && !index.some((at) => mentions(at, vector.index));
    const one = kept.get(accumulator.name);
    if (one === undefined) {
      if (this.#vectorized && isOver && declared.has(accumulator.name) && !this.#isOfLane(accumulator, vector))
        this.#fail('partials', `lanes of ${vector.index} combine into ${accumulator.name}, whose results no loop keeps`);
    } else if (!isOver || one.combine !== combine || one.lanes !== lanes)
      this.#fail('partials', `${accumulator.name} is combined otherwise than its results are kept`);
  }

  /** Whether each lane has the accumulator for itself. */
  #isOfLane(accumulator: Accumulator, vector: For): boolean {
    let inside = false;
    forEachStatement(vector.body, (stmt) => {
      if (stmt.kind === 'declare' && stmt.accumulator.name === accumulator.name) inside = true;
    });
    return inside;
  }

  #fail(rule: ScheduleProblem['rule'], message: string): void {
    this.problem ??= { rule, message };
  }
}

/** Kernels that no target was asked about say nothing. */
function saysAnything(body: readonly Stmt[]): boolean {
  let says = false;
  forEachStatement(body, (stmt) => {
    if (stmt.kind === 'store') says ||= stmt.nontemporal !== undefined;
    if (stmt.kind !== 'for') return;
    const { lanes, partials, interleave, jam, straight, rolled, transpose, ahead } = stmt;
    says ||= [lanes, partials, interleave, jam, straight, rolled, transpose, ahead].some((one) => one !== undefined);
  });
  return says;
}

function changedIn(loop: For): ReadonlySet<string> {
  const changed = new Set<string>();
  forEachStatement(loop.body, (stmt) => {
    const accumulator = changedBy(stmt);
    if (accumulator !== undefined) changed.add(accumulator.name);
  });
  return changed;
}
