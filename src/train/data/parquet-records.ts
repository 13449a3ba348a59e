// Parquet files as records, by hyparquet. In: a path. Out: one block per row group, with the columns that are asked for. Holds: what the
// file says of sizes is held against its length before anything is read by it; whatever hyparquet makes of a damaged file is a diagnostic.

import type * as Hyparquet from 'hyparquet';
import { createRequire } from 'node:module';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { heldBy, holds } from '../../../runtime/element.js';
import { badData } from '../../input/json.js';
import { type DataFile, openDataFile } from './data-file.js';
import { foreign, NotRead, optionalPackage } from './optional-package.js';
import type { Cells, RecordBlock, RecordSource } from './records.js';

const { malformed, reading } = foreign('Parquet');

/** More rows in one group are not written by anybody; each is decoded at once. */
const mostRows = 2 ** 26;

export const parquetRecords = (path: string): RecordSource => ({
  where: path,
  isText: false,
  blocks: (wanted) => groupsOf(path, wanted),
});

async function* groupsOf(path: string, wanted: ReadonlySet<string> | undefined): AsyncGenerator<RecordBlock> {
  const hyparquet = optionalPackage('hyparquet', 'Parquet', path) as typeof Hyparquet;
  const file = openDataFile(path);
  try {
    if (file.bytes < 12) throw badData(`${path}: not a Parquet file: it is shorter than 12 bytes`);
    const buffer: Hyparquet.AsyncBuffer = { byteLength: file.bytes, slice: (start, end) => slice(path, file, start, end ?? file.bytes) };
    const metadata = await reading(path, () => hyparquet.parquetMetadataAsync(buffer, { geoparquet: false }));
    const schema = await reading(path, () => hyparquet.parquetSchema(metadata));
    const names = schema.children.map(({ element }) => element.name);
    if (new Set(names).size !== names.length) throw badData(`${path}: two columns have one name`);
    requireGroups(path, metadata, file.bytes);
    const columns = names.filter((name) => wanted?.has(name) ?? true);
    let start = 0;
    const compressors = compressorsOf(hyparquet);
    for (const { num_rows: count, columns: chunks } of metadata.row_groups) {
      const rows = Number(count);
      const first = start;
      start += rows;
      if (rows === 0) continue;
      const cells = new Map<string, Cells>();
      for (const column of columns) {
        await reading(path, () => requireReadable(column, chunks, compressors));
        const place = `${path}: column ${column}, rows ${first} to ${start - 1}`;
        const scan = await reading(place, () =>
          hyparquet.parquetScan({
            file: buffer,
            metadata,
            columns: [column],
            compressors,
            useOffsetIndex: false,
            geoparquet: false,
          }),
        );
        const values = await reading(place, () => scan.readColumn({ column, rowStart: first, rowEnd: start }));
        if (values.length !== rows) throw malformed(place, `${rows} rows are promised, ${values.length} are there`);
        cells.set(column, filled(values));
      }
      yield { rows, names, cells: (name) => cells.get(name), place: (row) => `row ${first + row}` };
    }
  } finally {
    file.close();
  }
}

/** Typed arrays are taken as they are. */
function filled(values: Hyparquet.DecodedArray): Cells {
  const dtype = heldBy(values);
  return dtype !== undefined && holds(dtype, values) ? { filled: values, dtype, rowShape: [] } : values;
}

function slice(path: string, file: DataFile, start: number, end: number): ArrayBuffer {
  if (!(start >= 0 && end >= start && end <= file.bytes)) throw malformed(path, `bytes ${start} to ${end} of ${file.bytes} are asked for`);
  return file.read(new Uint8Array(end - start), start).buffer;
}

function requireGroups(path: string, { row_groups: groups, num_rows: total }: Hyparquet.FileMetaData, bytes: number): void {
  let sum = 0n;
  for (const [at, { num_rows: rows, columns }] of groups.entries()) {
    if (typeof rows !== 'bigint' || rows < 0n || rows > BigInt(mostRows)) throw malformed(path, `row group ${at} has ${rows} rows`);
    sum += rows;
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) throw malformed(path, `row group ${at} says nothing of a column`);
      const { total_compressed_size: size, num_values: values, data_page_offset: offset } = chunk;
      if (![size, values, offset].every((one) => typeof one === 'bigint' && one >= 0n) || size > BigInt(bytes) || offset > BigInt(bytes))
        throw malformed(path, `a column of row group ${at} lies outside of the file`);
      if (values < rows && rows > 0n) throw malformed(path, `a column of row group ${at} has ${values} values for ${rows} rows`);
    }
  }
  if (total !== sum) throw malformed(path, `${total} rows are promised, the row groups have ${sum}`);
}

/** @throws NotRead for a column that is packed in another way than those that are known here. */
function requireReadable(column: string, chunks: readonly Hyparquet.ColumnChunk[], compressors: Hyparquet.Compressors): void {
  for (const { meta_data: chunk } of chunks)
    if (
      chunk !== undefined &&
      chunk.path_in_schema[0] === column &&
      chunk.codec !== 'UNCOMPRESSED' &&
      compressors[chunk.codec] === undefined
    )
      throw new NotRead(
        `column ${column} of this Parquet file is compressed by ${chunk.codec}, which is not read`,
        `Write it with snappy, gzip or brotli compression, or with none${chunk.codec === 'ZSTD' ? '; Node 22.15 and newer read it' : ''}.`,
      );
}

function compressorsOf({ snappyUncompress }: typeof Hyparquet): Hyparquet.Compressors {
  const bounded =
    (unpack: (input: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array) =>
    (input: Uint8Array, outputLength: number): Uint8Array =>
      unpack(input, { maxOutputLength: Math.max(1, outputLength) });
  // Node has it from version 22.15 on.
  const zstd = (
    createRequire(import.meta.url)('node:zlib') as { readonly zstdDecompressSync?: (input: Uint8Array, options: object) => Buffer }
  ).zstdDecompressSync;
  return {
    SNAPPY: (input, outputLength) => {
      // A copy of 64 bytes takes three.
      if (!(outputLength <= 64 * (input.length + 1))) throw new Error(`${outputLength} bytes are promised by ${input.length} packed ones`);
      const output = new Uint8Array(outputLength);
      snappyUncompress(input, output);
      return output;
    },
    GZIP: bounded(gunzipSync),
    BROTLI: bounded(brotliDecompressSync),
    ...(zstd === undefined ? {} : { ZSTD: bounded(zstd) }),
  };
}
