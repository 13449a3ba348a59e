// The native addons. In: sources in codegen/llvm/native and runtime/native, node_modules/llvm-bindings, the system's tools.
// Out: build/llvm.node and build/runtime.node; for tests build/cuda. Holds: an object is compiled again only when something it is made of
// changed; llvm-bindings is patched in a copy, never in node_modules.

import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { at, filesBelow, hash, hashFiles, outputOf, readText, run, writeWhole } from './files.mjs';
import { say, stop } from './report.mjs';

const BINDINGS = at('node_modules', 'llvm-bindings');
const PATCH = at('codegen', 'llvm', 'native', 'llvm-bindings-0.4.2-llvm19.patch');
const COPY = at('build', 'llvm-bindings');
/** Fewer, larger translation units: LLVM's headers are parsed once in each. */
const BINDING_UNITS = 4;
const NODE_HEADERS = [
  '-I',
  at('node_modules', 'node-api-headers', 'include'),
  '-I',
  at('node_modules', 'node-addon-api'),
  '-DNAPI_VERSION=9',
];

const isSource = (path) => /\.(c|cc|cpp)$/.test(path);
const isHeader = (path) => /\.h$/.test(path);
const version = (name) => JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8')).version;
const nodeHeadersKey = () => `${version('node-api-headers')} ${version('node-addon-api')}`;

/** Compiles what is stale and links, to a shared library unless `kind` differs; `objects` are `{ name, compiler, flags, source, key }`. */
async function build(output, objects, linkCommand, notice, kind = ['-shared']) {
  const folder = at('build', 'objects');
  mkdirSync(folder, { recursive: true });
  const file = (o) => join(folder, `${o.name}.o`);
  const linkKey = hash(...linkCommand, ...objects.map((o) => o.key));
  if (existsSync(output) && readText(`${output}.stamp`) === linkKey) return;
  const stale = objects.filter((o) => !existsSync(file(o)) || readText(`${file(o)}.stamp`) !== o.key);
  say(notice(stale.length));
  const queue = [...stale].sort((a, b) => statSync(b.source).size - statSync(a.source).size);
  const worker = async () => {
    for (let o = queue.shift(); o !== undefined; o = queue.shift()) {
      const part = `${file(o)}.${process.pid}.part`;
      await run(o.compiler, [...o.flags, '-c', o.source, '-o', part], { quiet: true, what: `compiling ${relative(at(), o.source)}` });
      renameSync(part, file(o));
      writeWhole(`${file(o)}.stamp`, o.key);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), queue.length) }, worker));
  const [linker, ...flags] = linkCommand;
  const part = `${output}.${process.pid}.part`;
  mkdirSync(dirname(output), { recursive: true });
  await run(linker, [...kind, '-o', part, ...objects.map(file), ...flags], { quiet: true, what: `linking ${basename(output)}` });
  renameSync(part, output);
  writeWhole(`${output}.stamp`, linkKey);
}

/** A patched copy of llvm-bindings and a few sources that each include a share of its files. Returns the units' paths. */
async function portBindings(tools, key) {
  const units = Array.from({ length: BINDING_UNITS }, (_, i) => join(COPY, `unit-${i}.cpp`));
  if (readText(join(COPY, 'stamp')) === key) return units;
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  for (const folder of ['src', 'include']) cpSync(join(BINDINGS, folder), join(COPY, folder), { recursive: true });
  await run(tools.patch, ['-p1', '-s', '--fuzz=0', '-d', COPY, '-i', PATCH], { quiet: true, what: 'porting llvm-bindings to LLVM 19' });
  // addon.cc takes the place of its entry point.
  const sources = filesBelow(join(COPY, 'src'), (p) => isSource(p) && basename(p) !== 'llvm-bindings.cpp');
  const shares = units.map(() => ({ size: 0, files: [] }));
  for (const path of sources.sort((a, b) => statSync(b).size - statSync(a).size)) {
    const least = shares.reduce((a, b) => (b.size < a.size ? b : a));
    least.size += statSync(path).size;
    least.files.push(relative(COPY, path));
  }
  shares.forEach((s, i) => writeWhole(units[i], s.files.map((f) => `#include "${f}"\n`).join('')));
  writeWhole(join(COPY, 'stamp'), key);
  return units;
}

