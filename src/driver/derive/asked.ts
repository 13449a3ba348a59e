// What is differentiated, and by what. In: names as they stand on the command line. Out: an entry with the nodes that they stand for, or
// diagnostics. Holds: a name that stands for two values is refused; so is what the value does not depend on.

import { suggestion } from '../../../runtime/error.js';
import { type DiagnosticCode, DiagnosticsError, isFloat, printable } from '../../base/index.js';
import type { CheckResult } from '../../check/index.js';
import {
  type Entry,
  type GraphBuilder,
  type ModuleGraph,
  type Node,
  type TensorNode,
  topological,
  typeToString,
} from '../../graph/index.js';
import * as ops from '../../ops/index.js';

export interface DeriveRequest {
  /** Default: the one that has a value of that name. */
  readonly entry?: string | undefined;
  /** A result or a `let`; of a function that returns one value, its own name. */
  readonly of: string;
  /** Params, states, arguments, `let`s. */
  readonly by: readonly string[];
}

export interface Asked {
  readonly entry: Entry;
  readonly value: TensorNode;
  readonly inputs: readonly { readonly path: string; readonly node: TensorNode }[];
}

const refuse = (code: DiagnosticCode, message: string, hint?: string, node?: Node, build?: GraphBuilder): DiagnosticsError =>
  new DiagnosticsError([
    { code, message, span: node === undefined ? undefined : build?.originsOf(node)[0]?.span, ...(hint === undefined ? {} : { hint }) },
  ]);

const quoted = (name: string): string => `\`${printable(name)}\``;
const listed = (names: readonly string[]): string => names.map(quoted).join(', ');

/** The node behind names. */
function unnamed(node: Node): Node {
  let one = node;
  while (ops.isNodeOf(one, ops.named)) one = one.args[0] as Node;
  return one;
}

/** Values of an entry by that name. */
function valuesOf(entry: Entry, name: string): readonly TensorNode[] {
  const [only, ...others] = entry.outputs;
  const own = name === entry.name && only?.path === '' && others.length === 0 ? [only.node] : [];
  const results = entry.outputs.flatMap(({ path, node }) => (path === name ? [node] : []));
  const lets = [entry.names.get(name)].filter((node) => node !== undefined);
  // A `let` that is returned under its own name is one value.
  return [...new Map([...results, ...lets, ...own].map((node) => [unnamed(node), node])).values()];
}

/** Errors: unknown-entry, unknown-name, ambiguous-name, not-differentiable, unsupported-feature. */
export function readRequest(
  { module, build, open }: { readonly module: ModuleGraph; readonly build: GraphBuilder; readonly open: CheckResult['open'] },
  file: string,
  request: DeriveRequest,
): Asked {
  const { entry, value } = valueAsked(module, open, file, request);
  const of = quoted(request.of);
  if (!isFloat(value.type.dtype))
    throw refuse(
      'not-differentiable',
      `${of} is ${typeToString(value.type)}, which has no derivative`,
      'differentiate a float',
      value,
      build,
    );
  const order = new Set<Node>(topological([value]));
  const inputs = request.by.map((path) => {
    const node = inputNamed(module, entry, path, build);
    if (!isFloat(node.type.dtype))
      throw refuse(
        'not-differentiable',
        `${quoted(path)} is ${typeToString(node.type)}, by which nothing can be differentiated`,
        'differentiate by a float',
        node,
        build,
      );
    if (!order.has(node)) {
      const may = [...namesOf(module, entry, build)].flatMap(([name, one]) =>
        one !== value && isFloat(one.type.dtype) && order.has(one) ? [name] : [],
      );
      throw refuse(
        'not-differentiable',
        `${of} does not depend on ${quoted(path)}: the derivative is 0`,
        may.length === 0 ? 'it depends on nothing that can change' : `it depends on ${listed(may.slice(0, most))}`,
      );
    }
    return { path: path.replaceAll('.', '/'), node };
  });
  return { entry, value, inputs };
}

/** So many names are listed in a hint. */
const most = 8;

function valueAsked(
  module: ModuleGraph,
  open: CheckResult['open'],
  file: string,
  { entry: named, of }: DeriveRequest,
): { readonly entry: Entry; readonly value: TensorNode } {
  const exported = module.entries.filter(({ kind }) => kind !== 'init');
  if (named !== undefined && open.some(({ name }) => name === named))
    throw refuse(
      'unsupported-feature',
      `${quoted(named)} takes tensors of any rank, and a derivative is written for one`,
      'write the axes of its arguments: `x: f32[B, D]`',
    );
  const among = named === undefined ? exported : exported.filter(({ name }) => name === named);
  if (among.length === 0) {
    const names = exported.map(({ name }) => name);
    const hint = named === undefined ? undefined : suggestion(named, names);
    throw refuse(
      'unknown-entry',
      `${printable(file)} exports ${named === undefined ? 'nothing' : `no ${quoted(named)}`}`,
      hint ?? (names.length === 0 ? 'Write `export` before a function.' : `It exports ${listed(names)}.`),
    );
  }
  const found = among.flatMap((entry) => valuesOf(entry, of).map((value) => ({ entry, value })));
  const [first, second] = found;
  if (first === undefined) {
    const names = [
      ...new Set(
        among.flatMap((entry) => [...entry.names.keys(), ...entry.outputs.flatMap(({ path }) => (path === '' ? [entry.name] : [path]))]),
      ),
    ];
    const meant = names.find((name) => name.endsWith(`/${of}`));
    throw refuse(
      'unknown-name',
      `nothing in ${among.map(({ name }) => quoted(name)).join(' or ')} is called ${quoted(of)}`,
      meant === undefined ? (suggestion(of, names) ?? hintOf(names)) : `Did you mean ${meant}?`,
    );
  }
  if (second === undefined) return first;
  throw refuse(
    'ambiguous-name',
    `${quoted(of)} stands for ${found.length} values, in ${listed([...new Set(found.map(({ entry }) => entry.name))])}`,
    first.entry === second.entry
      ? 'a result and a `let` are called so, and are not the same: rename the `let`'
      : `name the entry: \`tfc derive ${printable(file)} ${first.entry.name} --of ${printable(of)} …\``,
  );
}

const hintOf = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `There is ${listed(names.slice(0, most))}.`;

/** Everything that an entry may be differentiated by; of several of one name the argument, as everywhere, else the variable. */
function namesOf(module: ModuleGraph, entry: Entry, build: GraphBuilder): ReadonlyMap<string, TensorNode> {
  return new Map([
    ...entry.names,
    ...module.variables.map(
      ({ path, type: { dtype, shape } }) => [path, ops.applyTensor(build, ops.variable, [], { path, dtype, shape })] as const,
    ),
    ...entry.feeds.map(({ name, type: { dtype, shape } }) => [name, ops.applyTensor(build, ops.feed, [], { name, dtype, shape })] as const),
  ]);
}

function inputNamed(module: ModuleGraph, entry: Entry, path: string, build: GraphBuilder): TensorNode {
  const all = namesOf(module, entry, build);
  const wanted = path.replaceAll('.', '/');
  const found = all.get(wanted);
  if (found !== undefined) return found;
  const names = [...all.keys()];
  const meant = names.find((name) => name.endsWith(`/${wanted}`));
  throw refuse(
    'unknown-name',
    `no argument, param, state or \`let\` of ${quoted(entry.name)} is called ${quoted(path)}`,
    meant === undefined ? (suggestion(wanted, names) ?? hintOf(names)) : `Did you mean ${meant}?`,
  );
}
