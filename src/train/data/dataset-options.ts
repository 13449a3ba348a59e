// What a data set may be told. In: nothing. Out: the options of `openDataset`, checked. Holds: what makes no sense is refused before
// anything is read.

import { namesOf, requireKnown } from '../../../runtime/options.js';
import { shown } from '../../../runtime/shown.js';
import { TfcError } from '../../../runtime/index.js';
import { requireVocabulary, type Vocabulary } from './vocabulary.js';

export const formats = [
  'npy',
  'npz',
  'safetensors',
  'idx',
  'csv',
  'json',
  'jsonl',
  'parquet',
  'arrow',
  'text',
  'images',
  'arrays',
] as const;
/**
 * `arrays`: a directory with NAME.npy per feed; `text`: characters.
 * @example
 * ```ts
 * const format: Format = 'csv';
 * const flowers = await openDataset('flowers.csv', entry, { format, columns: { y: 'kind' } });
 * ```
 */
export type Format = (typeof formats)[number];

/**
 * What becomes of blank cells: filled with the mean or median of their column, or a number; or their row is left out.
 * @example
 * ```ts
 * const rules: Record<string, BlankRule> = { x0: 'mean', x1: 0, kind: 'drop' };
 * const flowers = await openDataset('flowers.csv', entry, { columns: { y: 'kind' }, blanks: rules });
 * ```
 */
export type BlankRule = 'mean' | 'median' | 'drop' | number;

/**
 * How data is read.
 * @example
 * ```ts
 * const options: DatasetOptions = { columns: { x: 'x*', y: 'kind' }, blanks: 'drop', memory: 2 ** 30, shuffleRows: 100_000 };
 * const flowers = await openDataset('flowers.csv', entry, options);
 * ```
 */
export interface DatasetOptions {
  /** Default: by the name of the file, or what stands in a directory. Standard input has no name. */
  readonly format?: Format;
  /** The columns of a feed, in order; `pixel*` are all whose names start so. Default: by name, see docs/commands.md. */
  readonly columns?: Readonly<Record<string, string | readonly string[]>>;
  /** Of feeds whose data is text. `true`: also what looks like a number is text. */
  readonly vocabularies?: Readonly<Record<string, Vocabulary | true>>;
  /** For all columns, or by column or feed. Default: a blank is an error. */
  readonly blanks?: BlankRule | Readonly<Record<string, BlankRule>>;
  /** Bytes of decoded data up to which all of it is kept in memory. Default 256 MiB. */
  readonly memory?: number;
  /** Rows of the shuffle buffer of what is read from front to end. Default 16,384. */
  readonly shuffleRows?: number;
  /** What an iterable gives. Default: as the first of them looks. */
  readonly items?: 'rows' | 'batches';
  /** Text: characters per row, where the program leaves it open, and from one row's start to the next. Default of `stride`: `window`. */
  readonly window?: number;
  readonly stride?: number;
}

const mebibyte = 2 ** 20;
export const defaults = { memory: 256 * mebibyte, shuffleRows: 16_384 } as const;

const invalid = (message: string, hint?: string): TfcError => new TfcError('invalid-value', message, hint === undefined ? {} : { hint });

const names = namesOf<DatasetOptions>({
  format: true,
  columns: true,
  vocabularies: true,
  blanks: true,
  memory: true,
  shuffleRows: true,
  items: true,
  window: true,
  stride: true,
});

/** @throws TfcError invalid-value. */
export function requireOptions(options: DatasetOptions): DatasetOptions {
  if (typeof options !== 'object' || (options as unknown) === null)
    throw invalid(`The options of a data set are an object, not ${shown(options)}.`);
  requireKnown(options, 'openDataset', names);
  const { format, columns, vocabularies, blanks, memory, shuffleRows, items, window, stride } = options;
  if (format !== undefined && !formats.includes(format))
    throw invalid(`${shown(format)} is no format of data.`, `There are ${formats.join(', ')}.`);
  if (items !== undefined && (items as unknown) !== 'rows' && (items as unknown) !== 'batches')
    throw invalid(`Items are "rows" or "batches", not ${shown(items)}.`);
  for (const [name, value, least] of [
    ['memory', memory, 0],
    ['shuffleRows', shuffleRows, 1],
    ['window', window, 1],
    ['stride', stride, 1],
  ] as const) {
    if (value !== undefined && value !== Infinity && (!Number.isSafeInteger(value) || value < least))
      throw invalid(`${name} is a whole number of at least ${least}, not ${shown(value)}.`);
  }
  if (shuffleRows === Infinity || window === Infinity || stride === Infinity)
    throw invalid('Rows and characters are counted: Infinity is no number of them.');
  const isNames = (value: unknown): boolean =>
    (typeof value === 'string' && value !== '') ||
    (Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'));
  for (const [feed, names] of entriesOf('columns', columns))
    if (!isNames(names)) throw invalid(`The columns of ${feed} are a name or a list of names, not ${shown(names)}.`);
  for (const [feed, vocabulary] of entriesOf('vocabularies', vocabularies)) if (vocabulary !== true) requireVocabulary(vocabulary, feed);
  for (const rule of typeof blanks === 'object'
    ? entriesOf('blanks', blanks).map(([, one]) => one)
    : blanks === undefined
      ? []
      : [blanks]) {
    if (rule !== 'mean' && rule !== 'median' && rule !== 'drop' && !(typeof rule === 'number' && Number.isFinite(rule)))
      throw invalid(
        `Blanks are filled with "mean", "median" or a number, or "drop" leaves their rows out; ${shown(rule)} is none of these.`,
      );
  }
  return options;
}

function entriesOf(name: string, value: unknown): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${name} is an object with a member per feed, not ${shown(value)}.`);
  return Object.entries(value);
}

/** The rule for a column of a feed. */
export function blankRule({ blanks }: DatasetOptions, column: string, feed: string): BlankRule | undefined {
  if (typeof blanks !== 'object') return blanks;
  return Object.hasOwn(blanks, column) ? blanks[column] : Object.hasOwn(blanks, feed) ? blanks[feed] : undefined;
}

/** What is told of a feed's vocabulary. */
export const vocabularyFor = ({ vocabularies }: DatasetOptions, feed: string): Vocabulary | true | undefined =>
  vocabularies !== undefined && Object.hasOwn(vocabularies, feed) ? vocabularies[feed] : undefined;
