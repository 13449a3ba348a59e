// One workload, everyone side by side. In: a prepared workload, peers, a gauge of the machine's limits. Out: measured figures. Holds:
// nobody is timed before all compute the same; rounds interleave, so that a drifting clock and a busy machine touch all alike; figures are
// medians over rounds.

import type { Prepared } from './data.js';
import { type Gauge, floorOf } from './limits.js';
import { PeerProcess } from './peer-process.js';
import { type Peer, pinned } from './peers.js';
import { farthest, median } from './statistics.js';
import { comparedSteps } from './workloads/workload.js';

export interface PeerFigures {
  readonly name: string;
  readonly system: string;
  /** Microseconds per step. */
  readonly us: number;
  readonly peakBytes: number;
  /** Milliseconds from the start of its process to its first finished step. */
  readonly firstStepMs: number;
}

export interface Figures {
  readonly name: string;
  readonly threads: number;
  /**
   * The machine's limits during the rounds, and the microseconds below which no step can go by them; undefined when they were not measured.
   */
  readonly limit: { readonly gflops: number; readonly gbs: number; readonly floorUs: number } | undefined;
  readonly peers: readonly PeerFigures[];
  /** Peers that failed, or computed something else. */
  readonly failures: readonly Failure[];
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds that each peer computes in a round. */
  readonly slice: number;
  /** Starts of each peer, as far as they fit into a second, of which the first step's time is the median. */
  readonly starts: number;
  /** Cold compilations of each program. */
  readonly compilations: number;
  /** Milliseconds that a step of a peer may take, if it is neither tfc nor the mark. */
  readonly patience: number;
}

interface Failure {
  readonly name: string;
  readonly reason: string;
}

type Checks = readonly (readonly number[])[];

/** Those that are measured however long they take. */
const ours: ReadonlySet<string> = new Set(['tfc', 'mark']);

/** Milliseconds after which a peer is not started once more. */
const startingMs = 1000;

interface Runner {
  readonly peer: Peer;
  readonly process: PeerProcess;
  readonly starts: number[];
  readonly times: number[];
  steps: number;
}

export async function measure(
  prepared: Prepared,
  threads: number,
  peers: readonly Peer[],
  gauge: Gauge | undefined,
  effort: Effort,
  processor: number,
): Promise<Figures> {
  const { workload } = prepared;
  const failures: Failure[] = [];
  let runners: Runner[] = [];
  try {
    for (const peer of peers) {
      try {
        const runner = await start(peer, prepared, threads, effort, processor);
        if (runner !== undefined) runners.push(runner);
      } catch (error) {
        failures.push({ name: peer.name, reason: reasonOf(error) });
      }
    }
    const checks = new Map<Runner, Checks>();
    for (const runner of runners) checks.set(runner, await runner.process.checks(workload.rule === 'none' ? 1 : comparedSteps));
    const expected = consensus([...checks.values()]);
    runners = await keepIf(runners, failures, (runner) => {
      const { at, difference } = farthestGroup(expected, checks.get(runner) ?? []);
      return difference <= workload.tolerance
        ? undefined
        : `its ${workload.outputs[at] ?? 'losses'} and the others' differ by ${difference.toExponential(1)}`;
    });
    runners = await keepIf(runners, failures, async (runner) => {
      const ms = await calibrate(runner, effort.slice);
      return ms <= effort.patience || ours.has(runner.peer.name)
        ? undefined
        : `a step takes ${(ms / 1e3).toFixed(2)} s, and nobody waits so long`;
    });
    const gflops: number[] = [];
    const gbs: number[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      // Each round starts with another peer: none always follows the same neighbour into the caches.
      for (let at = 0; at < runners.length; at += 1) {
        const runner = runners[(at + round) % runners.length] as Runner;
        runner.times.push((await runner.process.steps(runner.steps)) / runner.steps / 1e3);
        if (threads > 1) await runner.process.rest();
      }
      if (gauge === undefined) continue;
      gflops.push(await gauge.gflops());
      gbs.push(await gauge.gbs(workload));
    }
    const figures = runners.map(({ peer, process, starts, times }): PeerFigures => ({
      name: peer.name,
      system: process.system,
      us: median(times),
      peakBytes: process.peakMemory(),
      firstStepMs: median(starts),
    }));
    const [flops, bytes] = [median(gflops), median(gbs)];
    const limit = gauge === undefined ? undefined : { gflops: flops, gbs: bytes, floorUs: floorOf(workload, flops, bytes) };
    return { name: workload.name, threads, limit, peers: figures, failures };
  } finally {
    for (const runner of runners) runner.process.stop();
  }
}

async function start(peer: Peer, prepared: Prepared, threads: number, effort: Effort, processor: number): Promise<Runner | undefined> {
  const command = peer.command(prepared, threads);
  if (command === undefined) return undefined;
  const bound = pinned(command, threads, processor);
  // Who starts fast starts again: the first time may fill caches.
  const starts: number[] = [];
  for (;;) {
    const process = await PeerProcess.start(bound);
    starts.push(process.firstStep);
    if (starts.length === effort.starts || starts.reduce((total, ms) => total + ms, 0) > startingMs)
      return { peer, process, starts: starts.length > 1 ? starts.slice(1) : starts, times: [], steps: 1 };
    process.stop();
  }
}

/** Those without a reason against them; the others are stopped. */
async function keepIf(
  runners: readonly Runner[],
  failures: Failure[],
  against: (runner: Runner) => string | undefined | Promise<string | undefined>,
): Promise<Runner[]> {
  const kept: Runner[] = [];
  for (const runner of runners) {
    const reason = await against(runner);
    if (reason === undefined) {
      kept.push(runner);
      continue;
    }
    failures.push({ name: runner.peer.name, reason });
    runner.process.stop();
  }
  return kept;
}

/** Finds how many steps take about `slice` milliseconds, warm; the milliseconds of one. */
async function calibrate(runner: Runner, slice: number): Promise<number> {
  for (runner.steps = 1; ;) {
    const ms = (await runner.process.steps(runner.steps)) / 1e6;
    if (ms >= slice / 4) {
      const one = ms / runner.steps;
      runner.steps = Math.max(1, Math.round(slice / one));
      return one;
    }
    runner.steps = Math.ceil(runner.steps * Math.min(20, Math.max(2, slice / 2 / ms)));
  }
}

/** The numbers in the middle, one by one: one peer that is wrong cannot make the others look so. */
function consensus(all: readonly Checks[]): Checks {
  return (all[0] ?? []).map((group, which) =>
    group.map((_, at) => median(all.map((checks) => checks[which]?.[at] ?? Number.NaN).filter((value) => !Number.isNaN(value)))),
  );
}

/** The group that differs most, each relative to its own size. */
function farthestGroup(expected: Checks, actual: Checks): { readonly at: number; readonly difference: number } {
  if (actual.length !== expected.length) return { at: 0, difference: Number.POSITIVE_INFINITY };
  const differences = expected.map((group, which) => farthest(group, actual[which] ?? []));
  const difference = Math.max(...differences);
  return { at: differences.indexOf(difference), difference };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
