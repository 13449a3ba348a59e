// What is decided about loops before code is made. In: kernels as text. Out: the same text, with what the pass wrote.

import { describe, expect, it } from 'vitest';
import { parseProgram, printProgram, verifyProgram } from '../../src/loop/index.js';
import { vectorize, vectorizer } from '../../src/lower/index.js';
import { avx2, avx512, sse } from '../targets.js';

const head = `program p
dims N
feed 0 x: f32[N]
feed 1 a: f32[64, 64]
feed 2 wide: f64[N]
feed 3 bytes: u8[N]
feed 4 half: f16[N]
output 0 y: f32[N]
output 1 z: f64[N]
output 2 b: f32[64, 64]
output 3 small: u8[N]
output 4 total: f32[]
`;

/** The lines of a kernel's body. */
function decided(body: string, target = avx512): string[] {
  const program = vectorize(parseProgram(`${head}kernel k "k" reads 0 writes 0 flops 0\n{\n${body}\n}`), target);
  verifyProgram(program, { expanded: true, vectorized: true });
  const text = printProgram(program);
  return text
    .slice(text.indexOf('{') + 1)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '}');
}

describe('lanes', () => {
  it.each([
    ['y[i] = x[i]', [sse, avx2, avx512], [4, 8, 16]],
    ['z[i] = wide[i]', [sse, avx2, avx512], [2, 4, 8]],
    ['small[i] = bytes[i]', [sse, avx2, avx512], [16, 32, 64]],
    // Indices are no data, and halves are computed as f32.
    ['small[i + 3 - 3] = bytes[i]', [avx512], [64]],
    ['y[i] = convert<f32>(half[i])', [avx512], [16]],
    ['small[i] = convert<u8>(x[i])', [avx512], [16]],
  ])('of %s', (body, targets, lanes) => {
    expect(targets.map((target) => decided(`vector for i in 0..N { ${body} }`, target)[0])).toEqual(
      lanes.map((count) => `vector ${count} for i in 0..N {`),
    );
  });

  it('of all loops over a tile are those of its widest data', () => {
    const tile = decided(`acc s: f32[16] = f32(0)
vector for i in 0..16 limit 16 { s[i] += x[i] }
vector for j in 0..16 limit 16 { z[j] = convert<f64>(s[j]) }
vector for k in 0..N { y[k] = x[k] }`);
    expect(tile.filter((line) => line.startsWith('vector'))).toEqual([
      'vector 8 for i in 0..16 limit 16 {',
      'vector 8 for j in 0..16 limit 16 {',
      'vector 16 for k in 0..N {',
    ]);
  });
});

it('decides once about code that kernels share', () => {
  const program = parseProgram(`program p
variable 0 v: f32[9]
variable 1 w: f32[9]
kernel k "k" reads 0 writes 0 flops 0
{ vector for i in 0..9 { v[i] = f32(1) } }
kernel l "l" reads 0 writes 0 flops 0
like k with w for v`);
  const of = vectorizer(avx512);
  const codes = [...of(program).kernels, ...of(program).kernels].map(({ code }) => code);
  expect(new Set(codes).size).toBe(1);
  // And the same when it is asked again.
  expect(printProgram(vectorize(of(program), avx512))).toBe(printProgram(of(program)));
});
