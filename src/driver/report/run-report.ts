// Reports of runs as files. In: run directories. Out: the runs as they were recorded, and a page of them. Holds: Vega is loaded only when a
// page is made.

import { createRequire } from 'node:module';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import type { RunRecord } from '../../train/read-run.js';
import { type Drawing, reportOf } from '../../train/report/report.js';
import { builtFile } from '../package.js';

/** @throws TfcError file-not-written. */
export async function writeReport(runs: readonly RunRecord[], path: string): Promise<void> {
  const drawing = createRequire(import.meta.url)(builtFile('dist', 'bundle', 'charts.cjs')) as Drawing;
  const page = Buffer.from(await reportOf(runs, drawing));
  writeFiles([{ path, write: (file) => writeFully(file, page) }]);
}
