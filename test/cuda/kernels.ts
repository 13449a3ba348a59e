// Kernels as PTX, written by hand as code generators would. In: nothing. Out: their texts. Holds: each is sound; tests plant faults by
// changing one line of it (`planted`).

import { header } from './emulator.js';

const entry = (name: string, parameters: string, body: string): string => `.visible .entry ${name}(${parameters}) {${body}}\n`;

/** A text with one place changed; it must be there once. */
export function planted(text: string, place: string, instead: string): string {
  const parts = text.split(place);
  if (parts.length !== 2) throw new Error(`'${place}' stands ${parts.length - 1} times`);
  return parts.join(instead);
}

/** Row `ctaid` of 256 floats → their sum: shuffles within warps, shared memory between them. */
export const sumRows = `${header()}${entry(
  'sumRows',
  '.param .u64 from, .param .u64 to',
  `
  .reg .u64 %from, %to; .reg .u32 %t, %c, %i, %lane, %warp, %at; .reg .f32 %x, %y; .reg .pred %p;
  .shared .align 4 .f32 part[8];
  ld.param.u64 %from, [from];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %c, %ctaid.x;
  mad.lo.u32 %i, %c, 256, %t;
  mad.wide.u32 %from, %i, 4, %from;
  ld.global.nc.f32 %x, [%from];
  shfl.sync.bfly.b32 %y, %x, 16, 31, -1;
  add.f32 %x, %x, %y;
  shfl.sync.bfly.b32 %y, %x, 8, 31, -1;
  add.f32 %x, %x, %y;
  shfl.sync.bfly.b32 %y, %x, 4, 31, -1;
  add.f32 %x, %x, %y;
  shfl.sync.bfly.b32 %y, %x, 2, 31, -1;
  add.f32 %x, %x, %y;
  shfl.sync.bfly.b32 %y, %x, 1, 31, -1;
  add.f32 %x, %x, %y;
  and.b32 %lane, %t, 31;
  shr.u32 %warp, %t, 5;
  mov.u32 %at, part;
  mad.lo.u32 %warp, %warp, 4, %at;
  setp.eq.u32 %p, %lane, 0;
  @%p st.shared.f32 [%warp], %x;
  bar.sync 0;
  setp.ne.u32 %p, %t, 0;
  @%p bra DONE;
  mov.f32 %x, 0f00000000;
  mov.u32 %i, 0;
LOOP:
  ld.shared.f32 %y, [%at];
  add.f32 %x, %x, %y;
  add.u32 %at, %at, 4;
  add.u32 %i, %i, 1;
  setp.lt.u32 %p, %i, 8;
  @%p bra LOOP;
  mad.wide.u32 %to, %c, 4, %to;
  st.global.f32 [%to], %x;
DONE:
  ret;
`,
)}`;

/** 16 × 16 floats through shared memory, two squares one after the other in the same place. */
export const transposeTwice = `${header()}${entry(
  'transposeTwice',
  '.param .u64 from, .param .u64 to',
  `
  .reg .u64 %from, %to, %a; .reg .u32 %t, %x, %y, %own, %other, %base; .reg .f32 %v;
  .shared .align 4 .b8 tile[1088];
  ld.param.u64 %from, [from];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  and.b32 %x, %t, 15;
  shr.u32 %y, %t, 4;
  mov.u32 %base, tile;
  mad.lo.u32 %own, %y, 68, %base;
  mad.lo.u32 %own, %x, 4, %own;
  mad.lo.u32 %other, %x, 68, %base;
  mad.lo.u32 %other, %y, 4, %other;
  mad.wide.u32 %from, %t, 4, %from;
  mad.wide.u32 %to, %t, 4, %to;
  ld.global.f32 %v, [%from];
  st.shared.f32 [%own], %v;
  bar.sync 0; // written
  ld.shared.f32 %v, [%other];
  st.global.f32 [%to], %v;
  bar.sync 0; // read
  ld.global.f32 %v, [%from+1024];
  st.shared.f32 [%own], %v;
  barrier.sync.aligned 0;
  ld.shared.f32 %v, [%other];
  st.global.f32 [%to+1024], %v;
  ret;
`,
)}`;

/** Steps of the Collatz sequence from each number: lanes leave the loop one by one, and branch inside of it. */
export const collatz = `${header()}${entry(
  'collatz',
  '.param .u64 from, .param .u64 to',
  `
  .reg .u64 %from, %to; .reg .u32 %t, %n, %steps, %odd, %mask; .reg .pred %p, %q;
  ld.param.u64 %from, [from];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %from, %t, 4, %from;
  mad.wide.u32 %to, %t, 8, %to;
  ld.global.u32 %n, [%from];
  mov.u32 %steps, 0;
