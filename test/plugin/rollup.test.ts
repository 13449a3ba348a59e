// Programs in Rollup and rolldown. In: an application that imports one. Out: what is built, moved and run; mistakes, watched files.

import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { expect, it } from 'vitest';
import tfc from '../../src/driver/plugin/index.js';
import { answer, project } from './place.js';

const { directory, out, runMoved } = project();
const input = (name: string): string => join(directory, name);
it.each([
  ['es', 'mjs'],
  ['cjs', 'cjs'],
] as const)('Rollup builds %s that runs without the compiler, and watches what the program imports', async (format, extension) => {
  const warnings: unknown[] = [];
  // Rollup finds no packages by itself, and the plugin brings the one that programs need.
  const made = await rollup({
    input: input('app.js'),
    plugins: [tfc.rollup()],
    external: /^node:/,
    onwarn: ({ message }) => void warnings.push(message),
  });
  expect(made.watchFiles).toEqual(expect.arrayContaining(['app.js', 'model.tdsl', 'nets/half.tdsl'].map(input)));
  const dir = join(out, `rollup-${format}`);
  await made.write({ dir, format, entryFileNames: `inner/[name].${extension}` });
  expect(runMoved(dir, `inner/app.${extension}`)).toEqual({ status: 0, said: answer });
  expect(warnings).toEqual([]);
});

it('leaves the runtime to those who have a place for it', async () => {
  const imported = async (options: Readonly<Record<string, unknown>>): Promise<readonly string[]> => {
    const made = await rollup({ input: input('app.js'), ...options });
    const { output } = await made.generate({ format: 'es' });
    return output.flatMap((one) => (one.type === 'chunk' ? one.imports : [])).filter((name) => !name.startsWith('node:'));
  };
  expect(await imported({ plugins: [tfc.rollup()], external: /^node:|^@tdsl/ })).toEqual(['@tdsl/tfc/runtime']);
  const elsewhere = {
    name: 'elsewhere',
    resolveId: (id: string) => (id === '@tdsl/tfc/runtime' ? { id: 'mine', external: true } : undefined),
  };
  expect(await imported({ plugins: [tfc.rollup(), elsewhere], external: /^node:/ })).toEqual(['mine']);
});

it('rolldown builds what runs without the compiler', async () => {
  const made = await rolldown({ cwd: directory, input: 'app.js', platform: 'node', plugins: [tfc.rolldown()] });
  const dir = join(out, 'rolldown');
  await made.write({ dir, entryFileNames: '[name].mjs' });
  await made.close();
  expect(runMoved(dir, 'app.mjs')).toEqual({ status: 0, said: answer });
});

it('shows mistakes of a program with their place', async () => {
  const mistake = {
    loc: { file: input('broken.tdsl'), line: 2, column: 37 },
    frame: expect.stringContaining('> 2 | export fn f(x: f32): f32 = half(x) + oops'),
  };
  await expect(rollup({ input: input('wrong.js'), plugins: [tfc.rollup()] })).rejects.toMatchObject({
    pluginCode: 'unknown-name',
    ...mistake,
  });
  const made = await rolldown({ cwd: directory, input: 'wrong.js', plugins: [tfc.rolldown()] });
  await expect(made.generate()).rejects.toMatchObject({ errors: [mistake] });
  await made.close();
});

it('refuses options that the plugin has not', () => {
  expect(() => tfc.rollup({ cup: 'native' } as never)).toThrow(
    expect.objectContaining({ code: 'invalid-value', message: 'tfc has no option "cup".', hint: 'Did you mean cpu?' }) as Error,
  );
});
