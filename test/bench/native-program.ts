// C programs of the bench. In: a file in `marks`, a CPU. Out: the path of its executable. Holds: clang is preferred; an executable is built
// again when a source or the compiler changes.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { at, scratch } from './place.js';

export interface Compiler {
  readonly program: string;
  readonly version: string;
}

/** The first C compiler there is. */
export function findCompiler(): Compiler | undefined {
  for (const program of ['clang-19', 'clang', 'cc']) {
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { program, version: stdout.split('\n')[0] ?? program };
  }
  return undefined;
}

/** Throws an Error with the compiler's messages. */
export function buildProgram(compiler: Compiler, name: string, cpu: string): string {
  const marks = at('test', 'bench', 'marks');
  const hash = createHash('sha256').update(compiler.version).update(cpu);
  for (const file of readdirSync(marks).sort()) hash.update(file).update(readFileSync(at('test', 'bench', 'marks', file)));
  const program = scratch('marks', `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(scratch('marks'), { recursive: true });
  const { status, stderr } = spawnSync(
    compiler.program,
    [
      '-std=c11',
      '-O3',
      `-march=${cpu}`,
      '-ffp-contract=fast',
      '-o',
      program,
      at('test', 'bench', 'marks', `${name}.c`),
      '-lpthread',
      '-lm',
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${compiler.program} could not build ${name}.c: ${stderr}`);
  return program;
}
