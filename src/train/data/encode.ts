// Cells of a column as numbers. In: cells of blocks, one block after another. Out: per block numbers row by row, codes of texts, blanks;
// over all blocks what kind of column it is. Holds: a column has numbers or texts, not both, and rows of one shape; whatever else stands in
// a cell is refused with its place.

import type { DiagnosticsError } from '../../base/index.js';
import { badData } from '../../input/json.js';
import { isBeyondRange, missingHint, numberOf, shortened } from './decimal.js';
import type { Numbers } from './elements.js';
import type { Filled, RecordBlock } from './records.js';
import { numbersIn } from './row-store.js';
import { codesOf, mostWords, unknownWord, type Vocabulary } from './vocabulary.js';

/** What a block has of a column. */
export interface Encoded {
  /** Row by row; NaN or 0 for blanks and texts. */
  readonly numbers: Numbers;
  /** Per row the number of its text; undefined while there is none. */
  readonly codes: Int32Array | undefined;
  /** Per row whether there is no value; undefined when there is one everywhere. */
  readonly blank: Uint8Array | undefined;
}

export interface EncodeOptions {
  readonly where: string;
  readonly name: string;
  /** Of the record source. */
  readonly isText: boolean;
  /** 64-bit integers: they are kept exactly, and may be written as digits in quotes. */
  readonly isLong: boolean;
  /** Every cell is a text, even one that looks like a number. */
  readonly isWords: boolean;
  /** The texts that there may be; others are refused. Undefined: they are collected. */
  readonly vocabulary?: Vocabulary | undefined;
  /** A median is wanted, for which the numbers are kept. */
  readonly keepsNumbers?: boolean;
}

interface Found {
  readonly cell: string;
  readonly place: string;
}

