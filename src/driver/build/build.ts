// Builds artifacts in this process. In: a request. Out: a directory with the shared library, its manifest and its C headers; or
// diagnostics.
// Holds: only what imports `backends.ts` brings LLVM into a process: this file, `emit.ts`, and commands when they run; nothing is written
// before every pass is done.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Manifest } from '../../../runtime/abi/manifest.js';
import { TfcError } from '../../../runtime/index.js';
import { type Diagnostic, DiagnosticsError, printableLines } from '../../base/index.js';
import type { PassRecord } from '../../passes/index.js';
import type { Stage } from '../../target/index.js';
import { backendOf, deviceBackendOf } from './backends.js';
import type { ArtifactFiles, Cache } from './cache.js';
import { toInternal } from '../api/failures.js';
import { check, type Checked, isLibrary } from './front.js';
import { manifestOf } from './manifest.js';
import { mistakesOf, renamed } from '../mistakes.js';
import { packageRoot, version } from '../package.js';
import { programsOf, toMachine } from './pipeline.js';
import { FetchRefused } from '../../passes/index.js';
import { graphData } from '../report/graph-data.js';
import { publish } from './publish.js';
import { artifactFiles, type BuildReply, type BuildRequest, optionsKey, type SourceFile } from './request.js';
import { trap } from '../../passes/index.js';
import { checkSpec, factPlace } from './places.js';
import { trapSpec } from './trap-places.js';
import { deviceCodes } from './device.js';
import { targetFor } from './target.js';
import { type Begin, codeGeneration, unwatched } from './watch-stages.js';

