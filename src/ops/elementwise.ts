// Elementwise ops, generated from the scalar table. In: tensors of one shape. Out: a tensor of that shape.
// Holds: no broadcasting here; both derivative modes are the table's slopes.

import type { BinaryOperator, Expression, UnaryOperator } from '../../grammar/index.js';
import { type DType, InternalError, isFloat, isInteger, shapeEquals, shapeToString } from '../base/index.js';
import { type GraphBuilder, isTensorNode, type Node, tensor, type TensorNode, type TensorType, type Type } from '../graph/index.js';
import { build as loop } from '../kernel/index.js';
import { applyTensor } from './apply.js';
import {
  type Derivative,
  defineOp,
  type Op,
  type Reach,
  type ReachRule,
  type Sample,
  type SampleArgument,
  type TypeProblem,
} from './define.js';
import type { NoAttrs } from './identity.js';
import { fill } from './make.js';
import { isProblem, listed, problem, tensors } from './problem.js';
import type { Algebra, ScalarFunction, Takes } from './scalar/function.js';
import { evaluateScalar, type ScalarName, scalarNames, scalarTable } from './scalar/table.js';
import { applied, binary, named, sign } from './tdsl.js';
import { emptyValue, get, put, tensorAt } from './value.js';
import { written } from './writing.js';

export type ElementwiseOp = Op<NoAttrs>;

const takesText: Readonly<Record<Takes, string>> = {
  float: 'floats (f32, f64, f16, bf16)',
  number: 'numbers',
  bool: 'bool',
  any: 'any element type',
};

const accepts = (takes: Takes, { dtype }: TensorType): boolean => {
  switch (takes) {
    case 'float':
      return isFloat(dtype);
    case 'number':
      return isFloat(dtype) || isInteger(dtype);
    case 'bool':
      return dtype === 'bool';
    case 'any':
      return true;
  }
};

function elementwiseType(name: ScalarName, row: ScalarFunction, types: readonly Type[]): Type | TypeProblem {
  const args = tensors(name, types, row.arity);
  if (isProblem(args)) return args;
  const values = row.conditional === true ? args.slice(1) : args;
  const last = values[values.length - 1] as TensorType;
  if (row.conditional === true && args[0]?.dtype !== 'bool')
    return problem('dtype-mismatch', `the condition of ${name} is ${args[0]?.dtype}, not bool`, [0]);
  if (values.some((arg) => arg.dtype !== last.dtype)) {
    return problem(
      'dtype-mismatch',
      `${name} of ${listed(values.map((arg) => arg.dtype))}: element types never mix`,
      args.map((_, at) => at),
      `cast one of them, as in ${last.dtype}(…)`,
    );
  }
  if (!accepts(row.takes, last))
    return problem(
      'dtype-mismatch',
      `${name} takes ${takesText[row.takes]}, not ${last.dtype}`,
      args.map((_, at) => at),
    );
  const odd = args.findIndex((arg) => !shapeEquals(arg.shape, last.shape));
  if (odd >= 0)
    return problem(
      'shape-mismatch',
      `${name} of the shapes ${listed(args.map((arg) => shapeToString(arg.shape)))}, which differ`,
      args.map((_, at) => at),
    );
  return tensor(row.result === 'bool' ? 'bool' : last.dtype, last.shape);
}

function tensorArgs(node: Node): readonly TensorNode[] {
  return node.args.map((arg) => {
    if (!isTensorNode(arg)) throw new InternalError('differentiate', `an argument of ${node.op.name} is a tuple`);
    return arg;
  });
}

/** Of a choice, nothing flows where the other branch is taken. */
const branch: ReachRule<NoAttrs> = (node, which, mask, build) => {
  const condition = tensorArgs(node)[0] as TensorNode;
  const here = which === 1 ? condition : applyTensor(build, elementwise.not, [condition], {});
  return mask === undefined ? here : applyTensor(build, elementwise.and, [mask, here], {});
};
const taken: Reach<NoAttrs> = { kind: 'rule', exact: true, chooses: true, vjp: branch, jvp: branch };

function derivativeOf(row: ScalarFunction): Derivative<NoAttrs> {
  const { slopes } = row;
  if (slopes === 'zero') return { kind: 'zero' };
  /** The direction, multiplied by the partial derivative with respect to argument `which`. */
  const through = (build: GraphBuilder, node: TensorNode, direction: TensorNode, which: number): TensorNode | undefined =>
    isFloat(node.type.dtype) ? slopes[which]?.(algebraOf(build, node.type), direction, node, ...tensorArgs(node)) : undefined;
  return {
    kind: 'rules',
    reach: row.conditional === true ? taken : { kind: 'rule', exact: false, vjp: (_, __, mask) => mask, jvp: (_, __, mask) => mask },
    vjp(node, [cotangent], build) {
      return node.args.map((_, which) =>
        cotangent === undefined || !isTensorNode(node) ? undefined : through(build, node, cotangent, which),
      );
    },
    jvp(node, tangents, build) {
      let sum: TensorNode | undefined;
      for (const [which, tangent] of tangents.entries()) {
        const part = tangent === undefined || !isTensorNode(node) ? undefined : through(build, node, tangent, which);
        if (part !== undefined) sum = sum === undefined ? part : applyTensor(build, elementwise.add, [sum, part], {});
      }
      return [sum];
    },
  };
}

