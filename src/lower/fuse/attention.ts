// Attention as forms show it: a product whose rows are turned into weights by their maximum and the sum of their exponentials, and a second
// product that takes the weights. In: members of a group, and what it reads. Out: the two products, the two reductions, and which scores
// a mask leaves out. Holds: nothing goes by the names of functions; what a kernel would compute, not the nodes that say it, decides.

import type { Precision } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import type { MatmulForm, ReduceForm } from '../form/forms.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import type { Group } from './groups.js';
import { elementKey, pointOf, Reading } from './reading.js';

export interface Attention {
  /** [...batch, row, key], of which `score` makes what is compared. */
  readonly scores: MatmulForm;
  /** The largest of each row; its terms are what becomes of the scores. */
  readonly most: ReduceForm;
  /** The sum of exp(score − most) of each row. */
  readonly total: ReduceForm;
  /** exp(score − most) / total, times the right side. */
  readonly mixed: MatmulForm;
  /** What weights are rounded to before they are multiplied. */
  readonly weights: Precision;
  /** Whether a score depends on more in memory than on its product. */
  readonly readsMore: boolean;
  readonly mask: Mask | undefined;
}

/** Of row m all keys beyond m + `last` have this score. */
export interface Mask {
  readonly last: number;
  readonly score: number;
}

/** What the group computes, if that is attention and nothing besides. */
export function attentionOf({ members, reads }: Pick<Group, 'members' | 'reads'>, forms: Forms): Attention | undefined {
  const products = members.flatMap((member) => (member.role === 'matmul' ? [member.form] : []));
  const reductions = members.flatMap((member) => (member.role === 'reduce' ? [member.form] : []));
  const [scores, mixed] = products;
  const [most, total] = reductions;
  if (scores === undefined || mixed === undefined || products.length > 2) return undefined;
  if (most === undefined || total === undefined || reductions.length > 2) return undefined;
  if (!areAlike(scores, mixed) || most.combine !== 'max' || total.combine !== 'sum') return undefined;
  const computed = new Set<Node>(members.flatMap((member) => (member.role === 'elementwise' ? [member.node] : [])));
  return new Reader({ scores, most, total, mixed }, forms, (node) => !computed.has(node) && reads.has(node)).read();
}

/** Whether both go over the same rows, and what the one has as columns the other sums up. */
export function areAlike(scores: MatmulForm, mixed: MatmulForm): boolean {
  const [rows, others] = [scores, mixed].map(({ batch, rows: last }) => [...batch, last].join());
  const [keys] = mixed.inner;
  return rows === others && scores.shared === mixed.shared && mixed.inner.length === 1 && keys?.equals(scores.columns) === true;
}

/** Of whose results one kernel knows nothing but their names: loads of stand-ins. */
class Reader {
  readonly #parts: Pick<Attention, 'scores' | 'most' | 'total' | 'mixed'>;
  readonly #reading: Reading;

  constructor(parts: Pick<Attention, 'scores' | 'most' | 'total' | 'mixed'>, forms: Forms, isRead: (node: Node) => boolean) {
    this.#parts = parts;
    const apart = new Set<Node>([parts.scores.node, parts.most.node, parts.total.node]);
    this.#reading = new Reading(forms, (node) => apart.has(node) || forms.isStored(node) || isRead(node), parts.mixed.node.args[0]);
  }

  read(): Attention | undefined {
    const { scores, most, total, mixed } = this.#parts;
    const { at } = this.#reading;
    const point = pointsOf(mixed);
    const key = build.index('k');
    const { value: weight, format } = this.#reading.unrounded(mixed.left([...point, key], at));
    const [exponential, sum] = this.#reading.operands(weight, 'div');
    if (exponential === undefined || !this.#reading.isElement(sum, total.node, point)) return undefined;
    if (!this.#reading.isSame(total.term(pointOf(total, point), [key], at), exponential)) return undefined;
    const [difference] = this.#reading.operands(exponential, 'exp');
    const [score, largest] = this.#reading.operands(difference, 'sub');
    if (score === undefined || !this.#reading.isElement(largest, most.node, point)) return undefined;
    if (!this.#reading.isSame(most.term(pointOf(most, point), [key], at), score)) return undefined;
    const own = elementKey(scores.node, [...point, key]);
    const loads = this.#reading.loads(score);
    if (!loads.has(own)) return undefined;
    // Another element of the scores, or what is made of all of them, is not there when a score is computed.
    const others = [...loads].flatMap(([loaded, buffer]) => (loaded === own ? [] : [buffer]));
    const apart = [scores, most, total].map(({ node }) => probeBuffer(node).name);
    if (others.some((buffer) => apart.includes(buffer))) return undefined;
    const hasOneAxis = point.length - scores.shared === 1;
    return { ...this.#parts, weights: format, readsMore: others.length > 0, mask: hasOneAxis ? this.#mask(score) : undefined };
  }

  /** `select(k <= m, …, constant)`, or the other way around. */
  #mask(score: Expr): Mask | undefined {
    const [asked, yes, no] = this.#reading.operands(score, 'select');
    const condition = asked === undefined ? undefined : this.#reading.named(asked);
    if (condition?.kind !== 'apply' || yes === undefined || no === undefined) return undefined;
    const [first, second] = condition.args.map((arg) => {
      const value = this.#reading.named(arg);
      // Fewer bits would wrap around.
      const [of] = value.kind === 'apply' && value.fn === 'convert' && value.dtype === 'i32' ? value.args : [value];
      const index = this.#reading.named(of as Expr);
      return index.kind === 'index' ? index.name : undefined;
    });
    const isTurned = first === 'm' && second === 'k';
    if (!isTurned && (first !== 'k' || second !== 'm')) return undefined;
    const fn = isTurned ? turned[condition.fn] : condition.fn;
    const [left, last] = fn === 'le' ? [no, 0] : fn === 'lt' ? [no, -1] : fn === 'gt' ? [yes, 0] : fn === 'ge' ? [yes, -1] : [undefined, 0];
    const value = left === undefined ? undefined : this.#reading.named(this.#reading.unconverted(left));
    // What is left out must not make a row NaN.
    return value?.kind === 'const' && !Number.isNaN(Number(value.value)) ? { last, score: Number(value.value) } : undefined;
  }
}

/** Names of the indices of a row: `b0`, …, `m`. */
export const pointsOf = ({ batch }: MatmulForm): readonly Expr[] => [
  ...batch.map((size, axis) => (size.constant === 1 ? build.int(0) : build.index(`b${axis}`))),
  build.index('m'),
];

/** Comparisons with their sides exchanged. */
const turned: Readonly<Record<string, string>> = { le: 'ge', lt: 'gt', ge: 'le', gt: 'lt' };
