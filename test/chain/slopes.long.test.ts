// A hundred thousand random programs: differentiated against differences; some of them through the whole chain; steps that train.

import { describe, expect, it } from 'vitest';
import { type Drawn, failuresOf } from './random/run.js';

const batch = 50;

const many = (from: number, training?: Drawn['training']): Drawn[] =>
  Array.from({ length: batch }, (_, at) => ({
    seed: from + at,
    count: 1 + ((from + at) % 6),
    ...(training === undefined ? {} : { training }),
  }));
const froms = (count: number, first: number): number[] => Array.from({ length: count / batch }, (_, at) => first + at * batch);

describe('random programs', () => {
  it.each(froms(5_000, 100_000))('agree along the whole chain, from %i', (from) => {
    expect(failuresOf(many(from), { native: true }, true)).toEqual([]);
  });

  it.each(
    (['f64', 'f32', 'mixed', 'f16', 'bf16'] as const).flatMap((training) => froms(1_000, 200_000).map((from) => [training, from] as const)),
  )('train in %s, from %i', (training, from) => expect(failuresOf(many(from, training), { native: true }, true)).toEqual([]));

  it.each(froms(90_000, 300_000))('have the slopes that differences find, from %i', (from) => {
    expect(failuresOf(many(from), { native: false, onlySlopes: true }, true)).toEqual([]);
  });
});
