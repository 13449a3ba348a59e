// A product of four warps as PTX text, for the emulated driver: wgmma over matrices in lines of 128 bytes. In: their kind. Out: modules of
// one kernel. Holds: they are sound; faults are planted by changing one line.

import { header } from './emulator.js';

export interface GroupProduct {
  readonly type: 'bf16' | 'f16' | 'tf32';
  /** What lies side by side. */
  readonly left: 'depth' | 'lines';
  readonly right: 'depth' | 'lines';
}

/** Lines of both sides, and the steps of a line along the depth. */
export const groupLines = 64;
export const groupSteps = ({ type }: GroupProduct): number => (type === 'tf32' ? 32 : 64);

/** Fields of a matrix' description behind its address: offsets in units of 16 bytes, and lines of 128 bytes that are mixed. */
const described = (along: 'depth' | 'lines'): string =>
  `0x${((1n << 62n) | (64n << 32n) | ((along === 'depth' ? 1n : 512n) << 16n)).toString(16)}`;

/** 64 rows by 64 columns, f32, of what each thread copies to mixed parts of lines. */
export function groupProduct(one: GroupProduct): string {
  const { type, left, right } = one;
  const sums = Array.from({ length: groupLines / 2 }, (_, at) => `%c${at}`);
  const depth = type === 'tf32' ? 8 : 16;
  const sides = type === 'tf32' ? '' : `, ${left === 'depth' ? 0 : 1}, ${right === 'depth' ? 0 : 1}`;
  const on = (along: 'depth' | 'lines', step: number): number => (along === 'depth' ? 2 : 128) * step;
  const chunks = [0, 1, 2, 3].flatMap((at) => [
    `ld.global.v4.b32 {%v0, %v1, %v2, %v3}, [%left+${2048 * at}];`,
    `st.shared.v4.b32 [%at+${2048 * at}], {%v0, %v1, %v2, %v3};`,
    `ld.global.v4.b32 {%v0, %v1, %v2, %v3}, [%right+${2048 * at}];`,
    `st.shared.v4.b32 [%at+${8192 + 2048 * at}], {%v0, %v1, %v2, %v3};`,
  ]);
  const products = [0, 1, 2, 3].flatMap((step) => [
    `add.s64 %x, %a, ${on(left, step)};`,
    `add.s64 %y, %b, ${on(right, step)};`,
    `wgmma.mma_async.sync.aligned.m64n64k${depth}.f32.${type}.${type} {${sums.join(', ')}}, %x, %y, %all, 1, 1${sides}; // ${step}`,
  ]);
  const stores = sums.flatMap((sum, at) =>
    at % 2 === 0 ? [`st.global.v2.f32 [%to+${32 * (at >> 2) + 2048 * ((at >> 1) & 1)}], {${sum}, %c${at + 1}};`] : [],
  );
  return `${header('sm_90a', '8.0')}.visible .entry groupProduct(.param .u64 left, .param .u64 right, .param .u64 to) {
  .reg .u64 %left, %right, %to, %a, %b, %x, %y; .reg .u32 %t, %at, %box, %mix; .reg .b32 %v<4>; .reg .f32 %c<${sums.length}>; .reg .pred %all;
  .shared .align 1024 .b8 box[16384];
  ld.param.u64 %left, [left];
  ld.param.u64 %right, [right];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %box, box;
  mad.wide.u32 %left, %t, 16, %left;
  mad.wide.u32 %right, %t, 16, %right;
  mad.lo.u32 %at, %t, 16, %box;
  shr.u32 %mix, %at, 3;
  and.b32 %mix, %mix, 112;
  xor.b32 %at, %at, %mix;
  ${chunks.join('\n  ')}
  shr.u32 %box, %box, 4;
  cvt.u64.u32 %a, %box;
  add.s64 %b, %a, 512;
  or.b64 %a, %a, ${described(left)};
  or.b64 %b, %b, ${described(right)};
  setp.eq.u32 %all, %t, %t;
  ${sums.map((sum) => `mov.f32 ${sum}, 0f00000000;`).join('\n  ')}
  fence.proxy.async;
  bar.sync 0;
  wgmma.fence.sync.aligned;
  ${products.join('\n  ')}
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  shr.u32 %box, %t, 5;
  and.b32 %t, %t, 31;
  shr.u32 %at, %t, 2;
  mad.lo.u32 %at, %box, 16, %at;
  and.b32 %t, %t, 3;
  shl.b32 %t, %t, 1;
  mad.lo.u32 %at, %at, 64, %t;
  mad.wide.u32 %to, %at, 4, %to;
  ${stores.join('\n  ')}
  ret;
}
`;
}
