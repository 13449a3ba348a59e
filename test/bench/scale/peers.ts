// Peers that compile the same models. In: what is installed. Out: figures of a peer on a model. Holds: each model has a process of its own,
// and an empty cache; a peer that is not installed is absent, with the reason.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess } from '../peer-process.js';
import { notInstalled, pythonWith, quiet, script } from '../peers.js';
import { scratch } from '../place.js';
import { median } from '../statistics.js';
import type { Compiling } from './compiling.js';
import type { ScaleModel } from './models.js';
import { costOf } from './processes.js';

export interface ScalePeer {
  readonly name: string;
  readonly python: string;
  readonly file: string;
}

export interface PeerFigures {
  readonly name: string;
  readonly system: string;
  /** Of the whole process until its first step is done; `startSeconds` of the processor went by until its libraries were loaded. */
  readonly compiling: Compiling;
  readonly startSeconds: number;
  readonly artifactBytes: number;
  readonly parameters: number;
  readonly us: number;
}

const known = [
  { name: 'jax', packageName: 'jax', since: 0, file: 'jax-scale-peer.py' },
  { name: 'torch-compile', packageName: 'torch', since: 2, file: 'torch-scale-peer.py' },
] as const;

export function findScalePeers(): { readonly peers: readonly ScalePeer[]; readonly missing: readonly string[] } {
  const [peers, missing]: [ScalePeer[], string[]] = [[], []];
  for (const { name, packageName, since, file } of known) {
    const python = pythonWith(packageName, since);
    if (python === undefined) missing.push(`${name}: ${notInstalled(packageName, since)}`);
    else peers.push({ name, python, file });
  }
  return { peers, missing };
}

/** Milliseconds that a peer may take until its first step is done. */
const limit = 600_000;

/** `slice`: milliseconds per round of steps. Throws an Error with the peer's last words. */
export async function measurePeer(
  { name, python, file }: ScalePeer,
  model: ScaleModel,
  rounds: number,
  slice: number,
): Promise<PeerFigures> {
  const described = scratch('scale', `${model.name}.json`);
  const { family, depth, sizes, feeds } = model;
  mkdirSync(scratch('scale'), { recursive: true });
  writeFileSync(described, JSON.stringify({ family, depth, sizes, feeds }));
  const cache = mkdtempSync(join(tmpdir(), 'tfc-bench-'));
  const env = {
    ...quiet(1),
    JAX_PLATFORMS: 'cpu',
    JAX_ENABLE_COMPILATION_CACHE: 'false',
    TORCHINDUCTOR_CACHE_DIR: cache,
    // Its compilers are then children of this process, whose time counts.
    TORCHINDUCTOR_COMPILE_THREADS: '1',
  };
  let peer: PeerProcess | undefined;
  try {
    peer = await PeerProcess.start({ program: python, args: [script(file), described, '1'], env }, limit);
    const compiling = { ...costOf(peer.pid), wallSeconds: peer.firstStep / 1000 };
    const about = await peer.ask<Pick<PeerFigures, 'startSeconds' | 'artifactBytes' | 'parameters'>>('about 0');
    const steps = Math.max(1, Math.round((1e6 * slice) / (await peer.steps(1))));
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push((await peer.steps(steps)) / steps / 1000);
    return { name, system: peer.system, compiling, ...about, us: median(times) };
  } finally {
    peer?.stop();
    rmSync(cache, { recursive: true, force: true });
  }
}
