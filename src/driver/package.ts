// tfc's own package. In: where this file lies. Out: its root and its version. Holds: the same for sources and for what is built of them.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileOfPackage } from '../../runtime/addon-file.js';
import { findAbove, here } from '../../runtime/here.js';
import { DiagnosticsError } from '../base/index.js';

let root: string | undefined;

/** The directory with tfc's `package.json`: this file's own or, in a program that tfc was bundled into, the installed package's. */
export function packageRoot(): string {
  root ??= ownRoot() ?? installedRoot();
  return root;
}

/** Another program may have files of the same names above it, but not all of these. */
function ownRoot(): string | undefined {
  const header = findAbove(here(), join('runtime', 'abi', 'tfc.h'));
  const found = header === undefined ? undefined : dirname(dirname(dirname(header)));
  return found !== undefined && existsSync(join(found, 'package.json')) ? found : undefined;
}

function installedRoot(): string {
  const found = fileOfPackage('@tdsl/tfc', 'package.json');
  if (found !== undefined) return dirname(found);
  throw new DiagnosticsError([
    {
      code: 'toolchain-missing',
      message: 'the package tfc is not installed here, and a program that compiles needs it',
      hint: 'Install it beside the program, or ship what `tfc compile -o DIR` wrote and open it with `openModule(DIR)`.',
    },
  ]);
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
