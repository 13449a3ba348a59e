// The `package.json` of a new project. In: the directory, what is in a `package.json` that lies there, where this tfc is from. Out: its
// text. Holds: what the user has written stays; tfc is depended on as it was got, so `npm install` finds it again: by version, or by the
// path of a tarball or a checkout.

import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { DiagnosticsError } from '../../base/index.js';
import { packageRoot, version } from '../package.js';

type Texts = Readonly<Record<string, string>>;

interface Manifest {
  readonly type?: unknown;
  readonly scripts?: Texts;
  readonly dependencies?: Texts;
  readonly devDependencies?: Texts;
}

export interface Wanted {
  readonly scripts: Texts;
  readonly devDependencies: Texts;
}

/** `present`: the text that lies there. Errors: file-not-written, for one that says otherwise. */
export function manifestText(directory: string, wanted: Wanted, present: string | undefined): string {
  const written = present === undefined ? { name: packageName(basename(resolve(directory))), private: true } : read(directory, present);
  const { type = 'module', scripts, dependencies, devDependencies } = written as Manifest;
  if (type !== 'module') throw refused(directory, `"type": ${JSON.stringify(type)}, and the program is a module`);
  const other = Object.entries(wanted.scripts).find(([name, script]) => scripts !== undefined && (scripts[name] ?? script) !== script);
  if (other !== undefined) throw refused(directory, `a script of its own that is called ${other[0]}`);
  const has = { ...dependencies, ...devDependencies };
  const missing = (texts: Texts): Texts => Object.fromEntries(Object.entries(texts).filter(([name]) => !(name in has)));
  const more = {
    ...written,
    type,
    scripts: { ...scripts, ...wanted.scripts },
    dependencies: { ...dependencies, ...('@tdsl/tfc' in has ? {} : ownPackages(directory)) },
    devDependencies: { ...devDependencies, ...missing(wanted.devDependencies) },
  };
  return `${JSON.stringify(more, null, 2)}\n`;
}

function read(directory: string, text: string): object {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw refused(directory, 'something that is no JSON');
  }
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  throw refused(directory, 'no object');
}

const refused = (directory: string, what: string): DiagnosticsError =>
  new DiagnosticsError([
    {
      code: 'file-not-written',
      message: `${join(directory, 'package.json')} has ${what}; nothing was written`,
      hint: 'Name an empty directory: tfc init --dir NAME.',
    },
  ]);

/** The packages that a project with this tfc depends on. */
function ownPackages(directory: string): Texts {
  const root = packageRoot();
  const modules = dirname(dirname(root));
  if (basename(modules) !== 'node_modules')
    // What is published has no such file.
    return { '@tdsl/tfc': existsSync(join(root, 'package-lock.json')) ? pathFrom(directory, root) : `^${version()}` };
  const project = dirname(modules);
  const got = Object.entries(installedBy(project)).filter(([name]) => name.startsWith('@tdsl/'));
  const specs = got.map(([name, spec]) => [name, spec.startsWith('file:') ? pathFrom(directory, join(project, spec.slice(5))) : spec]);
  return { '@tdsl/tfc': `^${version()}`, ...(Object.fromEntries(specs) as Texts) };
}

/** Nothing for a project that has no manifest, or none that can be read. */
function installedBy(project: string): Texts {
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
    return { ...devDependencies, ...dependencies };
  } catch {
    return {};
  }
}

const pathFrom = (directory: string, path: string): string => `file:${relative(resolve(directory), path) || '.'}`;

/** As npm wants it. */
const packageName = (directory: string): string =>
  directory
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '') || 'model';
