// Storage of a running program. In: a program, sizes, feeds and variables. Out: one memory per place, and what the entry left behind.
// Holds: buffers with the same role and number share one memory; elements that nothing wrote are known as such.

import { bytesOf, type Dim, type DType, InternalError } from '../../base/index.js';
import type { Buffer, Program } from '../../kernel/index.js';
import type { TensorValue } from '../../ops/index.js';

export type Elements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Where a buffer lives: several buffers may show one memory. */
export interface Place {
  readonly id: number;
  readonly buffer: Buffer;
  readonly shape: readonly number[];
  /** Elements from the first to behind the last, with gaps. */
  readonly extent: number;
  /** Where the elements lie, in row-major order; undefined: one after the other. */
  readonly positions: Int32Array | undefined;
  /** Of the arena, when it is simulated. */
  readonly slot: number | undefined;
}

export interface Memory {
  readonly data: Elements;
  /** 1 where an element has a value; undefined for feeds, whose elements all have one. */
  readonly written: Uint8Array | undefined;
}

export const trouble = (message: string): InternalError => new InternalError('kernel interpreter', message);

export function sizeOf(dim: Dim, dims: ReadonlyMap<string, number>): number {
  const size = dim.evaluate(dims);
  if (size === undefined) throw trouble(`the size ${dim.toString()} has no value`);
  return size;
}

/** The places of a program's buffers, by buffer name. */
export function placesOf(program: Program, dims: ReadonlyMap<string, number>, arena: boolean): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const shared = new Map<string, Place>();
  let count = 0;
  for (const buffer of program.buffers) {
    const { role, name } = buffer;
    const shape = buffer.shape.map((dim) => sizeOf(dim, dims));
    const strides = buffer.strides.map((dim) => sizeOf(dim, dims));
    if (shape.some((size) => size < 0)) throw trouble(`${name} has the shape [${shape.join(', ')}]`);
    const extent = shape.includes(0) ? 0 : 1 + shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] as number), 0);
    const key = 'index' in role ? `${role.kind} ${role.index}` : `${role.kind} ${name}`;
    const twin = shared.get(key);
    if (twin !== undefined && (twin.extent !== extent || twin.buffer.dtype !== buffer.dtype))
      throw trouble(`${name} and ${twin.buffer.name} are one ${key} and differ in size`);
    const slot = arena ? program.arena.slotOf.get(name) : undefined;
    const place: Place = { id: twin?.id ?? count++, buffer, shape, extent, positions: positionsOf(shape, strides, extent), slot };
    if (arena && role.kind === 'temporary') checkSlot(program, place, dims);
    shared.set(key, twin ?? place);
    places.set(name, place);
  }
  return places;
}

/** Shared memory of a kernel, which no other kernel sees. */
export function sharedPlace(buffer: Buffer, id: number): Place {
  const shape = buffer.shape.map((dim) => dim.constant ?? 0);
  return { id, buffer, shape, extent: shape.reduce((product, size) => product * size, 1), positions: undefined, slot: undefined };
}

function positionsOf(shape: readonly number[], strides: readonly number[], extent: number): Int32Array | undefined {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count === extent) return undefined;
  let positions = [0];
  for (const [axis, size] of shape.entries())
    positions = positions.flatMap((start) => Array.from({ length: size }, (_, at) => start + at * (strides[axis] as number)));
  return Int32Array.from(positions);
}

function checkSlot(program: Program, place: Place, dims: ReadonlyMap<string, number>): void {
  const { name, dtype } = place.buffer;
  const slot = place.slot === undefined ? undefined : program.arena.slots[place.slot];
  if (slot === undefined) throw trouble(`the arena has no slot for ${name}`);
  const room = Math.max(0, ...slot.bytes.map((dim) => sizeOf(dim, dims)));
  const needed = place.extent * bytesOf(dtype);
  if (needed > room) throw trouble(`${name} needs ${needed} bytes and its slot ${place.slot} has ${room}`);
}

function elements(dtype: DType, count: number): Elements {
  switch (dtype) {
    case 'f64':
      return new Float64Array(count);
    case 'f32':
    case 'f16':
    case 'bf16':
    case 'f8e4m3':
    case 'f8e5m2':
      return new Float32Array(count);
    case 'i8':
      return new Int8Array(count);
    case 'i16':
      return new Int16Array(count);
    case 'i32':
      return new Int32Array(count);
    case 'i64':
      return new BigInt64Array(count);
    case 'u8':
    case 'bool':
      return new Uint8Array(count);
    case 'u16':
      return new Uint16Array(count);
    case 'u32':
      return new Uint32Array(count);
    case 'u64':
      return new BigUint64Array(count);
  }
}

/** Fresh memory of a place, filled with `value` if there is one. */
export function memoryOf(place: Place, value: TensorValue | undefined): Memory {
  const { buffer, shape, extent, positions } = place;
  const data = elements(buffer.dtype, extent);
  const { role, name, dtype } = buffer;
  if (value === undefined) {
    if (role.kind === 'feed') throw trouble(`no value for the feed ${name}`);
    return { data, written: new Uint8Array(extent) };
  }
  if (value.dtype !== dtype) throw trouble(`${name} is ${dtype} and gets ${value.dtype}`);
  if (value.shape.length !== shape.length || value.shape.some((size, axis) => size !== shape[axis])) {
    throw trouble(`${name} has the shape [${shape.join(', ')}] and gets [${value.shape.join(', ')}]`);
  }
  // Storing rounds to the dtype; narrow floats are rounded when they are computed with.
  if (positions === undefined) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(value.data as BigInt64Array);
    else data.set(value.data as Float64Array);
  } else positions.forEach((position, at) => (data[position] = value.data[at] as never));
  if (role.kind === 'feed') return { data, written: undefined };
  const written = new Uint8Array(extent);
  if (positions === undefined) written.fill(1);
  // What lies behind a row has no value.
  else for (const position of positions) written[position] = 1;
  return { data, written };
}

/** The value that a place holds; undefined when nothing was ever written, an error when only a part was. */
export function valueOf(place: Place, memory: Memory): TensorValue | undefined {
  const { buffer, shape, positions } = place;
  const written = memory.written === undefined ? undefined : inOrder(memory.written, positions);
  const holes = written?.reduce((count, one) => count + (one === 0 ? 1 : 0), 0) ?? 0;
  if (holes === written?.length && holes > 0) return undefined;
  if (holes > 0) throw trouble(`${holes} of ${written?.length} elements of ${buffer.name} were never written`);
  const data = inOrder(memory.data, positions);
  return {
    dtype: buffer.dtype,
    shape,
    data: data instanceof BigInt64Array || data instanceof BigUint64Array ? data.slice() : Float64Array.from(data),
  };
}

/** What stands at the positions, or everything. */
function inOrder<All extends Elements>(all: All, positions: Int32Array | undefined): All {
  if (positions === undefined) return all;
  const picked = all.slice(0, positions.length) as All;
  positions.forEach((position, at) => (picked[at] = all[position] as never));
  return picked;
}
