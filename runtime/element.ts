// Element types as JavaScript holds them. In: a dtype's name. Out: its typed array, width, code in the ABI and name in safetensors files.
// Holds: one row per dtype; floats of 16 and 8 bits are bit patterns in a Uint16Array or Uint8Array, bool is 0 or 1 in a Uint8Array. Where
// several dtypes lie in one kind of array, it stands for the integers.
import type { ElementType } from './abi/manifest.js';
import { TfcError } from './error.js';
import { patterns } from './half.js';

/**
 * The typed array that holds each type of elements.
 * @example
 * ```ts
 * const labels: ElementArrays['i32'] = Int32Array.of(0, 1, 2);
 * const halves: ElementArrays['f16'] = Uint16Array.of(0x3c00); // the bits of 1
 * ```
 */
export interface ElementArrays {
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly f16: Uint16Array;
  readonly bf16: Uint16Array;
  readonly f8e4m3: Uint8Array;
  readonly f8e5m2: Uint8Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly bool: Uint8Array;
}

/**
 * The typed arrays that hold elements.
 * @example
 * ```ts
 * const sum = (data: TypedArray): number => Array.from<number | bigint>(data).reduce<number>((all, one) => all + Number(one), 0);
 * ```
 */
export type TypedArray = ElementArrays[ElementType];

export interface Element {
  /** The number in the ABI (tfc.h). */
  readonly code: number;
  readonly bytes: number;
  readonly family: 'float' | 'integer' | 'bool';
  /** Name of the typed array's constructor, which also works for arrays of another realm. */
  readonly array: string;
  readonly safetensors: string;
  /** Smallest and largest value of an integer type. */
  readonly range?: readonly [least: bigint, most: bigint];
  /** Of floats that JavaScript has no arrays of: what their patterns mean. */
  readonly patterns?: { readonly toNumber: (bits: number) => number; readonly fromNumber: (value: number) => number };
  readonly view: (buffer: ArrayBufferLike, offset: number, length: number) => TypedArray;
}

export const elements: Readonly<Record<ElementType, Element>> = {
  f32: {
    code: 0,
    bytes: 4,
    family: 'float',
    array: 'Float32Array',
    safetensors: 'F32',
    view: (buffer, offset, length) => new Float32Array(buffer, offset, length),
  },
  f64: {
    code: 1,
    bytes: 8,
    family: 'float',
    array: 'Float64Array',
    safetensors: 'F64',
    view: (buffer, offset, length) => new Float64Array(buffer, offset, length),
  },
  f16: {
    code: 2,
    bytes: 2,
    family: 'float',
    array: 'Uint16Array',
    safetensors: 'F16',
    patterns: patterns.f16,
    view: (buffer, offset, length) => new Uint16Array(buffer, offset, length),
  },
  bf16: {
    code: 3,
    bytes: 2,
    family: 'float',
    array: 'Uint16Array',
    safetensors: 'BF16',
    patterns: patterns.bf16,
    view: (buffer, offset, length) => new Uint16Array(buffer, offset, length),
  },
  f8e4m3: {
    code: 13,
    bytes: 1,
    family: 'float',
    array: 'Uint8Array',
    safetensors: 'F8_E4M3',
    patterns: patterns.f8e4m3,
    view: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  },
  f8e5m2: {
    code: 14,
    bytes: 1,
    family: 'float',
    array: 'Uint8Array',
    safetensors: 'F8_E5M2',
    patterns: patterns.f8e5m2,
    view: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  },
  i8: {
    code: 8,
    bytes: 1,
    family: 'integer',
    array: 'Int8Array',
    safetensors: 'I8',
    range: [-128n, 127n],
    view: (buffer, offset, length) => new Int8Array(buffer, offset, length),
  },
  i16: {
    code: 9,
    bytes: 2,
    family: 'integer',
    array: 'Int16Array',
    safetensors: 'I16',
    range: [-(2n ** 15n), 2n ** 15n - 1n],
    view: (buffer, offset, length) => new Int16Array(buffer, offset, length),
  },
  i32: {
    code: 4,
    bytes: 4,
    family: 'integer',
    array: 'Int32Array',
    safetensors: 'I32',
    range: [-(2n ** 31n), 2n ** 31n - 1n],
    view: (buffer, offset, length) => new Int32Array(buffer, offset, length),
  },
  i64: {
    code: 5,
    bytes: 8,
    family: 'integer',
    array: 'BigInt64Array',
    safetensors: 'I64',
    range: [-(2n ** 63n), 2n ** 63n - 1n],
    view: (buffer, offset, length) => new BigInt64Array(buffer, offset, length),
  },
  u8: {
    code: 6,
    bytes: 1,
    family: 'integer',
    array: 'Uint8Array',
    safetensors: 'U8',
    range: [0n, 255n],
    view: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  },
  u16: {
    code: 10,
    bytes: 2,
    family: 'integer',
    array: 'Uint16Array',
    safetensors: 'U16',
    range: [0n, 2n ** 16n - 1n],
    view: (buffer, offset, length) => new Uint16Array(buffer, offset, length),
  },
  u32: {
    code: 11,
    bytes: 4,
    family: 'integer',
    array: 'Uint32Array',
    safetensors: 'U32',
    range: [0n, 2n ** 32n - 1n],
    view: (buffer, offset, length) => new Uint32Array(buffer, offset, length),
  },
  u64: {
    code: 12,
    bytes: 8,
    family: 'integer',
    array: 'BigUint64Array',
    safetensors: 'U64',
    range: [0n, 2n ** 64n - 1n],
    view: (buffer, offset, length) => new BigUint64Array(buffer, offset, length),
  },
  bool: {
    code: 7,
    bytes: 1,
    family: 'bool',
    array: 'Uint8Array',
    safetensors: 'BOOL',
    view: (buffer, offset, length) => new Uint8Array(buffer, offset, length),
  },
};

