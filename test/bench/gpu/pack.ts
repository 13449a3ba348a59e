// A folder that measures tfc on a machine with a GPU, without Node. In: its path. Out: artifacts, numbers, plans, references in f64, the
// bits that the emulated driver gives, the runtime's C sources, peers and scripts. Holds: nothing in it depends on where it lies.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { random } from '../../../examples/random.js';
import type { EntrySpec, Manifest, TensorSpec } from '../../../runtime/abi/manifest.js';
import { elements } from '../../../runtime/element.js';
import { evaluate } from '../../../runtime/size.js';
import { Variables } from '../../../runtime/variables.js';
import { compileSync, type Tensor } from '../../../src/driver/index.js';
import { at } from '../place.js';
import { checksOf, comparedSteps, countOf, type Precision, type Workload } from '../workloads/workload.js';
import { Numbers } from './numbers.js';
import { elementTolerance, inPrecision, small, timed } from './workloads.js';

const seed = 20;
/** What the functions of an artifact need that a GPU does not run. */
const leastCpu = 'x86-64-v3';
/** Elements of an array that are stored; a longer one repeats them. A prime, so that no row is like the one before. */
const stored = 1_048_583;
/** Elements of a result that have references. */
const samples = 4096;

interface Packed {
  readonly name: string;
  readonly flops: number;
  readonly bytes: number;
  readonly tolerance: number;
  readonly elementTolerance: number;
  readonly precision: Precision | 'f32';
  readonly timed: boolean;
  /** What peers answer to `check`, in f64. */
  readonly checks: readonly (readonly number[])[];
  /** Of small workloads, what tfc's peer answers to `bits 3` on the emulated driver. */
  readonly bits?: string;
}

/** `measured`: what is timed as well. Errors: Error where there is no C compiler, or variables start as a plan cannot say. */
export function pack(folder: string, say: (line: string) => void, measured: readonly Workload[] = timed): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const one of ['native', 'abi']) cpSync(at('runtime', one), join(folder, 'runtime', one), { recursive: true });
  cpSync(at('test', 'bench', 'peers'), join(folder, 'peers'), { recursive: true, filter: (path) => !/\.mjs$/.test(path) });
  for (const name of ['peer.c', 'measure.py']) cpSync(at('test', 'bench', 'gpu', name), join(folder, name));
  cpSync(at('test', 'bench', 'gpu.sh'), join(folder, 'gpu.sh'));
  execFileSync('sh', ['gpu.sh', '--build'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(process.execPath, [at('scripts', 'emulator.mjs')], { stdio: 'ignore' });
  const packed = [...small.map((one) => ({ one, isTimed: false })), ...measured.map((one) => ({ one, isTimed: true }))].map(
    ({ one, isTimed }): Packed => {
      say(`packing ${one.name} …`);
      const checks = packOne(folder, one);
      const bits = isTimed ? {} : { bits: emulated(folder, one.name) };
      const { name, flops, bytes, tolerance, precision = 'f32' } = one;
      return { name, flops, bytes, tolerance, elementTolerance: elementTolerance(one), precision, timed: isTimed, checks, ...bits };
    },
  );
  writeFileSync(join(folder, 'workloads.json'), JSON.stringify(packed, undefined, 1));
  rmSync(join(folder, 'peer'), { force: true });
}

/** The artifact, its numbers, what its peers read. Returns what is expected of them. */
function packOne(folder: string, workload: Workload): readonly (readonly number[])[] {
  const { name, family, rule, rate, precision, sizes, set, outputs, arrays } = workload;
  const program = readFileSync(at('test', 'bench', 'programs', workload.program), 'utf8');
  const [source, twin] = [join(folder, `${name}.tdsl`), join(folder, `${name}-f64.tdsl`)];
  writeFileSync(source, precision === undefined ? program : inPrecision(program, precision));
  writeFileSync(twin, program.replaceAll(/\bf32\b/g, 'f64'));
  const numbers = new Numbers(join(folder, `${name}.bin`));
  const values = workload.fill(random(seed));
  const placed = arrays.map((array, position) => {
    const count = countOf(array);
    const kept = Array.from({ length: Math.min(count, stored) }, (_, element) => values[position]?.[element] ?? NaN);
    const data = array.dtype === 'f32' ? Float32Array.from(kept) : Int32Array.from(kept);
    return { ...array, count, stored: data.byteLength, offset: numbers.append(data), data };
  });
  const whole = placed.map(({ name: array, dtype, data, count }): [string, Float64Array | Int32Array] => {
    const all = dtype === 'f32' ? new Float64Array(count) : new Int32Array(count);
    for (let from = 0; from < count; from += data.length) all.set(data.subarray(0, Math.min(data.length, count - from)), from);
    return [array, all];
  });
  const about = { name, family, rule, rate, precision, sizes, set, outputs, data: `${name}.bin` };
  const listed = placed.map(({ data, ...rest }) => ({ ...rest, stored: data.length }));
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...about, arrays: listed }));
  tfc('compile', source, '--target', 'cuda', '--cpu', leastCpu, '-o', join(folder, name), ...settings(set));
  const { checks, results } = inDoubles(twin, workload, new Map(whole));
  const references = [...results].map(([result, all]) => {
    const some = sampled(all);
    return [result, { offset: numbers.append(some), stored: some.length }] as const;
  });
  numbers.close();
  const manifest = JSON.parse(readFileSync(join(folder, name, 'module.json'), 'utf8')) as Manifest;
  const places = new Map(placed.map((array) => [array.name, array]));
  writeFileSync(join(folder, `${name}.plan`), planOf(workload, manifest, places, new Map(references)));
  for (const path of [source, twin]) rmSync(path);
  return checks;
}

