// What callers feed, as typed data. In: numbers, nested arrays, typed arrays, tensors. Out: one typed array of the declared dtype and,
// where it is known, a shape.
// Holds: a typed array of the exact dtype is passed on without a copy; nothing is rounded but decimal numbers to their float type; integers
// are exact or refused.
import type { ElementType, Size } from './abi/manifest.js';
import { type TypedArray, allocate, elements, hasMemory, holds, isElementType, isWide, kindOf, lengthOf } from './element.js';
import { TfcError } from './error.js';
import { bigintToDouble } from './half.js';
import { evaluate, specToString } from './size.js';
import { shown, withArticle } from './shown.js';
import { type Tensor, requireShape } from './tensor.js';

/**
 * One element: strings are `NaN`, `Infinity`, `-Infinity` for floats and decimal digits for integers.
 * @example
 * ```ts
 * const values: readonly ScalarValue[] = [0.5, true, 'Infinity', 9007199254740993n];
 * ```
 */
export type ScalarValue = number | bigint | boolean | string;

/**
 * Numbers in as many arrays as there are axes.
 * @example
 * ```ts
 * const rows: NestedArray = [[1, 2, 3, 4], Float32Array.of(5, 6, 7, 8)];
 * session.run('predict', { x: rows });
 * ```
 */
export type NestedArray = readonly (ScalarValue | NestedArray | TypedArray)[];

/**
 * `data` row by row.
 * @example
 * ```ts
 * const rows: ShapedData = { data: new Float32Array(8), shape: [2, 4] };
 * session.run('predict', { x: rows });
 * ```
 */
export interface ShapedData {
  readonly data: TypedArray | readonly ScalarValue[];
  readonly shape: readonly number[];
  readonly dtype?: ElementType;
}

/**
 * A typed array alone is flat: its shape is found from the declaration when that leaves one unknown.
 * @example
 * ```ts
 * const feeds: Record<string, FeedValue> = { x: [[1, 2, 3, 4]], y: Int32Array.of(0), lr: 0.1 };
 * session.run('train', feeds);
 * ```
 */
export type FeedValue = ScalarValue | NestedArray | TypedArray | Tensor | ShapedData;

/**
 * An argument that is a record: a value per field.
 * @example
 * ```ts
 * const batch: FeedRecord = { x: [[1, 2]], y: [1] };
 * console.log(Object.keys(batch)); // the fields that the entry's argument `batch` has
 * ```
 */
export interface FeedRecord {
  readonly [field: string]: FeedValue | FeedRecord;
}

/** Who is being fed, for messages. */
export interface Target {
  readonly kind: 'feed' | 'variable';
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly Size[];
}

export interface Converted {
  readonly data: TypedArray;
  /** Undefined: flat. */
  readonly shape: readonly number[] | undefined;
}

/** @throws TfcError dtype-mismatch, shape-mismatch (data and shape disagree), bad-data (ragged, no number, out of range). */
export function convert(target: Target, value: unknown): Converted {
  if (isScalar(value)) {
    const data = allocate(target.dtype, 1);
    store(target, data, 0, value);
    return { data, shape: [] };
  }
  if (ArrayBuffer.isView(value)) return { data: exact(target, value), shape: undefined };
  if (Array.isArray(value)) return convertNested(target, value);
  if (typeof value === 'object' && value !== null && 'data' in value && 'shape' in value) return convertShaped(target, value);
  throw new TfcError('bad-data', `${describe(target)}: ${shown(value)} is no number, array or tensor.`, {
    ...origin(target),
    expected: expectation(target),
  });
}

export const describe = (target: Target): string => `${target.kind === 'feed' ? 'Feed' : 'Variable'} ${target.name}`;
export const expectation = (target: Target): string => specToString(target.dtype, target.shape);
export const origin = (target: Target): { readonly feed?: string; readonly variable?: string } =>
  target.kind === 'feed' ? { feed: target.name } : { variable: target.name };

const isScalar = (value: unknown): value is ScalarValue =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'string';

/**
 * An array as it stands; none of the caller's code runs. @throws TfcError dtype-mismatch, bad-data for an array without its memory and for
 * a bool that is neither 0 nor 1.
 */
