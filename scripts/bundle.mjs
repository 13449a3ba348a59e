// What processes load, in few files: resolving and reading some hundred modules takes longer than compiling a small program. In: the compiled sources in dist.
// Out: dist/bundle with the command, the compiling process and the public API, source maps beside them, and `stamp`, a hash of all of it by which
// the compile cache knows this compiler. Holds: dependencies stay packages; a file whose content is as it was is not written again, and none is
// seen half written.

import { readdirSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { at, hash, readText, writeWhole } from './files.mjs';

const FOLDER = at('dist', 'bundle');
const driver = (name) => at('dist', 'src', 'driver', `${name}.js`);
const isOwn = (id) => id.startsWith('.') || id.startsWith('/');

/** A command loads its part of the compiler when it runs; the compiling process needs all of it, at once. */
const PARTS = [
  { input: { cli: driver('cli'), index: driver('index') }, output: { chunkFileNames: 'part-[name].js' } },
  { input: { worker: driver('worker') }, output: { codeSplitting: false } },
];

export async function bundle() {
  // Not at the top: set-up reads this file before anything is installed.
  const { rolldown } = await import('rolldown');
  const files = new Map();
  for (const { input, output } of PARTS) {
    const made = await rolldown({ cwd: at(), platform: 'node', input, external: (id) => !isOwn(id) });
    try {
      const { output: parts } = await made.generate({ dir: FOLDER, format: 'esm', sourcemap: true, ...output });
      for (const part of parts) files.set(part.fileName, part.type === 'chunk' ? part.code : part.source);
    } finally {
      await made.close();
    }
  }
  const code = [...files].filter(([name]) => name.endsWith('.js')).sort(([a], [b]) => (a < b ? -1 : 1));
  files.set('stamp', hash(...code.flat()));
  for (const [name, content] of files) if (readText(at('dist', 'bundle', name)) !== content) writeWhole(at('dist', 'bundle', name), content);
  for (const name of readdirSync(FOLDER)) if (!files.has(name) && !name.endsWith('.part')) rmSync(at('dist', 'bundle', name), { force: true });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await bundle();
