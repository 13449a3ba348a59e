// tfc for TypeScript: everything that `import '@tdsl/tfc'` gives.

export { compile, type CompileOptions, compileSync } from './api/compile.js';
export { CompileError } from './mistakes.js';
export { type Diagnostic, DiagnosticsError, InternalError } from '../base/index.js';
export * from '../../runtime/index.js';
export type { CsvColumn } from '../train/data/csv.js';
export type { Digits } from '../train/data/idx.js';
export { readCsv, readDigits } from './api/readers.js';
export { fit, openDataset } from './api/datasets.js';
export type { Batch } from '../train/data/batches.js';
export type { BlankRule, DatasetOptions, Format } from '../train/data/dataset-options.js';
export type { ColumnSpec, Dataset, Pass } from '../train/data/dataset.js';
export { normalized, type Normalization, type NormalizationKind, requireNormalization } from '../train/data/normalize.js';
export type { DataSource } from '../train/data/open-dataset.js';
export type { Item, Items, ProgramData } from '../train/data/program-data.js';
export { type Parts, split } from '../train/data/split.js';
export { requireVocabulary, type Vocabulary } from '../train/data/vocabulary.js';
export type { Column } from '../train/data/table.js';
export { type Config, defineConfig, type OptionValues } from './config.js';
export { inMemory } from './api/data.js';
export type { EpochRecord, Position, StepProgress, TrainEnd, TrainObserver } from '../train/observer.js';
export { type RunStep, train, type TrainOptions } from '../train/train.js';
export { type Progress, progressBar, type ProgressStream } from '../train/progress.js';
export { type OpenRun, openRun, type RunOptions, writeReport } from './api/record.js';
export { type HyperParameter, type Outcome, type RecordedGraph, type RecordedNode, type Recorder, together } from '../train/recorder.js';
