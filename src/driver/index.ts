// tfc for TypeScript: everything that `import 'tfc'` gives.

export { compile, type CompileOptions, compileSync } from './compile.js';
export { CompileError } from './mistakes.js';
export { type Diagnostic, DiagnosticsError, InternalError } from '../base/index.js';
export * from '../../runtime/index.js';
export type { CsvColumn } from './data/csv.js';
export type { Digits } from './data/idx.js';
export { readCsv, readDigits } from './readers.js';
export type { Column } from './data/table.js';
export { type EpochRecord, type StepProgress, train, type TrainOptions } from './train.js';
export { type Progress, progressBar } from './progress.js';
