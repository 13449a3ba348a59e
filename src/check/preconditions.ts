// What sizes must fulfil for a program to mean something. In: facts that an expression asks for. Out: whether they hold: they follow from
// what is known, or they are preconditions of the entry from now on, which callers are told with the line of the expression.
// Holds: what cannot hold is refused when compiling; a precondition is knowledge for what follows in the text.

import type { Span } from '../../grammar/index.js';
import { decide, Dim, isNatural, mostTries, type Relation } from '../base/index.js';
import { placeOf } from './checked-index.js';
import type { Context } from './context.js';

export const opposites = { '==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const;

/** Whether the fact holds in every call that comes through; false where it certainly does not. */
export function presume(context: Context, fact: Relation, span: Span): boolean {
  const { facts } = context.entry;
  spendOn(context);
  const verdict = decide(fact, facts);
  if (verdict !== undefined) return verdict;
  if (fact.relation !== 'divides' && decide({ ...fact, relation: opposites[fact.relation] }, facts) === true) return false;
  facts.push({ ...fact, span, inferred: placeOf(context, span) });
  return true;
}

/** What it takes to look whether something follows from the facts: of as many as are tried (src/base/knowledge.ts). */
export const spendOn = ({ checker, entry }: Context): void => {
  checker.growth.spend(4 * Math.min(entry.facts.length, mostTries));
};

/** The same for a size that must not be below 0. */
export function presumeNatural(context: Context, dim: Dim, span: Span): boolean {
  spendOn(context);
  if (isNatural(dim, context.entry.facts)) return true;
  if (isNatural(dim.mul(-1).sub(1), context.entry.facts)) return false;
  return presume(context, atLeastZero(dim), span);
}

/** `dim >= 0` as people write it: without signs, numbers on the right. */
function atLeastZero(dim: Dim): Relation {
  const isLeft = ({ coefficient, names }: Dim['terms'][number]): boolean => coefficient > 0 && names.length > 0;
  const left = Dim.fromTerms(dim.terms.filter(isLeft));
  const right = Dim.fromTerms(dim.terms.filter((term) => !isLeft(term))).mul(-1);
  if (left.constant !== 0) return { left, relation: '>=', right };
  const [constant] = right.terms.filter(({ names }) => names.length === 0);
  const most = Dim.of(-(constant?.coefficient ?? 0));
  return { left: right.add(most), relation: '<=', right: most };
}
