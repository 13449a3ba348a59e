// Values to feed, good and bad. In: a description. Out: the value, what it holds now, and whether it has to be taken. Holds: the same
// description makes the same value.

import { type ElementType, type FeedValue, tensor, type TypedArray, zeros } from '../../runtime/index.js';
import { Random } from './random.js';
import type { Plain } from './runtime-model.js';

const good = ['typed', 'tensor', 'shaped', 'nested', 'offset', 'zeros'] as const;
/** May be taken, and then mean what they say. */
const doubtful = ['shared', 'resizable', 'tracking', 'proxy', 'getter', 'result', 'fraction', 'inherited'] as const;
const bad = [
  'detached',
  'null',
  'undefined',
  'word',
  'object',
  'cyclic',
  'deep',
  'wrong',
  'view',
  'revoked',
  'huge',
  'ragged',
  'holes',
  'function',
  'symbol',
  'date',
  'negative',
] as const;

export const feedKinds = [...good, ...good, ...good, ...doubtful, ...bad] as const;
export type FeedKind = (typeof feedKinds)[number];

export interface FeedSpec {
  readonly as: FeedKind;
  readonly shape: readonly number[];
  readonly seed: number;
}

export interface Fed {
  readonly value: FeedValue;
  /** What it holds; undefined: nothing that could be taken. */
  now(): Plain | undefined;
  /** Whether refusing it is wrong. */
  readonly valid: boolean;
  /** The memory behind it. */
  readonly buffer: ArrayBufferLike | undefined;
}

const arrays = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f8e4m3: Uint8Array,
  f8e5m2: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  bool: Uint8Array,
} as const;

function elementsOf(dtype: ElementType, count: number, seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () =>
    dtype === 'bool' ? random.int(2) : dtype.startsWith('u') ? random.int(256) : random.int(19) - 9,
  );
}

const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function over(dtype: ElementType, buffer: ArrayBufferLike, offset: number, length: number | undefined): TypedArray {
  // Lengths that follow their buffer are left out.
  const Maker = arrays[dtype] as new (buffer: ArrayBufferLike, offset: number, length?: number) => TypedArray;
  return length === undefined ? new Maker(buffer, offset) : new Maker(buffer, offset, length);
}

function nested(dtype: ElementType, data: readonly number[], shape: readonly number[]): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return dtype === 'bool' ? data[0] === 1 : data[0];
  const stride = countOf(rest);
  return Array.from({ length: size }, (_, at) => nested(dtype, data.slice(at * stride, (at + 1) * stride), rest));
}

const readNow = (array: TypedArray, shape: readonly number[]): Plain | undefined =>
  array.length === countOf(shape)
    ? { shape, data: array.length === 0 ? [] : Array.from<number | bigint, number>(array as Iterable<number | bigint>, Number) }
    : undefined;

