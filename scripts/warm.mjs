// Compiles a bundle's code ahead. In: `compiler | index`, the bundle's file, the file to write, a scratch folder, programs. Out: what Node has compiled after the
// bundle has done its common work. Holds: what that work prints and where it fails (the addons may not be there yet) is of no account here.

import { Script } from 'node:vm';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { writeWhole } from './files.mjs';
import { compilerFlags } from './loader.mjs';

const [kind, filename, target, scratch, ...programs] = process.argv.slice(2);
if (kind === 'compiler') setFlagsFromString(compilerFlags);
// Code that has not run for a while would be thrown away before it is kept.
setFlagsFromString('--no-flush-bytecode');
const script = new Script(readFileSync(filename, 'latin1'), { filename });
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename));

if (kind === 'compiler') {
  const { exports } = module;
  for (const program of programs) await exports.runCommand(['compile', program, '-o', join(scratch, 'out')]);
} else {
  const { compile } = module.exports;
  for (const program of programs) {
    try {
      for (let round = 0; round < 2; round++) (await compile(program)).session({ threads: 1 });
    } catch {
      // Not built yet.
    }
  }
}
setFlagsFromString('--flush-bytecode');
writeWhole(target, script.createCachedData());
process.exit(0);
