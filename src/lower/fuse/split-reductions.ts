// Which reductions over many points are done by partial results, so that one pass over the points serves them and whatever else needs the
// same data.
// In: a block whose reductions are whole, in groups. Out: the cheaper of that and of the same with reductions split.
// Holds: plans are values, of which one is taken; a reduction is split only if its partial results find company; see the note at the end.

import { elementCount, type Shape, shapeEquals } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import { leastSplitColumns, leastSplitPoints } from '../../target/index.js';
import { costOfPlan, isMuchOf } from './cost-model.js';
import { withSplits } from '../form/formed.js';
import { type ReduceForm, space } from '../form/forms.js';
import { fuse, neededBy } from './fuse.js';
import type { Fusion, Group, GroupedBlock } from './groups.js';
import { splitReduction } from '../form/partial.js';
import type { Splits } from '../form/materialize.js';

/** The plan that costs least; of two that cost the same, the one with whole reductions. */
export function splitReductions(whole: GroupedBlock): GroupedBlock {
  const cost = ({ formed, fusion }: GroupedBlock): number => costOfPlan(fusion, new Set(formed.required), formed.forms);
  const split = withAllSplit(whole);
  return split !== undefined && cost(split) < cost(whole) ? split : whole;
}

/** Every reduction by partial results that has company in both plans; undefined if none has. */
function withAllSplit(whole: GroupedBlock): GroupedBlock | undefined {
  const { formed, fusion } = whole;
  const stored = [...fusion.materialized].filter((node) => !formed.materialized.has(node));
  let splits: Splits = new Map(
    withCompany(splittable(whole), fusion).map(({ node, form, points }) => [node, splitReduction(form, points)] as const),
  );
  while (splits.size > 0) {
    const plan = planWith(splits, whole, stored);
    const together = new Map([...splits].filter(([, { partial }]) => plan.fusion.groupOf.get(partial.node)?.members.length !== 1));
    if (together.size === splits.size) return plan;
    splits = together;
  }
  return undefined;
}

/** `stored`: what fusion has found worth it in the plan with whole reductions. */
function planWith(splits: Splits, whole: GroupedBlock, stored: readonly Node[]): GroupedBlock {
  const formed = withSplits(whole.formed, splits);
  const supposed = stored.filter((node) => !formed.materialized.has(node));
  return { formed, fusion: fuse(formed, { supposed, before: whole.fusion }) };
}

/** Reductions over enough points. */
function splittable({ formed: { forms }, fusion: { groups, materialized } }: GroupedBlock): Splittable[] {
  return groups.flatMap((group) =>
    group.members.flatMap((member): Splittable[] => {
      if (member.role !== 'reduce' || forms.splitOf(member.node) !== undefined) return [];
      const { node, form } = member;
      const points = pointsOf(form, groups);
      if (points === undefined) return [];
      const reads = neededBy(member, materialized, forms);
      const shared = reads.filter((read) => isReadAlong(read, loopsOf({ node, form, points })) && isMuchOf([read], reads));
      return [{ node, group, points, form, reads, shared }];
    }),
  );
}

interface Splittable {
  readonly node: TensorNode;
  readonly form: ReduceForm;
  readonly group: Group;
  readonly points: Shape;
  /** Stored nodes that it needs. */
  readonly reads: readonly Node[];
  /** Those of them that may bring it together with others: enough that is read in the order of the loops. */
  readonly shared: readonly Node[];
}

/** Whether an element can be read at each point of its own, in order. */
function isReadAlong({ type }: Node, loops: Shape): boolean {
  const shape = type.kind === 'tensor' ? space(type.shape) : [];
  return shape.length > 0 && shapeEquals(shape, loops.slice(0, shape.length));
}

/** Those that have something to share with a kernel that passes the same points, or with each other; the others would stay alone. */
function withCompany(candidates: readonly Splittable[], { groups, groupOf }: Fusion): Splittable[] {
  const readers = new Map<Node, Set<Group>>();
  const alike = new Map<string, number>();
  const keysOf = ({ shared, points }: Splittable): string[] => shared.map((node) => `${node.id} ${points.join()}`);
  for (const group of groups) for (const node of group.along) readers.set(node, (readers.get(node) ?? new Set<Group>()).add(group));
  for (const candidate of candidates) for (const key of keysOf(candidate)) alike.set(key, (alike.get(key) ?? 0) + 1);
  const passes = (candidate: Splittable, other: Group | undefined): boolean => {
    if (other === undefined || other === candidate.group) return false;
    if (shapeEquals(other.outer, candidate.points))
      return other.mode === 'elementwise' || other.mode === 'row-reduction' || other.mode === 'fused-rows';
    return other.mode === 'elementwise' && shapeEquals(other.outer, loopsOf(candidate));
  };
  return candidates.filter(
    (candidate) =>
      keysOf(candidate).some((key) => (alike.get(key) ?? 0) > 1) ||
      candidate.reads.some((node) => passes(candidate, groupOf.get(node))) ||
      candidate.shared.some((node) => [...(readers.get(node) ?? [])].some((group) => passes(candidate, group))),
  );
}

/** The points, and what is kept or reduced at each of them. */
const loopsOf = ({ node, form, points }: Pick<Splittable, 'node' | 'form' | 'points'>): Shape => [
  ...points,
  ...space(node.type.shape),
  ...space(form.reduced).slice(points.length),
];

/** The points whose blocks could share a reduction with others, if there are enough. */
function pointsOf(form: ReduceForm, groups: readonly Group[]): Shape | undefined {
  const points = leadingPoints(form, groups);
  return points !== undefined && (elementCount(points).constant ?? Infinity) >= leastSplitPoints ? points : undefined;
}

function leadingPoints(form: ReduceForm, groups: readonly Group[]): Shape | undefined {
  const kept = space(form.node.type.shape);
  const reduced = space(form.reduced);
  if (reduced.length === 0) return undefined;
  if (kept.length > 0) return form.innermostReduced || !isWide(kept) ? undefined : reduced;
  const rows = groups.find(
    ({ mode, outer }) =>
      mode === 'row-reduction' && outer.length > 0 && outer.length <= reduced.length && shapeEquals(reduced.slice(0, outer.length), outer),
  );
  if (rows !== undefined) return rows.outer;
  return reduced.length > 1 && isWide(reduced) ? reduced.slice(0, -1) : undefined;
}

const isWide = (columns: Shape): boolean => (columns.at(-1)?.constant ?? Infinity) >= leastSplitColumns;

/* Note: partial results.
   The sum over all rows of a matrix (the gradient of a bias, of a layer norm's scale) and the sum over everything (a loss) do not loop like
   the kernel that computes the rows. Done whole, they read again what that kernel has just written, or compute it a second time. By partial
   results they ride along: the rows come in blocks, each block adds what it passes to a partial result of its own, and a second, small
   kernel combines the partial results in order. This pays where the data that need not travel are more than the partial results, which the
   cost model says; a reduction whose partial results would have a kernel for themselves stays whole. */
