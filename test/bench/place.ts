// Where things lie. In: paths from the root of the checkout. Out: full paths, the same from sources and from what is built of them.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function at(...parts: readonly string[]): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return join(directory, ...parts);
}

/** Data, programs and caches that the bench makes for itself; git ignores it. */
export const scratch = (...parts: readonly string[]): string => at('build', 'bench', ...parts);
