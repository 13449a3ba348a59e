// Files that appear complete or not at all. In: paths as the user named them, and what writes. Out: the files, or what was there before and
// an error.
// Holds: a file is written beside its place under a name that nobody can foresee and that did not exist, made durable, and renamed; only
// regular files are replaced, and keep their mode; a symbolic link stays and the file that it names is replaced, unless the link is another
// user's in a directory that all may write (as Linux has it for opening); a signal that ends the process removes what is half written; what
// a process that was killed has left behind is removed by the next write to the same place.
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { TfcError, isText, reading } from './error.js';
import { shown } from './shown.js';
import { type Native, loadNative } from './native.js';
import { codeOf, notWritten } from './system-error.js';

export interface NewFile {
  readonly path: string;
  /** Of a file that is new; what is replaced hands its own on. Default: what the process gives new files. */
  readonly mode?: number;
  /** Writes to the descriptor; `writeFully` does that. */
  readonly write: (file: number) => void;
}

/** Where a file will lie, and what lies there. */
interface Place {
  readonly given: string;
  readonly path: string;
  readonly before: Stats | undefined;
}

/** Milliseconds after which what another machine's process has not written any more is nobody's. */
const abandoned = 3_600_000;

/**
 * Writes files whose directories exist. All are complete before the first appears; they appear in this order, so the last one is what
 * readers should look at first.
 * @throws TfcError invalid-value for what is no path, file-not-written.
 */
export function writeFiles(files: readonly NewFile[]): void {
  const places = files.map(({ path }) => placeOf(path));
  guarding((guard) => writeTo(places, files, guard));
}

