// Element types. In: their names as written in TDSL. Out: widths, families and ranges. Holds: one row per dtype, no other list of dtypes
// anywhere.

export type DType = 'f32' | 'f64' | 'f16' | 'bf16' | 'i32' | 'i64' | 'u8' | 'bool';

export type DTypeFamily = 'float' | 'integer' | 'bool';

export interface DTypeInfo {
  /** Bytes of one element in memory. */
  readonly bytes: number;
  readonly family: DTypeFamily;
  /** The number in the ABI and in artifacts; never reused. */
  readonly code: number;
  /** The least and the greatest value; i64 in bigints. */
  readonly bounds: readonly [low: number | bigint, high: number | bigint];
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  f32: { bytes: 4, family: 'float', code: 0, bounds: [-Infinity, Infinity] },
  f64: { bytes: 8, family: 'float', code: 1, bounds: [-Infinity, Infinity] },
  f16: { bytes: 2, family: 'float', code: 2, bounds: [-Infinity, Infinity] },
  bf16: { bytes: 2, family: 'float', code: 3, bounds: [-Infinity, Infinity] },
  i32: { bytes: 4, family: 'integer', code: 4, bounds: [-(2 ** 31), 2 ** 31 - 1] },
  i64: { bytes: 8, family: 'integer', code: 5, bounds: [-(2n ** 63n), 2n ** 63n - 1n] },
  u8: { bytes: 1, family: 'integer', code: 6, bounds: [0, 255] },
  bool: { bytes: 1, family: 'bool', code: 7, bounds: [0, 1] },
};

export const dtypeNames = Object.keys(dtypes) as readonly DType[];

/** The largest number of an integer dtype that f64 holds exactly; undefined for others, and for i64, which holds every size. */
export function largestOf(dtype: DType): number | undefined {
  const largest = dtypes[dtype].bounds[1];
  return isInteger(dtype) && typeof largest === 'number' ? largest : undefined;
}

export const isDType = (name: string): name is DType => Object.hasOwn(dtypes, name);
export const isFloat = (dtype: DType): boolean => dtypes[dtype].family === 'float';
export const isInteger = (dtype: DType): boolean => dtypes[dtype].family === 'integer';
export const bytesOf = (dtype: DType): number => dtypes[dtype].bytes;
