// `npm run bench -- --scale`: how compiling grows with depth. In: options. Out: printed tables, `last-scale.json`, the exit code: 1 when
// tfc failed on a model. Holds: one model at a time, and only one process computing, on one thread; goals do not decide the exit code,
// because machines differ.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { BenchOptions } from '../bench.js';
import { chosen } from '../choice.js';
import { at } from '../place.js';
import { short } from '../statistics.js';
import { compileModel, idleCommand } from './compiling.js';
import { type Family, type ScaleModel, scaleModels } from './models.js';
import { findScalePeers, measurePeer, type PeerFigures, type ScalePeer } from './peers.js';
import { goalsTable, scaleJson, type ScaleFigures, type ScaleMachine, type ScaleMeasured, scaleTable } from './report.js';
import { stepModel } from './stepping.js';

/** `compilations`: of each model by tfc; `slice`: milliseconds of each of so many `rounds` of steps. */
interface Effort {
  readonly compilations: number;
  readonly rounds: number;
  readonly slice: number;
}

const thorough: Effort = { compilations: 3, rounds: 7, slice: 100 };
const quick: Effort = { compilations: 1, rounds: 3, slice: 30 };

export async function benchScale(options: Omit<BenchOptions, 'threads' | 'write'>, say: (line: string) => void): Promise<number> {
  const all = scaleModels(options.quick);
  const meant = chosen(all, options.only);
  if (meant.length === 0) {
    say(`There is no model ${options.only.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  const effort = options.quick ? quick : thorough;
  const { peers, missing } = findScalePeers();
  if (missing.length > 0) say(`Not taking part: ${missing.join('; ')}. \`npm run bench -- --setup-peers\` installs what can be had.`);
  const machine: ScaleMachine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    target: options.cpu,
    processors: availableParallelism(),
    node: process.version,
    idle: idleCommand(),
  };
  print(
    `${machine.cpu}, ${machine.processors} processors; Node ${machine.node}; tfc starts and ends in ${short(machine.idle.wallSeconds)} s`,
  );
  const measured: ScaleMeasured[] = [];
  const gaveUp = new Set<string>();
  for (const model of meant) {
    const one = await measure(model, options.cpu, peers, gaveUp, effort);
    measured.push(one);
    print(`\n${scaleTable(one, machine)}`);
  }
  print(`\n${goalsTable(measured)}`);
  const text = `${JSON.stringify(scaleJson(machine, measured), undefined, 2)}\n`;
  writeFileSync(at('test', 'bench', 'last-scale.json'), text);
  if (options.json !== undefined) writeFileSync(options.json, text);
  return measured.every(({ tfc }) => tfc !== undefined) ? 0 : 1;
}

/** `gaveUp`: peers and families in which they failed; deeper models are not tried. */
async function measure(
  model: ScaleModel,
  cpu: string,
  peers: readonly ScalePeer[],
  gaveUp: Set<string>,
  { compilations, rounds, slice }: Effort,
): Promise<ScaleMeasured> {
  const failures: { name: string; reason: string }[] = [];
  let tfc: ScaleFigures | undefined;
  try {
    const { compiling, artifactBytes, directory } = compileModel(model, cpu, compilations);
    const { us, losses, parameters } = stepModel(directory, model, rounds, slice);
    if (!losses.every(Number.isFinite)) throw new Error(`its losses are ${losses.join(', ')}`);
    tfc = { compiling, artifactBytes, us, parameters };
  } catch (error) {
    failures.push({ name: 'tfc', reason: reasonOf(error) });
  }
  const figures: PeerFigures[] = [];
  // Peers do not read what is written in other words.
  for (const peer of model.writing === 'list' ? peers : []) {
    const key = familyOf(peer, model.family);
    try {
      if (gaveUp.has(key)) throw new Error('it failed on a smaller one');
      const one = await measurePeer(peer, model, rounds, slice);
      if (tfc !== undefined && one.parameters !== tfc.parameters)
        throw new Error(`it has ${one.parameters} parameters, tfc ${tfc.parameters}`);
      figures.push(one);
    } catch (error) {
      gaveUp.add(key);
      failures.push({ name: peer.name, reason: reasonOf(error) });
    }
  }
  return { model, tfc, peers: figures, failures };
}

const familyOf = ({ name }: ScalePeer, family: Family): string => `${name} ${family}`;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const print = (text: string): void => void process.stdout.write(`${text}\n`);
