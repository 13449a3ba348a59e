// Stages of the way as text. In: a request and a level. Out: what `--emit` and `--dump-after` print.

import { compilePrograms, hostTarget } from '../../codegen/llvm/index.js';
import { DiagnosticsError, InternalError } from '../base/index.js';
import { printModule } from '../graph/index.js';
import { printProgram } from '../loop/index.js';
import { differentiate, Pipeline, simplify, strip } from '../passes/index.js';
import { explainText } from './explain.js';
import { check } from './front.js';
import { manifestOf } from './manifest.js';
import { programsOf, toKernels, toMachine } from './pipeline.js';
import type { BuildRequest } from './request.js';
import { version } from './version.js';

/** In the order of the way: as checked; simplified; groups of fused ops; kernel IR; LLVM's IR before its passes; assembly. */
export const emitLevels = ['graph', 'simplified', 'fused', 'kernels', 'llvm', 'asm'] as const;
export type EmitLevel = (typeof emitLevels)[number];

export interface EmitRequest {
  readonly level?: EmitLevel | undefined;
  readonly dumpAfter?: string | undefined;
}

export function emit(request: BuildRequest, { level, dumpAfter }: EmitRequest, texts: Map<string, string>): string {
  const { module, build, open } = check(request, texts);
  const target = hostTarget(request.cpu);
  if (dumpAfter !== undefined) {
    const pipeline = toMachine(target);
    const known = pipeline.passes.map((pass) => pass.name);
    if (!known.includes(dumpAfter)) throw new DiagnosticsError([{ code: 'invalid-value', message: `there is no pass ${JSON.stringify(dumpAfter)}`, hint: `Passes in order: ${known.join(', ')}.` }]);
    let dumped = '';
    pipeline.run(module, { build, dumpAfter: new Set([dumpAfter]), dump: (_, text) => (dumped += text) });
    return dumped;
  }
  switch (level) {
    case undefined:
    case 'graph':
      return printModule(module);
    case 'simplified':
      return printModule(Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build }).output);
    case 'fused':
      return explainText(toKernels(target).run(module, { build }).output, texts);
    case 'kernels':
      return programsOf(toKernels(target).run(module, { build }).output)
        .map((program) => printProgram(program))
        .join('\n\n');
    case 'llvm':
    case 'asm': {
      const { output } = toMachine(target).run(module, { build });
      const compiled = compilePrograms({ programs: programsOf(output), manifest: JSON.stringify(manifestOf(output.module, open, target, version())), target, emit: level });
      if (compiled.kind !== 'text') throw new InternalError('emit', `${level} is no text`);
      return compiled.text;
    }
  }
}
