// `tfc init [TEMPLATE]`: a new project that type-checks and trains.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { notWritten } from '../../../runtime/system-error.js';
import { DiagnosticsError } from '../../base/index.js';
import { filesOf, templates } from '../init/templates.js';
import { version } from '../package.js';
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
  const files = filesOf(template, packageName(basename(resolve(dir))), version());
  const there = files.filter(({ path }) => existsSync(join(dir, path)));
  if (there.length > 0)
    throw new DiagnosticsError([
      {
        code: 'file-not-written',
        message: `${dir} has ${there.map(({ path }) => path).join(', ')} already; nothing was written`,
        hint: 'Name an empty directory: tfc init --dir NAME.',
      },
    ]);
  for (const { path, text } of files) {
    const file = join(dir, path);
    try {
      mkdirSync(dir, { recursive: true });
      // Nothing of somebody else's is replaced, even if it has come meanwhile.
      writeFileSync(file, text, { flag: 'wx' });
    } catch (error) {
      throw notWritten(file, error);
    }
  }
  if (json === true) print(JSON.stringify({ template: template.name, files: files.map(({ path }) => join(dir, path)) }));
  else
    print(
      `${files.map(({ path }) => join(dir, path)).join('\n')}\n\nNext: ${dir === '.' ? '' : `cd ${dir}; `}npm install; npm run train; npm start`,
    );
}

/** As npm wants it. */
const packageName = (directory: string): string =>
  directory
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '') || 'model';
