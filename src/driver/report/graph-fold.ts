// The graph as it is drawn. In: boxes of an entry, and which of them are open. Out: what is seen: nodes, closed boxes with what they say of
// themselves, open boxes around them, and edges between what is seen.
// Holds: an edge ends at the outermost closed box around its end; a closed box lists its params, and an optimizer says what it updates, so
// no edge leads from a box's params to elsewhere, from params into optimizers, or from a closed box to variables that it sets.

import { type Box, type Boxes, nameWithin, outwards, within } from './graph-boxes.js';
import type { ViewNode, ViewScope } from './graph-view.js';

export interface FoldedNode {
  readonly node: ViewNode;
  /** Its function, else its op. */
  readonly op: string;
  /** Without what the boxes around it say already. */
  readonly name: string | undefined;
}

export interface FoldedBox {
  readonly box: Box;
  readonly title: string;
  readonly open: boolean;
  /** Of a closed one: what it says below its title. */
  readonly lines: readonly string[];
  /** Of an open one. */
  readonly nodes: readonly FoldedNode[];
  readonly boxes: readonly FoldedBox[];
  /** Variables that get a value there: what an optimizer sets in the box that computes it, all else at the top. */
  readonly updates: readonly { readonly variable: string; readonly from: string }[];
}

interface FoldedEdge {
  readonly from: string;
  readonly to: string;
  /** Types of what flows, each once. */
  readonly types: readonly string[];
}

export interface Folded {
  readonly entry: string;
  readonly root: FoldedBox;
  readonly edges: readonly FoldedEdge[];
  readonly outputs: readonly { readonly path: string; readonly from: string }[];
}

export type IsOpen = (box: Box) => boolean;

/** `levels` levels of boxes are open. */
export const openTo =
  (levels: number): IsOpen =>
  (box) =>
    levelOf(box) < levels;

/** At the top, what is made of instances is open, so that they are seen; all else is closed. */
export const openToInstances: IsOpen = (box) =>
  levelOf(box) === 0 && box.series.length === 1 && box.boxes.some((inner) => inner.scope?.kind === 'instance');

/** 0: at the top. */
const levelOf = (box: Box): number => outwards(box).length - 2;

export function fold(boxes: Boxes, isOpen: IsOpen): Folded {
  const { view, root, boxOf, standIn, nodes } = boxes;
  /** The closed box that hides the box or is it. */
  const hiding = new Map<Box, Box>();
  const updates = new Map<Box, { readonly variable: string; readonly from: string }[]>();
  for (const { variable, node } of view.updates) {
    const own = boxOf.get(node);
    if (own === undefined || outwards(own).some((box) => box !== root && !isOpen(box))) continue;
    const box = isOptimizing(own) ? own : root;
    const known = updates.get(box) ?? [];
    updates.set(box, known);
    known.push({ variable: nameWithin(variable, box.scope, view.entry), from: node });
  }
  const draw = (box: Box): FoldedBox => {
    const open = box === root || isOpen(box);
    if (!open) {
      for (const inner of within(box)) hiding.set(inner, box);
      return { box, title: titleOf(box), open, lines: linesOf(box, boxes), nodes: [], boxes: [], updates: [] };
    }
    const seen = box.nodes.map((node): FoldedNode => ({
      node,
      op: boxes.titles.get(node.id) ?? node.op,
      name: node.name === undefined ? undefined : nameWithin(node.name, box.scope, view.entry),
    }));
    return { box, title: titleOf(box), open, lines: [], nodes: seen, boxes: box.boxes.map(draw), updates: updates.get(box) ?? [] };
  };
  const drawn = draw(root);
  /** Undefined for copies in a member of a series that is not the first. */
  const endOf = (id: string): { readonly id: string; readonly box: Box } | undefined => {
    const node = standIn(id);
    const box = boxOf.get(node.id);
    return box === undefined ? undefined : { id: (hiding.get(box) ?? node).id, box };
  };
  const edges = new Map<string, { readonly from: string; readonly to: string; readonly types: Set<string> }>();
  for (const { from, to } of view.edges) {
    const source = nodes.get(from) as ViewNode;
    const [start, end] = [endOf(from), endOf(to)];
    if (start === undefined || end === undefined || start.id === end.id || boxes.isRepeated(from, to)) continue;
    if (source.op === 'variable' && (start.id !== standIn(from).id || (isOptimizing(end.box) && !isOptimizing(start.box)))) continue;
    const key = `${start.id} ${end.id}`;
    const known = edges.get(key);
    if (known === undefined) edges.set(key, { from: start.id, to: end.id, types: new Set([source.type]) });
    else known.types.add(source.type);
  }
  return {
    entry: view.entry,
    root: drawn,
    edges: [...edges.values()].map(({ from, to, types }) => ({ from, to, types: [...types] })),
    outputs: view.outputs.map(({ path, node }) => ({ path, from: endOf(node)?.id ?? node })),
  };
}

