// A model at a glance. In: a checked module, the same simplified and as kernels. Out: per entry its layers with what they give, their
// params and FLOPs, and what a run needs.
// Holds: a layer's row counts all that stands inside of it; like layers that follow each other are one row; FLOPs of layers are those of
// the graph, each value once, so those of the kernels differ by what is computed again, and by nests, which only kernels count.

import type { Texts } from '../../../grammar/index.js';
import { bytesOf, Dim, elementCount, isFloat } from '../../base/index.js';
import {
  calledRoots,
  type Entry,
  type GraphBuilder,
  isTensorNode,
  type ModuleGraph,
  type Node,
  topological,
  type Variable,
} from '../../graph/index.js';
import { isNodeOf, loop, type Op } from '../../ops/index.js';
import type { LoweredModule } from '../build/pipeline.js';
import { type Box, boxesOf, type Boxes } from './graph-boxes.js';
import { shapesOf, titleOf } from './graph-fold.js';
import { originIn } from './graph-nodes.js';
import { viewOf } from './graph-view.js';

export interface LayerRow {
  /** How many layers are around it. */
  readonly depth: number;
  /** Path of the instance; `blocks/0 … blocks/11` for like layers. */
  readonly layer: string;
  readonly model: string;
  /** Like layers that the row stands for. */
  readonly count: number;
  /** Types of what others read of it. */
  readonly output: readonly string[];
  /** Elements of its params. */
  readonly params: number;
  readonly forward: Dim;
  readonly backward: Dim;
}

export interface EntrySummary {
  readonly entry: string;
  readonly kind: Entry['kind'];
  readonly layers: readonly LayerRow[];
  /** What stands in no layer: losses, optimizers. */
  readonly elsewhere: { readonly forward: Dim; readonly backward: Dim };
  readonly kernels: number;
  readonly flops: Dim;
  /** Bytes beside variables, feeds and results; a maximum where places are shared by values whose sizes cannot be compared. */
  readonly workingBytes: readonly (readonly Dim[])[];
}

export interface ModuleSummary {
  /** Elements and bytes by kind of variable. */
  readonly variables: Readonly<Record<Variable['kind'], { readonly count: number; readonly elements: number; readonly bytes: number }>>;
  readonly entries: readonly EntrySummary[];
}

/** `checked` has names and scopes, `lowered` what is left after derivatives and clean-up. */
export function summaryOf(checked: ModuleGraph, lowered: LoweredModule, build: GraphBuilder, texts: Texts): ModuleSummary {
  const views = new Map(viewOf(checked, build, texts).map((view) => [view.entry, view]));
  return {
    variables: { param: sumOf(checked, 'param'), state: sumOf(checked, 'state'), slot: sumOf(checked, 'slot') },
    entries: lowered.module.entries.flatMap((entry, at): EntrySummary[] => {
      const view = views.get(entry.name);
      const program = lowered.entries[at]?.program;
      if (view === undefined || program === undefined) return [];
      const flops = flopsByInstance(entry, build);
      return [
        {
          entry: entry.name,
          kind: entry.kind,
          layers: layersOf(boxesOf(view), flops, checked.variables),
          elsewhere: flops.get('') ?? nothing,
          kernels: program.kernels.length,
          flops: Dim.sum(program.kernels.map(({ cost }) => cost.flops)),
          workingBytes: program.arena.slots.map(({ bytes }) => bytes),
        },
      ];
    }),
  };
}

function sumOf({ variables }: ModuleGraph, kind: Variable['kind']): { count: number; elements: number; bytes: number } {
  const own = variables.filter((variable) => variable.kind === kind);
  return {
    count: own.length,
    elements: own.reduce((sum, variable) => sum + elementsOf(variable), 0),
    bytes: own.reduce((sum, variable) => sum + elementsOf(variable) * bytesOf(variable.type.dtype), 0),
  };
}

