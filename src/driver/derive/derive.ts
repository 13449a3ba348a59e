// Derivatives as programs. In: a checked module, what to differentiate by what. Out: the text of a function that computes it.
// Holds: the derivative is the one that `grad` makes, simplified as it is before it is compiled; checks of indices stay, because the text
// makes them again.

import type { Texts } from '../../../grammar/places.js';
import { type Dim, DiagnosticsError, isFloat, solvableNames } from '../../base/index.js';
import type { CheckResult } from '../../check/index.js';
import {
  computing,
  type Entry,
  type GraphBuilder,
  type ModuleGraph,
  type Node,
  sourceOf,
  type TensorNode,
  topological,
} from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { differentiate, Pipeline, simplify, sizesOf, strip } from '../../passes/index.js';
import { type FunctionToWrite, nameOf, partsOf, shortNames, writeFunction, type WrittenParameter } from '../../write/index.js';
import { type Asked, type DeriveRequest, readRequest } from './asked.js';

export interface ToDerive {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
  readonly open: CheckResult['open'];
}

export interface Derived {
  readonly text: string;
  /** By the names of the arguments, the paths of feeds and variables. */
  readonly arguments: Readonly<Record<string, string>>;
}

/** Errors: those of `readRequest`; not-differentiable for an op on the way; unsupported-feature for one that cannot be written. */
export function derive(checked: ToDerive, file: string, request: DeriveRequest, texts: Texts): Derived {
  const { module, build } = checked;
  const asked = readRequest(checked, file, request);
  const { entry, inputs } = asked;
  const stem = derivativeStem(request.of);
  const { results, names: known } = derivatives(module, build, asked, stem);
  const order = topological(results);
  const read = parametersOf(module, entry, order, build);
  const names = shortNames([...read, ...inputs].map(({ path }) => path));
  const parameters = read.map((one): WrittenParameter => ({ ...one, name: names.get(one.path) ?? one.path }));
  const { text, names: called } = writeFunction({
    name: stem,
    doc: [
      `The derivative of \`${request.of}\` in \`${entry.name}\` by ${inputs.map(({ path }) => `\`${path}\``).join(', ')}, as \`tfc derive\` writes it.`,
    ],
    build,
    parameters,
    ...factsOf(entry, parameters),
    results: inputs.map(({ path }, at) => ({ name: `${stem}_d${names.get(path) ?? lastOf(path)}`, node: results[at] as TensorNode })),
    paths: pathsOf(known, order),
    entry: entry.name,
    file,
    texts,
  });
  return { text, arguments: Object.fromEntries(called.map((name, at) => [name, parameters[at]?.path ?? name])) };
}

const lastOf = (path: string): string => nameOf(partsOf(path).at(-1) as string);

