// Programs in esbuild. In: an application that imports one. Out: what is built, moved and run.

import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import tfc from '../../src/driver/plugin/index.js';
import { answer, project } from './place.js';

const place = project();
const { directory, out, runMoved } = place;
const common = { absWorkingDir: directory, bundle: true, platform: 'node', logLevel: 'silent' } as const;

it.each([
  ['esm', '.mjs'],
  ['cjs', '.cjs'],
] as const)('builds %s that runs without the compiler', async (format, extension) => {
  const outdir = join(out, format);
  mkdirSync(join(directory, 'deep'), { recursive: true });
  writeFileSync(join(directory, 'deep', 'app.js'), "import '../app.js';\n");
  const made = await build({
    ...common,
    entryPoints: ['app.js', 'deep/app.js'],
    format,
    outdir,
    outExtension: { '.js': extension },
    plugins: [tfc.esbuild()],
  });
  expect(made.errors).toEqual([]);
  expect(readdirSync(outdir).filter((name) => /^(?:model-\w+\.so|runtime-\w+\.node)$/.test(name))).toHaveLength(2);
  // Also from a directory below the one where the assets lie.
  for (const file of [`app${extension}`, `deep/app${extension}`]) expect(runMoved(outdir, file)).toEqual({ status: 0, said: answer });
});

it('shows mistakes of a program with their place', async () => {
  const failed = build({ ...common, entryPoints: ['wrong.js'], format: 'esm', write: false, plugins: [tfc.esbuild()] });
  await expect(failed).rejects.toMatchObject({
    errors: [
      { pluginName: 'tfc', location: { file: 'broken.tdsl', line: 2, column: 37 }, text: expect.stringContaining('> 2 | export fn f') },
    ],
  });
});

it('bundles programs that compile and that open artifacts', async () => {
  const text = `import { compileSync, readCsv } from '@tdsl/tfc';
import { openModule } from '@tdsl/tfc/runtime';
const model = compileSync(process.argv[2]);
const opened = openModule(model.path);
console.log(opened.session().run('halved', { x: 3 }), model.session() instanceof Object, readCsv(process.argv[3]).length);
`;
  place.file('whole.js', text);
  place.file('two.csv', 'a,b\n1,2\n');
  for (const [format, extension] of [['esm', 'mjs'] as const, ['cjs', 'cjs'] as const]) {
    const outfile = join(out, 'whole', `whole.${extension}`);
    await build({ ...common, entryPoints: ['whole.js'], format, outfile });
    const { status, stdout, stderr } = run(outfile, 'model.tdsl', 'two.csv');
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '1.5 true 2\n', stderr: '' });
  }
});

function run(file: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, [file, ...args], { cwd: directory, encoding: 'utf8' });
}