const elementsOf = ({ type }: Variable): number => elementCount(type.shape).constant ?? 0;

interface Flops {
  readonly forward: Dim;
  readonly backward: Dim;
}

const nothing: Flops = { forward: Dim.zero, backward: Dim.zero };
const plus = (a: Flops, b: Flops): Flops => ({ forward: a.forward.add(b.forward), backward: a.backward.add(b.backward) });

/** By the path of the scope that the innermost call of an instance opened; '' for what stands in none. */
function flopsByInstance(entry: Entry, build: GraphBuilder): ReadonlyMap<string, Flops> {
  const sums = new Map<string, Flops>();
  for (const node of topological(calledRoots(entry))) {
    const flops = flopsOfNode(node);
    if (flops.constant === 0) continue;
    const origin = originIn(node, entry, build);
    const path = instanceAround(entry.name, origin?.scope ?? '', build);
    const own = origin?.backward === true ? { forward: Dim.zero, backward: flops } : { forward: flops, backward: Dim.zero };
    sums.set(path, plus(sums.get(path) ?? nothing, own));
  }
  return sums;
}

function instanceAround(entry: string, scope: string, build: GraphBuilder): string {
  for (let path = scope; path !== '';) {
    const info = build.scopeAt(entry, path);
    if (info === undefined || info.kind === 'optimizer') return '';
    if (info.kind === 'instance') return path;
    path = info.parent;
  }
  return '';
}

/** What the op's lowering says that one node costs; nothing for nests, whose statements only lowering writes. */
function flopsOfNode(node: Node): Dim {
  if (isNodeOf(node, loop)) {
    const each = topological(node.attrs.body.results).reduce((sum, inner) => sum.add(flopsOfNode(inner)), Dim.zero);
    return each.mul(node.attrs.trip);
  }
  const { lowering } = node.op as Op;
  const [first] = node.args;
  if (!isTensorNode(node)) return Dim.zero;
  if (lowering.kind === 'element') return elementCount(node.type.shape).mul(lowering.cost);
  if (first === undefined || !isTensorNode(first) || !isFloat(node.type.dtype)) return Dim.zero;
  if (lowering.kind === 'reduce') return elementCount(first.type.shape);
  // A product and a sum per term.
  if (lowering.kind === 'contract')
    return elementCount(node.type.shape)
      .mul(first.type.shape.at(-1) ?? Dim.one)
      .mul(2);
  return Dim.zero;
}

function layersOf(boxes: Boxes, flops: ReadonlyMap<string, Flops>, variables: readonly Variable[]): LayerRow[] {
  const rows: LayerRow[] = [];
  const visit = (box: Box, depth: number, around: readonly Place[]): void => {
    const isLayer = box.scope?.kind === 'instance';
    const places = isLayer ? placesOf(box, around) : around;
    if (isLayer) rows.push(rowOf(box, depth, places, boxes, flops, variables));
    for (const inner of box.boxes) visit(inner, isLayer ? depth + 1 : depth, places);
  };
  visit(boxes.root, 0, []);
  return rows;
}

/** Where a layer is called, and the instance that it is. */
interface Place {
  readonly path: string;
  readonly of: string;
}

/** Of all layers that a box stands for: its series, in each member of the series around it, whose first member the box stands in. */
function placesOf({ series }: Box, around: readonly Place[]): Place[] {
  const own = series.map(({ path, of = '' }) => ({ path, of }));
  const [first, ...others] = around;
  if (first === undefined) return own;
  const moved = (text: string, from: string, to: string): string => (isInside(text, from) ? to + text.slice(from.length) : text);
  return [
    own,
    ...others.map((other) => own.map(({ path, of }) => ({ path: moved(path, first.path, other.path), of: moved(of, first.of, other.of) }))),
  ].flat();
}

const isInside = (path: string, around: string): boolean => path === around || path.startsWith(`${around}/`);

