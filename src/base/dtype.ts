// Element types. In: their names as written in TDSL. Out: widths, families and ranges. Holds: one row per dtype, no other list of dtypes
// anywhere.

export type DType =
  'f32' | 'f64' | 'f16' | 'bf16' | 'f8e4m3' | 'f8e5m2' | 'i8' | 'i16' | 'i32' | 'i64' | 'u8' | 'u16' | 'u32' | 'u64' | 'bool';

/**
 * What floats are rounded to. `tf32` has the exponents of f32 and 11 significant bits, and no memory holds it: elements lie there as f32.
 * Ties go away from zero, as GPUs have it (`cvt.rna.tf32.f32`); f64 goes by way of f32, and what has fewer bits stays as it is.
 */
export type Precision = DType | 'tf32';

export type DTypeFamily = 'float' | 'integer' | 'bool';

export interface DTypeInfo {
  /** Bytes of one element in memory. */
  readonly bytes: number;
  readonly family: DTypeFamily;
  /** The number in the ABI and in artifacts; never reused. */
  readonly code: number;
  /** The least and the greatest value; of eight-byte integers in bigints. */
  readonly bounds: readonly [low: number | bigint, high: number | bigint];
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  f32: { bytes: 4, family: 'float', code: 0, bounds: [-Infinity, Infinity] },
  f64: { bytes: 8, family: 'float', code: 1, bounds: [-Infinity, Infinity] },
  f16: { bytes: 2, family: 'float', code: 2, bounds: [-Infinity, Infinity] },
  bf16: { bytes: 2, family: 'float', code: 3, bounds: [-Infinity, Infinity] },
  f8e4m3: { bytes: 1, family: 'float', code: 13, bounds: [-448, 448] },
  f8e5m2: { bytes: 1, family: 'float', code: 14, bounds: [-57344, 57344] },
  i8: { bytes: 1, family: 'integer', code: 8, bounds: [-128, 127] },
  i16: { bytes: 2, family: 'integer', code: 9, bounds: [-(2 ** 15), 2 ** 15 - 1] },
  i32: { bytes: 4, family: 'integer', code: 4, bounds: [-(2 ** 31), 2 ** 31 - 1] },
  i64: { bytes: 8, family: 'integer', code: 5, bounds: [-(2n ** 63n), 2n ** 63n - 1n] },
  u8: { bytes: 1, family: 'integer', code: 6, bounds: [0, 255] },
  u16: { bytes: 2, family: 'integer', code: 10, bounds: [0, 2 ** 16 - 1] },
  u32: { bytes: 4, family: 'integer', code: 11, bounds: [0, 2 ** 32 - 1] },
  u64: { bytes: 8, family: 'integer', code: 12, bounds: [0n, 2n ** 64n - 1n] },
  bool: { bytes: 1, family: 'bool', code: 7, bounds: [0, 1] },
};

export const dtypeNames = Object.keys(dtypes) as readonly DType[];

/** The largest number of an integer dtype that f64 holds exactly; undefined for others, and for eight-byte ones, which hold every size. */
export function largestOf(dtype: DType): number | undefined {
  const largest = dtypes[dtype].bounds[1];
  return isInteger(dtype) && typeof largest === 'number' ? largest : undefined;
}

export const isDType = (name: string): name is DType => Object.hasOwn(dtypes, name);
export const isFloat = (dtype: DType): boolean => dtypes[dtype].family === 'float';
export const isInteger = (dtype: DType): boolean => dtypes[dtype].family === 'integer';
/** Integers with negative numbers. */
export const isSigned = (dtype: DType): boolean => isInteger(dtype) && dtypes[dtype].bounds[0] < 0;
/** Integers that numbers do not hold exactly: their values are bigints. */
export const isWide = (dtype: DType): boolean => isInteger(dtype) && bytesOf(dtype) === 8;
/** Floats that are computed with as f32 and rounded after every operation. */
export const isNarrowFloat = (dtype: DType): boolean => isFloat(dtype) && bytesOf(dtype) < 4;
export const bytesOf = (dtype: DType): number => dtypes[dtype].bytes;
