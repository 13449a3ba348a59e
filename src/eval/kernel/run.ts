// Runs programs of kernel IR. In: a program, sizes, feeds and variables. Out: outputs, variables after the run, and counts per kernel.
// Holds: inputs are not changed; the first access that breaks a rule of the IR (see `compile.ts`) is an InternalError that shows its
// statement.

import type { Buffer, Program } from '../../kernel/index.js';
import type { TensorValue } from '../../ops/index.js';
import { bindSizes } from '../sizes.js';
import { compileKernel } from './compile.js';
import { type KernelTotals, totalCounts } from './counts.js';
import { type Memory, memoryOf, type Place, placesOf, sharedPlace, trouble, valueOf } from './memory.js';
import { KernelState } from './state.js';

export interface ProgramInputs {
  /** In the entry's order. */
  readonly feeds: readonly TensorValue[];
  /** All variables of the module, in its order; undefined: without a value. */
  readonly variables?: readonly (TensorValue | undefined)[];
  /** Sizes that the shapes of the feeds do not say. */
  readonly dims?: ReadonlyMap<string, number>;
}

export interface ProgramResult {
  readonly outputs: readonly TensorValue[];
  /** Of the inputs' order, those that the program stored with their new values. */
  readonly variables: readonly (TensorValue | undefined)[];
  /** 0, or what the program's checks say: then it ended behind them, outputs may be missing, and variables are what they were. */
  readonly status: number;
  /** By kernel name; empty when nothing is counted. */
  readonly counts: ReadonlyMap<string, KernelTotals>;
}

export interface RunOptions {
  /** Temporaries share the planned slots of one arena: using one after its slot went to another is an error. */
  readonly arena?: boolean;
  /** Whether kernels count what they do (default); small ones take half of the time without. */
  readonly counting?: boolean;
}

export function runProgram(program: Program, inputs: ProgramInputs, options: RunOptions = {}): ProgramResult {
  const dims = bindSizes(
    program.buffers.flatMap(({ role, name, shape }) => {
      const value = role.kind === 'feed' ? inputs.feeds[role.index] : role.kind === 'variable' ? inputs.variables?.[role.index] : undefined;
      return value === undefined ? [] : [{ what: name, shape, sizes: value.shape }];
    }),
    inputs.dims,
  );
  return prepareProgram(program, dims, options)(inputs);
}

/** What checks say. */
function statusIn(output: number, places: readonly Place[], memories: readonly Memory[]): number {
  const place = places.find(({ buffer: { role } }) => role.kind === 'output' && role.index === output);
  const memory = place === undefined ? undefined : memories[place.id];
  const value = place === undefined || memory === undefined ? undefined : valueOf(place, memory);
  if (value === undefined) throw trouble(`output ${output}, which has what checks say, was never written`);
  return Number(value.data[0]);
}

/** Compiles for one set of sizes; what it gives can be run many times. */
export function prepareProgram(
  program: Program,
  dims: ReadonlyMap<string, number>,
  options: RunOptions = {},
): (inputs: ProgramInputs) => ProgramResult {
  const places = placesOf(program, dims, options.arena === true);
  const all = [...places.values()];
  const distinct = all.filter((place, at) => all.findIndex((other) => other.id === place.id) === at);
  const share = (buffer: Buffer): Place => {
    const place = sharedPlace(buffer, distinct.length);
    distinct.push(place);
    all.push(place);
    return place;
  };
  const kernels = program.kernels.map((kernel) => ({ kernel, compiled: compileKernel(kernel, places, dims, share, options.counting) }));
  return ({ feeds, variables = [] }) => {
    const memories = distinct.map((place) => {
      const { role } = place.buffer;
      return memoryOf(place, role.kind === 'feed' ? feeds[role.index] : role.kind === 'variable' ? variables[role.index] : undefined);
    });
    const state = new KernelState(all, memories);
    const counts = new Map<string, KernelTotals>();
    const { check } = program;
    let status = 0;
    for (const [at, { kernel, compiled }] of kernels.entries()) {
      state.kernel += 1;
      const { times, bytesRead, bytesWritten } = compiled.run(state);
      if (options.counting !== false) counts.set(kernel.name, { ...totalCounts(compiled.statements, times), bytesRead, bytesWritten });
      if (at === check?.behind) status = statusIn(check.output, distinct, memories);
      if (status !== 0) break;
    }
    const outputs: TensorValue[] = [];
    const after = [...variables];
    for (const place of distinct) {
      const { role, name } = place.buffer;
      const memory = memories[place.id];
      if (memory === undefined || (role.kind !== 'variable' && role.kind !== 'output')) continue;
      const value = valueOf(place, memory);
      if (role.kind === 'variable') after[role.index] = value;
      else if (value === undefined && status !== 0) continue;
      else if (value === undefined) throw trouble(`the output ${name} was never written`);
      else outputs[role.index] = value;
    }
    return { outputs, variables: after, counts, status };
  };
}