export class ColumnEncoder {
  readonly #options: EncodeOptions;
  readonly #codes: Map<string, number>;
  #shape: readonly number[] | undefined;
  #number: Found | undefined;
  #text: Found | undefined;
  #blanks = 0;
  #blank: string | undefined;
  #count = 0;
  #mean = 0;
  readonly #numbers: number[] = [];

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#codes = new Map(options.vocabulary === undefined ? [] : codesOf(options.vocabulary));
  }

  get blanks(): number {
    return this.#blanks;
  }

  /** How many blanks there are, and where; for messages. */
  get shownBlanks(): string {
    const [count, place] = [this.#blanks, this.#blank ?? ''];
    return count === 1 ? `1 blank cell, in ${place}` : `${count} blank cells, the first in ${place}`;
  }

  get isText(): boolean {
    return this.#text !== undefined;
  }

  /** The first text, for messages. */
  get text(): Found | undefined {
    return this.#text;
  }

  /** In the order in which they came first, or in that of the vocabulary. */
  get words(): readonly string[] {
    return [...this.#codes.keys()];
  }

  /** Of each row; of a column of blanks alone that of one number. */
  get shape(): readonly number[] {
    return this.#shape ?? [];
  }

  /** NaN when there are no numbers. */
  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#mean;
  }

  /** Of a column whose numbers are kept. */
  get median(): number {
    const sorted = Float64Array.from(this.#numbers).sort();
    const middle = sorted.length >> 1;
    const upper = sorted[middle] ?? Number.NaN;
    return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
  }

  /** Errors: bad-data. */
  encode(block: RecordBlock): Encoded {
    const { name } = this.#options;
    const cells = block.cells(name);
    if (cells === undefined) {
      if (this.shape.length > 0) throw this.#noArray(block, 0);
      this.#blanks += block.rows;
      if (block.rows > 0) this.#blank ??= block.place(0, name);
      return { numbers: new Float64Array(block.rows).fill(Number.NaN), codes: undefined, blank: new Uint8Array(block.rows).fill(1) };
    }
    return 'filled' in cells ? this.#filled(cells, block) : this.#cells(cells, block);
  }

  /** Errors: bad-data when there were both numbers and texts. */
  requireOneKind(): void {
    const [number, text] = [this.#number, this.#text];
    if (number === undefined || text === undefined) return;
    const { where, name } = this.#options;
    throw badData(
      `${where}: column ${JSON.stringify(name)} mixes numbers and text: ${JSON.stringify(text.cell)} in ${text.place}, ${JSON.stringify(number.cell)} in ${number.place}`,
      missingHint(text.cell),
    );
  }

  #filled({ filled, dtype, rowShape }: Filled, block: RecordBlock): Encoded {
    this.#requireShape(rowShape, block, 0);
    const numbers = numbersIn(dtype, filled);
    if (filled.length > 0) this.#number ??= { cell: String(numbers[0]), place: block.place(0, this.#options.name) };
    if (rowShape.length === 0) for (const value of numbers) this.#tally(Number(value));
    return { numbers, codes: undefined, blank: undefined };
  }

  #cells(cells: ArrayLike<unknown>, block: RecordBlock): Encoded {
    const { isLong } = this.#options;
    const { rows } = block;
    // A row of many numbers says nothing about the others: memory is taken as they come.
    const list: (number | bigint)[] = [];
    const numbers = new Float64Array(isLong ? 0 : rows).fill(Number.NaN);
    let codes: Int32Array | undefined;
    let blank: Uint8Array | undefined;
    for (let row = 0; row < rows; row += 1) {
      const cell = this.#valueOf(cells[row], block, row);
      if (typeof cell === 'object') {
        this.#requireShape(cell.shape, block, row);
        this.#number ??= { cell: 'an array', place: block.place(row, this.#options.name) };
        for (const value of cell.values) list.push(value);
        continue;
      }
      if (cell === undefined) {
        this.#blanks += 1;
        this.#blank ??= block.place(row, this.#options.name);
        blank ??= new Uint8Array(rows);
        blank[row] = 1;
      } else {
        this.#requireShape([], block, row);
        const found = (): Found => ({ cell: shortened(String(cell)), place: block.place(row, this.#options.name) });
        if (typeof cell === 'string') {
          this.#text ??= found();
          codes ??= new Int32Array(rows).fill(-1);
          codes[row] = this.#code(cell, block, row);
        } else {
          this.#number ??= found();
          this.#tally(Number(cell));
        }
      }
      const value = cell === undefined || typeof cell === 'string' ? undefined : cell;
      if (isLong) list.push(value ?? 0);
      else if (value !== undefined) numbers[row] = value as number;
    }
    const isNested = this.shape.length > 0;
    if (isNested && blank !== undefined) throw this.#noArray(block, blank.indexOf(1));
    return { numbers: isNested || isLong ? list : numbers, codes, blank };
  }

  #noArray(block: RecordBlock, row: number): DiagnosticsError {
    return this.#mistake(
      `${block.place(row, this.#options.name)} has no value of ${this.#options.name}, expected ${described(this.shape)}`,
    );
  }

  #tally(value: number): void {
    // NaN is a number, and no blank; a mean of it would be none.
    if (Number.isNaN(value)) return;
    this.#count += 1;
    this.#mean += (value - this.#mean) / this.#count;
    if (this.#options.keepsNumbers === true) this.#numbers.push(value);
  }

  #code(word: string, block: RecordBlock, row: number): number {
    const { vocabulary, name, where } = this.#options;
    const code = this.#codes.get(word);
    if (code !== undefined) return code;
    if (vocabulary !== undefined) return unknownWord(`${where}: ${block.place(row, name)}`, name, word, vocabulary);
    if (this.#codes.size >= mostWords)
      throw this.#mistake(
        `more than ${mostWords} different texts`,
        'Labels come again and again; leave out columns of names and sentences.',
      );
    this.#codes.set(word, this.#codes.size);
    return this.#codes.size - 1;
  }

  /** Number, bigint, text, a row of numbers; undefined for a blank. */
  #valueOf(cell: unknown, block: RecordBlock, row: number): number | bigint | string | Row | undefined {
    const { isText, isLong, isWords } = this.#options;
    switch (typeof cell) {
      case 'number':
        return isWords ? String(cell) : cell;
      case 'boolean':
        return isWords ? String(cell) : Number(cell);
      case 'bigint':
        if (isWords) return String(cell);
        return isLong ? cell : Number(cell);
      case 'undefined':
        return undefined;
      case 'string': {
        if (!isText) {
          if (isWords) return cell;
          if (isLong && /^-?\d{1,20}$/.test(cell)) return BigInt(cell);
          return cell === 'NaN' || cell === 'Infinity' || cell === '-Infinity' ? Number(cell) : cell;
        }
        // White space inside of quotes is still there.
        const trimmed = cell.trim();
        if (trimmed === '') return undefined;
        if (isWords) return trimmed;
        const number = numberOf(trimmed);
        if (number !== undefined && isBeyondRange(trimmed, number))
          throw badData(
            `${this.#options.where}: ${block.place(row, this.#options.name)}, column ${JSON.stringify(this.#options.name)}: ${shortened(trimmed)} is beyond the range of numbers`,
          );
        return number ?? trimmed;
      }
      default:
        if (cell === null) return undefined;
        if (Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView))) {
          const shape = this.#shape ?? shapeOf(cell);
          const values: (number | bigint)[] = [];
          if (!isRow(cell, shape, 0, values, isLong))
            throw this.#mistake(`${block.place(row, this.#options.name)} of ${this.#options.name} is not ${described(shape)}`);
          return { shape, values };
        }
        throw this.#mistake(
          `${block.place(row, this.#options.name)} of ${this.#options.name} is ${cell instanceof Date ? 'a date' : 'an object'}, expected numbers or a text`,
        );
    }
  }

  #requireShape(shape: readonly number[], block: RecordBlock, row: number): void {
    this.#shape ??= shape;
    if (this.#shape.length !== shape.length || this.#shape.some((size, axis) => size !== shape[axis]))
      throw this.#mistake(`${block.place(row, this.#options.name)} of ${this.#options.name} is not ${described(this.#shape)}`);
  }

  #mistake(what: string, hint?: string): DiagnosticsError {
    return badData(`${this.#options.where}: ${what}`, hint);
  }
}

interface Row {
  readonly shape: readonly number[];
  readonly values: readonly (number | bigint)[];
}

const described = (shape: readonly number[]): string =>
  shape.length === 0 ? 'one number' : `${shape.join('×')} numbers, as the first row is`;

/** Deeper than any tensor; what calls itself an array of itself ends here as well. */
const deepest = 64;

function shapeOf(row: unknown): number[] {
  const shape: number[] = [];
  for (let one = row; isList(one) && shape.length <= deepest; one = one[0]) shape.push(one.length);
  return shape;
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** Whether a value has this shape; its numbers go to `into`. */
function isRow(value: unknown, shape: readonly number[], axis: number, into: (number | bigint)[], isLong: boolean): boolean {
  const size = shape[axis];
  if (size === undefined) {
    const number = elementOf(value, isLong);
    if (number === undefined) return false;
    into.push(number);
    return true;
  }
  if (!isList(value) || value.length !== size || axis > deepest) return false;
  for (let at = 0; at < size; at += 1) if (!isRow(value[at], shape, axis + 1, into, isLong)) return false;
  return true;
}

function elementOf(value: unknown, isLong: boolean): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return isLong ? value : Number(value);
  if (typeof value === 'boolean') return Number(value);
  if (isLong && typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}
