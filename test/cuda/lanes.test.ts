// What lanes tell each other, where they may stand, and what they may address. In: instructions that 32 lanes run, lane i with the number
// i. Out: what each lane has then. Holds: expectations are computed for each lane by itself.

import { expect, test } from 'vitest';
import { evaluate, type Instruction, type Type, type Value } from './instructions.js';

interface Case extends Instruction {
  readonly expected: (lane: number) => Value;
}

const lanes = Array.from({ length: 32 }, (_, i): [number] => [i]);

/** Code that reads `%a`, the lane's number, and leaves `%d`. */
const code = (text: string, expected: (lane: number) => Value, result: Type = 'u32'): Case => ({
  text,
  result,
  sources: ['u32'],
  rows: lanes,
  expected,
});

function check(cases: readonly Case[]): void {
  const found = evaluate(cases);
  for (const [i, { text, expected }] of cases.entries())
    expect([text, ...found[i]!]).toEqual([text, ...lanes.map(([lane]) => expected(lane))]);
}

const all = 0xffffffff;

test('shuffles, with segments', () => {
  check([
    code('shfl.sync.up.b32 %d, %a, 3, 0, -1;', (i) => (i >= 3 ? i - 3 : i)),
    code('shfl.sync.down.b32 %d, %a, 3, 31, -1;', (i) => (i + 3 < 32 ? i + 3 : i)),
    code('shfl.sync.bfly.b32 %d, %a, 5, 31, -1;', (i) => i ^ 5),
    code('shfl.sync.idx.b32 %d, %a, 7, 31, -1;', () => 7),
    // Segments of 8: the upper bits of the lane stay.
    code('shfl.sync.down.b32 %d, %a, 3, 0x1807, -1;', (i) => ((i & 7) + 3 < 8 ? i + 3 : i)),
    code('shfl.sync.idx.b32 %d, %a, 9, 0x1807, -1;', (i) => (i & 24) + 1),
    code('{ .reg .pred %q; .reg .u32 %x; shfl.sync.up.b32 %x|%q, %a, 3, 0, -1; selp.u32 %d, 1, 0, %q; }', (i) => (i >= 3 ? 1 : 0)),
  ]);
});

test('votes, matches, reductions', () => {
  const voted = (kind: string, limit: number): string =>
    `{ .reg .pred %q, %r; setp.lt.u32 %q, %a, ${limit}; vote.sync.${kind}.pred %r, %q, -1; selp.u32 %d, 1, 0, %r; }`;
  check([
    code('{ .reg .pred %q; setp.lt.u32 %q, %a, 7; vote.sync.ballot.b32 %d, %q, -1; }', () => 127),
    code('{ .reg .pred %q; setp.lt.u32 %q, %a, 7; vote.sync.ballot.b32 %d, !%q, -1; }', () => (all ^ 127) >>> 0),
    code(voted('all', 32), () => 1),
    code(voted('all', 31), () => 0),
    code(voted('any', 1), () => 1),
    code(voted('any', 0), () => 0),
    code(voted('uni', 5), () => 0),
    code(voted('uni', 0), () => 1),
    code('{ .reg .u32 %x; and.b32 %x, %a, 3; match.any.sync.b32 %d, %x, -1; }', (i) => (0x11111111 << (i & 3)) >>> 0),
    code('{ .reg .pred %q; match.all.sync.b32 %d|%q, %a, -1; }', () => 0),
    code('{ .reg .pred %q; .reg .u32 %x; match.all.sync.b32 %x|%q, 5, -1; selp.u32 %d, %x, 0, %q; }', () => all),
    code('redux.sync.add.u32 %d, %a, -1;', () => 496),
    code('{ .reg .s32 %x; sub.s32 %x, %a, 20; redux.sync.min.s32 %d, %x, -1; }', () => -20, 's32'),
    code('redux.sync.xor.b32 %d, %a, -1;', () => 0),
    code('{ .reg .pred %q; elect.sync _|%q, -1; selp.u32 %d, 1, 0, %q; }', (i) => (i === 0 ? 1 : 0)),
    code('{ .reg .pred %q; setp.gt.u32 %q, %a, 20; bar.red.popc.u32 %d, 0, %q; }', () => 11),
    code('{ .reg .pred %q, %r; setp.gt.u32 %q, %a, 20; bar.red.or.pred %r, 0, %q; selp.u32 %d, 1, 0, %r; }', () => 1),
  ]);
});

