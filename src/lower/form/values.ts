// The value of a node at an index, as an expression of the kernel under construction. In: node, index, scope. Out: an expression;
// statements for whatever had to be computed first.
// Holds: a stored node is loaded, anything else is computed here, once per scope that has its indices.

import { type DType, InternalError, limits, type Shape, TooLarge } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import { type Buffer, build, type Expr, exprKey, operandsOf, someExpr } from '../../kernel/index.js';
import { inlineReduceTerms, inlineTerms, leastSplitTerms, longestIndex, splitAccumulators } from '../../target/index.js';
import { contracted } from './fma.js';
import {
  type ArgumentReader,
  combinedAs,
  combineStep,
  constants,
  type Form,
  identity,
  indices,
  isEmpty,
  opOf,
  type ReduceForm,
  tensorOf,
  widthAs,
} from './forms.js';
import { type Scope, valueKey } from './scope.js';

/** Where a node's value can be had without computing it. */
export type Stored = { readonly kind: 'buffer'; readonly buffer: Buffer } | { readonly kind: 'value'; readonly value: Expr };

export interface ValueSources {
  stored(node: TensorNode): Stored | undefined;
  form(node: Node): Form;
  /** Every element that is read gets a name, so that it is loaded once however many values need it: strided loads are not cheap. */
  readonly namesLoads?: boolean;
  /** Products that have no name, because the sum that takes them computes them. */
  isPartOfSum?(node: TensorNode): boolean;
  /** Whether whoever reads the node rounds what its argument is, which stands in its place. */
  isRoundedLater?(node: TensorNode): boolean;
  /** Called for every stored node that is read. */
  observe?(node: TensorNode, index: readonly Expr[]): void;
}

/** Whether a reduction may be written out as one expression. */
export function isInlineReduce(form: ReduceForm): boolean {
  const sizes = constants(form.reduced);
  if (sizes === undefined) return false;
  const terms = sizes.reduce((product, one) => product * one, 1);
  return opOf(form.node).lowering.kind === 'contract' ? terms <= inlineTerms : terms <= inlineReduceTerms;
}

/** An element of a node that is wanted. */
interface Wanted {
  readonly node: TensorNode;
  readonly index: readonly Expr[];
  key: string;
}

export class Values {
  readonly sources: ValueSources;

  constructor(sources: ValueSources) {
    this.sources = sources;
  }

