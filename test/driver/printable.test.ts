// Results that no line of JSON takes. In: programs whose sizes are known, or follow from feeds. Out: `tfc run` refuses before it computes.

import { describe, expect, it } from 'vitest';
import { jsonError, jsonLines, workplace } from './tfc.js';

const place = workplace();
place.file(
  'large.tdsl',
  `export fn known(): f32[40000, 40000] = ones()
export fn outer<N>(x: f32[N]): { all: f32[N, N], few: f32 } = { all: [i, j] => x[i] * x[j], few: sum(x) }
export fn any<...S>(x: f32[...S]): f32[40000, 40000] = full([40000, 40000], sum(x))
export fn rows<N>(x: f32[N]): f32[N, 2] = [i, j in 0..2] => x[i]
`,
);
const run = (...args: readonly string[]) => place.tfc('run', 'large.tdsl', ...args, '--json');

describe('tfc run', () => {
  it('refuses a result that is too large to print before it computes it', () => {
    const refused = { code: 'out-of-memory', message: 'the result of known is too long for a line of JSON' };
    expect(jsonError(run('known'))).toMatchObject(refused);
    const x = `x=${JSON.stringify(new Array(20_000).fill(1))}`;
    expect(jsonError(run('outer', '--feed', x))).toMatchObject({ ...refused, message: refused.message.replace('known', 'outer') });
    expect(jsonError(run('any', '--feed', 'x=[1, 2]'))).toMatchObject({ ...refused, message: refused.message.replace('known', 'any') });
    expect(jsonError(run('any')).code).toBe('missing-feed');
    expect(jsonLines(run('rows', '--feed', 'x=[1, 2]'))).toEqual([
      [
        [1, 1],
        [2, 2],
      ],
    ]);
    // What is wrong with feeds is said as ever.
    expect(jsonError(run('outer')).code).toBe('missing-feed');
  });
});
