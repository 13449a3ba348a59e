// What a kernel would compute of nodes, to be looked at: expressions whose parts have names, over loads of stand-ins. In: nodes, indices.
// Out: expressions; what they are made of. Holds: conversions between float formats are looked through, because sums of rounded and of
// unrounded terms differ by rounding alone.

import { isNarrowFloat, type Precision } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import { build, type Expr, exprKey, someExpr, type Stmt } from '../../kernel/index.js';
import type { ReduceForm } from '../form/forms.js';
import { formatOf, isRoundedLater, spread } from '../form/forms.js';
import { type Forms, probeBuffer } from '../form/materialize.js';
import { Names, Scope } from '../form/scope.js';
import { Values } from '../form/values.js';

/** A node and what it only moves or has rounded by its reader, one below the other. */
export function moved(from: Node | undefined, forms: Forms): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (let node = from; node !== undefined;) {
    found.add(node);
    const form = forms.of(node);
    const isMoved = form.kind === 'element' && form.cost === 0 && node.args.length === 1;
    node = isMoved ? node.args[0] : undefined;
  }
  return found;
}

export const isLoop = (index: Expr): boolean => index.kind === 'index';

export class Reading {
  readonly #scope = Scope.root(new Names());
  readonly #values: Values;
  /** What the reader of an operand rounds it to. */
  #rounded: Precision | undefined;

  /** `isStored`: what is loaded; `operand`: of a product, whose roundings are looked through. */
  constructor(forms: Forms, isStored: (node: TensorNode) => boolean, operand?: Node) {
    const outer = moved(operand, forms);
    this.#values = new Values({
      stored: (node) => (isStored(node) ? { kind: 'buffer', buffer: probeBuffer(node) } : undefined),
      form: (node) => forms.of(node),
      isRoundedLater: (node) => {
        const isLater = outer.has(node) && isRoundedLater(node);
        if (isLater) this.#rounded = formatOf(node);
        return isLater;
      },
    });
  }

  readonly at = (node: TensorNode, index: readonly Expr[]): Expr => this.#values.at(node, index, this.#scope);

  /** What an operand is before it is rounded, and to what. */
  unrounded(expr: Expr): { readonly value: Expr; readonly format: Precision } {
    const value = this.#unrounded(expr);
    return { value, format: this.#rounded ?? build.dtypeOf(value) };
  }

  #unrounded(expr: Expr): Expr {
    const value = this.named(expr);
    const [of] = value.kind === 'apply' && value.fn === 'convert' ? value.args : [];
    if (value.kind !== 'apply' || of === undefined) return expr;
    if (isNarrowFloat(value.dtype)) this.#rounded = value.dtype;
    return this.#unrounded(of);
  }

  named(expr: Expr): Expr {
    if (expr.kind !== 'name') return expr;
    const found = this.#scope.statements.find((stmt): stmt is Stmt & { kind: 'let' } => stmt.kind === 'let' && stmt.name === expr.name);
    return found === undefined ? expr : this.named(found.value);
  }

  unconverted(expr: Expr): Expr {
    const value = this.named(expr);
    const [of] = value.kind === 'apply' && value.fn === 'convert' ? value.args : [];
    return of === undefined ? expr : this.unconverted(of);
  }

  /** A value and what it is made by, without names and conversions. */
  value(expr: Expr): Expr {
    return this.named(this.unconverted(expr));
  }

  operands(expr: Expr | undefined, fn: string): readonly Expr[] {
    const value = expr === undefined ? undefined : this.value(expr);
    return value?.kind === 'apply' && value.fn === fn ? value.args : [];
  }

  isSame(one: Expr, other: Expr): boolean {
    const [a, b] = [one, other].map((expr) => this.unconverted(expr)) as [Expr, Expr];
    return exprKey(a) === exprKey(b) || exprKey(this.named(a)) === exprKey(this.named(b));
  }

  /** Whether the value is the element of a node at this index. */
  isElement(expr: Expr | undefined, node: TensorNode, index: readonly Expr[]): boolean {
    return expr !== undefined && exprKey(this.value(expr)) === elementKey(node, index);
  }

  /** Elements that a value is computed from, with the names of their buffers. */
  loads(root: Expr): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const asked = new Set([root]);
    // A set's iteration also visits what is added meanwhile.
    for (const expr of asked)
      someExpr(expr, (part) => {
        if (part.kind === 'load') found.set(exprKey(part), part.buffer.name);
        if (part.kind === 'name') asked.add(this.named(part));
        return false;
      });
    return found;
  }
}

/** `index`: what loops run over stands for the axes that need a loop. */
export const elementKey = (node: TensorNode, index: readonly Expr[]): string =>
  exprKey(build.load(probeBuffer(node), spread(node.type.shape, index.filter(isLoop))));

export const pointOf = ({ node }: ReduceForm, point: readonly Expr[]): readonly Expr[] => spread(node.type.shape, point.filter(isLoop));
