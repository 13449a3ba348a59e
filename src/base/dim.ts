// Sizes. In: integers and names. Out: canonical polynomials with integer coefficients over those names.
// Holds: two sizes are equal for every value of the names exactly when their keys are equal; terms are sorted, no coefficient is zero.
// Coefficients are exact: a size that leaves the integers of a double, or has more terms than anyone can read, is `TooLarge`.

import { limits, TooLarge } from './limits.js';

/** coefficient × product of names, e.g. 3·B·D² is { coefficient: 3, names: ['B', 'D', 'D'] }; names are sorted. */
export interface DimTerm {
  readonly coefficient: number;
  readonly names: readonly string[];
}

export type DimEnvironment = ReadonlyMap<string, number>;

export class Dim {
  readonly terms: readonly DimTerm[];
  readonly key: string;
  /** The value when no name occurs, else undefined. */
  readonly constant: number | undefined;
  #names: ReadonlySet<string> | undefined;
  #text: string | undefined;
  /** This times numbers, by them: shapes have the same few sizes in every layer. */
  #multiples: Map<number, Dim> | undefined;

  private constructor(terms: readonly DimTerm[], key: string) {
    for (const { coefficient, names } of terms) {
      if (!Number.isSafeInteger(coefficient))
        throw new TooLarge(
          'size',
          `a size with the number ${coefficient} is not exact: numbers in sizes end at ${Number.MAX_SAFE_INTEGER}`,
        );
      if (names.length > limits.factors) throw new TooLarge('size', `a size has a product of more than ${limits.factors} names`);
    }
    if (terms.length > limits.terms) throw new TooLarge('size', `a size has more than ${limits.terms} terms`);
    this.terms = terms;
    this.key = key;
    const [first] = terms;
    this.constant = first === undefined ? 0 : terms.length === 1 && first.names.length === 0 ? first.coefficient : undefined;
  }

  static of(size: number | string | Dim): Dim {
    if (size instanceof Dim) return size;
    return typeof size === 'number' ? Dim.#ofNumber(size) : Dim.fromTerms([{ coefficient: 1, names: [size] }]);
  }

  // Most sizes are numbers, and most of these small: they need no sorting and no joining, and are the same objects.
  static readonly #small: (Dim | undefined)[] = [];