test('lanes part, and meet where all ways lead', () => {
  const part = 'setp.lt.u32 %q, %a, 16; @%q bra L; mov.u32 %d, 1; bra M; L: activemask.b32 %d; M:';
  check([
    // Two scopes with labels of one name.
    code(`{ .reg .pred %q; ${part} } { .reg .pred %q; .reg .u32 %x; ${part.replaceAll('%d', '%x')} add.u32 %d, %d, %x; }`, (i) =>
      i < 16 ? 0x1fffe : 2,
    ),
    code('{ .reg .pred %q; setp.lt.u32 %q, %a, 5; @%q bra L; bra L; L: activemask.b32 %d; }', () => all),
    // Lanes with one mask come to one instruction from two ways.
    code(
      '{ .reg .pred %q; .reg .u32 %x; setp.lt.u32 %q, %a, 5; mov.u32 %x, 1; @%q bra L; mov.u32 %x, 2; L: shfl.sync.idx.b32 %d, %x, 0, 31, -1; }',
      () => 1,
    ),
    // A lane waits in a loop for what another lane of its warp does behind a branch.
    code(
      `{ .reg .pred %q; .reg .u32 %x, %s; .shared .align 4 .u32 flag; mov.u32 %s, flag; setp.eq.u32 %q, %a, 0; @%q st.shared.u32 [%s], 0; bar.warp.sync -1;
      setp.ne.u32 %q, %a, 31; @%q bra W; atom.shared.exch.b32 %x, [%s], 7; bra E;
      W: ld.volatile.shared.u32 %x, [%s]; setp.eq.u32 %q, %x, 0; @%q bra W; E: mov.u32 %d, %x; }`,
      (i) => (i === 31 ? 0 : 7),
    ),
  ]);
});

test('spaces, generic addresses, small types', () => {
  const local = '.local .align 8 .b8 box[16]; .reg .u64 %l, %g; mov.u64 %l, box; cvta.local.u64 %g, %l;';
  check([
    code(`{ ${local} st.u32 [%g+4], %a; ld.local.u32 %d, [%l+4]; }`, (i) => i),
    code(`{ ${local} st.local.u32 [%l], 0x80fffe7f; ld.s8 %d, [%g+1]; }`, () => 0xfffffffe),
    code(`{ ${local} st.local.u32 [%l], 0x80fffe7f; ld.u8 %d, [%g+1]; }`, () => 0xfe),
    code(`{ ${local} .reg .s16 %h; st.local.u32 [%l], 0x80fffe7f; ld.s8 %h, [%g+1]; cvt.s32.s16 %d, %h; }`, () => -2, 's32'),
    code(`{ ${local} .reg .s64 %w; st.local.u32 [%l], 0x80fffe7f; ld.s32 %w, [%g]; shr.s64 %w, %w, 32; cvt.u32.u64 %d, %w; }`, () => all),
    code(
      `{ ${local} .reg .u16 %x, %y; st.local.v2.u16 [%l], {1, 2}; ld.local.v2.u16 {%x, %y}, [%l]; mov.b32 %d, {%y, %x}; }`,
      () => 0x10002,
    ),
    code(`{ ${local} .reg .u64 %w; mov.b64 %w, {%a, 9}; st.u64 [%g+8], %w; ld.local.v2.u32 {_, %d}, [%l+8]; }`, () => 9),
    code(
      '{ .shared .align 4 .b8 s[128]; .reg .u64 %w; .reg .pred %q; mov.u64 %w, s; cvta.shared.u64 %w, %w; mad.wide.u32 %w, %a, 4, %w; st.u32 [%w], %a; isspacep.shared %q, %w; @%q ld.u32 %d, [%w]; }',
      (i) => i,
    ),
    code('mov.u32 %d, %laneid;', (i) => i),
    code('mov.u32 %d, %lanemask_lt;', (i) => 2 ** i - 1),
    code('mov.u32 %d, %lanemask_ge;', (i) => (all << i) >>> 0),
  ]);
});

