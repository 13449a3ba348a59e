// Code generation does what loops say, whatever it would like better. In: kernels as text, with their schedule. Out: assembly.

import { describe, expect, it } from 'vitest';
import { compilePrograms, hostTarget } from '../../codegen/llvm/index.js';
import { parseProgram, verifyProgram } from '../../src/kernel/index.js';

const wide = hostTarget('x86-64-v4');

/** Assembly of one kernel over a long and a short array. */
function assembly(body: string, target = wide): string {
  const program = parseProgram(`program p
dims N
feed 0 x: f32[N]
feed 1 rows: f32[N, 32]
output 2 columns: f32[32, N]
output 0 y: f32[N]
output 1 total: f32[]
kernel k "k"
  reads 4*N writes 4*N flops N
{
${body}
}
`);
  verifyProgram(program, { expanded: true, vectorized: true });
  const output = compilePrograms({ programs: [program], manifest: '{}', target, emit: 'asm' });
  return output.kind === 'text' ? output.text : '';
}

describe('code generation', () => {
  it('computes as many lanes at once as a loop has', () => {
    const scaled = (lanes: number): string => assembly(`vector ${lanes} for i in 0..N { y[i] = x[i] * f32(3) }`);
    expect(scaled(16)).toMatch(/vmulps\t.*%zmm/);
    expect(scaled(4)).toMatch(/vmulps\t.*%xmm/);
    expect(scaled(4)).not.toMatch(/%[yz]mm/);
    expect(scaled(1)).not.toMatch(/vmulps/);
  });

  const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

  it('keeps as many chains as a loop says, and no others', () => {
    const sum = (head: string): string =>
      assembly(`acc s: f32 = f32(0)\nvector 16 ${head} partial s += ${head.startsWith('for') ? 1 : 2} of 16 { s += x[i] }\ntotal[] = s`);
    // One addition per chain in the loop, one more for what is left over, one masked.
    const additions = /vaddps\t.*%zmm/g;
    expect(count(sum('for i in 0..N'), additions)).toBe(2);
    expect(count(sum('interleave 2 for i in 0..N'), additions)).toBe(5);
  });

  it('masks only those vectors of a tile that may end within', () => {
    const tile = (least: string): string =>
      assembly(
        `acc s: f32[32] = f32(0)\nvector 16 for i in 0..N limit 32 ${least} { s[i] = x[i] }\nvector 16 for j in 0..N limit 32 ${least} { y[j] = s[j] }`,
      );
    const masked = /vmovups\t.*\{%k\d\}/g;
    expect([count(tile(''), masked), count(tile('least 15'), masked), count(tile('least 17'), masked)]).toEqual([4, 4, 2]);
  });

  it('computes several vectors at once where a loop says so', () => {
    const roots = (words: string): string => assembly(`vector 16 ${words}for i in 0..N { y[i] = sqrt(sqrt(x[i])) }`);
    const order = (text: string): string => [...text.matchAll(/v(sqrt|movu)ps\t.*%zmm/g)].map(([, op]) => op?.[0]).join('');
    // Four roots, then the root of each and its store.
    expect(order(roots('interleave 4 jam '))).toContain('sssssmsm');
    expect(order(roots(''))).not.toContain('sss');
  });

  it('counts an unrolled loop that is rolled, and writes out a straight one', () => {
    const copies = (words: string): number => count(assembly(`unroll ${words}for c in 0..6 { y[c] = sqrt(x[c]) }`), /vsqrtss\t/g);
    expect([copies(''), copies('rolled ')]).toEqual([6, 1]);
    const vectors = (words: string): number => count(assembly(`vector 16 ${words}for c in 0..96 { y[c] = sqrt(x[c]) }`), /vsqrtps\t/g);
    expect(vectors('straight ')).toBe(6 * vectors(''));
  });

  it('stores past the caches what a store says', () => {
    const copied = (word: string): string => assembly(`vector 16 for i in 0..N { ${word}y[i] = x[i] }`);
    expect(copied('nontemporal ')).toContain('vmovntps');
    expect(copied('')).not.toContain('vmovntps');
  });

  it('loads ahead what a loop says, where stores pass the caches by', () => {
    const copied = (word: string, clause: string): string => assembly(`vector 16 for i in 0..N ${clause} { ${word}y[i] = x[i] }`);
    expect(copied('nontemporal ', 'ahead 512 of x')).toMatch(/prefetcht0\s+512\(/);
    expect(copied('nontemporal ', '')).not.toContain('prefetch');
    expect(copied('', 'ahead 512 of x')).not.toContain('prefetch');
  });

  it('transposes in registers the squares that a loop says', () => {
    const turned = (word: string): string =>
      assembly(`vector 8 for i in 0..16 { unroll ${word}for c in 0..8 { columns[c, i] = rows[i, c] } }`);
    expect(turned('transpose ')).not.toContain('vgather');
    expect(turned('')).toContain('vgather');
  });

  it('asks for the lanes of a vector loop', () => {
    const program = parseProgram(`program p
output 0 y: f32[4]
kernel k "k" reads 0 writes 16 flops 0
{ vector for i in 0..4 { y[i] = f32(3) } }`);
    expect(() => compilePrograms({ programs: [program], manifest: '{}', target: wide })).toThrow('the vector loop i has no lanes');
  });
});
