// Index expressions. In: expressions. Out: the names they depend on, how an address moves with a loop, the indices that a number of a point
// stands for. Holds: nothing is said of an address that does not move evenly.

import { Dim, type Shape } from '../../base/index.js';
import {
  build,
  type Buffer,
  type Expr,
  expressionOrder,
  LinearForms,
  mentions,
  operandsOf,
  someExpr,
  type Stmt,
} from '../../kernel/index.js';
import type { Scope } from './scope.js';

/** Names of loops, lets and accumulators that the values depend on. */
export function freeNames(exprs: readonly Expr[]): ReadonlySet<string> {
  if (exprs.some((one) => namesIn(one) === undefined))
    for (const part of expressionOrder(exprs, (one) => namesIn(one) === undefined)) namesOf.set(part, union(operandsOf(part)));
  return union(exprs);
}

/** Of expressions that have operands and were looked at before: what is built grows by a part at a time. */
const namesOf = new WeakMap<Expr, ReadonlySet<string>>();

/** Undefined where nothing is known yet. */
function namesIn(expr: Expr): ReadonlySet<string> | undefined {
  switch (expr.kind) {
    case 'const':
    case 'size':
      return none;
    case 'index':
    case 'name':
      return new Set([expr.name]);
    case 'read':
      return new Set([expr.accumulator.name]);
    case 'load':
    case 'apply':
      return namesOf.get(expr);
  }
}

/** Most parts name what one of their operands names, and have its set. */
function union(exprs: readonly Expr[]): ReadonlySet<string> {
  let all: ReadonlySet<string> = none;
  for (const expr of exprs) {
    const names = namesIn(expr) ?? none;
    if (names.size > all.size) all = includes(names, all) ? names : new Set([...names, ...all]);
    else if (!includes(all, names)) all = new Set([...all, ...names]);
  }
  return all;
}

function includes(all: ReadonlySet<string>, some: ReadonlySet<string>): boolean {
  for (const one of some) if (!all.has(one)) return false;
  return true;
}

const none: ReadonlySet<string> = new Set();

const noDefinitions = new Map<string, Expr>();

/**
 * Elements between the addresses of two consecutive iterations of `loop`, or undefined when that differs along the loop. `lets`: where what
 * the index may name stands.
 */
export function addressStride(buffer: Buffer, index: readonly Expr[], loop: string, lets: readonly Stmt[] = []): Dim | undefined {
  const forms = new LinearForms(noDefinitions, { joins: false });
  const changing = new Set<string>();
  const changes = (expr: Expr): boolean =>
    mentions(expr, loop) || someExpr(expr, (part) => part.kind === 'name' && changing.has(part.name));
  for (const one of lets) if (one.kind === 'let' && changes(one.value)) changing.add(one.name);
  let stride = Dim.zero;
  for (const { atom, coefficient } of forms.offset(index, buffer, index).terms) {
    if (atom.kind === 'index' && atom.name === loop) stride = coefficient;
    else if (changes(atom)) return undefined;
  }
  return stride;
}

/** The indices of several axes in one loop over all of them. */
export function splitIndex(shape: Shape, linear: Expr, scope: Scope): readonly Expr[] {
  const index: Expr[] = [];
  let rest = linear;
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const size = build.size(shape[axis] as Dim);
    index[axis] = scope.let('at', build.modulo(rest, size));
    rest = scope.let('rest', build.over(rest, size));
  }
  index[0] = rest;
  return index;
}