  at(node: TensorNode, index: readonly Expr[], scope: Scope): Expr {
    const key = valueKey(node, index);
    const known = scope.recall(key);
    if (known !== undefined) return known;
    // Chains of values may be thousands long, and the stack is not: a value whose arguments are not there yet waits for them, and is then
    // computed again.
    const found = new Map<string, Expr>();
    const waiting: Wanted[] = [{ node, index, key }];
    let steps = 0;
    for (let last = waiting.at(-1); last !== undefined; last = waiting.at(-1)) {
      if (++steps > limits.inlined) throw new TooLarge('work', `\`${node.op.name}\` reads too many different elements`);
      const missing: Wanted[] = [];
      // As long as nothing is missing, nothing unknown has been handed out.
      const isThere = (one: Expr): boolean => missing.length === 0 || !someExpr(one, isUnknown);
      const read = (argument: TensorNode, at: readonly Expr[]): Expr => {
        const wanted = { node: argument, index: at.map((one) => (isThere(one) ? this.#short(one, scope) : one)), key: '' };
        wanted.key = valueKey(argument, wanted.index);
        const value = found.get(wanted.key) ?? scope.recall(wanted.key);
        if (value !== undefined) return value;
        // An index that is read itself says nothing until it is there.
        if (wanted.index.every(isThere)) missing.push(wanted);
        return unknown(argument.type.dtype);
      };
      const kept = this.#compute(last, scope, read, () => missing.length === 0);
      if (missing.length > 0) {
        // Last pushed, first computed.
        for (const one of missing.reverse()) waiting.push(one);
        continue;
      }
      waiting.pop();
      found.set(last.key, kept);
    }
    return found.get(key) as Expr;
  }

  /** The value, when `read` has found all that it needs (`complete`); else nothing of meaning, and nothing is kept. */
  #compute({ node, index, key }: Wanted, scope: Scope, read: ArgumentReader, complete: () => boolean): Expr {
    if (isEmpty(node)) return build.constant(node.type.dtype, 0);
    const stored = this.sources.stored(node);
    if (stored !== undefined) this.sources.observe?.(node, index);
    if (stored?.kind === 'value') return stored.value;
    if (stored !== undefined) {
      const value = widthAs(node.type.dtype, build.load(stored.buffer, index));
      return this.sources.namesLoads === true ? this.#keep(key, 'x', value, index, scope) : value;
    }
    const form = this.sources.form(node);
    switch (form.kind) {
      case 'element': {
        if (this.sources.isRoundedLater?.(node) === true) return read(tensorOf(node.args[0] as Node), index);
        const lowering = opOf(node).lowering;
        if (lowering.kind !== 'element') throw new InternalError('lower', `${node.op.name} is no element op`);
        const value = lowering.at(node, index, (which, at) => read(tensorOf(node.args[which] as Node), at));
        if (!complete() || this.sources.isPartOfSum?.(node) === true) return value;
        return this.#keep(key, lowering.cost > 0 ? node.op.name : undefined, contracted(value), index, scope);
      }
      case 'reduce': {
        const value = writtenOut(form, index, constants(form.reduced), read);
        return complete() ? this.#keep(key, node.op.name, value, index, scope) : value;
      }
      case 'source':
      case 'element-of':
      case 'partial':
      case 'matmul':
      case 'nest':
      case 'loop':
        throw new InternalError('lower', `${node.op.name} (%${node.id}) is needed before it is stored`);
    }
  }

  /** An index that many reshapes one after the other made gets a name: written out, it would double with each. */
  #short(index: Expr, scope: Scope): Expr {
    if (!isLongerThan(index, longestIndex)) return index;
    const key = exprKey(index);
    const known = scope.recall(key);
    if (known !== undefined) return known;
    const home = scope.home([index]);
    const name = home.let('i', index);
    home.remember(key, name);
    return name;
  }

  #keep(key: string, stem: string | undefined, value: Expr, index: readonly Expr[], scope: Scope): Expr {
    const home = scope.home([...index, value]);
    const kept = stem === undefined ? value : home.let(letStem(stem), value);
    home.remember(key, kept);
    return kept;
  }
}

/** A value that is not there yet. */
const unknown = (dtype: DType): Expr => build.name('?', dtype);
const isUnknown = (expr: Expr): boolean => expr.kind === 'name' && expr.name === '?';

/** Parts of an index, each counted as often as it is written. */
function isLongerThan(expr: Expr, most: number): boolean {
  let count = 0;
  const waiting = [expr];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (++count > most) return true;
    for (const part of operandsOf(next)) waiting.push(part);
  }
  return false;
}

/** Lets are named after their op: `exp7`. */
const letStem = (op: string): string => op.replace(/[^A-Za-z]/g, '') || 'v';

function writtenOut(
  form: ReduceForm,
  kept: readonly Expr[],
  sizes: readonly number[] | undefined,
  read: (argument: TensorNode, at: readonly Expr[]) => Expr,
): Expr {
  if (sizes === undefined) throw new InternalError('lower', `${form.node.op.name} over ${describe(form.reduced)} cannot be written out`);
  const dtype = combinedAs(form.node.type.dtype);
  const all = [...indices(sizes)];
  const parts = all.length < leastSplitTerms ? 1 : splitAccumulators;
  const values: Expr[] = [];
  for (const [which, at] of all.entries()) {
    const term = form.term(kept, at.map(build.int), read);
    const before = values[which % parts];
    values[which % parts] = before === undefined ? term : combineStep(form.combine, dtype, before, term);
  }
  const value =
    values.length === 0 ? identity(form.combine, dtype) : values.reduce((total, part) => combineStep(form.combine, dtype, total, part));
  return widthAs(form.node.type.dtype, value);
}

const describe = (shape: Shape): string => `[${shape.join(', ')}]`;
