// What other readers take for files of the kinds that tfc reads. In: bytes. Out: undefined where they refuse, or what is in it. Holds:
// written after the formats' descriptions, not after the readers under test.

import { constants, crc32, inflateRawSync } from 'node:zlib';

/** Members of a gzip file (RFC 1952), each with its checksum and length; behind the last, zeros. Undefined: damaged. */
export function modelGunzip(bytes: Uint8Array): Uint8Array | undefined {
  const file = Buffer.from(bytes);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < file.length) {
    if (parts.length > 0 && file.subarray(at).every((byte) => byte === 0)) break;
    const header = gzipHeader(file, at);
    if (header === undefined) return undefined;
    let member: { buffer: Buffer; engine: { bytesWritten: number } };
    try {
      // Its description in Node's types lacks what `info` gives.
      member = inflateRawSync(file.subarray(header), {
        info: true,
        finishFlush: constants.Z_FINISH,
        maxOutputLength: 2 ** 26,
      }) as unknown as typeof member;
    } catch {
      return undefined;
    }
    at = header + member.engine.bytesWritten;
    if (at + 8 > file.length || crc32(member.buffer) !== file.readUInt32LE(at) || member.buffer.length >>> 0 !== file.readUInt32LE(at + 4))
      return undefined;
    at += 8;
    parts.push(member.buffer);
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

/** Where the data of the member at `at` begins. */
function gzipHeader(file: Buffer, at: number): number | undefined {
  if (file.length < at + 18 || file[at] !== 0x1f || file[at + 1] !== 0x8b || file[at + 2] !== 8) return undefined;
  const flags = file[at + 3] as number;
  if ((flags & 0xe0) !== 0) return undefined;
  let next = at + 10;
  if ((flags & 4) !== 0) next += 2 + file.readUInt16LE(next);
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = file.indexOf(0, next);
    if (end < 0) return undefined;
    next = end + 1;
  }
  if ((flags & 2) !== 0) next += 2;
  return next < file.length ? next : undefined;
}

/**
 * ZIP archives as Python's `zipfile` reads them, by which NumPy does. Undefined: no archive; a member that it refuses is undefined.
 */
export function modelZip(bytes: Uint8Array): ReadonlyMap<string, Uint8Array | undefined> | undefined {
  const file = Buffer.from(bytes);
  let end = file.length - 22;
  while (end >= 0 && !(file.readUInt32LE(end) === 0x06054b50 && (end === file.length - 22 || end >= file.length - 65_557))) end -= 1;
  if (end < 0) return undefined;
  const [length, offset] = [file.readUInt32LE(end + 12), file.readUInt32LE(end + 16)];
  // Whatever stands before the archive moves all of it.
  const moved = end - length - offset;
  const members = new Map<string, Uint8Array | undefined>();
  let at = offset + moved;
  if (at < 0) return undefined;
  while (at < end) {
    if (at + 46 > end || file.readUInt32LE(at) !== 0x02014b50 || (file[at + 6] ?? 0) > 63) return undefined;
    const [nameLength, extraLength, noteLength] = [file.readUInt16LE(at + 28), file.readUInt16LE(at + 30), file.readUInt16LE(at + 32)];
    const extra = file.subarray(at + 46 + nameLength, Math.min(end, at + 46 + nameLength + extraLength));
    for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2))
      if (field + 4 + extra.readUInt16LE(field + 2) > extra.length) return undefined;
    members.set(file.toString('utf8', at + 46, at + 46 + nameLength), zipMember(file, at, moved));
    at += 46 + nameLength + extraLength + noteLength;
  }
  return members;
}

