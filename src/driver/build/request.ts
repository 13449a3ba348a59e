// What can be asked of the compiler, as plain data that crosses process boundaries. In: options of the API and of commands. Out: requests
// and replies.

import { resolve } from 'node:path';
import { libraryFile } from '../../../runtime/artifact.js';
import type { EntryGraph, FetchRequest } from '../../../runtime/index.js';
import type { Diagnostic } from '../../base/index.js';
import type { Refusal } from '../../passes/index.js';
import type { DeviceKind } from '../../target/index.js';
import type { ProgramFacts } from '../../train/run-facts.js';
import { processor } from './processor.js';

export interface BuildRequest {
  /** As the user wrote it: diagnostics repeat it. */
  readonly path: string;
  /** Values for `dim` declarations. */
  readonly set: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for, or `native`. */
  readonly cpu: string;
  /** A kind of device that the artifact has code for as well. */
  readonly device?: DeviceKind | undefined;
  /** Name of the back end that makes the code; default: the first that is registered. */
  readonly backend?: string | undefined;
  /** Directories beside that of the file from which may be imported. */
  readonly roots?: readonly string[] | undefined;
  /** What stands in for the files: those that the module was compiled from. */
  readonly sources?: readonly SourceFile[] | undefined;
  /** Builds this open-rank entry alone, with these ranks for its packs. */
  readonly open?: { readonly entry: string; readonly ranks: Readonly<Record<string, number>> } | undefined;
  /** Builds this entry alone, so that it says where it made a NaN or an infinity. */
  readonly trap?: string | undefined;
  /** Builds one entry alone, which computes these nodes. */
  readonly fetch?: Fetch | undefined;
}

/** What a session fetches at once. */
export interface Fetch extends FetchRequest {
  /** Of the entry. */
  readonly name: string;
}

/** A file that a build read. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** The path under which the file was read, when it is another. */
  readonly sameAs?: string;
}

/** An artifact, and what it was made of. */
export interface Built {
  readonly directory: string;
  readonly sources: readonly SourceFile[];
  /** Their spans name sources by absolute paths too: the cache answers from wherever it is asked. */
  readonly warnings: readonly Diagnostic[];
}

export type BuildReply =
  | ({ readonly kind: 'built' } & Built)
  | {
      readonly kind: 'mistakes';
      readonly diagnostics: readonly Diagnostic[];
      readonly texts: readonly (readonly [path: string, text: string])[];
    }
  /** The cache could not be written. */
  | { readonly kind: 'not-stored'; readonly reason: string }
  /** What is fetched or fed is not there, or does not fit. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'graph'; readonly entries: readonly EntryGraph[] }
  | { readonly kind: 'program'; readonly program: ProgramFacts }
  /** Our own failure. */
  | { readonly kind: 'failed'; readonly pass: string; readonly reason: string; readonly stack: string };

/** What crosses to the compiling process. */
export interface BuildJob {
  readonly request: BuildRequest;
  /** Directory of the compile cache, which the caller has looked at. */
  readonly cache: string;
  /** Whether its descriptor 3 is a terminal where somebody waits. */
  readonly watched: boolean;
  /** Artifact: the default. Graph: the checked graph as data; an entry: what is recorded of it. Nothing is written for those two. */
  readonly want?: 'artifact' | 'graph' | { readonly recorded: string };
}

/** Names of the files of an artifact, below its directory; `header` includes `abi`. */
export const artifactFiles = { library: libraryFile, manifest: 'module.json', header: 'module.h', abi: 'tfc.h' } as const;

/** Everything of a request that decides what is built, but for the files. A cache may be shared by machines, so `native` is spelled out. */
export function optionsKey({ set, cpu, device, backend, open, trap, fetch, roots = [] }: BuildRequest): string {
  const machine = cpu === 'native' ? ['native', processor()] : [cpu];
  return JSON.stringify([
    sorted(set),
    machine,
    backend ?? null,
    device ?? null,
    open === undefined ? null : [open.entry, sorted(open.ranks)],
    fetch === undefined
      ? null
      : [fetch.name, fetch.give, fetch.fetches, fetch.fed, sorted(fetch.ranks).map(([entry, ranks]) => [entry, sorted(ranks)])],
    roots.map((root) => resolve(root)).sort(),
    ...(trap === undefined ? [] : [trap]),
  ]);
}

const sorted = <Value>(record: Readonly<Record<string, Value>>): [string, Value][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
