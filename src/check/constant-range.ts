// Constants beyond what a dtype holds. In: a number that becomes a dtype, or a node that is converted to one. Out: a warning. Holds: what
// becomes of a constant is known before anything runs, so it is said where it stands; infinities and NaN stay what they are, and integers
// keep their low bits without a word, for that is what whoever converts them asks for.

import type { Span } from '../../grammar/index.js';
import { type DType, dtypes, Fraction, isFloat, isInteger, roundTo } from '../base/index.js';
import { type GraphBuilder, imageOf, type Node, NodeMap, type TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import type { Context } from './context.js';
import { warn } from './report.js';
import { exactNumber, heldBy, number, type NumberValue, shown } from './values.js';

/** A float keeps nothing of a number that is beyond its range or too near to 0. */
export function warnOfRounding(context: Context, literal: NumberValue, dtype: DType, span: Span): void {
  const { value, exact } = literal;
  const held = heldBy(dtype, literal);
  const isZero = exact === undefined ? value === 0 : exact.numerator === 0n;
  // Floats of eight bits hold the largest number instead.
  const beyond =
    (!Number.isFinite(held) || Math.abs(value) > Number(dtypes[dtype].bounds[1])) && (Number.isFinite(value) || exact !== undefined);
  if (!beyond && (held !== 0 || isZero)) return;
  const roomy = (['f32', 'f64'] as const).find((wider) => Number.isFinite(heldBy(wider, literal)) && heldBy(wider, literal) !== 0);
  const holds = roomy === undefined ? '' : `${roomy} holds it; `;
  if (beyond)
    warn(context, 'literal-overflow', span, `${shown(literal)} is out of the range of ${dtype}: it becomes ${held}`, {
      hint: `${holds}where ${Number.isFinite(held) ? 'the largest number' : 'infinity'} is meant, write \`${Number.isFinite(held) ? held : '1.0 / 0.0'}\``,
    });
  else
    warn(context, 'literal-underflow', span, `${shown(literal)} is too small for ${dtype}: it becomes 0`, {
      hint: `${holds}where 0 is meant, write \`0.0\``,
    });
}

/** Warns of the first constant in `node`, which is converted to `dtype`, that it does not hold. */
export function warnOfConversion(context: Context, node: TensorNode, dtype: DType, span: Span): void {
  const own = node.type.dtype;
  if (own === dtype || dtype === 'bool' || own === 'bool' || (isInteger(own) && isInteger(dtype))) return;
  for (const value of constantsOf(node, context.checker.build)) {
    const literal =
      typeof value === 'bigint' ? exactNumber(Fraction.of(value) as Fraction, true) : number(isFloat(own) ? roundTo(own, value) : value);
    if (!Number.isFinite(literal.value)) continue;
    if (isFloat(dtype)) {
      if (isHeld(dtype, literal.value)) continue;
      warnOfRounding(context, literal, dtype, span);
      return;
    }
    const [least, most] = dtypes[dtype].bounds;
    const whole = Math.trunc(literal.value);
    if (whole >= Number(least) && whole <= Number(most)) continue;
    const end = whole < 0 ? least : most;
    warn(context, 'literal-overflow', span, `${shown(literal)} is out of the range of ${dtype}: it becomes ${end}`, {
      hint: `where the ${whole < 0 ? 'least' : 'largest'} number is meant, write \`${end}\``,
    });
    return;
  }
}

const isHeld = (dtype: DType, value: number): boolean => {
  const held = roundTo(dtype, value);
  return Number.isFinite(held) && Math.abs(value) <= Number(dtypes[dtype].bounds[1]) && (held !== 0 || value === 0);
};

/** Parts of a node that are looked through. */
const most = 4096;

/** Ops whose elements are those of their arguments. */
const moving = new Set<unknown>([ops.named, ops.reshape, ops.broadcast, ops.concat]);
const computing = new Set<unknown>(ops.elementByElement);

/** The numbers that a node is made of, where all of it is one that is known, or a list of them. */
function* constantsOf(node: Node, build: GraphBuilder): Generator<number | bigint> {
  const seen = new Set([node]);
  for (const one of seen) {
    const { value } = knownNumber(one, build);
    if (value !== undefined) yield value;
    else if (moving.has(one.op)) for (const part of one.args) if (seen.size < most) seen.add(part);
  }
}

interface Known {
  /** What every element is, if the program says so. */
  readonly value: number | bigint | undefined;
}

/** Nodes never change, so each is looked at once, however many conversions there are. */
const found = new WeakMap<GraphBuilder, NodeMap<Known>>();

function knownNumber(node: Node, build: GraphBuilder): Known {
  const known = found.get(build) ?? new NodeMap<Known>();
  found.set(build, known);
  const valueOf = (one: Node): number | bigint | undefined => {
    if (ops.isNodeOf(one, ops.constant)) return one.attrs.value;
    const values = partsOf(one).map((part) => known.get(part)?.value);
    const [first] = values;
    if (first === undefined || !values.every((value) => value !== undefined)) return undefined;
    if (computing.has(one.op)) return ops.knownElement(one, values);
    return values.every((value) => Object.is(value, first)) ? first : undefined;
  };
  return imageOf(node, known, (one) => ({ value: valueOf(one) }), partsOf);
}

const partsOf = (node: Node): readonly Node[] => (computing.has(node.op) || moving.has(node.op) ? node.args : []);