function rowOf(
  box: Box,
  depth: number,
  places: readonly Place[],
  boxes: Boxes,
  flops: ReadonlyMap<string, Flops>,
  variables: readonly Variable[],
): LayerRow {
  let sum = nothing;
  for (const [path, own] of flops) if (places.some((place) => isInside(path, place.path))) sum = plus(sum, own);
  const params = variables.filter(({ kind, path }) => kind === 'param' && places.some(({ of }) => of !== '' && isInside(path, of)));
  const title = titleOf(box);
  return {
    depth,
    layer: title.includes(': ') ? title.slice(0, title.indexOf(': ')) : title,
    model: box.scope?.name ?? '',
    count: places.length,
    output: shapesOf(box, boxes).outputs.map((type) => type.slice(type.lastIndexOf(': ') + 1).trim()),
    params: params.reduce((total, variable) => total + elementsOf(variable), 0),
    ...sum,
  };
}

/** `sizes` stand for names that only callers know. */
export function summaryText({ variables, entries }: ModuleSummary, sizes: ReadonlyMap<string, Dim>): string {
  const dim = (one: Dim): string => one.substitute(sizes).toString();
  const counted = (one: Dim): string => grouped(dim(one));
  const tables = entries.map(({ entry, kind, layers, elsewhere, kernels, flops, workingBytes }) => {
    const isStep = kind === 'step';
    const rows = layers.map(({ depth, layer, model, count, output, params, forward, backward }) => [
      `${'  '.repeat(depth)}${layer}`,
      count > 1 ? `${model} ×${count}` : model,
      output.join(', '),
      grouped(String(params)),
      counted(forward),
      ...(isStep ? [counted(backward)] : []),
    ]);
    const rest = ['elsewhere', '', '', '', counted(elsewhere.forward), ...(isStep ? [counted(elsewhere.backward)] : [])];
    const head = ['layer', 'model', 'output', 'params', isStep ? 'FLOPs forward' : 'FLOPs', ...(isStep ? ['backward'] : [])];
    return [
      `${kind} ${entry}`,
      ...table([head, ...rows, rest]).map((line) => `  ${line}`),
      `  one run: ${grouped(String(kernels))} kernel${kernels === 1 ? '' : 's'}, ${counted(flops)} FLOPs, works in ${workingText(workingBytes, dim)}`,
    ].join('\n');
  });
  const names = { param: 'params', state: 'states', slot: "optimizers' slots" } as const;
  const held = Object.entries(names).flatMap(([kind, name]) => {
    const { count, elements, bytes } = variables[kind as Variable['kind']];
    return count === 0 ? [] : [`${name}: ${grouped(String(elements))} numbers in ${count}, ${grouped(String(bytes))} bytes`];
  });
  return [...tables, held.length === 0 ? 'no variables' : held.join('\n')].join('\n\n');
}

/** One sum; places that values share are as large as the largest of them. */
function workingText(slots: readonly (readonly Dim[])[], dim: (one: Dim) => string): string {
  let sum = Dim.zero;
  const open = new Map<string, number>();
  for (const bytes of slots) {
    const values = bytes.map(dim);
    const numbers = values.map(Number);
    if (bytes.length === 1) sum = sum.add(bytes[0] as Dim);
    else if (numbers.every((value) => !Number.isNaN(value))) sum = sum.add(Dim.of(Math.max(...numbers)));
    else open.set(`max(${values.join(', ')})`, (open.get(`max(${values.join(', ')})`) ?? 0) + 1);
  }
  const shared = [...open].map(([text, count]) => (count === 1 ? text : `${count} · ${text}`));
  return `${grouped([dim(sum), ...shared].join(' + '))} bytes`;
}

/** Thousands in whole numbers are set apart: `12,345*B`. */
const grouped = (text: string): string => text.replaceAll(/\d{4,}/g, (digits) => digits.replaceAll(/\B(?=(\d{3})+$)/g, ','));

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
