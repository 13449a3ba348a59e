// `tfc explain FILE`: kernels with instances, source lines, bytes and FLOPs, the arena, why neighbours stayed apart, and sums.

import type { Command } from 'commander';
import { perform, print, printDiagnostics } from './command.js';
import { addProgramOptions, cpuOption, parseProgram, targetOption, type ProgramOptions } from './options.js';

interface Options extends ProgramOptions {
  readonly cpu: string;
  readonly target: 'cpu' | 'cuda';
  readonly json?: boolean;
}

export function addExplain(program: Command): void {
  addProgramOptions(
    program
      .command('explain')
      .description(
        'show the kernels that a program becomes, by instances and source lines, what they cost, and why neighbours were not fused',
      ),
  )
    .argument('<file>', 'program (.tdsl)')
    .addOption(cpuOption())
    .addOption(targetOption('cpu, or cuda: an NVIDIA GPU'))
    .option('--json', 'print one JSON array')
    .action((file: string, options: Options) =>
      perform(options.json, async (texts) => {
        const { check } = await import('../build/front.js');
        const { explain, explainText } = await import('../report/explain.js');
        const { toKernels } = await import('../build/pipeline.js');
        const { backendOf } = await import('../build/backends.js');
        const { targetFor } = await import('../build/target.js');
        const { cudaTarget } = await import('../../target/index.js');
        const { module, build, warnings } = check({ path: file, ...parseProgram(options) }, texts);
        await printDiagnostics(warnings, texts);
        const target = options.target === 'cuda' ? cudaTarget() : targetFor(options.cpu, backendOf({}));
        const { output } = toKernels(target).run(module, { build });
        print(options.json === true ? JSON.stringify(explain(output, build, texts)) : explainText(output, build, texts));
      }),
    );
}
