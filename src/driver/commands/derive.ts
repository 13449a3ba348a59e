// `tfc derive FILE [ENTRY] --of loss --by w`: a derivative as a program to read, and to compile.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { printable } from '../../base/index.js';
import { perform, print, printDiagnostics } from './command.js';
import { addProgramOptions, collect, parseProgram, type ProgramOptions, UsageError } from './options.js';

interface Options extends ProgramOptions {
  readonly of: string;
  readonly by: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

export function addDerive(program: Command): void {
  addProgramOptions(
    program.command('derive').description('write a derivative as a program: a function that can be read, copied and compiled'),
  )
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported function or step; default: the one that has the value')
    .requiredOption('--of <name>', 'what is differentiated: a result, a let, or a function that returns one value')
    .option('--by <names>', 'params, states, arguments and lets, separated by commas; may be repeated', collect, [])
    .option('-o, --out <file>', 'write it into this file (.tdsl)')
    .option('--json', 'print one JSON object')
    .action((file: string, entry: string | undefined, options: Options) =>
      perform(options.json, (texts) => deriveFile(file, entry?.normalize(), options, texts)),
    );
}

async function deriveFile(file: string, entry: string | undefined, options: Options, texts: Map<string, string>): Promise<void> {
  const by = options.by.flatMap((names) => names.split(',')).map((name) => name.trim().normalize());
  if (by.includes('') || by.length === 0) throw new UsageError('--by takes names, separated by commas, e.g. --by w,b');
  const { out } = options;
  if (out !== undefined && !out.endsWith('.tdsl')) throw new UsageError(`-o takes a file that ends in .tdsl; got ${JSON.stringify(out)}`);
  const { check, isLibrary } = await import('../build/front.js');
  const { derive } = await import('../derive/derive.js');
  const checked = check({ path: file, ...parseProgram(options) }, texts);
  await printDiagnostics(checked.warnings, texts);
  const own = new Map([...texts].filter(([path]) => !isLibrary(path)));
  if (out !== undefined && [...own.keys()].some((path) => resolve(path) === resolve(out)))
    throw new UsageError(`-o names ${printable(out)}, which is a part of the program itself`);
  const { text, arguments: read } = derive(checked, file, { entry, of: options.of.normalize(), by: [...new Set(by)] }, own);
  if (out !== undefined) writeFiles([{ path: out, write: (target) => writeFully(target, Buffer.from(text)) }]);
  if (options.json === true) print(JSON.stringify({ ...(out === undefined ? { text } : { file: out }), arguments: read }));
  else print(out === undefined ? text.trimEnd() : `${printable(out)}: written`);
}
