// The chain of oracles. In: a program, an entry, sizes. Out: nothing, or the first link that broke. Holds: graph interpreter = simplified
// graph ≈ kernel interpreter ≈ expanded kernels (in one arena) ≈ native code, where one thread and several give the same bits.

import { expect } from 'vitest';
import { isFloat, isInteger, isWide } from '../../src/base/index.js';
import type { Module, Session } from '../../src/driver/index.js';
import { compileHere } from '../compiled-here.js';
import { fromRuntime, toRuntime } from './agree.js';
import { check } from '../../src/driver/build/front.js';
import { lowering, machineFor } from '../../src/driver/build/pipeline.js';
import { hostTarget } from '../../codegen/llvm/index.js';
import { bindSizes, evaluateEntry, initialValues, type ProgramInputs, runProgram } from '../../src/eval/index.js';
import { type Entry, type GraphBuilder, type ModuleGraph, sourceOf, topological } from '../../src/graph/index.js';
import { verifyProgram } from '../../src/kernel/index.js';
import { expandScalars, type Lowered, vectorize } from '../../src/lower/index.js';
import type { Target } from '../../src/target/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { checks, differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';

export interface ChainCase {
  readonly entry: string;
  /** Values of the free sizes. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Ranks of open packs, for entries that have them. */
  readonly ranks?: Readonly<Record<string, number>>;
  readonly steps?: number;
  /** Bounds of random feeds by name; default -1 to 1, integers 0 to 9. */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  /** Relative tolerance between links that round to f32; default 2e-4. */
  readonly tolerance?: number;
  /** Elements are sums that cancel, so that they are as exact as the largest one. */
  readonly cancels?: boolean;
}

interface Links {
  readonly stripped: ModuleGraph;
  readonly simplified: ModuleGraph;
  readonly kernels: readonly Lowered[];
  readonly machine: readonly Lowered[];
}

interface Checked {
  readonly stripped: ModuleGraph;
  readonly build: GraphBuilder;
}

/** The meaning of a program, which every other form is made of. */
function meaningOf(path: string, one: ChainCase): Checked {
  const { module, build } = check({ path, set: {}, open: openOf(one) }, new Map());
  return { stripped: Pipeline.of(differentiate).then(strip).run(module, { build }).output, build };
}

/** The meaning of a program, and its kernels for a target of any kind. */
export function machineOf(path: string, one: ChainCase, target: Target): Pick<Links, 'stripped' | 'machine'> {
  const { stripped, build } = meaningOf(path, one);
  return { stripped, machine: simplifying.append(machineFor(target)).run(stripped, { build }).output.entries };
}

const simplifying = Pipeline.of(checks).then(simplify);

export const programOf = ({ machine }: Pick<Links, 'machine'>, entry: string): Lowered['program'] =>
  (machine.find(({ program }) => program.entry === entry) as Lowered).program;

const openOf = ({ entry, ranks }: ChainCase): Parameters<typeof check>[0]['open'] => (ranks === undefined ? undefined : { entry, ranks });

/** All forms of an entry, each made of the one before; native code is built from the text again. */
function linksOf({ stripped, build }: Checked, name: string): Links {
  const target = hostTarget();
  const alone = { ...stripped, entries: [entryOf(stripped, name)] };
  const simplified = simplifying.run(alone, { build }).output;
  const kernels = lowering(target).run(simplified, { build }).output.entries;
  const machine = kernels.map((lowered) => {
    const program = vectorize(expandScalars(lowered.program, target), target);
    verifyProgram(program, { pass: 'vectorize', expanded: true, vectorized: true });
    return { ...lowered, program };
  });
  return { stripped, simplified, kernels, machine };
}

/** Of the last program that was asked for, by entry: most have several cases. */
let latest: { readonly key: string; readonly meaning: Checked; readonly links: Map<string, Links> } | undefined;

function latestLinks(path: string, one: ChainCase): Links {
  const key = JSON.stringify([path, openOf(one)]);
  if (latest?.key !== key) latest = { key, meaning: meaningOf(path, one), links: new Map() };
  const links = latest.links.get(one.entry) ?? linksOf(latest.meaning, one.entry);
  latest.links.set(one.entry, links);
  return links;
}

type State = Map<string, TensorValue>;

