// Where the programs of the examples lie. In: a path below `examples`. Out: the path of that file in the checkout, from sources and from
// what is built of them alike.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function exampleFile(path: string): string {
  return join(root(), 'examples', path);
}

/** A file for results, below `build`, which git ignores. */
export const resultFile = (name: string): string => join(root(), 'build', 'examples', name);

function root(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}