LOOP:
  setp.le.u32 %p, %n, 1;
  @%p bra DONE;
  and.b32 %odd, %n, 1;
  setp.eq.u32 %q, %odd, 0;
  @%q bra EVEN;
  mad.lo.u32 %n, %n, 3, 1;
  bra NEXT;
EVEN:
  shr.u32 %n, %n, 1;
NEXT:
  add.u32 %steps, %steps, 1;
  bra LOOP;
DONE:
  activemask.b32 %mask;
  st.global.v2.u32 [%to], {%steps, %mask};
  ret;
`,
)}`;

/** The sum of all numbers, in a fixed order: a partial result of each block, and the block that ends last adds them. */
export const sumByLastBlock = `${header()}.global .align 4 .u32 ended;
${entry(
  'sumByLastBlock',
  '.param .u64 from, .param .u64 parts, .param .u64 to',
  `
  .reg .u64 %from, %parts, %to, %at; .reg .u32 %t, %c, %n, %i, %ticket, %last; .reg .f32 %x, %y; .reg .pred %p;
  .shared .align 4 .u32 mine;
  ld.param.u64 %from, [from];
  ld.param.u64 %parts, [parts];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %c, %ctaid.x;
  mov.u32 %n, %nctaid.x;
  mad.lo.u32 %i, %c, 64, %t;
  mad.wide.u32 %at, %i, 4, %from;
  ld.global.f32 %x, [%at];
  mad.wide.u32 %at, %i, 4, %parts;
  st.global.f32 [%at], %x;
  bar.sync 0; // parts
  setp.ne.u32 %p, %t, 0;
  @%p bra JOIN;
  membar.gl; // parts
  sub.u32 %last, %n, 1;
  atom.global.inc.u32 %ticket, [ended], %last;
  setp.eq.u32 %p, %ticket, %last;
  selp.u32 %last, 1, 0, %p;
  st.shared.u32 [mine], %last;
  membar.gl; // ticket
JOIN:
  bar.sync 0; // ticket
  ld.shared.u32 %last, [mine];
  setp.eq.u32 %p, %last, 0;
  @%p bra DONE;
  setp.ne.u32 %p, %t, 0;
  @%p bra DONE;
  mov.f32 %x, 0f00000000;
  mul.lo.u32 %n, %n, 64;
  mov.u32 %i, 0;
LOOP:
  ld.global.f32 %y, [%parts];
  add.f32 %x, %x, %y;
  add.u64 %parts, %parts, 4;
  add.u32 %i, %i, 1;
  setp.lt.u32 %p, %i, %n;
  @%p bra LOOP;
  st.global.f32 [%to], %x;
DONE:
  ret;
`,
)}`;

/** How often each of 16 numbers occurs: atomics in shared memory, then in global. */
export const histogram = `${header()}${entry(
  'histogram',
  '.param .u64 from, .param .u64 to',
  `
  .reg .u64 %from, %to; .reg .u32 %t, %c, %i, %v, %base, %at; .reg .pred %few;
  .shared .align 4 .u32 counts[16];
  ld.param.u64 %from, [from];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %c, %ctaid.x;
  mov.u32 %base, counts;
  setp.lt.u32 %few, %t, 16;
  mad.lo.u32 %at, %t, 4, %base;
  @%few st.shared.u32 [%at], 0;
  bar.sync 0; // zero
  mad.lo.u32 %i, %c, 128, %t;
  mad.wide.u32 %from, %i, 4, %from;
  ld.global.u32 %v, [%from];
  mad.lo.u32 %v, %v, 4, %base;
  red.shared.add.u32 [%v], 1;
  bar.sync 0; // counted
  @!%few bra DONE;
  ld.shared.u32 %v, [%at];
  mad.wide.u32 %to, %t, 4, %to;
  red.global.add.u32 [%to], %v;
DONE:
  ret;
`,
)}`;

/** Four blocks of 128 floats through two places in shared memory, each copied while the one before is read backwards and summed. */
export const pipeline = `${header()}${entry(
  'pipeline',
  '.param .u64 from, .param .u64 to',
  `
  .reg .u64 %from, %to; .reg .u32 %t, %here, %there, %k, %base, %place; .reg .f32 %x, %sum; .reg .pred %p;
  .shared .align 16 .b8 places[1024];
  ld.param.u64 %from, [from];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %base, places;
  mad.lo.u32 %here, %t, 4, %base;
  sub.u32 %there, 127, %t;
  mad.lo.u32 %there, %there, 4, %base;
  mad.wide.u32 %from, %t, 4, %from;
  mov.f32 %sum, 0f00000000;
  cp.async.ca.shared.global [%here], [%from], 4;
  cp.async.commit_group;
  mov.u32 %k, 0;
