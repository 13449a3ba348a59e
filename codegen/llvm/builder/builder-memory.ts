// Memory: addresses, loads, stores, stack slots. In: pointers and values. Out: values. Holds: an access without an
// alignment assumes that of one scalar, never a whole vector's, because buffers handed in from outside are not aligned further.

import { IntrinsicBuilder } from './builder-intrinsics.js';
import { fault } from './fault.js';
import { ref } from './raw.js';
import type { Operation } from './tape.js';
import type { LlvmType } from './types.js';
import { LlvmValue } from './values.js';

export interface AccessOptions {
  /** In bytes, a power of two; default: the scalar's size. Aggregates must say it. */
  readonly align?: number;
  readonly volatile?: boolean;
  /** Past the caches: for data that is not read again soon. */
  readonly nontemporal?: boolean;
  /** Loads only: the memory never changes. */
  readonly invariant?: boolean;
}

export class MemoryBuilder extends IntrinsicBuilder {
  /**
   * Stack memory for `count` values of `type`, reserved once at the function's entry wherever the builder stands.
   * Returns a pointer.
   */
  alloca(type: LlvmType, options: { readonly count?: number; readonly align?: number; readonly name?: string } = {}): LlvmValue {
    this.open('alloca');
    this.checkType(type, 'alloca');
    const count = options.count ?? 1;
    if (!Number.isInteger(count) || count < 1) fault(`alloca: no ${String(count)} values`);
    const { fn } = this;
    const slot = this.made(this.types.ptr, 'slot', 0, [fn[ref], type[ref], count, options.align ?? 0]);
    return options.name === undefined ? slot : slot.named(options.name);
  }

