// Where this code is. In: nothing. Out: directories. Holds: it is true for sources, for the package's own bundles, and for programs that a
// bundler has put the runtime into, as a module or as CommonJS.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The directory of the file that holds this code. CommonJS knows no `import.meta`; modules no `__dirname`, unless a program on the command
 * line (`node -e`) has made one for everybody.
 */
export const here = (): string =>
  (import.meta.dirname as string | undefined) ?? (typeof __dirname === 'string' ? __dirname : process.cwd());

/** The first of these paths that exists below `from` or a directory above it. */
export function findAbove(from: string, ...paths: readonly string[]): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const found = paths.map((path) => join(directory, path)).find((path) => existsSync(path));
    if (found !== undefined || dirname(directory) === directory) return found;
  }
}

/** The nearest directory with a `package.json`, from `start` upwards; `start` itself where there is none. */
export function packageAround(start: string): string {
  const manifest = findAbove(start, 'package.json');
  return manifest === undefined ? start : dirname(manifest);
}
