// Set-up's messages where something is missing, and the wall between rooms. In: its scripts, run as a newcomer's machine would.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
}

function tools(env: NodeJS.ProcessEnv) {
  const script = `import('./scripts/system.mjs').then((s) => s.systemTools()).then((t) => console.log(JSON.stringify(t)), (e) => { console.error(e.message); process.exitCode = 1; })`;
  return node(['-e', script], env);
}

describe('the tools of the system', () => {
  test('without a compiler and a package manager it says what is missing and how to point to it', () => {
    const empty = mkdtempSync(join(tmpdir(), 'tfc-empty-'));
    try {
      const { status, stderr } = tools({ PATH: empty, CXX: '', CC: '', LLVM_CONFIG: '', LLD: '' });
      expect(status).toBe(1);
      for (const part of ['a C++17 compiler', 'set CXX to its path', 'apt-get install g++', 'No apt-get here, so nothing was installed.'])
        expect(stderr).toContain(part);
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  test('a variable that names no program, or another LLVM, is refused by name', () => {
    expect(tools({ LLD: '/nowhere/ld.lld' }).stderr).toContain('LLD is set to /nowhere/ld.lld, which is no program.');
    expect(tools({ LLVM_CONFIG: process.execPath }).stderr).toContain('which is not LLVM 19');
  });

  test('a variable points to a tool elsewhere', () => {
    const found = JSON.parse(tools({ CXX: process.execPath }).stdout) as Record<string, string>;
    expect(found['cxx']).toBe(process.execPath);
  });
});

test('an old Node is refused with the versions that do', () => {
  const ask = (version: string) =>
    node([
      '-e',
      `import('./scripts/packages.mjs').then((p) => p.checkNode('${version}')).catch((e) => { console.error(e.message); process.exitCode = 1; })`,
    ]);
  for (const old of ['18.20.4', '20.18.3', '21.7.0', '22.11.0']) expect(ask(old).stderr).toContain(`Node ${old} is too old`);
  for (const fit of ['20.19.0', '22.12.0', '23.0.0', '26.1.0']) expect(ask(fit).status).toBe(0);
});

test('what the demo sets up is the whole product', () => {
  const { stdout } = node(['-e', `import('./scripts/setup.mjs').then((s) => console.log(JSON.stringify(s.projectsOf('examples'))))`]);
  const referred = (project: string): string[] => {
    const { references = [] } = JSON.parse(readFileSync(join(root, project, 'tsconfig.json'), 'utf8')) as {
      readonly references?: readonly { readonly path: string }[];
    };
    return references.map(({ path }) => relative(root, join(root, project, path)));
  };
  const compiled = new Set(JSON.parse(stdout) as string[]);
  // A set's iteration also visits what is added meanwhile.
  for (const project of compiled) for (const other of referred(project)) compiled.add(other);
  expect(referred('.').filter((project) => project !== 'test' && !compiled.has(project))).toEqual([]);
});

test('an unknown command shows the usage', () => {
  const { status, stderr } = node(['scripts/run.mjs', 'nonsense']);
  expect(status).toBe(1);
  expect(stderr).toContain('usage:');
});

test('a room that imports what its references do not name is a lint error, a room that does is none', async () => {
  const eslint = new ESLint({ cwd: root });
  const faults = async (file: string, source: string): Promise<string[]> => {
    const [result] = await eslint.lintText(source, { filePath: join(root, file) });
    return (result?.messages ?? []).filter((m) => m.ruleId === 'tfc/room-imports').map((m) => m.message);
  };
  expect(await faults('src/passes/probe.ts', `export { a } from '../lower/index.js';\n`)).toEqual([
    expect.stringContaining('src/passes must not import src/lower'),
  ]);
  // Reached through src/ops, but not named: not allowed either.
  expect(await faults('src/check/probe.ts', `export { a } from '../kernel/index.js';\n`)).toHaveLength(1);
  expect(await faults('src/passes/probe.ts', `export { a } from '../ops/index.js';\n`)).toEqual([]);
});

describe('the loader of bundles', () => {
  test('sets no flag that V8 does not know: it complains of those on standard error', () => {
    const asked = (v8: string): string =>
      node(['-e', `import('./scripts/loader.mjs').then((l) => console.log(l.setFlags(l.compilerFlags, '${v8}')))`]).stdout;
    expect(['11.3.244.8-node.38', '12.4.254.21-node.57', '13.6.233.17-node.53'].map(asked)).toEqual(['true\n', 'false\n', 'false\n']);
    const { status, stderr } = node(['dist/bundle/cli.cjs', '--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
