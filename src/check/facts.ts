// Facts about sizes. In: facts behind `where`, facts that hold already. Out: whether a fact follows.
// Holds: sizes are natural numbers. A polynomial that cannot become negative proves `>= 0`; a known fact proves weaker ones that differ by
// a constant.

import type { ComparisonOperator, Fact, Span } from '../../grammar/index.js';
import type { Dim } from '../base/index.js';
import type { SizeFact } from '../graph/index.js';
import type { Context } from './context.js';
import { fail } from './report.js';
import type { Scope } from './scope.js';
import { evaluateSize, unknownsIn } from './sizes.js';

/** The fact with its sizes evaluated; undefined after a diagnostic, or while its sizes are unknown. */
export function evaluateFact(context: Context, fact: Fact, scope: Scope): SizeFact | undefined {
  const divides = divisibility(context, fact, scope);
  if (divides !== 'other') return divides;
  const left = evaluateSize(context, fact.left, scope);
  const right = evaluateSize(context, fact.right, scope);
  if (left === undefined || right === undefined || unknownsIn(left).length > 0 || unknownsIn(right).length > 0) return undefined;
  return { left, relation: fact.operator, right, span: fact.span };
}

/** `D % Heads == 0` is the fact that Heads divides D. */
function divisibility(context: Context, fact: Fact, scope: Scope): SizeFact | undefined | 'other' {
  if (fact.operator !== '==' || fact.left.kind !== 'size-binary' || fact.left.operator !== '%') return 'other';
  if (fact.right.kind !== 'size-literal' || fact.right.value !== 0) return 'other';
  const left = evaluateSize(context, fact.left.right, scope);
  const right = evaluateSize(context, fact.left.left, scope);
  if (left === undefined || right === undefined || unknownsIn(left).length > 0 || unknownsIn(right).length > 0) return undefined;
  return { left, relation: 'divides', right, span: fact.span };
}

/** true, false, or undefined when it depends on sizes that nobody knows yet. */
export function decide(fact: SizeFact, known: readonly SizeFact[]): boolean | undefined {
  if (fact.relation === 'divides') {
    const a = fact.left.constant;
    const b = fact.right.constant;
    if (a !== undefined && b !== undefined) return a !== 0 && b % a === 0;
    if (fact.right.divideExact(fact.left) !== undefined) return true;
    return known.some((one) => one.relation === 'divides' && one.left.equals(fact.left) && one.right.equals(fact.right)) ? true : undefined;
  }
  const difference = fact.left.sub(fact.right);
  const constant = difference.constant;
  if (constant !== undefined) return compare(constant, fact.relation);
  for (const one of known) {
    if (one.relation === fact.relation && one.left.equals(fact.left) && one.right.equals(fact.right)) return true;
  }
  // a >= b, written as `difference >= 0`; `>` is `difference - 1 >= 0`, `<` and `<=` the same with the sign turned.
  const atLeast = (() => {
    switch (fact.relation) {
      case '>=':
        return difference;
      case '>':
        return difference.sub(1);
      case '<=':
        return difference.mul(-1);
      case '<':
        return difference.mul(-1).sub(1);
      case '==':
      case '!=':
        return undefined;
    }
  })();
  if (atLeast !== undefined && isNatural(atLeast, known)) return true;
  if (fact.relation === '!=' && (isNatural(difference.sub(1), known) || isNatural(difference.mul(-1).sub(1), known))) return true;
  return undefined;
}

/** Is the polynomial at least 0 whatever the sizes are, given the facts? */
export function isNatural(dim: Dim, known: readonly SizeFact[]): boolean {
  if (dim.isNatural) return true;
  for (const fact of known) {
    const floor = lowerBound(fact);
    if (floor === undefined) continue;
    // `floor >= 0` holds, so `dim >= 0` follows when dim - floor cannot be negative.
    if (isAtLeast(dim, floor)) return true;
  }
  return false;
}

/** Is no coefficient of a - b negative? Asked for every fact of every index, so the difference is not written out. */
function isAtLeast(a: Dim, b: Dim): boolean {
  const inB = (names: readonly string[]): number => coefficientOf(b, names);
  return (
    a.terms.every((term) => term.coefficient >= inB(term.names)) &&
    b.terms.every((term) => term.coefficient <= 0 || coefficientOf(a, term.names) >= term.coefficient)
  );
}

const coefficientOf = (dim: Dim, names: readonly string[]): number =>
  dim.terms.find((term) => term.names.length === names.length && term.names.every((name, at) => name === names[at]))?.coefficient ?? 0;

const bounds = new WeakMap<SizeFact, { readonly floor: Dim | undefined }>();

/** A polynomial that the fact says is not negative. */
export function lowerBound(fact: SizeFact): Dim | undefined {
  const known = bounds.get(fact);
  if (known !== undefined) return known.floor;
  const floor = floorOf(fact);
  bounds.set(fact, { floor });
  return floor;
}

function floorOf(fact: SizeFact): Dim | undefined {
  const difference = fact.left.sub(fact.right);
  switch (fact.relation) {
    case '>=':
    case '==':
      return difference;
    case '>':
      return difference.sub(1);
    case '<=':
      return difference.mul(-1);
    case '<':
      return difference.mul(-1).sub(1);
    case '!=':
    case 'divides':
      return undefined;
  }
}

function compare(difference: number, relation: ComparisonOperator): boolean {
  switch (relation) {
    case '==':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
  }
}

function factText(fact: SizeFact): string {
  return fact.relation === 'divides' ? `${fact.right} % ${fact.left} == 0` : `${fact.left} ${fact.relation} ${fact.right}`;
}

/** Demands the facts of a callee at a call; false after a diagnostic. */
export function demandFacts(context: Context, facts: readonly Fact[], scope: Scope, name: string, site: Span): boolean {
  let fulfilled = true;
  for (const written of facts) {
    const fact = evaluateFact(context, written, scope);
    if (fact === undefined) continue;
    const verdict = decide(fact, context.entry.facts);
    if (verdict === true) continue;
    fulfilled = false;
    const labels = [{ span: written.span, text: 'declared here' }];
    if (verdict === false) fail(context, 'unsatisfied-fact', site, `\`${name}\` needs ${factText(fact)}, which does not hold`, { labels });
    else
      fail(context, 'unsatisfied-fact', site, `\`${name}\` needs ${factText(fact)}, which nothing here guarantees`, {
        labels,
        hint: `declare it behind the result type of the function around: \`where ${factText(fact)}\``,
      });
  }
  return fulfilled;
}
