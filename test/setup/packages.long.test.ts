// LLVM as a package. In: all packages. Out: a compiler that takes LLVM's library and linker from there, not from the system.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../driver/tfc.js';
import { placeWithoutPackages } from './place.js';

test('the compiler uses the packed LLVM where it is installed', () => {
  const project = placeWithoutPackages();
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'run.mjs'), 'pack'], { cwd: root, stdio: 'ignore' });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    const tarballs = readdirSync(join(root, 'build', 'tarballs')).filter((name) => name.endsWith(`-${version}.tgz`));
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }');
    writeFileSync(join(project, 'm.tdsl'), 'export fn twice(x: f32): f32 = 2 * x\n');
    const run = (command: string, ...args: string[]): string =>
      execFileSync(command, args, { cwd: project, encoding: 'utf8', env: { ...process.env, TFC_CACHE: join(project, 'cache') } });
    run('npm', 'install', '--ignore-scripts', '--offline', ...tarballs.map((name) => join(root, 'build', 'tarballs', name)));
    const native = join(project, 'node_modules', '@tdsl', `compiler-${process.platform}-${process.arch}`, 'llvm.node');
    const maps = run(
      process.execPath,
      '-e',
      `require(${JSON.stringify(native)}); console.log(require('fs').readFileSync('/proc/self/maps', 'utf8'))`,
    );
    const libraries = new Set([...maps.matchAll(/\S*\/lib(?:LLVM|z3|edit)\.so\S*/g)].map(([path]) => path));
    expect(libraries.size).toBeGreaterThanOrEqual(3);
    for (const path of libraries) expect(path).toContain(join(project, 'node_modules'));
    expect(JSON.parse(run('npx', '--offline', 'tfc', 'run', 'm.tdsl', 'twice', '--feed', 'x=21', '--json'))).toBe(42);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
});