export async function runChain(path: string, one: ChainCase): Promise<void> {
  const { dims = {}, steps = 2, tolerance = 2e-4 } = one;
  const links = latestLinks(path, one);
  const entry = entryOf(links.stripped, one.entry);
  const feeds = randomFeeds(entry, dims, one.ranges ?? {});
  const sizes = new Map(Object.entries(dims));
  const module = await compileHere(path);
  try {
    const initial = initialValues(links.stripped, 5n);
    const paths = links.stripped.variables.map((variable) => variable.path);
    const states: Record<'stripped' | 'simplified' | 'kernels' | 'machine', State> = {
      stripped: new Map(initial),
      simplified: new Map(initial),
      kernels: new Map(initial),
      machine: new Map(initial),
    };
    using alone = sessionWith(module, initial, 1);
    using together = sessionWith(module, initial, 3);
    for (let step = 0; step < steps; step++) {
      const meaning = graphStep(links.stripped, one.entry, feeds, states.stripped, sizes);
      const simple = graphStep(links.simplified, one.entry, feeds, states.simplified, sizes);
      same(`${one.entry}, step ${step}: simplify changed the meaning`, simple, meaning, isConstant(entry) ? 1e-6 : 1e-9);
      const kernels = kernelStep(links.kernels, entry, feeds, paths, states.kernels, sizes);
      same(`${one.entry}, step ${step}: lower changed the meaning`, kernels, simple, tolerance);
      const machine = kernelStep(links.machine, entry, feeds, paths, states.machine, sizes);
      same(`${one.entry}, step ${step}: expand changed the meaning`, machine, kernels, tolerance / 10);
      const native = nativeStep(alone, one.entry, entry, feeds);
      same(`${one.entry}, step ${step}: native code differs`, native, machine, tolerance);
      const threaded = nativeStep(together, one.entry, entry, feeds);
      for (const [name, value] of native) sameBits(`${name}: threads changed bits`, threaded.get(name)?.data, value.data);
    }
  } finally {
    module.close();
  }
}

/** What reads nothing is folded in the width of its dtype, as code would compute it, where the meaning rounds nothing. */
const isConstant = ({ outputs, updates }: Entry): boolean =>
  !topological([...outputs, ...updates].map(({ node }) => node)).some((node) => sourceOf(node) !== undefined);

/** Runs the program of an entry, which has this number, on another machine. */
export type ProgramRunner = (
  which: number,
  inputs: ProgramInputs & { readonly dims: ReadonlyMap<string, number> },
) => Pick<ReturnType<typeof runProgram>, 'outputs' | 'variables'>;

/** Kernels on another machine, step by step against the meaning. */
export function runMachine({ stripped, machine }: Pick<Links, 'stripped' | 'machine'>, one: ChainCase, run: ProgramRunner): void {
  const { dims = {}, steps = 2, tolerance = 2e-4 } = one;
  const entry = entryOf(stripped, one.entry);
  const feeds = randomFeeds(entry, dims, one.ranges ?? {});
  const sizes = new Map(Object.entries(dims));
  const paths = stripped.variables.map((variable) => variable.path);
  const initial = initialValues(stripped, 5n);
  const [meaningState, state] = [new Map(initial), new Map(initial)];
  for (let step = 0; step < steps; step++) {
    const meaning = graphStep(stripped, one.entry, feeds, meaningState, sizes);
    const found = kernelStep(machine, entry, feeds, paths, state, sizes, run);
    same(`${one.entry}, step ${step}: the machine differs`, found, meaning, tolerance, one.cancels === true ? 1 : leastOfLargest);
  }
}

type Results = ReadonlyMap<string, TensorValue>;

const entryOf = (module: ModuleGraph, name: string): Entry => module.entries.find((entry) => entry.name === name) as Entry;

function graphStep(module: ModuleGraph, name: string, feeds: State, state: State, dims: ReadonlyMap<string, number>): Results {
  const entry = entryOf(module, name);
  const { outputs, updates } = evaluateEntry(entry, { feeds, variables: state, dims });
  for (const [path, value] of updates) state.set(path, value);
  return new Map([
    ...entry.outputs.slice(0, entry.checks?.status).map((output, at) => [`output ${output.path}`, outputs[at] as TensorValue] as const),
    ...[...updates].map(([path, value]) => [`variable ${path}`, value] as const),
  ]);
}