/** The data of the member whose entry of the directory stands at `entry`. */
function zipMember(file: Buffer, entry: number, moved: number): Uint8Array | undefined {
  const [flags, method, sum] = [file.readUInt16LE(entry + 8), file.readUInt16LE(entry + 10), file.readUInt32LE(entry + 16)];
  const [packed, size, name] = [file.readUInt32LE(entry + 20), file.readUInt32LE(entry + 24), file.readUInt16LE(entry + 28)];
  const header = file.readUInt32LE(entry + 42) + moved;
  if ((flags & 0x61) !== 0 || header < 0 || header + 30 > file.length || file.readUInt32LE(header) !== 0x04034b50) return undefined;
  const own = file.readUInt16LE(header + 26);
  if (!file.subarray(header + 30, header + 30 + own).equals(file.subarray(entry + 46, entry + 46 + name))) return undefined;
  const start = header + 30 + own + file.readUInt16LE(header + 28);
  const raw = file.subarray(start, start + packed);
  let data: Uint8Array;
  try {
    data = method === 0 ? raw : inflateRawSync(raw, { maxOutputLength: 2 ** 26 });
  } catch {
    return undefined;
  }
  return (method === 0 || method === 8) && data.length === size && crc32(data) === sum ? data : undefined;
}

/** IDX (described at the MNIST data set), unsigned bytes. */
export function modelIdx(bytes: Uint8Array): { readonly shape: readonly number[]; readonly data: Uint8Array } | undefined {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = packed ? modelGunzip(bytes) : bytes;
  if (unpacked === undefined) return undefined;
  const file = Buffer.from(unpacked);
  if (file.length < 4 || file.readUInt16BE(0) !== 0 || file[2] !== 8) return undefined;
  const rank = file[3] as number;
  if (rank < 1 || file.length < 4 + 4 * rank) return undefined;
  const shape = Array.from({ length: rank }, (_, axis) => file.readUInt32BE(4 + 4 * axis));
  const data = file.subarray(4 + 4 * rank);
  return shape.reduce((product, size) => product * BigInt(size), 1n) === BigInt(data.length) ? { shape, data } : undefined;
}

const widths: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
  F8_E8M0: 1,
};

export interface ModelTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Safetensors, as the format's description and its own reader have it. */
export function modelSafetensors(bytes: Uint8Array): ReadonlyMap<string, ModelTensor> | undefined {
  const file = Buffer.from(bytes);
  if (file.length < 8) return undefined;
  const length = file.readBigUInt64LE(0);
  if (length > 100_000_000n || length > BigInt(file.length - 8)) return undefined;
  const start = 8 + Number(length);
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.subarray(8, start));
    header = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!text.startsWith('{') || hasTwins(text, 2) || !isRecord(header)) return undefined;
  const tensors = new Map<string, ModelTensor>();
  const places: [number, number][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isRecord(value) || !Object.values(value).every((one) => typeof one === 'string')) return undefined;
      continue;
    }
    if (!isRecord(value)) return undefined;
    const { dtype, shape, data_offsets: offsets } = value;
    const width = typeof dtype === 'string' && Object.hasOwn(widths, dtype) ? (widths[dtype] as number) : undefined;
    if (width === undefined || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) return undefined;
    const [begin, end] = offsets as [number, number];
    const needed = shape.reduce((product, size) => product * BigInt(size), BigInt(width));
    if (begin > end || BigInt(end - begin) !== needed) return undefined;
    places.push([begin, end]);
    tensors.set(name, { dtype: dtype as string, shape, bytes: file.subarray(start + begin, start + end) });
  }
  let at = 0;
  for (const [begin, end] of places.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== at) return undefined;
    at = end;
  }
  return start + at === file.length ? tensors : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0));

/** Whether an object of a JSON text, down to so many levels, has a member twice. The text is JSON. */
export function hasTwins(text: string, levels = Infinity): boolean {
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/g) ?? [];
  for (const [at, token] of tokens.entries()) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (tokens[at + 1] === ':' && token.startsWith('"')) {
      const name = JSON.parse(token) as string;
      const names = open.at(-1);
      if (names?.has(name) === true && open.length <= levels) return true;
      names?.add(name);
    }
  }
  return false;
}
