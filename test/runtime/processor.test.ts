// What the processor says of itself, beside what the system says of it.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { featuresOf, isFeature, processorKey } from '../../runtime/abi/processor.js';
import { loadNative } from '../../runtime/native.js';

/** Linux's names where they differ from LLVM's. */
const named: Readonly<Record<string, string>> = {
  sse3: 'pni',
  'sse4.1': 'sse4_1',
  'sse4.2': 'sse4_2',
  bmi: 'bmi1',
  lzcnt: 'abm',
  sahf: 'lahf_lm',
  avxvnni: 'avx_vnni',
  avx512vbmi2: 'avx512_vbmi2',
  avx512vnni: 'avx512_vnni',
  avx512bitalg: 'avx512_bitalg',
  avx512vpopcntdq: 'avx512_vpopcntdq',
  avx512fp16: 'avx512_fp16',
  avx512bf16: 'avx512_bf16',
  avxifma: 'avx_ifma',
  avxvnniint8: 'avx_vnni_int8',
  avxneconvert: 'avx_ne_convert',
  avxvnniint16: 'avx_vnni_int16',
};

test.runIf(process.arch === 'x64')('the features are those that Linux lists', () => {
  const flags = new Set(/^flags\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '));
  const found = featuresOf(loadNative().processor());
  expect(found.every(isFeature)).toBe(true);
  for (const feature of found) expect([feature, flags.has(named[feature] ?? feature)]).toEqual([feature, true]);
  for (const feature of ['popcnt', 'avx', 'avx2', 'fma', 'f16c', 'bmi2', 'avx512f', 'avx512vl', 'sse4a'])
    expect([feature, found.includes(feature)]).toEqual([feature, flags.has(feature)]);
});

test('registers that the system does not save count as absent', () => {
  const all = new Uint32Array(9).fill(2 ** 32 - 1);
  expect(featuresOf(all)).toContain('avx512f');
  all[8] = 0x6;
  expect(featuresOf(all)).toEqual(expect.arrayContaining(['avx2', 'bmi2', 'popcnt']));
  expect(featuresOf(all)).not.toContain('avx512f');
  all[8] = 0x2;
  expect(featuresOf(all)).not.toContain('avx2');
  expect(featuresOf(new Uint32Array(0))).toEqual([]);
  expect(processorKey(all)).not.toBe(processorKey(new Uint32Array(9)));
});
