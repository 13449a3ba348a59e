// IDX files as data sets. In: a directory with MNIST's images and labels, or one file. Out: columns in memory. Holds: images for the feed
// of floats are from 0 to 1, labels for the feed of whole numbers are as they stand.

import type { TensorSpec } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';
import { onlyFeed } from './array-dataset.js';
import { takesWhole } from './bind.js';
import { type Dataset, inMemory } from './dataset.js';
import { type Numbers, toElements } from './elements.js';
import { requireRowShape, shapeFor } from './feed-shape.js';
import { readDigits, readIdx } from './idx.js';
import { type Column, countOf } from './table.js';

/** Images for the feed of floats, labels for the feed of integers. */
export function digitDirectory(path: string, feeds: readonly TensorSpec[]): Dataset {
  const { images, labels, count, pixels } = readDigits(path);
  if (feeds.filter(takesWhole).length > 1 || feeds.filter((feed) => !takesWhole(feed)).length > 1) {
    throw badData(
      `${path}: images and labels do not say which feed they are (${feeds.map((feed) => feed.name).join(', ')})`,
      'Take one argument of floats for the images, and one of i32 for the labels.',
    );
  }
  return inMemory(
    feeds.map((feed) =>
      takesWhole(feed) ? columnOf(path, feed, labels, count, []) : columnOf(path, feed, images, count, shapeFor(feed, pixels)),
    ),
    path,
  );
}

/** One file, for the only feed: bytes, from 0 to 1 for a feed of floats. */
export function idxFile(path: string, feeds: readonly TensorSpec[]): Dataset {
  const feed = onlyFeed(path, feeds);
  const { data, shape } = readIdx(path);
  const [rows = 0, ...own] = shape;
  const length = countOf(own);
  const isFloat = !takesWhole(feed) && feed.dtype !== 'bool';
  // Rows of one number and rows of many are told apart by the feed alone.
  const rowShape = own.length === feed.shape.length - 1 ? own : shapeFor(feed, length);
  return inMemory([columnOf(path, feed, isFloat ? Float64Array.from(data, (byte) => byte / 255) : data, rows, rowShape)], path);
}

function columnOf(path: string, feed: TensorSpec, numbers: Numbers, rows: number, rowShape: readonly number[]): Column {
  requireRowShape(path, feed, rowShape);
  const length = countOf(rowShape);
  return {
    name: feed.name,
    data: toElements(numbers, feed, (at) => `${path}: row ${Math.floor(at / length)}`),
    rows,
    rowShape,
    dtype: feed.dtype,
  };
}