const settings = (set: Workload['set']): string[] => Object.entries(set).flatMap(([size, value]) => ['--set', `${size}=${value}`]);

const tfc = (...args: readonly string[]): void =>
  void execFileSync(process.execPath, [at('dist', 'bundle', 'cli.cjs'), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

const sampled = (all: Float64Array): Float64Array => {
  const count = Math.min(samples, all.length);
  return Float64Array.from({ length: count }, (_, sample) => all[Math.floor((all.length * sample) / count)] ?? NaN);
};

type Placed = ReadonlyMap<string, { readonly offset: number; readonly stored: number }>;

/** What peer.c reads. */
function planOf(workload: Workload, { entries, variables }: Manifest, placed: Placed, references: Placed): string {
  const { name, rule, sizes, outputs } = workload;
  const position = entries.findIndex((entry) => entry.name === entryName(rule));
  const { dims, feeds, outputs: given } = entries[position] as EntrySpec;
  const values = dims.map((dim) => (dim === 'K' ? (sizes[1] ?? 0) : (sizes[0] ?? 0)));
  const free = new Map(dims.map((dim, at) => [dim, values[at] ?? 0]));
  const bytes = ({ shape, dtype }: TensorSpec): number =>
    shape.reduce<number>((all, size) => all * (evaluate(size, free) ?? NaN), elements[dtype].bytes);
  const section = (title: string, rows: readonly (readonly (string | number)[])[]): string[] => [
    `${title} ${rows.length}`,
    ...rows.map((row) => row.join(' ')),
  ];
  return [
    `module ./${name}/module.so`,
    `numbers ${name}.bin`,
    ...section(
      'variables',
      variables.map((spec) => {
        const known = placed.get(spec.path)?.offset;
        if (known === undefined && !(spec.initial.kind === 'constant' && Number(spec.initial.value) === 0))
          throw new Error(`${name}: ${spec.path} starts as something else than zeros`);
        return [...Variables.rows(spec), known ?? -1];
      }),
    ),
    `entry ${position}`,
    ...section(
      'feeds',
      feeds.map((feed) => {
        const { offset, stored: kept } = placed.get(feed.name) ?? { offset: 0, stored: 0 };
        return [bytes(feed), offset, kept];
      }),
    ),
    ...section(
      'outputs',
      given.map((output) => {
        const { offset, stored: count } = references.get(output.name) ?? { offset: -1, stored: 0 };
        return [bytes(output), elements[output.dtype].code, outputs.includes(output.name) || output.name === 'loss' ? 1 : 0, offset, count];
      }),
    ),
    ...section(
      'dims',
      values.map((value) => [value]),
    ),
    `loss ${rule === 'none' ? -1 : given.findIndex((output) => output.name === 'loss')}`,
    '',
  ].join('\n');
}

const entryName = (rule: Workload['rule']): string => (rule === 'none' ? 'compute' : 'train');

/** The program in f64 on this machine's processor: what peers answer to `check`, and a function's results. */
function inDoubles(
  path: string,
  { rule, set, outputs, arrays }: Workload,
  whole: ReadonlyMap<string, Float64Array | Int32Array>,
): { readonly checks: readonly (readonly number[])[]; readonly results: ReadonlyMap<string, Float64Array> } {
  using session = compileSync(path, { set }).session({ initialize: true });
  for (const { name, role } of arrays) if (role === 'initial') session.set(name, whole.get(name) as Float64Array);
  const feeds = Object.fromEntries(arrays.filter(({ role }) => role === 'feed').map(({ name }) => [name, whole.get(name) as Float64Array]));
  const entry = session.entry(entryName(rule));
  if (rule !== 'none') return { checks: [[...(entry.runSteps(feeds, { steps: comparedSteps }).series['loss'] ?? [])]], results: new Map() };
  const found = entry.run(feeds) as unknown as Readonly<Record<string, number | Tensor>>;
  const results = new Map(
    outputs.map((name) => {
      const value = found[name];
      return [name, typeof value === 'number' ? Float64Array.of(value) : (value?.data as Float64Array)];
    }),
  );
  return { checks: [...results.values()].map(checksOf), results };
}

/** What tfc's peer says on the emulated driver. */
function emulated(folder: string, name: string): string {
  const answers = execFileSync(join(folder, 'peer'), [`${name}.plan`], {
    cwd: folder,
    input: 'bits 3\n',
    encoding: 'utf8',
    env: { ...process.env, LD_LIBRARY_PATH: at('build', 'cuda') },
  });
  return (JSON.parse(answers.split('\n')[1] ?? '') as { readonly bits: string }).bits;
}