LOOP:
  add.u32 %k, %k, 1;
  and.b32 %place, %k, 1;
  mad.lo.u32 %place, %place, 512, %here;
  add.u64 %from, %from, 512;
  setp.lt.u32 %p, %k, 4;
  @%p cp.async.ca.shared.global [%place], [%from], 4;
  cp.async.commit_group;
  cp.async.wait_group 1; // this one
  bar.sync 0; // arrived
  sub.u32 %place, %k, 1;
  and.b32 %place, %place, 1;
  mad.lo.u32 %place, %place, 512, %there;
  ld.shared.f32 %x, [%place];
  add.f32 %sum, %sum, %x;
  bar.sync 0; // read
  @%p bra LOOP;
  cp.async.wait_all;
  mad.wide.u32 %to, %t, 4, %to;
  st.global.f32 [%to], %sum;
  ret;
`,
)}`;

/** 16 × 16 times 16 × 8 of bf16, sums of f32; the left side through ldmatrix, the right one through its transposed form. */
export const productBf16 = `${header()}${entry(
  'productBf16',
  '.param .u64 left, .param .u64 right, .param .u64 to',
  `
  .reg .u64 %left, %right, %to; .reg .u32 %t, %row, %half, %at, %bt; .reg .b32 %a<4>, %b<2>; .reg .f32 %c<4>;
  .shared .align 16 .b8 as[512];
  .shared .align 16 .b8 bs[256];
  ld.param.u64 %left, [left];
  ld.param.u64 %right, [right];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %left, %t, 16, %left;
  mov.u32 %at, as;
  mad.lo.u32 %row, %t, 16, %at;
  ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%left];
  st.shared.v4.b32 [%row], {%a0, %a1, %a2, %a3};
  mad.wide.u32 %right, %t, 8, %right;
  mov.u32 %bt, bs;
  mad.lo.u32 %row, %t, 8, %bt;
  ld.global.v2.b32 {%b0, %b1}, [%right];
  st.shared.v2.b32 [%row], {%b0, %b1};
  bar.warp.sync -1;
  and.b32 %row, %t, 15;
  shr.u32 %half, %t, 4;
  mad.lo.u32 %at, %row, 32, %at;
  mad.lo.u32 %at, %half, 16, %at;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%a0, %a1, %a2, %a3}, [%at];
  mad.lo.u32 %bt, %row, 16, %bt;
  ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%b0, %b1}, [%bt];
  mov.f32 %c0, 0f3F800000;
  mov.f32 %c1, %c0;
  mov.f32 %c2, %c0;
  mov.f32 %c3, %c0;
  mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%c0, %c1, %c2, %c3}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0, %c1, %c2, %c3};
  shr.u32 %row, %t, 2;
  and.b32 %half, %t, 3;
  mad.lo.u32 %row, %row, 8, %half;
  add.u32 %row, %row, %half;
  mad.wide.u32 %to, %row, 4, %to;
  st.global.v2.f32 [%to], {%c0, %c1};
  st.global.v2.f32 [%to+256], {%c2, %c3};
  ret;
`,
)}`;

/** 16 × 8 times 8 × 8, tf32, each lane loading the elements of its fragments. */
export const productTf32 = `${header()}${entry(
  'productTf32',
  '.param .u64 left, .param .u64 right, .param .u64 to',
  `
  .reg .u64 %left, %right, %to; .reg .u32 %t, %g, %k, %i; .reg .b32 %a<4>, %b<2>; .reg .f32 %c<4>;
  ld.param.u64 %left, [left];
  ld.param.u64 %right, [right];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  shr.u32 %g, %t, 2;
  and.b32 %k, %t, 3;
  mad.lo.u32 %i, %g, 8, %k;
  mad.wide.u32 %left, %i, 4, %left;
  ld.global.b32 %a0, [%left];
  ld.global.b32 %a1, [%left+256];
  ld.global.b32 %a2, [%left+16];
  ld.global.b32 %a3, [%left+272];
  mad.lo.u32 %i, %k, 8, %g;
  mad.wide.u32 %right, %i, 4, %right;
  ld.global.b32 %b0, [%right];
  ld.global.b32 %b1, [%right+128];
  mov.f32 %c0, 0f00000000;
  mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%c0, %c1, %c2, %c3}, {%a0, %a1, %a2, %a3}, {%b0, %b1}, {%c0, %c0, %c0, %c0};
  mad.lo.u32 %i, %g, 8, %k;
  add.u32 %i, %i, %k;
  mad.wide.u32 %to, %i, 4, %to;
  st.global.v2.f32 [%to], {%c0, %c1};
  st.global.v2.f32 [%to+256], {%c2, %c3};
  ret;
