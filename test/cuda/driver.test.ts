// The driver's own behaviour: errors, memory, streams, captures, graphs. In: calls. Out: the statuses that the real driver gives.
// Holds: what tests can make fail fails as it does there, and a context that a kernel has broken stays broken.

import { expect, test } from 'vitest';
import { header, hex, moduleLine, type Reply, runScript, type Settings } from './emulator.js';
import { double, sumRows } from './kernels.js';

const success = 0;
const invalidValue = 1;
const outOfMemory = 2;
const notInitialized = 3;
const noDevice = 100;
const invalidContext = 201;
const noBinary = 209;
const invalidPtx = 218;
const unsupportedPtx = 222;
const invalidHandle = 400;
const notFound = 500;
const illegalAddress = 700;
const captureUnsupported = 900;
const captureInvalidated = 901;
const updateFailed = 910;

const ones = hex(new Float32Array(64).fill(1));
const values = (reply: Reply): number[] => [...new Float32Array(Uint8Array.from(Buffer.from(reply.text, 'hex')).buffer)];

/** A device with the kernel `double` as `f`, and 64 ones as `a`. */
const prepared = ['begin', moduleLine('m', double), 'function f m double', 'alloc a 256', `upload a ${ones}`];
const n = 'x:40000000';

/** Replies to what stands behind the preparation, which must have succeeded. */
function after(lines: readonly string[], settings?: Settings): Reply[] {
  const replies = runScript([...prepared, ...lines], settings);
  expect(replies.slice(0, prepared.length).map((reply) => reply.status)).toEqual(prepared.map(() => success));
  return replies.slice(prepared.length);
}

const statuses = (replies: readonly Reply[]): number[] => replies.map((reply) => reply.status);

test('without a device, without cuInit, without a context', () => {
  expect(statuses(runScript(['begin', 'cuCtxSynchronize', 'alloc a 4'], { 'no-device': 1 }))).toEqual([
    noDevice,
    notInitialized,
    notInitialized,
  ]);
  expect(statuses(runScript(['alloc a 4', 'cuInit 0', 'alloc a 4', 'begin', 'alloc a 4', 'cuCtxSetCurrent 0', 'alloc b 4']))).toEqual([
    ...[notInitialized, success, invalidContext, success, success, success, invalidContext],
  ]);
});

test('attributes are those of a device of the capability', () => {
  const of = (capability: number): string[] =>
    runScript(['begin', ...[75, 76, 97, 16, 127].map((a) => `attribute ${a}`)], { capability }).map((r) => r.text);
  expect(of(90)).toEqual(['', '9', '0', '232448', '132', '1']);
  expect(of(80)).toEqual(['', '8', '0', '166912', '108', '0']);
});

test('a driver that is too old, a device that is too old or too new', () => {
  const load = (target: string, version: string, settings: Settings): Reply =>
    runScript(['begin', moduleLine('m', `${header(target, version)}.visible .entry k() { ret; }`)], settings)[1]!;
  expect(load('sm_80', '8.5', { driver: 12020 })).toEqual({
    status: unsupportedPtx,
    text: 'the text is PTX 8.5, this driver knows PTX up to 8.2',
  });
  expect(load('sm_80', '7.5', { driver: 11040 }).status).toBe(unsupportedPtx);
  expect(load('sm_80', '7.5', { driver: 12020, capability: 100 }).status).toBe(success);
  expect(load('sm_90', '8.0', { capability: 80 })).toEqual({ status: noBinary, text: 'the text is for sm_90, the device is sm_80' });
  expect(load('sm_90a', '8.0', { capability: 90 }).status).toBe(success);
  expect(load('sm_90a', '8.0', { capability: 100 }).status).toBe(noBinary);
  expect(runScript(['version'], { driver: 11040 })[0]!.text).toBe('11040');
});

