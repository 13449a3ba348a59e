// A project with a program and an application that imports it. In: nothing. Out: directories, and what the application says where it was
// built. Holds: what was built is moved before it runs, and finds neither the cache nor the sources: it has to be whole.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { root, type Workplace, workplace } from '../driver/tfc.js';

export interface Project extends Workplace {
  /** What is built goes below it. */
  readonly out: string;
  /** Runs a file of a build elsewhere. */
  runMoved(build: string, file: string): { readonly status: number | null; readonly said: string };
}

/** The application prints this. */
export const answer = '[ 3, 7 ] w\n';

export function project(): Project {
  const place = workplace();
  const { directory } = place;
  process.env['TFC_CACHE'] = place.cache;
  mkdirSync(join(directory, 'node_modules', '@tdsl'), { recursive: true });
  symlinkSync(root, join(directory, 'node_modules', '@tdsl', 'tfc'));
  mkdirSync(join(directory, 'nets'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(directory, 'nets', 'half.tdsl'), 'fn half(x: f32): f32 = x / 2\n');
  place.file(
    'model.tdsl',
    `import { half } from "./nets/half.tdsl"
param w: f32[2] = ones()
export fn rows<B>(x: f32[B, 2]): f32[B] = x @ w
export fn halved(x: f32): f32 = half(x)
`,
  );
  place.file('broken.tdsl', 'import { half } from "./nets/half.tdsl"\nexport fn f(x: f32): f32 = half(x) + oops\n');
  const say = "console.log(model.session({ threads: 1 }).run('rows', { x: [[1, 2], [3, 4]] }).toArray(), model.paths.w);";
  place.file('app.js', `import model from './model.tdsl';\n${say}\n`);
  place.file('wrong.js', "import model from './broken.tdsl';\nconsole.log(model);\n");
  return {
    ...place,
    out: join(directory, 'out'),
    runMoved: (build, file) => {
      const moved = mkdtempSync(join(tmpdir(), 'tfc-moved-'));
      afterAll(() => rmSync(moved, { recursive: true, force: true }));
      cpSync(build, moved, { recursive: true });
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(moved, file)], {
        cwd: moved,
        encoding: 'utf8',
        env: { PATH: '/nowhere', TFC_CACHE: join(moved, 'none') },
      });
      return { status, said: `${stdout}${stderr}` };
    },
  };
}
