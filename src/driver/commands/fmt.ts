// `tfc fmt [FILE…]`: programs in their canonical form.

import type { Command } from 'commander';
import { parse, print as printProgram, type SyntaxProblem } from '../../../grammar/index.js';
import { writeFiles, writeFully } from '../../../runtime/atomic-file.js';
import { type Diagnostic, DiagnosticsError, InternalError, printable } from '../../base/index.js';
import { readText } from '../../input/files.js';
import { decodeUtf8 } from '../../input/utf8.js';
import { mistakesOf } from '../mistakes.js';
import { perform, print } from './command.js';
import { UsageError } from './options.js';

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

/** What stands for standard input. */
const standardInput = '-';

export function addFmt(commands: Command): void {
  commands
    .command('fmt')
    .description('write programs in their canonical form; comments stay where they belong')
    .argument('[file...]', 'programs (.tdsl), or - for standard input; default: all below the working directory, but for node_modules')
    .option('--check', 'write nothing; end with 1 when a file is written otherwise')
    .option('--json', 'print one JSON object')
    .action((files: readonly string[], options: Options) =>
      perform(options.json, async (texts) => {
        if (files.includes(standardInput)) await filter(files, options, texts);
        else await formatAll(files, options, texts);
      }),
    );
}

/** Standard input to standard output, as editors want it. */
async function filter(files: readonly string[], options: Options, texts: Map<string, string>): Promise<void> {
  if (files.length > 1) throw new UsageError('- is standard input, and stands alone');
  if (options.json === true) throw new UsageError('with - the program itself is printed: take --json or -, not both');
  const name = 'standard input';
  const { takeAll } = await import('../../train/data/standard-input.js');
  const text = decodeUtf8(name, takeAll(0));
  texts.set(name, text);
  const formatted = format(name, text);
  if (options.check !== true) process.stdout.write(formatted);
  else if (formatted !== text) throw new DiagnosticsError([otherwise(name)]);
}

/** Files with mistakes stay as they are, and keep no other from being written. */
async function formatAll(files: readonly string[], options: Options, texts: Map<string, string>): Promise<void> {
  const { programsBelow } = await import('../types/files.js');
  const mistakes: Diagnostic[] = [];
  const results: { readonly path: string; readonly changed: boolean }[] = [];
  for (const path of files.length > 0 ? files : programsBelow('.')) {
    try {
      const text = readText(path);
      texts.set(path, text);
      const formatted = format(path, text);
      const changed = formatted !== text;
      if (changed && options.check === true) mistakes.push(otherwise(path));
      else if (changed) writeFiles([{ path, write: (file) => writeFully(file, Buffer.from(formatted)) }]);
      results.push({ path, changed });
    } catch (error) {
      const found = mistakesOf(error);
      if (found === undefined) throw error;
      mistakes.push(...found);
    }
  }
  if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
  if (options.json === true) print(JSON.stringify({ files: results }));
  else if (results.length === 0) print('no programs here');
  else print(results.map(({ path, changed }) => `${printable(path)}: ${changed ? 'written' : 'as it was'}`).join('\n'));
}

/** The canonical text of a program. Errors: syntax-error. */
function format(path: string, text: string): string {
  const { program, problems } = parse(text, path);
  if (problems.length > 0)
    throw new DiagnosticsError(problems.map(({ message, span, hint }): Diagnostic => ({ code: 'syntax-error', message, span, hint })));
  const formatted = printProgram(program);
  // Nothing is worth losing a program: what was printed has to be the same one.
  const again = parse(formatted, path);
  const beyond = again.problems.find(({ limit }) => limit);
  if (beyond !== undefined) throw new DiagnosticsError([notReadAgain(path, beyond)]);
  const isSame =
    again.problems.length === 0 && again.program.comments.length === program.comments.length && printProgram(again.program) === formatted;
  if (!isSame) throw new InternalError('fmt', `${path} would be another program in its canonical form; it was left as it is`);
  return formatted;
}

/** The canonical form is longer than what was written, and has parentheses of its own. */
const notReadAgain = (path: string, { message, hint }: SyntaxProblem): Diagnostic => ({
  code: 'too-large',
  message: `the canonical form of ${printable(path)} could not be read again: ${message}`,
  hint,
});

const otherwise = (path: string): Diagnostic => ({
  code: 'not-formatted',
  message: `${printable(path)} is not written in the canonical form`,
  hint: '`tfc fmt` writes it so',
});
