// tfc's own package. In: where this file lies. Out: its root and its version. Holds: the same for sources and for what is built of them.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DiagnosticsError, InternalError } from '../base/index.js';

/** The directory with tfc's `package.json`. */
export function packageRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new InternalError('driver', 'the package root was not found');
    directory = parent;
  }
  return directory;
}

export const version = (): string => (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;

/** A file of the package that set-up builds. Throws toolchain-missing when it is not there. */
export function builtFile(...path: readonly string[]): string {
  const file = join(packageRoot(), ...path);
  if (existsSync(file)) return file;
  throw new DiagnosticsError([
    { code: 'toolchain-missing', message: `${path.join('/')} has not been built`, hint: 'Run `npm run setup` in the checkout.' },
  ]);
}
