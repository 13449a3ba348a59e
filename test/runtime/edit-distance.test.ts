// How far two names are apart. In: pairs of words. Out: their distance, either way.

import { expect, test } from 'vitest';
import { editDistance } from '../../runtime/edit-distance.js';

test.each([
  ['relu', 'relu', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['lsos', 'loss', 1],
  ['ab', 'ba', 1],
  // Swapped letters are not moved apart by others between them.
  ['ca', 'abc', 3],
  ['axes', 'axis', 1],
])('%s and %s are %i apart', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});
