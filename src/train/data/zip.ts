// ZIP archives (APPNOTE 6.3, with the 64-bit records that NumPy writes). In: a file. Out: its members: names, sizes, where they lie. Holds:
// what the directory says is held against the file and against the members' own headers; a member that is unpacked has the length and the
// checksum that are stated, and takes no more memory than that; what other programs may read otherwise (members that overlap, names given
// twice, encryption, other methods) is refused.

import { crc32, inflateRawSync } from 'node:zlib';
import { badData } from '../../input/json.js';
import { type DataFile, fileIn, partOf } from './data-file.js';

export interface ZipMember {
  readonly name: string;
  readonly isPacked: boolean;
  /** As it lies there, and unpacked. */
  readonly packed: number;
  readonly bytes: number;
  readonly crc: number;
  /** Of its data. */
  readonly offset: number;
}

const marks = { member: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;

/** 6.3, ten times: what a member may need of its reader. */
const newestVersion = 63;

/** More than any archive of arrays has. */
const longestDirectory = 2 ** 24;

/** Deflate writes two bits for 258 bytes at best. */
const bestCompression = 1032;

/** zlib unpacks no more into one buffer. */
const largestMember = 2 ** 31 - 1;

/** Errors: bad-data. */
export function readDirectory(path: string, file: DataFile): readonly ZipMember[] {
  const { count, offset, bytes, end } = directoryPlace(path, file);
  const wrong = (what: string): never => malformed(path, what);
  // Readers that look for it in front of its end, as Python's does, find the same.
  if (bytes > longestDirectory || offset + bytes !== end) wrong(`a directory of ${bytes} bytes at byte ${offset}`);
  const directory = file.read(Buffer.alloc(bytes), offset);
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < bytes) {
    if (at + 46 > bytes || directory.readUInt32LE(at) !== marks.entry) wrong(`no entry at byte ${offset + at}`);
    const [nameLength, extraLength, noteLength] = [
      directory.readUInt16LE(at + 28),
      directory.readUInt16LE(at + 30),
      directory.readUInt16LE(at + 32),
    ];
    const next = at + 46 + nameLength + extraLength + noteLength;
    if (next > bytes) wrong(`the entry at byte ${offset + at} is cut`);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
    if ((flags & 0x41) !== 0) wrong(`${JSON.stringify(name)} is encrypted`);
    if ((flags & 0x20) !== 0 || (directory[at + 6] ?? 0) > newestVersion)
      wrong(`${JSON.stringify(name)} is packed as later versions of the format have it`);
    if (method !== 0 && method !== 8) wrong(`${JSON.stringify(name)} is packed by method ${method}; stored and deflated members are read`);
    if (names.has(name)) wrong(`two members are called ${JSON.stringify(name)}`);
    names.add(name);
    const rawName = directory.subarray(at + 46, at + 46 + nameLength);
    const sizes = sizesOf(directory, at, nameLength, extraLength) ?? wrong(`${JSON.stringify(name)} has no valid sizes`);
    members.push(memberOf(path, file, rawName, { name, isPacked: method === 8, crc: directory.readUInt32LE(at + 16), ...sizes }, offset));
    at = next;
  }
  if (members.length !== count) wrong(`${count} members are promised, ${members.length} are there`);
  let last = 0;
  for (const { name, offset: start, packed } of [...members].sort((a, b) => a.offset - b.offset)) {
    if (start < last) wrong(`${JSON.stringify(name)} overlaps another member`);
    last = start + packed;
  }
  return members;
}

/** Where the directory lies. */
function directoryPlace(
  path: string,
  file: DataFile,
): { readonly count: number; readonly offset: number; readonly bytes: number; readonly end: number } {
  // A comment of up to 64 KiB may stand behind the last record.
  const length = Math.min(file.bytes, 22 + 65_535 + 20);
  const start = file.bytes - length;
  const tail = file.read(Buffer.alloc(length), start);
  let at = length - 22;
  while (at >= 0 && !(tail.readUInt32LE(at) === marks.end && at + 22 + tail.readUInt16LE(at + 20) === length)) at -= 1;
  if (at < 0) malformed(path, 'it has no directory at its end');
  const [disk, count, bytes, offset] = [
    tail.readUInt32LE(at + 4),
    tail.readUInt16LE(at + 10),
    tail.readUInt32LE(at + 12),
    tail.readUInt32LE(at + 16),
  ];
  const end = start + at;
  if (at >= 20 && tail.readUInt32LE(at - 20) === marks.locator64) {
    const record = Number(tail.readBigUInt64LE(at - 12));
    if (record + 56 > end - 20) malformed(path, `a record at byte ${record}`);
    const long = file.read(Buffer.alloc(56), record);
    if (long.readUInt32LE(0) !== marks.end64) malformed(path, `no record at byte ${record}`);
    return {
      count: Number(long.readBigUInt64LE(32)),
      bytes: Number(long.readBigUInt64LE(40)),
      offset: Number(long.readBigUInt64LE(48)),
      end: record,
    };
  }
  if (disk !== 0) malformed(path, 'a part of an archive on several disks');
  return { count, bytes, offset, end };
}

