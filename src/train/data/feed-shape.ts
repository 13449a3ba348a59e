// Rows of data beside the rows that a feed takes. In: a feed, the shape or length of a row. Out: the shape that the row is fed with, or
// shape-mismatch.

import type { TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError } from '../../base/index.js';
import { countOf } from './table.js';

/** The feed's own row shape when `length` numbers fill it: files of images and tables do not know it. */
export function shapeFor(feed: TensorSpec, length: number): readonly number[] {
  const own = feed.shape.slice(1);
  return own.every((size) => typeof size === 'number') && countOf(own) === length ? own : [length];
}

/** Errors: shape-mismatch when rows are not what the feed takes. */
export function requireRowShape(path: string, feed: TensorSpec, rowShape: readonly number[]): void {
  const own = feed.shape.slice(1);
  const fits = own.length === rowShape.length && own.every((size, axis) => typeof size !== 'number' || size === rowShape[axis]);
  if (fits) return;
  const wanted = own.map((size) => (typeof size === 'number' ? String(size) : '?')).join(', ');
  throw new DiagnosticsError([
    { code: 'shape-mismatch', message: `${path}: rows of ${feed.name} are [${rowShape.join(', ')}], and the program takes [${wanted}]` },
  ]);
}
