// What statements do, counted without running them. In: the body of a kernel. Out: FLOPs, and how many elements of each buffer are read and
// written, as sizes.
// Holds: loops say which axis they cut into blocks and which of them run over a part, and the blocks together run over the whole; where
// their number depends on sizes, what a block does once counts for the most blocks there can be; a loop may say what all of it computes; an
// element counts once however often it is touched; of a condition on sizes the side counts that the cost model assumes, of any other both.
// What only a run decides counts as much as it can be: a loop whose extent depends on others runs as long as it ever does, and where data
// say which elements are touched, each time it is another one. But where data say how often a loop runs, or whether it goes on, one round
// is counted.

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
  /** It does not always run as often, so its indices may reach all of an axis. */
  readonly varies?: boolean;
  /** Points of the axis whose blocks it runs over. */
  readonly blocks?: Dim | undefined;
}

/** Elements of one buffer by the shape of the access: accesses alike touch the same elements. */
type Accesses = Map<string, Dim>;

export function countStatements(body: readonly Stmt[]): Counted {
  const counter = new Counter();
  counter.run(body);
  return { flops: counter.flops, touched: counter.touched() };
}

/** What kernels ask of sizes to choose between two ways. */
const ofSizes: Readonly<Record<string, (...args: number[]) => number>> = {
  add: (a = 0, b = 0) => a + b,
  sub: (a = 0, b = 0) => a - b,
  mul: (a = 0, b = 0) => a * b,
  div: (a = 0, b = 0) => Math.trunc(a / b),
  min: Math.min,
  max: Math.max,
  gt: (a = 0, b = 0) => Number(a > b),
  ge: (a = 0, b = 0) => Number(a >= b),
  lt: (a = 0, b = 0) => Number(a < b),
  not: (a) => Number(a === 0),
};

class Counter {
  flops = Dim.zero;
  readonly #buffers = new Map<string, { readonly buffer: Buffer; readonly read: Accesses; readonly written: Accesses }>();
  #loops = new Map<string, Loop>();
  readonly #lets = new Map<string, Expr>();
  /** A loop around says what all of it computes: those inside do not say how often they run. */
  #inTile = false;

  run(body: readonly Stmt[]): void {
    for (const stmt of body) this.#statement(stmt);
  }

