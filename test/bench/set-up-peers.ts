// Peers' environments, on request. In: a terminal. Out: `build/peers` with a virtual environment of Python and packages of npm. Holds: nothing outside it changes; what cannot be had is said and left out.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerNode, peerPython } from './peers.js';
import { at } from './place.js';

const pythonPackages = ['numpy', 'jax'];
const nodePackages = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', '@jax-js/jax'];

export function setUpPeers(say: (line: string) => void): void {
  const environment = at('build', 'peers', 'python');
  say(`peers: setting up ${pythonPackages.join(', ')} in build/peers/python and ${nodePackages.join(', ')} in build/peers/node.`);
  if (existsSync(peerPython) || run('python3', ['-m', 'venv', environment], say)) {
    for (const name of pythonPackages) run(peerPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', name], say);
    installTorch(say);
  }
  mkdirSync(peerNode, { recursive: true });
  const manifest = join(peerNode, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  run('npm', ['install', '--prefix', peerNode, '--no-fund', '--no-audit', '--loglevel=error', ...nodePackages], say);
}

interface PipReport {
  readonly install: readonly { readonly metadata: { readonly name: string; readonly version: string } }[];
}

/** Installs torch unless what the index offers is a build for GPUs, which is gigabytes that a CPU bench has no use for. */
function installTorch(say: (line: string) => void): void {
  const plan = at('build', 'peers', 'torch-plan.json');
  if (!run(peerPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--dry-run', '--report', plan, 'torch'], say)) return;
  const { install } = JSON.parse(readFileSync(plan, 'utf8')) as PipReport;
  rmSync(plan);
  const gpu = install.filter(({ metadata }) => /^(?:nvidia|cuda|triton|rocm)/.test(metadata.name));
  if (gpu.length > 0) {
    say(`peers: torch is left out: the package index offers only a build for GPUs here (with ${gpu.length} packages such as ${gpu[0]?.metadata.name}).`);
    say("peers: to have it, point pip to an index of CPU builds (PIP_EXTRA_INDEX_URL), or install the system's package python3-torch; both are found.");
    return;
  }
  run(peerPython, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'torch'], say);
}

function run(program: string, args: readonly string[], say: (line: string) => void): boolean {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (status === 0) return true;
  say(`peers: ${[program, ...args].join(' ')} failed: ${error?.message ?? stderr.trim().split('\n').slice(-3).join(' | ')}`);
  return false;
}
