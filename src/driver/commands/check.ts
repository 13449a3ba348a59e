// `tfc check FILE…`: names, types, sizes and derivatives, no code.

import type { Command } from 'commander';
import { DiagnosticsError, type Diagnostic } from '../../base/index.js';
import { perform, print } from './command.js';
import { collect, parseSet } from './options.js';

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
    .action((files: readonly string[], options: Options) =>
      perform(options.json, async (texts) => {
        const { check } = await import('../front.js');
        const { differentiate, Pipeline, simplify, strip } = await import('../../passes/index.js');
        const set = parseSet(options.set);
        const mistakes: Diagnostic[] = [];
        const checked: Record<string, readonly string[]> = {};
        for (const file of files) {
          try {
            const { module, build, open } = check({ path: file, set }, texts);
            // Missing derivatives are mistakes that only differentiation sees.
            Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build });
            checked[file] = [...module.entries.filter((entry) => entry.kind !== 'init'), ...open].map((entry) => entry.name);
          } catch (error) {
            if (!(error instanceof DiagnosticsError)) throw error;
            mistakes.push(...error.diagnostics);
          }
        }
        if (mistakes.length > 0) throw new DiagnosticsError(mistakes);
        print(options.json === true ? JSON.stringify({ ok: true, files: checked }) : files.map((file) => `${file}: ok`).join('\n'));
      }),
    );
}