`,
)}`;

/** A box of 8 × 32 floats by a tensor copy; one thread asks for it, all wait. `column` and `row` may lie outside. */
export const tensorBox = `${header('sm_90', '8.5')}${entry(
  'tensorBox',
  '.param .align 64 .b8 map[128], .param .u64 to, .param .u32 column, .param .u32 row',
  `
  .reg .u64 %to, %map, %token; .reg .u32 %t, %at, %bar, %x, %y, %parity; .reg .f32 %v; .reg .pred %first, %done;
  .shared .align 128 .b8 box[1024];
  .shared .align 8 .b8 done[8];
  mov.b64 %map, map;
  ld.param.u64 %to, [to];
  ld.param.u32 %x, [column];
  ld.param.u32 %y, [row];
  mov.u32 %t, %tid.x;
  mov.u32 %at, box;
  mov.u32 %bar, done;
  setp.eq.u32 %first, %t, 0;
  @%first mbarrier.init.shared.b64 [%bar], 1;
  fence.mbarrier_init.release.cluster;
  bar.sync 0;
  @!%first bra WAIT;
  cvta.param.u64 %map, %map;
  mbarrier.arrive.expect_tx.shared.b64 %token, [%bar], 1024;
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%at], [%map, {%x, %y}], [%bar];
WAIT:
  mbarrier.try_wait.parity.shared.b64 %done, [%bar], 0; // arrived
  @!%done bra WAIT;
  mad.lo.u32 %at, %t, 4, %at;
  ld.shared.f32 %v, [%at];
  mad.wide.u32 %to, %t, 4, %to;
  st.global.f32 [%to], %v;
  ret;
`,
)}`;

/** Warp 0 writes, warp 1 reads: two barriers of 64 threads, one to arrive at and one to wait at. */
export const producer = `${header()}${entry(
  'producer',
  '.param .u64 to',
  `
  .reg .u64 %to; .reg .u32 %t, %lane, %at; .reg .pred %p;
  .shared .align 4 .b8 box[128];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  and.b32 %lane, %t, 31;
  mov.u32 %at, box;
  mad.lo.u32 %at, %lane, 4, %at;
  setp.ge.u32 %p, %t, 32;
  @%p bra READ;
  st.shared.u32 [%at], %t;
  barrier.arrive 1, 64;
  ret;
READ:
  barrier.sync 1, 64;
  ld.shared.u32 %t, [%at];
  mad.wide.u32 %to, %lane, 4, %to;
  st.global.u32 [%to], %t;
  ret;
`,
)}`;

/** Lanes exchange through shared memory within one warp. */
export const exchange = `${header()}${entry(
  'exchange',
  '.param .u64 to',
  `
  .reg .u64 %to; .reg .u32 %t, %at, %other; .reg .pred %few;
  .shared .align 4 .b8 box[128];
  ld.param.u64 %to, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %other, box;
  mad.lo.u32 %at, %t, 4, %other;
  st.shared.u32 [%at], %t;
  bar.warp.sync -1;
  xor.b32 %at, %t, 1;
  mad.lo.u32 %at, %at, 4, %other;
  ld.shared.u32 %t, [%at];
  mov.u32 %other, %tid.x;
  mad.wide.u32 %to, %other, 4, %to;
  st.global.u32 [%to], %t;
  ret;
`,
)}`;

/** Element `tid + ctaid * ntid` of n floats, times two. */
export const double = `${header()}${entry(
  'double',
  '.param .u64 data, .param .u32 n',
  `
  .reg .u64 %data; .reg .u32 %t, %c, %m, %n; .reg .f32 %x; .reg .pred %p;
  ld.param.u64 %data, [data];
  ld.param.u32 %n, [n];
  mov.u32 %t, %tid.x;
  mov.u32 %c, %ctaid.x;
  mov.u32 %m, %ntid.x;
  mad.lo.u32 %t, %c, %m, %t;
  setp.ge.u32 %p, %t, %n;
  @%p bra DONE;
  mad.wide.u32 %data, %t, 4, %data;
  ld.global.f32 %x, [%data];
  add.f32 %x, %x, %x;
  st.global.f32 [%data], %x;
DONE:
  ret;
`,
)}`;

/** All of them, for an assembler to accept. */
export const allKernels: Readonly<Record<string, string>> = {
  ...{
    sumRows,
    transposeTwice,
    collatz,
    sumByLastBlock,
    histogram,
    pipeline,
    productBf16,
    productTf32,
    tensorBox,
    producer,
    exchange,
    double,
  },
};
