// `tfc compile FILE -o DIR`: an artifact for others to run, or any stage of the way as text.

import { join } from 'node:path';
import type { Command } from 'commander';
import { emitLevels, type EmitLevel, emit } from '../emit.js';
import { buildInto } from '../build.js';
import { artifactFiles } from '../request.js';
import { collect, parseSet, perform, print, UsageError } from './command.js';

interface Options {
  readonly out?: string;
  readonly emit?: string;
  readonly dumpAfter?: string;
  readonly set: readonly string[];
  readonly cpu: string;
  readonly timePasses?: boolean;
  readonly json?: boolean;
}

export function addCompile(program: Command): void {
  program
    .command('compile')
    .description('compile a program into a shared library with a C header and a manifest')
    .argument('<file>', 'program (.tdsl)')
    .option('-o, --out <dir>', 'directory for the artifact')
    .option('--emit <level>', `print a stage of the way instead: ${emitLevels.join(', ')}`)
    .option('--dump-after <pass>', 'print what this pass makes')
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--cpu <name>', "LLVM's name of the CPU to compile for", 'native')
    .option('--time-passes', 'print the time that each pass takes')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: Options) => {
      const texts = new Map<string, string>();
      process.exitCode = await perform({ json: options.json === true, texts }, () => {
        const request = { path: file, set: parseSet(options.set), cpu: options.cpu };
        if (options.emit !== undefined || options.dumpAfter !== undefined) {
          if (options.emit !== undefined && !isLevel(options.emit)) throw new UsageError(`--emit takes one of ${emitLevels.join(', ')}; got ${JSON.stringify(options.emit)}`);
          print(emit(request, { level: options.emit, dumpAfter: options.dumpAfter }, texts));
          return;
        }
        if (options.out === undefined) throw new UsageError('compile needs -o DIR, or --emit LEVEL');
        const { manifest, records } = buildInto(request, options.out, texts);
        const exported = manifest.entries.filter((entry) => entry.kind !== 'init').map((entry) => entry.name);
        if (options.json === true) {
          print(JSON.stringify({ directory: options.out, library: join(options.out, artifactFiles.library), entries: exported, passes: records.map(({ name, milliseconds, count }) => ({ name, milliseconds, count })) }));
          return;
        }
        if (options.timePasses === true) for (const { name, milliseconds, count, form } of records) print(`${name.padEnd(16)} ${milliseconds.toFixed(1).padStart(8)} ms  ${count} (${form})`);
        print(`${join(options.out, artifactFiles.library)}: ${exported.join(', ')}`);
      });
    });
}

const isLevel = (text: string): text is EmitLevel => (emitLevels as readonly string[]).includes(text);
