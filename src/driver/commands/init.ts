// `tfc init [TEMPLATE]`: a new project that type-checks and trains.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { notWritten } from '../../../runtime/system-error.js';
import { DiagnosticsError } from '../../base/index.js';
import { readText } from '../../input/files.js';
import { manifestText } from '../init/manifest.js';
import { filesOf, templates, wantedOf } from '../init/templates.js';
import { perform, print } from './command.js';
import { UsageError } from './options.js';

interface Options {
  readonly dir: string;
  readonly json?: boolean;
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description(`make a new project: ${templates.map(({ name, about }) => `${name}, ${about}`).join('; ')}`)
    .argument('[template]', 'which one', templates[0]?.name)
    .option('--dir <dir>', 'where; it may exist', '.')
    .option('--json', 'print one JSON object')
    .action((name: string, options: Options) => perform(options.json, () => init(name, options)));
}

function init(name: string, { dir, json }: Options): void {
  const template = templates.find((one) => one.name === name);
  if (template === undefined)
    throw new UsageError(`there is no template ${JSON.stringify(name)}: take ${templates.map((one) => one.name).join(' or ')}`);
  if (dir === '') throw new UsageError('--dir takes a directory; got ""');
  const files = filesOf(template, basename(resolve(dir)) || 'model');
  const there = files.filter(({ path }) => existsSync(join(dir, path)));
  if (there.length > 0)
    throw new DiagnosticsError([
      {
        code: 'file-not-written',
        message: `${dir} has ${there.map(({ path }) => path).join(', ')} already; nothing was written`,
        hint: 'Name an empty directory: tfc init --dir NAME.',
      },
    ]);
  const manifest = join(dir, 'package.json');
  const present = existsSync(manifest) ? readText(manifest) : undefined;
  const text = Buffer.from(manifestText(dir, wantedOf(template), present));
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw notWritten(dir, error);
  }
  writeFiles([{ path: manifest, write: (file) => writeFully(file, text) }]);
  for (const { path, text: content } of files) {
    const file = join(dir, path);
    try {
      // Nothing of somebody else's is replaced, even if it has come meanwhile.
      writeFileSync(file, content, { flag: 'wx' });
    } catch (error) {
      throw notWritten(file, error);
    }
  }
  const written = [manifest, ...files.map(({ path }) => join(dir, path))];
  if (json === true) print(JSON.stringify({ template: template.name, files: written }));
  else print(`${written.join('\n')}\n\nNext: ${dir === '.' ? '' : `cd ${dir}; `}npm install; npm run train; npm run curves; npm start`);
}
