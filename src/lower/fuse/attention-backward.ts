// The derivative of attention as forms show it: products that take what is made of scores once more, and of their cotangents. In: members
// of a group, what it reads, the attention that it is about. Out: which products take what, over what they sum, and the sum of each row.
// Holds: as `attention.ts`; whatever is made of an element of the scores needs that element, rows' results and what is stored, and no more.

import { type Precision, shapeEquals } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { type MatmulForm, type ReduceForm, rightIndex, tensorOf } from '../form/forms.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import { type Attention, pointsOf } from './attention.js';
import type { Group, Member } from './groups.js';
import { elementKey, pointOf, Reading } from './reading.js';

export interface AttentionBackward {
  /** Whose scores are computed again. */
  readonly attention: Attention;
  /** Cotangents of weights, alike with scores; undefined where only the right side of the second product has a derivative. */
  readonly cotangents: MatmulForm | undefined;
  readonly rowSum: RowSum | undefined;
  readonly takers: readonly Taker[];
  /** Whether nothing is taken where a weight is 0. */
  readonly vanishes: boolean;
}

/** A product with something on one side that is made of scores. */
export interface Taker {
  readonly form: MatmulForm;
  readonly side: 'left' | 'right';
  /** What it sums over; the others are its rows, or its columns where weights are the right side. */
  readonly over: 'keys' | 'queries';
  /** What weights are rounded to before they are multiplied. */
  readonly weights: Precision;
}

/**
 * Of each row the sum over keys of weight times cotangent, times constants, and `over` times more divided by the row's total. It is that of
 * the result times its cotangent: Σ_k p_k Σ_d g_d v_kd = Σ_d g_d Σ_k p_k v_kd.
 */
export interface RowSum {
  readonly form: ReduceForm;
  readonly constant: number;
  readonly over: number;
}

/** What the group computes, if that is the derivative of `attention` and nothing besides. */
export function backwardOf(group: Pick<Group, 'members' | 'reads'>, attention: Attention, forms: Forms): AttentionBackward | undefined {
  return new Reader(group, attention, forms).read();
}

class Reader {
  readonly #members: readonly Member[];
  readonly #attention: Attention;
  readonly #forms: Forms;
  readonly #isStored: (node: Node) => boolean;
  readonly #point: readonly Expr[];
  readonly #key = build.index('k');

  constructor({ members, reads }: Pick<Group, 'members' | 'reads'>, attention: Attention, forms: Forms) {
    this.#members = members;
    this.#attention = attention;
    this.#forms = forms;
    this.#point = pointsOf(attention.scores);
    const { most, total } = attention;
    const rows = new Set<Node>([most.node, total.node]);
    for (const { role, node } of members) if (role !== 'elementwise') rows.add(node);
    this.#isStored = (node) => rows.has(node) || forms.isStored(node) || reads.has(node);
  }

