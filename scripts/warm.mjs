// Compiles a bundle's code ahead. In: `compiler | index`, the bundle's file, the file to write, a scratch folder, programs. Out: what Node
// has compiled after the bundle has done its common work: a model is compiled, opened and run. Holds: what that work prints and where it
// fails (the addons may not be there yet) is of no account here.

import { Script } from 'node:vm';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { writeWhole } from './files.mjs';
import { compilerFlags, setFlags } from './loader.mjs';

const [kind, filename, target, scratch, ...programs] = process.argv.slice(2);
if (kind === 'compiler') setFlags(compilerFlags);
// Code that has not run for a while would be thrown away before it is kept.
setFlagsFromString('--no-flush-bytecode');
const script = new Script(readFileSync(filename, 'latin1'), { filename });
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename), (name) => import(name));

if (kind === 'compiler') {
  const { exports } = module;
  for (const program of programs) await exports.runCommand(['compile', program, '-o', join(scratch, 'out')]);
} else {
  const { compile, zeros } = module.exports;
  const sizeOf = (size) =>
    typeof size === 'number' ? size : size.reduce((sum, [coefficient, names]) => sum + coefficient * 4 ** names.length, 0);
  for (const program of programs) {
    try {
      for (let round = 0; round < 2; round++) {
        const model = await compile(program);
        const session = model.session({ threads: 1 });
        for (const { name, feeds } of model.entries) {
          const fed = Object.fromEntries(feeds.map((feed) => [feed.name, zeros(feed.shape.map(sizeOf), feed.dtype)]));
          session.run(name, fed);
          session.runSteps(name, fed, { steps: 2 });
        }
      }
    } catch {
      // Not built yet.
    }
  }
}
setFlagsFromString('--flush-bytecode');
writeWhole(target, script.createCachedData());
process.exit(0);
