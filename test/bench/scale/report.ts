// What a run of deep models says. In: figures. Out: tables for people, one JSON object for programs.

import { columns, short } from '../statistics.js';
import type { Compiling } from './compiling.js';
import { type CostsOf, goalsOf } from './goals.js';
import type { ScaleModel } from './models.js';
import type { PeerFigures } from './peers.js';

export interface ScaleFigures {
  readonly compiling: Compiling;
  readonly artifactBytes: number;
  readonly parameters: number;
  readonly us: number;
}

export interface ScaleMeasured {
  readonly model: ScaleModel;
  /** Undefined where tfc failed. */
  readonly tfc: ScaleFigures | undefined;
  readonly peers: readonly PeerFigures[];
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

export interface ScaleMachine {
  readonly cpu: string;
  /** The CPU that tfc compiles for. */
  readonly target: string;
  readonly processors: number;
  readonly node: string;
  /** What a process of `tfc` costs that does nothing. */
  readonly idle: Compiling;
}

const head = ['', 'processor s', 'of it start', 'wall s', 'artifact KB', 'peak MB', 'µs/step'];

export function scaleTable({ model, tfc, peers, failures }: ScaleMeasured, { idle }: ScaleMachine): string {
  const row = (name: string, startSeconds: number, { compiling, artifactBytes, us }: ScaleFigures): string[] => [
    name,
    short(compiling.processorSeconds),
    short(startSeconds),
    short(compiling.wallSeconds),
    short(artifactBytes / 1e3),
    short(compiling.peakBytes / 1e6),
    short(us),
  ];
  const parameters = tfc?.parameters ?? peers[0]?.parameters;
  const rows = [
    ...(tfc === undefined ? [] : [row('tfc', idle.processorSeconds, tfc)]),
    ...peers.map((peer) => row(peer.name, peer.startSeconds, peer)),
  ];
  return [
    `${model.name}${parameters === undefined ? '' : `: ${short(parameters)} parameters`}`,
    columns([head, ...rows]),
    ...failures.map(({ name, reason }) => `${name} failed: ${reason}`),
  ].join('\n');
}

const costs = (measured: readonly ScaleMeasured[]): CostsOf[] =>
  measured.flatMap(({ model, tfc }) =>
    tfc === undefined ? [] : [{ model, costs: { processorSeconds: tfc.compiling.processorSeconds, artifactBytes: tfc.artifactBytes } }],
  );

export function goalsTable(measured: readonly ScaleMeasured[]): string {
  const rows = goalsOf(costs(measured)).map(({ model, words, at, met }) => [`${model}: ${words}`, short(at), met ? 'met' : 'not met']);
  return rows.length === 0 ? 'No goal is about these models.' : columns([['goals', 'measured', ''], ...rows]);
}

export function scaleJson(machine: ScaleMachine, measured: readonly ScaleMeasured[]): object {
  const figures = ({ compiling, artifactBytes, parameters, us }: ScaleFigures): object => ({
    processor_s: compiling.processorSeconds,
    wall_s: compiling.wallSeconds,
    artifact_bytes: artifactBytes,
    peak_bytes: compiling.peakBytes,
    parameters,
    step_us: us,
  });
  return {
    machine,
    models: measured.map(({ model, tfc, peers, failures }) => ({
      name: model.name,
      family: model.family,
      depth: model.depth,
      writing: model.writing,
      tfc: tfc === undefined ? null : figures(tfc),
      peers: Object.fromEntries(peers.map((peer) => [peer.name, { ...figures(peer), start_s: peer.startSeconds, system: peer.system }])),
      failures,
    })),
    goals: goalsOf(costs(measured)),
  };
}
