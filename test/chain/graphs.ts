// The chain of oracles for entries that are built by hand or at random. In: entries, values, sizes, a target. Out: the first link that
// broke, as text.
// Holds: graph interpreter = simplified graph (where asked) ≈ kernel interpreter (all accesses checked, in one arena) ≈ the same after
// expansion ≈ native code, where threads change no bit; all entries of a batch are one artifact, so that the optimizer and the linker are
// paid once.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildArtifact, hostTarget } from '../../codegen/llvm/index.js';
import { type DType, isFloat } from '../../src/base/index.js';
import { manifestOf } from '../../src/driver/build/manifest.js';
import { evaluateEntry, prepareProgram } from '../../src/eval/index.js';
import {
  type Entry,
  type ModuleGraph,
  printEntry,
  type TensorNode,
  type TensorType,
  type Variable,
  verifyModule,
} from '../../src/graph/index.js';
import { type Program, printProgram, verifyProgram } from '../../src/kernel/index.js';
import type { CpuTarget, Target } from '../../src/target/index.js';
import { expandScalars, vectorize } from '../../src/lower/index.js';
import type { TensorValue } from '../../src/ops/index.js';
import { checks, differentiate, simplify, strip } from '../../src/passes/index.js';
import { type Module, openModule, type Session } from '../../runtime/index.js';
import { Make, type Size } from '../eval/make.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { movements } from './conditioning.js';
import { difference, fromRuntime, type Results, toRuntime } from './agree.js';

export type Sizes = Readonly<Record<string, number>>;

/** Entries of one batch share a module, so their variables need names of their own. */
export class CaseMake extends Make {
  readonly prefix: string;

  constructor(prefix: string) {
    super();
    this.prefix = prefix;
  }

  override variable(path: string, shape: readonly Size[], dtype: DType = 'f32', initial?: TensorNode): TensorNode {
    return super.variable(`${this.prefix}.${path}`, shape, dtype, initial);
  }
}

export interface GraphCase {
  /** Unique in its batch. */
  readonly name: string;
  readonly make: Pick<CaseMake, 'build' | 'prefix'> & { readonly variables: readonly Variable[] };
  readonly entry: Entry;
  /** Sizes to run with, one after the other. */
  readonly sizes: readonly Sizes[];
  /** A value for a feed, by name, or a variable, by its path without the prefix. */
  value(name: string, type: TensorType, shape: readonly number[]): TensorValue;
  /** What variables start with, by path; else `value` says it. */
  readonly initial?: ReadonlyMap<string, TensorValue>;
  /** Relative tolerance; 0 where arithmetic is exact. Default by dtype. */
  tolerance?(result: string, dtype: DType): number;
  /** How far kernels may lie from the meaning, which rounds nothing; default `tolerance`. */
  meaningTolerance?(result: string, dtype: DType): number;
  /**
   * Half a unit in the last place of the dtype that is computed in. Where results differ by more than the tolerance, what roundings of that
   * size of the inputs move is allowed as well: an ill-conditioned program has no closer value in its dtype.
   */
  readonly unit?: number;
  readonly simplified?: boolean;
  /** Compares native code with the meaning itself: the interpreter of kernels adds the lanes of a sum one after the other. */
  readonly onlyNative?: boolean;
  /** Outputs that mean the same, by position: compared where meaning is computed. */
  readonly equal?: readonly [number, number];
  /** How often the entry runs on what it left behind; default 2 when it updates variables. */
  readonly steps?: number;
}

export const usualTolerance = (_: string, dtype: DType): number =>
  dtype === 'f64' ? 1e-11 : dtype === 'f16' ? 4e-3 : dtype === 'bf16' ? 3e-2 : 2e-5;

/** Processors to compile for: this one, and older ones whose code it runs. */
export function runnableTargets(): string[] {
  const { vectorBytes, triple } = hostTarget();
  return ['native', ...(vectorBytes > 32 ? ['x86-64-v3'] : []), ...(triple.startsWith('x86_64') ? ['x86-64'] : [])];
}

interface Lowered {
  readonly one: GraphCase;
  readonly simple: Entry;
  readonly kernels: Program;
  readonly machine: Program;
}

/** What went wrong with one case, for people. */
export interface Break {
  readonly name: string;
  readonly text: string;
}

type KernelRun = ReturnType<typeof prepareProgram>;
/** Runs a program on another machine: that of this number, at these sizes. */
export type Device = (
  which: number,
  dims: ReadonlyMap<string, number>,
) => (...inputs: Parameters<KernelRun>) => Pick<ReturnType<KernelRun>, 'outputs' | 'variables'>;

export interface ChainOptions {
  readonly target?: Target;
  /** What kernels of machine ops are run by behind the interpreters. */
  readonly device?: (programs: readonly Program[]) => Device;
  /** Without, kernels are interpreted only. */
  readonly native?: boolean;
  /** Stacks, graphs and kernels with what broke. */
  readonly explain?: boolean;
  /** Interprets kernels before expansion only where those after it differ from the meaning, to say which link broke. */
  readonly ends?: boolean;
  /** LLVM cleans nothing up and generates code the fast way: what tfc emits is the same. */
  readonly quick?: boolean;
}

