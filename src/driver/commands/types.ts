// `tfc types [FILE…]`: declaration files by which TypeScript knows programs.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Diagnostic, DiagnosticsError, printable } from '../../base/index.js';
import type { Declared } from '../types/files.js';
import { jsonWarnings, mistakesOf } from '../mistakes.js';
import { fail, perform, print, printDiagnostics } from './command.js';
import { addProgramOptions, parseProgram, type ProgramOptions, UsageError } from './options.js';
import { watchPrograms } from './watch.js';

interface Options extends ProgramOptions {
  readonly out: string;
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function addTypes(commands: Command): void {
  addProgramOptions(
    commands.command('types').description('write declaration files, by which TypeScript checks what is imported from programs'),
  )
    .argument('[file...]', 'programs (.tdsl); default: all below the working directory, but for node_modules')
    .option('--out <dir>', 'directory for the files, which mirrors the working directory', join('.tfc', 'types'))
    .option('--check', 'write nothing; end with 1 when a file is out of date')
    .option('--watch', 'go on, and write again whatever changes')
    .option('--json', 'print one JSON object')
    .action((files: readonly string[], options: Options) =>
      perform(options.json, async (texts) => {
        if (options.watch === true && options.check === true) throw new UsageError('take --check or --watch, not both');
        if (options.out === '') throw new UsageError('--out takes a directory; got ""');
        if (options.watch === true) await watch(files, options);
        else await report(await declareAll(files, options, texts), options, texts);
      }),
    );
}

interface Round {
  readonly declared: readonly Declared[];
  readonly mistakes: readonly Diagnostic[];
}

/** Programs without mistakes get their files whatever is wrong with others. `read` is told what each of them consists of. */
async function declareAll(
  files: readonly string[],
  options: Options,
  texts: Map<string, string>,
  read: (program: string, sources: Iterable<string>) => void = () => undefined,
): Promise<Round> {
  const { declare, programsBelow } = await import('../types/files.js');
  const request = parseProgram(options);
  const place = { base: process.cwd(), out: options.out };
  const declared: Declared[] = [];
  const mistakes: Diagnostic[] = [];
  for (const path of files.length > 0 ? files : programsBelow('.')) {
    const own = new Map<string, string>();
    try {
      const one = declare({ path, ...request }, place, own, options.check === true);
      if (one !== undefined) declared.push(one);
      else if (files.length > 0) mistakes.push(nothingExported(path));
    } catch (error) {
      const found = mistakesOf(error);
      if (found === undefined) throw error;
      mistakes.push(...found);
    }
    read(path, own.keys());
    for (const [source, text] of own) texts.set(source, text);
  }
  return { declared, mistakes };
}

async function report({ declared, mistakes }: Round, options: Options, texts: Map<string, string>): Promise<void> {
  const stale = options.check === true ? declared.filter(({ changed }) => changed).map(outOfDate) : [];
  if (mistakes.length + stale.length > 0) throw new DiagnosticsError([...mistakes, ...stale]);
  const warnings = declared.flatMap((one) => one.warnings);
  if (options.json === true) {
    const files = declared.map(({ program, path, changed }) => ({ program, path, changed }));
    print(JSON.stringify({ files, ...jsonWarnings(warnings, texts) }));
    return;
  }
  await printDiagnostics(warnings, texts);
  if (declared.length === 0) print('no programs that export anything');
  for (const { path, changed } of declared) print(`${printable(path)}: ${changed ? 'written' : 'up to date'}`);
}

/** Until the process is told to end. */
async function watch(files: readonly string[], options: Options): Promise<void> {
  const sources = new Map<string, ReadonlySet<string>>();
  const round = async (programs: readonly string[]): Promise<void> => {
    const texts = new Map<string, string>();
    try {
      const known = (program: string, read: Iterable<string>): void => {
        sources.set(program, new Set([program, ...read].map((path) => resolve(path))));
      };
      await report(await declareAll(programs, options, texts, known), options, texts);
    } catch (error) {
      await fail(error, { json: options.json === true, texts });
    }
  };
  // Programs, and what is beside them: an import that was missing may come.
  await watchPrograms(['.', ...files, ...parseProgram(options).roots], async (paths) => {
    const isNew = paths.some((one) => ![...sources.values()].some((read) => read.has(one)));
    const touched = [...sources].filter(([, read]) => isNew || paths.some((one) => read.has(one))).map(([program]) => program);
    // Whatever is new may be a program, or what a program could not import.
    if (files.length === 0 && (isNew || paths.some((one) => !existsSync(one)))) {
      sources.clear();
      await round([]);
    } else if (touched.length > 0) await round(touched);
  });
  await round(files);
}

const outOfDate = ({ program, path }: Declared): Diagnostic => ({
  code: 'out-of-date',
  message: `${path} is not what \`tfc types\` makes of ${program}`,
  hint: 'Run `tfc types`, and commit or build with what it writes.',
});

const nothingExported = (path: string): Diagnostic => ({
  code: 'unknown-entry',
  message: `${path} exports nothing that could be called`,
  span: { source: path, start: 0, end: 0 },
  hint: 'Write `export` before a function, or `export step name() { … }`. What other programs import needs no declarations.',
});
