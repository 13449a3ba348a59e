// How far indices run, and whether subscripts stay inside. In: the space of a body. Out: a range for each index, and for each subscript
// what is certain of it; or diagnostics.
// Holds: an index without `in` runs over the axes where it stands alone, which agree. A compound subscript that no `??` covers is proved.

import { Dim } from '../../base/index.js';
import type { SizeFact } from '../../graph/index.js';
import { sizeLabels } from '../broadcast.js';
import type { Context } from '../context.js';
import { decide, isNatural, lowerBounds } from '../../base/index.js';
import { lastOf } from '../indexing.js';
import { presumeNatural } from '../preconditions.js';
import { excerpt, fail } from '../report.js';
import { addAffine, affineOf, constantAffine, type Affine } from './affine.js';
import type { BodyIndex, ElementRead, IndexRange, IndexSpace } from './space.js';

/** Of one subscript: its sum of indices, and whether that is certainly an index of its axis. */
export interface Settled {
  readonly affine: Affine | undefined;
  /** `always`: for every index of the space; `guarded`: where the read is taken; `perhaps`: what stands outside covers the rest. */
  readonly inside: 'always' | 'guarded' | 'perhaps';
}

export interface Ranges {
  readonly of: ReadonlyMap<BodyIndex, IndexRange>;
  /** A copy of a read settles as the read does. */
  readonly settled: Map<ElementRead, readonly Settled[]>;
}

/** Undefined after a diagnostic. */
export function rangesOf(context: Context, space: IndexSpace): Ranges | undefined {
  const ranges = new Map<BodyIndex, IndexRange>();
  for (const index of space.indices) if (index.written !== undefined) ranges.set(index, index.written);
  const first = new Map<BodyIndex, { readonly read: ElementRead; readonly axis: number }>();
  let fine = true;
  const alone = new Set<object>();
  for (const read of space.reads.values()) {
    for (const [axis, subscript] of read.subscripts.entries()) {
      const index = subscript.at instanceof Dim ? undefined : space.indexOf(subscript.at);
      if (index === undefined || index.written !== undefined || sumsOf(index, space) !== undefined) continue;
      const size = read.tensor.type.shape[axis] as Dim;
      const before = first.get(index);
      alone.add(subscript);
      if (before === undefined) {
        first.set(index, { read, axis });
        ranges.set(index, { start: Dim.zero, stop: size });
        continue;
      }
      const other = before.read.tensor.type.shape[before.axis] as Dim;
      if (areEqual(size, other, context)) continue;
      fine = false;
      failClash(context, index, before, { read, axis });
    }
  }
  for (const index of space.indices) {
    const sums = sumsOf(index, space);
    const reached = sums === undefined ? undefined : reachOfBounds(context, index, sums, ranges);
    if (reached !== undefined) ranges.set(index, reached);
    if (ranges.has(index)) continue;
    fine = false;
    // What the other index lacks was said.
    if (sums?.some((sum) => !isRanged(sum, ranges)) === true) continue;
    failWithoutRange(context, index);
  }
  if (!fine) return undefined;
  const settled = new Map<ElementRead, readonly Settled[]>();
  const facts = [...context.entry.facts, ...filled(ranges)];
  for (const read of space.reads.values()) {
    let isRefused = false;
    const found = read.subscripts.map((subscript, axis): Settled | undefined => {
      // What is said of one axis holds for the element: nothing more is said of the others.
      if (isRefused) return undefined;
      const affine = subscript.at instanceof Dim ? constantAffine(subscript.at) : affineOf(subscript.at, space);
      if (affine === undefined) return { affine, inside: 'perhaps' };
      const settled = alone.has(subscript) ? { affine, inside: 'always' as const } : settle(read, axis, affine, ranges, facts);
      isRefused = settled === undefined;
      return settled;
    });
    if (found.every((one) => one !== undefined)) settled.set(read, found);
    else fine = false;
  }
  return fine ? { of: ranges, settled } : undefined;
}

function failWithoutRange(context: Context, index: BodyIndex): void {
  fail(context, 'ambiguous-size', index.span, `nothing says how far \`${index.name}\` runs`, {
    hint: `give it a range: \`${index.name} in 0..N\`, or let it stand alone as a subscript: \`x[…, ${index.name}]\`, not \`x[…][${index.name}]\``,
  });
}

/** Of an index of notation inside of a body, whose reads were all met; that they agree is seen to later. Undefined after a diagnostic. */
export function rangeSoFar(context: Context, space: IndexSpace, index: BodyIndex): IndexRange | undefined {
  if (index.written !== undefined) return index.written;
  for (const { subscripts, tensor } of space.reads.values()) {
    const axis = subscripts.findIndex(({ at }) => at === index.placeholder);
    if (axis >= 0) return { start: Dim.zero, stop: tensor.type.shape[axis] as Dim };
  }
  failWithoutRange(context, index);
  return undefined;
}

