// Where the compile cache lies. In: the environment. Out: a directory that only this user can have written to, or why there is none. Holds:
// a library in there will run as this user, so everything on the way to it belongs to this user (or, above it, to the system), and nobody
// else may write there; what others may only read is closed to them as well: it holds sources.

import { accessSync, chmodSync, constants, lstatSync, realpathSync, rmSync, type Stats, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { codeOf, reasonOf } from '../../../runtime/system-error.js';
import { privateDirectory } from '../../../runtime/atomic-file.js';
import { TfcError } from '../../../runtime/index.js';
import { makeDirectory } from '../../input/files.js';

/** The folders of a cache. */
export const cacheFolders = ['artifacts', 'index'] as const;

export type CachePlace = { readonly directory: string } | { readonly refused: string };

/**
 * $TFC_CACHE (when it is relative, from the working directory), else $XDG_CACHE_HOME/tfc where that is absolute, as its specification
 * demands, else ~/.cache/tfc; undefined for a user without a home.
 */
export function cacheDirectory({ TFC_CACHE, XDG_CACHE_HOME }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (TFC_CACHE) return resolve(TFC_CACHE);
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'tfc');
  const home = [homedir, () => userInfo().homedir].map(attempted).find((one) => one !== undefined && isAbsolute(one));
  return home === undefined ? undefined : join(home, '.cache', 'tfc');
}

/** Makes the cache's folders where they are missing, and looks at who may do what there. `user`: whose the cache has to be. */
export function cachePlace(directory: string | undefined, user = process.geteuid?.()): CachePlace {
  if (directory === undefined) return { refused: 'there is no home directory to keep it in' };
  try {
    if (statSync(directory, { throwIfNoEntry: false }) === undefined) makeDirectory(directory, 0o700);
    const real = realpathSync.native(directory);
    for (const path of above(real)) requireSafeAbove(path, user);
    requireClosed(real, statSync(real), user);
    for (const folder of cacheFolders) {
      const path = `${real}/${folder}`;
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status === undefined) makeDirectory(path, 0o700);
      else requireClosed(path, status, user);
      if (status !== undefined && (status.mode & 0o077) !== 0) chmodSync(path, 0o700);
    }
    return { directory: real };
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    if (codeOf(error) === undefined) throw error;
    return { refused: `${directory}: ${reasonOf(error)}` };
  }
}

/** Why nothing can be stored in a directory, if so: found out before anything is compiled. */
export function unwritable(directory: string): string | undefined {
  try {
    for (const folder of cacheFolders) accessSync(join(directory, folder), constants.W_OK);
    return undefined;
  } catch (error) {
    return `${directory}: ${reasonOf(error)}`;
  }
}

/** A directory for this process alone, gone when it ends. Errors: file-not-written where there is no place for one. */
export function temporaryCache(reason: string): string {
  let failure: unknown;
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
    try {
      const made = privateDirectory(join(resolve(parent), 'tfc'));
      process.on('exit', () => rmSync(made, { recursive: true, force: true }));
      return made;
    } catch (error) {
      failure ??= error;
    }
  }
  throw new TfcError(
    'file-not-written',
    `the compile cache cannot be used (${reason}), and neither can ${tmpdir()}: ${reasonOf(failure)}`,
    { hint: 'Set TFC_CACHE to a directory that you may write.', cause: failure },
  );
}

class Refusal extends Error {}

function requireClosed(path: string, status: Stats, user: number | undefined): void {
  const { uid, mode } = status;
  if (!status.isDirectory()) throw new Refusal(`${path} is no directory`);
  if (user !== undefined && uid !== user) throw new Refusal(`${path} belongs to another user`);
  if ((mode & 0o022) !== 0)
    throw new Refusal(`others may write to ${path}, so what is in it may be theirs: remove it, and a new one will be closed to them`);
}

/** Who may rename a directory can put another one in its place. */
function requireSafeAbove(path: string, user: number | undefined): void {
  const { uid, mode } = statSync(path);
  // A user namespace shows the system's own directories as this user's.
  const nobody = 65534;
  if (user !== undefined && uid !== user && uid !== 0 && uid !== nobody)
    throw new Refusal(`${path}, which it lies in, belongs to another user`);
  if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) throw new Refusal(`${path}, which it lies in, can be written by everybody`);
}

const above = (path: string): string[] => (dirname(path) === path ? [] : [dirname(path), ...above(dirname(path))]);

function attempted<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}
