// Tools of the system: a C++ compiler, patch, LLVM 19, lld. In: environment variables and the usual places. Out: their paths;
// what is missing is installed with apt-get where there is one. Holds: it says what it installs before it does; set CXX, CC,
// LLVM_CONFIG or LLD to point at tools elsewhere.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, run, which } from './files.mjs';
import { say, stop } from './report.mjs';

const LLVM_MAJOR = '19';
const DAYS_7 = 7 * 24 * 3600 * 1000;

/** Each tool: where it may be, what it is for, and the Debian or Ubuntu package that brings it. */
const TOOLS = [
  { key: 'cxx', variable: 'CXX', names: ['c++', 'g++', 'clang++'], packages: ['g++'], why: 'a C++17 compiler, for the two native addons' },
  { key: 'cc', variable: 'CC', names: ['cc', 'gcc', 'clang'], packages: ['gcc', 'libc6-dev'], why: 'a C compiler, for the runtime' },
  { key: 'patch', names: ['patch'], packages: ['patch'], why: 'to port llvm-bindings to LLVM 19' },
  {
    key: 'llvmConfig',
    variable: 'LLVM_CONFIG',
    names: ['llvm-config-19', '/usr/lib/llvm-19/bin/llvm-config', 'llvm-config'],
    packages: ['llvm-19-dev'],
    why: 'LLVM 19 with its headers, the code generator',
    fits: (path) => outputOf(path, ['--version'])?.split('.')[0] === LLVM_MAJOR,
  },
  {
    key: 'lld',
    variable: 'LLD',
    names: ['ld.lld-19', '/usr/lib/llvm-19/bin/ld.lld', 'ld.lld'],
    packages: ['lld-19'],
    why: 'the linker for compiled models',
  },
];

function find(tool) {
  const named = tool.variable === undefined ? undefined : process.env[tool.variable];
  if (named !== undefined && named !== '') {
    const path = which(named);
    if (path === undefined) stop(`${tool.variable} is set to ${named}, which is no program.`);
    if (tool.fits?.(path) === false) stop(`${tool.variable} is set to ${named}, which is not LLVM ${LLVM_MAJOR}.`);
    return path;
  }
  return tool.names.map(which).find((path) => path !== undefined && (tool.fits === undefined || tool.fits(path)));
}

function locate() {
  return Object.fromEntries(TOOLS.map((t) => [t.key, find(t)]));
}

/** Paths of all tools, after installing what was missing: `{ cxx, cc, patch, llvmConfig, lld }`. */
export async function systemTools() {
  const before = locate();
  const missing = TOOLS.filter((t) => before[t.key] === undefined);
  if (missing.length === 0) return before;
  await install(missing);
  const after = locate();
  const still = TOOLS.filter((t) => after[t.key] === undefined);
  if (still.length > 0) stop(...lacking(still));
  return after;
}

function lacking(tools) {
  return [
    'this machine lacks:',
    ...tools.map((t) => `  ${t.names[0]}: ${t.why}${t.variable === undefined ? '' : ` (elsewhere? set ${t.variable} to its path)`}`),
    `On Debian 12, Ubuntu 24.04 or newer: apt-get install ${tools.flatMap((t) => t.packages).join(' ')}`,
  ];
}

async function install(missing) {
  const apt = which('apt-get');
  if (apt === undefined) stop(...lacking(missing), 'No apt-get here, so nothing was installed.');
  const packages = missing.flatMap((t) => t.packages);
  const root = process.getuid?.() === 0;
  const sudo = root ? undefined : which('sudo');
  if (!root && sudo === undefined) stop(...lacking(missing), 'Installing needs root, and there is no sudo.');
  const how = root ? 'apt-get' : 'sudo apt-get';
  say(`missing: ${missing.map((t) => t.why).join('; ')}`);
  const size = packages.includes('llvm-19-dev') ? ' (some 100 MB to fetch, 500 MB on disk)' : '';
  say(`installing ${packages.join(' ')} with ${how}${size} …`);
  const call = (...args) => {
    const all = ['-o', 'DPkg::Lock::Timeout=300', ...args];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return root
      ? run(apt, all, { quiet: true, env, what: `apt-get ${args[0]}` })
      : run(sudo, [apt, ...all], { env, what: `apt-get ${args[0]}` });
  };
  if (listsAreOld() || packages.some((p) => !outputOf('apt-cache', ['show', p]))) {
    say('refreshing the package lists (apt-get update) …');
    await call('update');
  }
  const unknown = packages.filter((p) => !outputOf('apt-cache', ['show', p]));
  if (unknown.length > 0) stop(`the system's package sources do not know ${unknown.join(', ')}.`, ...lacking(missing));
  await call('install', '-y', '--no-install-recommends', ...packages);
}

function listsAreOld() {
  const folder = '/var/lib/apt/lists';
  const lists = existsSync(folder) ? readdirSync(folder).filter((f) => f.includes('Packages')) : [];
  return lists.length === 0 || lists.every((f) => Date.now() - statSync(join(folder, f)).mtimeMs > DAYS_7);
}
