// Where packages are tried. In: nothing. Out: an empty directory. Holds: no folder above it has packages, which Node would take in the
// place of those that ours lack.

import { existsSync, mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const hasPackages = (folder: string): boolean =>
  existsSync(join(folder, 'node_modules')) || (dirname(folder) !== folder && hasPackages(dirname(folder)));

export function placeWithoutPackages(): string {
  const places = [tmpdir(), '/var/tmp', homedir()];
  const alone = places.find((folder) => existsSync(folder) && !hasPackages(folder));
  if (alone === undefined) throw new Error(`above each of ${places.join(', ')} lies a node_modules: remove one`);
  return mkdtempSync(join(alone, 'tfc-packages-'));
}
