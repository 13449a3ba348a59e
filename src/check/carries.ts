// What loops carry. In: a loop, what its carry starts as. Out: the type of each part; hints where the body makes something else of it.
// Holds: what a trial round makes is not kept.

import { type Dim, isFloat } from '../base/index.js';
import { tensor, typeToString, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Context } from './context.js';
import { shallow } from './growth.js';
import { askedOf, bodyValueSpan, evaluateRound, type Loop, type Round } from './loops.js';
import { excerpt } from './report.js';
import type { Rounds } from './rounds.js';
import type { Scope } from './scope.js';
import { fallbackDType, isFraction, ownDType, shapeOf, toTensor } from './tensors.js';
import { leavesOf, sameTree, withLeaves } from './trees.js';
import type { Expected } from './types.js';
import { ERROR, tensorValue, tuple, type Value } from './values.js';

/**
 * The results of a loop inside of an attempt, of which only the types are wanted: an attempt has seen the body already, and loops in loops
 * would double the work with each. Without a round the attempt has failed; what it failed at is said when the loop itself is checked.
 */
export function typesAlone(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  initial: Value,
  types: readonly TensorType[],
  found: Round | undefined,
): Value {
  if (found === undefined) return ERROR;
  const { build } = context.checker;
  const placed = (type: TensorType): Value => tensorValue(ops.placeholder(build, type));
  const carry = withLeaves(initial, types.map(placed));
  if (found.output === undefined) return carry;
  const stacked: Value[] = [];
  for (const leaf of leavesOf(context, found.output, loop.body.span, 'the output') ?? []) {
    const node = toTensor(context, leaf, bodyValueSpan(loop));
    if (node === undefined) return ERROR;
    if (rounds.kind === 'counted') stacked.push(placed(tensor(node.type.dtype, [rounds.trip, ...node.type.shape])));
  }
  return shallow(context, tuple([carry, withLeaves(found.output, stacked)]), loop.span);
}

/**
 * The type of each carry: its own, or for a literal the one that the body gives it. Trial rounds find it: what is known after one goes into
 * the next.
 */
export function carryTypes(
  context: Context,
  loop: Loop,
  rounds: Rounds,
  initial: Value,
  starts: readonly Value[],
  scope: Scope,
  expected: Expected | undefined,
): { readonly types: TensorType[]; readonly attempt: { readonly round: Round | undefined; readonly saysMore: boolean } | undefined } {
  const { build, reporter } = context.checker;
  const leafExpected = starts.length === 1 && expected?.kind === 'tensor' ? expected : undefined;
  const sure = starts.map((start) => {
    const own = ownDType(start);
    return own === undefined ? undefined : tensor(own, shapeOf(start) ?? []);
  });
  let known = [...sure];
  const { space } = context.body ?? {};
  /** A round of carries of these types, of which nothing is kept; undefined where it has mistakes. */
  const trial = (
    tried: readonly (TensorType | undefined)[],
  ): { readonly value: Trial | undefined; readonly mistakes: number; readonly ofDTypes: number } => {
    context.checker.growth.spend(context.entry.named >> 3);
    const leaves = starts.map((start, at) => (tried[at] === undefined ? start : tensorValue(ops.placeholder(build, tried[at]))));
    const carry = withLeaves(initial, leaves);
    const i = ops.placeholder(build, tensor('i32'));
    const attempt = (): Trial | undefined =>
      context.entry.tentatively(() => {
        const round = evaluateRound(context, loop, rounds.item(i), carry, scope, expected);
        if (round === undefined || !sameTree(round.carry, initial)) return undefined;
        // A condition has to hold of the carry as well.
        if (rounds.kind === 'asked' && !tried.includes(undefined) && askedOf(context, loop, rounds, i, carry, scope) === undefined)
          return undefined;
        const leaves = leavesOf(context, round.carry, loop.body.span, 'the carry');
        return leaves === undefined ? undefined : { round, leaves };
      });
    return reporter.silently(() => (space === undefined ? attempt() : space.tentatively(attempt)));
  };
  let found: Trial | undefined;
  /** Mistakes of the last round in which literals had no type. */
  let ofLiterals = 0;
  const attempted = known.includes(undefined);
  for (let progress = attempted; progress;) {
    const tried = trial(known);
    found = tried.value;
    ofLiterals = tried.mistakes;
    progress = false;
    for (const [at, leaf] of (found?.leaves ?? []).entries()) {
      const own = ownDType(leaf);
      if (known[at] !== undefined || own === undefined) continue;
      known[at] = tensor(leafExpected?.dtype ?? own, shapeOf(leaf) ?? []);
      progress = known.includes(undefined);
    }
  }
  const typed = (dtype?: TensorType['dtype']): TensorType[] =>
    starts.map((start, at) => {
      const leaf = found?.leaves[at];
      const usual = leafExpected?.dtype ?? widerLiteral(start, leaf);
      return known[at] ?? tensor(isFloat(usual) ? (dtype ?? usual) : usual, shapeOf(leaf ?? start) ?? []);
    });
  // What did not fit after all was a guess.
  if (found === undefined) known = [...sure];
  let types = typed();
  // What the body makes of literals does not say it: it may be what else they meet.
  if (known.some((type, at) => type === undefined && isFloat((types[at] as TensorType).dtype)) && leafExpected?.dtype === undefined) {
    let least = { mistakes: Infinity, ofDTypes: Infinity };
    for (const tried of [types, ...otherFloats.map((dtype) => typed(dtype))]) {
      const { value, mistakes, ofDTypes } = trial(tried);
      if (value !== undefined) found = value;
      const fits = value?.leaves.every((leaf, at) => (ownDType(leaf) ?? tried[at]?.dtype) === tried[at]?.dtype) === true;
      // Where there are mistakes with all of them, those with the fewest are told, of dtypes above all: others follow from a guess.
      const isBetter = ofDTypes < least.ofDTypes || (ofDTypes === least.ofDTypes && mistakes < least.mistakes);
      if (fits || isBetter) types = tried;
      if (fits) break;
      if (isBetter) least = { mistakes, ofDTypes };
    }
  }
  const saysMore = found === undefined && ofLiterals > 0 && ofLiterals < trial(types).mistakes;
  return { types, attempt: attempted ? { round: found?.round, saysMore } : undefined };
}

