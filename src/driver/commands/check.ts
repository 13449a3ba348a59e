// `tfc check FILE…`: names, types, sizes and derivatives, no code.

import type { Command } from 'commander';
import { type Diagnostic, DiagnosticsError, printable } from '../../base/index.js';
import { jsonWarnings } from '../mistakes.js';
import { print, printDiagnostics } from './command.js';
import { addProgramOptions, parseProgram, type ProgramOptions } from './options.js';
import { performWatched } from './watch.js';

interface Options extends ProgramOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function addCheck(commands: Command): void {
  addProgramOptions(commands.command('check').description('check programs without compiling them'))
    .argument('<file...>', 'programs (.tdsl)')
    .option('--watch', 'go on, and check again whatever changes')
    .option('--json', 'print one JSON object')
    .action((files: readonly string[], options: Options) =>
      performWatched(options, { files, roots: options.root }, async (texts) => {
        const { check } = await import('../build/front.js');
        const { differentiate, Pipeline, simplify, strip } = await import('../../passes/index.js');
        const program = parseProgram(options);
        const [mistakes, warnings]: [Diagnostic[], Diagnostic[]] = [[], []];
        const checked = new Map<string, readonly string[]>();
        for (const file of files) {
          try {
            const { module, build, open, warnings: own } = check({ path: file, ...program }, texts);
            // Missing derivatives are mistakes that only differentiation sees.
            Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build });
            checked.set(
              file,
              [...module.entries.filter((entry) => entry.kind !== 'init'), ...open].map((entry) => entry.name),
            );
            warnings.push(...own);
          } catch (error) {
            if (!(error instanceof DiagnosticsError)) throw error;
            mistakes.push(...error.diagnostics);
          }
        }
        if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
        if (options.json === true) {
          print(JSON.stringify({ ok: true, files: Object.fromEntries(checked), ...jsonWarnings(warnings, texts) }));
          return;
        }
        await printDiagnostics(warnings, texts);
        print(files.map((file) => `${printable(file)}: ok`).join('\n'));
      }),
    );
}
