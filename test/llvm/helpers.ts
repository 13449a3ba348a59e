// What the LLVM tests share. In: a module. Out: it compiled, linked and called from a C program. Holds: scratch files go away.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Emission, link } from '../../codegen/llvm/builder/index.js';
import type { ModuleBuilder, TargetOptions } from '../../codegen/llvm/builder/index.js';

/** A folder for the time of `body`. */
export function inScratch<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'tfc-llvm-'));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Object code of a module, which is disposed of. */
export function objectOf(module: ModuleBuilder, options: TargetOptions = {}): Buffer {
  using emission = new Emission();
  emission.add(module, options);
  return emission.finish().objects[0] as Buffer;
}

/** Compiles and links `module`, calls it from the C statements `main` (after `declarations`), and returns what they print. */
export function runFromC(module: ModuleBuilder, declarations: string, main: string, options: TargetOptions = {}): string {
  return runObjects([objectOf(module, options)], declarations, main);
}

/** The same with what was compiled before. */
export function runObjects(objects: readonly Buffer[], declarations: string, main: string): string {
  return inScratch((folder) => {
    const library = join(folder, 'libkernel.so');
    writeFileSync(library, link(objects));
    const source = join(folder, 'main.c');
    writeFileSync(
      source,
      `#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n${declarations}\nint main(void) {\n${main}\nreturn 0;\n}\n`,
    );
    const program = join(folder, 'main');
    execFileSync(process.env['CC'] ?? 'cc', [source, '-o', program, library, `-Wl,-rpath,${folder}`]);
    return execFileSync(program, { encoding: 'utf8' }).trim();
  });
}
