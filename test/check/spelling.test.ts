// Suggestions for unknown names. In: a word and others. Out: the nearest of them.

import { expect, test } from 'vitest';
import { nearest } from '../../src/base/index.js';
import { suggestion } from '../../src/check/spelling.js';

test('only what is near is suggested', () => {
  expect(nearest('wieghts', ['w', 'weight', 'weights', 'heights'])).toBe('weights');
  expect(nearest('Relu', ['relu'])).toBe('relu');
  expect(nearest('abc', ['xyz', 'a'])).toBeUndefined();
  expect(nearest('same', ['same'])).toBeUndefined();
  expect(suggestion('lr', ['le', 'learningRate'])).toBe('did you mean `le`?');
});
