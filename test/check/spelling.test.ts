// Suggestions for unknown names. In: pairs of words. Out: their distance; the nearest of several.

import { expect, test } from 'vitest';
import { editDistance, nearest, suggestion } from '../../src/check/spelling.js';

test.each([
  ['relu', 'relu', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['lsos', 'loss', 1],
  ['ab', 'ba', 1],
  ['axes', 'axis', 1],
])('%s and %s are %i apart', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});

test('only what is near is suggested', () => {
  expect(nearest('wieghts', ['w', 'weight', 'weights', 'heights'])).toBe('weights');
  expect(nearest('Relu', ['relu'])).toBe('relu');
  expect(nearest('abc', ['xyz', 'a'])).toBeUndefined();
  expect(nearest('same', ['same'])).toBeUndefined();
  expect(suggestion('lr', ['le', 'learningRate'])).toBe('did you mean `le`?');
});
