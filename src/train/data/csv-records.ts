// CSV files as records. In: a path, plain or gzipped. Out: blocks of cells as texts, by the names of the header line. Holds: every row has
// as many cells as the header; a file is read piece by piece, and no more than a piece of it is in memory.

import { once } from 'node:events';
import type * as CsvParse from 'csv-parse';
import { badData } from '../../input/json.js';
import { library } from '../../input/library.js';
import { lineStream, longestLine } from './line-stream.js';
import type { RecordBlock, RecordSource } from './records.js';

export const csvRecords = (path: string): RecordSource => ({ where: path, isText: true, blocks: () => blocksOf(path) });

async function* blocksOf(path: string): AsyncGenerator<RecordBlock> {
  // Loaded when a file is read: whoever imports tfc may never read one.
  const { parse } = library<typeof CsvParse>('csv-parse');
  let names: ReadonlyMap<string, number> | undefined;
  let [rows, lines]: [string[][], number[]] = [[], []];
  let parser: CsvParse.Parser | undefined;
  let failure: Error | undefined;
  const take = function* (): Generator<RecordBlock> {
    if (failure !== undefined) throw mistakeOf(path, failure);
    if (names !== undefined && rows.length > 0) yield blockOf(names, rows, lines);
    [rows, lines] = [[], []];
  };
  for await (const { bytes, isOld } of lineStream(path)) {
    parser ??= parse({
      skip_empty_lines: true,
      trim: true,
      record_delimiter: isOld ? ['\r'] : ['\r\n', '\n'],
      max_record_size: longestLine,
      on_record: (cells: string[], context) => {
        if (names === undefined) names = header(path, cells);
        else {
          rows.push(cells);
          lines.push(context.lines);
        }
        // The parser itself keeps nothing.
        return null;
      },
    })
      .on('error', (error: Error) => (failure ??= error))
      .resume();
    // A chunk is parsed when its turn is reported: then its rows are there.
    const one = parser;
    await new Promise<void>((resolve) => void one.write(bytes, () => resolve()));
    yield* take();
  }
  if (parser !== undefined) {
    const ended = once(parser, 'close');
    parser.end();
    await ended.catch((error: unknown) => (failure ??= error as Error));
  }
  yield* take();
  if (names === undefined) throw badData(`${path}: no rows below the header`);
}

function blockOf(names: ReadonlyMap<string, number>, rows: readonly (readonly string[])[], lines: readonly number[]): RecordBlock {
  return {
    rows: rows.length,
    names: [...names.keys()],
    cells: (name) => {
      const at = names.get(name);
      return at === undefined ? undefined : rows.map((row) => row[at] ?? '');
    },
    place: (row) => `line ${lines[row] ?? 0}`,
  };
}

function header(path: string, cells: readonly string[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const [at, name] of cells.entries()) {
    if (names.has(name))
      throw badData(`${path}: two columns are called ${JSON.stringify(name)}`, 'The first line holds the names of the columns.');
    names.set(name, at);
  }
  return names;
}

/** Errors of the parser are the file's. */
function mistakeOf(path: string, error: Error): Error {
  return 'record' in error || 'lines' in error ? badData(`${path}: ${error.message}`) : error;
}
