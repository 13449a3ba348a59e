// Messages of Arrow's IPC format, before the library reads them. In: a file or a stream. Out: the bytes of its messages, one behind
// another. Holds: apache-arrow believes every count that a message states, and would go round for each; here each vector lies inside of its
// message, a batch has no more values than its bytes could hold, and its buffers lie inside of its body. Source: Message.fbs and Schema.fbs
// of the format's description; FlatBuffers' tables.

import type { DataFile } from './data-file.js';
import { NotRead } from './optional-package.js';

/** What the messages may be: metadata longer than this describes no table. */
const longestMetadata = 2 ** 26;

/** Fields inside of one another. */
const deepest = 16;

/** Bytes that are handed on at once. */
const piece = 2 ** 20;

const headers = { schema: 1, dictionary: 2, batch: 3 } as const;

/** Types of fields that have vectors of their own (unions) or are none that a feed takes and nest (structs, maps, views, run ends). */
const simple = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 18, 19, 20, 21]);

/** @throws Error, RangeError for a message that is not intact; NotRead for compressed buffers. */
export function* arrowMessages(file: DataFile): Generator<Uint8Array> {
  const { start, end, footer } = bounds(file);
  let at = start;
  let isFirst = footer === undefined;
  if (footer !== undefined) yield* schemaMessage(footer);
  while (at + 4 <= end) {
    let head = file.read(Buffer.alloc(Math.min(8, end - at)), at);
    // Before version 0.15 there was the length alone.
    const isLong = head.readUInt32LE(0) === 0xffffffff;
    if (isLong && head.length < 8) throw new Error(`the message at byte ${at} is cut`);
    const length = head.readInt32LE(isLong ? 4 : 0);
    const from = at + (isLong ? 8 : 4);
    if (length === 0) break;
    if (length < 0 || length > longestMetadata || from + length > end) throw new Error(`a message of ${length} bytes at byte ${at}`);
    head = head.subarray(0, from - at);
    const metadata = file.read(new Uint8Array(length), from);
    const { type, body } = placed(at, () => contentOf(metadata, end - from - length));
    if (isFirst && type !== headers.schema) throw new Error('a stream that does not start with its schema');
    if (!isFirst && type === headers.schema && footer === undefined) throw new Error('a second schema');
    isFirst = false;
    at = from + length;
    // That of a file, if it has one here, is in its footer as well.
    if (type === headers.schema && footer !== undefined) continue;
    yield head;
    yield metadata;
    for (const last = at + body; at < last;) {
      const bytes = file.read(new Uint8Array(Math.min(piece, last - at)), at);
      yield bytes;
      at += bytes.length;
    }
  }
  if (isFirst) throw new Error('it has no messages');
  // The end of a stream.
  yield Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
}

/** What is wrong in the message that starts there says so. */
function placed<Result>(at: number, body: () => Result): Result {
  try {
    return body();
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof NotRead) throw cause;
    throw new Error(`${cause.message}, in the message at byte ${at}`, { cause });
  }
}

interface Bounds {
  readonly start: number;
  readonly end: number;
  /** Of a file. */
  readonly footer?: Uint8Array;
}

/** Where messages lie: all of a stream, or what is between a file's marks and before its footer. */
function bounds(file: DataFile): Bounds {
  const mark = 'ARROW1';
  const start = file.read(Buffer.alloc(Math.min(file.bytes, 6)), 0).toString('latin1');
  if (start !== mark) return { start: 0, end: file.bytes };
  if (file.bytes < 18) throw new Error('the file is cut');
  const tail = file.read(Buffer.alloc(10), file.bytes - 10);
  const length = tail.readInt32LE(0);
  if (tail.toString('latin1', 4) !== mark || length <= 0 || length > Math.min(file.bytes - 18, longestMetadata))
    throw new Error('it has no footer at its end');
  const end = file.bytes - 10 - length;
  return { start: 8, end, footer: file.read(new Uint8Array(length), end) };
}

/** The schema of a footer as a message: a table of its own, whose header is the table in the footer's bytes behind it. */
function* schemaMessage(footer: Uint8Array): Generator<Uint8Array> {
  const schema = Table.root(footer).table(1);
  if (schema === undefined) throw new Error('a footer without schema');
  requireSchema(schema);
  const bytes = Buffer.alloc(32 + Math.ceil(footer.length / 8) * 8);
  // The table at 16, with its list of fields at 4: version (V5), type and place of the header; it has no body.
  bytes.writeUInt32LE(16, 0);
  for (const [at, value] of [10, 12, 4, 6, 8].entries()) bytes.writeUInt16LE(value, 4 + 2 * at);
  bytes.writeInt32LE(12, 16);
  bytes.writeUInt16LE(4, 20);
  bytes.writeUInt8(headers.schema, 22);
  bytes.writeUInt32LE(32 + schema.at - 24, 24);
  bytes.set(footer, 32);
  const head = Buffer.alloc(8, 0xff);
  head.writeInt32LE(bytes.length, 4);
  yield head;
  yield bytes;
}

