// Feeds of the command line. In: texts and files. Out: values, or bad-data that names the feed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Diagnostic, DiagnosticsError } from '../../src/driver/index.js';
import { UsageError } from '../../src/driver/commands/options.js';
import { readFeeds } from '../../src/driver/commands/feeds.js';
import { npy } from './files-of-data.js';

const directory = mkdtempSync(join(tmpdir(), 'tfc-feeds-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

function mistake(...args: Parameters<typeof readFeeds>): Diagnostic {
  try {
    readFeeds(...args);
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    return error.diagnostics[0] as Diagnostic;
  }
  throw new Error('nothing was thrown');
}

describe('feeds', () => {
  it('takes numbers, nested arrays, strings that stand for numbers, and files', () => {
    expect(readFeeds(['a=1', 'b=[[1,2.5],[-3,4e2]]', 'c="NaN"', 'd=true', 'e=["9007199254740993"]', 'f=[]'], undefined)).toEqual({
      a: 1,
      b: [
        [1, 2.5],
        [-3, 400],
      ],
      c: 'NaN',
      d: true,
      e: ['9007199254740993'],
      f: [],
    });
    expect(readFeeds([`x=@${file('x.npy', npy('<f4', [1, 2], Float32Array.of(1, 2)))}`], undefined)).toEqual({
      x: { data: Float32Array.of(1, 2), dtype: 'f32', shape: [1, 2] },
    });
    expect(readFeeds([`x=@${file('x.json', '[1, 2]')}`], undefined)).toEqual({ x: [1, 2] });
    expect(readFeeds([], file('bom.json', '\ufeff{"x": [1], "__proto__": 2}'))).toEqual(
      Object.fromEntries([
        ['x', [1]],
        ['__proto__', 2],
      ]),
    );
  });

  it('takes halves as they are, and says how to save numbers that lie the other way round', () => {
    expect(readFeeds([`x=@${file('h.npy', npy('<f2', [2], Uint16Array.of(0x3c00, 0xc000)))}`], undefined)).toEqual({
      x: { data: Uint16Array.of(0x3c00, 0xc000), dtype: 'f16', shape: [2] },
    });
    expect(mistake([`x=@${file('big.npy', npy('>f4', [1], Uint8Array.of(0x3f, 0x80, 0, 0)))}`], undefined)).toMatchObject({
      code: 'bad-data',
      message: `${join(directory, 'big.npy')}: its numbers are big-endian (>f4), the most significant byte first`,
      hint: "Save them the other way round: numpy.save(…, x.astype('<f4')).",
    });
  });

  it('are one name in either form of Unicode', () => {
    expect(readFeeds(['cafe\u0301=1'], file('cafe.json', '{"the\u0301": 2}'))).toEqual({ 'caf\u00e9': 1, 'th\u00e9': 2 });
  });

  it('takes records, whose fields are feeds', () => {
    expect(readFeeds(['b={"x": [1], "in": {"y": 2}}'], undefined)).toEqual({ 'b/x': [1], 'b/in/y': 2 });
    expect(readFeeds([], file('record.json', '{"b": {"x": 1}}'))).toEqual({ 'b/x': 1 });
  });

  it('takes a file of all, and single feeds win over it', () => {
    expect(readFeeds(['b=3'], file('feeds.json', '{"a": 1, "b": 2}'))).toEqual({ a: 1, b: 3 });
  });

  it('keeps a feed whatever its name is', () => {
    expect(Object.keys(readFeeds(['__proto__=1', 'constructor=2'], undefined))).toEqual(['__proto__', 'constructor']);
  });

  it.each([
    ['x=NaN', 'feed x: NaN and Infinity are no JSON'],
    ['x=[1, -Infinity]', 'feed x: NaN and Infinity are no JSON'],
  ])('says how to write %s', (pair, said) => {
    expect(mistake([pair], undefined)).toMatchObject({
      code: 'bad-data',
      message: said,
      hint: 'Write them as strings: "NaN", "Infinity", "-Infinity".',
    });
  });

  it.each(['x', '=1'])('takes %s for wrong usage', (pair) => {
    expect(() => readFeeds([pair], undefined)).toThrow(UsageError);
  });

  it.each([
    ['x=', 'feed x: not JSON'],
    ['x=[1,', 'feed x: not JSON'],
    ['x={"NaN": 1', 'feed x: not JSON'],
    ['x=[{"a":1}]', 'feed x: expected a number or nested arrays of numbers, got an object'],
    ['x={}', 'feed x: an object without members'],
    ['x=[null]', 'got null'],
    ['x=[1, 1e999]', 'feed x: line 1, column 5: 1e999 is beyond the range of numbers'],
    [`x=-${'9'.repeat(400)}`, 'is beyond the range of numbers'],
    [`x=${'['.repeat(1e6)}`, 'more than 64 deep'],
    [`x=["${'\\"'.repeat(1e6)}`, 'feed x: not JSON'],
    [`x=${'['.repeat(5000)}${']'.repeat(5000)}`, 'more than 64 deep'],
  ])('refuses %.20s', (pair, said) => {
    const { code, message } = mistake([pair], undefined);
    expect(code).toBe('bad-data');
    expect(message).toContain(said);
  });

  it('names files that are not there or hold no object', () => {
    expect(mistake(['x=@/nowhere/x.npy'], undefined)).toMatchObject({
      code: 'file-not-found',
      message: '/nowhere/x.npy: no such file or directory',
    });
    expect(mistake([], directory)).toMatchObject({ code: 'file-not-found', message: `${directory}: is a directory` });
    expect(mistake([], file('twice.json', '{"x": 1,\n"\\u0078": 2}')).message).toContain('line 2, column 1: "x" is given twice');
    expect(mistake([], '/dev/zero')).toMatchObject({ code: 'file-not-found', message: '/dev/zero: is a device, and no regular file' });
    expect(mistake([], file('list.json', '[1]')).message).toContain('expected one JSON object');
    expect(mistake([], file('bare.json', '{"x": [NaN]}')).hint).toContain('"NaN"');
  });
});
