// `node --import tfc/register app.js`: programs can be imported and required. In: nothing. Out: hooks in this process. Holds: a program is
// compiled when it is imported, or opened from the cache; its default export is the module; importing and requiring one give the same one.

import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { packageRoot } from '../package.js';
import { isProgram, moduleText } from './module-text.js';

/** What newer versions of Node have: hooks in the same thread, for `import` and `require` alike. */
interface WithHooks {
  registerHooks?(hooks: { load(url: string, context: unknown, next: (url: string, context: unknown) => unknown): unknown }): unknown;
}

const bundle = (name: string): string => join(packageRoot(), 'dist', 'bundle', name);
const api = bundle('index.cjs');

interface RequiredModule {
  exports: unknown;
}

const extensions = (nodeModule.Module as unknown as { _extensions: Record<string, (module: RequiredModule, path: string) => void> })
  ._extensions;
extensions['.tdsl'] = (module, path) => {
  const require = nodeModule.createRequire(api);
  const { compileSync } = require(api) as { compileSync(path: string): unknown };
  // What a compiled `import model from` asks of CommonJS.
  module.exports = Object.defineProperty({ default: compileSync(path) }, '__esModule', { value: true });
};

const { registerHooks } = nodeModule as WithHooks;
if (registerHooks !== undefined)
  registerHooks({
    load: (url, context, next) =>
      isProgram(url)
        ? { format: 'module', shortCircuit: true, source: moduleText(fileURLToPath(url), pathToFileURL(api).href) }
        : next(url, context),
  });
else nodeModule.register(pathToFileURL(bundle('hooks.mjs')), { data: { api: pathToFileURL(api).href } });
