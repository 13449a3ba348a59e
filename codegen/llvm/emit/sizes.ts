// Sizes and lane-invariant index arithmetic. In: size polynomials; the values of the entry's free sizes. Out: i64 values. Holds: what is
// known while compiling stays a number; a polynomial is computed once, at the function's entry.

import { type Dim, InternalError } from '../../../src/base/index.js';
import type { Builder, LlvmValue, ModuleBuilder } from '../builder/index.js';
import type { Scalar } from './scope.js';

export class Sizes {
  readonly #known = new Map<string, LlvmValue>();

  readonly #module: ModuleBuilder;
  /** Appends to the function's entry block. */
  readonly #entry: Builder;
  readonly #free: ReadonlyMap<string, LlvmValue>;

  constructor(module: ModuleBuilder, entry: Builder, free: ReadonlyMap<string, LlvmValue>) {
    this.#module = module;
    this.#entry = entry;
    this.#free = free;
  }

  of(dim: Dim): Scalar {
    if (dim.constant !== undefined) return dim.constant;
    let value = this.#known.get(dim.key);
    if (value === undefined) {
      value = this.#compute(dim);
      this.#known.set(dim.key, value);
    }
    return value;
  }

  #compute(dim: Dim): LlvmValue {
    let sum: LlvmValue | undefined;
    for (const term of dim.terms) {
      let product: LlvmValue | undefined;
      for (const name of term.names) {
        const factor = this.#free.get(name);
        if (factor === undefined) throw new InternalError('codegen', `the size ${name} is not among the entry's`);
        product = product === undefined ? factor : this.#entry.mul(product, factor, { nsw: true });
      }
      if (product === undefined) product = this.#module.i64(term.coefficient);
      else if (term.coefficient !== 1) product = this.#entry.mul(product, this.#module.i64(term.coefficient), { nsw: true });
      sum = sum === undefined ? product : this.#entry.add(sum, product, { nsw: true });
    }
    return sum ?? this.#module.i64(0);
  }
}

/** Arithmetic on scalars that folds what is known. */
export class ScalarMath {
  readonly #module: ModuleBuilder;
  readonly #build: Builder;
  readonly #constants = new Map<number, LlvmValue>();

  constructor(module: ModuleBuilder, build: Builder) {
    this.#module = module;
    this.#build = build;
  }

  value(of: Scalar): LlvmValue {
    if (typeof of !== 'number') return of;
    let constant = this.#constants.get(of);
    if (constant === undefined) {
      constant = this.#module.i64(of);
      this.#constants.set(of, constant);
    }
    return constant;
  }

  add(a: Scalar, b: Scalar): Scalar {
    if (typeof a === 'number' && typeof b === 'number') return a + b;
    if (a === 0) return b;
    if (b === 0) return a;
    return this.#build.add(this.value(a), this.value(b), { nsw: true });
  }

  sub(a: Scalar, b: Scalar): Scalar {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return b === 0 ? a : this.#build.sub(this.value(a), this.value(b), { nsw: true });
  }

  mul(a: Scalar, b: Scalar): Scalar {
    if (typeof a === 'number' && typeof b === 'number') return a * b;
    if (a === 0 || b === 0) return 0;
    if (a === 1) return b;
    if (b === 1) return a;
    return this.#build.mul(this.value(a), this.value(b), { nsw: true });
  }
}
