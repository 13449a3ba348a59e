// What processes load, in few files and already compiled: resolving, reading and compiling some hundred modules takes longer than compiling
// a small program. In: the compiled sources in dist. Out: dist/bundle with the command, the compiling process, the public API, the plugin
// for bundlers, the hooks for Node, the thread that reads data ahead, `stamp`, a hash by which the compile cache knows this compiler, the
// script of the page that `tfc graph` writes, what draws the charts of reports, and libraries that few processes need. Holds: what Node
// compiles of a bundle is kept beside it; a Node that cannot use that compiles it again; a file whose content is as it was is not written
// again, and none is seen half written.

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at, filesBelow, hash, readText, run, writeWhole } from './files.mjs';
import { compilerFlags, loaderOf, wrapped } from './loader.mjs';

const FOLDER = at('dist', 'bundle');
const driver = (name) => at('dist', 'src', 'driver', `${name}.js`);
/** One file of code, and the files that load it: their names and what they do with its exports. */
const BUNDLES = [
  {
    name: 'compiler',
    flags: compilerFlags,
    entries: {
      'cli.cjs': (load) => `#!/usr/bin/env node\n'use strict';\n${load}.runCommand(process.argv.slice(2));\n`,
      'worker.cjs': (load) => `'use strict';\n${load}.serveBuild();\n`,
    },
  },
  {
    name: 'index',
    flags: '',
    // Whether a program imports or requires, the package or its runtime alone: they are the same classes.
    entries: {
      'index.cjs': (load) => `'use strict';\nmodule.exports = ${load};\n`,
      'index.js': (_, exports) => importing('./index.cjs', exports),
      'runtime.cjs': (_, __, runtime) =>
        `'use strict';\nconst { ${runtime.join(', ')} } = require('./index.cjs');\nmodule.exports = { ${runtime.join(', ')} };\n`,
      'runtime.js': (_, __, runtime) => importing('./index.cjs', runtime),
    },
  },
];

/** A module that has what a CommonJS file beside it exports. */
const importing = (file, exports) =>
  `const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);\nexport const { ${exports.join(', ')} } = require('${file}');\n`;

/**
 * What is loaded as modules: the plugin, the hooks, the thread that reads ahead, and the API for bundlers, which cannot follow a loader.
 * They share what they have in common. Names of entries → their sources.
 */
const MODULES = {
  index: driver('index'),
  runtime: at('dist', 'runtime', 'index.js'),
  plugin: driver('plugin/index'),
  register: driver('register/index'),
  hooks: driver('register/hooks'),
  'read-ahead': at('dist', 'src', 'train', 'data', 'read-ahead-thread.js'),
};

/**
 * Modules that the bundle has in place of others, with what takes long to find out: the parser's choices, the library's texts and trees,
 * chevrotain in one file.
 */
async function replacements() {
  const { TdslParser } = await import(at('dist', 'grammar', 'declaration-rules.js'));
  const { lookaheadsOf } = await import(at('dist', 'grammar', 'lookahead.js'));
  const { parse } = await import(at('dist', 'grammar', 'index.js'));
  const { loadStd, stdNames } = await import(at('dist', 'src', 'std', 'load.js'));
  const texts = stdNames.map((name) => [name, loadStd()(name)]);
  const trees = texts.map(([name, text]) => {
    const { program, problems } = parse(text, name);
    if (problems.length > 0) throw new Error(`${name}: ${problems[0].message}`);
    return [name, JSON.stringify(program)];
  });
  const tables = JSON.stringify(lookaheadsOf(new TdslParser()));
  return new Map([
    [
      at('dist', 'grammar', 'prepared.js'),
      `
const trees = new Map(${JSON.stringify(trees)});
export const preparedLookaheads = () => ${JSON.stringify(tables)};
export const preparedTree = (path) => trees.get(path);`,
    ],
    [
      at('dist', 'src', 'std', 'load.js'),
      `
const texts = new Map(${JSON.stringify(texts)});
export const stdNames = [...texts.keys()];
export const loadStd = () => (name) => texts.get(name);`,
    ],
    [at('dist', 'grammar', 'chevrotain.js'), `export * from '${at('node_modules', 'chevrotain', 'lib', 'chevrotain.mjs')}';`],
  ]);
}

