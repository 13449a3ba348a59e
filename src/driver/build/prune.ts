// What a cache forgets. In: a directory and the folders in it whose entries are files or directories of their own, dated by their last use.
// Out: fewer of them.
// Holds: what was used within a month stays unless there are very many; it is looked for once a day; whatever cannot be removed stays.

import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const day = 24 * 3600 * 1000;
const [keptDays, keptEntries] = [30, 2000];

export function prune(directory: string, folders: readonly string[], now = Date.now()): void {
  const marker = join(directory, 'pruned');
  if (now - (timeOf(marker) ?? 0) < day) return;
  try {
    writeFileSync(marker, '', { mode: 0o600 });
    for (const folder of folders) pruneFolder(join(directory, folder), now);
  } catch {
    // Somebody else is at it, or nothing may be written here.
  }
}

function pruneFolder(folder: string, now: number): void {
  const entries = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), time: timeOf(join(folder, name)) ?? now }))
    .sort((a, b) => b.time - a.time);
  for (const [at, { path, time }] of entries.entries())
    if (at >= keptEntries || now - time > keptDays * day) rmSync(path, { recursive: true, force: true });
}

const timeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
