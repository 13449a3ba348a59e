// Matrix product. In: [batch…, M, K] and [batch…, K, N] of one dtype, with equal batch axes. Out: [batch…, M, N]. Holds: K = 0 gives zeros.

import type { Expression } from '../../grammar/index.js';
import { type Shape, shapeEquals, shapeToString, isFloat, isWide } from '../base/index.js';
import { type GraphBuilder, type Node, tensor, type TensorNode, type TensorType } from '../graph/index.js';
import { applyTensor, isNodeOf, tensorOf } from './apply.js';
import { broadcast } from './broadcast.js';
import { defineOp, type Op, type Reach, type TensorValue } from './define.js';
import { elementwise } from './elementwise.js';
import type { NoAttrs } from './identity.js';
import { dimAt, isProblem, problem, tensors } from './problem.js';
import { combineValues, reduceAny } from './reduce.js';
import { reshape } from './reshape.js';
import { swapLast } from './transpose.js';
import { binary } from './tdsl.js';
import { countOf, emptyValue, get, put, tensorAt, wrap } from './value.js';
import { commonOf, type Writer, type Written, written } from './writing.js';

/** A row of the left side goes into a row of the product, a column of the right side into a column. */
const byRowsAndColumns: Reach<NoAttrs> = {
  kind: 'rule',
  exact: false,
  vjp(node, which, mask, build) {
    const arg = node.args[which]?.type as TensorType | undefined;
    return mask === undefined || arg === undefined ? undefined : anyAlong(build, mask, arg.shape.length - 1 - which, arg.shape);
  },
  jvp: (node, which, mask, build) =>
    mask === undefined ? undefined : anyAlong(build, mask, node.type.shape.length - 1 - which, node.type.shape),
};

/** Whether anything is true along an axis, repeated along the axis of another length. */
function anyAlong(build: GraphBuilder, mask: TensorNode, axis: number, shape: Shape): TensorNode {
  const any = applyTensor(build, reduceAny, [mask], { axes: [axis] });
  return applyTensor(build, broadcast, [any], {
    shape,
    axes: shape.map((_, at) => at).filter((at) => at !== axis),
  });
}

/** A side of a product: a matrix that is repeated stands there once, and `a * b @ c` would say less than it does. */
function operandOf(node: Node, writer: Writer): Written {
  const value = writer.written(node);
  const { shape } = node.type as TensorType;
  const { length } = shape.slice(-2);
  const isMatrix =
    value.shape.length >= length && value.shape.length <= shape.length && shapeEquals(value.shape.slice(-length), shape.slice(-length));
  if (!isMatrix) return written(writer.exact(node), shape);
  const { expression } = value;
  return expression.kind === 'binary' && expression.operator !== '@' ? writer.shared(node) : value;
}

/** The vector that is this matrix with an axis of size 1. */
function vectorOf(node: Node, axis: number): Node | undefined {
  const [arg] = node.args;
  if (!isNodeOf(node, reshape) || arg?.type.kind !== 'tensor' || arg.type.shape.length !== 1) return undefined;
  const { shape } = node.attrs;
  return shape.length === 2 && shape[axis]?.constant === 1 ? arg : undefined;
}

/** Of `count` elements of a from `left`, and every `stride`-th one of b from `right`. */
function dotOfFloats(a: TensorValue, left: number, b: TensorValue, right: number, stride: number, count: number): number {
  const [x, y] = [a.data as Float64Array, b.data as Float64Array];
  let sum = 0;
  for (let at = 0; at < count; at++) sum += (x[left + at] as number) * (y[right + at * stride] as number);
  return sum;
}

function dotOfIntegers(a: TensorValue, left: number, b: TensorValue, right: number, stride: number, count: number): number | bigint {
  let sum: number | bigint = isWide(a.dtype) ? 0n : 0;
  for (let at = 0; at < count; at++)
    sum = combineValues('sum', a.dtype, sum, wrap(a.dtype, BigInt(get(a, left + at)) * BigInt(get(b, right + at * stride))));
  return sum;
}

