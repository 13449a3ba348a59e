// Set-up: from a fresh clone to a checkout in which every command works. In: nothing but Node, npm and, for what the system
// lacks, apt-get. Out: node_modules, build/*.node, dist, node_modules/.bin/tfc. Holds: what is up to date is not done again.

import { chmodSync, existsSync } from 'node:fs';
import { bundle } from './bundle.mjs';
import { at, filesBelow, hash, hashFiles, readText, run, writeWhole } from './files.mjs';
import { buildLlvmAddon, buildRuntimeAddon } from './native.mjs';
import { checkNode, installPackages } from './packages.mjs';
import { say } from './report.mjs';
import { systemTools } from './system.mjs';

const ROOMS = ['grammar', 'src', 'codegen', 'runtime', 'examples'];
/** A project by itself, for browsers: no other one refers to it, and the bundle has its script. */
const PAGE = 'src/driver/report/page';
const LAUNCHER = `#!/bin/sh
exec node "$(dirname "$(readlink -f "$0")")/../../dist/bundle/cli.cjs" "$@"
`;

/** What is compiled for a project: with it, and all that it refers to, the bundle finds everything that it joins. */
export const projectsOf = (project) => [project, PAGE];

/** `project`: what has to be compiled: `examples`, which includes the product, or `.` for all rooms with the tests. */
export async function setUp(project = '.') {
  checkNode();
  await installPackages();
  const tools = await systemTools();
  // TypeScript's compiler keeps one processor busy, and what it makes is bundled when the addons are there, which bundling tries.
  const addons = buildLlvmAddon(tools).then(() => buildRuntimeAddon(tools));
  await Promise.all([addons, compile(project, addons)]);
  linkCommand();
}

async function compile(project, addons) {
  const rooms = project === '.' ? [...ROOMS, 'test'] : ROOMS;
  const sources = rooms.flatMap((r) => filesBelow(at(r), (p) => p.endsWith('.ts') || p.endsWith('tsconfig.json')));
  const library = filesBelow(at('src', 'std'), (p) => p.endsWith('.tdsl'));
  const scripts = ['bundle', 'by-index', 'loader', 'tsc', 'warm'].map((name) => at('scripts', `${name}.mjs`));
  // The bundle holds what this version of Node makes of it.
  const key = hash(
    process.version,
    hashFiles([...sources, ...library, ...scripts, at('tsconfig.json'), at('tsconfig.base.json'), at('package-lock.json')]),
  );
  const stamp = at('dist', '.tsbuildinfo', project === '.' ? 'all.stamp' : `${project}.stamp`);
  if (readText(stamp) === key && existsSync(at('dist', 'bundle', 'stamp'))) return;
  say('compiling the TypeScript sources …');
  await run(process.execPath, [at('scripts', 'tsc.mjs'), ...projectsOf(project)], { what: 'tsc -b' });
  await addons;
  await bundle();
  writeWhole(stamp, key);
}

/** `npx tfc` looks among the installed commands; npm does not put a package's own command there. */
function linkCommand() {
  const path = at('node_modules', '.bin', 'tfc');
  if (readText(path) !== LAUNCHER) {
    writeWhole(path, LAUNCHER);
    chmodSync(path, 0o755);
  }
  const cli = at('dist', 'bundle', 'cli.cjs');
  if (existsSync(cli)) chmodSync(cli, 0o755);
}
