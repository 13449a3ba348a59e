// The native half of the runtime. In: nothing. Out: its functions, typed. Holds: what it throws becomes a TfcError; it is loaded once per
// context.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { addonFile, platform } from './addon-file.js';
import type { TypedArray } from './element.js';
import { type RuntimeCode, TfcError } from './error.js';

declare const kind: unique symbol;

/** Something of the native half; freed when it is closed or collected. */
export interface Handle<Kind extends 'module' | 'session' | 'step'> {
  readonly [kind]: Kind;
}

export interface Native {
  /**
   * Zeros, at an address from which whole vectors can be read and written past the caches (memory.h). Freed between two turns of the event
   * loop, after it was collected.
   */
  buffer(bytes: number): ArrayBuffer;
  /** Asks the system for huge pages where the array fills some. */
  onHugePages(array: TypedArray): void;
  /**
   * By which it is told whether bytes are what was written once: XXH64 (abi/seal.h) in 16 hexadecimal digits. It is no defence against
   * people, who could write a hash as well.
   */
  hash(bytes: Uint8Array): string;
  /** What the processor says of itself (abi/processor.ts). */
  processor(): Uint32Array;
  /**
   * Has a file or an empty directory removed when one of the signals (bits: SIGHUP, SIGINT, SIGTERM) ends the process, until `forget`; see
   * leftovers.h.
   */
  guard(path: string, signals: number): void;
  forget(): void;
  openModule(path: string): { readonly handle: Handle<'module'>; readonly manifest: Uint8Array; readonly entries: readonly string[] };
  close(handle: Handle<'module' | 'session' | 'step'>): void;
  /** Per variable the number of its rows, the bytes of one, and the bytes from one to the next. `device`: number of a GPU, or -1. */
  createSession(threads: number, device: number, rows: Float64Array): Handle<'session'>;
  readVariable(session: Handle<'session'>, index: number, into: TypedArray): void;
  writeVariable(session: Handle<'session'>, index: number, from: TypedArray): void;
  /** Gives every element of a variable the value of the array's first. */
  fillVariable(session: Handle<'session'>, index: number, element: TypedArray): void;
  /** Two variables of one layout change places, as entries find them. */
  swapVariables(session: Handle<'session'>, one: number, other: number): void;
  /** Bytes of the session's arena as it is now. */
  arenaBytes(session: Handle<'session'>): number;
  /** counts: feeds, outputs, dims. The scalar outputs (positions, dtype codes) are those that `repeat` records. */
  createStep(
    session: Handle<'session'>,
    module: Handle<'module'>,
    entry: number,
    counts: Int32Array,
    scalarOutputs: Int32Array,
    scalarDtypes: Int32Array,
  ): Handle<'step'>;
  /** The address is kept: the caller keeps the array, and binds again when its memory may have moved. */
  bindFeed(step: Handle<'step'>, index: number, array: TypedArray): void;
  bindOutput(step: Handle<'step'>, index: number, array: TypedArray): void;
  /** Sets the free sizes; returns the bytes that the entry works in. */
  sizeStep(step: Handle<'step'>, dims: Float64Array): number;
  /** Bytes that are left for feeds and results, beside the arena (room.h). */
  room(step: Handle<'step'>): number;
  /** The entry's status: 0 is done. */
  run(step: Handle<'step'>): number;
  /**
   * Runs the step on another thread. Until the promise is settled every other call for the session or the step is `session-busy`, but that
   * other steps may be made and bound; memory that is bound must stay where it is.
   */
  start(step: Handle<'step'>): Promise<number>;
  /** Strides in bytes per step, one per feed; series takes steps × scalars. */
  repeat(step: Handle<'step'>, steps: number, strides: Float64Array, series: Float64Array): number;
}

let loaded: Native | undefined;

/** `path`: of the file, when it lies elsewhere than set-up puts it; the first call decides. @throws TfcError toolchain-missing. */
export function loadNative(path?: string): Native {
  if (loaded !== undefined) return loaded;
  const found = path ?? addonFile('runtime');
  if (found === undefined || !existsSync(found)) {
    throw new TfcError('toolchain-missing', `The native half of the runtime, ${path ?? 'runtime.node'}, is not there.`, {
      hint: `Install @tdsl/runtime-${platform}, run npm run setup in a checkout of tfc, or say where it lies: openModule(path, { addon }).`,
    });
  }
  // What `require` does in the end, without looking for packages first.
  const module = { exports: {} };
  process.dlopen(module, resolve(found));
  loaded = module.exports as Native;
  return loaded;
}

const nativeCodes: readonly RuntimeCode[] = [
  'bad-artifact',
  'file-not-found',
  'session-closed',
  'session-busy',
  'out-of-memory',
  'bad-data',
  'no-device',
  'device-failed',
];

/** Runs `body`; what the native half throws in it becomes a TfcError. */
export function translating<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw translate(error);
  }
}

export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TfcError || !('code' in error)) return error;
  const code = nativeCodes.find((known) => known === error.code);
  if (code === undefined) return error;
  return new TfcError(code, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
}