  static #ofNumber(size: number): Dim {
    const isSmall = size >= 0 && size < 4096 && Number.isInteger(size);
    const known = isSmall ? Dim.#small[size] : undefined;
    if (known !== undefined) return known;
    const made = size === 0 ? new Dim([], '0') : new Dim([{ coefficient: size, names: [] }], `${size}`);
    if (isSmall) Dim.#small[size] = made;
    return made;
  }

  static fromTerms(terms: Iterable<DimTerm>): Dim {
    const sums = new Map<string, { coefficient: number; names: readonly string[] }>();
    for (const term of terms) {
      const names = [...term.names].sort();
      const key = names.join('*');
      const known = sums.get(key);
      if (known) known.coefficient += term.coefficient;
      else sums.set(key, { coefficient: term.coefficient, names });
    }
    const kept = [...sums.entries()].filter(([, term]) => term.coefficient !== 0);
    // Higher degree first, constants last: the order in which people write polynomials.
    kept.sort(([a, x], [b, y]) => y.names.length - x.names.length || (a < b ? -1 : 1));
    return new Dim(
      kept.map(([, term]) => term),
      kept.length === 0
        ? '0'
        : kept
            .map(([key, term]) => (key === '' ? `${term.coefficient}` : term.coefficient === 1 ? key : `${term.coefficient}*${key}`))
            .join('+'),
    );
  }

  static readonly zero = Dim.#ofNumber(0);
  static readonly one = Dim.#ofNumber(1);

  get names(): ReadonlySet<string> {
    return (this.#names ??= this.constant === undefined ? new Set(this.terms.flatMap((term) => term.names)) : none);
  }

  /** Certainly not below 0, for all names are of sizes: no term is negative. */
  get isNatural(): boolean {
    return this.terms.every(({ coefficient }) => coefficient > 0);
  }

  /** Certainly above 0: no term is negative, and one is a number. */
  get isPositive(): boolean {
    return this.isNatural && this.terms.some(({ names }) => names.length === 0);
  }

  equals(other: Dim): boolean {
    return this === other || this.key === other.key;
  }

  add(other: Dim | number): Dim {
    const right = Dim.of(other);
    if (right.terms.length === 0) return this;
    if (this.terms.length === 0) return right;
    const [a, b] = [this.constant, right.constant];
    return a !== undefined && b !== undefined ? Dim.#ofNumber(a + b) : Dim.fromTerms([...this.terms, ...right.terms]);
  }

  sub(other: Dim | number): Dim {
    return this.add(Dim.of(other).mul(-1));
  }

  /** All of them together, written out once. */
  static sum(dims: readonly Dim[]): Dim {
    return Dim.fromTerms(dims.flatMap((dim) => dim.terms));
  }

  mul(other: Dim | number): Dim {
    const right = Dim.of(other);
    const [x, y] = [this.constant, right.constant];
    if (x !== undefined && y !== undefined) return Dim.#ofNumber(x * y);
    if (x !== undefined) return right.mul(x);
    if (y === 1) return this;
    const known = y === undefined ? undefined : this.#multiples?.get(y);
    if (known !== undefined) return known;
    // Before it is written out: even equal terms that would fall together take time.
    if (this.terms.length * right.terms.length > limits.terms ** 2 / 10)
      throw new TooLarge('size', `a product of sizes has more than ${limits.terms ** 2 / 10} terms`);
    const product = Dim.fromTerms(
      this.terms.flatMap((a) => right.terms.map((b) => ({ coefficient: a.coefficient * b.coefficient, names: [...a.names, ...b.names] }))),
    );
    if (y !== undefined) (this.#multiples ??= new Map()).set(y, product);
    return product;
  }

  /** this / other when the division is exact for every value of the names, else undefined. `other` must be one term. */
  divideExact(other: Dim | number): Dim | undefined {
    const right = Dim.of(other);
    if (right.equals(this)) return right.terms.length === 0 ? undefined : Dim.one;
    const by = right.terms.length === 1 ? right.terms[0] : undefined;
    if (by === undefined) return undefined;
    const terms: DimTerm[] = [];
    for (const term of this.terms) {
      const names = [...term.names];
      for (const name of by.names) {
        const at = names.indexOf(name);
        if (at < 0) return undefined;
        names.splice(at, 1);
      }
      const coefficient = term.coefficient / by.coefficient;
      if (!Number.isInteger(coefficient)) return undefined;
      terms.push({ coefficient, names });
    }
    return Dim.fromTerms(terms);
  }

  /** Every name replaced by what the map says; names without an entry stay. */
  substitute(values: ReadonlyMap<string, Dim>): Dim {
    let changes = false;
    for (const name of this.names) changes ||= values.has(name);
    if (!changes) return this;
    let result = Dim.zero;
    for (const term of this.terms) {
      let product = Dim.of(term.coefficient);
      for (const name of term.names) product = product.mul(values.get(name) ?? Dim.of(name));
      result = result.add(product);
    }
    return result;
  }

  /** The value under `environment`, or undefined when a name has no value there. */
  evaluate(environment: DimEnvironment): number | undefined {
    let sum = 0;
    for (const term of this.terms) {
      let product = term.coefficient;
      for (const name of term.names) {
        const value = environment.get(name);
        if (value === undefined) return undefined;
        product *= value;
      }
      sum += product;
    }
    return sum;
  }

  toString(): string {
    return (this.#text ??= this.constant === undefined ? this.#written() : `${this.constant}`);
  }

  #written(): string {
    return this.terms
      .map((term, at) => {
        const size = Math.abs(term.coefficient);
        const factors = [...(size === 1 && term.names.length > 0 ? [] : [`${size}`]), ...term.names].join('*');
        const sign = term.coefficient < 0 ? (at === 0 ? '-' : ' - ') : at === 0 ? '' : ' + ';
        return sign + factors;
      })
      .join('');
  }
}

const none: ReadonlySet<string> = new Set();

export type Shape = readonly Dim[];

export function shapeEquals(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!(a[at] as Dim).equals(b[at] as Dim)) return false;
  return true;
}

export const shapeToString = (shape: Shape): string => `[${shape.join(', ')}]`;
export const elementCount = (shape: Shape): Dim => shape.reduce((product, dim) => product.mul(dim), Dim.one);
