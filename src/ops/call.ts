// A function with the author's own derivative. In: arguments; the body; the rule over (arguments…, cotangents of the
// float results…). Out: the body's results.
// Holds: reverse mode is the rule; forward mode is its transpose, for a rule is linear in the cotangents.

import { Dim, InternalError, shapeEquals } from '../base/index.js';
import {
  type GraphBuilder,
  type Node,
  type OpTag,
  type Region,
  sourceOf,
  tensor,
  tensorEquals,
  type TensorNode,
  type TensorType,
  topological,
  typeToString,
} from '../graph/index.js';
import { allOrNothing } from './anywhere.js';
import { isNodeOf, tensorOf } from './apply.js';
import { defineOp, type EvaluateContext, type Modes, type Op } from './define.js';
import { elementwise } from './elementwise.js';
import { named } from './identity.js';
import { isDifferentiable, zeros } from './make.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeRegion, inlineRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { tensorAt } from './value.js';

export type CallAttrs = { readonly body: Region; readonly rule: Region };

/** The types of the results that have a cotangent: the floats. */
const cotangentTypes = (body: Region): readonly TensorType[] => body.results.map((node) => node.type).filter(isDifferentiable);

/** ⟨rule(x, g), tangents⟩ differentiated with respect to g. */
function transposedRule(
  build: GraphBuilder,
  node: Node<CallAttrs>,
  tangents: readonly (TensorNode | undefined)[],
  modes: Modes,
): readonly (TensorNode | undefined)[] {
  const { body, rule } = node.attrs;
  const types = cotangentTypes(body);
  const cotangents = types.map((type) => placeholder(build, type));
  const pulled = inlineRegion(build, rule, [...node.args.map(tensorOf), ...cotangents]);
  const pushed = modes.vjp(pulled, tangents, cotangents);
  const found = pushed.flatMap((one) => one ?? []);
  // A linear rule leaves no trace of the cotangents; whatever is left of them is taken at zero.
  const { region, captures } = closeRegion(build, cotangents, found);
  const values = inlineRegion(build, region, [...types.map((type) => zeros(build, type)), ...captures]);
  const floats = pushed.map((one) => (one === undefined ? undefined : values[found.indexOf(one)]));
  let next = 0;
  return body.results.map(({ type }) => (isDifferentiable(type) ? floats[next++] : undefined));
}

/** The cotangents of the float results, zeros where none flows in. */
function givenTo(build: GraphBuilder, body: Region, cotangents: readonly (TensorNode | undefined)[]): readonly TensorNode[] {
  return body.results.flatMap(({ type }, at) => (isDifferentiable(type) ? (cotangents[at] ?? zeros(build, type)) : []));
}

const pointwise = new WeakMap<Region, boolean>();

/** Whether every element of a cotangent goes to the same place of what the rule gives, and nowhere else. */
function isPointwise({ rule }: CallAttrs, args: number): boolean {
  const known = pointwise.get(rule);
  if (known !== undefined) return known;
  const moved = new Set<Node>();
  let found = true;
  for (const node of topological(rule.results)) {
    const source = sourceOf(node);
    if (source?.kind === 'argument' ? source.index < args : !node.args.some((arg) => moved.has(arg))) continue;
    moved.add(node);
    found &&= source !== undefined || isNodeOf(node, named) || pointwiseOps.has(node.op);
  }
  pointwise.set(rule, found);
  return found;
}

const pointwiseOps: { has(op: OpTag): boolean } = {
  has: (op) => (elementwise as Readonly<Record<string, OpTag>>)[op.name] === op,
};

/** A rule that works element by element keeps masks; of any other, all may depend on all. */
const reach = (node: TensorNode<CallAttrs>, mask: TensorNode | undefined, type: TensorType, build: GraphBuilder): TensorNode | undefined =>
  mask === undefined || (isPointwise(node.attrs, node.args.length) && shapeEquals(mask.type.shape, type.shape))
    ? mask
    : allOrNothing(build, mask, type.shape);

