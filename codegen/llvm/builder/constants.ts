// Constants of a module. In: types and numbers. Out: constant handles. Holds: integers fit their type, floats are rounded to
// nearest even, aggregates have exactly the types of their elements.

import type { Addon, RawContext } from './addon.js';
import { fault, guarded } from './fault.js';
import type { ModuleBuilder } from './module.js';
import { raw, ref } from './raw.js';
import type { Operation, Tape } from './tape.js';
import type { LlvmType, Types } from './types.js';
import { LlvmConstant } from './values.js';

/** Element types of dense data and the typed arrays that carry them. */
export type DenseData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A double and its two halves: the tape's words are numbers of 32 bits. */
const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);

/** Makes constants; a `ModuleBuilder` is one. A vector type where a scalar type is expected gives a splat. */
export abstract class ConstantFactory {
  abstract readonly addon: Addon;
  abstract readonly types: Types;
  abstract readonly tape: Tape;
  abstract readonly rawContext: RawContext;
  protected abstract readonly self: ModuleBuilder;
  abstract alive(): void;
  abstract operand(value: LlvmConstant, what: string, role: string): void;

  readonly #integers = new Map<LlvmType, Map<number | bigint, LlvmConstant>>();

  bool(value: boolean): LlvmConstant {
    return this.int(this.types.i1, value ? 1 : 0);
  }

  i32(value: number): LlvmConstant {
    return this.int(this.types.i32, value);
  }

  i64(value: number | bigint): LlvmConstant {
    return this.int(this.types.i64, value);
  }

  f32(value: number): LlvmConstant {
    return this.float(this.types.f32, value);
  }

  f64(value: number): LlvmConstant {
    return this.float(this.types.f64, value);
  }

  /** An integer constant; `value` must fit the type, read as signed or as unsigned. */
  int(type: LlvmType, value: number | bigint): LlvmConstant {
    this.type(type, 'int');
    if (!type.isInt) fault(`int: ${type} is no integer type`);
    if (typeof value === 'number' && !Number.isSafeInteger(value)) fault(`int: ${value} is not an exact integer`);
    const bits = type.scalarBits;
    if (bits > 64) fault(`int: constants of ${type} are not supported`);
    // Powers of two are exact as numbers.
    if (value < -(2 ** (bits - 1)) || value >= 2 ** bits) fault(`int: ${value} does not fit ${type}`);
    const known = this.#integers.get(type) ?? new Map<number | bigint, LlvmConstant>();
    let made = known.get(value);
    if (made === undefined) {
      const wide = BigInt.asUintN(64, BigInt(value));
      known.set(value, (made = this.#made('integer', type, [Number(wide & 0xffffffffn), Number(wide >> 32n)])));
      this.#integers.set(type, known);
    }
    return made;
  }

  /** A floating-point constant, rounded to the type to nearest even; NaN and infinities are allowed. */
  float(type: LlvmType, value: number): LlvmConstant {
    this.type(type, 'float');
    if (!type.isFloat) fault(`float: ${type} is no floating-point type`);
    if (typeof value !== 'number') fault(`float: expected a number, got ${String(value)}`);
    number[0] = value;
    return this.#made('real', type, [...halves]);
  }

  /** All bits zero: 0, 0.0, null, or an aggregate of these. */
  zero(type: LlvmType): LlvmConstant {
    this.#sized(type, 'zero');
    return this.#made('zero', type, []);
  }

  /** All bits one; for an i1 vector the full mask. */
  allOnes(type: LlvmType): LlvmConstant {
    this.#sized(type, 'allOnes');
    if (!type.isInt) fault(`allOnes: ${type} is no integer type`);
    return this.#made('ones', type, []);
  }

  poison(type: LlvmType): LlvmConstant {
    this.#sized(type, 'poison');
    return this.#made('poison', type, []);
  }

  /** A vector of constants of one scalar type. */
  vectorOf(values: readonly LlvmConstant[]): LlvmConstant {
    const first = values[0] ?? fault('vectorOf: no elements');
    this.#elements(values, first.type, 'vectorOf');
    const type = this.types.vector(first.type, values.length);
    return new LlvmConstant(this.self, type, this.tape.make('vector', 0, [values.length, ...values.map((value) => value[ref])]));
  }

  arrayOf(element: LlvmType, values: readonly LlvmConstant[]): LlvmConstant {
    this.#elements(values, element, 'arrayOf');
    const type = this.types.array(element, values.length);
    return this.#made('array', type, [values.length, ...values.map((value) => value[ref])]);
  }

  /** A struct constant; field types must equal `type`'s. Pointers to functions, strings and globals become relocations. */
  structOf(type: LlvmType, values: readonly LlvmConstant[]): LlvmConstant {
    this.type(type, 'structOf');
    const shape = type.shape;
    if (shape.kind !== 'struct') return fault(`structOf: ${type} is no struct type`);
    if (shape.fields.length !== values.length) fault(`structOf: ${values.length} values for ${shape.fields.length} fields`);
    for (const [i, v] of values.entries()) {
      this.operand(v, 'structOf', `field ${i}`);
      if (!(v instanceof LlvmConstant)) fault(`structOf: field ${i} is no constant`);
      if (v.type !== shape.fields[i]) fault(`structOf: field ${i} is ${String(shape.fields[i])}, not ${v.type}`);
    }
    return this.#made('struct', type, [values.length, ...values.map((value) => value[ref])]);
  }

  /** A dense array `[n x element]` from a typed array whose elements are as wide as `element`. */
  dense(element: LlvmType, data: DenseData): LlvmConstant {
    this.type(element, 'dense');
    if (element.scalarBits !== data.BYTES_PER_ELEMENT * 8) fault(`dense: elements of ${data.BYTES_PER_ELEMENT} bytes for ${element}`);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const made = guarded('dense', () => this.addon.tfc.constData(element[raw], bytes));
    return new LlvmConstant(this.self, this.types.array(element, data.length), this.tape.given(made));
  }

  /** The bytes of `text` in UTF-8 with a closing zero: `[n+1 x i8]`. */
  cString(text: string): LlvmConstant {
    if (text.includes('\0')) fault('cString: the text contains a zero');
    return this.dense(this.types.i8, new TextEncoder().encode(`${text}\0`));
  }

  #made(operation: Operation, type: LlvmType, operands: readonly number[]): LlvmConstant {
    return new LlvmConstant(this.self, type, this.tape.make(operation, 0, [type[ref], ...operands]));
  }

  protected type(type: LlvmType, what: string): void {
    this.alive();
    if (type === undefined || type === null) fault(`${what}: the type is missing`);
    this.types.own(type);
  }

  #sized(type: LlvmType, what: string): void {
    this.type(type, what);
    if (!type.isFirstClass) fault(`${what}: there are no values of ${type}`);
  }

  #elements(values: readonly LlvmConstant[], element: LlvmType, what: string): void {
    for (const [i, v] of values.entries()) {
      this.operand(v, what, `element ${i}`);
      if (!(v instanceof LlvmConstant)) fault(`${what}: element ${i} is no constant`);
      if (v.type !== element) fault(`${what}: element ${i} is ${v.type}, not ${element}`);
    }
  }
}