export function exact(target: Target, value: ArrayBufferView): TypedArray {
  if (holds(target.dtype, value)) {
    if (!hasMemory(value)) {
      throw new TfcError('bad-data', `${describe(target)}: the array’s memory is gone.`, {
        ...origin(target),
        hint: 'It was transferred, to a worker perhaps, or its buffer was made smaller. Feed a copy, or make the array again.',
      });
    }
    if (target.dtype === 'bool') requireBits(target, value);
    return value;
  }
  const actual = kindOf(value) ?? 'DataView';
  const { array } = elements[target.dtype];
  throw new TfcError(
    'dtype-mismatch',
    `${describe(target)} is ${expectation(target)}, which takes ${withArticle(array)}, not ${withArticle(actual)}.`,
    {
      ...origin(target),
      expected: expectation(target),
      actual,
      hint: conversion(target.dtype),
    },
  );
}

/** How other elements become those of a type. Where an array holds bit patterns, numbers are given as such. */
const conversion = (dtype: ElementType): string =>
  elements[dtype].patterns === undefined
    ? `Convert it: ${elements[dtype].array}.from(…).`
    : `Give it as numbers, which are rounded: Array.from(…). ${elements[dtype].array} holds the bits of ${dtype}.`;

/** What NumPy calls a type of elements, if it has it. */
const numpyNames: Partial<Readonly<Record<ElementType, string>>> = {
  f16: 'float16',
  f32: 'float32',
  f64: 'float64',
  i8: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  u64: 'uint64',
  bool: 'bool',
};

function requireBits(target: Target, data: TypedArray): void {
  for (let at = 0, end = lengthOf(data); at < end; at += 1) {
    const element = data[at];
    if (element !== 0 && element !== 1)
      throw new TfcError('bad-data', `${describe(target)}: element ${at} is ${String(element)}, and a bool is 0 or 1.`, origin(target));
  }
}

/** Every property is read once: it may say something else the next time. */
function convertShaped(target: Target, value: { readonly data: unknown; readonly shape: unknown; readonly dtype?: unknown }): Converted {
  const { data: given, dtype } = value;
  const shape = requireShape(value.shape, `${describe(target)}: `);
  if (dtype !== undefined && dtype !== target.dtype) {
    if (!isElementType(dtype)) throw new TfcError('bad-data', `${describe(target)}: ${shown(dtype)} is no element type.`, origin(target));
    const actual = specToString(dtype, shape);
    const numpy = numpyNames[target.dtype];
    throw new TfcError('dtype-mismatch', `${describe(target)} is ${expectation(target)}, not ${actual}.`, {
      ...origin(target),
      expected: expectation(target),
      actual,
      hint: `${conversion(target.dtype)}${numpy === undefined ? '' : ` In NumPy: x.astype('${numpy}').`}`,
    });
  }
  const count = shape.reduce((total, size) => total * size, 1);
  const length = ArrayBuffer.isView(given) ? lengthOf(exact(target, given)) : Array.isArray(given) ? given.length : undefined;
  if (length === undefined)
    throw new TfcError('bad-data', `${describe(target)}: ${shown(given)} holds no elements.`, {
      ...origin(target),
      expected: expectation(target),
    });
  if (count !== length) {
    throw new TfcError(
      'shape-mismatch',
      `${describe(target)}: shape [${shape.join(', ')}] has ${count} elements, and the data has ${length}.`,
      {
        ...origin(target),
        expected: expectation(target),
      },
    );
  }
  if (!Array.isArray(given)) return { data: given as TypedArray, shape };
  const data = allocate(target.dtype, length);
  for (let at = 0; at < length; at += 1) store(target, data, at, given[at]);
  return { data, shape };
}

