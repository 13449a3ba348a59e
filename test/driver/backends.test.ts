// Other back ends than LLVM: one that writes kernels down as text, which the kernel interpreter runs, and one that does so for a device
// beside it. In: nothing but their registration. Out: what the driver's own functions make of a program with them. Holds: LLVM is not
// loaded for them.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiagnosticsError } from '../../src/base/index.js';
import { backendOf, deviceBackendOf, register, registerDevice } from '../../src/driver/build/backends.js';
import { buildCached, buildInto } from '../../src/driver/build/build.js';
import { Cache } from '../../src/driver/build/cache.js';
import { dumpAfter, emit } from '../../src/driver/build/emit.js';
import { levelsOf } from '../../src/driver/build/levels.js';
import { type BuildRequest, optionsKey } from '../../src/driver/build/request.js';
import { runProgram } from '../../src/eval/index.js';
import { bodyOf, ownCode, parseProgram, printProgram, type Program, type Stmt } from '../../src/kernel/index.js';
import { tensorValue } from '../../src/ops/index.js';
import { type Backend, type BackendInput, cpuTarget, cudaTarget, type DeviceBackend } from '../../src/target/index.js';

/** Paper has no caches to ask. */
const withoutFetches = (statements: readonly Stmt[]): Stmt[] =>
  statements.flatMap((stmt): Stmt[] => {
    if (stmt.kind === 'fetch') return [];
    if (stmt.kind === 'for') return [{ ...stmt, body: withoutFetches(stmt.body) }];
    if (stmt.kind !== 'if') return [stmt];
    const { then, otherwise } = stmt;
    return [{ ...stmt, then: withoutFetches(then), ...(otherwise === undefined ? {} : { otherwise: withoutFetches(otherwise) }) }];
  });

const written = ({ programs }: BackendInput): string => programs.map((program) => printProgram(program)).join('\n\n');

const paper: Backend = {
  name: 'paper',
  toolchain: undefined,
  levels: ['listing'],
  passes: [
    {
      name: 'unfetch',
      doc: 'Drops what only asks for memory early.',
      run: (program) => ({
        ...program,
        kernels: program.kernels.map((kernel) => ({ ...kernel, ...ownCode(withoutFetches(bodyOf(kernel))) })),
      }),
    },
  ],
  requireCpu: (name) => {
    if (name === 'pencil') return;
    throw new DiagnosticsError([{ code: 'invalid-value', message: `nobody writes with ${name}` }]);
  },
  targetOf: (cpu) => cpuTarget({ isa: 'x86-64', triple: 'paper', cpu, features: '', requires: [], vectorBytes: 16, vectorRegisters: 16 }),
  build: (input) => ({
    library: Buffer.from([written(input), ...(input.devices ?? []).map(({ text }) => text)].join('\n\n')),
    header: `/* ${input.programs.length} entries */\n`,
    stages: [{ name: 'write', milliseconds: 0 }],
  }),
  print: written,
};

/** What paper is to a processor this is to a GPU. */
const card: DeviceBackend = {
  name: 'cuda',
  level: 'card',
  target: cudaTarget,
  build: (programsFor) => {
    const target = cudaTarget();
    const programs = programsFor(target);
    const text = `for ${target.cpu}\n${programs.map((program) => printProgram(program)).join('\n\n')}`;
    const launched = programs.map((program) => ({ program, launches: [] }));
    return [{ text, runsOn: target.runsOn, threads: 1, functions: [], programs: launched }];
  },
};

