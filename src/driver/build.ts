// Builds artifacts in this process. In: a request. Out: a directory with the shared library, its manifest and its C headers; or diagnostics.
// Holds: this file and `emit.ts`, with what they import, are the only ones that bring LLVM into a process; nothing is written before every pass is done.

import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildArtifact, header } from '../../codegen/llvm/index.js';
import type { Manifest } from '../../runtime/abi/manifest.js';
import { type Diagnostic, DiagnosticsError, printableLines } from '../base/index.js';
import { Cache } from './cache.js';
import { check, type Checked, isLibrary } from './front.js';
import { manifestOf } from './manifest.js';
import { mistakesOf, renamed } from './mistakes.js';
import { packageRoot, version } from './package.js';
import { programsOf, toMachine } from './pipeline.js';
import { publish } from './publish.js';
import { artifactFiles, type BuildReply, type BuildRequest, optionsKey, type SourceFile } from './request.js';
import { targetFor } from './target.js';

/** One row of `--time-passes`; LLVM's passes and code generation count from where everything is built: until then other threads do them. */
export interface Stage {
  readonly name: string;
  readonly milliseconds: number;
  /** What the stage made, counted: `52 nodes`. */
  readonly made?: string;
}

export interface BuildReport {
  readonly manifest: Manifest;
  readonly stages: readonly Stage[];
  readonly warnings: readonly Diagnostic[];
}

/** Compiles into `directory`, which appears complete or not at all. Throws a DiagnosticsError for the user's mistakes. */
export function buildInto(request: BuildRequest, directory: string, texts: Map<string, string>): BuildReport {
  const start = performance.now();
  const checked = check(request, texts);
  const front: Stage = { name: 'check', milliseconds: performance.now() - start, made: `${checked.module.entries.length} entries` };
  const compiled = compileChecked(checked, request);
  let back: readonly Stage[] = [];
  const publishing = performance.now();
  publish(directory, (scratch) => (back = compiled.write(scratch)));
  const files: Stage = { name: 'files', milliseconds: performance.now() - publishing - sumOf(back) };
  return { manifest: compiled.manifest, warnings: compiled.warnings, stages: [front, ...compiled.stages, ...back, files] };
}

/** Compiles into the cache, or finds it there. */
export function buildCached(request: BuildRequest, cache = new Cache()): BuildReply {
  const texts = new Map<string, string>();
  try {
    const key = { path: request.path, options: optionsKey(request), sources: request.sources };
    const found = cache.find(key);
    if (found !== undefined) return { kind: 'built', ...found };
    const checked = check(request, texts);
    const own = [...texts].filter(([path]) => !isLibrary(path)).map(([path, text]): SourceFile => ({ path: resolve(path), text }));
    const files = [...own, ...[...checked.aliases].map(([path, sameAs]): SourceFile => ({ path: resolve(path), text: texts.get(sameAs) ?? '', sameAs: resolve(sameAs) }))];
    const warnings = checked.warnings.map((warning) => renamed(warning, (source) => (isLibrary(source) ? source : resolve(source))));
    const directory = cache.store(key, files, (scratch) => void compileChecked(checked, request).write(scratch), warnings);
    return { kind: 'built', directory, sources: files, warnings };
  } catch (error) {
    const mistakes = mistakesOf(error);
    if (mistakes !== undefined) return { kind: 'mistakes', diagnostics: mistakes, texts: [...texts] };
    return { kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

export const sumOf = (stages: readonly Stage[]): number => stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

interface Compiled extends BuildReport {
  /** Generates code and writes all files of the artifact. */
  write(directory: string): readonly Stage[];
}

function compileChecked({ module, build, open, warnings }: Checked, request: BuildRequest): Compiled {
  if (module.entries.every((entry) => entry.kind === 'init') && open.length === 0) throw new DiagnosticsError([nothingExported(request.path)]);
  const start = performance.now();
  const target = targetFor(request.cpu);
  const loading: Stage = { name: 'llvm: load', milliseconds: performance.now() - start };
  const { output, records } = toMachine(target).run(module, { build, now: () => performance.now() });
  const manifest = manifestOf(output.module, request.open === undefined ? open : [], target, version());
  const text = JSON.stringify(manifest);
  return {
    manifest,
    warnings,
    stages: [
      loading,
      ...records.map(({ name, milliseconds, count, form }) => ({ name, milliseconds, made: `${count} (${form})` })),
      { name: 'verify', milliseconds: records.reduce((sum, { verifyMilliseconds }) => sum + verifyMilliseconds, 0), made: 'after every pass' },
    ],
    write: (directory) => {
      const { timings } = buildArtifact({ programs: programsOf(output), manifest: text, target, outPath: join(directory, artifactFiles.library) });
      writeFileSync(join(directory, artifactFiles.manifest), printableLines(`${JSON.stringify(manifest, null, 2)}\n`));
      writeFileSync(join(directory, artifactFiles.header), header(text));
      copyFileSync(join(packageRoot(), 'runtime', 'abi', 'tfc.h'), join(directory, artifactFiles.abi));
      return [
        { name: 'llvm: build', milliseconds: timings.buildMs },
        { name: 'llvm: optimize', milliseconds: timings.optimizeMs },
        { name: 'llvm: codegen', milliseconds: timings.codegenMs },
        { name: 'link', milliseconds: timings.linkMs },
      ];
    },
  };
}

const nothingExported = (path: string): Diagnostic => ({
  code: 'unknown-entry',
  message: `${path} exports nothing that could be called`,
  span: { source: path, start: 0, end: 0 },
  hint: 'Write `export` before a function, or `export step name() { … }`.',
});
