// CSV files with a header line. In: a path. Out: one column of numbers per header. Holds: blanks are NaN, and counted; a number is what
// decimal notation takes, NaN or an infinity as people spell them; anything else is refused with its line, unless the column is text.

import type * as CsvParse from 'csv-parse/sync';
import { readRegular } from '../../input/files.js';
import { badData } from '../../input/json.js';
import { library } from '../../input/library.js';
import { requireUtf8 } from '../../input/utf8.js';
import { isBeyondRange, missingHint, numberOf, shortened } from './decimal.js';

/**
 * A column of a CSV file.
 * @example
 * ```ts
 * const [first]: readonly CsvColumn[] = readCsv('houses.csv');
 * console.log(first?.name, first?.numbers?.[0], first?.blanks);
 * ```
 */
export interface CsvColumn {
  readonly name: string;
  /** NaN where the cell was blank; undefined when the column holds text. */
  readonly numbers: Float64Array | undefined;
  readonly blanks: number;
}

/** A million columns of 16 characters; what is longer is no table. */
const longestRow = 2 ** 24;

/** As long as an array, less the byte that shows whether there is more. */
const longestFile = 2 ** 32 - 1;

/**
 * Errors: file-not-found; bad-data for what is no text, ragged rows, no rows, two columns of one name, a column that mixes numbers and
 * text, or a number beyond the range.
 */
export function readCsv(path: string): readonly CsvColumn[] {
  const bytes = readRegular(path, longestFile);
  requireUtf8(path, bytes);
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw badData(`${path}: no text: byte ${zero} of the file is zero`);
  // At its start it says that the file is UTF-8. Inside it is white space for the parser, and no part of a number for anyone else.
  const mark = bytes.indexOf('\ufeff', 1);
  if (mark >= 0)
    throw badData(`${path}: a byte order mark at byte ${mark}, behind the start of the file`, 'Were two files joined? Take the mark out.');
  const isOld = !bytes.includes(0x0a);
  if (!isOld) requireLineFeeds(path, bytes);
  let columns: readonly Cells[] | undefined;
  parse(path, bytes, isOld ? ['\r'] : ['\r\n', '\n'], (cells, line) => {
    if (columns === undefined) columns = header(path, cells);
    else for (const [at, column] of columns.entries()) column.add(cells[at] ?? '', line);
  });
  if (columns === undefined || columns.every((column) => column.length === 0)) throw badData(`${path}: no rows below the header`);
  return columns.map((column) => column.whole());
}

/** Lines end with LF or CR LF, or all with CR. Errors: bad-data. */
function requireLineFeeds(path: string, bytes: Buffer): void {
  for (let at = bytes.indexOf(0x0d); at >= 0; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] !== 0x0a) throw badData(`${path}: a carriage return without a line feed at byte ${at} of the file`);
  }
}

function parse(path: string, bytes: Buffer, delimiters: string[], take: (cells: readonly string[], line: number) => void): void {
  // Loaded when a file is read: whoever imports tfc may never read one.
  const { parse: parseAll } = library<typeof CsvParse>('csv-parse/sync');
  try {
    parseAll(bytes, {
      bom: true,
      skip_empty_lines: true,
      trim: true,
      record_delimiter: delimiters,
      max_record_size: longestRow,
      on_record: (cells: string[], { lines }) => {
        take(cells, lines);
        // Nothing is kept but the numbers.
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof Error) || !('record' in error || 'lines' in error)) throw error;
    throw badData(`${path}: ${error.message}`);
  }
}

function header(path: string, names: readonly string[]): readonly Cells[] {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name))
      throw badData(`${path}: two columns are called ${JSON.stringify(name)}`, 'The first line holds the names of the columns.');
    known.add(name);
  }
  return names.map((name) => new Cells(path, name));
}

/** A column while it is read. */
class Cells {
  readonly #path: string;
  readonly #name: string;
  readonly #numbers: number[] = [];
  #blanks = 0;
  /** The first cells of either kind, for messages. */
  #number: Cell | undefined;
  #text: Cell | undefined;

  constructor(path: string, name: string) {
    this.#path = path;
    this.#name = name;
  }

  get length(): number {
    return this.#numbers.length;
  }

  add(text: string, line: number): void {
    // White space inside of quotes is still there.
    const cell = text.trim();
    const number = cell === '' ? undefined : numberOf(cell);
    if (cell === '') this.#blanks += 1;
    else if (number === undefined) this.#text ??= { cell, line };
    else {
      if (isBeyondRange(cell, number))
        throw badData(
          `${this.#path}: line ${line}, column ${JSON.stringify(this.#name)}: ${shortened(cell)} is beyond the range of numbers`,
        );
      this.#number ??= { cell, line };
    }
    this.#numbers.push(number ?? Number.NaN);
  }

  /** Errors: bad-data when there are both numbers and text. */
  whole(): CsvColumn {
    const [number, text] = [this.#number, this.#text];
    if (number !== undefined && text !== undefined) {
      throw badData(
        `${this.#path}: column ${JSON.stringify(this.#name)} mixes numbers and text: ${JSON.stringify(shortened(text.cell))} in line ${text.line}, ${JSON.stringify(shortened(number.cell))} in line ${number.line}`,
        missingHint(text.cell),
      );
    }
    return { name: this.#name, numbers: text === undefined ? Float64Array.from(this.#numbers) : undefined, blanks: this.#blanks };
  }
}

interface Cell {
  readonly cell: string;
  readonly line: number;
}