/** What a message is, and the length of the body that follows. `left`: bytes behind the metadata. */
function contentOf(metadata: Uint8Array, left: number): { readonly type: number; readonly body: number } {
  const message = Table.root(metadata);
  const body = Number(message.long(3));
  if (!(body >= 0 && body <= left)) throw new Error(`a body of ${body} bytes, and ${left} are there`);
  const type = message.byte(1);
  message.vector(4, 4);
  const header = message.table(2);
  if (header === undefined) throw new Error('a message without content');
  if (type === headers.schema) requireSchema(header);
  else if (type === headers.batch) requireBatch(header, body);
  else if (type === headers.dictionary) requireBatch(header.table(1), body);
  else throw new Error(`a message of type ${type}`);
  return { type, body };
}

function requireSchema(schema: Table): void {
  schema.vector(2, 4);
  schema.vector(3, 8);
  // No two fields share what describes them, so there are no more than fit.
  let left = schema.bytes / 4;
  const visit = (tables: readonly Table[], depth: number): void => {
    if (depth > deepest) throw new Error('fields in one another');
    for (const field of tables) {
      if (--left < 0) throw new Error('more fields than their description holds');
      field.vector(6, 4);
      if (!simple.has(field.byte(2))) throw new Error(`a field of type ${field.byte(2)}, which is not taken`);
      visit(field.tables(5), depth + 1);
    }
  };
  visit(schema.tables(1), 0);
}

function requireBatch(batch: Table | undefined, body: number): void {
  if (batch === undefined) throw new Error('a batch without content');
  if (batch.table(3) !== undefined)
    throw new NotRead('the buffers of this Arrow file are compressed, which is not read', "Write it with compression='uncompressed'.");
  // A value takes a bit at least.
  const most = BigInt(8 * body);
  const requireCount = (count: bigint): void => {
    if (count < 0n || count > most) throw new Error(`${count} values in ${body} bytes`);
  };
  requireCount(batch.long(0));
  for (const at of batch.vector(1, 16)) requireCount(batch.longAt(at));
  for (const at of batch.vector(2, 16)) {
    const [offset, length] = [batch.longAt(at), batch.longAt(at + 8)];
    if (offset < 0n || length < 0n || offset + length > BigInt(body)) throw new Error('a buffer lies outside of its message');
  }
  batch.vector(4, 8);
}

/** A table of FlatBuffers. Reading outside of the bytes throws. */
class Table {
  readonly #view: DataView;
  /** Where it lies. */
  readonly at: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  get bytes(): number {
    return this.#view.byteLength;
  }

  byte(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  long(field: number): bigint {
    const at = this.#place(field);
    return at === 0 ? 0n : this.longAt(at);
  }

  longAt(at: number): bigint {
    return this.#view.getBigInt64(at, true);
  }

  table(field: number): Table | undefined {
    const at = this.#place(field);
    return at === 0 ? undefined : this.#tableAt(at);
  }

  tables(field: number): readonly Table[] {
    return this.vector(field, 4).map((at) => this.#tableAt(at));
  }

  /** Where the elements of a vector lie. */
  vector(field: number, width: number): readonly number[] {
    const at = this.#place(field);
    if (at === 0) return [];
    const start = at + this.#view.getUint32(at, true);
    const count = this.#view.getUint32(start, true);
    if (start + 4 + count * width > this.bytes) throw new Error(`a list of ${count} in ${this.bytes} bytes`);
    return Array.from({ length: count }, (_, one) => start + 4 + one * width);
  }

  #tableAt(at: number): Table {
    return new Table(this.#view, at + this.#view.getUint32(at, true));
  }

  /** Where a field lies; 0: it has its default. */
  #place(field: number): number {
    const table = this.at - this.#view.getInt32(this.at, true);
    const entry = 4 + 2 * field;
    if (entry + 2 > this.#view.getUint16(table, true)) return 0;
    const offset = this.#view.getUint16(table + entry, true);
    return offset === 0 ? 0 : this.at + offset;
  }
}
