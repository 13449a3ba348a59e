// CSV files with a header line. In: a path. Out: one column of numbers per header. Holds: blanks are NaN, and counted; anything else that is no number is refused with its line, unless the column is text.

import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { DiagnosticsError } from '../../base/index.js';
import { reasonOf } from '../sources.js';
import { badData } from './table.js';

export interface CsvColumn {
  readonly name: string;
  /** NaN where the cell was blank; undefined when the column holds text. */
  readonly numbers: Float64Array | undefined;
  readonly blanks: number;
}

/** Errors: file-not-found; bad-data for ragged rows, no rows, or a header without names. */
export function readCsv(path: string): readonly CsvColumn[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}` }]);
  }
  let rows: string[][];
  try {
    rows = parse(text, { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw badData(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const [header, ...body] = rows;
  if (header === undefined || body.length === 0) throw badData(`${path}: no rows below the header`);
  return header.map((name, at) => {
    const numbers = new Float64Array(body.length);
    let [blanks, text] = [0, 0];
    for (const [row, cells] of body.entries()) {
      const cell = cells[at] ?? '';
      const value = cell === '' ? Number.NaN : Number(cell);
      if (cell === '') blanks += 1;
      else if (Number.isNaN(value)) text += 1;
      numbers[row] = value;
    }
    if (text > 0 && text < body.length - blanks) throw badData(`${path}: column ${JSON.stringify(name)} mixes numbers and text`);
    return { name, numbers: text > 0 ? undefined : numbers, blanks };
  });
}
