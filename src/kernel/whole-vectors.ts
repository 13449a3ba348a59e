// Whether stores write whole vectors. In: a store in a vector loop, and the lets of its kernel. Out: whether it writes all lanes side by
// side, from a multiple of the lanes on. Holds: what is not plain is taken not to.

import type { Expr, For, Stmt } from './ir.js';
import { visitExpr } from './walk.js';

type Lets = ReadonlyMap<string, Expr>;

/** Whether lane 0 of every whole vector is a multiple of `lanes` elements from the buffer's start, and the others follow it. */
export function isWhole(store: Stmt & { readonly kind: 'store' }, loop: For, lanes: number, lets: Lets): boolean {
  return store.index.every((at, axis) => {
    const stride = store.buffer.strides[axis]?.constant;
    if (followsLanes(at, loop.index, lets)) return stride === 1 && isStep(at, loop.index, lanes, lets);
    return (stride !== undefined && stride % lanes === 0) || isMultiple(at, lanes, lets);
  });
}

function followsLanes(expr: Expr, index: string, lets: Lets): boolean {
  let found = false;
  visitExpr(expr, (part) => {
    if (part.kind === 'index' && part.name === index) found = true;
    const value = part.kind === 'name' ? lets.get(part.name) : undefined;
    if (value !== undefined && followsLanes(value, index, lets)) found = true;
  });
  return found;
}

/** The loop's variable plus a multiple of `lanes`. */
function isStep(expr: Expr, index: string, lanes: number, lets: Lets): boolean {
  if (expr.kind === 'index') return expr.name === index;
  if (expr.kind !== 'apply' || expr.fn !== 'add') return false;
  const [a, b] = expr.args as readonly [Expr, Expr];
  return (isStep(a, index, lanes, lets) && isMultiple(b, lanes, lets)) || (isMultiple(a, lanes, lets) && isStep(b, index, lanes, lets));
}

function isMultiple(expr: Expr, of: number, lets: Lets): boolean {
  switch (expr.kind) {
    case 'const':
      return expr.dtype === 'i64' && Number(expr.value) % of === 0;
    case 'size':
      return expr.dim.terms.every(({ coefficient }) => coefficient % of === 0);
    case 'name': {
      const value = lets.get(expr.name);
      return value !== undefined && isMultiple(value, of, lets);
    }
    case 'apply': {
      const [a, b] = expr.args;
      if (expr.dtype !== 'i64' || a === undefined || b === undefined) return false;
      if (expr.fn === 'mul') return isMultiple(a, of, lets) || isMultiple(b, of, lets);
      return ['add', 'sub', 'min', 'max'].includes(expr.fn) && isMultiple(a, of, lets) && isMultiple(b, of, lets);
    }
    case 'index':
    case 'load':
    case 'read':
      return false;
  }
}
