// Kernels of programs and of graphs built by hand, for tests that look at them. In: a program's name, or nodes. Out: lowered entries, and
// what of them is asked most. Holds: for one fixed target.

import { join } from 'node:path';
import { check } from '../../src/driver/build/front.js';
import { toKernels } from '../../src/driver/build/pipeline.js';
import { bodyOf, type Buffer, expressionOrder, expressionsOf, forEachStatement, type Program, type Stmt } from '../../src/kernel/index.js';
import { bytesOfRows, type Lowered } from '../../src/lower/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import type { Target } from '../../src/target/index.js';
import { Make } from '../eval/make.js';
import { avx2 } from '../targets.js';
import { lowerEntry } from './lower-entry.js';

/** Vectors of 8 f32, whatever the machine that runs the tests. */
export const fixedTarget = avx2;

/** The entries of `test/programs/NAME.tdsl`. */
export function programOf(name: string): (entry: string) => Lowered {
  const { module, build } = check(
    { path: join(import.meta.dirname, '..', 'programs', `${name}.tdsl`), set: {}, open: undefined },
    new Map(),
  );
  const { entries } = toKernels(fixedTarget).run(module, { build }).output;
  return (wanted) => {
    const found = entries.find(({ program }) => program.entry === wanted);
    if (found === undefined) throw new Error(`${name} has no ${wanted}`);
    return found;
  };
}

/** One entry of the outputs and updates that `draw` gives. */
export function lowered(
  draw: (make: Make) => { readonly outputs?: readonly TensorNode[]; readonly updates?: Readonly<Record<string, TensorNode>> },
  target: Target = fixedTarget,
): Program {
  const make = new Make();
  const { outputs = [], updates = {} } = draw(make);
  return lowerEntry(make.entry(outputs, updates), make.variables, target, make.build);
}

export const temporaries = (program: Program): Buffer[] => program.buffers.filter(({ role }) => role.kind === 'temporary');

/** Statements of a kind anywhere in the program. */
export function statements<K extends Stmt['kind']>(program: Program, kind: K): Extract<Stmt, { kind: K }>[] {
  const found: Extract<Stmt, { kind: K }>[] = [];
  for (const kernel of program.kernels)
    forEachStatement(bodyOf(kernel), (stmt) => stmt.kind === kind && found.push(stmt as Extract<Stmt, { kind: K }>));
  return found;
}

/** How often the text of the kernels loads from `buffer`. */
export function loadsOf(program: Program, buffer: string): number {
  let count = 0;
  for (const kernel of program.kernels) {
    forEachStatement(bodyOf(kernel), (stmt) => {
      for (const expr of expressionOrder(expressionsOf(stmt))) if (expr.kind === 'load' && expr.buffer.name === buffer) count += 1;
    });
  }
  return count;
}

export interface ArenaUse {
  /** What the plan takes. */
  readonly planned: number;
  /** The most that is alive in one kernel: no plan can take less. */
  readonly needed: number;
}

export function arenaUse(program: Program, sizes: Readonly<Record<string, number>>): ArenaUse {
  const dims = new Map(Object.entries(sizes));
  const rounded = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const planned = program.arena.slots.reduce(
    (sum, { bytes }) => sum + rounded(Math.max(...bytes.map((dim) => dim.evaluate(dims) ?? NaN))),
    0,
  );
  const spans = new Map<string, { first: number; last: number; bytes: number }>();
  for (const [at, kernel] of program.kernels.entries()) {
    for (const buffer of kernel.buffers) {
      const { name, role } = buffer;
      if (role.kind !== 'temporary') continue;
      const bytes = bytesOfRows(buffer).evaluate(dims) ?? NaN;
      const known = spans.get(name);
      if (known === undefined) spans.set(name, { first: at, last: at, bytes: rounded(bytes) });
      else known.last = at;
    }
  }
  const alive = program.kernels.map((_, at) =>
    [...spans.values()].reduce((sum, { first, last, bytes }) => sum + (first <= at && at <= last ? bytes : 0), 0),
  );
  return { planned, needed: Math.max(0, ...alive) };
}
