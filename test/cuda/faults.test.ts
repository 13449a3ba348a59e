// Faults that are planted in sound kernels are found. In: kernels.ts, each with one line changed. Out: the driver's status, and a text that
// names the kernel, the line and the thread. Holds: the sound kernel runs without a word with the same seeds (kernels.test.ts), so what is
// found is the fault.

import { describe, expect, test } from 'vitest';
import { launch, type Argument } from './emulator.js';
import * as kernels from './kernels.js';

const illegalAddress = 700;
const illegalInstruction = 715;
const misaligned = 716;
const failed = 719;

interface Planted {
  readonly what: string;
  readonly kernel: keyof typeof kernels.allKernels;
  readonly place: string;
  readonly instead: string;
  readonly status: number;
  readonly says: RegExp;
}

interface Run {
  readonly grid?: number;
  readonly block?: number;
  readonly buffers: Record<string, Float32Array | Uint32Array | Uint16Array>;
  readonly args: readonly Argument[];
  readonly before?: readonly string[];
}

const floats = (count: number): Float32Array => new Float32Array(count).fill(1);
const runs: Readonly<Record<string, Run>> = {
  sumRows: { grid: 3, block: 256, buffers: { from: floats(768), to: floats(3) }, args: ['from', 'to'] },
  transposeTwice: { block: 256, buffers: { from: floats(512), to: floats(512) }, args: ['from', 'to'] },
  sumByLastBlock: { grid: 5, block: 64, buffers: { from: floats(320), parts: floats(320), to: floats(1) }, args: ['from', 'parts', 'to'] },
  histogram: { grid: 4, block: 128, buffers: { from: new Uint32Array(512), to: new Uint32Array(16) }, args: ['from', 'to'] },
  pipeline: { block: 128, buffers: { from: floats(512), to: floats(128) }, args: ['from', 'to'] },
  productBf16: { buffers: { left: new Uint16Array(256), right: new Uint16Array(128), to: floats(128) }, args: ['left', 'right', 'to'] },
  tensorBox: {
    block: 256,
    buffers: { from: floats(24 * 64), to: floats(256) },
    before: ['tensor-map t from 7 0 2 24 64 96 8 32'],
    args: ['map:t', 'to', { u32: 0 }, { u32: 0 }],
  },
  producer: { block: 64, buffers: { to: new Uint32Array(32) }, args: ['to'] },
  exchange: { buffers: { to: new Uint32Array(32) }, args: ['to'] },
  double: { grid: 4, block: 96, buffers: { data: floats(300) }, args: ['data', { u32: 300 }] },
};

