// How a bundle is loaded. In: its code, its name. Out: the code as one function; an expression that gives its exports. Holds: the loader
// trusts what Node has compiled before only if Node does, which wants the same flags as then; it is text, because it stands in files that
// load nothing else.

/**
 * For processes that compile and end: bytes of bytecode that a function runs before V8 optimizes it, twelve times as many as usual, and
 * hardly a call in whose place the code that it calls is put. Code that runs for a tenth of a second does not live to repay more, which
 * keeps the second core from LLVM. The heap is not marked ahead of a collection that few such processes come to. V8 has the flags up to
 * version 11, which is that of Node 20; later ones complain of them on standard error.
 */
export const compilerFlags = '--interrupt-budget=800000 --max-inlined-bytecode-size-cumulative=30 --no-incremental-marking';

export function setFlags(flags, v8 = process.versions.v8) {
  const isKnown = flags !== '' && Number.parseInt(v8, 10) <= 11;
  if (isKnown) process.getBuiltinModule('node:v8').setFlagsFromString(flags);
  return isKnown;
}

/**
 * A script whose value is a function with the names that a CommonJS module knows, and with what imports packages that are loaded only when
 * they are needed: a script from a cache cannot import by itself. Plain ASCII, so that it is read without decoding.
 */
export const wrapped = (code) =>
  `(function (exports, require, module, __filename, __dirname, importPackage) { ${ascii(code.replaceAll(/\bimport\((?=["'])/g, 'importPackage('))}\n})`;

const ascii = (code) => code.replaceAll(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function load(require, name, flags) {
  setFlags(flags);
  const { readFileSync } = require('node:fs');
  const { dirname } = require('node:path');
  const { Script } = require('node:vm');
  const filename = require.resolve(`./${name}.cjs`);
  let cachedData;
  try {
    cachedData = readFileSync(filename.replace(/cjs$/, 'code'));
  } catch {
    // Nothing has been compiled yet.
  }
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename, dirname(filename), (name) => import(name));
  return module.exports;
}

export const loaderOf = (name, flags = '') =>
  `(${load})(require, '${name}', '${flags}')`.replace('setFlags(flags);', () => `(${setFlags})(flags);`);
