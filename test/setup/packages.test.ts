// The packages as their users get them. In: what set-up built. Out: an empty project that they are installed into, without the net and
// without a script that runs meanwhile. Holds: LLVM's library, which is large, is the system's here; `packages.long.test.ts` brings it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../driver/tfc.js';
import { placeWithoutPackages } from './place.js';

const project = placeWithoutPackages();
afterAll(() => rmSync(project, { recursive: true, force: true }));

const platform = `${process.platform}-${process.arch}`;
const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
const file = (name: string, text: string): string => {
  writeFileSync(join(project, name), text);
  return name;
};
const run = (...args: string[]): string => runIn(project, ...args);
const runIn = (cwd: string, ...args: string[]): string =>
  execFileSync(args[0] as string, args.slice(1), {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, TFC_CACHE: join(project, 'cache'), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** The command where npm has put it: npx takes longer to find it than it runs. */
const tfc = join(project, 'node_modules', '.bin', 'tfc');

const program = 'param w: f32[3] = [1, 2, 3]\nexport fn weigh<B>(x: f32[B, 3]): f32[B] = sum(x * w, axis: 1)\n';

beforeAll(() => {
  const names = ['tfc', 'runtime', `runtime-${platform}`, `compiler-${platform}`];
  execFileSync(process.execPath, [join(root, 'scripts', 'run.mjs'), 'pack', ...names], { cwd: root, stdio: 'ignore' });
  const tarballs = names.map((name) => join(root, 'build', 'tarballs', `tdsl-${name}-${version}.tgz`));
  file('package.json', '{ "name": "empty", "private": true, "type": "module" }');
  run('npm', 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', ...tarballs);
  file('weigh.tdsl', program);
}, 240_000);

describe('packages', () => {
  it('compile by the command, and run by the runtime alone', () => {
    expect(run('npx', '--offline', 'tfc', 'compile', 'weigh.tdsl', '-o', 'weigh')).toContain('weigh');
    for (const [name, load] of [
      ['run.mjs', "import { openModule } from '@tdsl/runtime';"],
      ['run.cjs', "const { openModule } = require('@tdsl/runtime');"],
    ] as const) {
      file(name, `${load}\nconsole.log(JSON.stringify(openModule('weigh').session().weigh({ x: [[1, 1, 1], [0, 0, 2]] }).toArray()));`);
      expect(run(process.execPath, name)).toBe('[6,6]\n');
    }
  });

  it('compile from a program, by import and by require', () => {
    const rest = ".compile('weigh.tdsl').then((m) => console.log(m.session().weigh({ x: [[1, 0, 1]] }).toArray()[0]));";
    file('compile.mjs', `import * as tfc from '@tdsl/tfc';\ntfc${rest}`);
    file('compile.cjs', `require('@tdsl/tfc')${rest}`);
    expect(run(process.execPath, 'compile.mjs')).toBe('4\n');
    expect(run(process.execPath, '--no-warnings', 'compile.cjs')).toBe('4\n');
  });

  it.each([
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ] as const)('can be bundled into one file: %s', async (format, ending) => {
    file(
      'app.js',
      "import { openModule } from '@tdsl/runtime';\nconsole.log(openModule('weigh').session().weigh({ x: [[2, 0, 0]] }).toArray()[0]);",
    );
    const outfile = join(project, `bundled.${ending}`);
    await build({ entryPoints: [join(project, 'app.js')], outfile, bundle: true, platform: 'node', format, logLevel: 'silent' });
    run(tfc, 'compile', 'weigh.tdsl', '-o', 'weigh');
    expect(run(process.execPath, `bundled.${ending}`)).toBe('2\n');
  });

  it('bring every library that they use', () => {
    const bundle = join(project, 'node_modules', '@tdsl', 'tfc', 'dist', 'bundle');
    const libraries = readdirSync(bundle).filter((name) => /^library-.*\.cjs$/.test(name));
    expect(libraries.length).toBeGreaterThanOrEqual(6);
    const calls = libraries.map((name) => `require(${JSON.stringify(join(bundle, name))});`).join('\n');
    expect(run(process.execPath, '--no-warnings', '-e', calls)).toBe('');
    const terms = readFileSync(join(bundle, 'licenses.txt'), 'utf8');
    for (const name of ['chevrotain', 'csv-parse', 'vega', 'jpeg-js']) expect(terms).toContain(`\n${name} `);
  });

  it('read tables as a whole and piece by piece, and pictures', () => {
    file('t.csv', `a,b,c\n${Array.from({ length: 50 }, (_, at) => `${at},1,0`).join('\n')}\n`);
    mkdirSync(join(project, 'pictures'));
    writeFileSync(join(project, 'pictures', 'one.png'), encode({ width: 3, height: 1, data: new Uint8Array([255, 0, 51]), channels: 1 }));
    file(
      'read.mjs',
      `import { compile, openDataset, progressBar } from '@tdsl/tfc';
const model = await compile('weigh.tdsl');
model.session().save('weights.safetensors');
const data = await openDataset('t.csv', model.manifest.entries.find(({ name }) => name === 'weigh'), { memory: 1 });
for await (const { feeds } of data.batches({ epoch: 1, seed: 1, batch: 50, shuffle: true, rest: 'keep' })) console.log(feeds.x.data.reduce((sum, one) => sum + one, 0));
data.close?.();
progressBar(1).stop();
`,
    );
    expect(run(process.execPath, 'read.mjs')).toBe(`${50 * 24.5 + 50}\n`);
    const predicted = (data: string): string => {
      run(tfc, 'predict', 'weigh.tdsl', 'weigh', '--restore', 'weights.safetensors', '--out', 'out.csv', '--data', data);
      return readFileSync(join(project, 'out.csv'), 'utf8');
    };
    expect(predicted('t.csv').split('\n').slice(0, 3)).toEqual(['result', '2', '3']);
    expect(predicted('pictures')).toMatch(/^result\n1\.6\d*\n$/);
    run(tfc, 'graph', 'weigh.tdsl', '-o', 'weigh.svg');
    expect(readFileSync(join(project, 'weigh.svg'), 'utf8')).toContain('<svg');
  });

  it('have types for strict programs', () => {
    file(
      'typed.ts',
      "import { compile } from '@tdsl/tfc';\nimport { openModule, type Tensor } from '@tdsl/runtime';\nconst a: Tensor = openModule('weigh').session().weigh({ x: [[1, 2, 3]] }) as Tensor;\nconst b: Promise<unknown> = compile('weigh.tdsl', { set: { N: 3 } });\n// @ts-expect-error: a path is text\nvoid compile(3);\nvoid [a, b];\n",
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node'];
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
    expect(run(process.execPath, tsc, ...flags, ...types, 'typed.ts')).toBe('');
  });

  it.each([
    ['moons', /\(0, 1\): \d+\.\d % of the second moon\n\(1, -0\.5\): \d+\.\d % of/],
    ['regression', /50 m², 2 rooms: \d+\n120 m², 4 rooms: \d+\n/],
  ] as const)(
    'make a project that type-checks, trains, goes on and answers: %s',
    (template, answer) => {
      const made = join(project, `made-${template}`);
      expect(run(tfc, 'init', template, '--dir', `made-${template}`)).toContain('npm run train');
      // What `npm install` would bring.
      const modules = join(made, 'node_modules');
      for (const [name, target] of [
        ['@tdsl', join(project, 'node_modules', '@tdsl')],
        ['typescript', join(root, 'node_modules', 'typescript')],
        ['@types/node', join(root, 'node_modules', '@types', 'node')],
        ['.bin/tsc', join(root, 'node_modules', 'typescript', 'bin', 'tsc')],
        ['.bin/tfc', join(project, 'node_modules', '.bin', 'tfc')],
      ] as const) {
        mkdirSync(dirname(join(modules, name)), { recursive: true });
        symlinkSync(target, join(modules, name));
      }
      const script = (name: string): string => runIn(made, 'npm', 'run', '--silent', name);
      expect(runIn(made, tfc, 'types')).toContain('model.d.tdsl.ts: written');
      expect(runIn(made, 'npx', '--offline', 'tsc', '--noEmit')).toBe('');
      expect(() => script('start')).toThrow('There is no weights.safetensors yet: npm run train makes it.');
      const weights = (): Buffer => readFileSync(join(made, 'weights.safetensors'));
      const recorded = script('train');
      expect(recorded).toMatch(/epoch 60: loss .*validation\/loss .*\nvariables saved to weights\.safetensors\nreport: runs\/.*\n$/);
      const page = readFileSync(join(made, /report: (.*)/.exec(recorded)?.[1] ?? ''), 'utf8');
      for (const part of ['<svg', 'validation', 'lr']) expect(page).toContain(part);
      expect(script('curves')).toMatch(/loss[^]*┤[^]*validation/);
      const whole = weights();
      expect(script('train')).toMatch(/goes on from checkpoints\/step-\d+\.safetensors: epoch 61, \d+ steps are done\n/);
      expect(readdirSync(join(made, 'runs'))).toHaveLength(1);
      expect(weights().equals(whole)).toBe(true);
      // A run that was stopped after some epochs has their checkpoints, and ends with the same bits.
      for (const gone of ['checkpoints', 'weights.safetensors']) rmSync(join(made, gone), { recursive: true });
      const { scripts } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8')) as { scripts: { train: string } };
      runIn(made, 'npx', '--offline', ...scripts.train.replace('--epochs 60', '--epochs 7').split(' '));
      expect(weights().equals(whole)).toBe(false);
      expect(script('train')).toMatch(/goes on from checkpoints\/step-\d+\.safetensors: epoch 8, .*\nepoch 8: /);
      expect(weights().equals(whole)).toBe(true);
      expect(script('start')).toMatch(answer);
      expect(script('check')).toContain('up to date');
      // Several starts of npm and tsc one after the other, which a busy machine needs minutes for.
    },
    300_000,
  );

  it('say what is missing where a part was not installed', () => {
    rmSync(join(project, 'node_modules', '@tdsl', `runtime-${platform}`), { recursive: true });
    file(
      'without.mjs',
      "import { openModule } from '@tdsl/runtime';\ntry { openModule('weigh') } catch (e) { console.log(e.code, e.hint) }",
    );
    expect(run(process.execPath, 'without.mjs')).toContain(`toolchain-missing Install @tdsl/runtime-${platform}`);
  });
});