/** Bounds that are sums of other indices; without them, what the index reads says how far it may run. */
function sumsOf({ bounds }: BodyIndex, space: IndexSpace): readonly [Affine, Affine] | undefined {
  const start = bounds === undefined ? undefined : affineOf(bounds.start, space);
  const stop = bounds === undefined ? undefined : affineOf(bounds.stop, space);
  return start === undefined || stop === undefined ? undefined : [start, stop];
}

const isRanged = ({ terms }: Affine, ranges: ReadonlyMap<BodyIndex, IndexRange>): boolean =>
  [...terms.keys()].every((index) => ranges.has(index));

/** From the smallest start to the largest stop; undefined where that has no certain sign. */
function reachOfBounds(
  context: Context,
  { bounds }: BodyIndex,
  [first, last]: readonly [Affine, Affine],
  ranges: ReadonlyMap<BodyIndex, IndexRange>,
): IndexRange | undefined {
  if (bounds === undefined || !isRanged(first, ranges) || !isRanged(last, ranges)) return undefined;
  const [start, stop] = [reachOf(first, ranges)?.low, reachOf(last, ranges)?.high];
  if (start === undefined || stop === undefined) return undefined;
  const { facts } = context.entry;
  if (isNatural(stop.sub(start), facts)) return { start, stop };
  // Where other indices have nothing to run over, their bounds may lie the other way round: a range may be wider than it is used.
  if (isNatural(start, facts) && isNatural(stop, facts)) return { start: Dim.zero, stop };
  return presumeNatural(context, stop.sub(start), bounds.span) ? { start, stop } : undefined;
}

/** For all sizes, or by a declared fact. */
const areEqual = (a: Dim, b: Dim, context: Context): boolean =>
  [a, b].some((left) => decide({ left, relation: '==', right: left === a ? b : a }, context.entry.facts) === true);

/** Where something is read, no range is empty. */
function filled(ranges: ReadonlyMap<BodyIndex, IndexRange>): SizeFact[] {
  return [...ranges.values()].flatMap(({ start, stop }) =>
    stop.sub(start).constant === undefined ? [{ left: stop, relation: '>' as const, right: start, span: undefined }] : [],
  );
}

function failClash(
  context: Context,
  index: BodyIndex,
  one: { readonly read: ElementRead; readonly axis: number },
  other: { readonly read: ElementRead; readonly axis: number },
): void {
  const text = ({ read, axis }: typeof one): string => {
    const name = excerpt(read.context, read.objectSpan, 'a tensor');
    return `axis ${axis} of \`${name}\` (size ${read.tensor.type.shape[axis]})`;
  };
  const subscript = other.read.subscripts[other.axis];
  const [a, b] = [one, other].map(({ read, axis }) => read.tensor.type.shape[axis] as Dim) as [Dim, Dim];
  const difference = a.sub(b).constant;
  const least = difference === undefined ? 'N' : difference < 0 ? a : b;
  fail(
    other.read.context,
    'shape-mismatch',
    subscript?.span ?? other.read.span,
    `\`${index.name}\` runs over ${text(one)} and over ${text(other)}, which differ`,
    {
      labels: [one, other].flatMap(({ read, axis }) => sizeLabels({ value: read.object, span: read.objectSpan }, axis)),
      hint: placeHint(index, one, other) ?? `use two indices, or give \`${index.name}\` a range: \`${index.name} in 0..${least}\``,
    },
  );
}

/** For axes that were mixed up: the axis of the second tensor that is as long as the first one says. */
function placeHint(
  index: BodyIndex,
  one: { readonly read: ElementRead; readonly axis: number },
  other: { readonly read: ElementRead; readonly axis: number },
): string | undefined {
  const size = one.read.tensor.type.shape[one.axis] as Dim;
  const axis = other.read.tensor.type.shape.findIndex((own, at) => at !== other.axis && own.equals(size));
  return axis < 0
    ? undefined
    : `axis ${axis} of \`${excerpt(other.read.context, other.read.objectSpan, 'a tensor')}\` has size ${size}: put \`${index.name}\` there`;
}