/**
 * Node's own modules are loaded where they are used: some of them take longer than the rest of a bundle. In parentheses, for `new`. What is
 * imported as the default of one is the module itself.
 */
const deferred = (code) =>
  [...code.matchAll(/^let (node_\w+) = require\("node:([\w/]+)"\);$/gm)].reduce(
    (text, [line, name, module]) =>
      text
        .replace(line, '')
        .replace(new RegExp(`^${name} = __toESM\\(${name}(?:, 1)?\\);$`, 'm'), '')
        .replaceAll(new RegExp(`\\b${name}(?:\\.default)?\\b`, 'g'), `(require("node:${module}"))`),
    code,
  );

/** What users of the package install with it: all else is in the bundle. */
const packages = () => {
  const { dependencies, peerDependencies } = JSON.parse(readText(at('package.json')));
  return Object.keys({ ...dependencies, ...peerDependencies });
};

/** Directories of the packages that bundles are made of. */
const bundled = new Set();

const noting = {
  name: 'noting',
  load: (id) => {
    const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
    if (folder !== undefined) bundled.add(folder);
  },
};

/** What their authors ask to stand in every copy. */
function licenses() {
  const texts = [...bundled].map((folder) => {
    const { name, version, license } = JSON.parse(readText(join(folder, 'package.json')));
    const file = readdirSync(folder).find((one) => /^(?:licen[cs]e|copying)/i.test(one));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : `${readText(join(folder, file)).trim()}\n\n`}`;
  });
  return `Libraries that these files were made of, with their terms.\n\n${texts.sort().join('---\n\n')}`;
}

/** Libraries that most processes need nothing of: what sources ask `library` for, each in a file of its own (`src/input/library.ts`). */
const libraries = () => [
  ...new Set(
    filesBelow(at('dist', 'src'), (path) => path.endsWith('.js')).flatMap((path) =>
      [...readText(path).matchAll(/\blibrary\('([^']+)'\)/g)].map(([, name]) => name),
    ),
  ),
];

const libraryFile = (name) => `library${name.replaceAll(/\W+/g, '-').replace(/^-?/, '-')}.cjs`;

async function libraryCode(name) {
  const { rolldown } = await import('rolldown');
  const made = await rolldown({ cwd: at(), platform: 'node', input: name, external: /^node:/, plugins: [noting] });
  try {
    const { output } = await made.generate({ format: 'cjs', minify: true, exports: 'named', codeSplitting: false });
    return output[0].code;
  } finally {
    await made.close();
  }
}

async function codeOf(name, modules) {
  // Not at the top: set-up reads this file before anything is installed.
  const { rolldown } = await import('rolldown');
  const made = await rolldown({
    cwd: at(),
    platform: 'node',
    input: { [name]: driver(name) },
    external: [/^node:/, ...packages()],
    plugins: [noting, { name: 'prepared', load: (id) => modules.get(id) }],
  });
  try {
    const { output } = await made.generate({ dir: FOLDER, format: 'cjs', codeSplitting: false });
    return { code: wrapped(deferred(output[0].code)), exports: output[0].exports };
  } finally {
    await made.close();
  }
}

async function modulesOf(modules) {
  const { rolldown } = await import('rolldown');
  const made = await rolldown({
    cwd: at(),
    platform: 'node',
    input: MODULES,
    external: [/^node:/, ...packages()],
    plugins: [noting, { name: 'prepared', load: (id) => modules.get(id) }],
  });
  try {
    const names = { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' };
    const { output } = await made.generate({ dir: FOLDER, format: 'es', ...names });
    // What requires a package does so also where a bundler has made CommonJS of it.
    const here = 'createRequire(typeof __filename === "string" ? __filename : import.meta.url)';
    return output.map((chunk) => ({ ...chunk, code: chunk.code.replaceAll('createRequire(import.meta.url)', here) }));
  } finally {
    await made.close();
  }
}

/** The script of the page that `tfc graph` writes, which stands inside of its HTML. */
async function pageScript() {
  const { rolldown } = await import('rolldown');
  const made = await rolldown({
    cwd: at(),
    platform: 'browser',
    input: at('dist', 'src', 'driver', 'report', 'page', 'main.js'),
    plugins: [noting],
  });
  try {
    const { output } = await made.generate({ format: 'iife' });
    const { code } = output[0];
    if (/<\/script|<!--|[\0\r]/i.test(code)) throw new Error('the script of the page has what HTML would read otherwise');
    return code;
  } finally {
    await made.close();
  }
}

/** What draws the charts of reports, with Vega in it: code for Node alone, of which most processes need nothing. */
async function chartsCode() {
  const { rolldown } = await import('rolldown');
  // Vega for browsers: the one for Node looks for a canvas with a top-level `await`, which `require` cannot load.
  const made = await rolldown({
    cwd: at(),
    platform: 'browser',
    input: at('dist', 'src', 'train', 'report', 'charts.js'),
    plugins: [noting],
  });
  try {
    const { output } = await made.generate({ format: 'cjs', minify: true });
    return output[0].code;
  } finally {
    await made.close();
  }
}

/** Lets a process do what most processes do, and keep what Node has compiled for it. */
async function compiledCode(bundle, source, file) {
  const scratch = mkdtempSync(join(tmpdir(), 'tfc-bundle-'));
  try {
    const programs = filesBelow(at('examples'), (path) => path.endsWith('.tdsl'));
    const env = { ...process.env, TFC_CACHE: join(scratch, 'cache') };
    await run(process.execPath, [at('scripts', 'warm.mjs'), bundle, source, file, scratch, ...programs], {
      quiet: true,
      env,
      what: `warming ${bundle}`,
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export async function bundle() {
  const modules = await replacements();
  const bundles = await Promise.all(BUNDLES.map(async (one) => ({ ...one, ...(await codeOf(one.name, modules)) })));
  const chunks = await modulesOf(modules);
  const runtime = chunks.find((chunk) => chunk.fileName === 'runtime.mjs').exports;
  const stamp = hash(...bundles.map(({ code }) => code));
  const kept = new Set(['stamp']);
  const write = (name, content) => {
    // A bundler leaves a package that is asked for in this way to those who run the bundle, who have none.
    const [, left] = /\bcreateRequire\)?\([^;\n]*\)\("(?!node:)([^"]+)"\)/.exec(content) ?? [];
    if (left !== undefined) throw new Error(`${name} needs the package ${left} where it runs: ask for it by library('${left}')`);
    kept.add(name);
    if (readText(at('dist', 'bundle', name)) !== content) writeWhole(at('dist', 'bundle', name), content);
  };
  for (const { name, flags, code, exports, entries } of bundles) {
    const file = `${name}-${hash(code).slice(0, 12)}`;
    write(`${file}.cjs`, code);
    for (const [entry, content] of Object.entries(entries)) write(entry, content(loaderOf(file, flags), exports, runtime));
    kept.add(`${file}.code`);
  }
  for (const { fileName, code } of chunks) write(fileName, code);
  write('graph-page.js', await pageScript());
  write('charts.cjs', await chartsCode());
  for (const name of libraries()) write(libraryFile(name), await libraryCode(name));
  write('licenses.txt', licenses());
  write('stamp', stamp);
  chmodSync(at('dist', 'bundle', 'cli.cjs'), 0o755);
  for (const { name, code } of bundles) {
    const file = at('dist', 'bundle', `${name}-${hash(code).slice(0, 12)}`);
    await compiledCode(name, `${file}.cjs`, `${file}.code`);
  }
  for (const name of readdirSync(FOLDER))
    if (!kept.has(name) && !name.endsWith('.part')) rmSync(at('dist', 'bundle', name), { force: true });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await bundle();
