// Programs in Node itself, and the package as it is installed. In: applications that import and require. Out: what they print.

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { answer, project } from './place.js';

const place = project();
const node = (...args: readonly string[]) =>
  spawnSync(process.execPath, args, { cwd: place.directory, encoding: 'utf8', env: { ...process.env, TFC_CACHE: place.cache } });
const said = (...args: readonly string[]): string => {
  const { status, stdout, stderr } = node(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
};

describe('@tdsl/tfc/register', () => {
  it('lets programs be imported', () => {
    expect(said('--import', '@tdsl/tfc/register', 'app.js')).toBe(answer);
  });

  it('lets them be required, and gives one module to all', () => {
    place.file(
      'both.cjs',
      `const { default: model } = require('./model.tdsl');
const { Module } = require('@tdsl/tfc');
import('./model.tdsl').then((imported) => console.log(model instanceof Module, imported.default === model));
`,
    );
    expect(said('--import', '@tdsl/tfc/register', 'both.cjs')).toBe('true true\n');
  });

  it('throws what is wrong with a program', () => {
    const { status, stderr } = node('--import', '@tdsl/tfc/register', 'wrong.js');
    expect(status).toBe(1);
    expect(stderr).toMatch(/CompileError: .*broken\.tdsl:2:38: unknown-name: /);
  });

  it('leaves other files alone', () => {
    place.file('data.json', '{ "one": 1 }');
    place.file(
      'other.js',
      "import data from './data.json' with { type: 'json' };\nimport { basename } from 'node:path';\nconsole.log(data.one, basename('a/b'));\n",
    );
    expect(node('--import', '@tdsl/tfc/register', 'other.js').stdout).toBe('1 b\n');
  });
});

describe('the package', () => {
  it('is the same whether it is imported or required, as a whole or its runtime', () => {
    place.file(
      'same.cjs',
      `const tfc = require('@tdsl/tfc');
const runtime = require('@tdsl/tfc/runtime');
Promise.all([import('@tdsl/tfc'), import('@tdsl/tfc/runtime')]).then(([imported, part]) =>
  console.log(imported.Tensor === tfc.Tensor, runtime.Tensor === tfc.Tensor, part.TfcError === tfc.TfcError, 'compile' in runtime, typeof tfc.compile),
);
`,
    );
    expect(said('same.cjs')).toBe('true true true false function\n');
  });

  it('has a plugin for every bundler', () => {
    place.file(
      'plugin.mjs',
      "import tfc from '@tdsl/tfc/plugin';\nconsole.log(['vite', 'rollup', 'rolldown', 'esbuild', 'webpack'].every((name) => typeof tfc[name] === 'function'));\n",
    );
    expect(said('plugin.mjs')).toBe('true\n');
  });
});
