// Checks derivatives by numbers. In: an entry's derivatives, a point. Out: for each thing that is differentiated by, how far reverse mode,
// forward mode and finite differences lie apart.
// Holds: everything is computed in f64 by the graph interpreter, which rounds nothing to f32; nothing of the claimed derivative goes into
// the choice of the step of the differences.
// The differences are central and extrapolated once (Richardson); of several steps the two that agree best are believed, because a large
// one may cross a corner of relu, and a small one loses digits.

import { DiagnosticsError } from '../../base/index.js';
import { evaluateNodes } from '../../eval/index.js';
import {
  computing,
  type Entry,
  type Feed,
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
  /** Feeds of its own. */
  readonly weights: readonly Feed[];
}

const directions = 2;
const steps = [1e-3, 1e-5];

/** Errors: not-differentiable, and what evaluation finds wrong with feeds. */
export function checkEntry(module: ModuleGraph, entry: Entry, build: GraphBuilder, point: Point, next: () => number): Checked[] {
  return askedOf(entry, build).flatMap((asked) => checkAsked(module, entry, build, point, next, asked));
}

/** What a step minimizes and a function differentiates; of a function that does neither, its float results by all that they depend on. */
function askedOf(entry: Entry, build: GraphBuilder): readonly Asked[] {
  const order = topological(entryRoots(entry, 'without names'));
  const found = order.flatMap((node): Asked[] => {
    if (!ops.isNodeOf(node, ops.grad)) return [];
    const values = node.args.slice(0, node.attrs.outputs).map(ops.tensorOf);
    return [
      {
        of: values.map((value) => nameOf(entry, value)).join(' + '),
        values,
        inputs: node.args.slice(node.attrs.outputs).map(ops.tensorOf),
        weights: [],
      },
    ];
  });
  if (found.length > 0 || entry.kind === 'step') return found;
  const values = entry.outputs.map(({ node }) => node).filter(({ type }) => ops.isDifferentiable(type));
  const inputs = topological(values).filter(
    (node): node is TensorNode =>
      isTensorNode(node) && ops.isDifferentiable(node.type) && (ops.isNodeOf(node, ops.feed) || ops.isNodeOf(node, ops.variable)),
  );
  if (values.length === 0 || inputs.length === 0) return [];
  // The sum of all results may not move at all, as that of softmax: each element counts differently.
  const weights = values.map(({ type }, at): Feed => ({ name: weightName(at), type, span: undefined }));
  const weighted = values.map((value, at) => ops.applyTensor(build, ops.elementwise.mul, [value, fed(build, weights[at] as Feed)], {}));
  return [{ of: entry.name, values: weighted, inputs, weights }];
}

function nameOf(entry: Entry, node: TensorNode): string {
  if (ops.isNodeOf(node, ops.feed)) return node.attrs.name;
  if (ops.isNodeOf(node, ops.variable)) return node.attrs.path;
  const unnamed = (one: Node): Node => (ops.isNodeOf(one, ops.named) ? unnamed(one.args[0] as Node) : one);
  for (const [path, named] of entry.names) if (named === node) return path;
  for (const { path, node: output } of entry.outputs) if (unnamed(output) === unnamed(node) && path !== '') return path;
  return ops.isNodeOf(node, ops.named) ? node.attrs.path : `a value of ${entry.name}`;
}

/** Feeds that no program can name. */
const directionName = (input: number): string => ` direction ${input}`;
const weightName = (result: number): string => ` weight ${result}`;

const fed = (build: GraphBuilder, { name, type: { dtype, shape } }: Feed): TensorNode =>
  ops.applyTensor(build, ops.feed, [], { name, dtype, shape });

/** The derivatives that are asked for, by every input at once: each mode goes through the program one time. */
interface Derived {
  readonly inputs: readonly TensorNode[];
  readonly slopes: readonly TensorNode[];
  readonly values: readonly TensorNode[];
  /** Per input, the derivative of each value along the input's direction. */
  readonly along: readonly (readonly TensorNode[])[];
}

