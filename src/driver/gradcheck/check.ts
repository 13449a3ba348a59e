// Checks derivatives by numbers. In: an entry's derivatives, a point. Out: for each thing that is differentiated by, how far reverse mode,
// forward mode and finite differences lie apart.
// Holds: everything is computed in f64 by the graph interpreter, which rounds nothing to f32; nothing of the claimed derivative goes into
// the choice of the step of the differences.
// The differences are central and extrapolated once (Richardson); of several steps the two that agree best are believed, because a large
// one may cross a corner of relu, and a small one loses digits.

import { DiagnosticsError } from '../../base/index.js';
import { evaluateNodes } from '../../eval/index.js';
import {
  type Entry,
  entryRoots,
  type GraphBuilder,
  isTensorNode,
  type ModuleGraph,
  type Node,
  type TensorNode,
  topological,
} from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { differentiate, Pipeline } from '../../passes/index.js';
import type { Point } from './points.js';

/** One thing that something is differentiated by. */
export interface Checked {
  /** `loss`, or the results of a function. */
  readonly of: string;
  /** A param's path, an argument's or a `let`'s name. */
  readonly by: string;
  readonly elements: number;
  /** Largest difference over the directions that were tried, relative to the sum of the magnitudes that the slope is made of. */
  readonly forward: number;
  readonly differences: number;
}

/** A derivative that an entry asks for: values, and nodes that they are differentiated by. */
interface Asked {
  readonly of: string;
  readonly values: readonly TensorNode[];
  readonly inputs: readonly TensorNode[];
}

const directions = 2;
const steps = [1e-3, 1e-5];

/** Errors: not-differentiable, and what evaluation finds wrong with feeds. */
export function checkEntry(module: ModuleGraph, entry: Entry, build: GraphBuilder, point: Point, next: () => number): Checked[] {
  return askedOf(entry).flatMap((asked) => asked.inputs.map((input) => checkOne(module, entry, build, point, next, asked, input)));
}

/** What a step minimizes and a function differentiates; of a function that does neither, its float results by all that they depend on. */
function askedOf(entry: Entry): readonly Asked[] {
  const order = topological(entryRoots(entry, 'without names'));
  const found = order.flatMap((node): Asked[] => {
    if (!ops.isNodeOf(node, ops.grad)) return [];
    const values = node.args.slice(0, node.attrs.outputs).map(ops.tensorOf);
    return [
      {
        of: values.map((value) => nameOf(entry, value)).join(' + '),
        values,
        inputs: node.args.slice(node.attrs.outputs).map(ops.tensorOf),
      },
    ];
  });
  if (found.length > 0 || entry.kind === 'step') return found;
  const values = entry.outputs.map(({ node }) => node).filter(({ type }) => ops.isDifferentiable(type));
  const inputs = topological(values).filter(
    (node): node is TensorNode =>
      isTensorNode(node) && ops.isDifferentiable(node.type) && (ops.isNodeOf(node, ops.feed) || ops.isNodeOf(node, ops.variable)),
  );
  return values.length === 0 || inputs.length === 0 ? [] : [{ of: entry.name, values, inputs }];
}

function nameOf(entry: Entry, node: TensorNode): string {
  if (ops.isNodeOf(node, ops.feed)) return node.attrs.name;
  if (ops.isNodeOf(node, ops.variable)) return node.attrs.path;
  const unnamed = (one: Node): Node => (ops.isNodeOf(one, ops.named) ? unnamed(one.args[0] as Node) : one);
  for (const [path, named] of entry.names) if (named === node) return path;
  for (const { path, node: output } of entry.outputs) if (unnamed(output) === unnamed(node) && path !== '') return path;
  return ops.isNodeOf(node, ops.named) ? node.attrs.path : `a value of ${entry.name}`;
}

/** A feed that no program can name. */
const directionName = ' direction';

