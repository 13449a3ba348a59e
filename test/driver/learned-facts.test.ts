// Facts that functions declare, when a program runs. In: entries that call such functions with sizes of their own. Out: results for sizes
// that fulfil the facts; `unsatisfied-fact` with the line of the call for others, also where a fact is about half a size.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileSync, TfcError } from '../../src/driver/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const text = `fn halves<D>(x: f64[D]): f64[D / 2] where D % 2 == 0 {
  let first = x[: D / 2]
  return first + x[D / 2 :]
}
fn both<A, B>(x: f64[A], y: f64[B]): f64[A] where A == B = x + y

export fn joined<N, M>(x: f64[N], y: f64[M]): { sum: f64, slope: f64[N] } {
  let sum = sum(square(halves(concat([x, y], axis: 0))))
  return { sum, slope: grad(sum, x) }
}
export fn quarters<N>(x: f64[N]) = halves(halves(x))
export fn added<N, M>(x: f64[N], y: f64[M]) = both(x, y)
export fn third<D>(x: f64[D]): f64 where D % 2 == 0 = x[: D / 2][2]
`;

it('facts of callees hold in every call that comes through', () => {
  const session = compileSync(join(place.directory, place.file('learned.tdsl', text))).session();
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, one: unknown) => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array) : one)));
  const of = (count: number): Float64Array => Float64Array.from({ length: count }, (_, at) => at + 1);
  const failure = (entry: string, feeds: object): unknown => {
    try {
      return session.run(entry, feeds as never);
    } catch (error) {
      if (error instanceof TfcError) return { code: error.code, message: error.message };
      throw error;
    }
  };
  // 1 2 3 | 1 2 3 4 5 → (1 + 2), (2 + 3), (3 + 4), (1 + 5).
  expect(plain(session.run('joined', { x: of(3), y: of(5) }))).toMatchObject({ sum: 9 + 25 + 49 + 36 });
  expect(plain(session.run('quarters', { x: of(8) }))).toMatchObject({ data: [1 + 3 + 5 + 7, 2 + 4 + 6 + 8] });
  expect(plain(session.run('added', { x: of(2), y: of(2) }))).toMatchObject({ data: [2, 4] });
  expect(session.run('third', { x: of(6) })).toBe(3);
  expect(failure('joined', { x: of(3), y: of(4) })).toMatchObject({ code: 'unsatisfied-fact', message: expect.stringContaining(':8') });
  expect(failure('quarters', { x: of(6) })).toMatchObject({ code: 'unsatisfied-fact', message: expect.stringContaining('N % 4 == 0') });
  expect(failure('added', { x: of(2), y: of(3) })).toMatchObject({ code: 'unsatisfied-fact' });
  expect(failure('third', { x: of(4) })).toMatchObject({ code: 'unsatisfied-fact' });
  session.close();
});
