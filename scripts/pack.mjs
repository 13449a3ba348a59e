// The packages that are published. In: what set-up built. Out: build/packages/NAME, a directory per package, and build/tarballs, what
// `npm install` takes. Holds: all of them have the version of package.json; nothing in them is built, compiled or fetched when they are
// installed; whoever installs @tdsl/tfc gets what belongs to the platform by optional dependencies.

import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { at, filesBelow, outputOf, run } from './files.mjs';
import { say, stop } from './report.mjs';
import { systemTools } from './system.mjs';

const SCOPE = '@tdsl';
const PLATFORM = `${process.platform}-${process.arch}`;
const own = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const base = { version: own.version, license: own.license, engines: own.engines };
const native = { os: [process.platform], cpu: [process.arch], libc: ['glibc'], preferUnplugged: true };
const optional = (...names) => Object.fromEntries(names.map((name) => [`${SCOPE}/${name}-${PLATFORM}`, own.version]));

/** Name, manifest, and a function that fills the directory. */
const PACKAGES = [
  {
    name: 'tfc',
    manifest: {
      description: own.description,
      type: 'module',
      os: own.os,
      bin: own.bin,
      exports: own.exports,
      dependencies: own.dependencies,
      // They come with it, so that nothing has to be fetched.
      bundleDependencies: Object.keys(own.dependencies),
      optionalDependencies: optional('compiler', 'runtime'),
      peerDependencies: own.peerDependencies,
      peerDependenciesMeta: own.peerDependenciesMeta,
    },
    fill: (folder) => {
      copyAll(folder, at('dist', 'bundle'), () => true);
      const types = [
        ['src', 'driver', 'index'],
        ['src', 'driver', 'plugin', 'index'],
        ['src', 'driver', 'register', 'index'],
        ['runtime', 'index'],
      ];
      for (const path of types) for (const file of declarations(at('dist', ...path) + '.d.ts')) copy(folder, file);
      for (const file of filesBelow(at('dist', 'src', 'driver', 'build'), (path) => /stage-(?:thread|line)\.js$/.test(path)))
        copy(folder, file);
      copy(folder, at('runtime', 'abi', 'tfc.h'));
      for (const name of withTheirOwn(Object.keys(own.dependencies)))
        copyAll(folder, at('node_modules', name), (path) => !path.endsWith('.map'));
      copyAll(folder, at('src', 'std'), (path) => path.endsWith('.tdsl'));
    },
  },
  {
    name: 'runtime',
    manifest: {
      description: 'Runs compiled modules of tfc: no compiler, no dependencies.',
      type: 'module',
      os: own.os,
      exports: {
        '.': {
          types: './dist/runtime/index.d.ts',
          import: './dist/runtime.mjs',
          require: './dist/runtime.cjs',
        },
        './package.json': './package.json',
      },
      optionalDependencies: optional('runtime'),
    },
    fill: async (folder) => {
      for (const file of declarations(at('dist', 'runtime', 'index.d.ts'))) copy(folder, file);
      const { rolldown } = await import('rolldown');
      const made = await rolldown({ cwd: at(), platform: 'node', input: at('dist', 'runtime', 'index.js'), external: /^node:/ });
      for (const [format, file] of [
        ['esm', 'runtime.mjs'],
        ['cjs', 'runtime.cjs'],
      ])
        await made.write({ file: join(folder, 'dist', file), format });
      await made.close();
    },
  },
  {
    name: `runtime-${PLATFORM}`,
    manifest: { description: `The native part of ${SCOPE}/runtime for ${PLATFORM}.`, ...native },
    fill: (folder) => addon(folder, 'runtime'),
  },
  {
    name: `compiler-${PLATFORM}`,
    manifest: {
      description: `The native part of ${SCOPE}/tfc for ${PLATFORM}: llvm-bindings, ported to LLVM 19, and what it lacks.`,
      ...native,
      optionalDependencies: optional('llvm'),
    },
    fill: (folder) => {
      addon(folder, 'llvm');
      copyFileSync(at('node_modules', 'llvm-bindings', 'LICENSE'), join(folder, 'LICENSE.llvm-bindings'));
    },
  },
  {
    name: `llvm-${PLATFORM}`,
    manifest: {
      description: `LLVM 19's shared library and linker for ${PLATFORM}, as Debian builds them, for machines that have none.`,
      license: 'Apache-2.0 WITH LLVM-exception',
      ...native,
    },
    fill: fillLlvm,
  },
];