/** `last`: a result of the session, to be fed again. */
export function fed({ as, shape, seed }: FeedSpec, dtype: ElementType, rank: number, last: unknown): Fed {
  const count = countOf(shape);
  const data = elementsOf(dtype, count, seed);
  const width = arrays[dtype].BYTES_PER_ELEMENT;
  const fill = (array: TypedArray): TypedArray => {
    data.forEach((one, at) => (array[at] = dtype === 'i64' || dtype === 'u64' ? BigInt(one) : one));
    return array;
  };
  const plain = { shape, data };
  const owned = (array: TypedArray, value: unknown, valid: boolean): Fed => ({
    value: value as FeedValue,
    now: () => readNow(array, shape),
    valid,
    buffer: array.buffer,
  });
  const given = (value: unknown, valid = false, held: Plain | undefined = undefined): Fed => ({
    value: value as FeedValue,
    now: () => held,
    valid,
    buffer: undefined,
  });
  // An empty row hides the axes below it; what they are is for the entry to say.
  const empty = (): Fed => given({ data: [], shape }, true, plain);
  switch (as) {
    case 'typed': {
      // A flat array does not say two sizes; one with one element is a scalar where that is what is asked for.
      const array = fill(over(dtype, new ArrayBuffer(count * width), 0, count));
      return {
        value: array,
        now: () => readNow(array, rank === 0 && count === 1 ? [] : shape),
        valid: rank === 1 && shape.length === 1,
        buffer: array.buffer,
      };
    }
    case 'tensor': {
      const array = fill(over(dtype, new ArrayBuffer(count * width), 0, count));
      return owned(array, tensor(array, shape, dtype), true);
    }
    case 'shaped': {
      const array = fill(over(dtype, new ArrayBuffer(count * width), 0, count));
      return owned(array, { data: array, shape }, true);
    }
    case 'zeros': {
      const made = zeros([...shape], dtype);
      return owned(fill(made.data), made, true);
    }
    case 'offset': {
      const array = fill(over(dtype, new ArrayBuffer((count + 3) * width), width, count));
      return owned(array, tensor(array, shape, dtype), true);
    }
    case 'nested':
      return count === 0 ? empty() : given(nested(dtype, data, shape), true, plain);
    case 'shared': {
      const array = fill(over(dtype, new SharedArrayBuffer(count * width), 0, count));
      return owned(array, { data: array, shape }, false);
    }
    case 'resizable':
    case 'tracking': {
      // Newer than the types of the library that Node 20 has.
      const Buffers = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
      const array = fill(
        over(dtype, new Buffers(count * width, { maxByteLength: 2 * count * width + 64 }), 0, as === 'tracking' ? undefined : count),
      );
      return owned(array, { data: array, shape }, false);
    }
    case 'proxy': {
      const array = nested(dtype, data, shape);
      return count === 0 ? empty() : given(typeof array === 'object' && array !== null ? new Proxy(array, {}) : array, false, plain);
    }
    case 'getter': {
      const array = fill(over(dtype, new ArrayBuffer(count * width), 0, count));
      return owned(
        array,
        {
          get data() {
            return array;
          },
          get shape() {
            return [...shape];
          },
        },
        false,
      );
    }
    case 'inherited': {
      const array = fill(over(dtype, new ArrayBuffer(count * width), 0, count));
      return owned(array, Object.create({ data: array, shape }), false);
    }
    case 'result': {
      const { shape: own, data: held } = (last ?? {}) as { readonly shape?: readonly number[]; readonly data?: TypedArray };
      if (own === undefined || held === undefined)
        return given(last, false, typeof last === 'number' ? { shape: [], data: [last] } : undefined);
      return { value: last as FeedValue, now: () => readNow(held, own), valid: false, buffer: held.buffer };
    }
    case 'fraction':
      return given(0.5, false, dtype === 'f32' || dtype === 'f64' ? { shape: [], data: [0.5] } : undefined);
    case 'detached': {
      const array = fill(over(dtype, new ArrayBuffer((count + 1) * width), 0, count));
      const value = tensor(array, shape, dtype);
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return given(value);
    }
    case 'cyclic': {
      const array: unknown[] = [];
      array.push(array);
      return given(array);
    }
    case 'deep': {
      let array: unknown = 1;
      for (let depth = 0; depth < 100_000; depth++) array = [array];
      return given(array);
    }
    case 'revoked': {
      const { proxy, revoke } = Proxy.revocable([1], {});
      revoke();
      return given(proxy);
    }
    case 'wrong':
      return given(dtype === 'f64' ? new Float32Array(count) : new Float64Array(count));
    case 'view':
      return given(new DataView(new ArrayBuffer(count * width)));
    case 'huge':
      return given({ data: new arrays[dtype](0), shape: [2 ** 31, 2 ** 31, ...shape] });
    case 'negative':
      return given({ data: new arrays[dtype](count), shape: [-1, -count] });
    case 'ragged':
      return given([[1, 2], [3]]);
    case 'holes':
      return given(new Array(3));
    case 'null':
      return given(null);
    case 'undefined':
      return given(undefined);
    case 'word':
      return given('seven');
    case 'object':
      return given({ data: 'x', shape: [1] });
    case 'function':
      return given(() => 1);
    case 'symbol':
      return given(Symbol('s'));
    case 'date':
      return given(new Date(0));
  }
}
