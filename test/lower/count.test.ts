// Counts of loops whose extents are no sizes: what they say is read, not guessed. In: statements as text. Out: FLOPs and elements.

import { describe, expect, it } from 'vitest';
import { parseProgram } from '../../src/kernel/index.js';
import { countStatements } from '../../src/lower/program/count.js';

/** FLOPs, then elements read and written of each buffer. */
function counted(body: string): Readonly<Record<string, string>> | undefined {
  const program = parseProgram(`program p
dims N
feed 0 x: f32[N]
output 0 y: f32[N]
output 1 z: f32[64]
kernel k "k" reads 0 writes 0 flops 0
{
${body}
}`);
  const count = countStatements(program.kernels[0]?.code.body ?? []);
  if (count === undefined) return undefined;
  const touched = count.touched.map(({ buffer, read, written }) => [buffer.name, `${read}, ${written}`] as const);
  return { flops: String(count.flops), ...Object.fromEntries(touched) };
}

const blocked = (blocks: string, part: string): string =>
  `parallel for p in 0..(N + 15) / 16 ${blocks} {
    vector for i in 0..min(16, N - p * 16) ${part} { y[p * 16 + i] = x[p * 16 + i] * f32(2) }
    z[p] = f32(1)
  }`;

describe('counts', () => {
  it('the points of an axis, however it is cut', () => {
    expect(counted(blocked('blocks N', 'part p'))).toEqual({ flops: 'N', x: 'N, 0', y: '0, N', z: '0, 64' });
    expect(counted(blocked('blocks N most 7', 'part p'))).toEqual({ flops: 'N', x: 'N, 0', y: '0, N', z: '0, 7' });
    // Whatever the extents look like.
    const odd = blocked('blocks N', 'part p').replace('(N + 15) / 16', 'N / 16 + 1').replace('min(16, N - p * 16)', 'max(0, N - p)');
    expect(counted(odd)).toEqual({ flops: 'N', x: 'N, 0', y: '0, N', z: '0, 64' });
  });

  it('one round, and all of an axis, where loops do not say how far they run', () => {
    expect(counted(blocked('', ''))).toEqual({ flops: '1', x: 'N, 0', y: '0, N', z: '0, 64' });
    expect(counted(blocked('blocks N', ''))).toEqual({ flops: '1', x: 'N, 0', y: '0, N', z: '0, 64' });
    expect(counted('for i in 0..min(64, N) { y[i] = x[i] + f32(1) }')).toEqual({ flops: '1', x: 'N, 0', y: '0, N' });
  });

  it('of a loop that says what all of it computes no more than that', () => {
    const tile = (flops: string): string =>
      `for p in 0..N / 16 ${flops} { for j in 0..min(16, N - p * 16) { y[p * 16 + j] = x[p * 16 + j] + f32(1) } }`;
    expect(counted(tile('flops 3*N'))).toEqual({ flops: '3*N', x: 'N, 0', y: '0, N' });
    expect(counted(`for n in 0..4 { ${tile('flops 3*N')} }`)).toMatchObject({ flops: '12*N' });
    expect(counted(`${tile('flops 3*N')}\nfor q in 0..N flops 0 { y[q] = y[q] + f32(1) }`)).toMatchObject({ flops: '3*N' });
  });

  it('nothing of a loop that the usual sizes leave out', () => {
    const copy = (when: string): string => `for i in 0..N ${when} { y[i] = x[i] * f32(2) }`;
    expect(counted(copy('when N >= 1000 flops 5*N'))).toEqual({ flops: '0' });
    expect(counted(copy('when not(N >= 1000)'))).toEqual({ flops: 'N', x: 'N, 0', y: '0, N' });
  });

  it('as many iterations as a loop says that there are at most', () => {
    expect(counted('for i in 0..min(64, N) most 64 { y[i] = x[i] + f32(1) }')).toEqual({ flops: '64', x: '64, 0', y: '0, 64' });
  });
});