let folder: string;
let request: BuildRequest;
beforeAll(() => {
  register(paper);
  registerDevice(card);
  folder = mkdtempSync(join(tmpdir(), 'tfc-backends-'));
  const path = join(folder, 'model.tdsl');
  // Deep enough that tiles of the product ask for its right side early.
  writeFileSync(path, 'export fn product(x: f32[3, 900], w: f32[900, 40]): f32[3, 40] = x @ w\n');
  request = { path, set: {}, cpu: 'pencil', backend: 'paper' };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [x, w] = [
  tensorValue(
    'f32',
    [3, 900],
    Array.from({ length: 2700 }, (_, at) => at % 5),
  ),
  tensorValue(
    'f32',
    [900, 40],
    Array.from({ length: 36000 }, (_, at) => at % 3),
  ),
];

/** The first elements of what a written program gives. */
function first(program: Program): readonly number[] {
  const [output] = runProgram(program, { feeds: [x, w] }).outputs;
  return [...(output?.data ?? [])].slice(0, 2).map(Number);
}

const sum = (column: number): number =>
  Array.from({ length: 900 }, (_, k) => (k % 5) * ((k * 40 + column) % 3)).reduce((total, term) => total + term, 0);

describe('a back end that is registered', () => {
  it('builds artifacts through the same functions, passes of its own included', () => {
    const out = join(folder, 'out');
    const { manifest, stages } = buildInto(request, out, new Map());
    expect(readdirSync(out).sort()).toEqual(['module.h', 'module.json', 'module.so', 'tfc.h']);
    expect(manifest.target).toEqual({ triple: 'paper', cpu: 'pencil', features: [] });
    expect(stages.map(({ name }) => name)).toEqual([
      'check',
      'paper: load',
      'differentiate',
      'strip',
      'checks',
      'simplify',
      'form',
      'fuse',
      'split',
      'flash',
      'order',
      'schedule',
      'plan-memory',
      'expand',
      'vectorize',
      'unfetch',
      'verify',
      'write',
      'files',
    ]);
    expect(readFileSync(join(out, 'module.h'), 'utf8')).toBe('/* 1 entries */\n');
    expect(first(parseProgram(readFileSync(join(out, 'module.so'), 'utf8')))).toEqual([sum(0), sum(1)]);
  });

  it('prints levels of its own after those of the way', () => {
    expect(levelsOf(backendOf(request))).toEqual(['graph', 'simplified', 'fused', 'scheduled', 'kernels', 'listing']);
    const [kernels, listing] = ['kernels', 'listing'].map((level) => emit(request, level, new Map()).text) as [string, string];
    expect(kernels).toContain('fetch ');
    expect(listing).not.toContain('fetch ');
    expect(dumpAfter(request, 'unfetch', new Map()).text).toBe(listing);
  });

  it('makes artifacts that carry what a registered device has of them', () => {
    const both: BuildRequest = { ...request, device: 'cuda' };
    expect(levelsOf(backendOf(both), deviceBackendOf(both)).at(-1)).toBe('card');
    const text = emit(both, 'card', new Map()).text;
    expect(text).toMatch(/^for sm_80\nprogram product\n/);
    expect(text).toContain('share ');
    const out = join(folder, 'both');
    expect(buildInto(both, out, new Map()).manifest).toMatchObject({ target: { cpu: 'pencil' }, devices: ['cuda'] });
    const library = readFileSync(join(out, 'module.so'), 'utf8');
    expect(library).toMatch(/^program product\n/);
    expect(library.endsWith(text)).toBe(true);
  });

  it('has its own place in the cache', () => {
    expect(optionsKey(request)).not.toBe(optionsKey({ ...request, backend: undefined }));
    const cache = new Cache(join(folder, 'cache'), 'paper');
    const [built, again] = [buildCached(request, cache), buildCached(request, cache)];
    if (built.kind !== 'built') throw new Error(built.kind);
    expect(again).toEqual(built);
    expect(first(parseProgram(readFileSync(join(built.directory, 'module.so'), 'utf8')))).toEqual([sum(0), sum(1)]);
  });

  it('says itself which processors there are', () => {
    expect(() => buildInto({ ...request, cpu: 'chalk' }, join(folder, 'none'), new Map())).toThrow(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code: 'invalid-value', message: 'nobody writes with chalk' })] }),
    );
  });

  it('leaves LLVM where it was: first, and not loaded', () => {
    expect(backendOf({}).name).toBe('llvm');
    expect(() => backendOf({ backend: 'stone' })).toThrow('there is no back end stone');
    expect(readFileSync('/proc/self/maps', 'utf8')).not.toMatch(/libLLVM|llvm\.node/);
  });
});
