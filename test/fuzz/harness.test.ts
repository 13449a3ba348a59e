// The fuzzer itself. In: things that go wrong on purpose. Out: they are found, told apart, and made small; models of formats agree with
// files whose content is known.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { DiagnosticsError, InternalError } from '../../src/base/index.js';
import { TfcError } from '../../runtime/index.js';
import { npy } from '../driver/files-of-data.js';
import { keep, keptIn } from './corpus.js';
import { bytes, items, lines, words } from './grains.js';
import { judge, verdictOf } from './judge.js';
import { minimize } from './minimize.js';
import { hasTwins, modelGunzip, modelSafetensors } from './model-files.js';
import { modelNpy } from './model-npy.js';
import { Worker } from './process.js';
import { Random, seedAt } from './random.js';
import { fine, type Input, type Target, targetNames, targetOf } from './target.js';

const text = (what: string): Input => ({ extension: 'tdsl', bytes: Buffer.from(what) });

test('the same seed draws the same input, another one another', async () => {
  for (const name of targetNames) {
    const target = await targetOf(name);
    const drawn = (seed: number): string[] =>
      Array.from({ length: 10 }, (_, at) => Buffer.from(target.draw(new Random(seedAt(seed, at))).bytes).toString('latin1'));
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  }
});

test('only coded errors count as refusals', () => {
  expect(verdictOf(new DiagnosticsError([{ code: 'bad-data', message: 'wrong' }]))).toEqual({ kind: 'refused', code: 'bad-data' });
  expect(verdictOf(new TfcError('shape-mismatch', 'wrong'))).toEqual({ kind: 'refused', code: 'shape-mismatch' });
  expect(verdictOf(new InternalError('lower', 'broken'))).toMatchObject({ fault: 'internal-error' });
  expect(verdictOf(new TypeError('broken'))).toMatchObject({ fault: 'exception' });
  expect(verdictOf(new DiagnosticsError([{ code: 'no-such-code' as never, message: 'wrong' }]))).toMatchObject({ fault: 'exception' });
  expect(verdictOf('a string')).toMatchObject({ fault: 'exception' });
  const deep = (): number => 1 + deep();
  try {
    deep();
  } catch (error) {
    expect(verdictOf(error)).toMatchObject({ fault: 'stack' });
  }
});

test('processor time and memory count', async () => {
  const target = (check: () => void, seconds = 0.2): Target => ({
    seconds,
    batch: 1,
    draw: () => text(''),
    check: () => (check(), fine),
    grains: [],
  });
  const busy = (): void => {
    const start = process.cpuUsage();
    while (process.cpuUsage(start).user < 300_000);
  };
  expect(await judge(target(busy), text(''), { thorough: true, timed: true })).toMatchObject({ fault: 'hang' });
  // What is large has more time.
  const large: Target = { ...target(busy), check: () => (busy(), { kind: 'fine', size: 100 }) };
  expect(await judge(large, text(''), { thorough: true, timed: true })).toMatchObject({ kind: 'fine' });
  expect(
    await judge(
      target(() => void Buffer.alloc(600 * 2 ** 20, 1), 20),
      text(''),
      { thorough: true, timed: true },
    ),
  ).toMatchObject({ fault: 'memory' });
  expect(
    await judge(
      target(() => undefined),
      text(''),
      { thorough: true, timed: true },
    ),
  ).toBe(fine);
});

test('a process that dies names the input at which it did', async () => {
  const worker = new Worker('front', 1, { execArgv: ['--max-old-space-size=8'] });
  expect(await worker.ask({ kind: 'run', seed: 1, from: 7, to: 2000 })).toMatchObject({ kind: 'dead', finding: { fault: 'memory' } });
  await worker.close();
});

test('inputs are made small', async () => {
  const input = text('one\ntwo three\nfour five six\nseven\n');
  for (const grain of [lines, words, bytes])
    expect(Buffer.from(grain.join(grain.split(input.bytes))).toString()).toBe(Buffer.from(input.bytes).toString());
  const small = await minimize(input, [lines, words], async (candidate) => Buffer.from(candidate.bytes).toString().includes('five'));
  expect(Buffer.from(small.bytes).toString()).toBe('five');
  const list = await minimize({ extension: 'json', bytes: Buffer.from('[1,[2],{"a":3},4]') }, [items], async (candidate) =>
    Buffer.from(candidate.bytes).toString().includes('{"a":3}'),
  );
  expect(JSON.parse(Buffer.from(list.bytes).toString())).toEqual([{ a: 3 }]);
});

test('what was found is kept as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfc-found-'));
  try {
    const note = { target: 'loaders', fault: 'accepted', text: 'so', seed: 1, at: 2 } as const;
    keep(folder, { extension: 'idx.gz', bytes: Uint8Array.of(0, 255, 10) }, note);
    expect(keptIn(folder)).toMatchObject([{ note, input: { extension: 'idx.gz', bytes: Buffer.from([0, 255, 10]) } }]);
    expect(keptIn(folder, ['front'])).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('models of formats find what is in a file, and nothing in a damaged one', () => {
  const file = npy('<f4', [2], Float32Array.of(1, 2));
  expect(modelNpy(file)).toMatchObject({ descr: '<f4', shape: [2], fortran: false });
  const header = (dictionary: string): Buffer =>
    Buffer.concat([
      Buffer.from('\x93NUMPY\x01\0', 'latin1'),
      Buffer.from([dictionary.length + 1, 0]),
      Buffer.from(`${dictionary}\n`),
      new Uint8Array(128),
    ]);
  for (const good of [
    `{'descr':'<f4',"fortran_order":False,'shape':(2,)}`,
    `{'shape': (0x2, 1_0), 'descr': '<' 'f4', 'fortran_order': True}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': ()}`,
  ])
    expect(modelNpy(header(good)), good).toBeDefined();
  for (const wrong of [
    `{'descr': '<f4', 'fortran_order': False, 'shape': (2)}`,
    `{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}`,
    `{'descr': '<f4', 'fortran_order': False}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (,)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}`,
    `{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}`,
  ])
    expect(modelNpy(header(wrong)), wrong).toBeUndefined();
  const packed = gzipSync(Buffer.from('some text, some text'));
  expect(modelGunzip(packed)).toEqual(Buffer.from('some text, some text'));
  expect(modelGunzip(Buffer.concat([packed, packed, new Uint8Array(9)]))).toHaveLength(40);
  expect(modelGunzip(Buffer.concat([packed, Buffer.from('x')]))).toBeUndefined();
  // All but what says when, by whom, and with how much effort it was packed.
  for (let at = 10; at < packed.length; at++) {
    const damaged = Buffer.from(packed);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    expect(modelGunzip(damaged), `byte ${at}`).toBeUndefined();
  }
  const tensors = (json: string, bytes: number): Buffer => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([head, Buffer.from(json), new Uint8Array(bytes)]);
  };
  expect(modelSafetensors(tensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8))?.get('a')).toMatchObject({
    dtype: 'F32',
    shape: [2],
  });
  for (const [json, bytes] of [
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 9],
    ['{"a":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}', 9],
    [' {}', 0],
    ['{"a":1}', 0],
    ['{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}', 0],
  ] as const)
    expect(modelSafetensors(tensors(json, bytes)), json).toBeUndefined();
  expect(hasTwins('{"a":[{"b":1,"c":{"b":2}}],"b":"a"}')).toBe(false);
  expect(hasTwins('{"a":[{"b":1,"\\u0062":2}]}')).toBe(true);
});
