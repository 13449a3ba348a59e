// What a run says. In: figures. Out: tables for people, one JSON object for programs. Holds: ratios are a peer's time over tfc's: above 1,
// tfc is faster.

import type { CompileTimes } from './compile-times.js';
import type { Limits } from './limits.js';
import type { Figures, PeerFigures } from './measure.js';
import type { Machine, Result } from './result.js';
import { columns, short } from './statistics.js';
import type { Workload } from './workloads/workload.js';

export interface Measured {
  readonly workload: Workload;
  readonly figures: Figures;
  readonly compile: CompileTimes | undefined;
}

const find = (figures: Figures, name: string): PeerFigures | undefined => figures.peers.find((peer) => peer.name === name);

export function table({ workload, figures, compile }: Measured): string {
  const { threads, limit, peers, failures } = figures;
  const ours = find(figures, 'tfc')?.us;
  const rows = peers.map(({ name, us, peakBytes, firstStepMs }) => [
    name,
    short(us),
    ours === undefined ? '–' : `${short(us / ours)}×`,
    limit === undefined ? '–' : `${Math.round((100 * limit.floorUs) / us)} %`,
    short(workload.flops / us / 1e3),
    short(workload.bytes / us / 1e3),
    short(peakBytes / 1e6),
    short(firstStepMs),
  ]);
  const head = ['', 'µs/step', 'to tfc', 'of limit', 'GFLOP/s', 'GB/s', 'peak MB', 'first step ms'];
  const title = `${workload.name}, ${threads} thread${threads === 1 ? '' : 's'}: ${short(workload.flops / 1e6)} MFLOP, ${short(workload.bytes / 1e6)} MB${limit === undefined ? '' : `; limits ${short(limit.gflops)} GFLOP/s, ${short(limit.gbs)} GB/s`}`;
  const lines = [title, columns([head, ...rows])];
  if (compile !== undefined) lines.push(`compile ${short(compile.coldMs)} ms cold with its process, ${short(compile.cachedMs)} ms cached`);
  for (const { name, reason } of failures) lines.push(`${name} failed: ${reason}`);
  return lines.join('\n');
}

export function limitsText(limits: Limits): string {
  const read = Object.entries(limits.read).map(([bytes, rate]) => `${short(Number(bytes) / 1024)} KB ${short(rate)}`);
  return `limits of ${limits.threads} thread${limits.threads === 1 ? '' : 's'}: ${short(limits.gflops)} GFLOP/s; GB/s: read ${read.join(', ')}; triad ${short(limits.triad)}, past the caches ${short(limits.streamTriad)}`;
}

export function toJson(machine: Machine, limits: readonly Limits[], measured: readonly Measured[]): Result {
  return {
    machine,
    limits,
    workloads: measured.map(({ figures, compile }) => {
      const by = <Value>(pick: (peer: PeerFigures) => Value): Record<string, Value> =>
        Object.fromEntries(figures.peers.map((peer) => [peer.name, pick(peer)]));
      const us = by((peer) => peer.us);
      const { tfc, 'tfc-call': call, ...others } = us;
      return {
        name: figures.name,
        threads: figures.threads,
        tfc_us: tfc ?? null,
        tfc_call_us: call ?? null,
        peers: others,
        roofline: tfc === undefined || figures.limit === undefined ? null : figures.limit.floorUs / tfc,
        rooflines: by((peer) => (figures.limit === undefined ? null : figures.limit.floorUs / peer.us)),
        limit: figures.limit ?? null,
        peak_bytes: by((peer) => peer.peakBytes),
        first_step_ms: by((peer) => peer.firstStepMs),
        compile_ms: compile?.coldMs ?? null,
        cached_ms: compile?.cachedMs ?? null,
        systems: by((peer) => peer.system),
        failures: figures.failures,
      };
    }),
  };
}
