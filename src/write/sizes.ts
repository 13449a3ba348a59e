// Sizes as TDSL. In: polynomials, names that stand for quotients. Out: expressions, and sizes of types. Holds: what is added comes before
// what is taken away, so that no size begins with a sign unless all of it is taken.

import type { Expression, SizeExpression } from '../../grammar/index.js';
import type { Dim } from '../base/index.js';
import type { Quotient } from '../graph/index.js';
import { tdsl } from '../ops/index.js';

/** What sizes are made of, in either kind of tree. */
interface Algebra<T> {
  number(value: number): T;
  name(text: string): T;
  negated(operand: T): T;
  binary(left: T, operator: '+' | '-' | '*' | '/', right: T): T;
}

const values: Algebra<Expression> = {
  number: (value) => tdsl.digits(`${value}`),
  name: tdsl.named,
  negated: (operand) => tdsl.sign('-', operand),
  binary: tdsl.binary,
};

const span = tdsl.nowhere;

const types: Algebra<SizeExpression> = {
  number: (value) => ({ kind: 'size-literal', value, span }),
  name: (name) => ({ kind: 'size-name', name, span }),
  negated: (operand) => ({ kind: 'size-negation', operand, span }),
  binary: (left, operator, right) => ({ kind: 'size-binary', left, operator, right, span }),
};

export class Sizes {
  readonly #quotients: ReadonlyMap<string, Quotient>;

  constructor(quotients: readonly Quotient[] = []) {
    this.#quotients = new Map(quotients.map((quotient) => [quotient.name, quotient]));
  }

  /** As a value. */
  value = (dim: Dim): Expression => this.#written(dim, values);

  /** In a type or a fact. */
  type = (dim: Dim): SizeExpression => this.#written(dim, types);

  /** Names of generics in a size. */
  generics(dim: Dim): readonly string[] {
    return [...dim.names].flatMap((name) => {
      const quotient = this.#quotients.get(name);
      return quotient === undefined ? [name] : [...this.generics(quotient.dividend), ...this.generics(quotient.divisor)];
    });
  }

  #written<T>(dim: Dim, algebra: Algebra<T>): T {
    const terms = dim.terms.map(({ coefficient, names }) => {
      let size = Math.abs(coefficient);
      const factors = names.map((name) => {
        const quotient = this.#quotients.get(name);
        const by = quotient?.divisor.constant;
        if (quotient === undefined || by === undefined || size % by > 0) return this.#named(name, algebra);
        // D / 2, twice.
        size /= by;
        return this.#written(quotient.dividend, algebra);
      });
      const [first, ...others] = size === 1 && factors.length > 0 ? factors : [algebra.number(size), ...factors];
      return { isTaken: coefficient < 0, value: others.reduce((product, one) => algebra.binary(product, '*', one), first as T) };
    });
    const [first, ...others] = [...terms.filter(({ isTaken }) => !isTaken), ...terms.filter(({ isTaken }) => isTaken)];
    if (first === undefined) return algebra.number(0);
    return others.reduce(
      (sum, { isTaken, value }) => algebra.binary(sum, isTaken ? '-' : '+', value),
      first.isTaken ? algebra.negated(first.value) : first.value,
    );
  }

  #named<T>(name: string, algebra: Algebra<T>): T {
    const quotient = this.#quotients.get(name);
    if (quotient === undefined) return algebra.name(name);
    return algebra.binary(this.#written(quotient.dividend, algebra), '/', this.#written(quotient.divisor, algebra));
  }
}
