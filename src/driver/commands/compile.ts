// `tfc compile FILE [-o DIR]`: an artifact for others to run, or any stage of the way as text.
// Holds: a directory that nobody named is beside the program and has its name; what is there and no module of ours stays as it is.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { type Diagnostic, DiagnosticsError, printable } from '../../base/index.js';
import type { Stage, Target } from '../../target/index.js';
import type { Emitted } from '../build/emit.js';
import { levelsOf, stageLevels } from '../build/levels.js';
import { jsonWarnings } from '../mistakes.js';
import { artifactFiles, type BuildRequest } from '../build/request.js';
import type { Begin } from '../build/watch-stages.js';
import { isWatched, print, printDiagnostics, printError } from './command.js';
import { addProgramOptions, cpuOption, deviceOf, parseProgram, targetOption, type ProgramOptions, UsageError } from './options.js';
import { performWatched } from './watch.js';

interface Options extends ProgramOptions {
  readonly out?: string;
  readonly emit?: string;
  readonly dumpAfter?: string;
  readonly cpu: string;
  readonly target: Target['kind'];
  readonly timePasses?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function addCompile(program: Command): void {
  addProgramOptions(program.command('compile').description('compile a program into a shared library with C headers and a manifest'))
    .argument('<file>', 'program (.tdsl)')
    .option('-o, --out <dir>', 'directory for the artifact; default, where no stage is asked for: FILE without .tdsl')
    .option('--emit <level>', `print a stage of the way: ${stageLevels.join(', ')}, or one of the back end: llvm, asm`)
    .option('--dump-after <pass>', 'print what this pass makes')
    .addOption(cpuOption())
    .addOption(targetOption())
    .option('--time-passes', 'print the time that each stage takes, from the start of the process')
    .option('--watch', 'go on, and compile again whenever the program or what it imports changes')
    .option('--json', 'print one JSON object')
    .action((file: string, options: Options) =>
      performWatched(options, { files: [file], roots: options.root }, async (texts) => {
        const request: BuildRequest = { path: file, ...parseProgram(options), cpu: options.cpu, ...deviceOf(options) };
        const { emit: level, dumpAfter: pass } = options;
        const out = options.out ?? (level === undefined && pass === undefined ? directoryBeside(file) : undefined);
        if (level !== undefined) await requireLevel(level, request);
        if (level !== undefined && pass !== undefined) throw new UsageError('take --emit or --dump-after, not both');
        const { emit, dumpAfter } = await import('../build/emit.js');
        const { unwatched, watchStages } = await import('../build/watch-stages.js');
        const watch = isWatched(options.json) ? watchStages(2) : { begin: unwatched, stop: () => undefined };
        let stage: Emitted | undefined;
        let built: Built | undefined;
        try {
          if (level !== undefined) stage = emit(request, level, texts, watch.begin);
          if (pass !== undefined) stage = dumpAfter(request, pass, texts, watch.begin);
          if (out !== undefined) {
            if (options.out === undefined) requireOurs(out);
            built = await build(request, out, texts, watch.begin);
          }
        } finally {
          watch.stop();
        }
        const [text, warnings] = [stage?.text, built?.warnings ?? stage?.warnings ?? []];
        if (options.json === true) {
          print(
            JSON.stringify({ ...built, ...(text === undefined ? {} : { text }), warnings: undefined, ...jsonWarnings(warnings, texts) }),
          );
          return;
        }
        await printDiagnostics(warnings, texts);
        if (text !== undefined) print(text);
        if (built === undefined) return;
        // Standard output is the stage's text when one was asked for.
        const say = text === undefined ? print : printError;
        if (options.timePasses === true) say(built.stages.map(row).join('\n'));
        say(`${built.library}: ${built.entries.join(', ')}`);
      }),
    );
}

/** `models/mlp` for `models/mlp.tdsl`. */
const directoryBeside = (file: string): string => join(dirname(file), basename(file, '.tdsl'));

/** What nobody named is replaced only where we have written it. Errors: file-not-written. */
function requireOurs(directory: string): void {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return;
  const names = found.isDirectory() ? readdirSync(directory) : undefined;
  if (names?.length === 0 || [artifactFiles.library, artifactFiles.manifest].every((name) => names?.includes(name))) return;
  throw new DiagnosticsError([
    {
      code: 'file-not-written',
      message: `${printable(directory)} is there, and is no compiled module: it was left as it is`,
      hint: 'name the directory: `-o DIR`',
    },
  ]);
}

async function requireLevel(level: string, request: BuildRequest): Promise<void> {
  const { backendOf, deviceBackendOf } = await import('../build/backends.js');
  const levels = levelsOf(backendOf(request), deviceBackendOf(request));
  if (!levels.includes(level)) throw new UsageError(`--emit takes one of ${levels.join(', ')}; got ${JSON.stringify(level)}`);
}

interface Built {
  readonly directory: string;
  readonly library: string;
  readonly entries: readonly string[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly Diagnostic[];
}

async function build(request: BuildRequest, directory: string, texts: Map<string, string>, begin: Begin): Promise<Built> {
  const { buildInto, sumOf } = await import('../build/build.js');
  const { nodeTiming } = performance;
  const start: readonly Stage[] = [
    { name: 'node', milliseconds: nodeTiming.bootstrapComplete },
    { name: 'load', milliseconds: performance.now() - nodeTiming.bootstrapComplete },
  ];
  const { manifest, stages: own, warnings } = buildInto(request, directory, texts, begin);
  const total = performance.now();
  const stages = [
    ...start,
    ...own,
    { name: 'rest', milliseconds: total - sumOf(start) - sumOf(own) },
    { name: 'total', milliseconds: total },
  ];
  const exported = [...manifest.entries.filter((entry) => entry.kind !== 'init'), ...manifest.open];
  return { directory, library: join(directory, artifactFiles.library), entries: exported.map((entry) => entry.name), stages, warnings };
}

const row = ({ name, milliseconds, made = '' }: Stage): string =>
  `${name.padEnd(16)} ${milliseconds.toFixed(1).padStart(8)} ms  ${made}`.trimEnd();