const planted: readonly Planted[] = [
  ...[
    { what: 'no barrier before what other warps wrote is read', kernel: 'sumRows', place: 'bar.sync 0;', instead: '' },
    { what: 'no barrier between a write and a transposed read', kernel: 'transposeTwice', place: 'bar.sync 0; // written', instead: '' },
    { what: 'no barrier between a read and the next write', kernel: 'transposeTwice', place: 'bar.sync 0; // read', instead: '' },
    { what: 'no barrier behind what sets counts to zero', kernel: 'histogram', place: 'bar.sync 0; // zero', instead: '' },
    { what: 'no barrier before counts are read', kernel: 'histogram', place: 'bar.sync 0; // counted', instead: '' },
    { what: 'a copy overwrites what is still read', kernel: 'pipeline', place: 'bar.sync 0; // read', instead: '' },
    { what: 'copies of other threads are not awaited', kernel: 'pipeline', place: 'bar.sync 0; // arrived', instead: '' },
    { what: 'no order between lanes of a warp', kernel: 'exchange', place: 'bar.warp.sync -1;', instead: '' },
    { what: 'no order before ldmatrix', kernel: 'productBf16', place: 'bar.warp.sync -1;', instead: '' },
    { what: 'blocks write the same element', kernel: 'sumRows', place: 'mad.wide.u32 %to, %c, 4, %to;', instead: '' },
    { what: 'blocks overlap', kernel: 'double', place: '%t, %c, %m, %t;', instead: '%t, %c, 64, %t;' },
    { what: 'a counter without atomics', kernel: 'histogram', place: 'red.global.add.u32 [%to], %v;', instead: 'st.global.u32 [%to], %v;' },
    { what: 'no fence before the ticket', kernel: 'sumByLastBlock', place: 'membar.gl; // parts', instead: '' },
    { what: 'no barrier before the ticket', kernel: 'sumByLastBlock', place: 'bar.sync 0; // parts', instead: '' },
    { what: 'no fence behind the ticket', kernel: 'sumByLastBlock', place: 'membar.gl; // ticket', instead: '' },
  ].map((one) => ({ ...one, status: failed, says: /race: / })),
  ...[
    {
      what: 'cp.async is not waited for',
      place: 'cp.async.wait_group 1; // this one',
      instead: '',
      says: /asynchronous copy is still under way/,
    },
    {
      what: 'cp.async waits for too few groups',
      place: 'wait_group 1; // this',
      instead: 'wait_group 2; // this',
      says: /still under way/,
    },
    { what: 'a kernel ends with copies under way', place: 'cp.async.wait_all;', instead: '', says: /never waited for its cp.async/ },
  ].map((one) => ({ ...one, kernel: 'pipeline', status: failed })),
  ...[
    { what: 'an mbarrier is not waited for', place: '@!%done bra WAIT;', instead: '', says: /asynchronous copy is still under way|race: / },
    { what: 'an mbarrier expects too few bytes', place: '[%bar], 1024;', instead: '[%bar], 512;', says: /deadlock: .* -512 bytes/ },
    { what: 'an mbarrier expects too many bytes', place: '[%bar], 1024;', instead: '[%bar], 2048;', says: /deadlock: .* 1024 bytes/ },
    {
      what: 'an mbarrier counts an arrival too many',
      place: 'init.shared.b64 [%bar], 1',
      instead: 'init.shared.b64 [%bar], 2',
      says: /1 of 2 arrivals/,
    },
    { what: 'an mbarrier is used before it is there for all', place: '  bar.sync 0;', instead: '', says: /race: |there is no mbarrier/ },
  ].map((one) => ({ ...one, kernel: 'tensorBox', status: failed })),
  {
    what: 'the tensor map is no tensor map',
    kernel: 'tensorBox',
    place: '[%map, {',
    instead: '[%to, {',
    status: illegalInstruction,
    says: /no tensor map/,
  },
  {
    what: 'one element too far',
    kernel: 'double',
    place: 'setp.ge.u32',
    instead: 'setp.gt.u32',
    status: illegalAddress,
    says: /1200 bytes, this is byte 1200/,
  },
  {
    what: 'a negative index',
    kernel: 'double',
    place: '[%data], %x',
    instead: '[%data+-4], %x',
    status: illegalAddress,
    says: /illegal global address/,
  },
  {
    what: 'beyond shared memory',
    kernel: 'transposeTwice',
    place: 'tile[1088]',
    instead: 'tile[1000]',
    status: illegalAddress,
    says: /illegal shared address/,
  },
  {
    what: 'a misaligned address',
    kernel: 'double',
    place: '%t, 4, %data',
    instead: '%t, 2, %data',
    status: misaligned,
    says: /is no multiple of 4/,
  },
  {
    what: 'a vector that is not aligned',
    kernel: 'productBf16',
    place: '[%left];\n  st',
    instead: '[%left+8];\n  st',
    status: misaligned,
    says: /no multiple of 16/,
  },
  {
    what: 'shared memory that nobody wrote',
    kernel: 'exchange',
    place: 'st.shared.u32 [%at], %t;',
    instead: '',
    status: failed,
    says: /nothing has been written/,
  },
  {
    what: 'a barrier that some lanes do not reach',
    kernel: 'sumRows',
    place: 'bar.sync 0;',
    instead: '@%p bar.sync 0;',
    status: failed,
    says: /barrier divergence/,
  },
  {
    what: 'a barrier that waits for more than there are',
    kernel: 'producer',
    place: 'sync 1, 64',
    instead: 'sync 1, 96',
    status: failed,
    says: /told to wait|deadlock/,
  },
  {
    what: 'a barrier that nobody arrives at',
    kernel: 'producer',
    place: 'barrier.arrive 1, 64;',
    instead: '',
    status: failed,
    says: /deadlock.* 32 of 64/,
  },
  {
    what: 'a shuffle that some lanes do not reach',
    kernel: 'exchange',
    place: 'bar.warp.sync -1;',
    instead: 'bar.warp.sync -1; setp.lt.u32 %few, %t, 5; @%few shfl.sync.idx.b32 %at, %t, 0, 31, -1;',
    status: failed,
    says: /deadlock.*\(5 lanes\)/,
  },
  {
    what: 'a shuffle from outside of its mask',
    kernel: 'sumRows',
    place: '%y, %x, 16, 31, -1;',
    instead: '%y, %x, 16, 31, 0xffff;',
    status: failed,
    says: /own mask does not name/,
  },
  {
    what: 'a trap',
    kernel: 'double',
    place: 'add.f32 %x, %x, %x;',
    instead: 'trap;',
    status: illegalInstruction,
    says: /trap; kernel double, line \d+ \(trap\), block .* thread/,
  },
];

describe('a planted fault is found', () => {
  test.each(planted)('$what ($kernel)', (one) => {
    const run = runs[one.kernel]!;
    const found = launch({
      ptx: kernels.planted(kernels.allKernels[one.kernel]!, one.place, one.instead),
      kernel: one.kernel,
      ...run,
      settings: { seed: 7 },
    });
    expect(found.fault).toMatch(one.says);
    expect(found.fault).toContain(one.kernel);
    expect(found.status).toBe(one.status);
  });

  test.each(Object.keys(runs))('and none in the sound kernel %s', (kernel) => {
    for (const seed of [1, 7, 8]) {
      const found = launch({ ptx: kernels.allKernels[kernel]!, kernel, ...runs[kernel]!, settings: { seed } });
      expect(found).toMatchObject({ status: 0, fault: '' });
    }
  });
});