  load(type: LlvmType, pointer: LlvmValue, options: AccessOptions = {}): LlvmValue {
    this.checkType(type, 'load');
    this.#pointer(pointer, 'load');
    const align = this.#align(type, options.align, 'load');
    return new LlvmValue(this.module, type, this.#access('load', options, [type[ref], pointer[ref], align]));
  }

  store(value: LlvmValue, pointer: LlvmValue, options: AccessOptions = {}): void {
    this.check(value, 'store', 'value');
    this.checkType(value.type, 'store');
    this.#pointer(pointer, 'store');
    const align = this.#align(value.type, options.align, 'store');
    this.#access('store', options, [value[ref], pointer[ref], align]);
  }

  /**
   * Lanes where `mask` is set are read, the others come from `passThrough` (default: poison) and touch no memory.
   * `type` is a vector, `mask` a vector of i1 with as many lanes.
   */
  maskedLoad(
    type: LlvmType,
    pointer: LlvmValue,
    mask: LlvmValue,
    options: AccessOptions & { readonly passThrough?: LlvmValue } = {},
  ): LlvmValue {
    this.checkType(type, 'maskedLoad');
    this.#pointer(pointer, 'maskedLoad');
    this.#mask(mask, type, 'maskedLoad');
    const rest = this.#passThrough(options.passThrough, type, 'maskedLoad');
    const align = this.#align(type, options.align, 'maskedLoad');
    return new LlvmValue(this.module, type, this.#access('maskedLoad', options, [type[ref], pointer[ref], align, mask[ref], rest[ref]]));
  }

  maskedStore(value: LlvmValue, pointer: LlvmValue, mask: LlvmValue, options: AccessOptions = {}): void {
    this.check(value, 'maskedStore', 'value');
    this.#pointer(pointer, 'maskedStore');
    this.#mask(mask, value.type, 'maskedStore');
    const align = this.#align(value.type, options.align, 'maskedStore');
    this.#access('maskedStore', options, [value[ref], pointer[ref], align, mask[ref]]);
  }

  /** One load per lane; `pointers` is a vector of pointers. */
  gather(
    type: LlvmType,
    pointers: LlvmValue,
    mask: LlvmValue,
    options: AccessOptions & { readonly passThrough?: LlvmValue } = {},
  ): LlvmValue {
    this.checkType(type, 'gather');
    this.#pointers(pointers, type, 'gather');
    this.#mask(mask, type, 'gather');
    const rest = this.#passThrough(options.passThrough, type, 'gather');
    const align = this.#align(type, options.align, 'gather');
    return new LlvmValue(this.module, type, this.#access('gather', options, [type[ref], pointers[ref], align, mask[ref], rest[ref]]));
  }

  /** One store per lane, in lane order. */
  scatter(value: LlvmValue, pointers: LlvmValue, mask: LlvmValue, options: AccessOptions = {}): void {
    this.check(value, 'scatter', 'value');
    this.#pointers(pointers, value.type, 'scatter');
    this.#mask(mask, value.type, 'scatter');
    const align = this.#align(value.type, options.align, 'scatter');
    this.#access('scatter', options, [value[ref], pointers[ref], align, mask[ref]]);
  }

  /**
   * The address of an element: `pointer` read as an array of `element`, the first index counts whole elements, the others go
   * inside. Numbers become i64 constants; a struct's field must be a number. `inbounds` (default true) promises that the address
   * stays within the object. With a vector among the operands the result is a vector of pointers.
   */
  gep(
    element: LlvmType,
    pointer: LlvmValue,
    indices: readonly (LlvmValue | number)[],
    options: { readonly inbounds?: boolean } = {},
  ): LlvmValue {
    this.checkType(element, 'gep');
    this.open('gep');
    this.check(pointer, 'gep', 'pointer');
    if (!pointer.type.isPointer) fault(`gep: ${pointer.type} is no pointer`);
    if (indices.length === 0) fault('gep: no indices');
    let inner = element;
    let lanes = pointer.type.lanes;
    const all: number[] = [];
    for (const [k, i] of indices.entries()) {
      const { shape } = inner;
      if (k > 0) {
        if (shape.kind === 'struct') {
          if (typeof i !== 'number') fault(`gep: field ${k} of ${inner} must be a number`);
          inner = shape.fields[i] ?? fault(`gep: ${inner} has no field ${i}`);
          all.push(this.module.i32(i)[ref]);
          continue;
        }
        if (shape.kind !== 'array' && shape.kind !== 'vector') return fault(`gep: nothing to index inside ${inner}`);
        inner = shape.element;
      }
      const index = this.index(i, 'gep');
      if (lanes > 0 && index.type.lanes > 0 && lanes !== index.type.lanes) fault('gep: vectors of different lanes');
      lanes = Math.max(lanes, index.type.lanes);
      all.push(index[ref]);
    }
    const type = this.types.widened(pointer.type.scalar, lanes);
    return this.made(type, 'gep', (options.inbounds ?? true) ? 1 : 0, [element[ref], pointer[ref], all.length, ...all]);
  }

  /** The address of field `index` of the struct at `pointer`. */
  structGep(type: LlvmType, pointer: LlvmValue, index: number): LlvmValue {
    this.checkType(type, 'structGep');
    this.#pointer(pointer, 'structGep');
    if (type.shape.kind !== 'struct') return fault(`structGep: ${type} is no struct`);
    if (type.shape.fields[index] === undefined) fault(`structGep: ${type} has no field ${index}`);
    return this.made(pointer.type, 'structGep', 0, [type[ref], pointer[ref], index]);
  }

  #pointer(pointer: LlvmValue, what: string): void {
    this.open(what);
    this.check(pointer, what, 'pointer');
    if (pointer.type.shape.kind !== 'ptr') fault(`${what}: ${pointer.type} is no pointer`);
  }

  #pointers(pointers: LlvmValue, type: LlvmType, what: string): void {
    this.open(what);
    this.check(pointers, what, 'pointers');
    if (!pointers.type.isPointer || pointers.type.lanes === 0 || pointers.type.lanes !== type.lanes)
      fault(`${what}: ${pointers.type} does not address the lanes of ${type}`);
  }

  #mask(mask: LlvmValue, type: LlvmType, what: string): void {
    this.check(mask, what, 'mask');
    if (!type.isVector) fault(`${what}: ${type} is no vector`);
    if (!mask.type.isBool || mask.type.lanes !== type.lanes) fault(`${what}: ${mask.type} does not mask ${type}`);
  }

  #passThrough(value: LlvmValue | undefined, type: LlvmType, what: string): LlvmValue {
    if (value === undefined) return this.module.poison(type);
    this.check(value, what, 'pass-through');
    if (value.type !== type) fault(`${what}: the pass-through is ${value.type}, not ${type}`);
    return value;
  }

  #align(type: LlvmType, align: number | undefined, what: string): number {
    if (align === undefined) {
      if (type.scalarBits === 0) fault(`${what}: say the alignment of ${type}`);
      const bytes = Math.max(1, Math.ceil(type.scalarBits / 8));
      return bytes & -bytes;
    }
    if (!Number.isInteger(align) || align < 1 || (align & (align - 1)) !== 0) fault(`${what}: ${String(align)} is no alignment`);
    return align;
  }

  #access(operation: Operation, options: AccessOptions, operands: readonly number[]): number {
    const flags = (options.volatile === true ? 1 : 0) | (options.nontemporal === true ? 2 : 0) | (options.invariant === true ? 4 : 0);
    return this.append(operation, flags, operands);
  }
}
