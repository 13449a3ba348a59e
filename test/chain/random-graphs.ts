// Random well-typed graphs as cases for the chain. In: a seed, how many ops. Out: an entry with outputs and updates that read each other's
// variables. Holds: see `drawing.ts`.

import { Dim, type DType, isFloat, isSigned, isWide, roundTo } from '../../src/base/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { fill, tabulate } from '../../src/ops/index.js';
import { modesFor } from '../ops/derivatives.js';
import { numbers } from '../ops/samples.js';
import { Drawing, type Item, precision } from './drawing.js';
import { grow } from './drawn-ops.js';
import { type GraphCase, runGraphs } from './graphs.js';

const mixes: readonly (readonly DType[])[] = [
  ['f32', 'f32', 'f32', 'i32', 'bool'],
  ['f32', 'f64', 'i32', 'i64', 'bool'],
  ['f32', 'f32', 'f16', 'bf16', 'u8', 'i32'],
  ['f32', 'i8', 'i16', 'u16', 'i32', 'bool'],
  ['f64', 'u32', 'u64', 'i64', 'i32', 'u8'],
];

/** A graph of about `steps` ops; the same seed with fewer steps gives its beginning. */
export function randomGraph(seed: number, steps: number): GraphCase {
  const drawing = drawn(seed, steps, mixes[seed % mixes.length] as readonly DType[]);
  const { make } = drawing;
  const outputs = chosen(drawing, 1 + drawing.int(4));
  const updates: Record<string, TensorNode> = {};
  const errors = new Map(outputs.map(({ error, node }, at) => [`output ${at}`, 4 * error * precision[node.type.dtype]]));
  for (const { path, type } of make.variables) {
    const known = drawing.items.find((item) => item.node.op.name === 'variable' && item.node.attrs['path'] === path) as Item;
    const item = newValue(drawing, known);
    if (item === undefined) continue;
    updates[path] = item.node;
    errors.set(`variable ${path}`, 4 * item.error * precision[type.dtype]);
  }
  return {
    name: `graph_${seed}`,
    make,
    entry: make.entry(
      outputs.map(({ node }) => node),
      updates,
    ),
    sizes: drawing.sizes,
    value: valuesFor(drawing, seed),
    tolerance: (result) => errors.get(result) ?? 0,
    simplified: seed % 2 === 0,
    // A second step starts from values whose bounds are those of results.
    steps: 1,
  };
}

/** Derivatives of a random scalar with respect to everything that it is computed from, in reverse and along one direction. */
export function randomGradient(seed: number, steps: number): GraphCase {
  const drawing = drawn(seed, steps, ['f64', 'f64', 'i32', 'bool'], true);
  const { make } = drawing;
  const sums = chosen(drawing, 3, ({ node }) => node.type.dtype === 'f64').map(({ node }) =>
    make.op('reduceSum', [node], { axes: node.type.shape.map((_, axis) => axis) }),
  );
  const total = sums.reduce((sum, one) => make.op('add', [sum, one]), make.constant(0, 'f64'));
  const inputs = drawing.items
    .map(({ node }) => node)
    .filter((node) => (node.op.name === 'feed' || node.op.name === 'variable') && node.type.dtype === 'f64');
  const found = modesFor(make.build).vjp([total], [fill(make.build, total.type, 1)], inputs);
  const gradients = found.flatMap((one) => (one === undefined ? [] : [one]));
  const directions = inputs.map((input, at) => {
    drawing.ranges.set(`d${at}`, { bound: 1, whole: false });
    return make.feed(`d${at}`, input.type.shape, 'f64');
  });
  const [forward] = modesFor(make.build).jvp([total], inputs, directions);
  // ⟨gradient, direction⟩ by either mode: the first link of the chain compares them, being exact enough.
  const products = found.flatMap((one, at) =>
    one === undefined
      ? []
      : [make.op('reduceSum', [make.op('mul', [one, directions[at] as TensorNode])], { axes: one.type.shape.map((_, axis) => axis) })],
  );
  const backward = products.reduce((sum, one) => make.op('add', [sum, one]), make.constant(0, 'f64'));
  return {
    name: `gradient_${seed}`,
    make,
    entry: make.entry([total, ...gradients, backward, forward ?? backward]),
    equal: [gradients.length + 1, gradients.length + 2],
    sizes: drawing.sizes,
    value: valuesFor(drawing, seed),
    tolerance: (_, dtype) => (dtype === 'f64' ? 1e-7 : 0),
    simplified: seed % 2 === 0,
  };
}

