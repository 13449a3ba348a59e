// Event files, read without what writes them. In: bytes. Out: records whose checksums are right, and fields of messages by their numbers.
// Holds: nothing here shares code with the sources: the checksum goes bit by bit, messages are taken apart by the wire format alone.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  }
  return ~rest >>> 0;
}

const masked = (bytes: Uint8Array): number => {
  const sum = BigInt(crc32c(bytes));
  return Number((((sum >> 15n) | ((sum << 17n) & 0xffffffffn)) + 0xa282ead8n) & 0xffffffffn);
};

/** Whole records; a last one that is cut is left out. Throws for a checksum that is wrong. */
export function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at + 12 <= file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    if (file.readUInt32LE(at + 8) !== masked(file.subarray(at, at + 8))) throw new Error(`a wrong checksum of a length at ${at}`);
    if (at + 16 + length > file.length) break;
    const record = file.subarray(at + 12, at + 12 + length);
    if (file.readUInt32LE(at + 12 + length) !== masked(record)) throw new Error(`a wrong checksum of a record at ${at}`);
    records.push(record);
    at += 16 + length;
  }
  return records;
}

/** Values of a message by field number, in order: varints and 64 bits as bigint or double, 32 bits as float, the rest as bytes. */
export class Message {
  readonly #fields = new Map<number, (bigint | number | Buffer)[]>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++] as number;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asIntN(64, value);
      }
    };
    while (at < bytes.length) {
      const tag = Number(varint());
      const values = this.#fields.get(tag >> 3) ?? [];
      this.#fields.set(tag >> 3, values);
      switch (tag & 7) {
        case 0:
          values.push(varint());
          break;
        case 1:
          values.push(bytes.readDoubleLE(at));
          at += 8;
          break;
        case 2: {
          const length = Number(varint());
          values.push(bytes.subarray(at, at + length));
          at += length;
          break;
        }
        case 5:
          values.push(bytes.readFloatLE(at));
          at += 4;
          break;
        default:
          throw new Error(`no wire type ${tag & 7}`);
      }
    }
  }

  has = (field: number): boolean => this.#fields.has(field);
  all = (field: number): readonly (bigint | number | Buffer)[] => this.#fields.get(field) ?? [];
  /** 0 where it is left out. */
  number = (field: number): number => Number(this.all(field)[0] ?? 0);
  bytes = (field: number): Buffer => (this.all(field)[0] as Buffer | undefined) ?? Buffer.alloc(0);
  text = (field: number): string => this.bytes(field).toString('utf8');
  message = (field: number): Message => new Message(this.bytes(field));
  messages = (field: number): Message[] => this.all(field).map((one) => new Message(one as Buffer));
  texts = (field: number): string[] => this.all(field).map((one) => (one as Buffer).toString('utf8'));
  /** A packed list of doubles. */
  doubles = (field: number): number[] => {
    const packed = this.bytes(field);
    return Array.from({ length: packed.length / 8 }, (_, at) => packed.readDoubleLE(at * 8));
  };
  /** A map from text to messages. */
  map = (field: number): Map<string, Message> => new Map(this.messages(field).map((entry) => [entry.text(1), entry.message(2)]));
}

export const eventFilesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith('events.out.tfevents.'))
    .sort()
    .map((name) => join(directory, name));

export const eventsIn = (file: string): Message[] => recordsOf(readFileSync(file)).map((record) => new Message(record));

/** All values of all summaries of a file. */
export const valuesIn = (events: readonly Message[]): { readonly step: number; readonly tag: string; readonly value: Message }[] =>
  events.flatMap((event) =>
    event
      .message(5)
      .messages(1)
      .map((value) => ({ step: event.number(2), tag: value.text(1), value })),
  );
