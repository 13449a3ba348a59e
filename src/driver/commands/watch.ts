// `--watch`: a command that goes on, again whenever a program changes. In: places with programs, what to do. Out: it done, once now and
// again after every change of what it read. Holds: what changes while it runs is dealt with after it; it ends when the process is told to.

import { dirname, relative, resolve, sep } from 'node:path';
import { isForeign } from '../../input/files.js';
import { perform } from './command.js';

/** Calls `changed` with the absolute paths of programs that were written, came or went, one call after the other. */
export async function watchPrograms(places: readonly string[], changed: (paths: readonly string[]) => Promise<void>): Promise<void> {
  const chokidar = await import('chokidar');
  const below = (path: string): string =>
    places.map((place) => relative(place, path)).find((inner) => inner.split(sep)[0] !== '..') ?? path;
  const ignored = (path: string, stats?: { isFile(): boolean }): boolean =>
    stats?.isFile() === true ? !path.endsWith('.tdsl') : below(path).split(sep).some(isForeign);
  const paths = new Set<string>();
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const watcher = chokidar.watch([...places], { ignored, ignoreInitial: true });
  watcher.on('all', (_, path) => {
    paths.add(resolve(path));
    clearTimeout(timer);
    // An editor writes a file in several steps.
    timer = setTimeout(() => {
      running = running.then(async () => {
        const all = [...paths];
        paths.clear();
        await changed(all);
      });
    }, 50);
  });
  await new Promise<void>((ready, failed) => watcher.once('ready', ready).once('error', failed));
}

/** `perform`, and with `watch` again whenever one of the files, or what they import, changes; what is new may be what was missing. */
export async function performWatched(
  { json, watch }: { readonly json?: boolean; readonly watch?: boolean },
  { files, roots }: { readonly files: readonly string[]; readonly roots: readonly string[] },
  body: (texts: Map<string, string>) => Promise<void> | void,
): Promise<void> {
  const known = new Set<string>();
  let read: ReadonlySet<string> = new Set();
  const round = (): Promise<void> =>
    perform(json, async (texts) => {
      try {
        await body(texts);
      } finally {
        read = new Set([...files, ...texts.keys()].map((path) => resolve(path)));
        for (const path of read) known.add(path);
      }
    });
  if (watch !== true) return round();
  await watchPrograms([...new Set([...files.map((file) => dirname(file)), ...roots])], async (paths) => {
    if (!paths.some((path) => read.has(path) || !known.has(path))) return;
    for (const path of paths) known.add(path);
    await round();
  });
  await round();
}