/** `dLoss` of `loss`. */
function derivativeStem(of: string): string {
  const name = lastOf(of);
  return `d${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** `dLoss_dlogits`. */
const derivativeName = (stem: string, path: string): string => `${stem}_d${lastOf(path)}`;

interface Derivatives {
  readonly results: readonly TensorNode[];
  /** What nodes are called, with the derivatives by every `let` among them. */
  readonly names: ReadonlyMap<string, TensorNode>;
}

function derivatives(module: ModuleGraph, build: GraphBuilder, { entry, value, inputs }: Asked, stem: string): Derivatives {
  const below = new Set<Node>(topological([value]));
  const lets = [...entry.names].filter(([, node]) => node !== value && below.has(node) && isFloat(node.type.dtype));
  const gradients = (by: readonly TensorNode[]): readonly TensorNode[] => {
    if (by.length === 0) return [];
    const node = ops.apply(build, ops.grad, [value, ...by], { outputs: 1 });
    return by.map((_, at) => ops.item(build, node, at));
  };
  const run = (names: ReadonlyMap<string, TensorNode>): Derivatives => {
    const alone: Entry = { ...computing(entry, gradients(inputs.map(({ node }) => node))), names };
    const { output } = Pipeline.of(differentiate)
      .then(strip)
      .then(simplify)
      .run({ ...module, entries: [alone] }, { build });
    const found = output.entries[0] as Entry;
    return { results: found.outputs.map(({ node }) => node), names: found.names };
  };
  const named = gradients(lets.map(([, node]) => node)).map((node, at) => {
    const path = partsOf((lets[at] as (typeof lets)[number])[0]);
    return [[...path.slice(0, -1), derivativeName(stem, path.at(-1) as string)].join('/'), node] as const;
  });
  try {
    return run(new Map([...entry.names, ...named]));
  } catch (error) {
    // By some `let` there may be none: then cotangents have no names, or what is asked for has none either.
    if (error instanceof DiagnosticsError) return run(entry.names);
    throw error;
  }
}

/** What the nodes read, in the order in which the program declares it: feeds, with those that say sizes, then variables. */
function parametersOf(
  module: ModuleGraph,
  entry: Entry,
  order: readonly Node[],
  build: GraphBuilder,
): readonly Omit<WrittenParameter, 'name'>[] {
  const read = new Set(
    order.flatMap((node) => {
      const source = sourceOf(node);
      return source?.kind === 'feed' ? [`feed ${source.name}`] : source?.kind === 'variable' ? [`variable ${source.path}`] : [];
    }),
  );
  const quotients = new Map(entry.declared?.quotients.map((one) => [one.name, one]));
  const needed = new Set([...sizesOf(order)].flatMap((name) => [...(quotients.get(name)?.dividend.names ?? [name])]));
  const shapeOf = (feed: Entry['feeds'][number]): readonly Dim[] => feed.declared ?? feed.type.shape;
  const taken = new Set(entry.feeds.filter(({ name }) => read.has(`feed ${name}`)));
  for (;;) {
    const shapes = [...taken].flatMap(shapeOf);
    const solved = solvableNames(shapes);
    const open = [...needed, ...shapes.flatMap((dim) => [...dim.names])].filter((name) => !solved.has(name));
    const says = entry.feeds.find((feed) => !taken.has(feed) && shapeOf(feed).some((dim) => open.some((name) => dim.names.has(name))));
    if (says === undefined) break;
    taken.add(says);
  }
  return [
    ...entry.feeds
      .filter((feed) => taken.has(feed))
      .map((feed): Omit<WrittenParameter, 'name'> => {
        const { name, type, initial } = feed;
        const node = ops.applyTensor(build, ops.feed, [], { name, dtype: type.dtype, shape: type.shape });
        return { node, path: name, shape: shapeOf(feed), initial };
      }),
    ...module.variables
      .filter(({ path }) => read.has(`variable ${path}`))
      .map(({ path, type: { dtype, shape } }): Omit<WrittenParameter, 'name'> => {
        const node = ops.applyTensor(build, ops.variable, [], { path, dtype, shape });
        return { node, path, shape };
      }),
  ];
}

/** What callers fulfil, as far as it is about sizes that arguments say. */
function factsOf(entry: Entry, parameters: readonly WrittenParameter[]): Pick<FunctionToWrite, 'facts' | 'known' | 'quotients'> {
  const { declared, facts } = entry;
  const said = new Set(parameters.flatMap(({ shape }) => shape.flatMap((dim) => [...dim.names])));
  const quotients = declared?.quotients ?? [];
  const isSaid = (name: string): boolean => {
    const quotient = quotients.find((one) => one.name === name);
    return quotient === undefined ? said.has(name) : [...quotient.dividend.names, ...quotient.divisor.names].every(isSaid);
  };
  const all = [...(declared?.facts ?? []), ...facts.filter(({ inferred }) => inferred === undefined)];
  return {
    facts: all.filter(({ left, right }) => [...left.names, ...right.names].every(isSaid)),
    known: facts,
    quotients,
  };
}

/** Paths of the nodes that are written; a name of what only has another shape is that of the node itself. */
function pathsOf(names: ReadonlyMap<string, TensorNode>, order: readonly Node[]): ReadonlyMap<Node, string> {
  const written = new Set(order);
  const paths = new Map<Node, string>();
  for (const [path, node] of names) {
    let one: Node = node;
    while ((!written.has(one) && (ops.isNodeOf(one, ops.reshape) || ops.isNodeOf(one, ops.broadcast))) || ops.isNodeOf(one, ops.ensure))
      one = one.args[0] as Node;
    if (written.has(one) && sourceOf(one) === undefined && !paths.has(one)) paths.set(one, path);
  }
  return paths;
}
