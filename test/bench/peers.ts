// Everyone who takes part. In: what is installed. Out: commands that start a peer on a workload. Holds: a peer that is not installed is
// absent, with the reason; none is needed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Prepared } from './data.js';
import { x86 } from '../../codegen/llvm/isa/x86.js';
import { type Compiler, buildProgram } from './native-program.js';
import type { PeerCommand } from './peer-process.js';
import { at, scratch } from './place.js';
import { type Workload, countOf } from './workloads/workload.js';

export interface Peer {
  readonly name: string;
  /** Undefined for a workload that the peer does not have. */
  readonly command: (prepared: Prepared, threads: number) => PeerCommand | undefined;
}

export interface Peers {
  readonly peers: readonly Peer[];
  /** Why others are missing. */
  readonly missing: readonly string[];
}

export const peerPython = at('build', 'peers', 'python', 'bin', 'python');
export const peerNode = at('build', 'peers', 'node');

export const script = (name: string): string => at('test', 'bench', 'peers', name);

/** `cpu`: what tfc and the mark are compiled for, and peers are kept to. `quick`: without those that take long. */
export function findPeers(compiler: Compiler | undefined, cpu: string, quick: boolean): Peers {
  const missing: string[] = [];
  const peers: Peer[] = [tfc('tfc', 'loop'), only(training, tfc('tfc-call', 'call'))];
  if (compiler === undefined) missing.push('mark: no C compiler');
  else peers.push(mark(buildProgram(compiler, 'mark', cpu)));
  const cap = capOf(cpu);
  for (const { name, packageName, file, mode, since, takes, slow } of pythonPeers) {
    if (quick && slow) {
      missing.push(`${name}: too slow for --quick`);
      continue;
    }
    const python = pythonWith(packageName, since);
    if (python === undefined) missing.push(`${name}: ${notInstalled(packageName, since)}`);
    else
      peers.push(
        only(takes, {
          name,
          command: ({ file: data }, threads) => ({
            program: python,
            args: [script(file), data, String(threads), ...mode],
            env: quiet(threads, cap),
          }),
        }),
      );
  }
  for (const { name, packageName, file } of nodePeers) {
    if (quick) {
      missing.push(`${name}: too slow for --quick`);
      continue;
    }
    if (!existsSync(at('build', 'peers', 'node', 'node_modules', packageName))) missing.push(`${name}: ${packageName} is not installed`);
    else
      peers.push({
        name,
        command: ({ file: data }, threads) => ({ program: process.execPath, args: [script(file), data, String(threads)] }),
      });
  }
  return { peers, missing };
}

interface PythonPeer {
  readonly name: string;
  readonly packageName: string;
  readonly file: string;
  readonly mode: readonly string[];
  /** The first number of the oldest version that will do. */
  readonly since: number;
  readonly takes: (workload: Workload) => boolean;
  readonly slow: boolean;
}

const everything = (): boolean => true;
const training = ({ rule }: Workload): boolean => rule !== 'none';
/** A product alone is one call of a library, whoever compiles around it. */
const composed = ({ family }: Workload): boolean => !family.startsWith('product');

const pythonPeers: readonly PythonPeer[] = [
  { name: 'numpy', packageName: 'numpy', file: 'numpy-peer.py', mode: [], since: 0, takes: everything, slow: false },
  { name: 'jax', packageName: 'jax', file: 'jax-peer.py', mode: [], since: 0, takes: everything, slow: false },
  { name: 'jax-loop', packageName: 'jax', file: 'jax-peer.py', mode: ['loop'], since: 0, takes: training, slow: false },
  { name: 'torch', packageName: 'torch', file: 'torch-peer.py', mode: [], since: 0, takes: everything, slow: false },
  { name: 'torch-compile', packageName: 'torch', file: 'torch-peer.py', mode: ['compile'], since: 2, takes: composed, slow: true },
];

const nodePeers = [
  { name: 'tfjs', packageName: '@tensorflow/tfjs-backend-wasm', file: 'tfjs-peer.mjs' },
  { name: 'jax-js', packageName: '@jax-js/jax', file: 'jax-js-peer.mjs' },
] as const;

/** A Python that has the package, `since` its major version or newer. */
export const pythonWith = (packageName: string, since: number): string | undefined =>
  pythons().find((program) => majorVersion(program, packageName) >= since);

export const notInstalled = (packageName: string, since: number): string =>
  `${packageName}${since > 0 ? ` ${since} or newer` : ''} is not installed`;

