// Loops over the points of a tensor, and copies of buffers. In: a shape, a scope. Out: a loop for each axis, lanes over the last one.

import type { Dim } from '../../../base/index.js';
import { build, type Buffer, type Expr } from '../../../kernel/index.js';
import type { Scope } from '../../form/scope.js';

/** Loops over all points of the shape around what `fill` puts there. */
export function overPoints(shape: readonly Dim[], scope: Scope, fill: (body: Scope, point: readonly Expr[]) => void): void {
  const nest = (body: Scope, point: readonly Expr[]): void => {
    const dim = shape[point.length];
    if (dim === undefined) fill(body, point);
    else body.loop('o', build.size(dim), point.length === shape.length - 1 ? 'vector' : 'serial', (o, inner) => nest(inner, [...point, o]));
  };
  nest(scope, []);
}

/** Copies a whole buffer, to below the leading indices `prefix` of the other one. */
export function emitBufferCopy(from: Buffer, to: Buffer, scope: Scope, prefix: readonly Expr[] = []): void {
  overPoints(from.shape, scope, (body, point) =>
    body.emit({ kind: 'store', buffer: to, index: [...prefix, ...point], value: build.load(from, point) }),
  );
}