function convertNested(target: Target, value: readonly unknown[]): Converted {
  const shape = shapeOf(target, value);
  // An empty row hides the axes below it: they have the sizes that the declaration gives them.
  if (shape.at(-1) === 0) {
    for (let axis = shape.length; axis < target.shape.length; axis += 1) shape.push(evaluate(target.shape[axis] ?? 0, new Map()) ?? 0);
  }
  const data = allocate(
    target.dtype,
    shape.reduce((total, size) => total * size, 1),
  );
  let at = 0;
  const path: number[] = [];
  const place = (): string => (path.length === 0 ? '' : ` at [${path.join(', ')}]`);
  const fill = (level: unknown, axis: number): void => {
    const size = shape[axis];
    if (size === undefined) {
      if (isRow(level))
        throw new TfcError('bad-data', `${describe(target)}: an array${place()}, where others have a number.`, origin(target));
      store(target, data, at, level);
      at += 1;
      return;
    }
    if (!isRow(level))
      throw new TfcError(
        'bad-data',
        `${describe(target)}: ${shown(level)}${place()}, where others have an array of ${size}.`,
        origin(target),
      );
    if (level.length !== size) {
      throw new TfcError(
        'bad-data',
        `${describe(target)}: an array of ${level.length}${place()}, where others have ${size}: the rows are ragged.`,
        origin(target),
      );
    }
    for (let row = 0; row < size; row += 1) {
      path[axis] = row;
      path.length = axis + 1;
      fill(level[row], axis + 1);
    }
  };
  fill(value, 0);
  return { data, shape };
}

/** Of the first rows. Arrays that hold themselves have no end: it is looked a little further than the declaration goes. */
function shapeOf(target: Target, value: readonly unknown[]): number[] {
  const shape: number[] = [];
  const deepest = target.shape.length + 8;
  for (let level: unknown = value; isRow(level) && shape.length <= deepest; level = level[0]) {
    if (!Number.isSafeInteger(level.length))
      throw new TfcError('bad-data', `${describe(target)}: an array of ${shown(level.length)} elements.`, origin(target));
    shape.push(level.length);
    if (level.length === 0) break;
  }
  if (shape.length <= target.shape.length) return shape;
  const [expected, actual] = [
    expectation(target),
    shape.length > deepest ? `an array nested more than ${deepest} deep` : specToString(target.dtype, shape),
  ];
  throw new TfcError(
    'shape-mismatch',
    `${describe(target)} must be ${expected}, and ${actual} was ${target.kind === 'feed' ? 'fed' : 'given'}.`,
    { ...origin(target), expected, actual },
  );
}

const isRow = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);

function store(target: Target, data: TypedArray, at: number, value: unknown): void {
  if (isWide(data)) data[at] = toInteger(target, value);
  else data[at] = toNumber(target, value);
}

function toNumber(target: Target, value: unknown): number {
  const { dtype } = target;
  switch (elements[dtype].family) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrongKind(target, value);
      return value ? 1 : 0;
    case 'integer':
      return Number(toInteger(target, value));
    case 'float': {
      const given = value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value;
      const number = typeof given === 'bigint' ? (dtype === 'f64' ? Number(given) : bigintToDouble(given)) : given;
      if (typeof number !== 'number') throw wrongKind(target, value);
      return elements[dtype].patterns?.fromNumber(number) ?? number;
    }
  }
}

function toInteger(target: Target, value: unknown): bigint {
  let integer: bigint;
  if (typeof value === 'bigint') integer = value;
  else if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) integer = BigInt(value);
  else if (typeof value === 'number' && Number.isInteger(value)) {
    if (!Number.isSafeInteger(value)) {
      throw new TfcError('bad-data', `${describe(target)}: ${value} is beyond 2⁵³, where numbers are no longer exact.`, {
        ...origin(target),
        hint: 'Give it as a bigint or as a string of digits.',
      });
    }
    integer = BigInt(value);
  } else throw wrongKind(target, value);
  const [least, most] = elements[target.dtype].range ?? [0n, 0n];
  if (integer < least || integer > most) {
    throw new TfcError(
      'bad-data',
      `${describe(target)}: ${integer} is not between ${least} and ${most}, the range of ${target.dtype}.`,
      origin(target),
    );
  }
  return integer;
}

function wrongKind(target: Target, value: unknown): TfcError {
  const actual = shown(value);
  const text = `${describe(target)} is ${expectation(target)}, and ${actual} is no ${target.dtype}.`;
  // A number or boolean of another kind is a matter of dtypes; anything else is no data at all.
  const code = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? 'dtype-mismatch' : 'bad-data';
  return new TfcError(code, text, { ...origin(target), expected: expectation(target), actual });
}