export interface BuildReport {
  readonly manifest: Manifest;
  readonly stages: readonly Stage[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Compiles into `directory`, which appears complete or not at all; `begin` is told of every stage. Throws a DiagnosticsError for the user's
 * mistakes.
 */
export function buildInto(request: BuildRequest, directory: string, texts: Map<string, string>, begin: Begin = unwatched): BuildReport {
  const start = performance.now();
  begin('check');
  const checked = check(request, texts);
  const front: Stage = { name: 'check', milliseconds: performance.now() - start, made: `${checked.module.entries.length} entries` };
  const compiled = compileChecked(checked, request, texts, begin);
  const { files, stages } = compiled.build();
  const publishing = performance.now();
  publish(directory, files);
  return {
    manifest: compiled.manifest,
    warnings: compiled.warnings,
    stages: [front, ...compiled.stages, ...stages, { name: 'files', milliseconds: performance.now() - publishing }],
  };
}

/** Compiles into the cache, or finds it there. */
export function buildCached(request: BuildRequest, cache: Cache, begin: Begin = unwatched): BuildReply {
  const texts = new Map<string, string>();
  try {
    const key = { path: request.path, options: optionsKey(request), sources: request.sources };
    const found = cache.find(key);
    if (found !== undefined) return { kind: 'built', ...found };
    begin('check');
    const checked = check(request, texts);
    const own = [...texts].filter(([path]) => !isLibrary(path)).map(([path, text]): SourceFile => ({ path: resolve(path), text }));
    const files = [
      ...own,
      ...[...checked.aliases].map(([path, sameAs]): SourceFile => ({
        path: resolve(path),
        text: texts.get(sameAs) ?? '',
        sameAs: resolve(sameAs),
      })),
    ];
    const warnings = checked.warnings.map((warning) => renamed(warning, (source) => (isLibrary(source) ? source : resolve(source))));
    const directory = cache.store(key, files, () => cached(compileChecked(checked, request, texts, begin).build().files), warnings);
    return { kind: 'built', directory, sources: files, warnings };
  } catch (error) {
    return failureOf(error, texts);
  }
}

/** The graph of a program as data. */
export function graphOf(request: BuildRequest): BuildReply {
  const texts = new Map<string, string>();
  try {
    const { module, build } = check(request, texts);
    return { kind: 'graph', entries: graphData(module, build, texts) };
  } catch (error) {
    return failureOf(error, texts);
  }
}

/** What is recorded of an entry. */
export async function factsOf(request: BuildRequest, entry: string): Promise<BuildReply> {
  const texts = new Map<string, string>();
  try {
    const { describeProgram } = await import('../report/describe-program.js');
    return { kind: 'program', program: await describeProgram(request, entry, texts) };
  } catch (error) {
    return failureOf(error, texts);
  }
}

function failureOf(error: unknown, texts: ReadonlyMap<string, string>): BuildReply {
  if (error instanceof FetchRefused) return { kind: 'refused', refusal: error.refusal };
  if (error instanceof TfcError && error.code === 'file-not-written') return { kind: 'not-stored', reason: error.message };
  const mistakes = mistakesOf(error);
  if (mistakes !== undefined) return { kind: 'mistakes', diagnostics: mistakes, texts: [...texts] };
  const { pass, reason, stack = '' } = toInternal(error);
  return { kind: 'failed', pass, reason, stack };
}

/** A cache keeps what is opened, and nothing for C compilers. */
const cached = (files: ArtifactFiles): ArtifactFiles =>
  new Map([...files].filter(([name]) => name === artifactFiles.library || name === artifactFiles.manifest));

export const sumOf = (stages: readonly Stage[]): number => stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);

interface Compiled extends BuildReport {
  /** Generates code: all files of the artifact, the library last. */
  build(): { readonly files: ArtifactFiles; readonly stages: readonly Stage[] };
}

function compileChecked(
  { module, build, open, warnings }: Checked,
  request: BuildRequest,
  texts: ReadonlyMap<string, string>,
  begin: Begin,
): Compiled {
  if (module.entries.every((entry) => entry.kind === 'init') && open.length === 0)
    throw new DiagnosticsError([nothingExported(request.path)]);
  const start = performance.now();
  const backend = backendOf(request);
  const target = targetFor(request.cpu, backend);
  const loading: Stage = { name: `${backend.name}: load`, milliseconds: performance.now() - start };
  const { output, records } = toMachine(target, backend.passes, request.trap === undefined ? [] : [trap]).run(module, {
    build,
    begin,
    now: () => performance.now(),
  });
  const isWhole = request.open === undefined && request.fetch === undefined && request.trap === undefined;
  const described = manifestOf(output.module, isWhole ? open : [], target, version(), (entry) => ({
    trap: trapSpec(entry, build, texts),
    checks: checkSpec(entry, texts),
    fact: (fact) => factPlace(fact, texts),
  }));
  const manifest: Manifest = request.device === undefined ? described : { ...described, devices: [request.device] };
  const text = JSON.stringify(manifest);
  return {
    manifest,
    warnings,
    stages: [
      loading,
      ...records.map(stageOf),
      {
        name: 'verify',
        milliseconds: records.reduce((sum, { verifyMilliseconds }) => sum + verifyMilliseconds, 0),
        made: 'after every pass',
      },
    ],
    build: () => {
      begin(codeGeneration);
      const forDevice = deviceBackendOf(request);
      const devices = forDevice === undefined ? [] : deviceCodes(forDevice, output.module, build);
      const { library, header, stages } = backend.build({ programs: programsOf(output), manifest: text, target, devices });
      const files: ArtifactFiles = new Map([
        [artifactFiles.abi, readFileSync(join(packageRoot(), 'runtime', 'abi', 'tfc.h'))],
        [artifactFiles.header, Buffer.from(header)],
        [artifactFiles.manifest, Buffer.from(printableLines(`${JSON.stringify(manifest, null, 2)}\n`))],
        [artifactFiles.library, library],
      ]);
      return { files, stages };
    },
  };
}

/** What a pass made is counted when somebody asks. */
const stageOf = (record: PassRecord): Stage => ({
  name: record.name,
  milliseconds: record.milliseconds,
  get made() {
    return `${record.count} (${record.form})`;
  },
});

const nothingExported = (path: string): Diagnostic => ({
  code: 'unknown-entry',
  message: `${path} exports nothing that could be called`,
  span: { source: path, start: 0, end: 0 },
  hint: 'Write `export` before a function, or `export step name() { … }`.',
});
