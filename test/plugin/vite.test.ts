// Programs in Vite and vitest. In: an application that imports one. Out: what is built, moved and run; what a server gives, also after a
// change; mistakes.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, createServer } from 'vite';
import { expect, it } from 'vitest';
import type { Module } from '../../src/driver/index.js';
import tfc from '../../src/driver/plugin/index.js';
import { root } from '../driver/tfc.js';
import { answer, project } from './place.js';

const place = project();
const { directory, out, runMoved } = place;
const common = { root: directory, configFile: false, logLevel: 'silent' } as const;

it('builds what runs without the compiler', async () => {
  const outDir = join(out, 'vite');
  await build({
    ...common,
    build: { ssr: 'app.js', outDir, rollupOptions: { output: { entryFileNames: 'inner/[name].mjs' } } },
    ssr: { noExternal: true },
    plugins: [tfc.vite()],
  });
  expect(runMoved(outDir, 'inner/app.mjs')).toEqual({ status: 0, said: answer });
});

it('serves programs from the cache, and again what has changed', async () => {
  const server = await createServer({ ...common, server: { middlewareMode: true, ws: false }, appType: 'custom', plugins: [tfc.vite()] });
  try {
    const half = async (): Promise<unknown> => {
      const { default: model } = (await server.ssrLoadModule('/model.tdsl')) as { readonly default: Module };
      expect(model.path.startsWith(place.cache)).toBe(true);
      return model.session({ threads: 1 }).run('halved', { x: 3 });
    };
    expect(await half()).toBe(1.5);
    writeFileSync(join(directory, 'nets', 'half.tdsl'), 'fn half(x: f32): f32 = x / 4\n');
    await expect.poll(half, { timeout: 20_000 }).toBe(0.75);
    await expect(server.ssrLoadModule('/broken.tdsl')).rejects.toMatchObject({
      id: join(directory, 'broken.tdsl'),
      loc: { file: join(directory, 'broken.tdsl'), line: 2, column: 37 },
      frame: expect.stringContaining('> 2 | export fn f(x: f32): f32 = half(x) + oops'),
    });
  } finally {
    await server.close();
  }
});

it('lets tests import programs', () => {
  place.file('vitest.config.js', "import tfc from '@tdsl/tfc/plugin';\nexport default { plugins: [tfc.vite()] };\n");
  place.file(
    'rows.test.js',
    `import { expect, test } from 'vitest';
import { Module } from '@tdsl/tfc';
import model from './model.tdsl';
test('rows', () => {
  expect(model).toBeInstanceOf(Module);
  expect(model.session().run('rows', { x: [[1, 2]] }).toArray()).toEqual([3]);
});
`,
  );
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', '--root', directory], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: join(root, 'node_modules') },
  });
  expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
});
