// Compiles the module of fixture.c. In: a manifest, changes to it. Out: the path of a shared library in a directory of its own. Holds: the
// directory goes when the tests of the file are over.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type EntrySpec, type Manifest, type Size, type TensorSpec, type VariableSpec, abiVersion } from '../../runtime/abi/manifest.js';
import { pack } from '../../runtime/abi/packed.js';

const B: Size = [[1, ['B']]];
const N: Size = [[1, ['N']]];
const M: Size = [[1, ['M']]];

const tensorSpec = (name: string, dtype: TensorSpec['dtype'], ...shape: Size[]): TensorSpec => ({ name, dtype, shape });

const entry = (name: string, given: Partial<EntrySpec>): EntrySpec => ({
  name,
  kind: 'fn',
  dims: [],
  ranks: {},
  facts: [],
  feeds: [],
  outputs: [],
  result:
    given.outputs?.length === 1
      ? { kind: 'output', index: 0 }
      : { kind: 'tuple', items: (given.outputs ?? []).map((_, index) => ({ kind: 'output', index })) },
  reads: [],
  writes: [],
  ...given,
});

const variables: readonly VariableSpec[] = [
  { path: 'net/w', dtype: 'f32', shape: [2], kind: 'param', initial: { kind: 'entry', entry: 2, streams: [1] } },
  { path: 'net/t', dtype: 'i32', shape: [], kind: 'state', initial: { kind: 'constant', value: 0 } },
  { path: 'net/u', dtype: 'f32', shape: [2], kind: 'state', initial: { kind: 'entry', entry: 2, streams: [-3] } },
  { path: 'net/v', dtype: 'f32', shape: [], kind: 'param', initial: { kind: 'none' } },
];

export const manifest: Manifest = {
  abi: abiVersion,
  version: '0.1.0',
  module: 'fixture.tdsl',
  target: { triple: 'any', cpu: 'any', features: [] },
  variables,
  open: [{ name: 'wide', kind: 'fn', packs: ['S'], feeds: [{ name: 'x', dtype: 'f32', before: 1, pack: 'S', after: 0 }] }],
  entries: [
    entry('scale', {
      dims: ['B'],
      feeds: [tensorSpec('x', 'f32', B, 3), tensorSpec('factor', 'f32')],
      outputs: [tensorSpec('', 'f32', B, 3)],
    }),
    entry('train', {
      kind: 'step',
      dims: ['B'],
      feeds: [tensorSpec('x', 'f32', B, 2), tensorSpec('y', 'f32', B)],
      outputs: [tensorSpec('loss', 'f32'), tensorSpec('count', 'i32')],
      result: {
        kind: 'record',
        fields: [
          ['loss', { kind: 'output', index: 0 }],
          ['count', { kind: 'output', index: 1 }],
        ],
      },
      reads: [0, 1],
      writes: [0, 1],
    }),
    entry('init_w', { kind: 'init', feeds: [tensorSpec('seed', 'i64'), tensorSpec('stream', 'i32')], writes: [0] }),
    entry('sum', { dims: ['N'], feeds: [tensorSpec('x', 'f64', N)], outputs: [tensorSpec('', 'f64')] }),
    entry('mirror', { dims: ['N'], feeds: [tensorSpec('x', 'f64', N)], outputs: [tensorSpec('', 'f64')] }),
    entry('denormal', { dims: ['N'], feeds: [tensorSpec('x', 'f32', N)], outputs: [tensorSpec('', 'f32', N)] }),
    entry('echo', {
      dims: ['N', 'M'],
      feeds: [
        tensorSpec('a', 'i64'),
        tensorSpec('b', 'bool', N),
        tensorSpec('c', 'u8', N),
        tensorSpec('d', 'f16', N),
        tensorSpec('e', 'bf16'),
        tensorSpec('f', 'i32', [[1, ['M', 'N']]]),
        tensorSpec('g', 'f64', M),
      ],
      outputs: [
        tensorSpec('0', 'i64'),
        tensorSpec('1', 'bool', N),
        tensorSpec('2', 'u8', N),
        tensorSpec('3', 'f16', N),
        tensorSpec('4', 'bf16'),
        tensorSpec('5', 'i32', [[1, ['M', 'N']]]),
        tensorSpec('6', 'f64', M),
      ],
    }),
    entry('run', { feeds: [tensorSpec('x', 'f32')], outputs: [tensorSpec('', 'f32')] }),
    entry('needs', { outputs: [tensorSpec('', 'f32')], reads: [3] }),
    entry('huge', {}),
    entry('facts', {
      dims: ['D', 'H'],
      feeds: [tensorSpec('x', 'f32', [[2, ['D']]]), tensorSpec('y', 'f32', [[1, ['H']]])],
      facts: [
        { left: [[1, ['D']]], relation: '>', right: 1 },
        { left: [[1, ['H']]], relation: 'divides', right: [[1, ['D']]] },
      ],
    }),
    entry('natural', { feeds: [tensorSpec('n', 'i32')], outputs: [tensorSpec('', 'i32')] }),
    entry('place', { dims: ['N'], feeds: [tensorSpec('x', 'u8', N)], outputs: [tensorSpec('', 'i64')] }),
    entry('dwell', {
      kind: 'step',
      dims: ['N'],
      feeds: [tensorSpec('x', 'f32', N), tensorSpec('ms', 'i32')],
      outputs: [tensorSpec('x', 'f32', N), tensorSpec('t', 'i32')],
      result: {
        kind: 'record',
        fields: [
          ['x', { kind: 'output', index: 0 }],
          ['t', { kind: 'output', index: 1 }],
        ],
      },
      reads: [1],
      writes: [1],
    }),
  ],
};

/** A directory for this file's tests. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tfc-runtime-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Compiles the module; `version` is the ABI's that it claims, `more` are flags for the compiler. */
export function compileFixture(
  directory: string,
  name: string,
  changed: unknown = manifest,
  version?: number,
  more: readonly string[] = [],
): string {
  const path = join(directory, `${name}.so`);
  const header = join(directory, `${name}.h`);
  const packed = pack(typeof changed === 'string' ? changed : JSON.stringify(changed));
  writeFileSync(header, `#define TFC_MANIFEST {${[...packed].join()}}\n#define TFC_MANIFEST_BYTES ${packed.length}\n`);
  const include = fileURLToPath(new URL('../../runtime/abi', import.meta.url));
  const source = fileURLToPath(new URL('./fixture.c', import.meta.url));
  const flags = [...more, ...(version === undefined ? [] : [`-DTFC_VERSION=${version}`])];
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-std=c11', `-I${include}`, '-include', header, ...flags, '-o', path, source]);
  seal(directory, path);
  return path;
}

/** Makes a library of its own an artifact. */
export function seal(directory: string, path: string): void {
  const program = join(directory, 'seal');
  if (!existsSync(program)) {
    const [include, source] = ['../../runtime/abi', './seal.c'].map((file) => fileURLToPath(new URL(file, import.meta.url))) as [
      string,
      string,
    ];
    execFileSync('cc', ['-std=c11', '-Wall', '-Werror', `-I${include}`, '-o', program, source]);
  }
  execFileSync(program, [path]);
}

/** What `body` throws; fails when it throws nothing. */
export function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