  touched(): Touched[] {
    return [...this.#buffers.values()].map(({ buffer, read, written }) => ({
      buffer,
      read: union(read, buffer),
      written: union(written, buffer),
    }));
  }

  #statement(stmt: Stmt): void {
    if (!this.#inTile) this.#add(Dim.of(flopsOfStatement(stmt)));
    this.#walk(stmt);
  }

  #add(flops: Dim): void {
    if (flops.constant !== 0)
      this.flops = this.flops.add([...this.#loops.values()].reduce((product, { times }) => product.mul(times ?? 1), flops));
  }

  #walk(stmt: Stmt): void {
    for (const root of expressionsOf(stmt)) visitExpr(root, (expr) => expr.kind === 'load' && this.#touch('read', expr.buffer, expr.index));
    if (stmt.kind === 'store') this.#touch('written', stmt.buffer, stmt.index);
    if (stmt.kind === 'copy') this.#touch('read', stmt.from, stmt.index, stmt.count);
    if (stmt.kind === 'let') this.#lets.set(stmt.name, stmt.value);
    if (stmt.kind === 'if') {
      const usual = this.#usual(stmt.condition);
      if (usual !== 0) this.run(stmt.then);
      if ((usual ?? 0) === 0) this.run(stmt.otherwise ?? []);
      return;
    }
    if (stmt.kind !== 'for' || (stmt.when !== undefined && this.#usual(stmt.when) === 0)) return;
    const [outside, around] = [this.#loops, this.#inTile];
    if (stmt.flops !== undefined && !around) {
      this.#add(stmt.flops);
      this.#inTile = true;
    }
    const loop = this.#enter(stmt);
    this.#loops = new Map(this.#loops).set(stmt.index, { ...loop, blocks: stmt.blocks });
    this.run(stmt.body);
    [this.#loops, this.#inTile] = [outside, around];
  }

  /** How often a loop runs; one over the points of a block stands for the loop over the blocks as well. */
  #enter({ index, extent, blocks, part, most, while: asked }: For): Pick<Loop, 'times' | 'varies'> {
    if (asked !== undefined) return { times: Dim.one };
    const known = build.dimOf(extent);
    if (known !== undefined) return { times: known };
    const around = part === undefined ? undefined : this.#loops.get(part);
    if (part !== undefined && around?.blocks !== undefined) {
      this.#loops = new Map(this.#loops).set(part, { ...around, times: Dim.one, within: index, alone: around.times });
      // Blocks of a part stand between: the loop over their elements stands for both.
      return { times: blocks === undefined ? around.blocks : undefined };
    }
    if (most !== undefined) return { times: Dim.of(most) };
    if (blocks !== undefined) return { times: undefined };
    const bound = this.#bound(extent, true);
    return { times: bound ?? Dim.one, varies: this.#inTile || bound !== undefined || !this.#isOfData(extent) };
  }

  #isOfData(expr: Expr): boolean {
    let found = false;
    const asked = [expr];
    const seen = new Set<Expr>();
    const see = (one: Expr): void => {
      if (one.kind === 'load' || one.kind === 'read') found = true;
      const value = one.kind === 'name' ? this.#lets.get(one.name) : undefined;
      if (value !== undefined) asked.push(value);
    };
    for (const one of asked) visitExpr(one, see, seen);
    return found;
  }

  /** The largest or the smallest that an index expression becomes in the loops around; undefined where sizes do not say it. */
  #bound(expr: Expr, largest: boolean): Dim | undefined {
    const value = this.#resolve(expr);
    const known = build.dimOf(value);
    if (known !== undefined) return known;
    if (value.kind === 'index') {
      if (!largest) return Dim.zero;
      const loop = this.#loops.get(value.name);
      return loop === undefined || loop.varies === true ? undefined : loop.times?.sub(1);
    }
    if (value.kind !== 'apply' || (value.fn !== 'add' && value.fn !== 'sub')) return undefined;
    const [a, b] = value.args as readonly [Expr, Expr];
    const [x, y] = [this.#bound(a, largest), this.#bound(b, value.fn === 'sub' ? !largest : largest)];
    return x === undefined || y === undefined ? undefined : value.fn === 'add' ? x.add(y) : x.sub(y);
  }

  /** What an expression of sizes is at those that the cost model assumes; undefined where it asks for more than sizes. */
  #usual(expr: Expr): number | undefined {
    const value = this.#resolve(expr);
    if (value.kind === 'const') return Number(value.value);
    if (value.kind === 'size') return assumed(value.dim);
    if (value.kind !== 'apply') return undefined;
    const args = value.args.map((argument) => this.#usual(argument));
    return args.includes(undefined) ? undefined : ofSizes[value.fn]?.(...(args as number[]));
  }

  #resolve(expr: Expr): Expr {
    let value: Expr | undefined = expr;
    for (let next: Expr | undefined = expr; next !== undefined; next = value.kind === 'name' ? this.#lets.get(value.name) : undefined)
      value = next;
    return value;
  }

  /** `run`: so many elements along the last axis. */
  #touch(how: 'read' | 'written', buffer: Buffer, index: readonly Expr[], run = 1): void {
    if (buffer.role.kind === 'shared') return;
    const known = this.#buffers.get(buffer.name) ?? { buffer, read: new Map<string, Dim>(), written: new Map<string, Dim>() };
    this.#buffers.set(buffer.name, known);
    let count = Dim.one;
    const keys = index.map((expr, axis) => {
      const size = buffer.shape[axis] as Dim;
      const loops = this.#loopsOf(expr);
      const times = loops?.reduce<Dim | undefined>((product, one) => (one === undefined ? undefined : product?.mul(one)), Dim.one);
      const here = times === undefined ? size : smaller(axis === index.length - 1 ? times.mul(run) : times, size);
      count = count.mul(here);
      return here.equals(size)
        ? '*'
        : loops === undefined || loops.length === 0
          ? exprKey(this.#resolve(expr))
          : `${here.key} of ${exprKey(this.#nameless(expr))}`;
    });
    known[how].set(keys.join(), count);
  }

  /** How far the loops run that an index depends on, also by what it loads; undefined when it depends on what changes meanwhile. */
  #loopsOf(expr: Expr): (Dim | undefined)[] | undefined {
    const found = new Map<string, Loop>();
    let changes = false;
    const asked = [expr];
    const seen = new Set<Expr>();
    const see = (one: Expr): void => {
      if (one.kind === 'read' || (one.kind === 'load' && this.#isStored(one.buffer))) changes = true;
      const loop = one.kind === 'index' ? this.#loops.get(one.name) : undefined;
      if (one.kind === 'index' && loop !== undefined) found.set(one.name, loop);
      const value = one.kind === 'name' ? this.#lets.get(one.name) : undefined;
      if (value !== undefined) asked.push(value);
    };
    for (const one of asked) visitExpr(one, see, seen);
    return changes
      ? undefined
      : [...found.values()].map(({ times, varies, within, alone }) =>
          varies === true ? undefined : within === undefined || found.has(within) ? times : alone,
        );
  }

  #isStored({ name }: Buffer): boolean {
    return (this.#buffers.get(name)?.written.size ?? 0) > 0;
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
