// What can be asked of the compiler, as plain data that crosses process boundaries. In: options of the API and of commands. Out: requests and replies.

import type { Diagnostic } from '../base/index.js';

export interface BuildRequest {
  readonly path: string;
  /** Values for `dim` declarations. */
  readonly set: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for, or `native`. */
  readonly cpu: string;
  /** Builds this open-rank entry alone, with these ranks for its packs. */
  readonly open?: { readonly entry: string; readonly ranks: Readonly<Record<string, number>> };
}

export type BuildReply =
  | { readonly kind: 'built'; readonly directory: string }
  | { readonly kind: 'mistakes'; readonly diagnostics: readonly Diagnostic[]; readonly texts: readonly (readonly [path: string, text: string])[] }
  /** Our own failure. */
  | { readonly kind: 'failed'; readonly message: string };

/** Names of the files of an artifact, below its directory. */
export const artifactFiles = { library: 'module.so', manifest: 'module.json', header: 'module.h' } as const;

/** Everything of a request that decides what is built, but for the files. */
export const optionsKey = (request: BuildRequest): string => JSON.stringify([Object.entries(request.set).sort(), request.cpu, request.open ?? null]);
