// How the memory lies that the compiler lays out itself: temporaries and variables. In: a dtype and a shape. Out: strides, and how much
// memory they take.
// Holds: both alone decide, so every entry of a module, and every artifact with the same variables, finds a variable the same way; what
// lies behind a row is nobody's.

import { bytesOf, Dim, type DType, roundUp, type Shape } from '../../base/index.js';
import { build, type Buffer, type BufferRole } from '../../kernel/index.js';
import { lineBytes, mostPadding } from '../../target/index.js';

export interface Laid {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * Elements from one row (along the last axis) to the next: rows start on cache lines, so vectors cross none, and threads share none.
 * Undefined where rows follow each other, as they do where whole lines take more than an eighth of the memory.
 */
export function pitchOf({ dtype, shape }: Laid): number | undefined {
  const last = shape.at(-1)?.constant;
  if (shape.length < 2 || last === undefined) return undefined;
  const perLine = lineBytes / bytesOf(dtype);
  const padded = roundUp(last, perLine);
  return padded === last || padded - last > last * mostPadding ? undefined : padded;
}

export function laidOut(name: string, type: Laid, role: BufferRole): Buffer {
  const pitch = pitchOf(type);
  const plain = build.buffer(name, type.dtype, type.shape, role);
  return pitch === undefined ? plain : { ...plain, strides: build.rowMajor([...type.shape.slice(0, -1), Dim.of(pitch)]) };
}

/** Bytes of a buffer with all its rows, and what lies behind them. */
export function bytesOfRows({ dtype, shape, strides }: Buffer): Dim {
  const [rows, stride] = [shape[0], strides[0]];
  return rows === undefined || stride === undefined ? Dim.of(bytesOf(dtype)) : rows.mul(stride).mul(bytesOf(dtype));
}
