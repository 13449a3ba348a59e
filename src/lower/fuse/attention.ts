// Attention as forms show it: a product whose rows are turned into weights by their maximum and the sum of their exponentials, and a second
// product that takes the weights. In: members of a group, and what it reads. Out: the two products, the two reductions, and which scores
// a mask leaves out. Holds: nothing goes by the names of functions; what a kernel would compute, not the nodes that say it, decides.

import { isNarrowFloat, type Precision } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr, exprKey, someExpr, type Stmt } from '../../kernel/index.js';
import { formatOf, isRoundedLater, type MatmulForm, type ReduceForm, spread } from '../form/forms.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import { Names, Scope } from '../form/scope.js';
import { Values } from '../form/values.js';
import type { Group } from './groups.js';

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
function areAlike(scores: MatmulForm, mixed: MatmulForm): boolean {
  const [rows, others] = [scores, mixed].map(({ batch, rows: last }) => [...batch, last].join());
  const [keys] = mixed.inner;
  return rows === others && scores.shared === mixed.shared && mixed.inner.length === 1 && keys?.equals(scores.columns) === true;
}

/** Of whose results one kernel knows nothing but their names: loads of stand-ins. */
class Reader {
  readonly #parts: Pick<Attention, 'scores' | 'most' | 'total' | 'mixed'>;
  readonly #scope = Scope.root(new Names());
  readonly #values: Values;
  #rounded: Precision | undefined;

