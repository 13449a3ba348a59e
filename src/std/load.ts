// The standard library's texts. In: a name such as `std/nn`. Out: the text of `src/std/nn.tdsl` in this package.
// Holds: works from the sources and from the build; a name that is no part of the library gives undefined.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of the library; the first three every module has without importing them. */
export const stdNames = ['std/prelude', 'std/arrays', 'std/linear-algebra', 'std/nn', 'std/loss', 'std/optim'] as const;

/** The folder that holds the library's files; an exception when the package is incomplete. */
function stdFolder(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'src', 'std');
    if (existsSync(join(candidate, 'prelude.tdsl'))) return candidate;
    if (dirname(folder) === folder) throw new Error('the standard library is missing: no src/std above this file');
  }
}

/** Reads parts of the library, each once. */
export function loadStd(folder: string = stdFolder()): (name: string) => string | undefined {
  const texts = new Map<string, string>();
  return (name) => {
    if (!stdNames.some((known) => known === name)) return undefined;
    let text = texts.get(name);
    if (text === undefined) {
      text = readFileSync(join(folder, `${name.slice('std/'.length)}.tdsl`), 'utf8');
      texts.set(name, text);
    }
    return text;
  };
}
