// `tfc summary FILE [ENTRY]`: layers with their outputs, params and FLOPs; variables; what a run needs.

import type { Command } from 'commander';
import { Dim } from '../../base/index.js';
import { perform, print, printDiagnostics } from './command.js';
import { exportedOf } from './entries.js';
import { addProgramOptions, collect, parseProgram, parseSizes, type ProgramOptions } from './options.js';

interface Options extends ProgramOptions {
  readonly size: readonly string[];
  readonly json?: boolean;
}

export function addSummary(program: Command): void {
  addProgramOptions(
    program.command('summary').description('show the layers of a program, their shapes, params and FLOPs, and what a run needs'),
  )
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported function or step; default: all')
    .option('--size <Name=N>', 'value for a size that callers choose, such as B=32; may be repeated', collect, [])
    .option('--json', 'print one JSON object')
    .action((file: string, entry: string | undefined, options: Options) =>
      perform(options.json, (texts) => summarize(file, entry?.normalize(), options, texts)),
    );
}

async function summarize(file: string, named: string | undefined, options: Options, texts: Map<string, string>): Promise<void> {
  const sizes = new Map(Object.entries(parseSizes(options.size, '--size')).map(([name, value]) => [name, Dim.of(value)]));
  const { check } = await import('../build/front.js');
  const { toKernels } = await import('../build/pipeline.js');
  const { backendOf } = await import('../build/backends.js');
  const { targetFor } = await import('../build/target.js');
  const { summaryOf, summaryText } = await import('../report/summary.js');
  const { module, build, warnings } = check({ path: file, ...parseProgram(options) }, texts);
  await printDiagnostics(warnings, texts);
  const wanted = { ...module, entries: exportedOf(module, file, named) };
  const { output } = toKernels(targetFor('native', backendOf({}))).run(wanted, { build });
  const summary = summaryOf(wanted, output, build, texts);
  print(
    options.json === true
      ? JSON.stringify(summary, (_, value: unknown) => (value instanceof Dim ? value.substitute(sizes).toString() : value))
      : summaryText(summary, sizes),
  );
}