test.each([
  ['an unknown instruction', 'frobnicate.f32 %x, %x;', /line 5: frobnicate\.f32: not an instruction/],
  ['an unknown name', 'mov.f32 %y, %x;', /line 5: mov\.f32: unknown name %y/],
  ['another size', '.reg .f64 %y; mov.f32 %x, %y;', /line 5: .*has another size/],
  ['no label', 'bra NOWHERE;', /line 5: bra: no label NOWHERE/],
  ['no end', 'mov.f32 %x, ', /line \d: .*/],
  ['a call', 'call f, ();', /line 5: /],
  ['a dot in a name', '.shared .b8 a.b[4];', /line 5: 'a\.b' is no name/],
])('text with %s is refused with its line', (_, line, says) => {
  const text = `${header()}.visible .entry k() { .reg .f32 %x;\n${line}\nret; }`;
  const [, reply] = runScript(['begin', moduleLine('m', text)]);
  expect(reply!.status).toBe(invalidPtx);
  expect(reply!.text).toMatch(says);
});

test('memory runs out, and comes back', () => {
  const replies = runScript(['begin', 'alloc a 600', 'alloc b 600', 'memory', 'cuMemFree_v2 a:a', 'alloc b 600', 'memory', 'alloc c 0'], {
    memory: 1000,
  });
  expect(statuses(replies)).toEqual([success, success, outOfMemory, success, success, success, success, invalidValue]);
  expect([replies[3]!.text, replies[6]!.text]).toEqual(['400 1000', '400 1000']);
});

test('freed memory, and copies beyond an end, are refused', () => {
  expect(statuses(after(['download a+4 256', 'cuMemFree_v2 a:a', 'cuMemFree_v2 a:a', 'download a 4']))).toEqual([
    invalidValue,
    success,
    invalidValue,
    invalidValue,
  ]);
  const used = after(['cuMemFree_v2 a:a', `launch f 1 1 1 32 1 1 0 - a ${n}`, 'cuCtxSynchronize', 'fault']);
  expect(used[2]!.status).toBe(illegalAddress);
  expect(used[3]!.text).toContain('illegal global address');
});

test('a fault ends the context for good, and is told by whoever waits', () => {
  const replies = after([
    `launch f 1 1 1 128 1 1 0 - a x:80000000`,
    'cuCtxSynchronize',
    'alloc b 4',
    'download a 4',
    `launch f 1 1 1 1 1 1 0 - a ${n}`,
    'fault',
  ]);
  expect(statuses(replies)).toEqual([success, illegalAddress, illegalAddress, illegalAddress, illegalAddress, success]);
  expect(replies.at(-1)!.text).toMatch(
    /illegal global address 0x[0-9a-f]+ \(4 bytes\).*kernel double, line 15 \(ld\.global\.f32\), block \(0,0,0\) thread \((64|96),0,0\)/,
  );
});

test('a launch that tests choose fails with what they choose', () => {
  const lines = [`launch f 1 1 1 64 1 1 0 - a ${n}`, 'cuCtxSynchronize', `launch f 1 1 1 64 1 1 0 - a ${n}`, 'cuCtxSynchronize'];
  expect(statuses(after(lines, { fault: 2, 'fault-code': 719 }))).toEqual([success, success, success, 719]);
});

test('limits of launches', () => {
  const sizes = ['0 1 1 32 1 1 0', '1 1 1 0 1 1 0', '1 1 1 1025 1 1 0', '1 65536 1 32 1 1 0', '1 1 1 1 1 65 0', '1 1 1 32 1 1 49153'];
  expect(statuses(after(sizes.map((size) => `launch f ${size} - a ${n}`)))).toEqual(sizes.map(() => invalidValue));
  const large = [
    'launch f 1 1 1 32 1 1 100000 - a x:00000000',
    'cuFuncSetAttribute h:f 8 100000',
    'launch f 1 1 1 32 1 1 100000 - a x:00000000',
    'cuFuncSetAttribute h:f 8 300000',
  ];
  expect(statuses(after(large))).toEqual([invalidValue, success, success, invalidValue]);
});

test('a kernel that never ends is stopped', () => {
  const text = `${header()}.visible .entry k() {\nHERE: bra HERE; }`;
  const replies = runScript(['begin', moduleLine('m', text), 'function k m k', 'launch k 1 1 1 32 1 1 0 -', 'cuCtxSynchronize'], {
    limit: 100_000,
  });
  expect(replies.at(-1)!.status).toBe(702);
});

