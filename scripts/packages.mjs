// npm packages. In: the lock file. Out: node_modules that match it. Holds: nothing is installed when they match already.

import { existsSync, readFileSync } from 'node:fs';
import { at, run } from './files.mjs';
import { say, stop } from './report.mjs';

const OLDEST = [
  [20, 19],
  [22, 12],
];

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  const fits = OLDEST.some(([a, b]) => major === a && minor >= b) || major > OLDEST.at(-1)[0];
  if (!fits)
    stop(
      `Node ${version} is too old: tfc needs 20.19 or newer of 20, or 22.12 or newer.`,
      'Get one from https://nodejs.org or your system’s packages.',
    );
}

/** Whether what npm last installed is what the lock file asks for; packages of other platforms may be absent. */
export function packagesMatch() {
  const installed = at('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, p]) =>
      path === '' || (present[path] === undefined ? p.optional === true || p.peer === true : present[path].version === p.version),
  );
}

export async function installPackages() {
  if (!existsSync(at('package-lock.json'))) {
    stop(
      'this copy of tfc came as a package, without the lock file and the sources that set-up works from.',
      'Clone the repository, run npm run setup there, and depend on the clone: npm install PATH.',
    );
  }
  if (packagesMatch()) return;
  say('installing the npm packages of the lock file (npm ci) …');
  await run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true, what: 'npm ci' });
}
