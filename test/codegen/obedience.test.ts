// Code generation does what loops say, whatever it would like better. In: kernels as text, with their schedule. Out: assembly.

import { describe, expect, it } from 'vitest';
import { compilePrograms, hostTarget } from '../../codegen/llvm/index.js';
import { parseProgram, verifyProgram } from '../../src/loop/index.js';

const wide = hostTarget('x86-64-v4');

/** Assembly of one kernel over a long and a short array. */
function assembly(body: string, target = wide): string {
  const program = parseProgram(`program p
dims N
feed 0 x: f32[N]
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

  it('asks for the lanes of a vector loop', () => {
    const program = parseProgram(`program p
output 0 y: f32[4]
kernel k "k" reads 0 writes 16 flops 0
{ vector for i in 0..4 { y[i] = f32(3) } }`);
    expect(() => compilePrograms({ programs: [program], manifest: '{}', target: wide })).toThrow('the vector loop i has no lanes');
  });
});
