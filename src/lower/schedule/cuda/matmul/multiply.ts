// Steps of a product by the threads of a block, each of which multiplies and adds for its own elements. In: where a thread finds the
// elements of both sides. Out: statements in a scope. Holds: every sum takes the steps in order.

import { type Accumulator, build, type Expr } from '../../../../kernel/index.js';
import { unrolledDepth } from '../../../../target/index.js';
import { identity } from '../../../form/forms.js';
import type { Scope } from '../../../form/scope.js';

/** What a thread multiplies in step k: for its rows, and for its columns, by their numbers. */
export interface ThreadSides {
  left(k: Expr, row: Expr): Expr;
  right(k: Expr, column: Expr): Expr;
}

/** Onto `sums`, of the shape [rows, columns, threads]; `depth`: a multiple of the steps that are written out. */
export function multiplyByThreads(
  scope: Scope,
  sums: Accumulator,
  depth: number,
  sidesOf: (thread: Expr, vector: Scope) => ThreadSides,
): void {
  const [rows = 0, columns = 0, threads = 0] = sums.shape;
  const [down, across] = [build.int(rows), build.int(columns)];
  const each = (thread: Expr, vector: Scope): void => {
    const { left, right } = sidesOf(thread, vector);
    const own: Accumulator = { name: scope.names.fresh('b'), dtype: sums.dtype, shape: [columns] };
    vector.emit({ kind: 'declare', accumulator: own, initial: identity('sum', sums.dtype) });
    const step = (k: Expr, body: Scope): void => {
      body.loop('j', across, 'unroll', (j, one) => one.emit({ kind: 'assign', accumulator: own, index: [j], value: right(k, j) }));
      body.loop('i', down, 'unroll', (i, one) => {
        const a = one.let('a', left(k, i));
        one.loop('j', across, 'unroll', (j, product) => {
          const value = build.apply('mul', sums.dtype, a, build.read(own, [j]));
          product.emit({ kind: 'accumulate', accumulator: sums, index: [i, j, thread], combine: 'sum', value });
        });
      });
    };
    vector.loop('k', build.int(depth / unrolledDepth), 'serial', (k, outer) =>
      outer.loop('k', build.int(unrolledDepth), 'unroll', (next, body) =>
        step(build.plus(build.times(k, build.int(unrolledDepth)), next), body),
      ),
    );
  };
  scope.loop('t', build.int(threads), 'vector', each, { limit: threads });
}
