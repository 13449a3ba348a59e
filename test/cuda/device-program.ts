// A program of kernels on the emulated device, launch after launch. In: a CUDA module, sizes, feeds and variables. Out: outputs, and
// variables afterwards. Holds: every buffer of the caller and every slot of the arena is an allocation of its own, so an access beyond one
// is found; what nothing wrote is NaN.

import { allocate, elements } from '../../runtime/element.js';
import { memoryOf } from '../../codegen/analysis/plan.js';
import { bindSizes } from '../../src/eval/index.js';
import { bytesOf, type Dim } from '../../src/base/index.js';
import type { Buffer as KernelBuffer, Expr } from '../../src/kernel/index.js';
import type { DeviceCode, DeviceFunction, DeviceProgram } from '../../src/target/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { argument, hex, moduleLine, runScript, type Settings } from './emulator.js';

export interface DeviceInputs {
  /** In the entry's order. */
  readonly feeds: readonly TensorValue[];
  /** All variables of the module, in its order; undefined: without a value. */
  readonly variables?: readonly (TensorValue | undefined)[];
  readonly dims: ReadonlyMap<string, number>;
  readonly settings?: Settings;
}

export interface DeviceResult {
  readonly outputs: readonly TensorValue[];
  readonly variables: readonly (TensorValue | undefined)[];
  /** 0, or what the program's checks say. */
  readonly status: number;
  /** Bytes that its launches moved, in sectors of 32. */
  readonly moved: Moved;
}

/** What launches read before they wrote it, and wrote, each sector once in a launch; and what they asked the cache for. */
export interface Moved {
  readonly read: number;
  readonly written: number;
  readonly asked: number;
}

/** A place of memory with elements at positions. */
interface Place {
  readonly key: string;
  readonly buffer: KernelBuffer;
  readonly shape: readonly number[];
  readonly positions: readonly number[];
  readonly bytes: number;
}

/** Errors: what the emulated driver says of the first call that fails. */
export function runOnDevice(module: DeviceCode, which: number, inputs: DeviceInputs): DeviceResult {
  const { program, launches } = module.programs[which] as DeviceProgram;
  const { feeds, variables = [] } = inputs;
  const dims = bindSizes(
    program.buffers.flatMap(({ role, name, shape }) => {
      const value = role.kind === 'feed' ? feeds[role.index] : role.kind === 'variable' ? variables[role.index] : undefined;
      return value === undefined ? [] : [{ what: name, shape, sizes: value.shape }];
    }),
    inputs.dims,
  );
  const size = (dim: Dim): number => dim.evaluate(dims) ?? NaN;
  const places = placesOf(program.buffers, size);
  const room = new Map<string, number>(places.map(({ key, bytes }) => [key, bytes]));
  for (const [at, slot] of program.arena.slots.entries()) room.set(`slot${at}`, Math.max(0, ...slot.bytes.map(size)));
  const lines = ['begin', moduleLine('m', module.text)];
  const functionOf = (fn: number): DeviceFunction => module.functions[fn] as DeviceFunction;
  for (const { name, shared } of new Set(launches.map(({ fn }) => functionOf(fn))))
    lines.push(`function ${name} m ${name}`, ...(shared > 0 ? [`cuFuncSetAttribute h:${name} 8 ${shared}`] : []));
  for (const [key, bytes] of room) lines.push(`alloc ${key} ${Math.max(1, bytes)}`);
  for (const place of places) {
    const { role } = place.buffer;
    const value = role.kind === 'feed' ? feeds[role.index] : role.kind === 'variable' ? variables[role.index] : undefined;
    if (value !== undefined && place.bytes > 0) lines.push(`upload ${place.key} ${hex(encoded(place, value))}`);
  }
  const sizes = program.dims.map((dim) => argument({ u64: BigInt(dims.get(dim) ?? 0) }));
  const calls = program.kernels.map(({ buffers }, at): string => {
    const { fn, blocks, guarded } = launches[at] as DeviceProgram['launches'][number];
    const count = blocks === undefined ? 1 : evaluated(blocks, size);
    const status = guarded ? [`output${program.check?.output}`] : [];
    const args = [...buffers.map((buffer) => memoryOf(buffer, program.arena).key), ...sizes, ...status].join(' ');
    return count <= 0 ? '' : `launch ${functionOf(fn).name} ${count} 1 1 ${module.threads} 1 1 ${functionOf(fn).shared} - ${args}`;
  });
  const left = places.filter(({ buffer: { role } }) => role.kind === 'output' || role.kind === 'variable');
  const read = left.filter(({ bytes }) => bytes > 0).map(({ key, bytes }) => `download ${key} ${bytes}`);
  const [counts = '', ...texts] = call(
    [...lines, ...calls.filter((one) => one !== ''), 'cuCtxSynchronize', 'fault', 'counts', ...read],
    inputs,
  );
  const [, , , bytesRead = 0, bytesWritten = 0, asked = 0] = counts.split(' ').map(Number);
  const found = valuesIn(texts, left);
  const outputs: TensorValue[] = [];
  const after = [...variables];
  for (const [at, { buffer }] of left.entries()) {
    const { role } = buffer;
    if (role.kind === 'output') outputs[role.index] = found[at] as TensorValue;
    else if (role.kind === 'variable') after[role.index] = found[at];
  }
  const status = program.check === undefined ? 0 : Number(outputs[program.check.output]?.data[0]);
  return { outputs, variables: after, status, moved: { read: bytesRead, written: bytesWritten, asked } };
}

