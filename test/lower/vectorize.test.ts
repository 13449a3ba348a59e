// What is decided about loops before code is made. In: kernels as text. Out: the same text, with what the pass wrote.

import { describe, expect, it } from 'vitest';
import { parseProgram, printProgram, verifyProgram } from '../../src/kernel/index.js';
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

/** The lines of a kernel's body, without what loops load ahead. */
const decided = (body: string, target = avx512): string[] =>
  decidedInFull(body, target).map((line) => line.replace(/ ahead \d+ of [^{]*/, ' '));

function decidedInFull(body: string, target = avx512): string[] {
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

describe('partial results', () => {
  const partials = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('partial'));

  it('are kept by the outermost loop that only adds to them', () => {
    const rows = 'for r in 0..N { vector for i in 0..N { s += x[i] } }';
    expect(decided(`acc s: f32 = f32(0)\n${rows}\ntotal[] = s`).slice(1, 3)).toEqual([
      'for r in 0..N partial s += 4 of 16 {',
      'vector 16 interleave 4 for i in 0..N {',
    ]);
    const read = rows.replace('+= x[i] }', '+= x[i] } y[r] = s');
    expect(decided(`acc s: f32 = f32(0)\n${read}`).slice(1, 3)).toEqual([
      'for r in 0..N {',
      'vector 16 interleave 4 for i in 0..N partial s += 4 of 16 {',
    ]);
  });

  it.each([
    ['f32', 4],
    ['f32[2]', 4],
    ['f32[3]', 2],
    ['f32[5]', 1],
  ])('of %s have %i chains', (type, chains) => {
    const at = type === 'f32' ? 's' : 's[0]';
    expect(partials(decided(`acc s: ${type} = f32(0)\nvector for i in 0..N { ${at} += x[i] }`))).toEqual([
      `vector 16${chains > 1 ? ` interleave ${chains}` : ''} for i in 0..N partial s += ${chains} of 16 {`,
    ]);
  });

  it('have one chain where there is little to add, or much to do', () => {
    expect(partials(decided('acc s: f32 = f32(0)\nvector for i in 0..100 { s += x[i] }'))).toEqual([
      'vector 16 for i in 0..100 partial s += 1 of 16 {',
    ]);
    const much = Array.from({ length: 13 }, () => 'sqrt(').join('');
    expect(partials(decided(`acc s: f32 = f32(0)\nvector for i in 0..N { s += ${much}x[i]${')'.repeat(13)} }`))).toEqual([
      'vector 16 for i in 0..N partial s += 1 of 16 {',
    ]);
  });
});

describe('loops', () => {
  const chain = (steps: number): string => `${'sqrt('.repeat(steps)}x[i]${')'.repeat(steps)}`;

  it.each([
    [23, 'vector 16 for i in 0..N {'],
    [24, 'vector 16 interleave 4 jam for i in 0..N {'],
    [160, 'vector 16 interleave 4 jam for i in 0..N {'],
    [161, 'vector 16 for i in 0..N {'],
  ])('of %i operations in a row', (steps, head) => {
    expect(decided(`vector for i in 0..N { y[i] = ${chain(steps)} }`)[0]).toBe(head);
  });

  it.each([
    [79, 'vector 16 straight for i in 0..79 {'],
    [80, 'vector 16 for i in 0..80 {'],
  ])('of %i simple elements', (count, head) => {
    expect(decided(`vector for i in 0..${count} { y[i] = x[i] }`)[0]).toBe(head);
  });

  it('are rolled where they would be much code and change no registers', () => {
    const body = 'y[c] = x[c]\n';
    expect(decided(`unroll for c in 0..60 { ${body} }`)[0]).toBe('unroll for c in 0..60 {');
    expect(decided(`unroll for c in 0..61 { ${body} }`)[0]).toBe('unroll rolled for c in 0..61 {');
    expect(decided(`acc s: f32 = f32(0)\nunroll for c in 0..61 { s += x[c] }`)[1]).toBe('unroll for c in 0..61 {');
    expect(decided(`vector for i in 0..N { unroll for c in 0..61 { y[i] = x[c] } }`)[1]).toBe('unroll for c in 0..61 {');
  });
});

describe('stores', () => {
  const isPast = (body: string): boolean => decided(body).some((line) => line.startsWith('nontemporal '));

  it.each([
    [true, 'vector for i in 0..N { y[i] = x[i] }'],
    [true, 'for r in 0..4 { let at = r * 4096\nvector for i in 0..4096 { y[at + i] = x[i] } }'],
    // What is known to be small, is read, or is no whole vectors.
    [false, 'vector for i in 0..64 { b[0, i] = a[0, i] }'],
    [false, 'vector for i in 0..N { y[i] = x[i] }\nvector for j in 0..N { b[0, j] = y[j] }'],
    [false, 'vector for i in 0..N { y[i + 1] = x[i] }'],
    [false, 'for r in 0..4 { vector for i in 0..N { y[r * 15 + i] = x[i] } }'],
    [false, 'for i in 0..N { y[i] = x[i] }'],
    [false, 'vector for i in 0..16 limit 16 { y[i] = x[i] }'],
  ])('pass the caches by: %s, of %s', (past, body) => {
    expect(isPast(body)).toBe(past);
  });

  it('that pass the caches by let loops ask ahead for what may be large', () => {
    const head = (body: string): string | undefined => decidedInFull(body).find((line) => line.startsWith('vector '));
    expect(head('vector for i in 0..N { y[i] = x[i] + a[0, i] }')).toBe('vector 16 for i in 0..N ahead 1024 of x {');
    expect(head('vector for i in 0..N { y[i] = a[0, i] }')).toBe('vector 16 for i in 0..N {');
    expect(head('vector for i in 0..N { b[0, i] = x[i] }')).toBe('vector 16 for i in 0..N {');
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
