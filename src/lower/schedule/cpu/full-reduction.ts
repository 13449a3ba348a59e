// Kernels with a few results: vector lanes along what is reduced, and long reductions by partial results (see the note at the end). In: the
// parts of a group of full reductions. Out: statements in a scope, and kernels ahead of it for long reductions.
// Holds: threads may divide partial results among them, which depend on sizes alone and are combined in order.

import { Dim, roundUp, type Shape } from '../../../base/index.js';
import type { TensorNode } from '../../../graph/index.js';
import { type Accumulator, build, type Buffer, type Expr, type For, type Stmt } from '../../../kernel/index.js';
import { leastPartialTerms, mostPartials, partialUnit } from '../../../target/index.js';
import { combinedAs, constants, indices, space, spread, widthAs } from '../../form/forms.js';
import { type Fill, laneAxis, type Part, type KernelEmitter } from './emitter.js';
import { RunningSums } from './running-sum.js';
import { type Scope, valueKey } from '../../form/scope.js';
import { alike, type Reduction } from '../../fuse/stages.js';

export function emitFullReduction(points: KernelEmitter, scope: Scope): void {
  for (const [level, stage] of points.stages.entries()) {
    for (const together of alike(stage)) {
      const partials = level === 0 && points.context.ahead !== undefined ? partialsOf(together) : undefined;
      if (partials === undefined) reduceWhole(points, scope, together);
      else combinePartials(points, scope, together, partials, emitPartials(points, together, partials));
    }
  }
  const stores: Stmt[] = [];
  for (const node of [...points.reduced(), ...points.maps])
    for (const index of unrolledPoints(node)) stores.push(...points.storesAt(scope, node, index));
  scope.emit(...stores);
}

/** What is accumulated at one index of what is reduced, for every result of every reduction. */
const filler = (points: KernelEmitter, together: readonly Reduction[]): Fill => {
  const results = together.map(({ node }) => unrolledPoints(node));
  return (body, at, into) => {
    for (const [which, { form }] of together.entries()) {
      const reduced = spread(form.reduced, at);
      for (const [slot, kept] of (results[which] as Expr[][]).entries())
        points.accumulate(body, form, into[which] as Accumulator, [build.int(slot)], kept, reduced);
    }
  };
};

const declare = (points: KernelEmitter, scope: Scope, together: readonly Reduction[]): Accumulator[] =>
  together.map(({ node, form }) => points.declare(scope, form, [unrolledPoints(node).length], node));

function rememberResults(scope: Scope, together: readonly Reduction[], totals: readonly Accumulator[]): void {
  for (const [which, { node }] of together.entries()) {
    for (const [slot, kept] of unrolledPoints(node).entries())
      scope.remember(
        valueKey(node, kept),
        scope.let('r', widthAs(node.type.dtype, build.read(totals[which] as Accumulator, [build.int(slot)]))),
      );
  }
}

function reduceWhole(points: KernelEmitter, scope: Scope, together: readonly Reduction[]): void {
  const totals = declare(points, scope, together);
  points.reduceLoops(scope, together, totals, filler(points, together));
  rememberResults(scope, together, totals);
}

// ---- partial results --------------------------------------------------------------------------------------------------------------------

interface Partials {
  /** The axis that is cut. */
  readonly axis: number;
  readonly count: Expr;
  /** Indices along the axis of every partial result but the last. */
  readonly each: Expr;
}

/** How the longest axis is cut; undefined when there is too little for two partial results. */
function partialsOf(together: readonly Reduction[]): Partials | undefined {
  const { reduced, filled } = (together[0] as Reduction).form;
  const loops = space(reduced);
  if (loops.length === 0 || filled !== undefined) return undefined;
  const length = (axis: number): number => (loops[axis] as Dim).constant ?? Infinity;
  const axis = loops.reduce((best, _, at) => (length(at) > length(best) ? at : best), 0);
  const least = Math.ceil(leastPartialTerms / knownProduct(loops.filter((_, at) => at !== axis)));
  const size = loops[axis] as Dim;
  if (size.constant !== undefined) {
    if (size.constant < 2 * least) return undefined;
    const each = roundUp(Math.max(least, size.constant / mostPartials), axis === laneAxis(loops) ? partialUnit : 1);
    return { axis, count: build.int(Math.ceil(size.constant / each)), each: build.int(each) };
  }
  // Without a division by what is not known: of at least `least` indices there are as many partial results as fit, then there are all
  // partial results, each as long as needed.
  const up = (by: number): Expr => build.ceilDiv(build.size(size), build.int(by));
  const unit = Math.max(1, Math.floor(least / mostPartials));
  return {
    axis,
    count: build.smaller(build.int(mostPartials), up(unit * mostPartials)),
    each: build.times(build.int(unit), build.apply('max', 'i64', build.int(mostPartials), up(unit * mostPartials))),
  };
}

