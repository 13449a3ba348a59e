// `tfc check FILE…`: names, types, sizes and derivatives, no code.

import type { Command } from 'commander';
import { DiagnosticsError, type Diagnostic } from '../../base/index.js';
import { differentiate, Pipeline, simplify, strip } from '../../passes/index.js';
import { check } from '../front.js';
import { collect, parseSet, perform, print } from './command.js';

interface Options {
  readonly set: readonly string[];
  readonly json?: boolean;
}

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check programs without compiling them')
    .argument('<file...>', 'programs (.tdsl)')
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--json', 'print one JSON object')
    .action(async (files: readonly string[], options: Options) => {
      const texts = new Map<string, string>();
      process.exitCode = await perform({ json: options.json === true, texts }, () => {
        const set = parseSet(options.set);
        const mistakes: Diagnostic[] = [];
        const entries: Record<string, readonly string[]> = {};
        for (const file of files) {
          try {
            const { module, build } = check({ path: file, set }, texts);
            // Missing derivatives are mistakes that only differentiation sees.
            Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build });
            entries[file] = module.entries.filter((entry) => entry.kind !== 'init').map((entry) => entry.name);
          } catch (error) {
            if (!(error instanceof DiagnosticsError)) throw error;
            mistakes.push(...error.diagnostics);
          }
        }
        if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
        print(options.json === true ? JSON.stringify({ ok: true, files: entries }) : files.map((file) => `${file}: ok`).join('\n'));
      });
    });
}
