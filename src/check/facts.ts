// Facts about sizes. In: facts behind `where`, facts that hold already. Out: whether a fact follows.
// Holds: sizes are natural numbers. A polynomial that cannot become negative proves `>= 0`; a known fact proves weaker ones that differ by
// a constant.

import type { Fact, Span } from '../../grammar/index.js';
import type { SizeFact } from '../graph/index.js';
import type { Context } from './context.js';
import { presume } from './preconditions.js';
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

function factText(fact: SizeFact): string {
  return fact.relation === 'divides' ? `${fact.right} % ${fact.left} == 0` : `${fact.left} ${fact.relation} ${fact.right}`;
}

/** Demands the facts of a callee at a call: what is not known is a precondition of the entry. False after a diagnostic. */
export function demandFacts(context: Context, facts: readonly Fact[], scope: Scope, name: string, site: Span): boolean {
  let fulfilled = true;
  const known = context.entry.facts.length;
  for (const written of facts) {
    const fact = evaluateFact(context, written, scope);
    if (fact === undefined || presume(context, fact, site)) continue;
    fulfilled = false;
    const labels = [{ span: written.span, text: 'declared here' }];
    fail(context, 'unsatisfied-fact', site, `\`${name}\` needs ${factText(fact)}, which does not hold`, { labels });
  }
  if (fulfilled && context.entry.facts.length > known) context.entry.learn?.(context.entry.facts.slice(known));
  return fulfilled;
}
