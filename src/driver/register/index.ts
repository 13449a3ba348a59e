// `node --import @tdsl/tfc/register app.js`: programs can be imported and required. In: nothing. Out: hooks in this process. Holds: a
// program is compiled when it is imported, or opened from the cache; its default export is the module; importing and requiring one give the
// same one.

import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { packageRoot } from '../package.js';
import { isProgram, moduleText, type Opener, opener } from './module-text.js';

/** What newer versions of Node have: hooks in the same thread, for `import` and `require` alike. */
interface WithHooks {
  registerHooks?(hooks: { load(url: string, context: unknown, next: (url: string, context: unknown) => unknown): unknown }): unknown;
}

/** What older ones ask for each kind of file that is required. */
interface WithExtensions {
  readonly Module: { readonly _extensions: Record<string, (module: { exports: unknown }, path: string) => void> };
}

const bundle = (name: string): string => join(packageRoot(), 'dist', 'bundle', name);
const opened = new Map<string, unknown>();

const open: Opener = (path) => {
  let module = opened.get(path);
  if (module === undefined) {
    // The same instance as that of everybody who imports or requires tfc.
    const { compileSync } = nodeModule.createRequire(bundle('index.cjs'))(bundle('index.cjs')) as { compileSync(path: string): unknown };
    module = compileSync(path);
    opened.set(path, module);
  }
  return module;
};
Object.defineProperty(globalThis, opener, { value: open, configurable: true });

const { registerHooks } = nodeModule as WithHooks;
if (registerHooks !== undefined)
  registerHooks({
    load: (url, context, next) =>
      isProgram(url) ? { format: 'module', shortCircuit: true, source: moduleText(fileURLToPath(url)) } : next(url, context),
  });
else {
  nodeModule.register(pathToFileURL(bundle('hooks.mjs')));
  (nodeModule as unknown as WithExtensions).Module._extensions['.tdsl'] = (module, path) => {
    // What a compiled `import model from` asks of CommonJS.
    module.exports = Object.defineProperty({ default: open(path) }, '__esModule', { value: true });
  };
}
