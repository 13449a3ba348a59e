// One of two regions. In: a condition (bool), captures, which both regions take. Out: the results of the region that is taken; the other
// one does not run.
// Holds: both regions have the same parameters and give the same types. So do their derivatives: each is a branch again, whose regions are
// the derivatives of these.

import type { Expression } from '../../grammar/index.js';
import { Dim } from '../base/index.js';
import {
  type GraphBuilder,
  type Node,
  type Region,
  tensor,
  tensorEquals,
  type TensorNode,
  type TensorType,
  typeToString,
} from '../graph/index.js';
import { apply, tensorOf } from './apply.js';
import { defineOp, type Modes, type Op } from './define.js';
import { isDifferentiable, item, zeros } from './make.js';
import { isProblem, problem, tensors } from './problem.js';
import { closeTogether, inlineRegion, placeholder } from './region.js';
import { scalars } from './scalars.js';
import { choice, patternOf, tupleOf } from './tdsl.js';
import { get, tensorAt } from './value.js';
import { expressionsOf, namesFor } from './writing.js';

export type BranchAttrs = { readonly whenTrue: Region; readonly whenFalse: Region };

type Flow = readonly (TensorNode | undefined)[];

export const branch: Op<BranchAttrs> = defineOp<BranchAttrs>({
  name: 'branch',
  doc: 'Runs one of two regions.',
  type(types, { whenTrue, whenFalse }) {
    const args = types.length === 0 ? [] : tensors('branch', types);
    if (isProblem(args)) return args;
    const [condition, ...captures] = args;
    if (condition === undefined || !tensorEquals(condition, tensor('bool')))
      return problem('type-mismatch', 'the condition of a branch is one bool', [0]);
    for (const { params } of [whenTrue, whenFalse])
      if (params.length !== captures.length || params.some((one, at) => !tensorEquals(one, captures[at] as TensorType)))
        return problem('type-mismatch', `a region takes (${listed(params)}), but is given (${listed(captures)})`);
    const [given, other] = [whenTrue, whenFalse].map(({ results }) => results.map(({ type }) => type)) as [TensorType[], TensorType[]];
    if (given.length !== other.length || given.some((one, at) => !tensorEquals(one, other[at] as TensorType)))
      return problem('type-mismatch', `one region gives (${listed(given)}), the other one (${listed(other)})`);
    return { kind: 'tuple', items: given };
  },
  derivative: { kind: 'rules', vjp: branchVjp, jvp: branchJvp },
  evaluate(args, { attrs, region }) {
    const [condition, ...captures] = args.map((_, at) => tensorAt(args, at));
    const taken = condition !== undefined && Number(get(condition, 0)) !== 0;
    return region(taken ? attrs.whenTrue : attrs.whenFalse, captures);
  },
  lowering: { kind: 'loop', stored: true },
  write(node, writer) {
    const [condition, ...captures] = node.args as [Node, ...Node[]];
    const params = captures.map((capture) => writer.shared(capture));
    const names = writer.results(node, () => 'r');
    const asked = writer.exact(condition);
    const [yes, no] = (
      [
        ['whenTrue', node.attrs.whenTrue],
        ['whenFalse', node.attrs.whenFalse],
      ] as const
    ).map(([stem, region]) => writer.deferred(stem, [], (inside) => tupleOf(expressionsOf(inside.region(region, params))))) as [
      Expression,
      Expression,
    ];
    writer.bind(patternOf(names), choice(asked, yes, no));
    return namesFor(
      names,
      node.attrs.whenTrue.results.map(({ type }) => type.shape),
    );
  },
  samples: () =>
    [
      { taken: 1, shape: [4] },
      { taken: 0, shape: [] },
      { taken: 0, shape: [3] },
      { taken: 1, shape: [0, 2] },
    ].map(({ taken, shape }) => ({
      args: [
        { dtype: 'bool', shape: [], values: [taken] },
        { dtype: 'f64', shape },
        { dtype: 'f64', shape },
      ],
      attrs: (build) => {
        const [x, y] = [0, 1].map(() => placeholder(build, tensor('f64', shape.map(Dim.of)))) as [TensorNode, TensorNode];
        const sides = [[scalars.mul(build, x, scalars.sin(build, y))], [scalars.add(build, scalars.cos(build, x), x)]];
        const [whenTrue, whenFalse] = closeTogether(build, [x, y], sides).regions as [Region, Region];
        return { whenTrue, whenFalse };
      },
    })),
});

const listed = (types: readonly TensorType[]): string => types.map(typeToString).join(', ');

function branchVjp(node: Node<BranchAttrs>, cotangents: Flow, build: GraphBuilder, modes: Modes): Flow {
  const { whenTrue, whenFalse } = node.attrs;
  const [condition, ...captures] = node.args.map(tensorOf);
  const params = captures.map(({ type }) => placeholder(build, type));
  const arriving = cotangents.map((one) => (one === undefined ? undefined : placeholder(build, one.type)));
  const wanted = params.flatMap((param, at) => (isDifferentiable(param.type) ? [at] : []));
  const sides = [whenTrue, whenFalse].map((region) =>
    modes.vjp(
      inlineRegion(build, region, params),
      arriving,
      wanted.map((at) => params[at] as TensorNode),
    ),
  );
  const inner = [...params, ...arriving.filter((one) => one !== undefined)];
  const outer = [...captures, ...cotangents.filter((one) => one !== undefined)];
  const found = chosen(build, condition as TensorNode, inner, outer, sides);
  return node.args.map((_, place) => found[wanted.indexOf(place - 1)]);
}

function branchJvp(node: Node<BranchAttrs>, tangents: Flow, build: GraphBuilder, modes: Modes): Flow {
  const { whenTrue, whenFalse } = node.attrs;
  const [condition, ...captures] = node.args.map(tensorOf);
  const params = captures.map(({ type }) => placeholder(build, type));
  const arriving = tangents.slice(1).map((one) => (one === undefined ? undefined : placeholder(build, one.type)));
  const sides = [whenTrue, whenFalse].map((region) => modes.jvp(inlineRegion(build, region, params), params, arriving));
  const inner = [...params, ...arriving.filter((one) => one !== undefined)];
  const outer = [...captures, ...tangents.slice(1).filter((one) => one !== undefined)];
  return chosen(build, condition as TensorNode, inner, outer, sides);
}

/** One of two flows over `inner`, for which `outer` stands outside; undefined where nothing flows on either side. */
function chosen(
  build: GraphBuilder,
  condition: TensorNode,
  inner: readonly TensorNode[],
  outer: readonly TensorNode[],
  sides: readonly Flow[],
): Flow {
  const [yes, no] = sides as [Flow, Flow];
  const places = yes.flatMap((one, at) => (one === undefined && no[at] === undefined ? [] : [at]));
  if (places.length === 0) return yes;
  const filled = sides.map((side, which) =>
    places.map((at) => side[at] ?? zeros(build, ((which === 0 ? no : yes)[at] as TensorNode).type)),
  );
  const { regions, captures } = closeTogether(build, inner, filled);
  const [whenTrue, whenFalse] = regions as [Region, Region];
  const made = apply(build, branch, [condition, ...outer, ...captures], { whenTrue, whenFalse });
  return yes.map((_, at) => (places.includes(at) ? item(build, made, places.indexOf(at)) : undefined));
}
