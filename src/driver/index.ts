// tfc for TypeScript: everything that `import '@tdsl/tfc'` gives.

export { compile, type CompileOptions, compileSync } from './api/compile.js';
export { CompileError } from './mistakes.js';
export { type Diagnostic, DiagnosticsError, InternalError } from '../base/index.js';
export * from '../../runtime/index.js';
export type { CsvColumn } from '../train/data/csv.js';
export type { Digits } from '../train/data/idx.js';
export { readCsv, readDigits } from './api/readers.js';
export type { Column } from '../train/data/table.js';
export { type EpochRecord, type StepProgress, train, type TrainOptions } from '../train/train.js';
export { type Config, defineConfig, type OptionValues } from './config.js';
export { type Progress, progressBar } from '../train/progress.js';
export { type OpenRun, openRun, type RunOptions, writeReport } from './api/record.js';
export { type HyperParameter, type Outcome, type RecordedGraph, type RecordedNode, type Recorder, together } from '../train/recorder.js';
