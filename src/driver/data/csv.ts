// CSV files with a header line. In: a path. Out: one column of numbers per header. Holds: blanks are NaN, and counted; anything else that is no number is refused with its line, unless the column is text.

import { createRequire } from 'node:module';
import type * as CsvParse from 'csv-parse/sync';
import { readText } from '../files.js';
import { badData } from '../json.js';

export interface CsvColumn {
  readonly name: string;
  /** NaN where the cell was blank; undefined when the column holds text. */
  readonly numbers: Float64Array | undefined;
  readonly blanks: number;
}

/** Errors: file-not-found; bad-data for ragged rows, no rows, two columns of one name, or a column that mixes numbers and text. */
export function readCsv(path: string): readonly CsvColumn[] {
  // Loaded when a file is read: whoever imports tfc may never read one.
  const { parse } = createRequire(import.meta.url)('csv-parse/sync') as typeof CsvParse;
  let rows: string[][];
  try {
    rows = parse(readText(path), { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    if (!(error instanceof Error) || !('record' in error || 'lines' in error)) throw error;
    throw badData(`${path}: ${error.message}`);
  }
  const [header, ...body] = rows;
  if (header === undefined || body.length === 0) throw badData(`${path}: no rows below the header`);
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  if (twice !== undefined) throw badData(`${path}: two columns are called ${JSON.stringify(twice)}`, 'The first line holds the names of the columns.');
  return header.map((name, at) => column(path, name, body.map((cells) => cells[at] ?? '')));
}

function column(path: string, name: string, cells: readonly string[]): CsvColumn {
  const numbers = Float64Array.from(cells, (cell) => (cell === '' ? Number.NaN : Number(cell)));
  const blanks = cells.filter((cell) => cell === '').length;
  const texts = cells.flatMap((cell, row) => (cell !== '' && Number.isNaN(numbers[row]) && cell !== 'NaN' ? [row] : []));
  const [first] = texts;
  if (first !== undefined && texts.length < cells.length - blanks) {
    throw badData(`${path}: column ${JSON.stringify(name)} mixes numbers and text: ${JSON.stringify(cells[first])} in row ${first + 1} below the header`);
  }
  return { name, numbers: first === undefined ? numbers : undefined, blanks };
}