function writeTo(places: readonly Place[], files: readonly NewFile[], guard: Guard): void {
  const written: { readonly place: Place; readonly temporary: string }[] = [];
  let current = places[0]?.given ?? '';
  try {
    for (const [at, { write, mode }] of files.entries()) {
      const place = places[at] as Place;
      current = place.given;
      sweep(place.path);
      const { temporary, file } = createBeside(place, mode, guard);
      written.push({ place, temporary });
      try {
        if (place.before !== undefined) inherit(file, place.before);
        write(file);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
    for (const { place, temporary } of written) {
      current = place.given;
      placeOf(place.given);
      renameSync(temporary, place.path);
    }
    for (const directory of new Set(places.map(({ path }) => dirname(path)))) syncDirectory(directory);
  } catch (error) {
    for (const { temporary } of written) rmSync(temporary, { force: true });
    throw notWritten(current, error);
  }
}

/**
 * Writes a directory that does not exist yet: it appears with all of its files. `mode` is that of the directory; its files get the same
 * without the right to search. Errors: those of the file system.
 */
export function writeDirectory(path: string, files: ReadonlyMap<string, Uint8Array>, mode = 0o777): void {
  sweep(path);
  guarding((guard) => writeInto(path, files, mode, guard));
}

function writeInto(path: string, files: ReadonlyMap<string, Uint8Array>, mode: number, guard: Guard): void {
  const temporary = attempt(path, (name) => (mkdirSync(name, mode), name), guard);
  try {
    for (const [name, content] of files) {
      guard(join(temporary, name));
      const file = openSync(join(temporary, name), 'wx', mode & 0o666);
      try {
        writeFully(file, content);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
    syncDirectory(temporary);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/**
 * A new directory beside `path` that is closed to others, under a name of its own; those of processes that are gone are removed. Errors:
 * those of the file system.
 */
export function privateDirectory(path: string): string {
  sweep(path, false);
  return attempt(path, (name) => (mkdirSync(name, 0o700), name));
}

/** Refuses early what `writeFiles` would refuse late. @throws TfcError as `writeFiles`. */
export function requireWritable(path: string): void {
  const place = placeOf(path);
  try {
    accessSync(dirname(place.path), constants.W_OK);
  } catch (error) {
    throw notWritten(path, error);
  }
}

export function writeFully(file: number, from: Uint8Array): void {
  for (let done = 0; done < from.length;) done += writeSync(file, from, done, Math.min(from.length - done, 2 ** 30));
}

/** What was left beside `path` by writers that are gone or, `elsewhere`, have not written for an hour. What cannot be removed stays. */
function sweep(path: string, elsewhere = true): void {
  const stem = `${stemOf(path)}.`;
  for (const name of namesIn(dirname(path)))
    if (name.startsWith(stem) && isLeftover(join(dirname(path), name), elsewhere)) remove(join(dirname(path), name));
}

/** The same for everything in a directory that only tfc writes to. */
export function sweepDirectory(directory: string): void {
  for (const name of namesIn(directory)) if (isLeftover(join(directory, name))) remove(join(directory, name));
}

const temporaries = /\.([0-9a-z]+)-(\d+)-[0-9a-z]+\.part$/;

function placeOf(given: unknown): Place {
  if (!isText(given))
    throw reading('The path', () => new TfcError('invalid-value', `A file is named by its path, not by ${shown(given)}.`));
  try {
    const found = lstatSync(given, { throwIfNoEntry: false });
    if (found === undefined) {
      if (given.endsWith('/')) throw refused(given, 'it names a directory');
      const path = resolve(given);
      // That the directory is one is said here, before anything is written.
      if (!statSync(dirname(path)).isDirectory()) throw refused(given, 'a part of the path is no directory');
      return { given, path, before: undefined };
    }
    const before = statSync(given);
    if (!before.isFile()) throw refused(given, `it is ${kindOf(before)}`);
    if (found.isSymbolicLink()) requireOwnLink(given, found);
    return { given, path: realpathSync(given), before };
  } catch (error) {
    throw notWritten(given, error);
  }
}

/** In a directory like /tmp anybody could have put a link to a file of ours under the name that we are about to write. */
function requireOwnLink(path: string, link: Stats): void {
  const { mode, uid } = statSync(dirname(path));
  const shared = (mode & 0o1002) === 0o1002;
  if (shared && link.uid !== process.geteuid?.() && link.uid !== uid) throw refused(path, "it is another user's link");
}

const refused = (path: string, why: string): TfcError =>
  new TfcError('file-not-written', `${path}: ${why}, and only regular files are replaced`, {
    hint: 'Name another path, or remove what is there.',
  });

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'a directory';
  if (status.isFIFO()) return 'a pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}

/** Opens a new file beside the place; what shall replace another one is its owner's alone until it has that one's mode. */
const createBeside = (
  { path, before }: Place,
  mode: number | undefined,
  guard: Guard,
): { readonly temporary: string; readonly file: number } =>
  attempt(path, (temporary) => ({ temporary, file: openSync(temporary, 'wx', before === undefined ? mode : 0o600) }), guard);

/** Owner and mode of the file that will be replaced. */
function inherit(file: number, { uid, gid, mode }: Stats): void {
  try {
    if (uid !== process.geteuid?.()) fchownSync(file, uid, gid);
  } catch {
    // Only the superuser gives files away.
  }
  fchmodSync(file, mode & 0o777);
}

/** A name beside `path` that is most likely new, and by which `sweep` knows what was left. */
export const temporaryName = (path: string): string =>
  join(dirname(path), `${stemOf(path)}.${place()}-${process.pid}-${Math.random().toString(36).slice(2).padEnd(1, '0')}.part`);

/** Calls `create` with names beside `path` until one is new. */
function attempt<T>(path: string, create: (name: string) => T, guard?: Guard): T {
  for (let left = 100; ; left--) {
    const name = temporaryName(path);
    guard?.(name);
    try {
      return create(name);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || left === 0) throw error;
    }
  }
}

/** `.NAME`, short enough for what follows it. */
function stemOf(path: string): string {
  let stem = basename(path);
  while (Buffer.byteLength(stem) > 150) stem = stem.slice(0, -1);
  return `.${stem}`;
}

/** Told of what is about to be written half. */
type Guard = (path: string) => void;

/**
 * Calls `body`; while it lasts, signals that nobody listens to remove what it names before they end the process. Without native code it
 * remains for the next write.
 */
function guarding(body: (guard: Guard) => void): void {
  const native = nativeOrNone();
  const signals = (['SIGHUP', 'SIGINT', 'SIGTERM'] as const).reduce(
    (bits, signal, at) => (process.listenerCount(signal) > 0 ? bits : bits | (1 << at)),
    0,
  );
  try {
    body((path) => native?.guard(path, signals));
  } finally {
    native?.forget();
  }
}

function nativeOrNone(): Native | undefined {
  try {
    return loadNative();
  } catch {
    return undefined;
  }
}

/** Where process ids mean what they mean here: a directory may be shared by machines and containers. */
function place(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No such thing here.
  }
  let hash = 0;
  for (const character of `${hostname()} ${namespace}`) hash = (Math.imul(hash, 31) + (character.codePointAt(0) as number)) >>> 0;
  return hash.toString(36);
}

/** A name of ours whose writer is gone: as far as can be known of other machines, after a while. Never what another user made. */
function isLeftover(path: string, elsewhere = true): boolean {
  const [, where, pid] = temporaries.exec(basename(path)) ?? [];
  if (where === undefined) return false;
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.uid !== process.geteuid?.()) return false;
  return where === place() ? !isAlive(Number(pid)) : elsewhere && Date.now() - status.mtimeMs > abandoned;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Somebody else is at it.
  }
}

/** The names are there by now; where they cannot be made durable, the file system sees to it. */
function syncDirectory(path: string): void {
  let directory: number | undefined;
  try {
    directory = openSync(path, 'r');
    fsyncSync(directory);
  } catch (error) {
    if (codeOf(error) === 'EIO') throw error;
  } finally {
    if (directory !== undefined) closeSync(directory);
  }
}
