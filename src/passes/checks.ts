// Checks become outputs. In: a graph with ops that say what must hold. Out: the same without them, and for each entry that has some two
// outputs that say which one fails first, and of which number.
// Holds: ops are asked, none is listed; what certainly holds (bounds.ts) is not computed; one check of the same numbers is made once, at
// the place that stands first in the text.

import { Dim, type Shape } from '../base/index.js';
import {
  calledRoots,
  type CheckedPlace,
  type Entry,
  type GraphBuilder,
  mapEntry,
  mapModule,
  type ModuleGraph,
  moduleRoots,
  type Node,
  regionsOf,
  tensor,
  type TensorNode,
  topological,
} from '../graph/index.js';
import {
  applyTensor,
  cast,
  type CastAttrs,
  type CheckParts,
  fill,
  iota,
  type IotaAttrs,
  opOf,
  reduceMin,
  reduceSum,
  scalar,
  scalars,
  sizeAs,
  spread,
} from '../ops/index.js';
import { Ranges } from './bounds.js';
import { uncheckedGraph } from './graph-form.js';
import type { Pass } from './pass.js';
import { Rewriter } from './rewrite.js';
import { type Found, Watch } from './watch.js';

export const checks: Pass<ModuleGraph, ModuleGraph> = {
  name: 'checks',
  doc: 'Has each entry say which of its checks fails first.',
  to: uncheckedGraph,
  run(module, { build }) {
    if (!hasChecks(moduleRoots(module))) return module;
    const images = new Map<Node, TensorNode>();
    const rest = new Rewriter(build, (node) => withoutCheck(node));
    const imageOf = (node: TensorNode): TensorNode => images.get(node) ?? rest.tensor(node);
    const entries = module.entries.map((entry) => build.at(undefined, () => checkedEntry(entry, build, imageOf, images)));
    return { ...mapModule({ ...module, entries: [] }, imageOf), entries };
  },
};

const withoutCheck = (node: Node): Node => (opOf(node).check === undefined ? node : (node.args[0] as Node));

function hasChecks(roots: readonly Node[]): boolean {
  return topological(roots).some((node) => opOf(node).check !== undefined || regionsOf(node).some(([, { results }]) => hasChecks(results)));
}

function checkedEntry(entry: Entry, build: GraphBuilder, imageOf: (node: TensorNode) => TensorNode, images: Map<Node, TensorNode>): Entry {
  const called = calledRoots(entry);
  const places = placesIn(called);
  if (places.length === 0) return mapEntry(entry, imageOf);
  const watch = new CheckWatch(build, places, new Ranges(entry.facts));
  const { found, imageOf: own } = watch.through(called);
  const roots = new Set<Node>(called);
  // What initializes a variable is the same node in its declaration.
  if (entry.kind === 'init') for (const root of called) images.set(root, own(root));
  const image = mapEntry(entry, (node) => (roots.has(node) ? own(node) : imageOf(node)));
  if (found.length === 0) return image;
  const [place, said] = watch.earliest(found) as [TensorNode, TensorNode];
  const holds = scalars.eq(build, place, scalar(build, 'i32', nothingFound));
  const status = scalars.select(build, holds, scalar(build, 'i32', 0), scalars.add(build, place, scalar(build, 'i32', 1)));
  const { length: at } = image.outputs;
  return {
    ...image,
    outputs: [...image.outputs, { path: '$check', node: status }, { path: '$check/said', node: said }],
    checks: { status: at, said: at + 1, places: places.map(({ place: one }) => one) },
  };
}

/** A place that nothing was found at. */
const nothingFound = 2 ** 31 - 1;

interface Place {
  readonly key: string;
  readonly place: CheckedPlace;
}

type PlaceAttrs = { readonly source: string; readonly start: number; readonly end: number };

const keyOf = ({ attrs }: Node, { code, size, length }: Pick<CheckedPlace, 'code' | 'size' | 'length'>): string => {
  const { source, start, end } = attrs as PlaceAttrs;
  return `${source} ${start} ${end} ${code} ${size.key} ${length.key}`;
};

