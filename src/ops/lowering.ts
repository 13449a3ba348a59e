// What lowerings of ops share. In: index expressions. Out: conditions, clamped indices, loops. Holds: indices are
// i64.

import { type Dim, type DType, isWide } from '../base/index.js';
import { build as loop, type Expr, type Stmt } from '../kernel/index.js';
import type { NestContext } from './define.js';

export const allOf = (conditions: readonly Expr[]): Expr => conditions.reduce((all, one) => loop.apply('and', 'bool', all, one));

/** The nearest index inside an axis of that size; 0 for an empty axis. */
export function clampIndex(at: Expr, size: Dim): Expr {
  const last = size.sub(1);
  const below = loop.apply('min', 'i64', at, loop.size(last));
  return loop.apply('max', 'i64', below, loop.int(0));
}

/**
 * One loop per size, the last one in vector lanes unless `lanes` is false; nothing for what is known to be empty, which may have no storage
 * that anything fills.
 */
export function loopsOver(
  sizes: readonly Dim[],
  stem: string,
  context: NestContext,
  body: (index: readonly Expr[]) => readonly Stmt[],
  lanes = true,
): readonly Stmt[] {
  if (sizes.some((size) => size.constant === 0)) return [];
  const names = sizes.map(() => context.fresh(stem));
  return sizes.reduceRight<readonly Stmt[]>(
    (inner, size, axis) => [
      {
        kind: 'for',
        index: names[axis] as string,
        extent: loop.size(size),
        axis: lanes && axis === sizes.length - 1 ? 'vector' : 'serial',
        body: inner,
      },
    ],
    body(names.map(loop.index)),
  );
}

export const zeroOf = (dtype: DType): Expr => loop.constant(dtype, isWide(dtype) ? 0n : 0);