function samplesOf(row: ScalarFunction): readonly Sample<NoAttrs>[] {
  const sample = (
    dtype: DType,
    shape: readonly number[],
    range: (domain: readonly [number, number]) => readonly [number, number],
  ): Sample<NoAttrs> => ({
    args: row.domain.map((domain, at): SampleArgument =>
      row.takes === 'bool' || (row.conditional === true && at === 0) ? { dtype: 'bool', shape } : { dtype, shape, range: range(domain) },
    ),
    attrs: {},
  });
  const floats = [[], [5], [2, 3], [1, 4], [0, 3]].map((shape) => sample('f64', shape, (domain) => domain));
  if (row.integer === undefined) return floats;
  return [...floats, sample('i32', [7], () => [-9, 9]), sample('i64', [7], () => [-9, 9]), sample('u8', [7], () => [0, 200])];
}

function spelled(row: ScalarFunction, args: readonly Expression[], dtype: DType): Expression {
  const { operator } = row;
  const [first, second] = args;
  if (operator !== undefined && first !== undefined)
    return second === undefined ? sign(operator as UnaryOperator, first) : binary(first, operator as BinaryOperator, second);
  if (row.spelled !== undefined) return row.spelled(args, dtype);
  if (row.builtin === undefined) throw new InternalError('write', `no program writes ${row.kernel}`);
  return applied(named(row.builtin), args);
}

function elementwiseOp(name: ScalarName): ElementwiseOp {
  const row: ScalarFunction = scalarTable[name];
  return defineOp<NoAttrs>({
    name,
    doc: row.doc,
    type: (types) => elementwiseType(name, row, types),
    derivative: derivativeOf(row),
    evaluate(args) {
      const values = args.map((_, at) => tensorAt(args, at));
      const last = tensorAt(args, row.arity - 1);
      const result = emptyValue(row.result === 'bool' ? 'bool' : last.dtype, last.shape);
      for (let at = 0; at < result.data.length; at++)
        put(
          result,
          at,
          evaluateScalar(
            row,
            last.dtype,
            values.map((value) => get(value, at)),
          ),
        );
      return result;
    },
    batched: (attrs) => attrs,
    lowering: {
      kind: 'element',
      at: (node, index, arg) => loop.apply(row.kernel, node.type.dtype, ...node.args.map((_, which) => arg(which, index))),
      cost: row.cost,
    },
    bounds: (node, of, isNatural) => row.bounds?.(isNatural, ...node.args.map((_, which) => of(which))),
    ...(row.fma === undefined ? {} : { fma: row.fma }),
    ...(row.keepsFinite === true ? { keepsFinite: () => true } : {}),
    write(node, writer) {
      const { dtype } = (node.args.at(-1) as Node).type as TensorType;
      const { shape } = node.type as TensorType;
      return written(spelled(row, writer.together(node.args, shape), dtype), shape);
    },
    samples: () => samplesOf(row),
  });
}

/** Every elementwise op by its name. */
export const elementwise: Readonly<Record<ScalarName, ElementwiseOp>> = Object.fromEntries(
  scalarNames.map((name) => [name, elementwiseOp(name)]),
) as Record<ScalarName, ElementwiseOp>;

/** The table's algebra over nodes of the type of `like`. */
function algebraOf(build: GraphBuilder, like: TensorType): Algebra {
  const one = (name: ScalarName) => (x: TensorNode) => applyTensor(build, elementwise[name], [x], {});
  const two = (name: ScalarName) => (x: TensorNode, y: TensorNode) => applyTensor(build, elementwise[name], [x, y], {});
  return {
    constant: (value) => fill(build, like, value),
    neg: one('neg'),
    square: one('square'),
    sqrt: one('sqrt'),
    rsqrt: one('rsqrt'),
    exp: one('exp'),
    log: one('log'),
    sin: one('sin'),
    cos: one('cos'),
    sinh: one('sinh'),
    cosh: one('cosh'),
    sign: one('sign'),
    floor: one('floor'),
    add: two('add'),
    sub: two('sub'),
    mul: two('mul'),
    div: two('div'),
    pow: two('pow'),
    ge: two('ge'),
    le: two('le'),
    eq: two('eq'),
    select: (c, x, y) => applyTensor(build, elementwise.select, [c, x, y], {}),
  };
}