/** `build/llvm.node`: the ported llvm-bindings and our extension in one addon, against the system's shared LLVM 19. */
export async function buildLlvmAddon(tools) {
  const ask = (...args) => outputOf(tools.llvmConfig, args) ?? stop(`${tools.llvmConfig} ${args.join(' ')} failed.`);
  const [llvm, include, lib] = [ask('--version'), ask('--includedir'), ask('--libdir')];
  const native = at('codegen', 'llvm', 'native');
  const headers = [...filesBelow(native, isHeader), at('runtime', 'abi', 'seal.h')];
  const compat = join(native, 'llvm19.h');
  const base = hash(outputOf(tools.cxx, ['--version']) ?? '', llvm, include, nodeHeadersKey(), process.arch);
  const portKey = hash(version('llvm-bindings'), readFileSync(PATCH), String(BINDING_UNITS));
  const units = await portBindings(tools, portKey);
  const shared = [
    '-std=c++17',
    '-fPIC',
    '-fvisibility=hidden',
    '-D_GNU_SOURCE',
    '-include',
    compat,
    '-I',
    join(COPY, 'include'),
    ...NODE_HEADERS,
    '-isystem',
    include,
  ];
  // Optimizing the bindings doubles their build and gains nothing: a call's cost is Node's.
  const theirs = [...shared, '-w', '-O0', '-I', COPY];
  const ours = [...shared, '-O1', '-Wall', '-Wextra', '-Wno-unused-parameter', '-I', native];
  const bindingsKey = hash(base, portKey, readFileSync(compat), ...theirs);
  const objects = [
    ...units.map((source, i) => ({ name: `bindings-${i}`, compiler: tools.cxx, flags: theirs, source, key: bindingsKey })),
    ...filesBelow(native, isSource).map((source) => ({
      name: `llvm-${basename(source, '.cc')}`,
      compiler: tools.cxx,
      flags: ours,
      source,
      key: hash(base, portKey, hashFiles([...headers, source]), ...ours),
    })),
  ];
  // Where LLVM's library lies: in the package beside the one that the addon is packed in, else where the system has it. The older kind of
  // entry (RPATH) is also used for the libraries that LLVM's needs itself.
  const places = ['$ORIGIN/../llvm-linux-x64/lib', lib].map((place) => `-Wl,-rpath,${place}`);
  const link = [tools.cxx, `-L${lib}`, '-Wl,--disable-new-dtags', ...places, `-lLLVM-${llvm.split('.')[0]}`, '-s'];
  await build(at('build', 'llvm.node'), objects, link, (n) =>
    n > BINDING_UNITS ? 'building the LLVM addon (about a minute on two cores) …' : `building the LLVM addon (${n} files) …`,
  );
}

/** `build/runtime.node`: threads, arena, random numbers, steps. Needs no LLVM. */
export async function buildRuntimeAddon(tools) {
  const native = at('runtime', 'native');
  const sources = filesBelow(native, isSource);
  if (sources.length === 0) return;
  const headers = [native, at('runtime', 'abi')].flatMap((f) => filesBelow(f, isHeader));
  const base = hash(outputOf(tools.cxx, ['--version']) ?? '', outputOf(tools.cc, ['--version']) ?? '', nodeHeadersKey(), process.arch);
  const shared = ['-O2', '-fPIC', '-fvisibility=hidden', '-pthread', '-Wall', '-Wextra', '-I', native, '-I', at('runtime', 'abi')];
  const c = ['-std=c11', '-D_GNU_SOURCE', '-Wno-unused-parameter', ...shared, ...NODE_HEADERS];
  const cxx = ['-std=c++17', '-D_GNU_SOURCE', '-Wno-unused-parameter', ...shared, ...NODE_HEADERS];
  const objects = sources.map((source) => {
    const isC = source.endsWith('.c');
    const flags = isC ? c : cxx;
    const name = `runtime-${relative(native, source).replaceAll(/[^A-Za-z0-9]/g, '-')}`;
    return { name, compiler: isC ? tools.cc : tools.cxx, flags, source, key: hash(base, hashFiles([...headers, source]), ...flags) };
  });
  const link = [tools.cxx, '-pthread', '-ldl', '-lm', '-s'];
  await build(at('build', 'runtime.node'), objects, link, () => 'building the runtime addon (a few seconds) …');
}

/**
 * For tests: `build/cuda/libcuda.so.1`, a CUDA driver without a GPU (test/cuda), and `build/cuda/harness`, which calls it from scripts.
 * Code is for this very processor, because an instruction of a warp is one of vectors.
 */
export async function buildCudaEmulator(tools) {
  const native = at('test', 'cuda', 'native');
  const headers = [...filesBelow(native, isHeader)];
  const processor = cpus()[0]?.model ?? process.arch;
  const base = hash(outputOf(tools.cxx, ['--version']) ?? '', processor, process.arch);
  // Contraction would round once where PTX rounds twice; registers hold numbers of several types.
  const flags = [
    ...['-std=c++17', '-march=native', '-ffp-contract=off', '-fwrapv', '-fno-strict-aliasing'],
    ...['-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra'],
  ];
  const object = (source) => {
    const name = `cuda-${relative(native, source).replaceAll(/[^A-Za-z0-9]/g, '-')}`;
    const runs = /\/(machine|program)\//.test(source);
    const all = [...flags, ...(runs ? ['-O2', '-ftree-vectorize'] : ['-O1'])];
    return { name, compiler: tools.cxx, flags: all, source, key: hash(base, hashFiles([...headers, source]), ...all) };
  };
  const sources = filesBelow(native, isSource);
  const isHarness = (path) => path.includes('/harness/');
  const notice = (count) => `building the emulated CUDA driver (${count} files, about half a minute) …`;
  await build(
    at('build', 'cuda', 'libcuda.so.1'),
    sources.filter((path) => !isHarness(path)).map(object),
    [tools.cxx, '-ldl', '-lm', '-s'],
    notice,
  );
  await build(
    at('build', 'cuda', 'harness'),
    sources.filter(isHarness).map(object),
    [tools.cxx, '-ldl', '-s'],
    () => 'building its harness …',
    [],
  );
}