function derived(module: ModuleGraph, entry: Entry, build: GraphBuilder, { values, inputs, weights }: Asked): Derived {
  const slopes = ops.apply(build, ops.grad, [...values, ...inputs], { outputs: values.length });
  const feeds = inputs.map(({ type }, at): Feed => ({ name: directionName(at), type, span: undefined }));
  const directions = feeds.map((feed) => fed(build, feed));
  const along = inputs.flatMap((input, at) =>
    values.map((value) => ops.applyTensor(build, ops.jvp, [value, input, directions[at] as TensorNode], { inputs: 1 })),
  );
  const wanted = [...inputs, ...inputs.map((_, at) => ops.item(build, slopes, at)), ...values, ...along];
  const alone: Entry = { ...computing(entry, wanted), feeds: [...entry.feeds, ...weights, ...feeds] };
  const { output } = Pipeline.of(differentiate).run({ ...module, entries: [alone] }, { build, verify: false });
  const nodes = (output.entries[0] as Entry).outputs.map(({ node }) => node);
  const [count, of] = [inputs.length, values.length];
  return {
    inputs: nodes.slice(0, count),
    slopes: nodes.slice(count, 2 * count),
    values: nodes.slice(2 * count, 2 * count + of),
    along: inputs.map((_, at) => nodes.slice(2 * count + of + at * of, 2 * count + of + (at + 1) * of)),
  };
}

function checkAsked(module: ModuleGraph, entry: Entry, build: GraphBuilder, point: Point, next: () => number, asked: Asked): Checked[] {
  const { inputs, slopes, values, along } = derived(module, entry, build, asked);
  const drawn = asked.weights.map(({ name, type: { dtype, shape } }): readonly [string, ops.TensorValue] => {
    const sizes = shape.map((dim) => dim.evaluate(point.dims) ?? 0);
    return [name, ops.tabulate(dtype, sizes, () => 0.5 + next())];
  });
  const plain = { feeds: new Map([...point.feeds, ...drawn]), variables: point.variables, dims: point.dims };
  const order = topological(values);
  const tensors = order.filter(isTensorNode);
  const found = evaluateNodes([...inputs, ...slopes, ...tensors], plain);
  const [starts, claims] = [found.slice(0, inputs.length), found.slice(inputs.length, 2 * inputs.length)];
  const known = new Map(tensors.map((node, at) => [node as Node, found[2 * inputs.length + at] as ops.TensorValue]));
  const total = (nodes: readonly TensorNode[], given: ReadonlyMap<Node, ops.TensorValue>, feeds = plain.feeds): number =>
    evaluateNodes(nodes, { ...plain, feeds, nodes: given }).reduce((sum, value) => sum + sumOf(value), 0);
  return inputs.map((input, at): Checked => {
    const kept = stillBeside(input, order, known);
    const [start, claimed] = [starts[at], claims[at]] as [ops.TensorValue, ops.TensorValue];
    let [worstForward, worstDifference] = [0, 0];
    for (let turn = 0; turn < directions; turn++) {
      const way = ops.tabulate(start.dtype, start.shape, () => 2 * next() - 1);
      const backward = dot(claimed, way);
      // Sums lose the digits that their terms have in common, and a slope that is 0 is made of such terms.
      const scale = Math.max(magnitude(claimed, way), 1e-6 * Math.abs(total(values, known)), Number.MIN_VALUE);
      const pushed = total(along[at] as readonly TensorNode[], known, new Map([...plain.feeds, [directionName(at), way]]));
      const moved = (by: number): number => total(values, new Map([...kept, [input, plus(start, way, by)]]));
      worstForward = worse(worstForward, Math.abs(pushed - backward) / scale);
      worstDifference = worse(worstDifference, Math.abs(difference(moved) - backward) / scale);
    }
    return {
      of: asked.of,
      by: nameOf(entry, asked.inputs[at] as TensorNode),
      elements: ops.countOf(start.shape),
      forward: worstForward,
      differences: worstDifference,
    };
  });
}

/**
 * What does not move with an input, which need not be computed again. A constant to every derivative is one to the differences as well.
 */
function stillBeside(input: TensorNode, order: readonly Node[], known: ReadonlyMap<Node, ops.TensorValue>): [Node, ops.TensorValue][] {
  const moving = new Set<Node>([input]);
  for (const node of order) if (node.args.some((arg) => moving.has(arg)) && !ops.isNodeOf(node, ops.stopGradient)) moving.add(node);
  return [...known].filter(([node]) => !moving.has(node));
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
