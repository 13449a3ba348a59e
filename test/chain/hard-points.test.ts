// Derivatives at hard points: corners, ties, poles, infinities, empty and single elements, branches that are not taken. In: the table of
// points. Out: slopes by both modes, first and second.

import { describe, expect, test } from 'vitest';
import { scalarTable } from '../../src/ops/index.js';
import { type Json, runEntry } from '../check/support.js';
import { type HardPoint, scalarPoints, tensorPoints } from './hard-points.js';

interface Slopes {
  readonly back: readonly number[];
  readonly along: readonly number[];
}

/** By reverse mode, and by forward mode along each element; for `order` 2 those of the sum of the first ones. */
function slopesOf({ of, before = '' }: HardPoint, at: readonly number[], order: 1 | 2): Slopes {
  const N = at.length;
  const text = `${before}
    fn value<N>(x: f64[N]) = ${of}
    fn first(x: f64[${N}]): f64[${N}] {
      let y = value(x)
      return grad(y, x)
    }
    export fn f(x: f64[${N}], v: f64[${N}]): (f64[${N}], f64) {
      let y = sum(${order === 1 ? 'value' : 'first'}(x))
      return (grad(y, x), jvp(y, x, v))
    }`;
  const runs = (N === 0 ? [0] : at).map(
    (_, along) => runEntry(text, 'f', { x: at, v: at.map((__, which) => (which === along ? 1 : 0)) })[0] as readonly [number[], number],
  );
  return { back: runs[0]?.[0] ?? [], along: N === 0 ? [] : runs.map(([, along]) => along) };
}

const isClose = (found: Json | undefined, wanted: number): boolean =>
  Object.is(found, wanted) || found === wanted || Math.abs(Number(found) - wanted) <= 1e-12 * Math.abs(wanted);

function differences(point: HardPoint, at: readonly number[], wanted: readonly number[], order: 1 | 2): string[] {
  const { back, along } = slopesOf(point, at, order);
  return Object.entries({ back, along }).flatMap(([mode, found]) =>
    found.length === wanted.length && wanted.every((one, which) => isClose(found[which], one))
      ? []
      : [`${point.of} at ${at.join(', ')}, order ${order}, ${mode}: ${found.join(', ')}, not ${wanted.join(', ')}`],
  );
}

describe('functions of scalars', () => {
  test.each(Object.keys(scalarPoints))('%s', (name) => {
    const found = (scalarPoints[name] ?? []).flatMap((point) =>
      point.at.flatMap((at, which) => [
        ...differences(point, [at], [point.slopes[which] ?? NaN], 1),
        ...(point.second === undefined ? [] : differences(point, [at], [point.second[which] ?? NaN], 2)),
      ]),
    );
    expect(found).toEqual([]);
  });

  test('leave out none that has slopes', () => {
    const sloped = Object.entries(scalarTable).flatMap(([name, { slopes }]) => (slopes === 'zero' ? [] : [name]));
    expect(sloped.filter((name) => scalarPoints[name] === undefined)).toEqual([]);
  });

  const named = Object.values(scalarTable).flatMap(({ builtin, arity, slopes }) =>
    builtin === undefined || arity !== 1 || slopes === 'zero' ? [] : [builtin],
  );
  test.each(named)('%s adds exactly nothing where it is not taken', (name) => {
    const at = [0, -0, 1, -1, 5, -5, Infinity, -Infinity, NaN, 5e-324];
    for (const of of [`where(x > 1 && x < 1, ${name}(x), 3 * x)`, `where(x == x && x != x, ${name}(1 / x), 3 * x)`]) {
      const point: HardPoint = { of, at, slopes: at.map(() => 3) };
      expect([
        ...differences(point, at, point.slopes, 1),
        ...differences(
          point,
          at,
          at.map(() => 0),
          2,
        ),
      ]).toEqual([]);
    }
  });
});

describe('functions of tensors', () => {
  test.each(Object.keys(tensorPoints))('%s', (name) => {
    const found = (tensorPoints[name] ?? []).flatMap((point) => [
      ...differences(point, point.at, point.slopes, 1),
      ...(point.second === undefined ? [] : differences(point, point.at, point.second, 2)),
    ]);
    expect(found).toEqual([]);
  });
});