/** What literals become besides f32, where a loop has no mistake then. */
const otherFloats = ['f64', 'bf16', 'f16'] as const;

/** What the body makes of its carries. */
interface Trial {
  readonly round: Round;
  readonly leaves: readonly Value[];
}

/** The dtype of a carry that only literals touch. */
function widerLiteral(start: Value, result: Value | undefined): TensorType['dtype'] {
  return result !== undefined && isFraction(result) ? 'f32' : fallbackDType(start);
}

const sameType = 'the type of a carry stays the same from round to round';
const collects = 'to collect a value of each round, let a `scan` yield it: `yield (next, value)`';

/** For a carry of another form than it had. */
export function carryHint(context: Context, loop: Loop, initial: Value, next: Value): string {
  if (initial.kind === 'list' && next.kind === 'list') return `${sameType}; ${collects}`;
  const parts = (value: Value): number => (value.kind === 'tuple' || value.kind === 'list' ? value.items.length : 1);
  if (initial.kind === 'tuple') return `give as many values: \`(${initial.items.map(() => '…').join(', ')})\``;
  return next.kind === 'tuple' && loop.word !== 'scan'
    ? `start with ${parts(next)} values: \`with (${Array.from({ length: parts(next) }, (_, at) => `z${at + 1}`).join(', ')}) = (${excerpt(context, loop.initial.span, '…')}, …)\`; a value of each round is yielded by a \`scan\``
    : sameType;
}

/** For a part of a carry whose dtype or shape changes. */
export function leafHint(context: Context, loop: Loop, type: TensorType, leaf: Value, parts: number): string {
  const own = ownDType(leaf);
  const start = parts === 1 ? excerpt(context, loop.initial.span, '…') : '…';
  if (own !== undefined && own !== type.dtype) return `${sameType}: start with \`${own}(${start})\`, or give \`${type.dtype}(…)\``;
  const shape = shapeOf(leaf) ?? [];
  const isGrown = shape.length === type.shape.length && shape.filter((size, axis) => !size.equals(type.shape[axis] as Dim)).length === 1;
  return isGrown
    ? `${sameType}; ${collects}`
    : `${sameType}: start with ${typeToString({ ...type, shape })}, or give ${typeToString(type)}`;
}
