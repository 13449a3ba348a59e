// Values that reverse mode does not keep. In: captures; a region over them. Out: the results of the region.
// Holds: the way forward is the region as it stands. On the way back it is computed once more, from the captures, in a region of its own
// (`recompute`), so that nothing inside has to live from the one to the other. The same operations of the same arguments give the same
// values, those of random numbers as well.
// Griewank and Walther, "Evaluating Derivatives", chapter 12; Chen et al., "Training deep nets with sublinear memory cost", 2016.

import { Dim } from '../base/index.js';
import {
  type GraphBuilder,
  type Node,
  type Region,
  tensor,
  tensorEquals,
  type TensorNode,
  type TensorType,
  type Type,
  typeToString,
} from '../graph/index.js';
import { apply } from './apply.js';
import { defineOp, type EvaluateContext, type Modes, type Op, type Sample, type TypeProblem, type Value } from './define.js';
import { isDifferentiable, item } from './make.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeRegion, inlineRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { named, patternOf } from './tdsl.js';
import { tensorAt } from './value.js';

export type CheckpointAttrs = { readonly body: Region };

type Flow = readonly (TensorNode | undefined)[];

function typeOf(name: string, types: readonly Type[], { body }: CheckpointAttrs): Type | TypeProblem {
  const args = types.length === 0 ? [] : tensors(name, types);
  if (isProblem(args)) return args;
  if (args.length !== body.params.length || args.some((arg, at) => !tensorEquals(arg, body.params[at] as TensorType)))
    return problem(
      'type-mismatch',
      `the region takes (${body.params.map(typeToString).join(', ')}), but is given (${args.map(typeToString).join(', ')})`,
    );
  return { kind: 'tuple', items: body.results.map(({ type }) => type) };
}

const valuesOf = (args: readonly Value[], { attrs, region }: EvaluateContext<CheckpointAttrs>): Value =>
  region(
    attrs.body,
    args.map((_, at) => tensorAt(args, at)),
  );

/** A derivative of a region as a region: of its parameters and of what flows in. */
function derived(
  build: GraphBuilder,
  { args, attrs }: Node<CheckpointAttrs>,
  flows: Flow,
  derive: (results: readonly TensorNode[], params: readonly TensorNode[], arriving: Flow) => Flow,
): Flow {
  const params = attrs.body.params.map((type) => placeholder(build, type));
  const arriving = flows.map((one) => (one === undefined ? undefined : placeholder(build, one.type)));
  const found = derive(inlineRegion(build, attrs.body, params), params, arriving);
  const present = found.flatMap((one) => one ?? []);
  if (present.length === 0) return found;
  const closed = closeRegion(build, [...params, ...arriving.filter((one) => one !== undefined)], present);
  const given = [...args, ...flows.filter((one) => one !== undefined), ...closed.captures];
  const made = apply(build, recompute, given, { body: closed.region });
  let at = 0;
  return found.map((one) => (one === undefined ? undefined : item(build, made, at++)));
}

function vjp(node: Node<CheckpointAttrs>, cotangents: Flow, build: GraphBuilder, modes: Modes): Flow {
  return derived(build, node, cotangents, (results, params, arriving) => {
    const wanted = params.filter(({ type }) => isDifferentiable(type));
    const found = modes.vjp(results, arriving, wanted);
    return params.map((param) => (wanted.includes(param) ? found[wanted.indexOf(param)] : undefined));
  });
}

const jvp = (node: Node<CheckpointAttrs>, tangents: Flow, build: GraphBuilder, modes: Modes): Flow =>
  derived(build, node, tangents, (results, params, arriving) => modes.jvp(results, params, arriving));

const samples = (): readonly Sample<CheckpointAttrs>[] =>
  [[4], [], [0, 2]].map((shape) => ({
    args: [
      { dtype: 'f64', shape },
      { dtype: 'f64', shape },
    ],
    attrs: (build) => {
      const [x, y] = [0, 1].map(() => placeholder(build, tensor('f64', shape.map(Dim.of)))) as [TensorNode, TensorNode];
      return { body: closeRegion(build, [x, y], [scalars.mul(build, scalars.sin(build, x), y), scalars.cos(build, y)]).region };
    },
  }));

/** What both ops have. */
const runsRegion = { derivative: { kind: 'rules', vjp, jvp }, evaluate: valuesOf, samples } as const;

export const checkpoint: Op<CheckpointAttrs> = defineOp<CheckpointAttrs>({
  ...runsRegion,
  name: 'checkpoint',
  doc: 'Runs a region that reverse mode computes again instead of keeping what is in it.',
  type: (types, attrs) => typeOf('checkpoint', types, attrs),
  lowering: { kind: 'removed', by: 'strip' },
});

export const recompute: Op<CheckpointAttrs> = defineOp<CheckpointAttrs>({
  ...runsRegion,
  name: 'recompute',
  doc: 'Runs a region that shares nothing with what is around it.',
  type: (types, attrs) => typeOf('recompute', types, attrs),
  lowering: { kind: 'loop', stored: true },
  // What is computed again stands there again.
  write(node, writer) {
    const params = node.args.map((arg) => writer.shared(arg));
    const values = writer.region(node.attrs.body, params);
    const names = writer.results(node, () => 'r');
    for (const [at, { expression }] of values.entries()) writer.bind(patternOf([names[at] as string]), expression);
    return values.map((value, at) => ({ ...value, expression: named(names[at] as string) }));
  },
});
