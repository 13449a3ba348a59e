// Peers' environments, on request. In: a terminal. Out: `build/peers` with a virtual environment of Python and packages of npm. Holds:
// nothing outside it changes; what cannot be had is said and left out.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerNode, peerPython } from './peers.js';
import { at } from './place.js';

const pythonPackages = ['numpy', 'jax', 'torch'];
const nodePackages = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', '@jax-js/jax'];

export function setUpPeers(say: (line: string) => void): void {
  const environment = at('build', 'peers', 'python');
  say(`peers: setting up ${pythonPackages.join(', ')} in build/peers/python and ${nodePackages.join(', ')} in build/peers/node.`);
  say(
    'peers: torch brings libraries for GPUs, 6 GB on the disk, where the package index has no build for CPUs alone; PIP_EXTRA_INDEX_URL can point to one that has.',
  );
  if (existsSync(peerPython) || run('python3', ['-m', 'venv', environment], say)) {
    for (const name of pythonPackages) run(peerPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', name], say);
  }
  mkdirSync(peerNode, { recursive: true });
  const manifest = join(peerNode, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  run('npm', ['install', '--prefix', peerNode, '--no-fund', '--no-audit', '--loglevel=error', ...nodePackages], say);
}

function run(program: string, args: readonly string[], say: (line: string) => void): boolean {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (status === 0) return true;
  say(`peers: ${[program, ...args].join(' ')} failed: ${error?.message ?? stderr.trim().split('\n').slice(-3).join(' | ')}`);
  return false;
}
