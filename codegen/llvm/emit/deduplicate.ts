// Kernels that are the same code. In: the code of kernels. Out: the functions made so far. Holds: codes that share a function differ in
// nothing that it is made of. One object is one code; others are compared by keys, which are computed in linear time although expressions
// are shared, and only for codes that are of the same size.

import { InternalError } from '../../../src/base/index.js';
import type { Buffer, KernelCode, Program } from '../../../src/kernel/index.js';
import type { FunctionHandle } from '../builder/index.js';
import type { CodegenUnits } from './codegen-units.js';
import { type KernelPlan, planKernel } from '../../analysis/plan.js';

/** The functions of one module's kernels: entries that compute the same thing, as a prediction and the step that trains it, share them. */
export class KernelFunctions {
  readonly #keys = new KernelKeys();
  readonly #plans = new Map<KernelCode, KernelPlan>();
  readonly #known = new Map<KernelCode, Map<string, FunctionHandle>>();
  readonly #bySize = new Map<string, { readonly key: () => string; readonly fn: FunctionHandle }[]>();
  readonly #calls = new Map<KernelCode, number>();
  /** Where large ones go; undefined: into the one module. */
  readonly parts: CodegenUnits | undefined;

  constructor(programs: readonly Program[], parts: CodegenUnits | undefined) {
    this.parts = parts;
    for (const { kernels } of programs) for (const { code } of kernels) this.#calls.set(code, this.callsOf(code) + 1);
  }

  /** Kernels of all entries that have this very code. */
  callsOf(code: KernelCode): number {
    return this.#calls.get(code) ?? 0;
  }

  planOf(code: KernelCode): KernelPlan {
    let plan = this.#plans.get(code);
    if (plan === undefined) this.#plans.set(code, (plan = planKernel(code)));
    return plan;
  }

  /**
   * The function of equal code, or what `make` makes. `dims`: the free sizes, which are parameters too. `statements`: how many it emits.
   */
  of(code: KernelCode, dims: readonly string[], statements: number, make: () => FunctionHandle): FunctionHandle {
    let known = this.#known.get(code);
    if (known === undefined) this.#known.set(code, (known = new Map()));
    const sizes = dims.join();
    let fn = known.get(sizes);
    if (fn === undefined) known.set(sizes, (fn = this.#equal(code, dims, statements, make)));
    return fn;
  }

  #equal(code: KernelCode, dims: readonly string[], statements: number, make: () => FunctionHandle): FunctionHandle {
    const size = `${statements} ${code.params.length} ${dims.length}`;
    let found = this.#bySize.get(size);
    if (found === undefined) this.#bySize.set(size, (found = []));
    let own: string | undefined;
    const key = (): string => (own ??= this.#keys.of(code, dims));
    const same = found.find((other) => other.key() === key());
    if (same !== undefined) return same.fn;
    const fn = make();
    found.push({ key, fn });
    return fn;
  }
}

/**
 * Numbers the distinct values that it is shown. Objects are compared by what they contain; a buffer by its position among the parameters,
 * not by its name.
 */
class KernelKeys {
  readonly #numbers = new Map<string, number>();

  of({ params, body }: KernelCode, dims: readonly string[]): string {
    const positions = new Map(params.map(({ name }, at) => [name, at]));
    const known = new Map<object, number>();
    const number = (text: string): number => {
      let found = this.#numbers.get(text);
      if (found === undefined) this.#numbers.set(text, (found = this.#numbers.size));
      return found;
    };
    const content = (value: object): string => {
      if (Array.isArray(value)) return `[${value.map(text).join()}]`;
      if (!isBuffer(value)) return fields(value);
      const { name, role, ...layout } = value;
      return `buffer ${positions.get(name)} ${role.kind}${fields(layout)}`;
    };
    const fields = (value: object): string => {
      let all = '{';
      for (const name in value) all += `${name}:${text(value[name as keyof typeof value])},`;
      return all;
    };
    const text = (value: unknown): string => {
      switch (typeof value) {
        case 'object': {
          if (value === null) return 'null';
          let found = known.get(value);
          if (found === undefined) known.set(value, (found = number(content(value))));
          return `#${found}`;
        }
        case 'string':
          return JSON.stringify(value);
        case 'number':
          return Object.is(value, -0) ? '-0' : `${value}`;
        case 'bigint':
          return `${value}n`;
        case 'boolean':
        case 'undefined':
          return `${value}`;
        case 'symbol':
        case 'function':
          throw new InternalError('codegen', `a ${typeof value} in a kernel`);
      }
    };
    return text([dims, body]);
  }
}

const isBuffer = (value: object): value is Buffer => 'role' in value && 'strides' in value;