const isOptimizing = (box: Box): boolean => outwards(box).some(({ scope }) => scope?.kind === 'optimizer');

/** `hidden1: Dense`, `blocks/0 … blocks/11: Block ×12`, `softmaxCrossEntropy`, `adam` */
export function titleOf({ scope, series }: Box): string {
  if (scope === undefined) return '';
  const count = series.length > 1 ? ` ×${series.length}` : '';
  if (scope.kind === 'function' || scope.kind === 'optimizer' || scope.kind === 'loop') return `${scope.name}${count}`;
  const last = series.at(-1) as ViewScope;
  const names = series.length > 1 ? `${segmentOf(scope)} … ${segmentOf(last)}` : segmentOf(scope);
  return `${names}${scope.kind === 'instance' ? `: ${scope.name}` : ''}${count}`;
}

/** Of an instance, its path below the instance around it, with its method. */
const segmentOf = ({ path, parent }: ViewScope): string => (parent === '' ? path : path.slice(parent.length + 1));

/** So many of a kind are written out. */
const listed = 8;

/** What a closed box says: shapes of what goes in and comes out, then its params. */
function linesOf(box: Box, boxes: Boxes): string[] {
  const { inputs, outputs } = shapesOf(box, boxes);
  const short = (texts: readonly string[]): string => [...texts.slice(0, 3).map(shortType), ...(texts.length > 3 ? ['…'] : [])].join(', ');
  if (box.scope?.kind === 'optimizer') return updatesOf(box);
  if (box.scope?.kind === 'update') return updatedBy(box, boxes);
  const flow = outputs.length === 0 ? short(inputs) : `${short(inputs)}${inputs.length === 0 ? '' : ' '}→ ${short(outputs)}`;
  const params = paramsOf(box, boxes);
  return [
    ...(flow === '' ? [] : [flow]),
    ...params.slice(0, params.length > listed ? listed - 1 : listed),
    ...(params.length > listed ? [`and ${params.length - listed + 1} more`] : []),
  ];
}

/** Types of what the first of the series reads from elsewhere, and of what others read of it, with the names that those have outside. */
export function shapesOf(box: Box, boxes: Boxes): { readonly inputs: string[]; readonly outputs: string[] } {
  const { readers, args, nodes, view, contents } = boxes;
  const own = new Set(contents.get(box));
  const inputs = new Map<string, string>();
  const outputs: string[] = [];
  const returned = new Set(view.outputs.map((output) => output.node));
  for (const id of own) {
    for (const arg of args.get(id) ?? []) {
      const argument = nodes.get(arg) as ViewNode;
      if (!own.has(arg) && argument.op !== 'variable' && argument.copy === undefined) inputs.set(arg, argument.type);
    }
    const { op, name, type } = nodes.get(id) as ViewNode;
    if (op === 'variable' || !(returned.has(id) || (readers.get(id) ?? []).some((reader) => !own.has(reader)))) continue;
    outputs.push(name === undefined || name.startsWith(`${box.scope?.path}/`) ? type : `${name.slice(name.lastIndexOf('/') + 1)}: ${type}`);
  }
  return { inputs: [...inputs.values()], outputs };
}

/** The params and states of the instance that is called, wherever they are read. */
export function paramsOf({ scope }: Box, { view }: Boxes): string[] {
  const { of } = scope ?? {};
  if (scope?.kind !== 'instance' || of === undefined) return [];
  return view.nodes
    .filter(({ op, name }) => op === 'variable' && name?.startsWith(`${of}/`) === true)
    .map(({ name, type }) => `${name?.slice(of.length + 1)}: ${type}`);
}

/** An optimizer sets params and its own states. */
function updatesOf(box: Box): string[] {
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  let params = 0;
  let states = 0;
  for (const inner of box.boxes) {
    if (inner.scope?.kind !== 'update') continue;
    params += inner.series.length;
    states += inner.series.length * inner.nodes.filter((node) => node.op === 'variable').length;
  }
  return [`updates ${counted(params, 'param')}`, ...(states === 0 ? [] : [`with ${counted(states, 'state')}`])];
}

/** The param's type, and the states that go with it. */
function updatedBy({ scope, nodes }: Box, { view }: Boxes): string[] {
  const variables = (among: readonly ViewNode[]): readonly ViewNode[] => among.filter(({ op }) => op === 'variable');
  return [
    ...variables(view.nodes)
      .filter(({ name }) => name === scope?.of)
      .map(({ type }) => type),
    ...variables(nodes).map(({ name, type }) => `${nameWithin(name ?? '', scope, view.entry)}: ${type}`),
  ];
}

/** The types of all gradients of a model would be wider than the rest of the drawing. */
export const shortType = (type: string): string => (type.startsWith('(') && type.length > 32 ? `${type.slice(0, 24)}…)` : type);