test('names and handles that are not there', () => {
  expect(statuses(after(['function g m half', 'cuModuleUnload h:m', 'cuModuleUnload h:m', `launch f 1 1 1 32 1 1 0 - a ${n}`]))).toEqual([
    ...[notFound, success, invalidHandle, invalidHandle],
  ]);
  const [name, text, none] = runScript(['name 700', 'string 2', 'name 12345']);
  expect([name!.text, text!.text, none!.status]).toEqual(['CUDA_ERROR_ILLEGAL_ADDRESS', 'out of memory', invalidValue]);
  expect(
    runScript([
      'address-of cuMemAlloc 12000',
      'address-of cuGraphLaunch 12000',
      'address-of cuFrobnicate 12000',
      'address-of cuInit 99000',
    ]),
  ).toEqual([...[success, success, notFound, notFound].map((status, i) => ({ status, text: ['0', '0', '1', '2'][i] }))]);
});

test('debug information is passed over', () => {
  const section = '.file 1 "model.tdsl"\n.section .debug_info\n{\n.b32 44 // bytes\n.b32 .debug_abbrev\n}\n';
  const body =
    '.loc 1 3 0\n.reg .u32 %x;\n.loc 1 4 5, function_name $L0, inlined_at 1 2 0\n$L0:\nmov.u32 %x, 1;\n.pragma "nounroll";\nret;\n';
  const text = `${header()}.visible .entry k()\n{\n${body}}\n${section}`;
  expect(statuses(runScript(['begin', moduleLine('m', text), 'function k m k', 'launch k 1 1 1 32 1 1 0 -', 'cuCtxSynchronize']))).toEqual([
    0, 0, 0, 0, 0,
  ]);
});

test('variables of modules have memory', () => {
  const text = `${header()}.visible .global .align 8 .f32 table[4] = {0f3F800000, 2.0, 3.0};\n.visible .entry k() { ret; }`;
  const replies = runScript(['begin', moduleLine('m', text), 'global t m table', 'download t 16', 'global u m other']);
  expect(replies[2]!.text).toBe('16');
  expect(values(replies[3]!)).toEqual([1, 2, 3, 0]);
  expect(replies[4]!.status).toBe(notFound);
});

test('work that nobody waits for has not been done, when the driver is lazy', () => {
  const lines = [
    ...['cuStreamCreate n:s 1', 'pinned h 256', 'cuMemcpyDtoHAsync_v2 a:h a:a 256 h:s', `launch f 1 1 1 64 1 1 0 s a ${n}`],
    ...['download a 4', 'cuStreamSynchronize h:s', 'download a 4'],
  ];
  const eager = after(lines);
  const lazy = after(lines, { lazy: 1 });
  expect([values(eager[4]!), values(eager[6]!)]).toEqual([[2], [2]]);
  expect([values(lazy[4]!), values(lazy[6]!)]).toEqual([[1], [2]]);
});

test('a stream waits for the event of another one', () => {
  const lines = [
    ...['cuStreamCreate n:s 1', 'cuStreamCreate n:t 1', 'cuEventCreate n:e 0', `launch f 1 1 1 64 1 1 0 s a ${n}`, 'cuEventRecord h:e h:s'],
    ...[
      'cuStreamWaitEvent h:t h:e 0',
      'alloc b 4',
      'cuMemcpyDtoDAsync_v2 a:b a:a 4 h:t',
      'cuEventQuery h:e',
      'cuStreamSynchronize h:t',
      'cuEventQuery h:e',
      'download b 4',
    ],
  ];
  const replies = after(lines, { lazy: 1 });
  expect(statuses(replies.slice(0, -1))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 600, 0, 0]);
  expect(values(replies.at(-1)!)).toEqual([2]);
  // Without the wait the copy takes what was there before.
  expect(
    values(
      after(
        lines.filter((line) => !line.startsWith('cuStreamWaitEvent')),
        { lazy: 1 },
      ).at(-1)!,
    ),
  ).toEqual([1]);
});

