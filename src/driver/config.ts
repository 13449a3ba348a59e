// Defaults of a project as a file. In: `tfc.config.ts` (or .mts, .js, .mjs, .json) of the working directory or of the package around it.
// Out: what it exports. Holds: the file is code of the project, which runs as the user.

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TfcError } from '../../runtime/index.js';
import { packageAround } from '../../runtime/here.js';
import { shown } from '../../runtime/shown.js';

export type Value = string | number | boolean | readonly (string | number)[] | Readonly<Record<string, string | number>>;

/**
 * Values of a command's options by their names in camel case, and for `train`, `eval` and `predict` of scalar arguments of the entry:
 * `{ batch: 50, dropRest: true, lr: 1e-3 }`.
 * @example
 * ```ts
 * const training: OptionValues = { batch: 50, dropRest: true, lr: 1e-3 };
 * export default defineConfig({ train: training });
 * ```
 */
export type OptionValues = Readonly<Record<string, Value>>;

/**
 * `{ threads: 2, set: { Hidden: 512 }, train: { batch: 50 } }`: for every command that has the option, or for one command.
 * @example
 * ```ts
 * const config: Config = { threads: 2, set: { Hidden: 64 }, train: { batch: 50, epochs: 10 } };
 * export default config;
 * ```
 */
export type Config = Readonly<Record<string, Value | OptionValues>>;

/**
 * Gives a configuration its type: `export default defineConfig({ threads: 2 })`.
 * @example
 * ```ts
 * export default defineConfig({ threads: 2, set: { Hidden: 64 }, train: { batch: 50, epochs: 10 } });
 * ```
 */
export const defineConfig = (config: Config): Config => config;

const names = ['tfc.config.ts', 'tfc.config.mts', 'tfc.config.js', 'tfc.config.mjs', 'tfc.config.json'];

/**
 * The one of the working directory, else of the package around it; undefined when there is none.
 * @throws TfcError bad-data when it belongs to another user.
 */
export function configFile(start: string): string | undefined {
  for (const directory of new Set([start, packageAround(start)])) {
    const found = names.map((name) => join(directory, name)).find((path) => existsSync(path));
    if (found === undefined) continue;
    const { uid } = statSync(found);
    const own = process.getuid?.();
    if (own !== undefined && uid !== own && uid !== 0)
      throw new TfcError('bad-data', `${found} belongs to somebody else, and is not run`, { hint: 'Make a copy of your own.' });
    return found;
  }
  return undefined;
}

/** @throws TfcError bad-data, with what the file itself throws as the cause. */
export async function readConfig(path: string): Promise<Config> {
  let config: unknown;
  try {
    const { createJiti } = await import('jiti');
    config = await createJiti(path, { fsCache: false }).import(path, { default: true });
  } catch (cause) {
    throw new TfcError('bad-data', `${path}: ${cause instanceof Error ? cause.message : shown(cause)}`, { cause });
  }
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return config as Config;
  throw new TfcError('bad-data', `${path}: its default export is an object of options, not ${shown(config)}`, {
    hint: 'export default { threads: 2, train: { batch: 50 } }',
  });
}
