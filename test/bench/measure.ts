// One workload, everyone side by side. In: a prepared workload, peers, limits. Out: measured figures. Holds: nobody is timed before all compute the same losses; rounds interleave, so that a drifting clock
// and a busy machine touch all alike; figures are medians over rounds.

import type { Prepared } from './data.js';
import { type Limits, floorOf } from './limits.js';
import { PeerProcess } from './peer-process.js';
import { type Peer, pinned } from './peers.js';
import { farthest, median } from './statistics.js';
import { comparedSteps } from './workloads.js';

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
  /** Microseconds below which no step can go, by the machine's limits; undefined when they were not measured. */
  readonly floorUs: number | undefined;
  readonly peers: readonly PeerFigures[];
  /** Peers that failed, or computed something else. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds that each peer computes in a round. */
  readonly slice: number;
  /** Starts of each peer of which the first step's time is the median. */
  readonly starts: number;
}

interface Runner {
  readonly peer: Peer;
  readonly process: PeerProcess;
  readonly starts: number[];
  readonly times: number[];
  steps: number;
}

export async function measure(prepared: Prepared, threads: number, peers: readonly Peer[], limits: Limits | undefined, effort: Effort, processor: number): Promise<Figures> {
  const failures: { name: string; reason: string }[] = [];
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
    const losses = new Map<Runner, readonly number[]>();
    for (const runner of runners) losses.set(runner, await runner.process.losses(comparedSteps));
    const expected = consensus([...losses.values()]);
    runners = runners.filter((runner) => {
      const difference = farthest(expected, losses.get(runner) ?? []);
      if (difference <= prepared.workload.tolerance) return true;
      failures.push({ name: runner.peer.name, reason: `its losses are not the others': they differ by ${difference.toExponential(1)}` });
      runner.process.stop();
      return false;
    });
    for (const runner of runners) runner.steps = await calibrate(runner.process, effort.slice);
    for (let round = 0; round < effort.rounds; round += 1) {
      // Each round starts with another peer: none always follows the same neighbour into the caches.
      for (let at = 0; at < runners.length; at += 1) {
        const runner = runners[(at + round) % runners.length] as Runner;
        runner.times.push((await runner.process.steps(runner.steps)) / runner.steps / 1e3);
      }
    }
    const figures = runners.map(({ peer, process, starts, times }): PeerFigures => ({ name: peer.name, system: process.system, us: median(times), peakBytes: process.peakMemory(), firstStepMs: median(starts) }));
    return { name: prepared.workload.name, threads, floorUs: limits === undefined ? undefined : floorOf(prepared.workload, limits), peers: figures, failures };
  } finally {
    for (const runner of runners) runner.process.stop();
  }
}

async function start(peer: Peer, prepared: Prepared, threads: number, effort: Effort, processor: number): Promise<Runner | undefined> {
  const command = peer.command(prepared, threads);
  if (command === undefined) return undefined;
  const bound = pinned(command, threads, processor);
  // The first start may compile; what counts is a start with everything in its cache.
  const starts: number[] = [];
  for (let again = 1; again < effort.starts; again += 1) {
    const once = await PeerProcess.start(bound);
    starts.push(once.firstStep);
    once.stop();
  }
  const process = await PeerProcess.start(bound);
  starts.push(process.firstStep);
  if (starts.length > 1) starts.shift();
  return { peer, process, starts, times: [], steps: 1 };
}

/** Steps that take about `slice` milliseconds, measured warm. */
async function calibrate(process: PeerProcess, slice: number): Promise<number> {
  let steps = 1;
  for (;;) {
    const ms = (await process.steps(steps)) / 1e6;
    if (ms >= slice / 4) return Math.max(1, Math.round((steps * slice) / ms));
    steps = Math.ceil(steps * Math.min(20, Math.max(2, slice / 2 / ms)));
  }
}

/** The losses in the middle, step by step: one peer that is wrong cannot make the others look so. */
function consensus(all: readonly (readonly number[])[]): readonly number[] {
  return (all[0] ?? []).map((_, step) => median(all.map((losses) => losses[step] ?? Number.NaN).filter((loss) => !Number.isNaN(loss))));
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