/** Of all checks, in the order of the text. */
function placesIn(roots: readonly Node[]): readonly Place[] {
  const places = new Map<string, Place>();
  const visit = (nodes: readonly Node[]): void => {
    for (const node of topological(nodes)) {
      if (opOf(node).check !== undefined) {
        const { source, start, end } = node.attrs as PlaceAttrs;
        const { code = 'index-out-of-range', size, length = Dim.one } = node.attrs as { code?: string; size: Dim; length?: Dim };
        const place = { code, source, start, end, size, length };
        places.set(keyOf(node, place), { key: keyOf(node, place), place });
      }
      for (const [, region] of regionsOf(node)) visit(region.results);
    }
  };
  visit(roots);
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...places.values()].sort(
    (a, b) =>
      compare(a.place.source, b.place.source) || a.place.start - b.place.start || a.place.end - b.place.end || compare(a.key, b.key),
  );
}

class CheckWatch extends Watch {
  readonly #positions: ReadonlyMap<string, number>;
  readonly #ranges: Ranges;

  constructor(build: GraphBuilder, places: readonly Place[], ranges: Ranges) {
    super(build);
    this.#positions = new Map(places.map(({ key }, at) => [key, at]));
    this.#ranges = ranges;
  }

  protected nothing(): Found {
    return [scalar(this.build, 'i32', nothingFound), scalar(this.build, 'i64', 0)];
  }

  protected override opened(count: TensorNode, trip: Dim): void {
    this.#ranges.note(count, { low: Dim.zero, high: trip.sub(1) });
  }

  protected override become(node: Node): Node {
    return withoutCheck(node);
  }

  protected look(node: TensorNode): Found | undefined {
    const { build } = this;
    const parts = opOf(node).check?.(node, build);
    const at = parts === undefined ? undefined : this.#positions.get(keyOf(node, parts));
    if (parts === undefined || at === undefined || this.#ranges.certainlyHolds(node, parts)) return undefined;
    const { failing, said } = firstFailing(parts, build);
    return [
      scalars.select(build, failing, scalar(build, 'i32', at), scalar(build, 'i32', nothingFound)),
      said.type.dtype === 'i64' ? said : applyTensor<CastAttrs>(build, cast, [said], { dtype: 'i64' }),
    ];
  }

  protected earlier(one: Found, other: Found): Found {
    const [[place, said], [otherPlace, otherSaid]] = [one, other] as [[TensorNode, TensorNode], [TensorNode, TensorNode]];
    const isFirst = scalars.le(this.build, place, otherPlace);
    return [scalars.min(this.build, place, otherPlace), scalars.select(this.build, isFirst, said, otherSaid)];
  }
}

/** Whether one fails, and what the first one says. */
function firstFailing({ failing, said }: CheckParts, build: GraphBuilder): { readonly failing: TensorNode; readonly said: TensorNode } {
  const { shape } = failing.type;
  if (shape.length === 0) return { failing, said };
  const axes = shape.map((_, axis) => axis);
  const type = tensor('i64', shape);
  const position = positionsIn(shape, build);
  const none = scalar(build, 'i64', nowhere);
  const first = (keys: TensorNode): TensorNode =>
    applyTensor(build, reduceMin, [scalars.select(build, failing, keys, spread(build, none, shape))], { axes });
  if (said.type.dtype === 'i64') {
    const at = first(position);
    const isFirst = scalars.eq(build, position, spread(build, at, shape));
    const kept = scalars.select(build, scalars.and(build, failing, isFirst), said, fill(build, type, 0));
    return { failing: scalars.ne(build, at, none), said: applyTensor(build, reduceSum, [kept], { axes }) };
  }
  // The position above the number: the least of them has both.
  const natural = scalars.add(build, applyTensor<CastAttrs>(build, cast, [said], { dtype: 'i64' }), fill(build, type, half));
  const key = first(scalars.add(build, scalars.mul(build, position, fill(build, type, 2n * half)), natural));
  const low = scalars.rem(build, key, scalar(build, 'i64', 2n * half));
  return { failing: scalars.ne(build, key, none), said: scalars.sub(build, low, scalar(build, 'i64', half)) };
}

/** Above every position. */
const nowhere = 2n ** 63n - 1n;
/** What makes every i32 at least 0. */
const half = 2n ** 31n;

/** The place of each element in memory's order. */
function positionsIn(shape: Shape, build: GraphBuilder): TensorNode {
  let stride = Dim.one;
  let sum: TensorNode | undefined;
  for (const [axis, size] of [...shape.entries()].reverse()) {
    const count = applyTensor<IotaAttrs>(build, iota, [], { shape, axis, dtype: 'i64' });
    const step = stride.constant === 1 ? count : scalars.mul(build, count, spread(build, sizeAs(build, stride, 'i64'), shape));
    sum = sum === undefined ? step : scalars.add(build, sum, step);
    stride = stride.mul(size);
  }
  return sum as TensorNode;
}
