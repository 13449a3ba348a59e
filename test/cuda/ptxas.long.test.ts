// What NVIDIA's own assembler says of the kernels of all programs. In: `ptxas`, where it is: in the environment's PTXAS, on the path, or
// among the peers of the bench. Out: that it takes every kernel for every generation it is asked for; how many spill registers (printed).
// Holds: where there is none, nothing is judged.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildModule, forHopper } from '../../codegen/cuda/index.js';
import { machineOf } from '../chain/chain.js';
import { programList } from '../chain/program-list.js';
import { expandScalars, vectorize } from '../../src/lower/index.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { hopper, target } from './device-chain.js';
import { caseOf, cases, product, transposed } from './product-cases.js';

const root = join(import.meta.dirname, '..', '..');

/** The bench's Python packages bring one. */
function amongPeers(): readonly string[] {
  const libraries = join(root, 'build', 'peers', 'python', 'lib');
  try {
    return readdirSync(libraries).map((python) => join(libraries, python, 'site-packages', 'triton', 'backends', 'nvidia', 'bin', 'ptxas'));
  } catch {
    return [];
  }
}

const ptxas = [process.env['PTXAS'] ?? 'ptxas', ...amongPeers()].find((path) => spawnSync(path, ['--version']).status === 0);
const at = mkdtempSync(join(tmpdir(), 'tfc-ptxas-'));
afterAll(() => rmSync(at, { recursive: true }));

describe.runIf(ptxas !== undefined)('ptxas', () => {
  const all = { kernels: 0, spilling: 0 };

  /** Bytes of spills of each kernel, for each generation; nothing else may be said of any. */
  function spillsOf(text: string, generations: readonly string[] = ['sm_80', 'sm_90', 'sm_100']): readonly number[] {
    const source = join(at, 'kernels.ptx');
    writeFileSync(source, text);
    return generations.flatMap((generation) => {
      const { status, stderr } = spawnSync(ptxas as string, ['-v', `-arch=${generation}`, source, '-o', join(at, 'kernels.cubin')], {
        encoding: 'utf8',
      });
      expect([status, stderr.split('\n').filter((line) => /error|warning|C75\d\d/.test(line))]).toEqual([0, []]);
      return [...stderr.matchAll(/(\d+) bytes spill stores/g)].map(([, bytes]) => Number(bytes));
    });
  }

  for (const [path, [one]] of Object.entries(programList)) {
    if (one === undefined) continue;
    it(`takes the kernels of ${path}`, () => {
      const { machine } = machineOf(join(root, path), one, target);
      const programs = machine.map(({ program }) => program);
      const spills = spillsOf(buildModule(programs, target).text);
      all.kernels += spills.length;
      all.spilling += spills.filter((bytes) => bytes > 0).length;
    });

    it(`takes the kernels of ${path} for sm_90a, where it has some`, () => {
      const { machine } = machineOf(join(root, path), one, hopper);
      const programs = machine.map(({ program }) => program);
      for (const { text } of forHopper(programs)) spillsOf(text, ['sm_90a']);
    });
  }

  const sizes = [64, 1024, 4096];
  const squares = (['f32', 'f64', 'bf16', 'f16'] as const).flatMap((dtype) =>
    sizes.map((size) => product([size, size], [size, size], dtype)),
  );
  it.each([...cases, ...squares])('keeps the registers of $name', ({ entry, make }) => {
    const program = vectorize(expandScalars(lowerEntry(entry, make.variables, target, make.build), target), target);
    expect(spillsOf(buildModule([program], target).text).filter((bytes) => bytes > 0)).toEqual([]);
  });

  const free = product(['N', 1024], [1024, 4096], 'bf16', [{ N: 1 }]);
  const [whole, not] = [[4096, 2048] as const, [4104, 2056] as const];
  const layouts = [whole, not].flatMap(([size, depth]) =>
    [[], ['x'], ['w'], ['x', 'w']].map((which) =>
      caseOf(`${size} by ${depth}, turned: ${which.join()}`, 'bf16', [{}], (make, feed) => {
        const side = (of: string, shape: readonly number[]) =>
          which.includes(of) ? transposed(make, feed(of, shape.toReversed())) : feed(of, shape);
        return make.op('matmul', [side('x', [size, depth]), side('w', [depth, size])]);
      }),
    ),
  );
  const narrowSquares = squares.filter(({ name }) => /^[^ ]*16 \[(1024|4096)/.test(name));
  it.each([...narrowSquares, ...layouts, free])('keeps the registers of $name by four warps', ({ entry, make }) => {
    const program = vectorize(expandScalars(lowerEntry(entry, make.variables, hopper, make.build), hopper), hopper);
    const [code] = forHopper([program]);
    expect(spillsOf(code?.text ?? '', ['sm_90a']).filter((bytes) => bytes > 0)).toEqual([]);
    expect(code?.text).toContain('wgmma.mma_async');
  });

  it('keeps the registers of attention', () => {
    const { machine } = machineOf(join(import.meta.dirname, 'attention.tdsl'), { entry: 'plain' }, target);
    const programs = machine.map(({ program }) => program);
    expect(spillsOf(buildModule(programs, target).text).filter((bytes) => bytes > 0)).toEqual([]);
  });

  it('says how many keep registers in memory (printed, not judged)', () => {
    console.log(`${all.spilling} of ${all.kernels} kernels`);
    expect(all.kernels).toBeGreaterThan(0);
  });
});
