// Where statements of a kernel go while it is being built. In: loops opened one inside the other. Out: bodies in which every value is
// computed once, in the outermost loop that has its indices. Holds: a value is named by one `let`, in the scope whose loops and lets its
// indices need.

import { Dim } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { type Axis, build, type Expr, exprKey, type For, type Stmt } from '../../kernel/index.js';
import { freeNames } from './index-expressions.js';

/** Unique names within one kernel. */
export class Names {
  #next = 0;

  fresh(stem: string): string {
    return `${stem}${this.#next++}`;
  }
}

export class Scope {
  readonly statements: Stmt[] = [];
  readonly #own = new Set<string>();
  readonly #values = new Map<string, Expr>();

  readonly names: Names;
  readonly parent: Scope | undefined;
  /** Nothing is hoisted out of it: bodies of parallel loops, and of loops whose iterations differ by more than their index. */
  readonly closed: boolean;
  /** It is the body of a region: a node that stands in the region around as well is computed of other parameters there. */
  readonly region: boolean;

  private constructor(names: Names, parent: Scope | undefined, closed: boolean, region: boolean) {
    this.names = names;
    this.parent = parent;
    this.closed = closed;
    this.region = region;
  }

  static root(names: Names): Scope {
    return new Scope(names, undefined, true, false);
  }

  /** A loop inside this scope; it is appended here when `fill` returns, after whatever `fill` hoisted. */
  loop(
    stem: string,
    extent: Expr,
    axis: Axis,
    fill: (index: Expr, body: Scope) => void,
    options: Pick<For, 'when' | 'limit' | 'least' | 'blocks' | 'most' | 'part' | 'transpose' | 'warps' | 'while'> & {
      readonly carried?: boolean;
    } = {},
  ): void {
    const { carried = false, ...own } = options;
    const count = build.intValue(extent);
    // What never runs is not written down: it may speak of buffers that nothing fills.
    if (count === 0) return;
    const body = new Scope(this.names, this, axis === 'parallel' || carried, carried);
    if (count === 1 && axis !== 'parallel' && own.limit === undefined && own.when === undefined && !carried) {
      // One iteration needs no loop; its scope stays, so that the caller's view does not change.
      fill(build.int(0), body);
      for (const statement of body.statements) this.statements.push(statement);
      for (const name of body.#own) this.#own.add(name);
      return;
    }
    const index = this.names.fresh(stem);
    body.#own.add(index);
    fill(build.index(index), body);
    this.statements.push({ kind: 'for', index, extent, axis, ...own, body: body.statements });
  }

  /** What `fill` emits computes `flops` in all: the first of its loops says so, and the others that they compute no more. */
  computing(flops: Dim, fill: () => void): void {
    const before = this.statements.length;
    fill();
    const added = this.statements.splice(before);
    const first = added.find((stmt) => stmt.kind === 'for');
    for (const stmt of added) this.statements.push(stmt.kind === 'for' ? { ...stmt, flops: stmt === first ? flops : Dim.zero } : stmt);
  }

  /** A guarded part of this scope. */
  when(condition: Expr, fill: (body: Scope) => void): void {
    this.#guard(condition, fill, {});
  }

  /** A part that every lane of the vector loop around guards for itself; the others do what `otherwise` says. */
  each(condition: Expr, fill: (body: Scope) => void, otherwise?: (body: Scope) => void): void {
    const other = otherwise === undefined ? undefined : new Scope(this.names, this, false, false);
    if (other !== undefined) otherwise?.(other);
    this.#guard(condition, fill, { lanes: true, ...(other === undefined ? {} : { otherwise: other.statements }) });
  }

  #guard(condition: Expr, fill: (body: Scope) => void, rest: Pick<Extract<Stmt, { kind: 'if' }>, 'lanes' | 'otherwise'>): void {
    const body = new Scope(this.names, this, false, false);
    // What the condition speaks about must not be touched outside of the guard: it may be out of bounds there.
    for (const name of freeNames([condition])) body.#own.add(name);
    fill(body);
    this.statements.push({ kind: 'if', condition, then: body.statements, ...rest });
  }

  /** Statements of a block of their own: nodes mean something there alone. */
  apart(fill: (body: Scope) => void): void {
    const body = new Scope(this.names, this, true, true);
    fill(body);
    this.statements.push(...body.statements);
  }

  /** One of two blocks, whose nodes mean something here alone. */
  choose(condition: Expr, then: (body: Scope) => void, otherwise: (body: Scope) => void): void {
    const [yes, no] = [then, otherwise].map((fill) => {
      const body = new Scope(this.names, this, true, true);
      fill(body);
      return body.statements;
    }) as [Stmt[], Stmt[]];
    if (yes.length > 0 || no.length > 0)
      this.statements.push({ kind: 'if', condition, then: yes, ...(no.length === 0 ? {} : { otherwise: no }) });
  }

  emit(...statements: Stmt[]): void {
    for (const statement of statements) {
      if (statement.kind === 'declare') this.#own.add(statement.accumulator.name);
      this.statements.push(statement);
    }
  }

  /** The innermost scope that declares one of the names that `exprs` need: values that depend on them belong there. */
  home(exprs: readonly Expr[]): Scope {
    return this.#homeOf(freeNames(exprs));
  }

  #homeOf(needed: ReadonlySet<string>): Scope {
    for (const name of needed) if (this.#own.has(name)) return this;
    return this.closed || this.parent === undefined ? this : this.parent.#homeOf(needed);
  }

  recall(key: string): Expr | undefined {
    return this.#values.get(key) ?? (this.region ? undefined : this.parent?.recall(key));
  }

  remember(key: string, value: Expr): void {
    this.#values.set(key, value);
  }

  /** Names `value` here and returns the name. */
  let(stem: string, value: Expr): Expr {
    if (value.kind === 'const' || value.kind === 'name' || value.kind === 'index') return value;
    const name = this.names.fresh(stem);
    this.#own.add(name);
    this.emit({ kind: 'let', name, value });
    return build.name(name, build.dtypeOf(value));
  }
}

/** What a loop over one block says, where `block` numbers the blocks: nothing where there is but one. */
export const partOf = (block: Expr): Pick<For, 'part'> => (block.kind === 'index' ? { part: block.name } : {});

/** Identifies the value of a node at an index. */
export const valueKey = (node: Node, index: readonly Expr[]): string => `${node.id}@${index.map(exprKey).join(',')}`;
