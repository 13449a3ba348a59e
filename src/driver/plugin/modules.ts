// The modules that stand for programs. In: a program's path, its artifact, what the bundler offers. Out: JavaScript. Holds: no path of this
// machine is in what is built; each bundler is asked for assets in its own way, because each names and moves them in its own way.

import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PluginBuild } from 'esbuild';
import type { CompileOptions } from '../api/compile.js';

/** What has to lie beside the bundle. */
export interface AssetFiles {
  /** The artifact's library. */
  readonly library: string;
  /** The runtime's native half. */
  readonly addon: string;
}

/** What they import to open an artifact. */
export const runtimePackage = '@tdsl/tfc/runtime';

/** Opens the program by its path: from the cache, unless it has changed meanwhile. */
export const servedModule = (path: string, options: CompileOptions): string =>
  `import { compileSync } from '@tdsl/tfc';\nexport default compileSync(${JSON.stringify(path)}, ${JSON.stringify(options)});\n`;

/** For Rollup and those who are like it; `emit` makes an asset and returns its reference. */
export function rollupModule({ library, addon }: AssetFiles, program: string, emit: (name: string, source: Uint8Array) => string): string {
  const place = (path: string, name: string): string => `fileURLToPath(import.meta.ROLLUP_FILE_URL_${emit(name, readFileSync(path))})`;
  return `import { fileURLToPath } from 'node:url';
import { openModule } from '${runtimePackage}';
export default openModule(${place(library, `${nameOf(program)}.so`)}, { addon: ${place(addon, 'runtime.node')} });
`;
}

/** Webpack makes an asset of what a URL names. */
export const webpackModule = ({ library, addon }: AssetFiles): string => `import { fileURLToPath } from 'node:url';
import { openModule } from '${runtimePackage}';
const library = new URL(${JSON.stringify(library)}, import.meta.url);
const addon = new URL(${JSON.stringify(addon)}, import.meta.url);
export default openModule(fileURLToPath(library), { addon: fileURLToPath(addon) });
`;

/**
 * esbuild says where an asset lies as seen from the output directory, and does not say where the chunk lies that asks: the asset is looked
 * for in the directories above it.
 */
export const esbuildModule = ({ library, addon }: AssetFiles, program: string, format: string | undefined): string =>
  `import library from ${JSON.stringify(`${assetPrefix}${library}?${nameOf(program)}.so`)};
import addon from ${JSON.stringify(`${assetPrefix}${addon}?runtime.node`)};
${openBeside(format === 'esm' ? 'import.meta.dirname' : '__dirname', 'library', 'addon')}`;

/** Vite throws away what a plugin emits for a server: the files are copied when all else has been written. */
export const viteModule = (library: string, addon: string): string => `import { fileURLToPath } from 'node:url';
${openBeside('dirname(fileURLToPath(import.meta.url))', JSON.stringify(library), JSON.stringify(addon))}`;

/** Expressions for where the code is, and for two files that lie in a directory above. */
const openBeside = (here: string, library: string, addon: string): string => `import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openModule } from '${runtimePackage}';
function beside(name) {
  for (let folder = ${here}; ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path) || dirname(folder) === folder) return path;
  }
}
export default openModule(beside(${library}), { addon: beside(${addon}) });
`;

/** What assets of a program are called. */
export const nameOf = (program: string): string => basename(program, '.tdsl');

const assetPrefix = 'tfc-asset:';

/** Has esbuild copy the files that `esbuildModule` imports, under names that people know. */
export function loadAssets(build: PluginBuild): void {
  build.onResolve({ filter: /^tfc-asset:/ }, ({ path }) => {
    const at = path.lastIndexOf('?');
    const file = path.slice(assetPrefix.length, at);
    return { namespace: 'tfc-asset', path: join(dirname(file), path.slice(at + 1)), pluginData: file };
  });
  build.onLoad({ filter: /.*/, namespace: 'tfc-asset' }, ({ pluginData }) => ({
    contents: readFileSync(pluginData as string),
    loader: 'file',
  }));
}
