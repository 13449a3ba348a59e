// Artifacts as files: the same bytes every time, texts on the way, entries, the C header.

import { pack, unpack } from '../../runtime/abi/packed.js';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildArtifact, compilePrograms, header, hostTarget } from '../../codegen/llvm/index.js';
import { InternalError } from '../../src/base/index.js';
import { vectorize, vectorizer } from '../../src/lower/index.js';
import { type Manifest, abiVersion } from '../../runtime/abi/manifest.js';
import {
  apply,
  Bench,
  f32,
  feed,
  index,
  int,
  kernel,
  list,
  load,
  loop,
  numbers,
  output,
  program,
  store,
  temporary,
  textOf,
} from './harness.js';

const bench = new Bench();
const folder = mkdtempSync(join(tmpdir(), 'tfc-artifact-'));
afterAll(() => {
  bench.close();
  rmSync(folder, { recursive: true, force: true });
});

const scaled = (by: number) => {
  const [x, z] = [feed(0, 'f32', 'N'), output(0, 'f32', 'N')];
  return {
    ...program(
      [kernel('scale', [loop('vector', 'i', 'N', [store(z, [index('i')], apply('mul', 'f32', load(x, [index('i')]), f32(by)))])])],
      [x, z],
      ['N'],
    ),
    entry: `scale${by}`,
  };
};

const manifest: Manifest = {
  abi: abiVersion,
  version: '0.1.0',
  module: 'my-model.tdsl',
  target: { triple: 'x86_64-pc-linux-gnu', cpu: 'x86-64', features: [] },
  entries: [
    {
      name: 'scale2',
      kind: 'fn',
      doc: 'Doubles. */ int trap;',
      dims: ['N'],
      ranks: {},
      facts: [],
      feeds: [{ name: 'x', dtype: 'f32', shape: [[[1, ['N']]]] }],
      outputs: [{ name: '', dtype: 'f32', shape: [[[1, ['N']]]] }],
      result: { kind: 'output', index: 0 },
      reads: [],
      writes: [],
    },
    {
      name: 'scale3',
      kind: 'step',
      dims: ['N'],
      ranks: {},
      facts: [],
      feeds: [
        {
          name: 'x',
          dtype: 'f32',
          shape: [
            [
              [2, ['N', 'N']],
              [1, []],
            ],
            3,
          ],
        },
      ],
      outputs: [],
      result: { kind: 'record', fields: [] },
      reads: [0],
      writes: [0],
    },
  ],
  open: [],
  variables: [
    { path: 'net/w', dtype: 'f32', shape: [784, 300], kind: 'param', initial: { kind: 'none' } },
    { path: 'net.w', dtype: 'i32', shape: [], kind: 'state', doc: 'steps', initial: { kind: 'constant', value: 0 } },
  ],
};