export const matmul: Op<NoAttrs> = defineOp<NoAttrs>({
  name: 'matmul',
  doc: 'Matrix product, batched over equal leading axes.',
  type(types) {
    const args = tensors('matmul', types, 2);
    if (isProblem(args)) return args;
    const [a, b] = args as readonly [TensorType, TensorType];
    if (a.dtype !== b.dtype)
      return problem(
        'dtype-mismatch',
        `matmul of ${a.dtype} and ${b.dtype}: element types never mix`,
        [0, 1],
        `cast one of them, as in ${a.dtype}(…)`,
      );
    if (a.dtype === 'bool') return problem('dtype-mismatch', 'matmul takes numbers, not bool', [0, 1]);
    const rank = a.shape.length;
    if (rank < 2 || b.shape.length !== rank)
      return problem(
        'shape-mismatch',
        `matmul of ${shapeToString(a.shape)} and ${shapeToString(b.shape)}: two matrices, or equal stacks of them, are needed`,
        [0, 1],
      );
    const [batch, rows, inner] = [a.shape.slice(0, -2), dimAt(a.shape, rank - 2), dimAt(a.shape, rank - 1)];
    if (!shapeEquals(batch, b.shape.slice(0, -2)))
      return problem(
        'shape-mismatch',
        `matmul of ${shapeToString(a.shape)} and ${shapeToString(b.shape)}: the leading axes differ`,
        [0, 1],
      );
    if (!inner.equals(dimAt(b.shape, rank - 2))) {
      return problem(
        'shape-mismatch',
        `matmul of ${shapeToString(a.shape)} and ${shapeToString(b.shape)}: ${inner} columns on the left, ${dimAt(b.shape, rank - 2)} rows on the right`,
        [0, 1],
      );
    }
    return tensor(a.dtype, [...batch, rows, dimAt(b.shape, rank - 1)]);
  },
  derivative: {
    kind: 'rules',
    reach: byRowsAndColumns,
    vjp(node, [cotangent], build) {
      if (cotangent === undefined) return [undefined, undefined];
      const [a, b] = node.args.map(tensorOf);
      if (a === undefined || b === undefined) return [undefined, undefined];
      return [
        applyTensor(build, matmul, [cotangent, swapLast(build, b)], {}),
        applyTensor(build, matmul, [swapLast(build, a), cotangent], {}),
      ];
    },
    jvp(node, [left, right], build) {
      const [a, b] = node.args as readonly [Node, Node];
      const fromLeft = left === undefined ? undefined : applyTensor(build, matmul, [left, b], {});
      const fromRight = right === undefined ? undefined : applyTensor(build, matmul, [a, right], {});
      if (fromLeft === undefined || fromRight === undefined) return [fromLeft ?? fromRight];
      return [applyTensor(build, elementwise.add, [fromLeft, fromRight], {})];
    },
  },
  evaluate(args) {
    const [a, b] = [tensorAt(args, 0), tensorAt(args, 1)];
    const rank = a.shape.length;
    const [batch, m, k, n] = [a.shape.slice(0, -2), a.shape[rank - 2] as number, a.shape[rank - 1] as number, b.shape[rank - 1] as number];
    const result = emptyValue(a.dtype, [...batch, m, n]);
    for (let one = 0; one < countOf(batch); one++) {
      for (let row = 0; row < m; row++) {
        for (let column = 0; column < n; column++) {
          const [left, right] = [(one * m + row) * k, one * k * n + column];
          const sum = isFloat(a.dtype) ? dotOfFloats(a, left, b, right, n, k) : dotOfIntegers(a, left, b, right, n, k);
          put(result, (one * m + row) * n + column, sum);
        }
      }
    }
    return result;
  },
  batched: (attrs) => attrs,
  lowering: { kind: 'contract' },
  write({ args, type }, writer) {
    const [left, right] = args as [Node, Node];
    const { shape } = type as TensorType;
    const product = (a: Node, b: Node): Expression => {
      const [x, y] = [operandOf(a, writer), operandOf(b, writer)];
      const isWhole = shapeEquals(commonOf([x.shape.slice(0, -2), y.shape.slice(0, -2)]), shape.slice(0, -2));
      return isWhole ? binary(x.expression, '@', y.expression) : binary(writer.exact(a), '@', writer.exact(b));
    };
    // A vector has a second axis for the time of the product alone.
    const [row, column] = [vectorOf(left, 0), vectorOf(right, 1)];
    const other =
      row === undefined && column === undefined
        ? {}
        : {
            other: {
              expression: product(row ?? left, column ?? right),
              shape: [...(row === undefined ? shape.slice(0, 1) : []), ...(column === undefined ? shape.slice(1) : [])],
            },
          };
    return { ...written(product(left, right), shape), ...other };
  },
  samples: () => [
    {
      args: [
        { dtype: 'f64', shape: [2, 3] },
        { dtype: 'f64', shape: [3, 4] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [2, 2, 3] },
        { dtype: 'f64', shape: [2, 3, 1] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [1, 1] },
        { dtype: 'f64', shape: [1, 1] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'f64', shape: [2, 0] },
        { dtype: 'f64', shape: [0, 2] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'i32', shape: [2, 2], range: [-9, 9] },
        { dtype: 'i32', shape: [2, 2], range: [-9, 9] },
      ],
      attrs: {},
    },
    {
      args: [
        { dtype: 'i64', shape: [1, 3], range: [-9, 9] },
        { dtype: 'i64', shape: [3, 1], range: [-9, 9] },
      ],
      attrs: {},
    },
  ],
});
