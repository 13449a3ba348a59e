// Derivatives as nodes of the graph, until the differentiate pass expands them. In: values and what they are differentiated with respect
// to. Out: derivatives.
// Holds: they have no meaning of their own; the pass gives it by the rules of the ops between.

import { InternalError, isFloat } from '../base/index.js';
import { type GraphBuilder, type Node, tensorEquals, type TensorNode, type TensorType, type Type, typeToString } from '../graph/index.js';
import { isNodeOf } from './apply.js';
import { defineOp, type Op, type TypeProblem } from './define.js';
import { isProblem, problem, tensors } from './problem.js';
import { scalars } from './scalars.js';

/** Arguments: the values, then what they are differentiated with respect to. */
export type GradAttrs = { readonly outputs: number };
/** Arguments: the value, the inputs, the direction of each. */
export type JvpAttrs = { readonly inputs: number };

const expanded = (): never => {
  throw new InternalError('evaluate', 'a derivative is expanded before it is evaluated');
};

function floatsOnly(name: string, args: readonly TensorType[]): TypeProblem | undefined {
  const at = args.findIndex((arg) => !isFloat(arg.dtype));
  return at < 0
    ? undefined
    : problem('dtype-mismatch', `${name} is defined for floats, not for ${typeToString(args[at] as TensorType)}`, [at]);
}

/** x · sin x, for samples. */
const curve = (build: GraphBuilder, x: TensorNode): TensorNode => scalars.mul(build, x, scalars.sin(build, x));

export const grad: Op<GradAttrs> = defineOp<GradAttrs>({
  name: 'grad',
  doc: 'Reverse mode: derivatives of the sum of all values.',
  type(types: readonly Type[], { outputs }) {
    const args = tensors('grad', types);
    if (isProblem(args)) return args;
    if (outputs < 1 || outputs >= args.length)
      return problem('type-mismatch', `grad of ${outputs} values with respect to ${args.length - outputs}`);
    return floatsOnly('grad', args) ?? { kind: 'tuple', items: args.slice(outputs) };
  },
  derivative: { kind: 'none', reason: 'an inner derivative is expanded before an outer one' },
  evaluate: expanded,
  lowering: { kind: 'removed', by: 'differentiate' },
  samples: () => [
    { args: [{ dtype: 'f64', shape: [3] }], on: (build, [x]) => [curve(build, x as TensorNode), x as TensorNode], attrs: { outputs: 1 } },
    {
      args: [
        { dtype: 'f64', shape: [2, 2] },
        { dtype: 'f64', shape: [] },
      ],
      on: (build, args) => [...args.map((arg) => curve(build, arg)), ...args],
      attrs: { outputs: 2 },
    },
  ],
});

export const jvp: Op<JvpAttrs> = defineOp<JvpAttrs>({
  name: 'jvp',
  doc: 'Forward mode: the derivative of a value along a direction.',
  type(types: readonly Type[], { inputs }) {
    const args = tensors('jvp', types, 1 + 2 * inputs);
    if (isProblem(args)) return args;
    const refused = floatsOnly('jvp', args);
    if (refused !== undefined) return refused;
    for (let at = 1; at <= inputs; at++) {
      const [input, direction] = [args[at] as TensorType, args[at + inputs] as TensorType];
      if (!tensorEquals(input, direction))
        return problem(
          input.dtype === direction.dtype ? 'shape-mismatch' : 'dtype-mismatch',
          `jvp: the direction is ${typeToString(direction)}, its input ${typeToString(input)}`,
          [at + inputs],
        );
    }
    return args[0] as TensorType;
  },
  derivative: { kind: 'none', reason: 'an inner derivative is expanded before an outer one' },
  evaluate: expanded,
  lowering: { kind: 'removed', by: 'differentiate' },
  samples: () => [
    {
      args: [
        { dtype: 'f64', shape: [3] },
        { dtype: 'f64', shape: [3] },
      ],
      on: (build, [x, direction]) => [curve(build, x as TensorNode), x as TensorNode, direction as TensorNode],
      attrs: { inputs: 1 },
    },
  ],
});

/** Of a derivative's node: what is differentiated, and with respect to what; undefined for every other node. */
export function derivativeParts(node: Node): { readonly results: readonly Node[]; readonly inputs: readonly Node[] } | undefined {
  if (isNodeOf(node, grad)) {
    const { outputs } = node.attrs;
    return { results: node.args.slice(0, outputs), inputs: node.args.slice(outputs) };
  }
  if (isNodeOf(node, jvp)) return { results: node.args.slice(0, 1), inputs: node.args.slice(1, 1 + node.attrs.inputs) };
  return undefined;
}