function checkOne(
  module: ModuleGraph,
  entry: Entry,
  build: GraphBuilder,
  point: Point,
  next: () => number,
  asked: Asked,
  input: TensorNode,
): Checked {
  const { values } = asked;
  const direction = ops.applyTensor(build, ops.feed, [], { name: directionName, dtype: input.type.dtype, shape: input.type.shape });
  const slope = ops.item(build, ops.apply(build, ops.grad, [...values, input], { outputs: values.length }), 0);
  const along = values.map((value) => ops.applyTensor(build, ops.jvp, [value, input, direction], { inputs: 1 }));
  const outputs = [input, slope, ...values, ...along].map((node, at) => ({ path: `${at}`, node }));
  const alone: Entry = {
    ...entry,
    feeds: [...entry.feeds, { name: directionName, type: input.type, span: undefined }],
    outputs,
    result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) },
    updates: [],
    summaries: [],
    names: new Map(),
  };
  const { output } = Pipeline.of(differentiate).run({ ...module, entries: [alone] }, { build, verify: false });
  const [at, reverse, ...rest] = (output.entries[0] as Entry).outputs.map(({ node }) => node) as [TensorNode, TensorNode, ...TensorNode[]];
  const forward = rest.slice(values.length);
  const plain = { feeds: point.feeds, variables: point.variables, dims: point.dims };
  const [start, claimed] = evaluateNodes([at, reverse], plain) as [ops.TensorValue, ops.TensorValue];
  // A constant to every derivative is one to the differences as well.
  const stopped = topological(rest.slice(0, values.length))
    .filter((node) => ops.isNodeOf(node, ops.stopGradient))
    .map(ops.tensorOf);
  const kept = new Map<Node, ops.TensorValue>();
  for (const [which, value] of evaluateNodes(stopped, plain).entries()) kept.set(stopped[which] as Node, value);
  const total = (nodes: readonly TensorNode[], nodeValues: ReadonlyMap<Node, ops.TensorValue>, feeds = plain.feeds): number =>
    evaluateNodes(nodes, { ...plain, feeds, nodes: nodeValues }).reduce((sum, value) => sum + sumOf(value), 0);
  let [worstForward, worstDifference] = [0, 0];
  for (let turn = 0; turn < directions; turn++) {
    const way = ops.tabulate(start.dtype, start.shape, () => 2 * next() - 1);
    const backward = dot(claimed, way);
    const scale = Math.max(magnitude(claimed, way), Number.MIN_VALUE);
    const pushed = total(forward, new Map(), new Map([...plain.feeds, [directionName, way]]));
    const moved = (by: number): number => total(rest.slice(0, values.length), new Map([...kept, [at, plus(start, way, by)]]));
    worstForward = worse(worstForward, Math.abs(pushed - backward) / scale);
    // Differences lose the digits that their values have in common.
    worstDifference = worse(worstDifference, Math.abs(difference(moved) - backward) / Math.max(scale, 1e-6 * Math.abs(moved(0))));
  }
  return {
    of: asked.of,
    by: nameOf(entry, input),
    elements: ops.countOf(start.shape),
    forward: worstForward,
    differences: worstDifference,
  };
}

/** NaN is the worst. */
const worse = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b));

/** The slope of `f` at 0, from the pair of estimates that agree best. */
function difference(f: (by: number) => number): number {
  const central = (h: number): number => (f(h) - f(-h)) / (2 * h);
  let best = { value: Number.NaN, apart: Infinity };
  for (const h of steps) {
    const [wide, narrow] = [central(h), central(h / 2)];
    const apart = Math.abs(wide - narrow);
    if (apart < best.apart) best = { value: (4 * narrow - wide) / 3, apart };
  }
  return best.value;
}

const numbersOf = ({ data }: ops.TensorValue): ArrayLike<number> => data as Float64Array;

function sumOf(value: ops.TensorValue): number {
  let sum = 0;
  for (let at = 0; at < value.data.length; at++) sum += Number(value.data[at]);
  return sum;
}

function dot(a: ops.TensorValue, b: ops.TensorValue): number {
  let sum = 0;
  for (let at = 0; at < a.data.length; at++) sum += (numbersOf(a)[at] as number) * (numbersOf(b)[at] as number);
  return sum;
}

/** Of what a dot product sums. */
function magnitude(a: ops.TensorValue, b: ops.TensorValue): number {
  let sum = 0;
  for (let at = 0; at < a.data.length; at++) sum += Math.abs((numbersOf(a)[at] as number) * (numbersOf(b)[at] as number));
  return sum;
}

function plus(value: ops.TensorValue, way: ops.TensorValue, by: number): ops.TensorValue {
  return { ...value, data: (value.data as Float64Array).map((one, at) => one + by * (numbersOf(way)[at] as number)) };
}

/** Why an entry has no derivatives; undefined for what is no such reason. */
export function withoutDerivative(error: unknown): string | undefined {
  if (!(error instanceof DiagnosticsError)) return undefined;
  const [first] = error.diagnostics;
  return first?.code === 'not-differentiable' ? first.message : undefined;
}
