// Functions over rows and matrices that go step by step: factors, substitution, orders, recurrences. In: tensors and flags known when
// compiling. Out: what the ops give. Holds: the library's solutions, determinants, sorts and running sums are made of these, in TDSL.

import * as ops from '../../ops/index.js';
import { applyOp, applyTensor } from '../apply-op.js';
import { ERROR, tensorValue, tuple, type Value } from '../values.js';
import { flag } from './axes.js';
import { optional, required, result, type Builtin } from './builtin.js';

const lu: Builtin = {
  name: 'lu',
  doc: 'Factors of square matrices of f32 or f64 in the last two axes: L (below the diagonal, with ones on its own) and U in one matrix, and the order of rows of x that they belong to (i32). Without `pivots` rows stay where they are.',
  signatures: ['lu<T: float, N, ...B>(x: T[...B, N, N], pivots: bool = true): (T[...B, N, N], i32[...B, N])'],
  parameters: [...required('x'), ...optional('pivots')],
  run(call) {
    const node = call.tensor('x');
    const pivots = flag(call, 'pivots', true);
    const factors = node === undefined || pivots === undefined ? undefined : applyOp(call.context, ops.lu, [node], { pivots }, call.site);
    if (factors === undefined) return ERROR;
    return tuple(
      [0, 1].map((index): Value => {
        const item = applyTensor(call.context, ops.element, [factors], { index }, call.site);
        return item === undefined ? ERROR : tensorValue(item);
      }),
    );
  },
};

const substitute: Builtin = {
  name: 'substitute',
  doc: 'X of T X = B for triangular matrices T of […, N, N] and B of […, N, M], f32 or f64. Only the lower triangle of T is read, or with `upper` the other one; with `unit` its diagonal counts as ones.',
  signatures: [
    'substitute<T: float, N, M, ...B>(t: T[...B, N, N], b: T[...B, N, M], upper: bool = false, unit: bool = false): T[...B, N, M]',
  ],
  parameters: [...required('t', 'b'), ...optional('upper', 'unit')],
  run(call) {
    const [matrix, right] = [call.tensor('t'), call.tensor('b')];
    const [upper, unit] = [flag(call, 'upper', false), flag(call, 'unit', false)];
    if (matrix === undefined || right === undefined || upper === undefined || unit === undefined) return ERROR;
    return result(applyTensor(call.context, ops.substitute, [matrix, right], { upper, unit }, call.site));
  },
};

const sortOrder: Builtin = {
  name: 'sortOrder',
  doc: 'The positions (i32) of the elements along the last axis in the order of their values: the smallest first, or with `descending` the largest. Equal ones stay in their order; NaN counts as the largest.',
  signatures: ['sortOrder<T: number, ...S>(x: T[...S], descending: bool = false): i32[...S]'],
  parameters: [...required('x'), ...optional('descending')],
  run(call) {
    const node = call.tensor('x');
    const descending = flag(call, 'descending', false);
    if (node === undefined || descending === undefined) return ERROR;
    return result(applyTensor(call.context, ops.sortOrder, [node], { descending }, call.site));
  },
};

const recurrence: Builtin = {
  name: 'recurrence',
  doc: 'Along the last axis, each element is `factor` times the one before plus `x`; without `factor`, the running sum. With `reverse`, from the end to the start. Floats, whose state is at least an f32.',
  signatures: ['recurrence<T: float, ...S>(x: T[...S], factor: T[...S] = 1, reverse: bool = false): T[...S]'],
  parameters: [...required('x'), ...optional('factor', 'reverse')],
  run(call) {
    const node = call.tensor('x');
    const factor = call.has('factor') ? call.tensor('factor') : undefined;
    const reverse = flag(call, 'reverse', false);
    if (node === undefined || reverse === undefined || (call.has('factor') && factor === undefined)) return ERROR;
    const args = factor === undefined ? [node] : [factor, node];
    return result(applyTensor(call.context, ops.linearRecurrence, args, { reverse }, call.site));
  },
};

export const rowBuiltins: readonly Builtin[] = [lu, substitute, sortOrder, recurrence];
