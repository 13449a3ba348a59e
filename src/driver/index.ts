// tfc for TypeScript: everything that `import 'tfc'` gives.

export { compile, type CompileOptions, compileSync } from './api/compile.js';
export { CompileError } from './mistakes.js';
export { type Diagnostic, DiagnosticsError, InternalError } from '../base/index.js';
export * from '../../runtime/index.js';
export type { CsvColumn } from '../train/data/csv.js';
export type { Digits } from '../train/data/idx.js';
export { readCsv, readDigits } from './api/readers.js';
export type { Column } from '../train/data/table.js';
export type { Batch } from '../train/data/batches.js';
export type { ColumnSpec, Dataset, Pass } from '../train/data/dataset.js';
export { inMemory } from './api/data.js';
export type { EpochRecord, Position, StepProgress, TrainEnd, TrainObserver } from '../train/observer.js';
export { type RunStep, train, type TrainOptions } from '../train/train.js';
export { type Progress, progressBar } from '../train/progress.js';
