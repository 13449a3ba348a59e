// The plugin for bundlers: `import model from './model.tdsl'`. In: programs that are imported. Out: modules whose default export is the
// opened program.
// Holds: what is built runs without a compiler: the artifact and the runtime's native half are assets beside the bundle, found from where
// the bundle lies; in a development server and in tests the program is opened from the cache, where the plugin has just put it; a program's
// mistakes are the bundler's errors, with their places; every file that a program imports is watched.

import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createUnplugin, type UnpluginFactory, type UnpluginInstance } from 'unplugin';
import { positionsOf } from '../../../grammar/places.js';
import { TfcError } from '../../../runtime/index.js';
import { namesOf, requireKnown } from '../../../runtime/options.js';
import { type BuiltProgram, buildProgram, type CompileOptions } from '../api/compile.js';
import { artifactFiles } from '../build/request.js';
import { CompileError, oneLine } from '../mistakes.js';
import { addonFile } from '../../../runtime/addon-file.js';
import { builtFile } from '../package.js';
import { render } from '../report/render.js';
import { esbuildModule, loadAssets, nameOf, rollupModule, runtimePackage, servedModule, viteModule, webpackModule } from './modules.js';

/**
 * How a bundler's programs are compiled.
 * @example
 * ```ts
 * import tfc, { type PluginOptions } from '@tdsl/tfc/plugin';
 * const options: PluginOptions = { cpu: 'x86-64-v3', set: { Hidden: 64 } };
 * export default { plugins: [tfc.rollup(options)] };
 * ```
 */
export interface PluginOptions extends Pick<CompileOptions, 'set' | 'cpu' | 'roots'> {
  /**
   * `build`: artifacts become assets, and what is built runs without the compiler. `serve`: programs are compiled, or opened from the
   * cache, when they are imported. Default: `serve` in Vite's server and in vitest, else `build`.
   */
  readonly mode?: 'build' | 'serve';
}

const factory: UnpluginFactory<PluginOptions | undefined, false> = (options = {}, { framework }) => {
  requireKnown(options, 'tfc', namesOf<PluginOptions>({ set: true, cpu: true, roots: true, mode: true }));
  let mode = options.mode ?? 'build';
  /** For Vite: its root, and names of files beside the bundle → those that are copied there. */
  let root = '';
  const copies = new Map<string, string>();
  /** Of what esbuild writes. */
  let format: string | undefined;
  return {
    name: 'tfc',
    enforce: 'pre',
    loadInclude: (id) => programOf(id) !== undefined,
    async load(id) {
      const path = programOf(id);
      if (path === undefined) return undefined;
      // Rollup watches what it reads itself.
      this.addWatchFile(path);
      let built: BuiltProgram;
      try {
        built = await buildProgram(path, { ...compileOptions(options), onWarning: () => undefined });
      } catch (error) {
        if (error instanceof CompileError) for (const source of error.texts.keys()) if (isFile(source)) this.addWatchFile(source);
        const found = errorOf(error, id);
        if (framework !== 'esbuild' && framework !== 'webpack' && framework !== 'rspack') return this.error(found);
        // Those two go on, collect errors, and show a message as it is.
        this.error({ ...found, message: found.frame ?? found.message, stack: '' });
        return 'export default undefined;\n';
      }
      for (const source of built.sources) this.addWatchFile(source);
      for (const warning of built.warnings) this.warn(oneLine(warning, built.texts));
      if (mode === 'serve') return servedModule(path, compileOptions(options));
      const files = {
        library: join(built.directory, artifactFiles.library),
        addon: addonFile('runtime') ?? builtFile('build', 'runtime.node'),
      };
      if (framework === 'esbuild') return esbuildModule(files, path, format);
      if (framework === 'vite') {
        const name = `tfc/${nameOf(path)}-${basename(built.directory).slice(0, 8)}.so`;
        copies.set(name, files.library).set('tfc/runtime.node', files.addon);
        return viteModule(name, 'tfc/runtime.node');
      }
      if (framework === 'webpack' || framework === 'rspack') return webpackModule(files);
      // The reference is there for those who are like Rollup, and unplugin's type is for all.
      const emit = this.emitFile as (asset: { readonly type: 'asset'; readonly name: string; readonly source: Uint8Array }) => unknown;
      return rollupModule(files, path, (name, source) => String(emit.call(this, { type: 'asset', name, source })));
    },
    rollup: {
      /** Rollup finds no packages by itself: where nobody else resolves it, the runtime that a program's module asks for is ours. */
      async resolveId(source, importer, { attributes, custom }) {
        if (source !== runtimePackage || importer === undefined || programOf(importer) === undefined) return undefined;
        return (
          (await this.resolve(source, importer, { skipSelf: true, attributes, ...(custom === undefined ? {} : { custom }) })) ??
          runtimeFile()
        );
      },
    },
    vite: {
      configResolved: ({ command, root: project }) => {
        mode = options.mode ?? (command === 'serve' ? 'serve' : 'build');
        root = project;
      },
      writeBundle: ({ dir, file }) => {
        const folder = resolve(root, dir ?? dirname(file ?? ''));
        for (const [name, from] of copies) {
          mkdirSync(dirname(join(folder, name)), { recursive: true });
          copyFileSync(from, join(folder, name));
        }
      },
    },
    esbuild: {
      loader: 'js',
      onLoadFilter: /\.tdsl$/,
      setup: (build) => {
        ({ format } = build.initialOptions);
        loadAssets(build);
      },
    },
  };
};

/**
 * `import tfc from '@tdsl/tfc/plugin'`: `tfc.vite()`, `tfc.rollup()`, `tfc.rolldown()`, `tfc.esbuild()`, `tfc.webpack()`.
 * @example
 * ```ts
 * import tfc from '@tdsl/tfc/plugin';
 * export default { plugins: [tfc.vite({ cpu: 'x86-64-v3' })] };
 * ```
 */
const plugin: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin(factory);
export default plugin;

const runtimeFile = (): string => builtFile('dist', 'bundle', 'runtime.mjs');

const compileOptions = ({ set, cpu, roots }: PluginOptions): CompileOptions => ({
  ...(set === undefined ? {} : { set }),
  ...(cpu === undefined ? {} : { cpu }),
  ...(roots === undefined ? {} : { roots }),
});

/** The program that is imported; Vite asks again for what has changed, with another query. Those who ask for its text get that. */
const programOf = (id: string): string | undefined => /^([^\0?#]+\.tdsl)(?:\?(?:[tv]=[^&]*&?)*)?$/.exec(id)?.[1];

/** The library's files have names that are no paths. */
const isFile = (source: string): boolean => source.endsWith('.tdsl');

/** What bundlers show who have places and frames of their own. */
interface PlacedError {
  readonly message: string;
  readonly id: string;
  readonly code?: string;
  readonly loc?: { readonly file: string; readonly line: number; readonly column: number };
  readonly frame?: string;
}

function errorOf(error: unknown, id: string): PlacedError {
  if (!(error instanceof CompileError)) return { message: sentence(error), id };
  const [first] = error.diagnostics;
  const span = first?.span;
  const start = span === undefined ? undefined : positionsOf(span, error.texts)?.start;
  return {
    message: error.message,
    id,
    code: error.code,
    ...(span === undefined || start === undefined ? {} : { loc: { file: span.source, line: start.line, column: start.column - 1 } }),
    frame: error.diagnostics.map((one) => render(one, error.texts, false)).join('\n\n'),
  };
}

const sentence = (error: unknown): string =>
  error instanceof TfcError
    ? `${error.code}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`
    : error instanceof Error
      ? error.message
      : String(error);
