// What statements do, counted without running them. In: the body of a kernel. Out: FLOPs, and how many elements of each buffer are read and
// written, as sizes. Undefined when a loop's extent has no such size.
// Holds: loops say which axis they cut into blocks and which of them run over a part, and the blocks together run over the whole; where
// their number depends on sizes, what a block does once counts for the most blocks there can be; an element counts once however often it
// is touched; of a condition on sizes the side counts that the cost model assumes, of any other both.

import { Dim, elementCount } from '../../base/index.js';
import { type Buffer, build, type Expr, expressionsOf, exprKey, type For, type Stmt, visitExpr } from '../../kernel/index.js';
import { flopsOfStatement } from '../../ops/index.js';
import { assumed } from '../fuse/cost-model.js';

export interface Touched {
  readonly buffer: Buffer;
  readonly read: Dim;
  readonly written: Dim;
}

export interface Counted {
  readonly flops: Dim;
  readonly touched: readonly Touched[];
}

interface Loop {
  /** How often its body runs; undefined: so many blocks that only the loop over their elements says how many these are. */
  readonly times: Dim | undefined;
  /** The loop over the elements of a block, which stands for this one as well. */
  readonly within?: string;
  /** How often this loop alone runs, where another stands for it. */
  readonly alone?: Dim | undefined;
  /** Points of the axis whose blocks it runs over. */
  readonly blocks?: Dim | undefined;
}

/** Elements of one buffer by the shape of the access: accesses alike touch the same elements. */
type Accesses = Map<string, Dim>;

export function countStatements(body: readonly Stmt[]): Counted | undefined {
  const counter = new Counter();
  return counter.run(body) ? { flops: counter.flops, touched: counter.touched() } : undefined;
}

/** What kernels ask of sizes to choose between two ways. */
const ofSizes: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => Math.trunc(a / b),
  min: Math.min,
  max: Math.max,
  gt: (a, b) => Number(a > b),
};

class Counter {
  flops = Dim.zero;
  readonly #buffers = new Map<string, { readonly buffer: Buffer; readonly read: Accesses; readonly written: Accesses }>();
  #loops = new Map<string, Loop>();
  readonly #lets = new Map<string, Expr>();