function settle(
  read: ElementRead,
  axis: number,
  affine: Affine,
  ranges: ReadonlyMap<BodyIndex, IndexRange>,
  facts: readonly SizeFact[],
): Settled | undefined {
  const size = read.tensor.type.shape[axis] as Dim;
  const last = addAffine(constantAffine(size.sub(1)), affine, -1);
  const isInside = (known: readonly Affine[]): boolean =>
    isNeverNegative(affine, known, ranges, facts) && isNeverNegative(last, known, ranges, facts);
  if (isInside([])) return { affine, inside: 'always' };
  if (read.known.length > 0 && isInside(read.known)) return { affine, inside: 'guarded' };
  if (read.outside !== undefined) return { affine, inside: 'perhaps' };
  const { context } = read;
  const subscript = read.subscripts[axis];
  const span = subscript?.span ?? read.span;
  // One element, whatever the indices are: what it asks of the sizes is a precondition, as it is outside of index notation.
  const isTaken = affine.terms.size === 0 && read.guard === undefined && read.known.length === 0;
  if (isTaken && [affine.constant, last.constant].every((dim) => presumeNatural(context, dim, span))) return { affine, inside: 'always' };
  const name = excerpt(context, read.objectSpan, 'the tensor');
  const text = excerpt(context, span, 'this subscript');
  const element = excerpt(context, read.span, `${name}[…]`);
  if (affine.terms.size === 0) {
    const fact = affine.constant.isNatural ? `${size} > ${affine.constant}` : `${affine.constant} >= 0`;
    const never = (size.sub(affine.constant).sub(1).constant ?? 0) < 0 || (affine.constant.constant ?? 0) < 0;
    fail(
      context,
      never ? 'index-out-of-range' : 'ambiguous-size',
      span,
      never
        ? `\`${name}\` has no element ${affine.constant} along axis ${axis}, whose size is ${size}`
        : `whether axis ${axis} of \`${name}\`, whose size is ${size}, has an element ${affine.constant} is not known`,
      never
        ? { labels: sizeLabels({ value: read.object, span: read.objectSpan }, axis), hint: lastOf(size) }
        : {
            labels: sizeLabels({ value: read.object, span: read.objectSpan }, axis),
            hint: `declare it behind the result type: \`where ${fact}\``,
          },
    );
    return undefined;
  }
  const reach = reachOf(affine, ranges);
  fail(
    context,
    'index-out-of-range',
    span,
    `\`${element}\` may stand outside of \`${name}\`: \`${text}\` ${reach === undefined ? 'is not known to stay' : `runs from ${reach.low} to ${reach.high}, not`} inside of axis ${axis}, whose size is ${size}`,
    {
      labels: sizeLabels({ value: read.object, span: read.objectSpan }, axis),
      hint: `say what stands outside: \`${element} ?? 0\`, or ask before: \`if … then ${element} else 0\``,
    },
  );
  return undefined;
}

/** The smallest and the largest value over all ranges; undefined where a coefficient has no certain sign. */
function reachOf(affine: Affine, ranges: ReadonlyMap<BodyIndex, IndexRange>): { readonly low: Dim; readonly high: Dim } | undefined {
  let [low, high] = [affine.constant, affine.constant];
  for (const [index, coefficient] of affine.terms) {
    const { start, stop } = ranges.get(index) as IndexRange;
    const [least, most] = [coefficient.mul(start), coefficient.mul(stop.sub(1))];
    if (coefficient.isNatural) [low, high] = [low.add(least), high.add(most)];
    else if (coefficient.mul(-1).isNatural) [low, high] = [low.add(most), high.add(least)];
    else return undefined;
  }
  return { low, high };
}

/** So many conditions are put together to prove something. */
const mostSteps = 3;
/** So many of them are looked at. */
const mostKnown = 12;

/** Is the sum at least 0 for all indices in their ranges, given that each of `known` is? */
function isNeverNegative(
  sum: Affine,
  known: readonly Affine[],
  ranges: ReadonlyMap<BodyIndex, IndexRange>,
  facts: readonly SizeFact[],
  steps = mostSteps,
): boolean {
  const low = reachOf(sum, ranges)?.low;
  if (low !== undefined && isNaturalBy(low, facts)) return true;
  if (steps === 0) return false;
  return known.slice(0, mostKnown).some((fact) => {
    // As often as it takes an index out of the sum: 2 · i − 2 follows from i − 1.
    const times = new Set([1]);
    for (const [index, coefficient] of fact.terms) {
      const ratio = (sum.terms.get(index)?.constant ?? 0) / (coefficient.constant ?? 0);
      if (Number.isInteger(ratio) && ratio > 1) times.add(ratio);
    }
    return [...times].some((by) => isNeverNegative(addAffine(sum, fact, -by), known, ranges, facts, steps - 1));
  });
}

/** The same of a size, where two facts may be put together. */
function isNaturalBy(dim: Dim, facts: readonly SizeFact[]): boolean {
  if (isNatural(dim, facts)) return true;
  return facts
    .slice(0, mostKnown)
    .some((fact) => lowerBounds(fact).some((floor) => floor.terms.length > 0 && isNatural(dim.sub(floor), facts)));
}
