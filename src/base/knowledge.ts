// What is known of sizes, and what follows. In: facts that hold, a question about sizes. Out: whether the answer follows from them.
// Holds: sizes are natural numbers, so a polynomial without a negative coefficient is at least 0; a fact `a >= b` takes `a - b` away from
// what is asked, some times, until that is seen. What is not proved may hold all the same.

import type { Dim, DimTerm } from './dim.js';

/** left relation right; `divides`: right is a multiple of left. */
export interface Relation {
  readonly left: Dim;
  readonly relation: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'divides';
  readonly right: Dim;
}

/** true, false, or undefined when it depends on sizes that nobody knows yet. */
export function decide(fact: Relation, known: readonly Relation[]): boolean | undefined {
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
export function isNatural(dim: Dim, known: readonly Relation[]): boolean {
  if (dim.isNatural) return true;
  if (dim.constant !== undefined || known.length === 0) return false;
  const floors = floorsOfAll(known);
  return floors.length > 0 && follows(termsOf(dim), floors, { left: mostTries }, mostFacts);
}

/** So many facts are put together, of so many tries. */
const mostFacts = 4;
export const mostTries = 64;

/** Of lists of facts, which grow at their ends: what was looked at, and what is at least 0 by it. */
const floorsOfLists = new WeakMap<readonly Relation[], { count: number; last: Relation | undefined; readonly floors: Dim[] }>();

function floorsOfAll(known: readonly Relation[]): readonly Dim[] {
  let all = floorsOfLists.get(known);
  // What was taken back at the end may have been replaced.
  if (all === undefined || known[all.count - 1] !== all.last) floorsOfLists.set(known, (all = { count: 0, last: undefined, floors: [] }));
  for (; all.count < known.length; all.count += 1) all.floors.push(...lowerBounds((all.last = known[all.count] as Relation)));
  return all.floors;
}

/** Terms by their names: what is tried is not written out as a size, which takes ten times as long. */
type Terms = ReadonlyMap<string, DimTerm>;

const keyOf = (names: readonly string[]): string => names.join('*');
const termsOf = ({ terms }: Dim): Terms => new Map(terms.map((term) => [keyOf(term.names), term]));

/** In the order in which sizes have them. */
const negativeOf = (terms: Terms): readonly DimTerm[] =>
  [...terms]
    .filter(([, { coefficient }]) => coefficient < 0)
    .sort(([a, x], [b, y]) => y.names.length - x.names.length || (a < b ? -1 : 1))
    .map(([, term]) => term);

/** terms - coefficient·names·floor; undefined where a number is no longer exact. */
function minus(terms: Terms, floor: Dim, coefficient: number, names: readonly string[]): Terms | undefined {
  const result = new Map(terms);
  for (const part of floor.terms) {
    const all = names.length === 0 ? part.names : [...part.names, ...names].sort();
    const key = keyOf(all);
    const left = (result.get(key)?.coefficient ?? 0) - part.coefficient * coefficient;
    if (!Number.isSafeInteger(left)) return undefined;
    if (left === 0) result.delete(key);
    else result.set(key, { coefficient: left, names: all });
  }
  return result;
}

/**
 * `floor >= 0` holds for every floor, so `terms >= 0` follows when terms - m·floor cannot be negative for a product m of sizes. Of each
 * floor as much is taken as one negative term needs.
 */
function follows(terms: Terms, floors: readonly Dim[], tries: { left: number }, depth: number): boolean {
  const negative = negativeOf(terms);
  if (negative.length === 0) return true;
  if (depth === 0) return false;
  for (const floor of floors) {
    for (const term of negative) {
      for (const part of floor.terms) {
        const names = part.coefficient < 0 ? quotient(term, part) : undefined;
        if (names === undefined) continue;
        // Looking through the rest would take time, and change nothing.
        if (tries.left-- <= 0) return false;
        const less = minus(terms, floor, Math.ceil(term.coefficient / part.coefficient), names);
        if (less !== undefined && follows(less, floors, tries, depth - 1)) return true;
      }
    }
  }
  return false;
}

/** The names of a that b lacks, if b has no others. */
function quotient(a: DimTerm, b: DimTerm): readonly string[] | undefined {
  const names = [...a.names];
  for (const name of b.names) {
    const at = names.indexOf(name);
    if (at < 0) return undefined;
    names.splice(at, 1);
  }
  return names;
}

const bounds = new WeakMap<Relation, readonly Dim[]>();

/** What is at least 0 where the fact holds. */
export function lowerBounds(fact: Relation): readonly Dim[] {
  let known = bounds.get(fact);
  if (known === undefined) bounds.set(fact, (known = floorsOf(fact)));
  return known;
}

function floorsOf(fact: Relation): readonly Dim[] {
  const difference = fact.left.sub(fact.right);
  switch (fact.relation) {
    case '>=':
      return [difference];
    case '==':
      return [difference, difference.mul(-1)];
    case '>':
      return [difference.sub(1)];
    case '<=':
      return [difference.mul(-1)];
    case '<':
      return [difference.mul(-1).sub(1)];
    case '!=':
    case 'divides':
      return [];
  }
}

function compare(difference: number, relation: Exclude<Relation['relation'], 'divides'>): boolean {
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