  /** False when the body holds what cannot be counted. */
  run(body: readonly Stmt[]): boolean {
    return body.every((stmt) => this.#statement(stmt));
  }

  touched(): Touched[] {
    return [...this.#buffers.values()].map(({ buffer, read, written }) => ({
      buffer,
      read: union(read, buffer),
      written: union(written, buffer),
    }));
  }

  #statement(stmt: Stmt): boolean {
    const own = flopsOfStatement(stmt);
    if (own > 0)
      this.flops = this.flops.add([...this.#loops.values()].reduce((product, { times }) => product.mul(times ?? 1), Dim.of(own)));
    for (const root of expressionsOf(stmt)) visitExpr(root, (expr) => expr.kind === 'load' && this.#touch('read', expr.buffer, expr.index));
    if (stmt.kind === 'store') this.#touch('written', stmt.buffer, stmt.index);
    if (stmt.kind === 'let') this.#lets.set(stmt.name, stmt.value);
    if (stmt.kind === 'if') {
      const usual = this.#usual(stmt.condition);
      return (usual === 0 || this.run(stmt.then)) && ((usual ?? 0) !== 0 || this.run(stmt.otherwise ?? []));
    }
    if (stmt.kind !== 'for') return true;
    const outside = this.#loops;
    const times = this.#enter(stmt);
    if (times === 'unknown') return false;
    this.#loops = new Map(this.#loops).set(stmt.index, { times, blocks: stmt.blocks });
    const counted = this.run(stmt.body);
    this.#loops = outside;
    return counted;
  }

  /** How often a loop runs; one over the points of a block stands for the loop over the blocks as well. */
  #enter({ index, extent, blocks, part, most }: For): Dim | undefined | 'unknown' {
    const known = build.dimOf(extent);
    if (known !== undefined) return known;
    const around = part === undefined ? undefined : this.#loops.get(part);
    if (part !== undefined && around?.blocks !== undefined) {
      this.#loops = new Map(this.#loops).set(part, { ...around, times: Dim.one, within: index, alone: around.times });
      // Blocks of a part stand between: the loop over their elements stands for both.
      return blocks === undefined ? around.blocks : undefined;
    }
    if (most !== undefined) return Dim.of(most);
    return blocks === undefined ? 'unknown' : undefined;
  }

  /** What an expression of sizes is at those that the cost model assumes; undefined where it asks for more than sizes. */
  #usual(expr: Expr): number | undefined {
    const value = this.#resolve(expr);
    if (value.kind === 'const') return Number(value.value);
    if (value.kind === 'size') return assumed(value.dim);
    if (value.kind !== 'apply') return undefined;
    const [a, b] = value.args.map((argument) => this.#usual(argument));
    return a === undefined || b === undefined ? undefined : ofSizes[value.fn]?.(a, b);
  }

  #resolve(expr: Expr): Expr {
    let value: Expr | undefined = expr;
    for (let next: Expr | undefined = expr; next !== undefined; next = value.kind === 'name' ? this.#lets.get(value.name) : undefined)
      value = next;
    return value;
  }

  #touch(how: 'read' | 'written', buffer: Buffer, index: readonly Expr[]): void {
    const known = this.#buffers.get(buffer.name) ?? { buffer, read: new Map<string, Dim>(), written: new Map<string, Dim>() };
    this.#buffers.set(buffer.name, known);
    let count = Dim.one;
    const keys = index.map((expr, axis) => {
      const size = buffer.shape[axis] as Dim;
      const loops = this.#loopsOf(expr);
      const times = loops?.reduce<Dim | undefined>((product, one) => (one === undefined ? undefined : product?.mul(one)), Dim.one);
      const here = times === undefined ? size : smaller(times, size);
      count = count.mul(here);
      return here.equals(size)
        ? '*'
        : loops === undefined || loops.length === 0
          ? exprKey(this.#resolve(expr))
          : `${here.key} of ${exprKey(this.#nameless(expr))}`;
    });
    known[how].set(keys.join(), count);
  }

  /** How far the loops run that an index depends on; undefined when it depends on data. */
  #loopsOf(expr: Expr): (Dim | undefined)[] | undefined {
    const found = new Map<string, Loop>();
    let isData = false;
    const asked = [expr];
    const seen = new Set<Expr>();
    const see = (one: Expr): void => {
      if (one.kind === 'load' || one.kind === 'read') isData = true;
      const loop = one.kind === 'index' ? this.#loops.get(one.name) : undefined;
      if (one.kind === 'index' && loop !== undefined) found.set(one.name, loop);
      const value = one.kind === 'name' ? this.#lets.get(one.name) : undefined;
      if (value !== undefined) asked.push(value);
    };
    for (const one of asked) visitExpr(one, see, seen);
    return isData
      ? undefined
      : [...found.values()].map(({ times, within, alone }) => (within === undefined || found.has(within) ? times : alone));
  }

  /** The index with its loops called by how far they run, so that the same walk in two loops looks the same. */
  #nameless(expr: Expr): Expr {
    const value = this.#resolve(expr);
    if (value.kind === 'index') return { kind: 'index', name: `<${this.#loops.get(value.name)?.times?.key ?? value.name}>` };
    if (value.kind === 'apply') return { ...value, args: value.args.map((argument) => this.#nameless(argument)) };
    return value;
  }
}

function smaller(a: Dim, b: Dim): Dim {
  if (a.constant !== undefined && b.constant !== undefined) return a.constant <= b.constant ? a : b;
  return a.constant !== undefined ? a : b.constant !== undefined && a.names.size > 0 ? b : assumed(a) <= assumed(b) ? a : b;
}

/** Accesses that differ are taken to touch different elements, as far as there are so many. */
function union(accesses: Accesses, buffer: Buffer): Dim {
  const all = elementCount(buffer.shape);
  const sum = [...accesses.values()].reduce((total, one) => total.add(one), Dim.zero);
  return assumed(sum) > assumed(all) ? all : sum;
}
