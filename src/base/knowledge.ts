// What is known of sizes, and what follows. In: facts that hold, a question about sizes. Out: whether the answer follows from them.
// Holds: sizes are natural numbers, so a polynomial without a negative coefficient is at least 0; a fact `a >= b` takes `a - b` away from
// what is asked, some times, until that is seen. What is not proved may hold all the same.

import { Dim, type DimTerm } from './dim.js';

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
  const floors = known.flatMap((fact) => lowerBounds(fact));
  return floors.length > 0 && follows(dim, floors, { left: mostTries }, mostFacts);
}

/** So many facts are put together, of so many tries. */
const mostFacts = 4;
const mostTries = 64;

/**
 * `floor >= 0` holds for every floor, so `dim >= 0` follows when dim - m·floor cannot be negative for a product m of sizes. Of each floor
 * as much is taken as one negative term needs.
 */
function follows(dim: Dim, floors: readonly Dim[], tries: { left: number }, depth: number): boolean {
  if (dim.isNatural) return true;
  if (depth === 0) return false;
  const negative = dim.terms.filter(({ coefficient }) => coefficient < 0);
  for (const floor of floors) {
    for (const term of negative) {
      for (const part of floor.terms) {
        const names = part.coefficient < 0 ? quotient(term, part) : undefined;
        if (names === undefined || tries.left-- <= 0) continue;
        const times = Dim.fromTerms([{ coefficient: Math.ceil(term.coefficient / part.coefficient), names }]);
        if (follows(dim.sub(floor.mul(times)), floors, tries, depth - 1)) return true;
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
