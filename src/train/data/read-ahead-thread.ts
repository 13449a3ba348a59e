// The thread that reads a file ahead of the steps. In: which file, plans, how many blocks it may be ahead; a message for each block that
// was taken. Out: blocks, whose memory goes with them, and at last the end, or why there is none. Holds: blocks leave in the order of the
// file; a mistake in it leaves behind the blocks before it.

import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorDetails, type RuntimeCode, TfcError } from '../../../runtime/error.js';
import { type Diagnostic, DiagnosticsError } from '../../base/index.js';
import type { FeedPlan } from './feed-plan.js';
import { plannedBlocks } from './planned-blocks.js';
import { recordsIn } from './record-files.js';
import type { RecordFile } from './records.js';
import type { Column } from './table.js';

/** What the thread is given. */
export interface ReadAhead {
  readonly file: RecordFile;
  readonly plans: readonly FeedPlan[];
  readonly ahead: number;
}

/** What it says. Classes do not travel: of errors it is told what they are made of. */
export type Said =
  | { readonly kind: 'block'; readonly block: readonly Column[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'diagnostics'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'failure'; readonly code: RuntimeCode; readonly message: string; readonly details: ErrorDetails }
  | { readonly kind: 'defect'; readonly error: unknown };

async function serve({ file, plans, ahead }: ReadAhead): Promise<void> {
  let free = ahead;
  let wake = (): void => undefined;
  parentPort?.on('message', () => {
    free += 1;
    wake();
  });
  try {
    for await (const block of plannedBlocks(recordsIn(file), plans)) {
      while (free === 0) await new Promise<void>((resolve) => (wake = resolve));
      free -= 1;
      const owned = block.map((column) => ({ ...column, data: ownMemory(column.data) }));
      say({ kind: 'block', block: owned }, [...new Set(owned.map(({ data }) => data.buffer))]);
    }
    say({ kind: 'end' });
  } catch (error) {
    say(told(error));
  } finally {
    parentPort?.close();
  }
}

const say = (said: Said, memory: readonly ArrayBuffer[] = []): void => parentPort?.postMessage(said, memory);

/** The array, alone in its memory: what others lie beside cannot be given away. */
function ownMemory(data: Column['data']): Column['data'] & { readonly buffer: ArrayBuffer } {
  const isAlone = data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength;
  return (isAlone ? data : data.slice()) as Column['data'] & { readonly buffer: ArrayBuffer };
}

function told(error: unknown): Said {
  if (error instanceof DiagnosticsError) return { kind: 'diagnostics', diagnostics: error.diagnostics };
  if (!(error instanceof TfcError)) return { kind: 'defect', error };
  const { code, message, hint, expected, actual } = error;
  const details = { ...(hint === undefined ? {} : { hint }), ...(expected === undefined ? {} : { expected }) };
  return { kind: 'failure', code: code as RuntimeCode, message, details: { ...details, ...(actual === undefined ? {} : { actual }) } };
}

await serve(workerData as ReadAhead);
