// A whole run. In: options. Out: printed tables, `last.json`, the exit code: 1 when tfc failed or computed something else than its peers.
// Holds: one workload at a time, and only one peer computing.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { chosen } from './choice.js';
import { type CompileTimes, timeCompiling, timeNode } from './compile-times.js';
import { discard, prepare } from './data.js';
import { Limiter, type Limits } from './limits.js';
import { type Effort, measure } from './measure.js';
import { findCompiler } from './native-program.js';
import { findPeers, pinnable } from './peers.js';
import { at } from './place.js';
import { publish } from './page.js';
import { type Measured, limitsText, table, toJson } from './report.js';
import type { Machine } from './result.js';
import { short } from './statistics.js';
import { ofThreads, summaries } from './summary.js';
import { workloads } from './workloads/index.js';

export interface BenchOptions {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly threads: readonly number[];
  readonly json: string | undefined;
  readonly cpu: string;
  /** Write the documents that show the figures. */
  readonly write: boolean;
}

const thorough: Effort = { rounds: 11, slice: 50, starts: 4, compilations: 3, patience: 2000 };
const quick: Effort = { rounds: 5, slice: 20, starts: 1, compilations: 1, patience: 600 };

export async function bench(options: BenchOptions, say: (line: string) => void): Promise<number> {
  const meant = chosen(workloads, options.only);
  if (meant.length === 0) {
    say(`There is no workload ${options.only.join(', ')}; there are ${workloads.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  const effort = options.quick ? quick : thorough;
  const threadCounts = options.threads.length > 0 ? options.threads : [1, 2].filter((count) => count <= availableParallelism());
  const compiler = findCompiler();
  const { peers, missing } = findPeers(compiler, options.cpu, options.quick);
  if (missing.length > 0) say(`Not taking part: ${missing.join('; ')}. \`npm run bench -- --setup-peers\` installs what can be had.`);
  if (options.write && missing.length > 0) {
    say('--write needs every peer.');
    return 2;
  }
  const processor = pinnable();
  const machine: Machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    target: options.cpu,
    processors: availableParallelism(),
    node: process.version,
    compiler: compiler?.version,
    nodeMs: await timeNode(effort.rounds),
    date: new Date().toISOString().slice(0, 10),
  };
  print(
    `${machine.cpu}, ${machine.processors} processors${options.cpu === 'native' ? '' : `, compiled for ${options.cpu}`}; Node ${machine.node} starts and ends in ${short(machine.nodeMs)} ms; C by ${machine.compiler ?? 'nobody'}\n`,
  );

  const limiters = new Map<number, Limiter>();
  const limits: Limits[] = [];
  const measured: Measured[] = [];
  try {
    for (const threads of threadCounts) {
      if (compiler === undefined) break;
      const limiter = await Limiter.start(compiler, options.cpu, threads, processor);
      limiters.set(threads, limiter);
      const table = await limiter.table();
      limits.push(table);
      print(limitsText(table));
    }
    for (const workload of meant) {
      const prepared = prepare(workload, options.cpu);
      const compile = await compileTimes(prepared.file, effort, say);
      for (const threads of threadCounts) {
        const figures = await measure(prepared, threads, peers, limiters.get(threads), effort, processor);
        const one: Measured = { workload, figures, compile };
        measured.push(one);
        print(`\n${table(one)}`);
      }
      discard(prepared);
    }
  } finally {
    for (const limiter of limiters.values()) limiter.stop();
  }
  const result = toJson(machine, limits, measured);
  for (const [threads, table] of summaries(result)) print(`\n${ofThreads(threads)}:\n${table}`);
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  writeFileSync(at('test', 'bench', 'last.json'), text);
  if (options.json !== undefined) writeFileSync(options.json, text);
  if (result.workloads.some(({ tfc_us }) => tfc_us === null)) return 1;
  if (options.write) await publish(result);
  return 0;
}

async function compileTimes(file: string, effort: Effort, say: (line: string) => void): Promise<CompileTimes | undefined> {
  try {
    return await timeCompiling(file, effort.compilations);
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n');
    say(`${file} does not compile: ${lines.find((line) => /Error: /.test(line)) ?? lines[0]}`);
    return undefined;
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
