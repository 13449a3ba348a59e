// The native runtime, instrumented. In: sanitizers. Out: the addon or a program of its C sources, in a folder, and what a process needs to
// run with it. Holds: build/ stays as it is; a process takes the addon in place of the usual one because a file that it loads first says
// so; what a sanitizer finds ends the process.

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/driver/package.js';
import { compileFixture } from '../runtime/fixture.js';
import type { Surroundings } from './process.js';

const native = (): string => join(packageRoot(), 'runtime', 'native');
const instrumented = (sanitizers: string | undefined): string[] =>
  sanitizers === undefined ? [] : [`-fsanitize=${sanitizers}`, '-fno-sanitize-recover=all'];
const common = (sanitizers: string | undefined): string[] => [
  ...instrumented(sanitizers),
  '-fno-omit-frame-pointer',
  '-g',
  '-O1',
  '-fPIC',
  '-pthread',
  '-D_GNU_SOURCE',
  '-I',
  native(),
  '-I',
  join(packageRoot(), 'runtime', 'abi'),
];
const sourcesIn = (extension: string): string[] =>
  readdirSync(native())
    .filter((name) => name.endsWith(extension))
    .map((name) => join(native(), name));

function objects(folder: string, sanitizers: string | undefined): string[] {
  return sourcesIn('.c').map((source) => {
    const object = join(folder, `${source.slice(native().length + 1)}.o`);
    execFileSync('cc', ['-std=c11', ...common(sanitizers), '-c', source, '-o', object]);
    return object;
  });
}

/** Runs test/fuzz/threads.c with everything in it instrumented, or as it is; throws what it printed when it fails. */
export function runThreads(folder: string, sanitizers?: string): void {
  const program = join(folder, 'threads');
  execFileSync('cc', [
    '-std=c11',
    ...common(sanitizers),
    join(packageRoot(), 'test', 'fuzz', 'threads.c'),
    ...objects(folder, sanitizers),
    '-o',
    program,
    '-ldl',
    '-lm',
  ]);
  const module = compileFixture(folder, 'fixture', undefined, undefined, [...instrumented(sanitizers), '-g']);
  execFileSync(program, [module], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1', TSAN_OPTIONS: 'halt_on_error=1' },
  });
}

/** What a Node process needs to run with the addon under ASan and UBSan. Node itself leaks on purpose. */
export function sanitizedAddon(folder: string): Surroundings & { readonly env: Readonly<Record<string, string>> } {
  const sanitizers = 'address,undefined';
  const root = packageRoot();
  const headers = ['node_modules/node-api-headers/include', 'node_modules/node-addon-api'].flatMap((path) => ['-I', join(root, path)]);
  const addon = join(folder, 'runtime.node');
  execFileSync('c++', [
    '-std=c++17',
    ...common(sanitizers),
    '-DNAPI_VERSION=9',
    ...headers,
    '-shared',
    ...sourcesIn('.cc'),
    ...objects(folder, sanitizers),
    '-o',
    addon,
    '-ldl',
    '-lm',
  ]);
  const first = join(folder, 'take-addon.cjs');
  writeFileSync(
    first,
    `const open = process.dlopen;\nprocess.dlopen = (module, path, ...flags) => open(module, path.endsWith('runtime.node') ? ${JSON.stringify(addon)} : path, ...flags);\n`,
  );
  const library = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return {
    env: {
      LD_PRELOAD: library,
      NODE_OPTIONS: `--require=${first}`,
      ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  };
}
