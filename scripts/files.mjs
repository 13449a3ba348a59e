// Files, hashes and child processes for the set-up. In: paths and commands. Out: content hashes; outputs of commands.
// Holds: a file written here appears complete or not at all.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stop } from './report.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const at = (...parts) => join(root, ...parts);

export function hash(...parts) {
  const h = createHash('sha256');
  for (const p of parts) h.update(p).update('\0');
  return h.digest('hex');
}

/** All files below `folder` whose path `wanted` accepts, sorted, as paths; an absent folder has none. */
export function filesBelow(folder, wanted) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((e) => {
      const path = join(folder, e.name);
      if (e.isDirectory()) return filesBelow(path, wanted);
      return wanted(path) ? [path] : [];
    });
}

/** One hash over names and contents of files. */
export function hashFiles(paths) {
  return hash(...paths.flatMap((p) => [p, readFileSync(p)]));
}

export function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export function writeWhole(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const scratch = `${path}.${process.pid}.part`;
  writeFileSync(scratch, content);
  renameSync(scratch, path);
}

/** The program's full path, or undefined; a name with a slash is taken as a path. */
export function which(name) {
  const candidates = name.includes('/') ? [name] : (process.env.PATH ?? '').split(delimiter).map((f) => join(f, name));
  return candidates.find((p) => {
    try {
      accessSync(p, constants.X_OK);
      return statSync(p).isFile();
    } catch {
      return false;
    }
  });
}

/** Output of a short command, trimmed; undefined when it fails. */
export function outputOf(command, args) {
  const run = spawnSync(command, args, { encoding: 'utf8', cwd: root });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/** Runs a command with the terminal; `quiet` keeps its output and shows it only when it fails. */
export function run(command, args, { quiet = false, env = process.env, what = command } = {}) {
  return new Promise((resolve, reject) => {
    let said = '';
    const child = spawn(command, args, { cwd: root, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['inherit', 2, 2] });
    child.stdout?.on('data', (d) => (said += d));
    child.stderr?.on('data', (d) => (said += d));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(said);
      try {
        stop(`${what} failed (${signal ?? `exit ${code}`})`, said.trim());
      } catch (error) {
        reject(error);
      }
    });
  });
}