function kernelStep(
  lowered: readonly Lowered[],
  entry: Entry,
  feeds: State,
  paths: readonly string[],
  state: State,
  dims: ReadonlyMap<string, number>,
  run: ProgramRunner = (which, inputs) => runProgram((lowered[which] as Lowered).program, inputs, { arena: true, counting: false }),
): Results {
  const which = lowered.findIndex((one) => one.program.entry === entry.name);
  const { program } = lowered[which] as Lowered;
  const feedsInOrder: TensorValue[] = [];
  for (const { role, name: buffer } of program.buffers) {
    if (role.kind === 'feed') feedsInOrder[role.index] = feeds.get(buffer.replace(/^in_/, '')) as TensorValue;
  }
  const result = run(which, { feeds: feedsInOrder, variables: paths.map((path) => state.get(path)), dims });
  const changed = entry.updates.map((update) => paths.indexOf(update.variable));
  for (const at of changed) {
    const value = result.variables[at];
    if (value !== undefined) state.set(paths[at] as string, value);
  }
  return new Map([
    ...result.outputs.slice(0, entry.outputs.length).map((value, at) => [`output ${entry.outputs[at]?.path}`, value] as const),
    ...changed.flatMap((at) => (result.variables[at] === undefined ? [] : [[`variable ${paths[at]}`, result.variables[at]] as const])),
  ]);
}

function sessionWith(module: Module, initial: State, threads: number): Session {
  const session = module.session({ threads, seed: 5 });
  for (const [path, value] of initial) {
    const own = session.get(path);
    same(`initial value of ${path}`, new Map([[path, fromRuntime(own, value.dtype)]]), new Map([[path, value]]), 1e-4);
    session.set(path, toRuntime(value));
  }
  return session;
}

function nativeStep(session: Session, name: string, entry: Entry, feeds: State): Results {
  const result = session.run(name, Object.fromEntries([...feeds].map(([feed, value]) => [feed, toRuntime(value)])));
  const results = new Map<string, TensorValue>();
  for (const { path, node } of entry.outputs) {
    let part: unknown = result;
    for (const key of path === '' ? [] : path.split('/')) part = (part as Record<string, unknown>)[key];
    results.set(`output ${path}`, fromRuntime(part, node.type.dtype));
  }
  for (const { variable, node } of entry.updates) results.set(`variable ${variable}`, fromRuntime(session.get(variable), node.type.dtype));
  return results;
}

function randomFeeds(entry: Entry, dims: Readonly<Record<string, number>>, ranges: ChainCase['ranges'] & object): State {
  const environment = bindSizes([], new Map(Object.entries(dims)));
  let seed = 12345;
  const uniform = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) / 0x7fffffff;
  return new Map(
    entry.feeds.map(({ name, type }) => {
      const shape = type.shape.map((dim) => dim.evaluate(environment) ?? 0);
      const count = shape.reduce((product, size) => product * size, 1);
      const [low, high] = ranges[name] ?? (isFloat(type.dtype) ? [-1, 1] : type.dtype === 'bool' ? [0, 1] : [0, 9]);
      const element = (): number =>
        isFloat(type.dtype) ? Math.fround(low + (high - low) * uniform()) : Math.floor(low + (high - low + 1) * uniform() * 0.999999);
      return [
        name,
        tensorValue(
          type.dtype,
          shape,
          Array.from({ length: count }, () => (isWide(type.dtype) ? BigInt(element()) : element())),
        ),
      ];
    }),
  );
}

/** An element at a time: `toEqual` takes longer than what is tested. */
function sameBits(what: string, actual: TensorValue['data'] | undefined, expected: TensorValue['data']): void {
  if (actual?.length !== expected.length || expected.some((one, at) => !Object.is(one, actual[at]))) expect(actual, what).toEqual(expected);
}

/** What an element is taken for at least, as a part of the largest one. */
const leastOfLargest = 0.01;

function same(what: string, actual: Results, expected: Results, tolerance: number, least = leastOfLargest): void {
  for (const [name, value] of expected) {
    const found = actual.get(name);
    expect(found?.shape, `${what}: ${name}`).toEqual(value.shape);
    // Errors of f32 arithmetic are relative to the largest element: sums of products cancel.
    const scale = [...value.data].reduce<number>(
      (most, one) => Math.max(most, Number.isFinite(Number(one)) ? Math.abs(Number(one)) : 0),
      0,
    );
    for (const [at, one] of value.data.entries()) {
      const [a, b] = [Number(found?.data[at]), Number(one)];
      if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
      const allowed =
        isInteger(value.dtype) || value.dtype === 'bool'
          ? 0
          : tolerance *
            (value.dtype === 'f64' ? 1e-5 : 1) *
            Math.max(Math.abs(b), least * scale, 1e-3 * (value.dtype === 'f64' ? 1e-3 : 1));
      if (!(Math.abs(a - b) <= allowed)) expect.fail(`${what}: ${name}[${at}] is ${a}, expected ${b}`);
    }
  }
}
