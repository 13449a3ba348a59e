// Where runs are recorded. In: the directory of all runs, a name. Out: a new directory for one run, `LOGDIR/NAME-2026-11-29T10-31-05`,
// or that of an earlier one.
// Holds: a directory is never given twice; the time is the local one, to the second; several processes may start in the same second.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isText, TfcError } from '../../runtime/error.js';
import { shown } from '../../runtime/shown.js';
import { codeOf, notWritten } from '../../runtime/system-error.js';
import { logName } from './run-log.js';

/** What file systems take, less the time and a number. */
const longestName = 200;

/**
 * Makes a directory for a run, and those around it.
 * @throws TfcError invalid-value for a name that is no file's, file-not-written.
 */
export function newRunDirectory(logdir: string, name: string, now = new Date()): string {
  requireNames(logdir, name);
  const stem = join(logdir, `${name}-${stamp(now)}`);
  try {
    mkdirSync(logdir, { recursive: true });
    for (let count = 1; ; count++) {
      const path = count === 1 ? stem : `${stem}-${count}`;
      try {
        mkdirSync(path);
        return path;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw notWritten(stem, error);
  }
}

function requireNames(logdir: string, name: string): void {
  if (!isText(logdir)) throw new TfcError('invalid-value', `A directory is named by its path, not by ${shown(logdir)}.`);
  if (!isText(name) || !isName(name) || Buffer.byteLength(name) > longestName)
    throw new TfcError('invalid-value', `A run cannot be called ${shown(name)}.`, {
      hint: `Runs are directories: names have no slash and no control characters, and at most ${longestName} bytes.`,
    });
}

/** The directory of an earlier run, by the name that its checkpoints have; undefined where it is not, or the name is none. */
export function earlierRunDirectory(logdir: string, name: string): string | undefined {
  const directory = join(logdir, name);
  return isName(name) && existsSync(join(directory, logName)) ? directory : undefined;
}

/** The newest run of that name, if there is one. @throws TfcError invalid-value. */
export function newestRunDirectory(logdir: string, name: string): string | undefined {
  requireNames(logdir, name);
  if (!existsSync(logdir)) return undefined;
  const isStamp = (rest: string): boolean => /^-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:-\d+)?$/.test(rest);
  return readdirSync(logdir)
    .filter((one) => one.startsWith(name) && isStamp(one.slice(name.length)) && existsSync(join(logdir, one, logName)))
    .sort(byNumbers)
    .map((one) => join(logdir, one))
    .at(-1);
}

/** `run-2` before `run-10`: of runs of the same second the one with the largest number is the newest. */
export const byNumbers = new Intl.Collator('en', { numeric: true }).compare;

/** No way out of the directory in which it is. */
const isName = (name: string): boolean => !/[/\\\p{Cc}]/u.test(name) && !/^\.*$/.test(name);

/** `2026-11-29T10-31-05`: no file system minds it. */
function stamp(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day}T${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join('-')}`;
}
