// Libraries that are loaded when they are needed, because most processes need none of them. In: the name of one. Out: what it exports.
// Holds: where this code is part of the package's bundle, a library is a file beside it, which `scripts/bundle.mjs` makes for every name
// that stands in a call of `library`; compiled sources find it in the checkout's node_modules. What users have installed is never taken.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileOfPackage } from '../../runtime/addon-file.js';
import { here } from '../../runtime/here.js';
import { codeOf } from '../../runtime/system-error.js';
import { DiagnosticsError } from '../base/index.js';

/** Errors: toolchain-missing, in a program that tfc was bundled into and that is run without the package. */
export function library<Library>(name: string): Library {
  const file = `library${name.replaceAll(/\W+/g, '-').replace(/^-?/, '-')}.cjs`;
  const beside = join(here(), file);
  const bundled = existsSync(beside) ? beside : fileOfPackage('@tdsl/tfc', join('dist', 'bundle', file));
  try {
    return createRequire(import.meta.url)(bundled ?? name) as Library;
  } catch (error) {
    if (codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    throw new DiagnosticsError([
      {
        code: 'toolchain-missing',
        message: `the package @tdsl/tfc is not installed here, and ${name}, which comes with it, is needed now`,
        hint: 'Install @tdsl/tfc beside the program.',
      },
    ]);
  }
}