/** The texts of what the last lines read. */
function call(lines: readonly string[], { settings }: DeviceInputs): readonly string[] {
  const replies = runScript(lines, settings);
  const failed = replies.findIndex(({ status, text }, at) => status !== 0 || (lines[at] === 'fault' && text !== ''));
  const fault = replies.find(({ text }, at) => lines[at] === 'fault' && text !== '');
  if (failed >= 0)
    throw new Error(`${(lines[failed] ?? '').split('\n')[0]}: ${replies[failed]?.status} ${replies[failed]?.text} ${fault?.text ?? ''}`);
  return replies.flatMap(({ text }, at) => (/^(download |counts$)/.test(lines[at] ?? '') ? [text] : []));
}

function placesOf(buffers: readonly KernelBuffer[], size: (dim: Dim) => number): readonly Place[] {
  const found = new Map<string, Place>();
  for (const buffer of buffers) {
    const { role, dtype } = buffer;
    if (!('index' in role)) continue;
    const [shape, strides] = [buffer.shape.map(size), buffer.strides.map(size)];
    let positions = [0];
    for (const [axis, count] of shape.entries())
      positions = positions.flatMap((start) => Array.from({ length: count }, (_, at) => start + at * (strides[axis] ?? 0)));
    const key = `${role.kind}${role.index}`;
    if (!found.has(key))
      found.set(key, {
        key,
        buffer,
        shape,
        positions,
        bytes: (positions.reduce((most, one) => Math.max(most, one), -1) + 1) * bytesOf(dtype),
      });
  }
  return [...found.values()];
}

function encoded({ buffer: { dtype }, positions, bytes }: Place, { data }: TensorValue): ArrayBufferView {
  const { patterns } = elements[dtype];
  const into = allocate(dtype, bytes / bytesOf(dtype));
  positions.forEach((position, at) => (into[position] = (patterns?.fromNumber(Number(data[at])) ?? data[at]) as never));
  return into;
}

function valuesIn(texts: readonly string[], places: readonly Place[]): readonly TensorValue[] {
  let next = 0;
  return places.map(({ buffer: { dtype }, shape, positions, bytes }) => {
    const raw = bytes === 0 ? new Uint8Array() : Uint8Array.from(Buffer.from(texts[next++] ?? '', 'hex'));
    const all = allocate(dtype, 0).constructor as new (buffer: ArrayBufferLike) => ArrayLike<number | bigint>;
    const read = new all(raw.buffer);
    const decode = elements[dtype].patterns?.toNumber;
    return tensorValue(
      dtype,
      shape,
      positions.map((position) => (decode === undefined ? (read[position] as number | bigint) : decode(Number(read[position])))),
    );
  });
}

/** Of sizes alone. */
export function evaluated(expr: Expr, size: (dim: Dim) => number): number {
  if (expr.kind === 'const') return Number(expr.value);
  if (expr.kind === 'size') return size(expr.dim);
  if (expr.kind !== 'apply') throw new Error(`${expr.kind} is not decided by sizes`);
  const [a = NaN, b = NaN, c = NaN] = expr.args.map((arg) => evaluated(arg, size));
  const values: Readonly<Record<string, number>> = {
    add: a + b,
    sub: a - b,
    mul: a * b,
    neg: -a,
    div: b === 0 ? 0 : Math.trunc(a / b),
    rem: b === 0 ? a : a % b,
    min: Math.min(a, b),
    max: Math.max(a, b),
    ge: Number(a >= b),
    not: Number(a === 0),
    select: a === 0 ? c : b,
  };
  const value = values[expr.fn];
  if (value === undefined) throw new Error(`${expr.fn} of sizes`);
  return value;
}