/** The bench's own Python first, then every other that the shell would find. */
function pythons(): readonly string[] {
  const others = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'python3'));
  return [...new Set([peerPython, ...others])].filter((program) => existsSync(program));
}

/** The first number of a package's version, or -1 where it is not installed. */
function majorVersion(python: string, name: string): number {
  const { status, stdout } = spawnSync(python, ['-c', `import importlib.metadata as m; print(m.version("${name}"))`], { encoding: 'utf8' });
  return status === 0 ? Number.parseInt(stdout, 10) : -1;
}

const tfc = (name: string, mode: string): Peer => ({
  name,
  command: ({ file }, threads) => ({
    program: process.execPath,
    args: [at('dist', 'test', 'bench', 'main.js'), '--serve', mode, file, String(threads)],
    env: tfcCache,
  }),
});

/** Programs that are compiled for a run, apart from the user's. */
export const tfcCache = { TFC_CACHE: scratch('cache') };

const only = (takes: (workload: Workload) => boolean, peer: Peer): Peer => ({
  ...peer,
  command: (prepared, threads) => (takes(prepared.workload) ? peer.command(prepared, threads) : undefined),
});

const mark = (program: string): Peer => ({
  name: 'mark',
  command: ({ workload, data }, threads) => ({
    program,
    args: [
      workload.family,
      workload.rule,
      String(workload.rate),
      workload.sizes.join(','),
      workload.arrays.map(countOf).join(','),
      data,
      String(threads),
    ],
  }),
});

/**
 * Thread counts for every BLAS and OpenMP there may be, and a processor for each of OpenMP's threads; huge pages and no trimming for
 * allocators that heed them.
 */
export const quiet = (threads: number, cap: Cap = uncapped): Record<string, string> => ({
  PYTHONDONTWRITEBYTECODE: '1',
  OMP_NUM_THREADS: String(threads),
  OPENBLAS_NUM_THREADS: String(threads),
  MKL_NUM_THREADS: String(threads),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=4294967296:glibc.malloc.mmap_threshold=4294967296',
  ...cap.variables,
  ...(threads === 1 ? {} : { OMP_PROC_BIND: 'true' }),
  XLA_FLAGS: [...(threads === 1 ? ['--xla_cpu_multi_thread_eigen=false'] : []), ...cap.xla].join(' '),
});

/** What keeps the libraries of peers to the instructions that tfc and the mark are compiled for. */
interface Cap {
  readonly variables: Readonly<Record<string, string>>;
  readonly xla: readonly string[];
}

const uncapped: Cap = { variables: {}, xla: [] };

/**
 * By the width of the CPU's vectors, so that a comparison on AVX2 can be made on any machine that has more. WebAssembly has vectors of 16
 * bytes everywhere.
 */
function capOf(cpu: string): Cap {
  if (cpu === 'native') return uncapped;
  const { vectorBytes } = x86.vectorsOfCpu(cpu);
  if (vectorBytes === 64) return uncapped;
  const [openBlas, oneDnn, mkl, aten, xla] =
    vectorBytes === 32 ? ['Haswell', 'AVX2', 'AVX2', 'avx2', 'AVX2'] : ['Nehalem', 'SSE41', 'SSE4_2', 'default', 'SSE4_2'];
  return {
    variables: { OPENBLAS_CORETYPE: openBlas, ONEDNN_MAX_CPU_ISA: oneDnn, MKL_ENABLE_INSTRUCTIONS: mkl, ATEN_CPU_CAPABILITY: aten },
    // One of XLA's libraries of products, which takes no cap, stays out.
    xla: [`--xla_cpu_max_isa=${xla}`, '--xla_cpu_experimental_ynn_fusion_type='],
  };
}

/** One thread means one processor for everyone; undefined where there is no `taskset`. */
export function pinned(command: PeerCommand, threads: number, processor: number): PeerCommand {
  if (threads > 1 || processor < 0) return command;
  return { ...command, program: 'taskset', args: ['-c', String(processor), command.program, ...command.args] };
}

/** The last processor that this process may use, or -1 where processes cannot be pinned. */
export function pinnable(): number {
  for (let processor = 63; processor >= 0; processor -= 1) {
    if (spawnSync('taskset', ['-c', String(processor), 'true'], { stdio: 'ignore' }).status === 0) return processor;
  }
  return -1;
}
