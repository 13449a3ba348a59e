// Kernels that are the same code. In: kernels, each with its memory. Out: the functions made so far. Holds: kernels that share one differ
// in nothing that code is made of but the place of their memory. They are compared by keys, which are computed in linear time although
// expressions are shared, and only for kernels that are of the same size.

import { InternalError } from '../../src/base/index.js';
import type { ArenaPlan, Buffer, Kernel, Program } from '../../src/loop/index.js';
import type { FunctionHandle } from './llvm/index.js';
import type { Parts } from './parts.js';
import { type KernelPlan, memoryKey } from './plan.js';

/** The functions of one module's kernels: entries that compute the same thing, as a prediction and the step that trains it, share them. */
export class KernelFunctions {
  readonly #keys = new KernelKeys();
  readonly #bySize = new Map<string, { readonly key: () => string; readonly fn: FunctionHandle }[]>();
  /** Where large ones go; undefined: into the one module. */
  readonly parts: Parts | undefined;

  constructor(parts: Parts | undefined) {
    this.parts = parts;
  }

  /** The function of an equal kernel, or what `make` makes. `statements`: how many it emits. */
  of(kernel: Kernel, plan: KernelPlan, { arena, dims }: Program, statements: number, make: () => FunctionHandle): FunctionHandle {
    const size = `${statements} ${plan.memory.length} ${dims.length}`;
    let found = this.#bySize.get(size);
    if (found === undefined) this.#bySize.set(size, (found = []));
    let known: string | undefined;
    const key = (): string => (known ??= this.#keys.of(kernel, plan, arena, dims));
    const same = found.find((other) => other.key() === key());
    if (same !== undefined) return same.fn;
    const fn = make();
    found.push({ key, fn });
    return fn;
  }
}

/**
 * Numbers the distinct values that it is shown. Objects are compared by what they contain; a buffer by its memory's position among the
 * parameters, not by its name.
 */
class KernelKeys {
  readonly #numbers = new Map<string, number>();

  /** `dims`: names of the free sizes, which are parameters too. */
  of(kernel: Kernel, plan: KernelPlan, arena: ArenaPlan, dims: readonly string[]): string {
    const positions = new Map(plan.memory.map(({ key }, at) => [key, at]));
    const known = new Map<object, number>();
    const number = (text: string): number => {
      let found = this.#numbers.get(text);
      if (found === undefined) this.#numbers.set(text, (found = this.#numbers.size));
      return found;
    };
    const content = (value: object): string => {
      if (Array.isArray(value)) return `[${value.map(text).join()}]`;
      if (!isBuffer(value)) return fields(value);
      const { name: _, role: __, ...layout } = value;
      return `buffer ${positions.get(memoryKey(value, arena).key)}${fields(layout)}`;
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
          throw new InternalError('codegen', `a ${typeof value} in the kernel ${kernel.name}`);
      }
    };
    const memory = plan.memory.map(({ written, align }) => [written, align]);
    return text([dims, memory, kernel.body]);
  }
}

const isBuffer = (value: object): value is Buffer => 'role' in value && 'strides' in value;
