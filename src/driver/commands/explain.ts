// `tfc explain FILE`: kernels with instances, source lines, bytes and FLOPs, the arena, why neighbours stayed apart, and sums.

import type { Command } from 'commander';
import type { Target } from '../../target/index.js';
import type { BuildRequest } from '../build/request.js';
import { perform, print, printDiagnostics } from './command.js';
import { addProgramOptions, cpuOption, deviceOf, parseProgram, targetOption, type ProgramOptions } from './options.js';

interface Options extends ProgramOptions {
  readonly cpu: string;
  readonly target: Target['kind'];
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
        const { targetOf } = await import('../build/target.js');
        const request: BuildRequest = { path: file, ...parseProgram(options), cpu: options.cpu, ...deviceOf(options) };
        const { module, build, warnings } = check(request, texts);
        await printDiagnostics(warnings, texts);
        const { output } = toKernels(targetOf(request)).run(module, { build });
        print(options.json === true ? JSON.stringify(explain(output, build, texts)) : explainText(output, build, texts));
      }),
    );
}