test('a captured graph runs as often as it is launched, and is updated in place', () => {
  const capture = (name: string, lines: readonly string[]): string[] => [
    'cuStreamBeginCapture_v2 h:s 0',
    ...lines,
    `cuStreamEndCapture h:s n:${name}`,
  ];
  const twice = `launch f 1 1 1 64 1 1 0 s a ${n}`;
  const replies = after([
    ...['cuStreamCreate n:s 1', ...capture('g', [twice, twice]), 'download a 4', 'cuGraphInstantiateWithFlags n:x h:g 0'],
    ...['cuGraphLaunch h:x h:s', 'cuGraphLaunch h:x h:s', 'cuStreamSynchronize h:s', 'download a 4'],
    ...['alloc b 256', `upload b ${ones}`, ...capture('g2', [twice.replace(' a ', ' b '), twice]), 'update x g2'],
    ...['cuGraphLaunch h:x h:s', 'cuStreamSynchronize h:s', 'download a 4', 'download b 4', ...capture('g3', [twice]), 'update x g3'],
    ...['cuGraphDestroy h:g', 'cuGraphDestroy h:g', 'cuGraphExecDestroy h:x', 'cuGraphLaunch h:x h:s'],
  ]);
  const downloads = replies.filter((reply) => reply.text.length === 8).map((reply) => values(reply)[0]);
  expect(downloads).toEqual([1, 16, 32, 2]);
  expect(statuses(replies).filter((status) => status !== 0)).toEqual([updateFailed, invalidHandle, invalidHandle]);
  expect(replies.filter((reply) => /^[0-4]$/.test(reply.text)).map((reply) => reply.text)).toEqual(['0', '2']);
});

test('what a capture forbids makes it void', () => {
  const begin = ['cuStreamCreate n:s 1', 'cuStreamBeginCapture_v2 h:s 0'];
  for (const forbidden of ['alloc b 4', 'cuStreamSynchronize h:s', 'cuCtxSynchronize', 'download a 4'])
    expect(statuses(after([...begin, forbidden, 'capturing s', 'cuStreamEndCapture h:s n:g', 'cuCtxSynchronize']))).toEqual([
      ...[success, success, captureUnsupported, success, captureInvalidated, success],
    ]);
});

test('a capture takes in a stream that waits for an event of it', () => {
  const launched = (stream: string): string => `launch f 1 1 1 64 1 1 0 ${stream} a ${n}`;
  const replies = after([
    ...[
      'cuStreamCreate n:s 1',
      'cuStreamCreate n:t 1',
      'cuEventCreate n:e 0',
      'cuEventCreate n:o 0',
      'cuStreamBeginCapture_v2 h:s 0',
      launched('s'),
    ],
    ...['cuEventRecord h:e h:s', 'cuStreamWaitEvent h:t h:e 0', launched('t'), 'cuEventRecord h:o h:t', 'cuStreamWaitEvent h:s h:o 0'],
    ...[
      'cuStreamEndCapture h:s n:g',
      'download a 4',
      'cuGraphInstantiateWithFlags n:x h:g 0',
      'cuGraphLaunch h:x h:t',
      'cuStreamSynchronize h:t',
      'download a 4',
    ],
  ]);
  expect(statuses(replies)).toEqual(replies.map(() => success));
  expect([values(replies.at(-5)!), values(replies.at(-1)!)]).toEqual([[1], [4]]);
});

test('tensor maps are refused as the real driver does', () => {
  // type, swizzle, rank, sizes, strides, box
  const made = [
    '7 0 2 64 64 256 8 32',
    '7 3 2 64 64 256 64 32',
    '7 0 2 64 64 250 8 32',
    '7 0 2 64 64 256 3 32',
    '7 0 2 64 64 256 8 257',
    '9 3 2 64 64 128 64 64',
  ];
  expect(statuses(after(made.map((map, i) => `tensor-map t${i} a ${map}`)))).toEqual([0, 1, 1, 1, 1, 0]);
});

test('instructions are counted', () => {
  const lines = [
    'begin',
    moduleLine('m', sumRows),
    'function f m sumRows',
    'alloc a 1024',
    'alloc b 4',
    'cuMemsetD32_v2 a:a 0 256',
    'launch f 1 1 1 256 1 1 0 - a b',
    'counts',
  ];
  const [warps, lanes, launches] = runScript(lines).at(-1)!.text.split(' ').map(Number);
  expect(launches).toBe(1);
  // 33 instructions of 8 warps, and the loop of one thread.
  expect(warps).toBeGreaterThan(8 * 33);
  expect(warps).toBeLessThan(8 * 60);
  expect(lanes).toBeLessThan(32 * warps!);
});
