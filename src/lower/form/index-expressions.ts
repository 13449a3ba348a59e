// Index expressions. In: expressions. Out: the names they depend on, how an address moves with a loop, the indices that a number of a point
// stands for. Holds: nothing is said of an address that does not move evenly.

import { Dim, type Shape } from '../../base/index.js';
import { build, type Buffer, type Expr, LinearForms, mentions, someExpr, type Stmt, visitExpr } from '../../kernel/index.js';
import type { Scope } from './scope.js';

/** Names of loops, lets and accumulators that the values depend on. */
export function freeNames(exprs: readonly Expr[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<Expr>();
  const see = (part: Expr): void => {
    if (part.kind === 'index' || part.kind === 'name') names.add(part.name);
    else if (part.kind === 'read') names.add(part.accumulator.name);
  };
  for (const expr of exprs) visitExpr(expr, see, seen);
  return names;
}

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