  read(): AttentionBackward | undefined {
    const { scores, mixed } = this.#attention;
    // All sides have all matrices, and rows are one axis.
    if ([scores, mixed].some(({ batch, shared }) => batch.length !== shared)) return undefined;
    const products = this.#members.flatMap((member) => (member.role === 'matmul' ? [member.form] : []));
    const sums = this.#members.flatMap((member) => (member.role === 'reduce' ? [member.form] : []));
    const taken = products.map((form) => this.#taker(form));
    const takers = taken.filter((taker) => taker !== undefined);
    const [cotangents, ...more] = products.filter((_, at) => taken[at] === undefined);
    const [sum, ...others] = sums;
    if (takers.length === 0 || more.length > 0 || others.length > 0) return undefined;
    if (cotangents !== undefined && !this.#isAlike(cotangents)) return undefined;
    const rowSum = sum === undefined || cotangents === undefined ? undefined : this.#rowSum(sum, cotangents);
    if (sum !== undefined && rowSum === undefined) return undefined;
    const isComplete = takers.every((taker) => this.#takesOwn(taker, cotangents, rowSum));
    if (!isComplete || (cotangents !== undefined && !this.#isFree(cotangents))) return undefined;
    return { attention: this.#attention, cotangents, rowSum, takers, vanishes: takers.every((taker) => this.#vanishes(taker)) };
  }

  #isAlike({ batch, shared, rows, columns }: MatmulForm): boolean {
    const { scores } = this.#attention;
    return (
      shapeEquals([...batch, rows, columns], [...scores.batch, scores.rows, scores.columns]) &&
      shared === batch.length &&
      shared === scores.shared
    );
  }

  /** Which side of a product is made of scores, if one is. */
  #taker(form: MatmulForm): Taker | undefined {
    const { scores } = this.#attention;
    if (form.batch.length !== form.shared || form.inner.length !== 1 || !shapeEquals(form.batch, scores.batch)) return undefined;
    for (const side of ['left', 'right'] as const)
      for (const over of ['keys', 'queries'] as const) {
        const reading = this.#reading(form, side);
        const { value, format } = reading.unrounded(this.#side(reading, { form, side, over }));
        const loads = reading.loads(value);
        if (loads.has(elementKey(scores.node, [...this.#point, this.#key]))) return { form, side, over, weights: format };
      }
    return undefined;
  }

  /** A side by the names of queries and keys; the other side by `n` where it has no such. */
  #side(reading: Reading, { form, side, over }: Pick<Taker, 'form' | 'side' | 'over'>, isOther = false): Expr {
    const batch = this.#point.slice(0, -1);
    const query = this.#point.at(-1) as Expr;
    const [inner, outer] = over === 'keys' ? [this.#key, query] : [query, this.#key];
    const line = isOther ? build.index('n') : outer;
    if ((side === 'left') !== isOther) return form.left([...batch, line, inner], reading.at);
    return reading.at(tensorOf(form.node.args[1] as Node), rightIndex(form, batch, [inner], line));
  }

  #reading({ node }: MatmulForm, side: 'left' | 'right'): Reading {
    return new Reading(this.#forms, this.#isStored, node.args[side === 'left' ? 0 : 1]);
  }

  /** Whether weights are made of the element that is there, and the other side of nothing that is not. */
  #takesOwn(taker: Taker, cotangents: MatmulForm | undefined, rowSum: RowSum | undefined): boolean {
    const { scores } = this.#attention;
    const own = new Set(
      [scores, ...(cotangents === undefined ? [] : [cotangents])].map(({ node }) => elementKey(node, [...this.#point, this.#key])),
    );
    if (rowSum !== undefined) own.add(elementKey(rowSum.form.node, this.#point));
    const reading = this.#reading(taker.form, taker.side);
    const [weights, other] = [this.#side(reading, taker), this.#side(reading, taker, true)];
    const isThere = ([loaded, buffer]: readonly [string, string]): boolean => !this.#computed.has(buffer) || own.has(loaded);
    return [...reading.loads(weights)].every(isThere) && this.#isWithout(reading, other);
  }

  /** Names of what the group computes. */
  get #computed(): ReadonlySet<string> {
    return new Set(this.#members.flatMap(({ role, node }) => (role === 'elementwise' ? [] : [probeBuffer(tensorOf(node)).name])));
  }

  #isWithout(reading: Reading, expr: Expr): boolean {
    const computed = this.#computed;
    return [...reading.loads(expr).values()].every((buffer) => !computed.has(buffer));
  }

  #isFree(form: MatmulForm): boolean {
    const reading = this.#reading(form, 'left');
    const batch = this.#point.slice(0, -1);
    const [line, inner] = [build.index('n'), form.inner.map((_, axis) => build.index(`d${axis}`))];
    const left = form.left([...batch, line, ...inner], reading.at);
    const right = reading.at(tensorOf(form.node.args[1] as Node), rightIndex(form, batch, inner, line));
    return this.#isWithout(reading, left) && this.#isWithout(reading, right);
  }

  #rowSum(form: ReduceForm, cotangents: MatmulForm): RowSum | undefined {
    const { total } = this.#attention;
    const reading = new Reading(this.#forms, this.#isStored);
    if (form.combine !== 'sum' || !shapeEquals(form.node.type.shape, total.node.type.shape)) return undefined;
    if (!shapeEquals(form.reduced, total.reduced)) return undefined;
    const element = [...this.#point, this.#key];
    const exponential = this.#exponential(reading);
    const found = { weights: 0, cotangents: 0, totals: 0, constant: 1 };
    for (const { factor, below } of factorsOf(reading, form.term(pointOf(form, this.#point), [this.#key], reading.at))) {
      const sign = below ? -1 : 1;
      if (factor.kind === 'const') found.constant *= Number(factor.value) ** sign;
      else if (reading.isElement(factor, total.node, this.#point)) found.totals += sign;
      else if (reading.isElement(factor, cotangents.node, element)) found.cotangents += sign;
      else if (reading.isSame(factor, exponential)) found.weights += sign;
      else return undefined;
    }
    const isSum = found.weights === 1 && found.cotangents === 1 && found.totals < 0;
    return isSum ? { form, constant: found.constant, over: -found.totals - 1 } : undefined;
  }

  /** exp(score − most): what the total adds. */
  #exponential(reading: Reading): Expr {
    const { total } = this.#attention;
    return total.term(pointOf(total, this.#point), [this.#key], reading.at);
  }

  #vanishes(taker: Taker): boolean {
    const reading = this.#reading(taker.form, taker.side);
    const weights = this.#side(reading, taker);
    const exponential = this.#exponential(reading);
    const isZero = (expr: Expr): boolean => {
      if (reading.isSame(expr, exponential)) return true;
      const value = reading.value(expr);
      if (value.kind === 'const') return Number(value.value) === 0;
      if (value.kind !== 'apply') return false;
      const [one, ...others] = value.args as [Expr, ...Expr[]];
      switch (value.fn) {
        case 'mul':
          return value.args.some(isZero);
        case 'div':
        case 'neg':
          return isZero(one);
        case 'add':
        case 'sub':
          return value.args.every(isZero);
        case 'select':
          return others.every(isZero);
        default:
          return false;
      }
    };
    return isZero(weights);
  }
}

/** Of a value its factors, and which of them divide. */
function factorsOf(reading: Reading, expr: Expr, below = false): readonly { readonly factor: Expr; readonly below: boolean }[] {
  const value = reading.value(expr);
  if (value.kind !== 'apply') return [{ factor: value, below }];
  const [one, other] = value.args as [Expr, Expr];
  switch (value.fn) {
    case 'mul':
      return [...factorsOf(reading, one, below), ...factorsOf(reading, other, below)];
    case 'div':
      return [...factorsOf(reading, one, below), ...factorsOf(reading, other, !below)];
    case 'neg':
      return [{ factor: build.constant('f32', -1), below }, ...factorsOf(reading, one, below)];
    default:
      return [{ factor: value, below }];
  }
}
