// The runtime: compiled modules, sessions, tensors, checkpoints. In: artifacts. Out: results. Holds: nothing of the compiler is imported
// here.
export type {
  ElementType,
  EntrySpec,
  FactSpec,
  Manifest,
  OpenEntrySpec,
  ResultSpec,
  Size,
  TensorSpec,
  VariableSpec,
} from './abi/manifest.js';
export { BoundEntry } from './bound-entry.js';
export type { Mismatch, Renaming, RestoreOptions, RestoreReport, SaveOptions } from './checkpoint.js';
export type { FeedRecord, FeedValue, NestedArray, ScalarValue, ShapedData } from './convert.js';
export type { ElementArrays, TypedArray } from './element.js';
export type { EntryGraph, GraphNode, GraphTensorType, SourcePlace } from './entry-graph.js';
export { type ErrorDetails, type RuntimeCode, TfcError } from './error.js';
export type { Feeds } from './feed-slots.js';
export type { FetchRequest } from './fetches.js';
export { type JsonValue, toJson } from './json.js';
export { Module, type ModuleOptions, openModule } from './module.js';
export type {
  AnyEntries,
  AnyModule,
  AnyNodes,
  AnyVariables,
  Exchange,
  Feed,
  Fetched,
  FetchBranch,
  FetchName,
  FetchTree,
  Given,
  KnownNames,
  ModuleTypes,
  NodeFeeds,
  Output,
  Scalar,
  ScalarResult,
  ShapedFeed,
  Sizes,
  Value,
} from './module-types.js';
export type { SummaryRecord } from './recorded-entry.js';
export type { Result, ResultRecord } from './result.js';
export { SafetensorsFile, type StoredTensor, writeSafetensors } from './safetensors.js';
export type { EntryMethods, EntryTypes, Session, SessionMethods } from './session.js';
export type { SessionOptions } from './session-options.js';
export type { StepsOptions, StepsResult } from './steps.js';
export { type NestedValue, Tensor, tensor } from './tensor.js';
export type {
  Batches,
  BatchesOfEpoch,
  Signal,
  TrainAsyncEpoch,
  TrainAsyncOptions,
  TrainAsyncResult,
  TrainAsyncStep,
} from './train-async.js';
export { zeros } from './zeros.js';