test('atomics return what was there, lane after lane', () => {
  const shared = (start: string, text: string): string =>
    `{ .shared .align 8 .u32 s[2]; .reg .u32 %p; .reg .pred %q; mov.u32 %p, s; setp.eq.u32 %q, %a, 0; @%q st.shared.u32 [%p], ${start}; bar.warp.sync -1; ${text} }`;
  const then = ' bar.warp.sync -1; ld.shared.u32 %d, [%p];';
  check([
    code(shared('5', 'atom.shared.add.u32 %d, [%p], 2;'), (i) => 5 + 2 * i),
    code(shared('0', 'atom.shared.inc.u32 %d, [%p], 9;'), (i) => i % 10),
    code(shared('3', 'atom.shared.dec.u32 %d, [%p], 9;'), (i) => (i < 4 ? 3 - i : 9 - ((i - 4) % 10))),
    code(shared('0', 'atom.shared.exch.b32 %d, [%p], %a;'), (i) => Math.max(i - 1, 0)),
    code(shared('0', 'atom.shared.cas.b32 %d, [%p], 0, 4;'), (i) => (i === 0 ? 0 : 4)),
    code(shared('100', `{ .reg .s32 %x; sub.s32 %x, %a, 9; red.shared.min.s32 [%p], %x; }${then}`), () => -9, 's32'),
    code(shared('0', `{ .reg .u32 %x; mov.u32 %x, %lanemask_eq; red.shared.or.b32 [%p], %x; }${then}`), () => all),
    code(shared('0f3F800000', `{ .reg .f32 %f; cvt.rn.f32.u32 %f, %a; red.shared.add.f32 [%p], %f; }${then}`), () => 0x43f88000),
    code(shared('0', `red.shared.add.noftz.f16x2 [%p], 0x3c004000;${then}`), () => 0x50005400),
  ]);
});

test('fragments of matrices lie as PTX says', () => {
  const f64 = (value: string): string => `cvt.rn.f64.u32 %x, ${value};`;
  check([
    // Row g of A is g + 1 in column 0; B is one in row 0: each element is its row.
    code(
      `{ .reg .f64 %x, %y, %z, %w; .reg .u32 %k, %g; .reg .pred %q; and.b32 %k, %a, 3; shr.u32 %g, %a, 2; setp.eq.u32 %q, %k, 0; add.u32 %g, %g, 1;
      ${f64('%g')} @!%q mov.f64 %x, 0d0000000000000000; selp.f64 %y, 0d3FF0000000000000, 0d0000000000000000, %q; mov.f64 %w, 0d3FF0000000000000;
      mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%z, %w}, {%x}, {%y}, {%w, %w}; cvt.rzi.u32.f64 %d, %w; }`,
      (i) => (i >> 2) + 2,
    ),
    // f16 sums: A all ones, B is 1 in column g = 2 alone, depth 8.
    code(
      `{ .reg .b32 %x, %y, %z, %w; .reg .u32 %g; .reg .pred %q; shr.u32 %g, %a, 2; setp.eq.u32 %q, %g, 2; mov.b32 %x, 0x3c003c00; selp.b32 %y, 0x3c003c00, 0, %q; mov.b32 %z, 0;
      mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 {%z, %w}, {%x, %x}, {%y}, {%z, %z}; mov.b32 %d, %w; }`,
      (i) => ((i & 3) === 1 ? 0x4800 : 0),
    ),
    // What stmatrix has stored, ldmatrix loads; transposed, the element of another lane.
    code(
      `{ .shared .align 16 .b8 s[128]; .reg .u32 %p, %x; mov.u32 %p, s; and.b32 %x, %a, 7; mad.lo.u32 %x, %x, 16, %p; mad.lo.u32 %p, %a, 0x20002, 0x10000;
      stmatrix.sync.aligned.m8n8.x1.shared.b16 [%x], {%p}; bar.warp.sync -1; ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%d}, [%x]; }`,
      (i) => {
        const at = (row: number, column: number): number => 2 * (row * 4 + (column >> 1)) + (column & 1);
        const [row, column] = [2 * (i & 3), i >> 2];
        return at(row, column) + at(row + 1, column) * 65536;
      },
    ),
  ]);
});