/** Runs every case through the chain. */
export function runGraphs(cases: readonly GraphCase[], options: ChainOptions = {}): Break[] {
  const { target = hostTarget(), native = true, explain = false, ends = false, quick = false } = options;
  const breaks: Break[] = [];
  const variables = cases.flatMap(({ make }) => make.variables);
  const lowered: Lowered[] = [];
  const attempt = (one: GraphCase, work: () => string | undefined, more: () => string = () => ''): boolean => {
    let text: string | undefined;
    try {
      text = work();
    } catch (error) {
      text = error instanceof Error ? (explain ? (error.stack ?? error.message) : error.message) : String(error);
    }
    if (text !== undefined) breaks.push({ name: one.name, text: explain ? `${text}\n${printEntry(one.entry)}\n${more()}` : text });
    return text === undefined;
  };
  for (const one of cases) {
    attempt(one, () => {
      lowered.push(lowerCase(one, variables, target));
      return undefined;
    });
  }
  using compiled = native && target.kind === 'cpu' ? new Compiled(lowered, variables, target, quick) : undefined;
  const device = options.device?.(lowered.map(({ machine }) => machine));
  for (const [which, item] of lowered.entries()) {
    for (const sizes of item.one.sizes) {
      const good = attempt(
        item.one,
        () => (ends ? runEnds : runCase)(item, variables, sizes, { compiled, device: device?.(which, new Map(Object.entries(sizes))) }),
        () => printProgram(item.kernels),
      );
      if (!good) break;
    }
  }
  return breaks;
}

function lowerCase(one: GraphCase, variables: readonly Variable[], target: Target): Lowered {
  const { build } = one.make;
  const module: ModuleGraph = { path: 'graphs.tdsl', variables: one.make.variables, entries: [one.entry] };
  verifyModule(module, { pass: 'the test' });
  const context = { build, report: () => undefined, note: () => undefined };
  const plain = checks.run(strip.run(differentiate.run(module, context), context), context);
  const [simple] = (one.simplified === true ? simplify.run(plain, context) : plain).entries;
  const program = lowerEntry(simple as Entry, variables, target, build);
  const machine = vectorize(expandScalars(program, target), target);
  verifyProgram(machine, { pass: 'vectorize', expanded: true, vectorized: true });
  return { one, simple: simple as Entry, kernels: program, machine };
}

/** One artifact of all entries, and a session per number of threads. */
class Compiled {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tfc-graphs-'));
  readonly #module: Module;
  readonly sessions: readonly Session[];