/** Sizes of 32 bits, or of 64 in the extra field where these are all ones. */
function sizesOf(
  directory: Buffer,
  at: number,
  nameLength: number,
  extraLength: number,
): { readonly bytes: number; readonly packed: number; readonly header: number } | undefined {
  const short = {
    packed: directory.readUInt32LE(at + 20),
    bytes: directory.readUInt32LE(at + 24),
    header: directory.readUInt32LE(at + 42),
  };
  const end = at + 46 + nameLength + extraLength;
  let field = at + 46 + nameLength;
  let [long, last] = [0, 0];
  for (let length = 0; field + 4 <= end; field += 4 + length) {
    length = directory.readUInt16LE(field + 2);
    if (field + 4 + length > end) return undefined;
    if (directory.readUInt16LE(field) === 1 && last === 0) [long, last] = [field + 4, field + 4 + length];
  }
  const wide = (value: number): number => {
    if (value !== 0xffffffff) return value;
    if (long + 8 > last) return Number.NaN;
    long += 8;
    return Number(directory.readBigUInt64LE(long - 8));
  };
  const bytes = wide(short.bytes);
  const packed = wide(short.packed);
  const header = wide(short.header);
  return [bytes, packed, header].every(Number.isSafeInteger) ? { bytes, packed, header } : undefined;
}

/** `header`: where the member's own header lies; `rawName`: as the directory has it. */
function memberOf(
  path: string,
  file: DataFile,
  rawName: Buffer,
  { header, ...member }: Omit<ZipMember, 'offset'> & { readonly header: number },
  end: number,
): ZipMember {
  const name = JSON.stringify(member.name);
  if (header + 30 > end) malformed(path, `${name} lies outside of the file`);
  const own = file.read(Buffer.alloc(30), header);
  if (own.readUInt32LE(0) !== marks.member) malformed(path, `${name} is not at byte ${header}`);
  const offset = header + 30 + own.readUInt16LE(26) + own.readUInt16LE(28);
  if (offset + member.packed > end) malformed(path, `${name} is cut`);
  if (own.readUInt16LE(26) !== rawName.length || !file.read(Buffer.alloc(rawName.length), header + 30).equals(rawName))
    malformed(path, `${name} has another name in its place`);
  if (own.readUInt16LE(8) !== (member.isPacked ? 8 : 0)) malformed(path, `${name} is packed otherwise than the directory says`);
  if (!member.isPacked && member.packed !== member.bytes) malformed(path, `${name} has two sizes`);
  if (member.bytes > bestCompression * member.packed + 64)
    malformed(path, `${name} promises ${member.bytes} bytes, more than ${member.packed} packed ones can hold`);
  return { ...member, offset };
}

/** A member as a file: in its place when it is stored, else in memory. Errors: bad-data. */
export function memberFile(path: string, file: DataFile, member: ZipMember): DataFile {
  const { name, offset, packed, bytes, crc } = member;
  if (!member.isPacked) return partOf(file, offset, bytes);
  if (bytes > largestMember || packed > largestMember)
    throw badData(`${path}: ${name} has ${bytes} bytes, too many to be unpacked`, 'Save it unpacked: numpy.savez.');
  let data: Buffer;
  try {
    // One byte more, so that more than promised is seen; it is taken as it fills.
    data = inflateRawSync(file.read(Buffer.allocUnsafeSlow(packed), offset), { maxOutputLength: bytes + 1 });
  } catch (error) {
    return malformed(
      path,
      `${name}: ${error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? `${bytes} bytes are promised, and more are there` : 'damaged deflate data'}`,
    );
  }
  if (data.length !== bytes) malformed(path, `${name}: ${bytes} bytes are promised, ${data.length} are there`);
  if (crc32(data) !== crc) malformed(path, `${name} does not have its checksum`);
  return fileIn(data);
}

/** Errors: bad-data when a stored member, which was read into memory, does not have its checksum. */
export function requireChecksum(path: string, file: DataFile, { name, offset, bytes, crc }: ZipMember): void {
  let sum = 0;
  for (let at = 0; at < bytes; at += 2 ** 20)
    sum = crc32(file.read(Buffer.allocUnsafeSlow(Math.min(2 ** 20, bytes - at)), offset + at), sum);
  if (sum !== crc) malformed(path, `${name} does not have its checksum`);
}

function malformed(path: string, what: string): never {
  throw badData(`${path}: malformed ZIP archive: ${what}`);
}
