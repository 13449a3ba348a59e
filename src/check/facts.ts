// Facts about sizes. In: facts behind `where`, facts that hold already. Out: whether a fact follows.
// Holds: sizes are natural numbers. A polynomial that cannot become negative proves `>= 0`; a known fact proves weaker ones that differ by
// a constant.

import { walk, type Fact, type Span } from '../../grammar/index.js';
import { decide, Dim, type Label } from '../base/index.js';
import type { SizeFact } from '../graph/index.js';
import type { Context } from './context.js';
import { opposites, presume, spendOn } from './preconditions.js';
import { excerpt, fail } from './report.js';
import { GenericBinding, type Scope } from './scope.js';
import { evaluateSize, multiplesNear, unknownsIn } from './sizes.js';
import { dimOf } from './values.js';

/** The fact with its sizes evaluated; undefined after a diagnostic, or while its sizes are unknown. */
export function evaluateFact(context: Context, fact: Fact, scope: Scope): SizeFact | undefined {
  const divides = divisibility(context, fact, scope);
  if (divides !== 'other') return divides;
  const left = evaluateSize(context, fact.left, scope);
  const right = evaluateSize(context, fact.right, scope);
  if (left === undefined || right === undefined || unknownsIn(left).length > 0 || unknownsIn(right).length > 0) return undefined;
  return { left, relation: fact.operator, right, span: fact.span };
}

/** `D % Heads == 0` is the fact that Heads divides D, and `N % 2 == 1` the fact that 2 divides N - 1. */
function divisibility(context: Context, fact: Fact, scope: Scope): SizeFact | undefined | 'other' {
  if (fact.operator !== '==' || fact.left.kind !== 'size-binary' || fact.left.operator !== '%') return 'other';
  if (fact.right.kind !== 'size-literal') return 'other';
  const left = evaluateSize(context, fact.left.right, scope);
  const right = evaluateSize(context, fact.left.left, scope);
  if (left === undefined || right === undefined || unknownsIn(left).length > 0 || unknownsIn(right).length > 0) return undefined;
  const rest = fact.right.value;
  // A rest that there never is is told when the fact is looked at.
  if (rest !== 0 && (left.constant === undefined || rest < 0 || rest >= left.constant)) return 'other';
  return { left, relation: 'divides', right: right.sub(Dim.of(rest)), span: fact.span };
}

function factText(fact: SizeFact, rest = 0): string {
  return fact.relation === 'divides'
    ? `${fact.right.add(Dim.of(rest))} % ${fact.left} == ${rest}`
    : `${fact.left} ${fact.relation} ${fact.right}`;
}

/** What is left over in a fact such as `N % 2 == 1`. */
const restIn = ({ right }: Fact): number => (right.kind === 'size-literal' ? right.value : 0);

/** Demands the facts of a callee at a call: what is not known is a precondition of the entry. False after a diagnostic. */
export function demandFacts(context: Context, facts: readonly Fact[], scope: Scope, name: string, site: Span): boolean {
  let fulfilled = true;
  const known = context.entry.facts.length;
  for (const written of facts) {
    const fact = evaluateFact(context, written, scope);
    if (fact === undefined || presume(context, fact, site)) continue;
    fulfilled = false;
    const here = factText(fact, restIn(written));
    const text = excerpt(context, written.span, here);
    const needed = text === here ? `${here}, which does not hold` : `\`${text}\`, and ${here} does not hold`;
    fail(context, 'unsatisfied-fact', site, `\`${name}\` needs ${needed}`, {
      labels: [{ span: written.span, text: 'declared here' }, ...originsOf(written, scope)],
      hint: factHint(context, fact, written),
    });
  }
  if (fulfilled && context.entry.facts.length > known) context.entry.learn?.(context.entry.facts.slice(known));
  return fulfilled;
}

/** Where the generics of a fact got their sizes. */
function originsOf(written: Fact, scope: Scope): Label[] {
  const labels: Label[] = [];
  walk(written, (node) => {
    const generic = node.kind === 'size-name' ? scope.lookup(node.name) : undefined;
    if (!(generic instanceof GenericBinding) || generic.bound === undefined || generic.known === undefined) return;
    const dim = dimOf(generic.known);
    if (dim !== undefined) labels.push({ span: generic.bound, text: `\`${generic.name}\` is ${dim} here` });
  });
  return labels;
}

/** Sizes that would do. */
function factHint(context: Context, { left, relation, right }: SizeFact, written: Fact): string {
  const [by, whole] = [left.constant, right.constant];
  if (relation === 'divides' && by !== undefined && by > 0 && whole !== undefined && restIn(written) === 0) {
    return multiplesNear(by, whole);
  }
  return `choose sizes with \`${excerpt(context, written.span, factText({ left, relation, right, span: undefined }))}\``;
}

/** Refuses a fact that those before it rule out; false after a diagnostic. */
export function demandPossible(context: Context, fact: SizeFact, name: string): boolean {
  const { facts } = context.entry;
  spendOn(context);
  const isRuledOut =
    fact.relation === 'divides' ? decide(fact, facts) === false : decide({ ...fact, relation: opposites[fact.relation] }, facts) === true;
  if (!isRuledOut || fact.span === undefined) return true;
  const before = facts.filter((one) => one.span !== undefined && one.inferred === undefined);
  fail(
    context,
    'unsatisfied-fact',
    fact.span,
    `no call of \`${name}\` fulfils ${factText(fact)}${before.length === 0 ? '' : ' and the facts before it'}`,
    {
      labels: before.flatMap(({ span, ...one }) =>
        span === undefined ? [] : [{ span, text: `${factText({ ...one, span })} is declared here` }],
      ),
      hint: 'leave out one of them, or turn it round',
    },
  );
  return false;
}