export const elementTypes = Object.keys(elements) as readonly ElementType[];

export const isElementType = (name: unknown): name is ElementType => typeof name === 'string' && Object.hasOwn(elements, name);

/** A new array whose contents are undefined when it is large: for results that are written in full. @throws TfcError out-of-memory. */
export function allocate(dtype: ElementType, length: number): TypedArray {
  const element = elements[dtype];
  const bytes = length * element.bytes;
  if (bytes < 4096) return element.view(new ArrayBuffer(bytes), 0, length);
  try {
    if (bytes > largestBuffer) return element.view(new ArrayBuffer(bytes), 0, length);
    const raw = Buffer.allocUnsafeSlow(bytes);
    return element.view(raw.buffer, raw.byteOffset, length);
  } catch (error) {
    throw noRoom(bytes, error);
  }
}

/** Node's own arrays have a bound of their own, whatever the engine takes. */
export const largestBuffer = 2 ** 31;

/** What an engine's refusal to make an array of this size means to a caller. */
export const noRoom = (bytes: number, cause: unknown, what = 'an array'): TfcError =>
  new TfcError('out-of-memory', `There is no memory for ${what} of ${bytes} bytes.`, { cause });

/** True for a typed array that holds `dtype` as it stands. */
export const holds = (dtype: ElementType, value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && kindOf(value) === elements[dtype].array;

// What the engine itself says of a typed array: a subclass, or a property of the array's own, says what it likes.
const shared = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getterOf = (name: keyof Uint8Array): (() => unknown) => Object.getOwnPropertyDescriptor(shared, name)?.get ?? (() => undefined);
const [kind, length, buffer, byteOffset] = [getterOf(Symbol.toStringTag), getterOf('length'), getterOf('buffer'), getterOf('byteOffset')];
const { keys } = Uint8Array.prototype;

/** `Float32Array`; undefined for what is no typed array. */
export const kindOf = (value: unknown): string | undefined => kind.call(value) as string | undefined;
export const lengthOf = (array: TypedArray): number => length.call(array) as number;
export const bufferOf = (array: TypedArray): ArrayBufferLike => buffer.call(array) as ArrayBufferLike;

/** `count` elements from `start` on, of an array that holds `dtype`. */
export const part = (dtype: ElementType, array: TypedArray, start: number, count: number): TypedArray => {
  const { bytes, view } = elements[dtype];
  return view(bufferOf(array), (byteOffset.call(array) as number) + start * bytes, count);
};

/** False when an array's memory was transferred, or has become shorter than where the array lies: then it counts no elements. */
export function hasMemory(array: TypedArray): boolean {
  if (lengthOf(array) > 0) return true;
  try {
    keys.call(array as Uint8Array);
    return true;
  } catch {
    return false;
  }
}

/** One element as JavaScript shows it: number, boolean, or bigint for an integer that a number does not hold exactly. */
export function elementValue(dtype: ElementType, data: TypedArray, at: number): number | bigint | boolean {
  const raw = data[at] ?? 0;
  if (typeof raw === 'bigint') return raw >= Number.MIN_SAFE_INTEGER && raw <= Number.MAX_SAFE_INTEGER ? Number(raw) : raw;
  if (dtype === 'bool') return raw !== 0;
  return elements[dtype].patterns?.toNumber(raw) ?? raw;
}

/** The dtype that a typed array alone stands for; undefined for what is no array of elements. */
export const heldBy = (data: unknown): ElementType | undefined =>
  elementTypes.find((dtype) => elements[dtype].patterns === undefined && dtype !== 'bool' && holds(dtype, data));

/** Whether the array's elements are bigints. */
export const isWide = (array: TypedArray): array is BigInt64Array | BigUint64Array =>
  array instanceof BigInt64Array || array instanceof BigUint64Array;