describe('artifacts', () => {
  it('have the same bytes whenever and wherever they are built', () => {
    const input = { manifest: JSON.stringify(manifest), target: hostTarget() };
    const [first, second] = [
      [scaled(2), scaled(3)],
      [scaled(2), scaled(3)],
    ].map((programs) => buildArtifact({ ...input, programs: programs.map(vectorizer(input.target)) }).library) as [Buffer, Buffer];
    expect(first.equals(second)).toBe(true);
    expect(first.includes(pack(input.manifest))).toBe(true);
    expect(unpack(pack(input.manifest))).toBe(input.manifest);
    expect(first.length).toBeLessThan(16384);
  });

  it('hold several entries', () => {
    const artifact = bench.compile([scaled(2), scaled(3)]);
    const a = numbers(21, 1);
    expect(list(artifact.run({ feeds: [a], dims: { N: 21 }, entry: 0 }).outputs[0])).toEqual(Array.from(a, (v) => v * 2));
    expect(list(artifact.run({ feeds: [a], dims: { N: 21 }, entry: 1 }).outputs[0])).toEqual(Array.from(a, (v) => Math.fround(v * 3)));
  });

  it('share the code of kernels that differ in the names and places of their memory alone', () => {
    const twice = (names: readonly [string, string], at: number, by: number) => {
      const [x, other, z] = [
        { ...feed(at, 'f32', 'N'), name: names[0] },
        feed(1 - at, 'f32', 'N'),
        { ...output(0, 'f32', 'N'), name: names[1] },
      ];
      const body = loop('vector', 'i', 'N', [store(z, [index('i')], apply('mul', 'f32', load(x, [index('i')]), f32(by)))]);
      return program([kernel('scale', [body])], at === 0 ? [x, other, z] : [other, x, z], ['N']);
    };
    const programs = [
      twice(['x', 'z'], 0, 2),
      twice(['p', 'q'], 1, 2),
      twice(['x', 'z'], 0, 3),
      twice(['x', 'z'], 0, 0),
      twice(['x', 'z'], 0, -0),
    ];
    const text = textOf(programs, hostTarget(), 'llvm');
    expect([...text.matchAll(/^define internal void @\S*kernel\./gm)].length).toBe(4);
    const artifact = bench.compile(programs);
    const feeds = [numbers(21, 1), numbers(21, 2)];
    const scaled = (from: number, by: number) => Array.from(feeds[from] as Float32Array, (v) => Math.fround(v * by));
    const run = (entry: number) => list(artifact.run({ feeds, dims: { N: 21 }, entry }).outputs[0]);
    expect([0, 1, 2, 3, 4].map(run)).toEqual([scaled(0, 2), scaled(1, 2), scaled(0, 3), scaled(0, 0), scaled(0, -0)]);
  });

  it('can be seen as text', () => {
    const [before, after, assembly] = (['llvm', 'llvm-optimized', 'asm'] as const).map((emit) => textOf([scaled(2)], hostTarget(), emit));
    expect(before).toMatch(/define internal void @kernel.0.scale2.0.scale\(.*noalias[^,]*readonly[^,]*%feed0/);
    expect(after).toContain('@tfc_module_table');
    expect(after?.length).toBeLessThan(before?.length ?? 0);
    expect(assembly).toContain('tfc_module_table:');
    const programs = [vectorize(scaled(2), hostTarget())];
    expect(compilePrograms({ programs, manifest: '{}', target: hostTarget() }).kind).toBe('objects');
  });

  it('hold code for a named processor', () => {
    const [wide, narrow] = [textOf([scaled(2)], hostTarget('sapphirerapids'), 'asm'), textOf([scaled(3)], hostTarget('x86-64'), 'asm')];
    expect(wide).toContain('%zmm');
    expect(narrow).not.toMatch(/%[yz]mm|vmulps/);
    expect(narrow).toContain('mulps');
    expect(hostTarget('haswell')).toMatchObject({ vectorBytes: 32, vectorRegisters: 16 });
  });

  it('are described by a header that C accepts', () => {
    const text = header(JSON.stringify(manifest));
    expect(text).toContain('TFC_MY_MODEL_ENTRY_SCALE3 = 1');
    expect(text).toContain('TFC_MY_MODEL_VARIABLE_NET_W_1 = 1');
    expect(text).toContain('feeds[0] x: f32[2*N*N + 1, 3]');
    expect(text).not.toContain('*/ int trap');
    writeFileSync(join(folder, 'my-model.h'), text);
    writeFileSync(
      join(folder, 'main.c'),
      '#include "my-model.h"\nint main(void) { return TFC_MY_MODEL_ENTRY_SCALE2 + TFC_MY_MODEL_SCALE2_FEEDS - 1; }\n',
    );
    const abi = join(dirname(fileURLToPath(import.meta.url)), '../../runtime/abi');
    const compiled = spawnSync(
      'cc',
      ['-Wall', '-Werror', '-pedantic', '-I', abi, '-c', '-o', join(folder, 'main.o'), join(folder, 'main.c')],
      { encoding: 'utf8' },
    );
    expect(compiled.stderr).toBe('');
    expect(compiled.status).toBe(0);
    expect(() => header('{"abi":2}')).toThrow(InternalError);
  });

  it('have headers whose names are there once, and whose comments hold, whatever a program is called', () => {
    const [entry] = manifest.entries as [Manifest['entries'][number]];
    const names = [
      'f',
      'F',
      'α',
      'β',
      'u3b1',
      'ſ',
      'int',
      '__proto__',
      '_',
      'x_dims',
      'entry_x',
      'entry__x',
      'x',
      '$init/net/w',
      '3',
      '𝒳',
      'straße',
      'STRASSE',
      'then',
      'f_1',
      'F_1',
      'constructor',
    ];
    const doc = 'a */ int a; /*/ ??/\n*??/\n/ int b; \\\n// int c; \\\n\u202e evil \u001b[31m \u2028 #error \r #error \0';
    const hostile: Manifest = {
      ...manifest,
      module: '1 \u202e*/ weird — näme.tdsl',
      entries: names.map((name) => ({ ...entry, name, doc })),
      variables: [...names, 'a/b', 'a_b', 'A_b', 'a__b'].map((path) => ({
        path,
        dtype: 'f32',
        shape: [],
        kind: 'state',
        doc,
        initial: { kind: 'none' },
      })),
    };
    const text = header(JSON.stringify(hostile));
    expect(text).toBe(header(JSON.stringify(hostile)));
    expect(text).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]|\?\?/u);
    const constants = [...text.matchAll(/\b(TFC_\w+) = \d+/g)].map(([, name]) => name as string);
    expect(constants).toHaveLength(new Set(constants).size);
    for (const constant of constants) expect(constant).not.toMatch(/__|_$/);
    expect(constants).toHaveLength(4 * names.length + hostile.variables.length);
    writeFileSync(join(folder, 'hostile.h'), text);
    const abi = join(dirname(fileURLToPath(import.meta.url)), '../../runtime/abi');
    for (const [language, standard] of [
      ['c', 'c99'],
      ['c', 'c17'],
      ['c++', 'c++11'],
      ['c++', 'c++17'],
    ] as const) {
      const source = `#include "hostile.h"\nint all[] = { ${constants.join(', ')} };\nint a, b, c;\n`;
      const compiled = spawnSync(
        'cc',
        [
          '-fsyntax-only',
          '-x',
          language,
          `-std=${standard}`,
          '-trigraphs',
          '-Wall',
          '-Wextra',
          '-Werror',
          '-pedantic',
          '-I',
          abi,
          '-I',
          folder,
          '-',
        ],
        { encoding: 'utf8', input: source },
      );
      expect(compiled.stderr, standard).toBe('');
      expect(compiled.status).toBe(0);
    }
  });

  it('name what is wrong with a kernel', () => {
    const [x, z] = [feed(0, 'f32', 4), output(0, 'f32', 4)];
    const compile = (value: ReturnType<typeof load>): unknown =>
      bench.compile([program([kernel('k', [loop('vector', 'i', 4, [store(z, [index('i')], value)])])], [x, z])]);
    expect(() => compile(apply('tanh', 'f32', load(x, [index('i')])))).toThrow('tanh is no machine op');
    expect(() => compile(load(x, [index('nowhere')]))).toThrow('nowhere is not in scope');
    expect(() => compile(load({ ...temporary('lost', 'f32', 4) }, [int(0)]))).toThrow('lost has no place in the arena');
  });
});
