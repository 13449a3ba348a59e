// Programs in webpack. In: an application that imports one. Out: what is built, moved and run; mistakes.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import webpack, { type Configuration, type Stats } from 'webpack';
import tfc from '../../src/driver/plugin/index.js';
import { answer, project } from './place.js';

const { directory, out, runMoved } = project();

const build = (configuration: Configuration): Promise<Stats> =>
  new Promise((resolve, reject) => {
    webpack(
      { mode: 'development', devtool: false, context: directory, target: 'node', plugins: [tfc.webpack()], ...configuration },
      (error, stats) => (stats === undefined ? reject(error ?? new Error('webpack says nothing')) : resolve(stats)),
    );
  });

it.each([
  ['cjs', { output: { path: join(out, 'cjs'), filename: 'app.cjs' } }],
  ['mjs', { experiments: { outputModule: true }, output: { path: join(out, 'mjs'), filename: 'app.mjs', module: true } }],
] as const)('builds a %s that runs without the compiler, and watches what the program imports', async (kind, configuration) => {
  const stats = await build({ entry: './app.js', ...configuration });
  expect(stats.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
  expect([...stats.compilation.fileDependencies]).toContain(join(directory, 'nets', 'half.tdsl'));
  expect(runMoved(join(out, kind), `app.${kind}`)).toEqual({ status: 0, said: answer });
});

it('shows mistakes of a program with their place', async () => {
  const stats = await build({ entry: './wrong.js', output: { path: join(out, 'wrong') } });
  const { errors = [] } = stats.toJson({ all: false, errors: true });
  expect(errors).toHaveLength(1);
  expect(errors[0]?.moduleName).toBe('./broken.tdsl');
  expect(errors[0]?.message).toContain(`--> ${join(directory, 'broken.tdsl')}:2:38\n`);
  expect(errors[0]?.message).toContain('> 2 | export fn f(x: f32): f32 = half(x) + oops');
});