/** A kernel of its own: every partial result of every result, in memory. */
function emitPartials(points: KernelEmitter, together: readonly Reduction[], { axis, count, each }: Partials): Buffer[] {
  const { storage, ahead } = points.context;
  const most = build.intValue(count) ?? mostPartials;
  const buffers = together.map(({ node }) =>
    storage.pool.temporary({ dtype: combinedAs(node.type.dtype), shape: [Dim.of(most), Dim.of(unrolledPoints(node).length)] }),
  );
  const length = space((together[0] as Reduction).form.reduced)[axis] as Dim;
  const fill = (p: Expr, block: Scope): void => {
    const start = block.let('start', build.times(p, each));
    const extent = build.smaller(each, build.minus(build.size(length), start));
    const part: Part = { block: p, axis, start, extent, most: build.intValue(each) };
    const partial = declare(points, block, together);
    points.reduceLoops(block, together, partial, filler(points, together), part);
    const stores = partial.flatMap((accumulator, which): Stmt[] =>
      [...indices(accumulator.shape)].map((slot) => ({
        kind: 'store',
        buffer: buffers[which] as Buffer,
        index: [p, ...slot.map(build.int)],
        value: build.read(accumulator, slot.map(build.int)),
      })),
    );
    block.emit(...stores);
  };
  ahead?.('partial results').loop('p', count, 'parallel', fill, { blocks: length, ...boundOf(count) });
  return buffers;
}

function combinePartials(
  points: KernelEmitter,
  scope: Scope,
  together: readonly Reduction[],
  { count }: Partials,
  buffers: readonly Buffer[],
): void {
  const totals = declare(points, scope, together);
  const running = new RunningSums(scope, together, totals);
  const add = (n: Expr, body: Scope): void => {
    running.addAll(body, (which, slot) => build.load(buffers[which] as Buffer, [n, ...slot]));
  };
  scope.loop('n', count, 'serial', add, boundOf(count));
  running.finishAll(scope);
  rememberResults(scope, together, totals);
}

/** The most partial results that there can be, where their number is not known. */
const boundOf = (count: Expr): Pick<For, 'most'> => (build.intValue(count) === undefined ? { most: mostPartials } : {});

const unrolledPoints = (node: TensorNode): Expr[][] => {
  const { shape } = node.type;
  return [...indices(constants(space(shape)) ?? [])].map((at) => spread(shape, at.map(build.int)));
};

const knownProduct = (shape: Shape): number => shape.reduce((product, dim) => product * Math.max(1, dim.constant ?? 1), 1);

/* Note: partial results of long reductions.
   sum(x) of x: f32[4096], as a group and as two kernels (shortened):

     group 0 full-reduction [] reads %0
       reduce %1: f32 to out_result

     parallel for p0 in 0..4 blocks 4096 {
       let start1 = p0 * 1024
       acc acc2: f32[1] = f32(0)
       vector for i3 in 0..min(1024, 4096 - start1) part p0 { acc2[0] += in_x[start1 + i3] }
       t0[p0, 0] = acc2[0]
     }

     for n1 in 0..4 { acc0[0] += t0[n1, 0] }
     out_result[] = acc0[0]

   The longest axis is cut into at most `mostPartials` partial results of at least `leastPartialTerms` terms, each a result of its own in
   memory, and the kernel of the group combines them in order: one thread or many, the order of summation is the same. The error grows
   with the number of partial results instead of that of terms (N. J. Higham, "The Accuracy of Floating Point Summation", SIAM Journal on
   Scientific Computing 14(4), 1993). Where sizes are known and give less than two partial results, nothing is cut. Where they are not, a
   single partial result costs a few stores and loads. Only reductions that wait for no other of the group are cut: a later one would
   need the combined result in memory before its partial results could start. Shown by "long sums are done by partial results that
   threads may divide, short ones in one kernel" in test/lower/facts.test.ts, and by test/lower/sums.test.ts. */
