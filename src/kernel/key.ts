// What is the same: structural names of expressions, and buffers that are alike. In: expressions, buffers. Out: text, yes or no. Holds:
// equal names mean equal values at the same place; names of loops and names of lets are apart.

import { shapeEquals } from '../base/index.js';
import type { Buffer, Expr } from './ir.js';
import { expressionOrder, operandsOf } from './walk.js';

/** An expression as spelled with the names of its parts. */
export function spelled(expr: Expr, nameOf: (part: Expr) => string): string {
  const list = (parts: readonly Expr[]): string => parts.map(nameOf).join(',');
  switch (expr.kind) {
    case 'const':
      return `${expr.dtype}:${Object.is(expr.value, -0) ? '-0' : expr.value}`;
    case 'index':
      return `#${expr.name}`;
    case 'size':
      return `<${expr.dim.key}>`;
    case 'name':
      return `$${expr.name}`;
    case 'load':
      return `${expr.buffer.name}[${list(expr.index)}]`;
    case 'read':
      return `%${expr.accumulator.name}[${list(expr.index)}]`;
    case 'apply':
      return `${expr.fn}.${expr.dtype}(${list(expr.args)})`;
  }
}

/** Of expressions that have operands. */
const keys = new WeakMap<Expr, string>();

/** The name with everything written out, for expressions that are short: indices. */
export function exprKey(expr: Expr): string {
  if (operandsOf(expr).length === 0) return spelled(expr, keyOf);
  const known = keys.get(expr);
  if (known !== undefined) return known;
  for (const part of expressionOrder([expr], (one) => operandsOf(one).length > 0 && !keys.has(one))) keys.set(part, spelled(part, keyOf));
  return keyOf(expr);
}

const keyOf = (expr: Expr): string => keys.get(expr) ?? spelled(expr, keyOf);

export const isSwizzled = ({ role }: Buffer): boolean => role.kind === 'shared' && role.swizzled === true;

/** Whether two buffers may stand for each other: all but their names and numbers. */
export const isAlike = (known: Buffer | undefined, buffer: Buffer): boolean =>
  known === buffer ||
  (known !== undefined &&
    known.dtype === buffer.dtype &&
    known.role.kind === buffer.role.kind &&
    isSwizzled(known) === isSwizzled(buffer) &&
    shapeEquals(known.shape, buffer.shape) &&
    shapeEquals(known.strides, buffer.strides));
