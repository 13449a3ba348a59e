// Products of four warps (wgmma) on the emulated device. In: PTX by hand, sound and with faults planted. Out: what JavaScript computes; the
// driver's status and a text that names the fault.

import { describe, expect, it } from 'vitest';
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from '../../runtime/half.js';
import { launch } from './emulator.js';
import { groupLines, type GroupProduct, groupProduct, groupSteps } from './group-kernels.js';
import { planted } from './kernels.js';

const kinds: readonly GroupProduct[] = [
  ...(['bf16', 'f16'] as const).flatMap((type) =>
    (['depth', 'lines'] as const).flatMap((left) => (['depth', 'lines'] as const).map((right) => ({ type, left, right }))),
  ),
  { type: 'tf32', left: 'depth', right: 'depth' },
];

/** Of a line and a step. */
const value = (line: number, step: number, seed: number): number => ((line * 7 + step * 5 + seed) % 23) / 8 - 1;

function memory(one: GroupProduct, along: 'depth' | 'lines', seed: number): Uint16Array | Float32Array {
  const steps = groupSteps(one);
  const values = Array.from({ length: groupLines * steps }, (_, at) =>
    along === 'depth' ? value(Math.floor(at / steps), at % steps, seed) : value(at % groupLines, Math.floor(at / groupLines), seed),
  );
  if (one.type === 'tf32') return Float32Array.from(values);
  return Uint16Array.from(values, one.type === 'bf16' ? numberToBf16 : numberToF16);
}

const run = (ptx: string, one: GroupProduct, seed = 3) =>
  launch({
    ptx,
    kernel: 'groupProduct',
    block: 128,
    buffers: { left: memory(one, one.left, 1), right: memory(one, one.right, 9), to: new Float32Array(groupLines * groupLines) },
    args: ['left', 'right', 'to'],
    settings: { seed },
  });

describe('a product of four warps', () => {
  it.each(kinds)('of $type, $left times $right', (one) => {
    const rounded = (x: number): number =>
      one.type === 'bf16' ? bf16ToNumber(numberToBf16(x)) : one.type === 'f16' ? f16ToNumber(numberToF16(x)) : x;
    const expected = Array.from({ length: groupLines * groupLines }, (_, at) => {
      const [row, column] = [Math.floor(at / groupLines), at % groupLines];
      return Array.from({ length: groupSteps(one) }, (__, k) => rounded(value(row, k, 1)) * rounded(value(column, k, 9))).reduce(
        (a, b) => a + b,
        0,
      );
    });
    for (const seed of [1, 7]) {
      const { fault, status, buffers } = run(groupProduct(one), one, seed);
      expect([fault, status]).toEqual(['', 0]);
      expect([...buffers.to]).toEqual(expected);
    }
  });

  const [bf16] = kinds as [GroupProduct];
  it.each([
    ['shared memory is not fenced', 'fence.proxy.async;', '', /no fence\.proxy\.async of warp \d behind its write/],
    ['no barrier behind what others write', 'bar.sync 0;', '', /race: /],
    ['registers are not fenced', 'wgmma.fence.sync.aligned;', '', /no wgmma\.fence since/],
    ['a product is not waited for', 'wgmma.wait_group.sync.aligned 0;', '', /having never waited for its wgmma/],
    ['a product is waited for too little', 'wait_group.sync.aligned 0;', 'wait_group.sync.aligned 1;', /having never waited for its wgmma/],
    [
      'shared memory changes too early',
      'wgmma.commit_group.sync.aligned;',
      'wgmma.commit_group.sync.aligned; bar.sync 0; st.shared.b32 [%at], -1;',
      /shared memory changed while it was multiplied/,
    ],
    [
      'nothing orders a write behind a product',
      'wgmma.commit_group.sync.aligned;',
      'wgmma.commit_group.sync.aligned; st.shared.b32 [%at], -1;',
      /race: /,
    ],
    [
      'a register changes too early',
      'wgmma.commit_group.sync.aligned;',
      'wgmma.commit_group.sync.aligned; mov.f32 %c3, 0f00000000;',
      /a register was written while a product was under way in it/,
    ],
    ['a matrix in the middle of eight lines', 'add.s64 %b, %a, 512;', 'add.s64 %b, %a, 520;', /in the middle of eight lines/],
    ['lines that are not mixed', '0x4000004000010000;\n  or', '0x0000004000010000;\n  or', /only matrices in lines of 128 bytes/],
    [
      'warps multiply different matrices',
      'setp.eq.u32 %all, %t, %t;',
      'setp.eq.u32 %all, %t, %t; shr.u32 %mix, %t, 5; shl.b32 %mix, %mix, 6; cvt.u64.u32 %x, %mix; add.s64 %b, %b, %x;',
      /the four warps multiply different matrices/,
    ],
    [
      'a warp is missing',
      'wgmma.fence.sync.aligned;',
      'setp.ge.u32 %all, %t, 96; @%all bra DONE; setp.eq.u32 %all, %t, %t; wgmma.fence.sync.aligned;',
      /warp 3 did not multiply with the others/,
    ],
  ])('whose fault is found: %s', (_, place, instead, says) => {
    const text = planted(groupProduct(bf16), place, instead).replace('  ret;', 'DONE:\n  ret;');
    const { fault, status } = run(text, bf16);
    expect(fault).toMatch(says);
    expect(status).toBe(719);
  });

  it('is for sm_90a alone', () => {
    expect(() => run(planted(groupProduct(bf16), '.target sm_90a', '.target sm_90'), bf16)).toThrow(/wgmma is for sm_90a/);
  });
});