/** x² · y for samples, and its derivatives. */
export function productAndRule(build: GraphBuilder, type: TensorType): CallAttrs {
  const [x, y, g] = [type, type, type].map((one) => placeholder(build, one)) as [TensorNode, TensorNode, TensorNode];
  const slopes = [scalars.mul(build, scalars.add(build, x, x), y), scalars.square(build, x)];
  return {
    body: closeRegion(build, [x, y], [scalars.mul(build, scalars.square(build, x), y)]).region,
    rule: closeRegion(
      build,
      [x, y, g],
      slopes.map((slope) => scalars.mul(build, slope, g)),
    ).region,
  };
}

export const call: Op<CallAttrs> = defineOp<CallAttrs>({
  name: 'call',
  doc: 'A function with the author’s own derivative.',
  type(types, { body, rule }) {
    const args = types.length === 0 ? [] : tensors('call', types);
    if (isProblem(args)) return args;
    const [result, ...others] = body.results.map((node) => node.type);
    if (result === undefined) return problem('type-mismatch', 'a function with its own derivative has no result');
    const wrong = args.findIndex((arg, at) => {
      const param = body.params[at];
      return param === undefined || !tensorEquals(param, arg);
    });
    if (wrong >= 0 || args.length !== body.params.length)
      return problem(
        'type-mismatch',
        `a function of (${body.params.map(typeToString).join(', ')}) called with (${args.map(typeToString).join(', ')})`,
        wrong < 0 ? [] : [wrong],
      );
    const expected: readonly TensorType[] = [...body.params, ...cotangentTypes(body)];
    if (expected.length !== rule.params.length || expected.some((param, at) => !tensorEquals(param, rule.params[at] as TensorType))) {
      return problem(
        'type-mismatch',
        `the rule takes (${rule.params.map(typeToString).join(', ')}), but the arguments and the cotangents are (${expected.map(typeToString).join(', ')})`,
      );
    }
    const given = rule.results.map((node) => node.type);
    if (given.length !== args.length || given.some((one, at) => !tensorEquals(one, args[at] as TensorType))) {
      return problem(
        'type-mismatch',
        `the rule gives (${given.map(typeToString).join(', ')}) for arguments (${args.map(typeToString).join(', ')})`,
      );
    }
    return others.length === 0 ? result : { kind: 'tuple', items: [result, ...others] };
  },
  derivative: {
    kind: 'rules',
    reach: {
      kind: 'rule',
      exact: false,
      vjp: (node, which, mask, build) => reach(node, mask, node.attrs.body.params[which] as TensorType, build),
      jvp: (node, _, mask, build) => reach(node, mask, node.type, build),
    },
    vjp(node, cotangents, build) {
      if (cotangents.every((one) => one === undefined)) return node.args.map(() => undefined);
      const pulled = inlineRegion(build, node.attrs.rule, [...node.args.map(tensorOf), ...givenTo(build, node.attrs.body, cotangents)]);
      return pulled.map((one) => (isDifferentiable(one.type) ? one : undefined));
    },
    jvp: (node, tangents, build, modes) => transposedRule(build, node, tangents, modes),
  },
  evaluate(args, { attrs, region }: EvaluateContext<CallAttrs>) {
    const values = region(
      attrs.body,
      args.map((_, at) => tensorAt(args, at)),
    );
    const [value, ...others] = values;
    if (value === undefined) throw new InternalError('evaluate', 'a call without a result');
    return others.length === 0 ? value : values;
  },
  lowering: { kind: 'removed', by: 'strip' },
  samples: () =>
    [[3], [], [0, 2]].map((shape) => ({
      args: [
        { dtype: 'f64', shape },
        { dtype: 'f64', shape },
      ],
      attrs: (build) => productAndRule(build, tensor('f64', shape.map(Dim.of))),
    })),
});
