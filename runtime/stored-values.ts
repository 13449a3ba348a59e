// Values of a file for a variable of another element type. In: a stored tensor, the type that is wanted. Out: elements of it, or that they
// do not become any. Holds: what is converted unasked has exactly the same values; floats are rounded (to nearest, ties to even) only where
// that is asked for; integers never become floats, nor the other way round.
import type { ElementType } from './abi/manifest.js';
import { type TypedArray, allocate, elements, isWide } from './element.js';
import type { SafetensorsFile, StoredTensor } from './safetensors.js';

/** Types that hold every value of another. */
const wider: Readonly<Record<ElementType, readonly ElementType[]>> = {
  f8e4m3: ['f16', 'bf16', 'f32', 'f64'],
  f8e5m2: ['f16', 'bf16', 'f32', 'f64'],
  f16: ['f32', 'f64'],
  bf16: ['f32', 'f64'],
  f32: ['f64'],
  f64: [],
  i8: ['i16', 'i32', 'i64'],
  i16: ['i32', 'i64'],
  i32: ['i64'],
  i64: [],
  u8: ['i16', 'i32', 'i64', 'u16', 'u32', 'u64'],
  u16: ['i32', 'i64', 'u32', 'u64'],
  u32: ['i64', 'u64'],
  u64: [],
  bool: [],
};

/** Whether a stored tensor can become one of `dtype`; `rounds`: also where that changes values. */
export function becomes({ dtype: stored }: StoredTensor, dtype: ElementType, rounds: boolean): boolean {
  if (stored === undefined) return false;
  if (stored === dtype || wider[stored].includes(dtype)) return true;
  return rounds && elements[stored].family === 'float' && elements[dtype].family === 'float';
}

/** The elements of a tensor that `becomes` one of `dtype`. @throws TfcError bad-data, out-of-memory. */
export function readAs(file: SafetensorsFile, name: string, dtype: ElementType): TypedArray {
  const { dtype: stored, data } = file.read(name);
  if (stored === dtype) return data;
  const into = allocate(dtype, data.length);
  if (isWide(into)) for (const [at, value] of data.entries()) into[at] = BigInt(value);
  else {
    const [decode, encode] = [decoderOf(stored), encoderOf(dtype)];
    for (let at = 0; at < data.length; at++) into[at] = encode(decode(Number(data[at])));
  }
  return into;
}

const same = (value: number): number => value;
const decoderOf = (dtype: ElementType): ((bits: number) => number) => elements[dtype].patterns?.toNumber ?? same;
const encoderOf = (dtype: ElementType): ((value: number) => number) => elements[dtype].patterns?.fromNumber ?? same;
