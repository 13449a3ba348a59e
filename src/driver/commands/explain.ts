// `tfc explain FILE`: kernels, source lines, bytes, FLOPs, arena, and why neighbours stayed apart.

import type { Command } from 'commander';
import { hostTarget } from '../../../codegen/llvm/index.js';
import { explain, explainText } from '../explain.js';
import { check } from '../front.js';
import { toKernels } from '../pipeline.js';
import { collect, parseSet, perform, print } from './command.js';

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
    .action(async (file: string, options: Options) => {
      const texts = new Map<string, string>();
      process.exitCode = await perform({ json: options.json === true, texts }, () => {
        const { module, build } = check({ path: file, set: parseSet(options.set) }, texts);
        const { output } = toKernels(hostTarget(options.cpu)).run(module, { build });
        print(options.json === true ? JSON.stringify(explain(output, texts)) : explainText(output, texts));
      });
    });
}