  constructor(lowered: readonly Lowered[], variables: readonly Variable[], target: CpuTarget, quick: boolean) {
    const module: ModuleGraph = {
      path: 'graphs.tdsl',
      variables,
      entries: lowered.map(({ simple, one }) => ({ ...simple, name: one.name })),
    };
    const programs = lowered.map(({ machine, one }) => ({ ...machine, entry: one.name }));
    const outPath = join(this.#folder, 'graphs.so');
    const manifest = JSON.stringify(manifestOf(module, [], target, '0'));
    writeFileSync(outPath, buildArtifact({ programs, manifest, target, quick }).library);
    this.#module = openModule(outPath);
    this.sessions = [1, 3].map((threads) => this.#module.session({ threads, initialize: false }));
  }

  [Symbol.dispose](): void {
    for (const session of this.sessions) session.close();
    this.#module.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

type Link = 'lower' | 'expand';

/** What runs a case behind the interpreters. */
interface Machines {
  readonly compiled: Compiled | undefined;
  readonly device: ReturnType<Device> | undefined;
}

/** The last link of kernels alone, held to the meaning as closely as to the link before; all of them when that breaks. */
function runEnds(item: Lowered, variables: readonly Variable[], sizes: Sizes, machines: Machines): string | undefined {
  const all = (): string | undefined => runCase(item, variables, sizes, machines);
  if (item.one.meaningTolerance !== undefined || item.one.onlyNative === true) return all();
  try {
    if (runCase(item, variables, sizes, machines, ['expand']) === undefined) return undefined;
  } catch {
    // Said again with the link that it is about.
  }
  return all();
}

function runCase(
  { one, simple, kernels, machine }: Lowered,
  variables: readonly Variable[],
  sizes: Sizes,
  { compiled, device }: Machines,
  links: readonly Link[] = one.onlyNative === true ? [] : ['lower', 'expand'],
): string | undefined {
  const { entry, make, tolerance = usualTolerance, meaningTolerance = tolerance } = one;
  const dims = new Map(Object.entries(sizes));
  const valueOf = (name: string, type: TensorType): TensorValue =>
    one.value(
      name,
      type,
      type.shape.map((dim) => dim.evaluate(dims) ?? NaN),
    );
  const feeds = new Map(entry.feeds.map((feed) => [feed.name, valueOf(feed.name, feed.type)]));
  const initial = one.initial ?? new Map(make.variables.map(({ path, type }) => [path, valueOf(path.slice(make.prefix.length + 1), type)]));
  const prepared = links.map((link) => prepareProgram(link === 'lower' ? kernels : machine, dims, { arena: true, counting: false }));
  const states = [0, 1, 2, 3, 4].map(() => new Map(initial));
  for (const session of compiled?.sessions ?? []) for (const [path, value] of initial) session.set(path, toRuntime(value));
  const updated = new Set(entry.updates.map((update) => update.variable));
  for (let step = 0; step < (one.steps ?? (updated.size > 0 ? 2 : 1)); step++) {
    const at = `at ${JSON.stringify(sizes)}, step ${step}`;
    const meaning = graphStep(entry, feeds, states[0] as Map<string, TensorValue>, dims);
    if (one.equal !== undefined) {
      const alone = (output: number): Results => new Map([['equal outputs', meaning.get(`output ${output}`) as TensorValue]]);
      const unequal = difference(alone(one.equal[0]), alone(one.equal[1]), () => 1e-9);
      if (unequal !== undefined) return `the graph itself ${at}: ${unequal}`;
    }
    if (one.simplified === true) {
      // Constants are folded in the width of their dtype, which the meaning does not know: narrow ones in the middle differ as kernels do.
      const simplified = difference(graphStep(simple, feeds, states[1] as Map<string, TensorValue>, dims), meaning, (name, dtype) =>
        tolerance(name, dtype) === 0
          ? 0
          : isFloat(dtype) && dtype !== 'f64'
            ? tolerance(name, dtype)
            : (one.meaningTolerance?.(name, dtype) ?? 1e-11),
      );
      if (simplified !== undefined) return `simplify ${at}: ${simplified}`;
    }
    let moves: ReadonlyMap<string, number> | undefined;
    const differs = (found: Results, expected: Results, usual: typeof tolerance): string | undefined => {
      const wrong = difference(found, expected, usual);
      if (wrong === undefined || one.unit === undefined) return wrong;
      moves ??= movements(feeds, initial, one.unit, (fed, start) => stepsOf(entry, fed, new Map(start), dims, step + 1));
      return difference(found, expected, (name, dtype) => usual(name, dtype) + 4 * (moves?.get(name) ?? 0));
    };
    let before = meaning;
    const runs = [
      ...links.map((link, which) => ({ link, run: prepared[which] as KernelRun })),
      ...(device === undefined ? [] : [{ link: 'device' as const, run: device }]),
    ];
    for (const [which, { link, run }] of runs.entries()) {
      const state = states[2 + which] as Map<string, TensorValue>;
      const ran = run({ feeds: [...feeds.values()], variables: variables.map(({ path }) => state.get(path)), dims });
      const results = new Map<string, TensorValue>(
        ran.outputs.slice(0, entry.outputs.length).map((value, index) => [`output ${index}`, value]),
      );
      for (const [index, { path }] of variables.entries()) {
        const value = ran.variables[index];
        if (!updated.has(path) || value === undefined) continue;
        state.set(path, value);
        results.set(`variable ${path}`, value);
      }
      const wrong = differs(results, before, link === 'lower' ? meaningTolerance : tolerance);
      if (wrong !== undefined) return `${link} ${at}: ${wrong}`;
      before = results;
    }
    let alone: Results | undefined;
    for (const session of compiled?.sessions ?? []) {
      const result = session
        .entry(one.name)
        .run(Object.fromEntries([...feeds].map(([name, value]) => [name, toRuntime(value)]))) as readonly unknown[];
      const results = new Map<string, TensorValue>(
        entry.outputs.map(({ node }, index) => [`output ${index}`, fromRuntime(result[index], node.type.dtype)]),
      );
      for (const path of updated) results.set(`variable ${path}`, fromRuntime(session.get(path), (initial.get(path) as TensorValue).dtype));
      const wrong = alone === undefined ? differs(results, before, tolerance) : difference(results, alone, () => 0);
      if (wrong !== undefined) return `${alone === undefined ? 'native code' : 'several threads'} ${at}: ${wrong}`;
      alone = results;
    }
  }
  return undefined;
}

function graphStep(
  entry: Entry,
  feeds: ReadonlyMap<string, TensorValue>,
  state: Map<string, TensorValue>,
  dims: ReadonlyMap<string, number>,
): Results {
  const { outputs, updates } = evaluateEntry(entry, { feeds, variables: state, dims });
  const results = new Map<string, TensorValue>(outputs.map((value, index) => [`output ${index}`, value]));
  for (const [path, value] of updates) {
    state.set(path, value);
    results.set(`variable ${path}`, value);
  }
  return results;
}

/** The results of the last of some steps. */
function stepsOf(
  entry: Entry,
  feeds: ReadonlyMap<string, TensorValue>,
  state: Map<string, TensorValue>,
  dims: ReadonlyMap<string, number>,
  count: number,
): Results {
  for (let step = 1; step < count; step++) graphStep(entry, feeds, state, dims);
  return graphStep(entry, feeds, state, dims);
}
