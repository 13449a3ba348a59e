// Stages of the way as text. In: a request and a level, or a pass. Out: what `--emit` and `--dump-after` print.

import { type Diagnostic, DiagnosticsError } from '../../base/index.js';
import { type ModuleGraph, printModule } from '../../graph/index.js';
import type { Pipeline, RunOptions } from '../../passes/index.js';
import { backendOf, deviceBackendOf } from './backends.js';
import { check, type Checked } from './front.js';
import { deviceCodes } from './device.js';
import type { StageLevel } from './levels.js';
import { manifestOf } from './manifest.js';
import { version } from '../package.js';
import { programsOf, toFused, toKernels, toMachine, toSimplified } from './pipeline.js';
import type { BuildRequest } from './request.js';
import { targetOf } from './target.js';
import { type Begin, codeGeneration, unwatched } from './watch-stages.js';

/** A stage's text, and what the program was warned of. */
export interface Emitted {
  readonly text: string;
  readonly warnings: readonly Diagnostic[];
}

/** `level`: one of `levelsOf` the request's back end; `begin` is told of every stage. */
export function emit(request: BuildRequest, level: string, texts: Map<string, string>, begin: Begin = unwatched): Emitted {
  begin('check');
  const checked = check(request, texts);
  return { text: stageText(checked, request, level, begin), warnings: checked.warnings };
}

function stageText({ module, build, open }: Checked, request: BuildRequest, level: string, begin: Begin): string {
  if (level === 'graph') return printModule(module);
  const backend = backendOf(request);
  const [device, target] = [deviceBackendOf(request), targetOf(request)];
  const after = <T>(pass: string, pipeline: Pipeline<ModuleGraph, T>): string => textAfter(pass, pipeline, module, { build, begin });
  switch (level as StageLevel) {
    case 'simplified':
      return after('simplify', toSimplified());
    case 'fused':
      return after('order', toFused(target));
    case 'scheduled':
      return after('schedule', toKernels(target));
    case 'kernels':
      return after('plan-memory', toKernels(target));
    default: {
      if (device !== undefined) {
        const { output } = toSimplified().run(module, { build, begin });
        begin(codeGeneration);
        return deviceCodes(device, output, build)
          .map(({ text }) => text)
          .join('\n');
      }
      const { output } = toMachine(target, backend.passes).run(module, { build, begin });
      const manifest = JSON.stringify(manifestOf(output.module, open, target, version()));
      begin(codeGeneration);
      return backend.print({ programs: programsOf(output), manifest, target }, level);
    }
  }
}

/** What the pass of this name makes. Errors: invalid-value for a name that no pass has. */
export function dumpAfter(request: BuildRequest, pass: string, texts: Map<string, string>, begin: Begin = unwatched): Emitted {
  begin('check');
  const { module, build, warnings } = check(request, texts);
  const pipeline = toMachine(targetOf(request), deviceBackendOf(request) === undefined ? backendOf(request).passes : []);
  const known = pipeline.passes.map((one) => one.name);
  if (!known.includes(pass))
    throw new DiagnosticsError([
      { code: 'invalid-value', message: `there is no pass ${JSON.stringify(pass)}`, hint: `Passes in order: ${known.join(', ')}.` },
    ]);
  return { text: textAfter(pass, pipeline, module, { build, begin }), warnings };
}

/** What a pass of the pipeline makes, as text. */
function textAfter<T>(pass: string, pipeline: Pipeline<ModuleGraph, T>, module: ModuleGraph, options: RunOptions): string {
  let text = '';
  pipeline.run(module, { ...options, dumpAfter: new Set([pass]), dump: (_, dumped) => (text = dumped) });
  return text;
}
