// A program compiled and opened for a command. In: its path and options. Out: a module; warnings, and which stage runs, are on standard
// error.

import type { Module } from '../../../runtime/index.js';
import type { Diagnostic } from '../../base/index.js';
import type { Texts } from '../../../grammar/places.js';
import { isWatched, printDiagnostics, warn } from './command.js';
import { type DeviceName, parseProgram, type ProgramOptions } from './options.js';

export async function openProgram(
  file: string,
  options: ProgramOptions & { readonly cpu: string; readonly device?: DeviceName; readonly json?: boolean },
): Promise<Module> {
  const { compileWith } = await import('../api/compile.js');
  const warnings: Diagnostic[] = [];
  let texts: Texts = new Map();
  const onWarning = (warning: Diagnostic, of: Texts): void => {
    warnings.push(warning);
    texts = of;
  };
  const module = await compileWith(
    file,
    { ...parseProgram(options), cpu: options.cpu, target: (options.device ?? 'cpu') === 'cpu' ? 'cpu' : 'cuda', onWarning },
    { warn, watched: isWatched(options.json) },
  );
  await printDiagnostics(warnings, texts);
  return module;
}
