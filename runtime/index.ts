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
export { BoundEntry, type StepsOptions, type StepsResult } from './bound-entry.js';
export type { Mismatch, Renaming, RestoreOptions, RestoreReport, SaveOptions } from './checkpoint.js';
export type { FeedValue, NestedArray, ScalarValue, ShapedData } from './convert.js';
export type { ElementArrays, TypedArray } from './element.js';
export { type ErrorDetails, type RuntimeCode, TfcError } from './error.js';
export type { Feeds } from './feed-slots.js';
export { type JsonValue, toJson } from './json.js';
export { Module, type ModuleOptions, openModule } from './module.js';
export type { Result, ResultRecord } from './result.js';
export { SafetensorsFile, type StoredTensor, writeSafetensors } from './safetensors.js';
export type { AnyEntries, EntryMethods, EntryTypes, Session, SessionMethods, SessionOptions } from './session.js';
export { type NestedValue, Tensor, tensor } from './tensor.js';
export { zeros } from './zeros.js';
