// Checkpoints: what is saved comes back; files that are not intact change nothing and crash nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SafetensorsFile, type Session, type Tensor, TfcError, openModule, writeSafetensors } from '../../runtime/index.js';
import { compileFixture, scratch, thrown } from './fixture.js';

const directory = scratch();
const module = openModule(compileFixture(directory, 'module'));
const open = (): Session => module.session({ threads: 1 });
const failure = (body: () => unknown): TfcError => {
  const error = thrown(body);
  expect(error).toBeInstanceOf(TfcError);
  return error as TfcError;
};

/** A checkpoint with other values than the initial ones. */
function saved(name: string): string {
  const path = join(directory, name);
  using session = open();
  session.set('net/w', [0.25, -3]);
  session.set('net/t', 42);
  session.set('net/v', 1);
  session.save(path);
  return path;
}

const values = (session: Session): unknown[] => [
  (session.get('net/w') as Tensor).toArray(),
  session.get('net/t'),
  (session.get('net/u') as Tensor).toArray(),
];

/** A file with this header and data. */
function raw(name: string, header: unknown, data = new Uint8Array(0)): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(directory, name);
  writeFileSync(path, Buffer.concat([length, json, data]));
  return path;
}

describe('saving and restoring', () => {
  test('everything comes back', () => {
    const path = saved('all.safetensors');
    using session = open();
    session.restore(path);
    expect(values(session)).toEqual([[0.25, -3], 42, [0, -3]]);
    expect(session.get('net/v')).toBe(1);
    using file = new SafetensorsFile(path);
    expect(file.metadata).toMatchObject({ module: 'fixture.tdsl' });
    expect([...file.tensors.keys()]).toEqual(['net/w', 'net/t', 'net/u', 'net/v']);
    expect((file.tensors.get('net/w')?.offset ?? 1) % 8).toBe(0);
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('parts, under other names', () => {
    const path = saved('part.safetensors');
    using session = open();
    session.restore(path, { only: ['net/t'] });
    expect(values(session)).toEqual([[0, 1], 42, [0, -3]]);
    session.save(path, ['net/w']);
    using file = new SafetensorsFile(path);
    expect([...file.tensors.keys()]).toEqual(['net/w']);
    const renamed = join(directory, 'renamed.safetensors');
    writeSafetensors(renamed, [{ name: 'weights', dtype: 'f32', shape: [2], read: () => Float32Array.of(8, 9) }]);
    session.restore(renamed, { rename: { 'net/w': 'weights' }, only: ['net/w'] });
    expect(values(session)[0]).toEqual([8, 9]);
    session.restore(renamed, { rename: (path) => path.replace('net/w', 'weights'), only: ['net/w'] });
  });

  test('what does not fit is named, and nothing changes', () => {
    using session = open();
    const before = values(session);
    const file = (name: string, dtype: 'f32' | 'f64' | 'i32', shape: number[]): string => {
      const path = join(directory, `${name.replace('/', '-')}-${dtype}.safetensors`);
      writeSafetensors(path, [
        { name: 'net/t', dtype: 'i32', shape: [], read: () => Int32Array.of(5) },
        {
          name,
          dtype,
          shape,
          read: () => new { f32: Float32Array, f64: Float64Array, i32: Int32Array }[dtype](shape.reduce((a, b) => a * b, 1)),
        },
      ]);
      return path;
    };
    expect(failure(() => session.restore(file('net/q', 'f32', [2])))).toMatchObject({ code: 'unknown-variable', variable: 'net/q' });
    expect(failure(() => session.restore(file('net/w', 'f64', [2])))).toMatchObject({
      code: 'dtype-mismatch',
      expected: 'f32[2]',
      actual: 'f64[2]',
    });
    expect(failure(() => session.restore(file('net/w', 'f32', [3])))).toMatchObject({ code: 'shape-mismatch', actual: 'f32[3]' });
    expect(failure(() => session.restore(file('net/w', 'f32', [2])))).toMatchObject({
      code: 'bad-data',
      message: expect.stringContaining('net/u'),
    });
    expect(failure(() => session.save(join(directory, 'twice'), { rename: () => 'net/w' }))).toMatchObject({
      code: 'invalid-value',
      message: expect.stringContaining('Two tensors'),
    });
    expect(existsSync(join(directory, 'twice'))).toBe(false);
    expect(failure(() => session.restore(saved('only.safetensors'), { only: ['net/x'] }))).toMatchObject({ code: 'unknown-variable' });
    expect(values(session)).toEqual(before);
  });

  test('all that does not fit is listed, and a rename that is the wrong way round is seen', () => {
    const path = raw(
      'three',
      {
        'net/w': { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
        'net/tt': { dtype: 'I32', shape: [], data_offsets: [12, 16] },
      },
      new Uint8Array(16),
    );
    using session = open();
    expect(failure(() => session.restore(path))).toMatchObject({
      code: 'unknown-variable',
      message: `${path} does not fit the variables: it holds net/tt, and the module has no such variable; net/w is f32[2], and it holds f32[3]; it does not hold net/t, net/u, net/v.`,
      hint: 'Did you mean net/t?',
    });
    expect(failure(() => session.restore(path, { rename: { 'net/tt': 'net/t' } }))).toMatchObject({
      code: 'unknown-variable',
      hint: 'rename maps paths of variables to names in the file: { "net/t": "net/tt" }.',
    });
  });

  test('parts say what became of each', () => {
    const path = raw(
      'parts',
      {
        'net/w': { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
        count: { dtype: 'I32', shape: [], data_offsets: [12, 16] },
        other: { dtype: 'U8', shape: [], data_offsets: [16, 17] },
      },
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1),
    );
    using session = open();
    expect(session.restore(path, { partial: true, rename: { 'net/t': 'count' } })).toEqual({
      restored: ['net/t'],
      missing: ['net/u', 'net/v'],
      unused: ['other'],
      mismatched: [{ code: 'shape-mismatch', variable: 'net/w', name: 'net/w', expected: 'f32[2]', actual: 'f32[3]' }],
    });
    expect(values(session)).toEqual([[0, 1], 7, [0, -3]]);
  });

  test('what is saved under other names comes back by the same map', () => {
    const path = join(directory, 'encoder');
    using session = open();
    session.set('net/w', [5, 6]);
    const rename = { 'net/w': 'encoder.weight' };
    session.save(path, { only: ['net/w', 'net/t'], rename, metadata: { note: 'mine', module: 'other' } });
    using file = new SafetensorsFile(path);
    expect([...file.tensors.keys()]).toEqual(['encoder.weight', 'net/t']);
    expect(file.metadata).toMatchObject({ note: 'mine', module: 'other' });
    session.set('net/w', [0, 0]);
    expect(session.restore(path, { only: ['net/w'], rename })).toMatchObject({ restored: ['net/w'], unused: ['net/t'] });
    expect(values(session)[0]).toEqual([5, 6]);
  });

  test.each([
    ['F16', [0x3c00, 0x8001], [1, -(2 ** -24)]],
    ['BF16', [0x3fc0, 0x7f80], [1.5, Infinity]],
  ])('%s becomes f32 unasked: its values stay', (dtype, bits, expected) => {
    const path = raw('half', { 'net/w': { dtype, shape: [2], data_offsets: [0, 4] } }, new Uint8Array(Uint16Array.from(bits).buffer));
    using session = open();
    session.restore(path, { only: ['net/w'] });
    expect(values(session)[0]).toEqual(expected);
  });

  test('f64 becomes f32 when that is asked for, and integers never become floats', () => {
    const path = raw(
      'double',
      { 'net/w': { dtype: 'F64', shape: [2], data_offsets: [0, 16] } },
      new Uint8Array(Float64Array.of(0.1, 1e300).buffer),
    );
    using session = open();
    expect(failure(() => session.restore(path, { only: ['net/w'] }))).toMatchObject({
      code: 'dtype-mismatch',
      hint: expect.stringContaining('convert: true'),
    });
    session.restore(path, { only: ['net/w'], convert: true });
    expect(values(session)[0]).toEqual([Math.fround(0.1), Infinity]);
    const whole = raw('whole', { 'net/w': { dtype: 'I32', shape: [2], data_offsets: [0, 8] } }, new Uint8Array(8));
    expect(failure(() => session.restore(whole, { only: ['net/w'], convert: true })).code).toBe('dtype-mismatch');
    const small = raw('small', { 'net/t': { dtype: 'U8', shape: [], data_offsets: [0, 1] } }, Uint8Array.of(200));
    session.restore(small, { only: ['net/t'] });
    expect(session.get('net/t')).toBe(200);
  });

  test('files that cannot be written or read', () => {
    using session = open();
    expect(failure(() => session.save(join(directory, 'no/such/place'))).code).toBe('file-not-written');
    expect(failure(() => session.save(join(directory, 'x'), ['net/v'])).code).toBe('uninitialized-variable');
    expect(existsSync(join(directory, 'x'))).toBe(false);
    expect(failure(() => session.restore(join(directory, 'nowhere'))).code).toBe('file-not-found');
    expect(failure(() => session.restore(directory)).code).toBe('bad-data');
    for (const path of [5, undefined, Symbol('path'), {}])
      expect(failure(() => new SafetensorsFile(path as string)).code).toBe('invalid-value');
  });

  test('a file that is being replaced keeps its old content until the new one is complete', () => {
    const path = saved('kept.safetensors');
    const before = readFileSync(path);
    const broken = (): never => {
      throw new Error('no more');
    };
    expect(failure(() => writeSafetensors(path, [{ name: 'a', dtype: 'f32', shape: [2], read: broken }])).code).toBe('file-not-written');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('files that are not intact', () => {
  const entry = (dtype: string, shape: unknown, offsets: unknown): object => ({ a: { dtype, shape, data_offsets: offsets } });
  const cases: readonly (readonly [string, unknown, number])[] = [
    ['no JSON', '{', 0],
    ['no object', [], 0],
    ['unknown dtype', entry('F8', [1], [0, 1]), 1],
    ['negative size', entry('U8', [-1], [0, 1]), 1],
    ['wrong length', entry('F32', [2], [0, 4]), 4],
    ['overflow', entry('F32', [2 ** 40, 2 ** 40], [0, 4]), 4],
    ['data missing', entry('F32', [2], [0, 8]), 4],
    ['data left over', entry('F32', [1], [0, 4]), 8],
    ['hole', entry('F32', [1], [4, 8]), 8],
    ['overlap', { ...entry('F32', [2], [0, 8]), b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }, 12],
    ['metadata', { __metadata__: { a: 1 } }, 0],
    ['no offsets', { a: { dtype: 'F32', shape: [] } }, 4],
    ['null entry', { a: null }, 0],
    [
      'a tensor twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ],
    ['a member twice', '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    ['size with a point', '{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1],
    ['size with an exponent', '{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1],
    ['position minus zero', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}', 1],
    ['three positions', entry('U8', [1], [0, 1, 1]), 1],
    ['white space first', ` ${JSON.stringify(entry('U8', [1], [0, 1]))}`, 1],
    ['zero byte last', `${JSON.stringify(entry('U8', [1], [0, 1]))}\0`, 1],
    ['byte order mark', `\ufeff${JSON.stringify(entry('U8', [1], [0, 1]))}`, 1],
    ['half a character', '{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    ['half a byte', entry('F4', [3], [0, 2]), 2],
    ['overflow beside an empty axis', entry('F32', [2 ** 40, 2 ** 40, 0], [0, 0]), 0],
    ['deep', `{"a":${'['.repeat(1e6)}`, 0],
    ['deep dtype', `{"a":{"dtype":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`, 0],
    ['list for an entry', { a: ['U8', [1], [0, 1]] }, 1],
  ];

  test.each(cases)('%s', (name, header, bytes) => {
    const path = raw(`case-${name.replaceAll(' ', '-')}`, header, new Uint8Array(bytes));
    expect(failure(() => new SafetensorsFile(path)).code).toBe('bad-data');
  });

  test('what the format allows', () => {
    const headers: readonly (readonly [unknown, number])[] = [
      [{}, 0],
      [entry('U8', [0], [0, 0]), 0],
      [entry('F32', [0, 2 ** 40], [0, 0]), 0],
      ['{"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}} \n\t ', 1],
      ['{"\\ud83d\\ude00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
      [{ b: { dtype: 'U8', shape: [1], data_offsets: [3, 4] }, a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] } }, 4],
    ];
    for (const [header, bytes] of headers) {
      using file = new SafetensorsFile(raw('allowed', header, new Uint8Array(bytes)));
      for (const name of file.tensors.keys()) file.read(name);
    }
    using file = new SafetensorsFile(
      raw('proto', '{"__metadata__":{"__proto__":"m"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', Uint8Array.of(5)),
    );
    expect(file.read('__proto__').data).toEqual(Uint8Array.of(5));
    expect(Object.entries(file.metadata)).toEqual([['__proto__', 'm']]);
  });

  test('element types that we do not have matter only where they are asked for', () => {
    const header = {
      old: { dtype: 'F8_E8M0', shape: [3], data_offsets: [0, 3] },
      half: { dtype: 'F4', shape: [2], data_offsets: [3, 4] },
      'net/t': { dtype: 'I32', shape: [], data_offsets: [4, 8] },
    };
    const path = raw('foreign', header, Uint8Array.of(1, 2, 3, 4, 9, 0, 0, 0));
    using session = open();
    session.restore(path, { only: ['net/t'] });
    expect(session.get('net/t')).toBe(9);
    expect(failure(() => session.restore(path))).toMatchObject({ code: 'unknown-variable', variable: 'old' });
    expect(failure(() => session.restore(path, { only: ['net/w'], rename: { 'net/w': 'old' } }))).toMatchObject({
      code: 'dtype-mismatch',
      actual: 'F8_E8M0[3]',
    });
    using file = new SafetensorsFile(path);
    expect(file.tensors.get('half')).toMatchObject({ dtype: undefined, stored: 'F4', bytes: 1 });
    expect(failure(() => file.read('old'))).toMatchObject({ code: 'dtype-mismatch', message: expect.stringContaining('F8_E8M0') });
  });

  test('what is no regular file is refused at once', () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    using session = open();
    for (const path of [fifo, '/dev/zero'])
      expect(failure(() => session.restore(path))).toMatchObject({ code: 'bad-data', message: expect.stringContaining('no regular file') });
  });

  test('more than memory holds, in a file with a hole', () => {
    const bytes = 2 ** 32 + 8;
    const path = raw('vast', entry('U8', [bytes], [0, bytes]));
    truncateSync(path, statSync(path).size + bytes);
    using file = new SafetensorsFile(path);
    expect(failure(() => file.read('a')).code).toBe('out-of-memory');
  });

  test('a bool is 0 or 1', () => {
    const path = raw('bool', entry('BOOL', [2], [0, 2]), Uint8Array.of(1, 2));
    using file = new SafetensorsFile(path);
    expect(failure(() => file.read('a')).code).toBe('bad-data');
  });

  test('every truncation is refused', () => {
    const bytes = readFileSync(saved('whole.safetensors'));
    const path = join(directory, 'cut.safetensors');
    using session = open();
    for (let length = 0; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(failure(() => session.restore(path)).code).toBe('bad-data');
    }
    expect(values(session)).toEqual([[0, 1], 0, [0, -3]]);
  });

  test('mutated files are restored or refused', () => {
    const bytes = readFileSync(saved('source.safetensors'));
    const path = join(directory, 'mutated.safetensors');
    using session = open();
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.uint8Array({ maxLength: 9 }), (changes, more) => {
        const mutated = Buffer.concat([bytes, more]);
        for (const { at, to } of changes) mutated[at] = to;
        writeFileSync(path, mutated);
        try {
          session.restore(path);
        } catch (error) {
          if (!(error instanceof TfcError)) throw error;
          expect(['bad-data', 'unknown-variable', 'shape-mismatch', 'dtype-mismatch']).toContain(error.code);
        }
      }),
      { numRuns: 500 },
    );
  });
});