function drawn(seed: number, steps: number, dtypes: readonly DType[], uneven = false): Drawing {
  const drawing = new Drawing(`c${seed}`, seed, dtypes);
  drawing.uneven = uneven;
  const [main = 'f32'] = dtypes;
  for (let at = 0; at < 2; at++) drawing.feed(drawing.shape([1, 2, 2, 3]), main);
  for (let at = drawing.int(3); at > 0; at--) drawing.variable(drawing.constantShape(), main);
  for (let step = 0; step < steps; step++) grow(drawing);
  return drawing;
}

function chosen(drawing: Drawing, count: number, good: (item: Item) => boolean = () => true): Item[] {
  const found: Item[] = [];
  for (let at = 0; at < count; at++) {
    const item = drawing.find((one) => good(one) && !found.some((other) => other.node === one.node));
    if (item !== undefined) found.push(item);
  }
  return found;
}

/** Of a variable: anything of its type, often computed from itself or from another variable, moved about. */
function newValue(drawing: Drawing, variable: Item): Item | undefined {
  const { type } = variable.node;
  const { make } = drawing;
  const same = (item: Item): boolean =>
    item.node !== variable.node &&
    item.node.type.dtype === type.dtype &&
    item.node.type.shape.length === type.shape.length &&
    item.node.type.shape.every((dim, axis) => dim.equals(type.shape[axis] as typeof dim));
  const kind = drawing.int(5);
  if (kind === 0) return undefined;
  if (kind === 1) return drawing.find((item) => same(item) && item.node.op.name === 'variable') ?? drawing.find(same);
  if (kind === 2 && type.shape.length > 0) {
    const starts = type.shape.map((dim) => dim.sub(1));
    return {
      ...variable,
      node: make.op('slice', [variable.node], { starts, stops: type.shape.map(() => Dim.of(-1)), steps: type.shape.map(() => -1) }),
    };
  }
  const other = drawing.find((item) => variable.error > 0 || item.error === 0);
  const fitted = other === undefined ? undefined : drawing.fit(other, type);
  if (fitted === undefined || kind === 3 || type.dtype === 'bool') return fitted;
  const sum = fitted.error + variable.error;
  return {
    node: make.op('add', [variable.node, fitted.node]),
    bound: variable.bound + fitted.bound,
    error: sum === 0 ? 0 : sum + variable.bound + fitted.bound,
  };
}

const valuesFor =
  (drawing: Drawing, seed: number): GraphCase['value'] =>
  (name, { dtype }, shape) => {
    const { bound, whole } = drawing.ranges.get(name) ?? { bound: 1, whole: true };
    const next = numbers(1 + seed * 131 + [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0));
    for (let warm = 0; warm < 3; warm++) next();
    const low = isSigned(dtype) || isFloat(dtype) ? -bound : 0;
    return tabulate(dtype, shape, () => {
      const value = whole ? low + Math.floor(next() * (bound - low + 1)) : roundTo(dtype, low + next() * (bound - low));
      return isWide(dtype) ? BigInt(value) : isFloat(dtype) ? value : Math.trunc(value);
    });
  };

/** The failure of the shortest beginning of a graph that fails, with its graph and kernels. */
export function firstBreak(
  draw: (steps: number) => GraphCase,
  steps: number,
  options: Parameters<typeof runGraphs>[1],
): string | undefined {
  for (let count = 1; count <= steps; count++) {
    const [found] = runGraphs([draw(count)], { ...options, explain: true });
    if (found !== undefined) return `${found.name} with ${count} steps: ${found.text}`;
  }
  return undefined;
}