  constructor(parts: Pick<Attention, 'scores' | 'most' | 'total' | 'mixed'>, forms: Forms, isRead: (node: Node) => boolean) {
    this.#parts = parts;
    const apart = new Set<Node>([parts.scores.node, parts.most.node, parts.total.node]);
    const outer = moved(parts.mixed.node.args[0], forms);
    this.#values = new Values({
      stored: (node) =>
        apart.has(node) || forms.isStored(node) || isRead(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined,
      form: (node) => forms.of(node),
      isRoundedLater: (node) => {
        const isLater = outer.has(node) && isRoundedLater(node);
        if (isLater) this.#rounded = formatOf(node);
        return isLater;
      },
    });
  }

  read(): Attention | undefined {
    const { scores, most, total, mixed } = this.#parts;
    const point = [...mixed.batch.map((size, axis) => (size.constant === 1 ? build.int(0) : build.index(`b${axis}`))), build.index('m')];
    const key = build.index('k');
    const at = (node: TensorNode, index: readonly Expr[]): Expr => this.#values.at(node, index, this.#scope);
    const weight = this.#unrounded(mixed.left([...point, key], at));
    const weights = this.#rounded ?? build.dtypeOf(weight);
    const [exponential, sum] = this.#operands(weight, 'div');
    if (exponential === undefined || !this.#isResult(sum, total, point)) return undefined;
    if (!this.#isSame(total.term(pointOf(total, point), [key], at), exponential)) return undefined;
    const [difference] = this.#operands(exponential, 'exp');
    const [score, largest] = this.#operands(difference, 'sub');
    if (score === undefined || !this.#isResult(largest, most, point)) return undefined;
    if (!this.#isSame(most.term(pointOf(most, point), [key], at), score)) return undefined;
    const own = exprKey(build.load(probeBuffer(scores.node), spread(scores.node.type.shape, [...point, key].filter(isLoop))));
    const loads = this.#loads(score);
    if (!loads.has(own)) return undefined;
    // Another element of the scores, or what is made of all of them, is not there when a score is computed.
    const others = [...loads].flatMap(([loaded, buffer]) => (loaded === own ? [] : [buffer]));
    const apart = [scores, most, total].map(({ node }) => probeBuffer(node).name);
    if (others.some((buffer) => apart.includes(buffer))) return undefined;
    const hasOneAxis = point.length - scores.shared === 1;
    return { ...this.#parts, weights, readsMore: others.length > 0, mask: hasOneAxis ? this.#mask(score) : undefined };
  }

  #named(expr: Expr): Expr {
    if (expr.kind !== 'name') return expr;
    const found = this.#scope.statements.find((stmt): stmt is Stmt & { kind: 'let' } => stmt.kind === 'let' && stmt.name === expr.name);
    return found === undefined ? expr : this.#named(found.value);
  }

  /** What is converted, and to which narrow dtype. */
  #unrounded(expr: Expr): Expr {
    const value = this.#named(expr);
    const [of] = value.kind === 'apply' && value.fn === 'convert' ? value.args : [];
    if (value.kind !== 'apply' || of === undefined) return expr;
    if (isNarrowFloat(value.dtype)) this.#rounded = value.dtype;
    return this.#unrounded(of);
  }

  #unconverted(expr: Expr): Expr {
    const value = this.#named(expr);
    const [of] = value.kind === 'apply' && value.fn === 'convert' ? value.args : [];
    return of === undefined ? expr : this.#unconverted(of);
  }

  #operands(expr: Expr | undefined, fn: string): readonly Expr[] {
    const value = expr === undefined ? undefined : this.#named(this.#unconverted(expr));
    return value?.kind === 'apply' && value.fn === fn ? value.args : [];
  }

  #isSame(one: Expr, other: Expr): boolean {
    const [a, b] = [one, other].map((expr) => this.#unconverted(expr)) as [Expr, Expr];
    return exprKey(a) === exprKey(b) || exprKey(this.#named(a)) === exprKey(this.#named(b));
  }

  /** Whether the value is what a reduction gives for the row. */
  #isResult(expr: Expr | undefined, { node }: ReduceForm, point: readonly Expr[]): boolean {
    if (expr === undefined) return false;
    return (
      exprKey(this.#named(this.#unconverted(expr))) ===
      exprKey(build.load(probeBuffer(node), spread(node.type.shape, point.filter(isLoop))))
    );
  }

  /** Elements that a value is computed from, with the names of their buffers. */
  #loads(root: Expr): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const asked = new Set([root]);
    // A set's iteration also visits what is added meanwhile.
    for (const expr of asked)
      someExpr(expr, (part) => {
        if (part.kind === 'load') found.set(exprKey(part), part.buffer.name);
        if (part.kind === 'name') asked.add(this.#named(part));
        return false;
      });
    return found;
  }

  /** `select(k <= m, …, constant)`, or the other way around. */
  #mask(score: Expr): Mask | undefined {
    const [asked, yes, no] = this.#operands(score, 'select');
    const condition = asked === undefined ? undefined : this.#named(asked);
    if (condition?.kind !== 'apply' || yes === undefined || no === undefined) return undefined;
    const [first, second] = condition.args.map((arg) => {
      const value = this.#named(arg);
      // Fewer bits would wrap around.
      const [of] = value.kind === 'apply' && value.fn === 'convert' && value.dtype === 'i32' ? value.args : [value];
      const index = this.#named(of as Expr);
      return index.kind === 'index' ? index.name : undefined;
    });
    const isTurned = first === 'm' && second === 'k';
    if (!isTurned && (first !== 'k' || second !== 'm')) return undefined;
    const fn = isTurned ? turned[condition.fn] : condition.fn;
    const [left, last] = fn === 'le' ? [no, 0] : fn === 'lt' ? [no, -1] : fn === 'gt' ? [yes, 0] : fn === 'ge' ? [yes, -1] : [undefined, 0];
    const value = left === undefined ? undefined : this.#named(this.#unconverted(left));
    // What is left out must not make a row NaN.
    return value?.kind === 'const' && !Number.isNaN(Number(value.value)) ? { last, score: Number(value.value) } : undefined;
  }
}

/** A node and what it only moves or has rounded by its reader, one below the other. */
function moved(from: Node | undefined, forms: Forms): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (let node = from; node !== undefined;) {
    found.add(node);
    const form = forms.of(node);
    const isMoved = form.kind === 'element' && form.cost === 0 && node.args.length === 1;
    node = isMoved ? node.args[0] : undefined;
  }
  return found;
}

/** Comparisons with their sides exchanged. */
const turned: Readonly<Record<string, string>> = { le: 'ge', lt: 'gt', ge: 'le', gt: 'lt' };

const isLoop = (index: Expr): boolean => index.kind === 'index';

const pointOf = ({ node }: ReduceForm, point: readonly Expr[]): readonly Expr[] => spread(node.type.shape, point.filter(isLoop));
