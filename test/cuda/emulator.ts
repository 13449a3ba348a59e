// The emulated CUDA driver, for tests; or a real one, which `TFC_CUDA_LIBRARY` names. In: calls, as lines for the harness. Out: its
// replies: the driver's status and what the call gave. Holds: the library and the harness are built on first use (scripts/emulator.mjs);
// every script has a process, so a device, of its own.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const built = `${root}build/cuda/`;
const library = process.env['TFC_CUDA_LIBRARY'] ?? `${built}libcuda.so.1`;
let ready = false;

function build(): void {
  if (!ready) execFileSync(process.execPath, [`${root}scripts/emulator.mjs`], { stdio: ['ignore', 'ignore', 'pipe'] });
  ready = true;
}

/** What a call returned (0: success), and what else the harness says of it. */
export interface Reply {
  readonly status: number;
  readonly text: string;
}

/** What the driver is told: names of tfcCudaControl, such as `seed`, `memory`, `lazy`, `races`, `fault`. */
export type Settings = Readonly<Record<string, number>>;

/** Runs the harness on lines; a module is a line and its text. */
export function runScript(lines: readonly string[], settings: Settings = {}): Reply[] {
  build();
  const told = Object.entries(settings).map(([name, value]) => [`TFC_CUDA_${name.toUpperCase().replaceAll('-', '_')}`, String(value)]);
  const out = execFileSync(`${built}harness`, [library], {
    input: lines.map((line) => `${line}\n`).join(''),
    env: { ...process.env, ...(Object.fromEntries(told) as Record<string, string>) },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const space = line.indexOf(' ');
      return space < 0 ? { status: Number(line), text: '' } : { status: Number(line.slice(0, space)), text: line.slice(space + 1) };
    });
}

/** The line that loads a module. */
export const moduleLine = (name: string, ptx: string): string => `module ${name} ${Buffer.byteLength(ptx) + 1}\n${ptx}`;

export const hex = (data: ArrayBufferView): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

export type Argument = string | { readonly u32: number } | { readonly u64: bigint } | { readonly f32: number };

/** An argument as the harness reads it: a buffer's name (with `+bytes`), or bytes. */
export function argument(one: Argument): string {
  if (typeof one === 'string') return one;
  if ('u32' in one) return `x:${hex(Uint32Array.of(one.u32))}`;
  return 'u64' in one ? `x:${hex(BigUint64Array.of(one.u64))}` : `x:${hex(Float32Array.of(one.f32))}`;
}

type Data = Float32Array | Float64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array | BigUint64Array;

export interface Launch<B extends Readonly<Record<string, Data>>> {
  readonly ptx: string;
  readonly kernel: string;
  readonly grid?: number;
  readonly block?: number;
  /** Dynamic shared memory in bytes. */
  readonly shared?: number;
  readonly buffers: B;
  readonly args: readonly Argument[];
  readonly settings?: Settings;
  /** Lines between the buffers and the launch, such as `tensor-map …`. */
  readonly before?: readonly string[];
}

export interface Launched<B> {
  /** What the driver says of the launch when it is over. */
  readonly status: number;
  /** What went wrong, in the emulator's words. */
  readonly fault: string;
  /** The buffers afterwards; empty after a fault. */
  readonly buffers: B;
}

/** One launch: buffers are allocated as large as they are, filled, and read back. */
export function launch<B extends Readonly<Record<string, Data>>>(what: Launch<B>): Launched<B> {
  const names = Object.keys(what.buffers);
  const { grid = 1, block = 32, shared = 0, before = [] } = what;
  const setUp = [
    'begin',
    moduleLine('m', what.ptx),
    `function f m ${what.kernel}`,
    ...names.flatMap((name) => [`alloc ${name} ${what.buffers[name]!.byteLength}`, `upload ${name} ${hex(what.buffers[name]!)}`]),
    ...(shared > 0 ? [`cuFuncSetAttribute h:f 8 ${shared}`] : []),
    ...before,
    `launch f ${grid} 1 1 ${block} 1 1 ${shared} - ${what.args.map(argument).join(' ')}`,
  ];
  const replies = runScript(
    [...setUp, 'cuCtxSynchronize', 'fault', ...names.map((name) => `download ${name} ${what.buffers[name]!.byteLength}`)],
    what.settings,
  );
  const failed = replies.slice(0, setUp.length).find((reply) => reply.status !== 0);
  if (failed !== undefined) throw new Error(`set-up of ${what.kernel} failed: ${failed.status} ${failed.text}`);
  const [done, fault, ...contents] = replies.slice(setUp.length);
  const buffers = names.map((name, at): [string, Data] => {
    const bytes = Buffer.from(contents[at]!.text, 'hex');
    const type = what.buffers[name]!.constructor as new (data: ArrayBufferLike) => Data;
    return [name, new type(Uint8Array.from(bytes).buffer)];
  });
  return { status: done!.status, fault: fault!.text, buffers: Object.fromEntries(buffers) as B };
}

/** The head of a module. */
export const header = (target = 'sm_80', version = '7.5'): string => `.version ${version}\n.target ${target}\n.address_size 64\n`;
