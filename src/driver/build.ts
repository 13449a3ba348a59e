// Builds artifacts in this process. In: a request. Out: a directory with the shared library, its manifest and its C header; or diagnostics.
// Holds: this is the only file, with what it imports, that brings LLVM into a process.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildArtifact, header, hostTarget } from '../../codegen/llvm/index.js';
import type { Manifest } from '../../runtime/abi/manifest.js';
import type { PassRecord } from '../passes/index.js';
import { DiagnosticsError } from '../base/index.js';
import { Cache, stampOf } from './cache.js';
import { check, type Checked } from './front.js';
import { manifestOf } from './manifest.js';
import { programsOf, toMachine } from './pipeline.js';
import { mistakesOf } from './render.js';
import { artifactFiles, type BuildReply, type BuildRequest, optionsKey } from './request.js';
import { reasonOf } from './sources.js';
import { version } from './version.js';

export interface BuildReport {
  readonly manifest: Manifest;
  readonly records: readonly PassRecord[];
}

/** Compiles into `directory`. Throws a DiagnosticsError for the user's mistakes. */
export function buildInto(request: BuildRequest, directory: string, texts: Map<string, string>, watch?: (record: PassRecord) => void): BuildReport {
  return compileInto(check(request, texts), request, directory, watch);
}

function compileInto({ module, build, open }: Checked, request: BuildRequest, directory: string, watch?: (record: PassRecord) => void): BuildReport {
  const target = hostTarget(request.cpu);
  const { output, records } = toMachine(target).run(module, { build, ...(watch === undefined ? {} : { watch }), now: () => performance.now() });
  const manifest = manifestOf(output.module, request.open === undefined ? open : [], target, version());
  const text = JSON.stringify(manifest);
  try {
    mkdirSync(directory, { recursive: true });
    buildArtifact({ programs: programsOf(output), manifest: text, target, outPath: join(directory, artifactFiles.library) });
    writeFileSync(join(directory, artifactFiles.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
    writeFileSync(join(directory, artifactFiles.header), header(text));
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new DiagnosticsError([{ code: 'file-not-written', message: `${directory}: ${reasonOf(error)}` }]);
  }
  return { manifest, records };
}

/** Compiles into the cache, or finds it there. */
export function buildCached(request: BuildRequest, cache = new Cache()): BuildReply {
  const texts = new Map<string, string>();
  try {
    const key = { path: request.path, options: optionsKey(request) };
    const found = cache.find(key);
    if (found !== undefined) return { kind: 'built', directory: found };
    const checked = check(request, texts);
    const files = [...texts].map(([path, text]) => stampOf(path, text));
    return { kind: 'built', directory: cache.store(key, files, (directory) => compileInto(checked, request, directory)) };
  } catch (error) {
    const mistakes = mistakesOf(error);
    if (mistakes !== undefined) return { kind: 'mistakes', diagnostics: mistakes, texts: [...texts] };
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
