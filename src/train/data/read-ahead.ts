// A file that is read by another thread, ahead of the steps. In: a file of records, plans. Out: its blocks. Holds: they are those that this
// thread would read, in the same order, and so are mistakes; the other thread is never more than a few blocks ahead; it ends with the pass,
// however that ends, and keeps no process from ending.

import { Worker } from 'node:worker_threads';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileOfPackage } from '../../../runtime/addon-file.js';
import { TfcError } from '../../../runtime/error.js';
import { here, packageAround } from '../../../runtime/here.js';
import { codeOf } from '../../../runtime/system-error.js';
import { DiagnosticsError } from '../../base/index.js';
import type { FeedPlan } from './feed-plan.js';
import { plannedBlocks } from './planned-blocks.js';
import type { ReadAhead, Said } from './read-ahead-thread.js';
import { recordsIn } from './record-files.js';
import type { RecordFile } from './records.js';
import type { Column } from './table.js';

/** Blocks that wait to be taken: while steps go through one, another one is read. */
const ahead = 2;

/** Errors: bad-data, dtype-mismatch; those of the source. */
export async function* blocksAhead(file: RecordFile, plans: readonly FeedPlan[]): AsyncGenerator<readonly Column[]> {
  const thread = start({ file, plans, ahead });
  if (thread === undefined) {
    yield* plannedBlocks(recordsIn(file), plans);
    return;
  }
  const heard: (Said | { readonly kind: 'gone' })[] = [];
  let wake = (): void => undefined;
  const hear = (said: Said | { readonly kind: 'gone' }): void => {
    heard.push(said);
    wake();
  };
  thread.on('message', hear);
  thread.on('error', (error) => hear({ kind: 'defect', error }));
  thread.on('exit', () => hear({ kind: 'gone' }));
  // Whoever leaves the pass where it is and never comes back may still end.
  thread.unref();
  try {
    for (;;) {
      if (heard.length === 0) {
        thread.ref();
        await new Promise<void>((resolve) => (wake = resolve));
        thread.unref();
      }
      const said = heard.shift();
      switch (said?.kind) {
        case 'block':
          thread.postMessage('taken');
          yield said.block;
          break;
        case 'end':
          return;
        case 'diagnostics':
          throw new DiagnosticsError(said.diagnostics);
        case 'failure':
          throw new TfcError(said.code, said.message, said.details);
        case 'defect':
          throw said.error;
        default:
          throw new Error('the thread that reads ahead has ended before the file did');
      }
    }
  } finally {
    await thread.terminate();
  }
}

/** Undefined where there can be no thread: its code was left behind by whoever bundled tfc, or the process may have none. */
function start(given: ReadAhead): Worker | undefined {
  const code = threadFile();
  if (code === undefined) return undefined;
  try {
    // What the process was started with (hooks, a debugger) is nothing that the thread needs.
    return new Worker(code, { workerData: given, execArgv: [], name: 'tfc reads ahead' });
  } catch (error) {
    if (codeOf(error) === 'ERR_ACCESS_DENIED') return undefined;
    throw error;
  }
}

function threadFile(): string | undefined {
  const path = join('dist', 'bundle', 'read-ahead.mjs');
  const own = join(packageAround(here()), path);
  return existsSync(own) ? own : fileOfPackage('@tdsl/tfc', path);
}
