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
}

export const dtypes: Readonly<Record<DType, DTypeInfo>> = {
  f32: { bytes: 4, family: 'float', code: 0 },
  f64: { bytes: 8, family: 'float', code: 1 },
  f16: { bytes: 2, family: 'float', code: 2 },
  bf16: { bytes: 2, family: 'float', code: 3 },
  i32: { bytes: 4, family: 'integer', code: 4 },
  i64: { bytes: 8, family: 'integer', code: 5 },
  u8: { bytes: 1, family: 'integer', code: 6 },
  bool: { bytes: 1, family: 'bool', code: 7 },
};

export const dtypeNames = Object.keys(dtypes) as readonly DType[];

/** The largest number of an integer dtype that f64 holds exactly; undefined for others, and for i64, which holds every size. */
export const largestOf = (dtype: DType): number | undefined => (dtype === 'i32' ? 2 ** 31 - 1 : dtype === 'u8' ? 255 : undefined);

export const isDType = (name: string): name is DType => Object.hasOwn(dtypes, name);
export const isFloat = (dtype: DType): boolean => dtypes[dtype].family === 'float';
export const isInteger = (dtype: DType): boolean => dtypes[dtype].family === 'integer';
export const bytesOf = (dtype: DType): number => dtypes[dtype].bytes;