/** Into the same place below `folder`. */
function copy(folder, file) {
  const to = join(folder, relative(at(), file));
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(file, to);
}

function copyAll(folder, from, wanted) {
  for (const file of filesBelow(from, (path) => wanted(path) && !path.endsWith('.part'))) copy(folder, file);
}

function addon(folder, name) {
  copyFileSync(at('build', `${name}.node`), join(folder, `${name}.node`));
  chmodSync(join(folder, `${name}.node`), 0o755);
}

/** A file of declarations and all that it refers to. They need no package but those that come along: strict programs read all of them. */
function declarations(first) {
  const found = new Set([first]);
  for (const file of found) {
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
    for (const [, name] of code.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      const path = join(dirname(file), name.replace(/\.js$/, '.d.ts'));
      if (name.startsWith('.') && existsSync(path)) found.add(path);
      else if (!name.startsWith('node:') && !(name in own.dependencies))
        stop(`${relative(at(), file)} needs ${name} for its types, which users of the package do not have.`);
    }
  }
  return found;
}

/** Packages, and all that those need. */
function withTheirOwn(names) {
  const found = new Set(names);
  for (const name of found) {
    const { dependencies = {} } = JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8'));
    for (const other of Object.keys(dependencies)) found.add(other);
  }
  return found;
}

/** Libraries that every machine with Node has. */
const everywhere = /^(?:ld-linux.*|linux-vdso|libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+)\.so/;

/** LLVM's library with those that it needs, and the linker; behind each the terms of the Debian package that it comes from. */
async function fillLlvm(folder) {
  const { lld } = await systemTools();
  const [bin, lib] = ['bin', 'lib'].map((name) => join(folder, name));
  for (const one of [bin, lib]) mkdirSync(one, { recursive: true });
  copyFileSync(realpathSync(lld), join(bin, 'ld.lld'));
  chmodSync(join(bin, 'ld.lld'), 0o755);
  const needed = (outputOf('ldd', [lld]) ?? stop(`ldd ${lld} failed.`))
    .split('\n')
    .map((line) => /^\s*(\S+) => (\/\S+)/.exec(line))
    .filter((match) => match !== null && !everywhere.test(match[1]));
  for (const [, name, path] of needed) {
    copyFileSync(realpathSync(path), join(lib, name));
    const owner = outputOf('dpkg', ['-S', realpathSync(path)]) ?? outputOf('dpkg', ['-S', path]);
    const terms = owner === undefined ? undefined : `/usr/share/doc/${owner.split(':')[0]}/copyright`;
    if (terms !== undefined && existsSync(terms)) cpSync(realpathSync(terms), join(folder, 'licenses', name));
  }
}

/** `names`: those to pack; default: all. Returns the paths of the tarballs. */
export async function pack(names = PACKAGES.map(({ name }) => name)) {
  const tarballs = at('build', 'tarballs');
  mkdirSync(tarballs, { recursive: true });
  const made = [];
  for (const { name, manifest, fill } of PACKAGES.filter((one) => names.includes(one.name))) {
    const folder = at('build', 'packages', name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await fill(folder);
    for (const file of ['LICENSE', ...(name === 'tfc' ? ['README.md'] : [])]) copyFileSync(at(file), join(folder, file));
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ name: `${SCOPE}/${name}`, ...base, ...manifest }, null, 2)}\n`);
    for (const old of readdirSync(tarballs)) if (old.startsWith(`tdsl-${name}-${own.version}`)) rmSync(join(tarballs, old));
    const said = await run('npm', ['pack', folder, '--pack-destination', tarballs, '--silent'], { quiet: true, what: `packing ${name}` });
    const file = join(tarballs, said.trim().split('\n').at(-1));
    say(`packed ${basename(file)}`);
    made.push(file);
  }
  return made;
}

// Why a table, and no npm workspaces: the packages are selections of what one build made (one project of TypeScript, one bundle, two
// addons), most of them for one platform. As workspaces each would need sources, a manifest and a build of its own, would be linked into
// node_modules beside what it is made of, and the compiler and its plugin could come in versions that do not fit each other.
