// `tfc explain FILE`: kernels, source lines, bytes, FLOPs, arena, and why neighbours stayed apart.

import type { Command } from 'commander';
import { perform, print } from './command.js';
import { collect, parseSet } from './options.js';

interface Options {
  readonly set: readonly string[];
  readonly cpu: string;
  readonly json?: boolean;
}

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('show the kernels that a program becomes, what they cost, and why neighbours were not fused')
    .argument('<file>', 'program (.tdsl)')
    .option('--set <Name=N>', 'value for a dim; may be repeated', collect, [])
    .option('--cpu <name>', "LLVM's name of the CPU to compile for", 'native')
    .option('--json', 'print one JSON array')
    .action((file: string, options: Options) =>
      perform(options.json, async (texts) => {
        const { check } = await import('../front.js');
        const { explain, explainText } = await import('../explain.js');
        const { toKernels } = await import('../pipeline.js');
        const { targetFor } = await import('../target.js');
        const { module, build } = check({ path: file, set: parseSet(options.set) }, texts);
        const { output } = toKernels(targetFor(options.cpu)).run(module, { build });
        print(options.json === true ? JSON.stringify(explain(output, texts)) : explainText(output, texts));
      }),
    );
}
