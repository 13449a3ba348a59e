// What callers feed, as typed data. In: numbers, nested arrays, typed arrays, tensors. Out: one typed array of the declared dtype and, where it is known, a shape.
// Holds: a typed array of the exact dtype is passed on without a copy; nothing is rounded but decimal numbers to their float type; integers are exact or refused.
import type { ElementType, Size } from './abi/manifest.js';
import { type TypedArray, allocate, elements, holds } from './element.js';
import { TfcError } from './error.js';
import { numberToBf16, numberToF16 } from './half.js';
import { evaluate, specToString } from './size.js';
import type { Tensor } from './tensor.js';

/** One element: strings are `NaN`, `Infinity`, `-Infinity` for floats and decimal digits for integers. */
export type ScalarValue = number | bigint | boolean | string;

export type NestedArray = readonly (ScalarValue | NestedArray | TypedArray)[];

/** `data` row by row. */
export interface ShapedData {
  readonly data: TypedArray | readonly ScalarValue[];
  readonly shape: readonly number[];
  readonly dtype?: ElementType;
}

/** A typed array alone is flat: its shape is found from the declaration when that leaves one unknown. */
export type FeedValue = ScalarValue | NestedArray | TypedArray | Tensor | ShapedData;

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
  if (isShaped(value)) return convertShaped(target, value);
  throw new TfcError('bad-data', `${describe(target)}: ${value === null ? 'null' : typeof value} is no number, array or tensor.`, { ...origin(target), expected: expectation(target) });
}

export const describe = (target: Target): string => `${target.kind === 'feed' ? 'Feed' : 'Variable'} ${target.name}`;
export const expectation = (target: Target): string => specToString(target.dtype, target.shape);
export const origin = (target: Target): { readonly feed?: string; readonly variable?: string } => (target.kind === 'feed' ? { feed: target.name } : { variable: target.name });

const isScalar = (value: unknown): value is ScalarValue => typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'string';

const isShaped = (value: unknown): value is ShapedData =>
  typeof value === 'object' && value !== null && 'data' in value && 'shape' in value && Array.isArray(value.shape) && (ArrayBuffer.isView(value.data) || Array.isArray(value.data));

function exact(target: Target, value: ArrayBufferView): TypedArray {
  if (holds(target.dtype, value)) {
    if (target.dtype === 'bool') {
      const wrong = value.findIndex((element: number | bigint) => element !== 0 && element !== 1);
      if (wrong >= 0) throw new TfcError('bad-data', `${describe(target)}: element ${wrong} is ${String(value[wrong])}, and a bool is 0 or 1.`, origin(target));
    }
    return value;
  }
  const actual = (value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? 'DataView';
  throw new TfcError('dtype-mismatch', `${describe(target)} is ${expectation(target)}, which takes a ${elements[target.dtype].array}, not a ${actual}.`, {
    ...origin(target),
    expected: expectation(target),
    actual,
    hint: `Convert it: ${elements[target.dtype].array}.from(…).`,
  });
}

function convertShaped(target: Target, value: ShapedData): Converted {
  const { shape } = value;
  if (value.dtype !== undefined && value.dtype !== target.dtype) {
    const actual = specToString(value.dtype, shape);
    throw new TfcError('dtype-mismatch', `${describe(target)} is ${expectation(target)}, not ${actual}.`, { ...origin(target), expected: expectation(target), actual });
  }
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new TfcError('bad-data', `${describe(target)}: [${shape.join(', ')}] is no shape.`, origin(target));
  }
  let data: TypedArray;
  if (ArrayBuffer.isView(value.data)) data = exact(target, value.data);
  else {
    data = allocate(target.dtype, value.data.length);
    value.data.forEach((element, at) => store(target, data, at, element));
  }
  const count = shape.reduce((total, size) => total * size, 1);
  if (count !== data.length) {
    throw new TfcError('shape-mismatch', `${describe(target)}: shape [${shape.join(', ')}] has ${count} elements, and the data has ${data.length}.`, {
      ...origin(target),
      expected: expectation(target),
    });
  }
  return { data, shape };
}

function convertNested(target: Target, value: readonly unknown[]): Converted {
  const shape: number[] = [];
  for (let level: unknown = value; isRow(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  // An empty row hides the axes below it: they have the sizes that the declaration gives them.
  if (shape.at(-1) === 0) {
    for (let axis = shape.length; axis < target.shape.length; axis += 1) shape.push(evaluate(target.shape[axis] ?? 0, new Map()) ?? 0);
  }
  const data = allocate(
    target.dtype,
    shape.reduce((total, size) => total * size, 1),
  );
  let at = 0;
  const fill = (level: unknown, axis: number, path: readonly number[]): void => {
    const size = shape[axis];
    const place = path.length === 0 ? '' : ` at [${path.join(', ')}]`;
    if (size === undefined) {
      if (isRow(level)) throw new TfcError('bad-data', `${describe(target)}: an array${place}, where others have a number.`, origin(target));
      store(target, data, at, level);
      at += 1;
      return;
    }
    if (!isRow(level)) throw new TfcError('bad-data', `${describe(target)}: ${String(level)}${place}, where others have an array of ${size}.`, origin(target));
    if (level.length !== size) {
      throw new TfcError('bad-data', `${describe(target)}: an array of ${level.length}${place}, where others have ${size}: the rows are ragged.`, origin(target));
    }
    for (let row = 0; row < size; row += 1) fill(level[row], axis + 1, [...path, row]);
  };
  fill(value, 0, []);
  return { data, shape };
}

const isRow = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);

function store(target: Target, data: TypedArray, at: number, value: unknown): void {
  if (data instanceof BigInt64Array) data[at] = toInteger(target, value);
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
      const number = value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value;
      if (typeof number === 'bigint') return Number(number);
      if (typeof number !== 'number') throw wrongKind(target, value);
      return dtype === 'f16' ? numberToF16(number) : dtype === 'bf16' ? numberToBf16(number) : number;
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
    throw new TfcError('bad-data', `${describe(target)}: ${integer} is not between ${least} and ${most}, the range of ${target.dtype}.`, origin(target));
  }
  return integer;
}

function wrongKind(target: Target, value: unknown): TfcError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const text = `${describe(target)} is ${expectation(target)}, and ${shown} is no ${target.dtype}.`;
  // A number or boolean of another kind is a matter of dtypes; anything else is no data at all.
  const code = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? 'dtype-mismatch' : 'bad-data';
  return new TfcError(code, text, { ...origin(target), expected: expectation(target), actual: shown });
}
