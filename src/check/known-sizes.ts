// Facts behind `where` that say what sizes are. In: facts of an entry over its generics. Out: what stands for each generic inside, so that
// sizes which the facts make equal are equal: M is N where N == M, D is 2·(D÷2) where D % 2 == 0.
// Holds: whoever calls still speaks of the generics; the facts are checked for every call, and then the new names have a value.

import { Dim } from '../base/index.js';
import type { Quotient, SizeFact } from '../graph/index.js';

export interface KnownSizes {
  /** What stands for a generic inside. */
  readonly values: ReadonlyMap<string, Dim>;
  /** Names that stand for quotients of generics. */
  readonly quotients: readonly Quotient[];
  /** Facts that these follow from, over the generics. */
  readonly facts: readonly SizeFact[];
  /** Differences that stand for generics, and so are sizes. */
  readonly differences: readonly Dim[];
}

export function knownSizes(facts: readonly SizeFact[]): KnownSizes {
  const values = new Map<string, Dim>();
  const quotients = new Map<string, Quotient>();
  const used: SizeFact[] = [];
  for (const fact of facts) {
    const found =
      fact.relation === 'divides'
        ? (quotientOf(fact, values, quotients) ?? sharedQuotient(fact, values, quotients) ?? quotientWithRest(fact, values))
        : fact.relation === '=='
          ? equal(fact, values, quotients)
          : undefined;
    if (found === undefined) continue;
    used.push(fact);
    const step = new Map([[found.name, found.dim]]);
    for (const [name, dim] of values) values.set(name, dim.substitute(step));
    if (!quotients.has(found.name)) values.set(found.name, found.dim);
    else quotients.delete(found.name);
    if (found.quotient !== undefined) quotients.set(found.quotient.name, found.quotient);
  }
  const differences = [...values.values()].filter((dim) => !dim.isNatural);
  return { values, quotients: [...quotients.values()], facts: used, differences };
}

/** A fact over what callers know, of one in which quotients stand; undefined for one that is none of these. */
export function overGenerics(fact: SizeFact, { quotients }: KnownSizes): SizeFact | undefined {
  const isQuotient = (dim: Dim): boolean => quotients.some(({ name }) => dim.names.has(name));
  if (!isQuotient(fact.left) && !isQuotient(fact.right)) return fact;
  const whole = multipleOf(fact.right);
  const quotient = quotients.find(({ name }) => name === whole?.name);
  // a divides D ÷ b where a · b divides D.
  if (fact.relation !== 'divides' || whole?.times !== 1 || quotient === undefined || isQuotient(fact.left)) return undefined;
  return { ...fact, left: fact.left.mul(quotient.divisor), right: quotient.dividend };
}

interface Found {
  readonly name: string;
  readonly dim: Dim;
  readonly quotient?: Quotient;
}

/** A size that is a product of a number and one name. */
function multipleOf(dim: Dim): { readonly name: string; readonly times: number } | undefined {
  const [term, more] = dim.terms;
  const [name, other] = term?.names ?? [];
  return term === undefined || more !== undefined || name === undefined || other !== undefined
    ? undefined
    : { name, times: term.coefficient };
}

/** left divides right: the name of right is left times a new one. */
function quotientOf(
  { left, right }: SizeFact,
  values: ReadonlyMap<string, Dim>,
  quotients: ReadonlyMap<string, Quotient>,
): Found | undefined {
  const [by, whole] = [left.substitute(values), multipleOf(right.substitute(values))];
  if (whole === undefined || by.names.has(whole.name) || by.terms.length !== 1) return undefined;
  const number = by.constant;
  if (number === undefined ? whole.times !== 1 : number < 1) return undefined;
  const factor = number === undefined ? by : Dim.of(number / greatestCommonDivisor(number, whole.times));
  if (factor.constant === 1) return undefined;
  const known = quotients.get(whole.name);
  const dividend = known?.dividend ?? Dim.of(whole.name);
  const divisor = (known?.divisor ?? Dim.one).mul(factor);
  const name = `${dividend}÷${String(divisor).replaceAll(/[^\p{L}\p{N}_]/gu, '_')}`;
  return { name: whole.name, dim: factor.mul(Dim.of(name)), quotient: { name, dividend, divisor } };
}

/** A number divides a sum: one name of the sum is so many times a new one, without the others. */
function sharedQuotient(
  { left, right }: SizeFact,
  values: ReadonlyMap<string, Dim>,
  quotients: ReadonlyMap<string, Quotient>,
): Found | undefined {
  const [divisor, dividend] = [left.substitute(values), right.substitute(values)];
  const isPlain = dividend.isNatural && ![...dividend.names].some((name) => quotients.has(name) || name.includes('÷'));
  if ((divisor.constant ?? 0) < 2 || dividend.terms.length < 2 || !isPlain) return undefined;
  const term = dividend.terms.find(
    ({ coefficient, names }) =>
      coefficient === 1 && names.length === 1 && dividend.terms.filter((one) => one.names.includes(names[0] as string)).length === 1,
  );
  const name = term?.names[0];
  if (name === undefined) return undefined;
  const quotient = { name: `${String(dividend).replaceAll(/[^\p{L}\p{N}_]+/gu, '_')}÷${divisor}`, dividend, divisor };
  return { name, dim: divisor.mul(Dim.of(quotient.name)).sub(dividend.sub(Dim.of(name))), quotient };
}

/** A number divides a name less a number: the name is so many times a new one, and a rest. What is left of it is no size below 0. */
function quotientWithRest({ left, right }: SizeFact, values: ReadonlyMap<string, Dim>): Found | undefined {
  const [divisor, whole] = [left.substitute(values), right.substitute(values)];
  const by = divisor.constant ?? 0;
  const [name, more] = [...whole.names];
  const offset = name === undefined ? undefined : whole.sub(Dim.of(name)).constant;
  if (name === undefined || more !== undefined || name.includes('÷') || offset === undefined || offset >= 0 || by < 2) return undefined;
  const rest = ((-offset % by) + by) % by;
  const quotient = { name: `${name}${rest === 0 ? '' : `_minus_${rest}`}÷${by}`, dividend: Dim.of(name).sub(Dim.of(rest)), divisor };
  return { name, dim: divisor.mul(Dim.of(quotient.name)).add(Dim.of(rest)), quotient };
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** One side is a generic that the other one does not have; what stands for it is not below 0 either. */
function equal(fact: SizeFact, values: ReadonlyMap<string, Dim>, quotients: ReadonlyMap<string, Quotient>): Found | undefined {
  const [left, right] = [fact.left.substitute(values), fact.right.substitute(values)];
  const [a, b] = [multipleOf(left), multipleOf(right)];
  // Of two names the first one stays.
  if (b?.times === 1 && !quotients.has(b.name) && !left.names.has(b.name) && left.isNatural) return { name: b.name, dim: left };
  if (a?.times === 1 && !quotients.has(a.name) && !right.names.has(a.name) && right.isNatural) return { name: a.name, dim: right };
  return undefined;
}
