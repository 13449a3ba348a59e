// How feeds are made of columns. In: what is known of the columns when the table has been gone through once. Out: per feed its columns, row
// shape, vocabulary and fills; blocks of rows as the feeds take them. Holds: blanks are filled by the stated rule, or are an error that
// counts them; a mistake in an element is told with the place of its row.

import type { TensorSpec } from '../../../runtime/index.js';
import { DiagnosticsError, isWide } from '../../base/index.js';
import { badData } from '../../input/json.js';
import { type Bindings, isSingle, takesWhole } from './bind.js';
import { blankRule, type DatasetOptions, vocabularyFor } from './dataset-options.js';
import { toElements } from './elements.js';
import type { ColumnEncoder } from './encode.js';
import { requireRowShape, shapeFor } from './feed-shape.js';
import type { EncodedBlock } from './encoded-block.js';
import { type Column, countOf } from './table.js';
import { codesOf, unknownWord, type Vocabulary, vocabularyOf } from './vocabulary.js';

export interface FeedPlan {
  readonly feed: TensorSpec;
  readonly columns: readonly string[];
  readonly rowShape: readonly number[];
  /** Of a feed of texts. */
  readonly vocabulary: Vocabulary | undefined;
  /** Per column of texts the feed's number of each of the column's own. */
  readonly codes: ReadonlyMap<string, Int32Array | Uint32Array>;
  /** What blanks of a column become. */
  readonly fills: ReadonlyMap<string, number>;
  /** Whether rows with a blank in its columns are left out. */
  readonly drops: boolean;
}

export interface Known {
  readonly where: string;
  readonly names: readonly string[];
  readonly feeds: readonly TensorSpec[];
  readonly bindings: Bindings;
  readonly encoders: ReadonlyMap<string, ColumnEncoder>;
  readonly options: DatasetOptions;
  /** What was gone through: all, and it is in memory; all; or the first block, after which others come. */
  readonly seen: 'kept' | 'all' | 'first';
}

/** Errors: bad-data, shape-mismatch, dtype-mismatch. */
export function plan(known: Known): readonly FeedPlan[] {
  const columns = resolve(known);
  const plans = known.feeds.map((feed) => planOf(known, feed, columns.get(feed.name) ?? []));
  return plans;
}

/** Columns of every feed, those that only their kind tells among them. */
function resolve({ where, names, feeds, bindings, encoders }: Known): ReadonlyMap<string, readonly string[]> {
  const { last, others } = bindings;
  const columns = new Map(bindings.columns);
  const taken = new Set([...columns.values()].flat());
  const isText = (name: string): boolean => encoders.get(name)?.isText === true;
  for (const name of names) encoders.get(name)?.requireOneKind();
  if (last !== undefined) {
    const found = names.findLast((name) => !taken.has(name) && (takesWhole(last) || !isText(name)));
    columns.set(last.name, found === undefined ? [] : [found]);
    if (found !== undefined) taken.add(found);
  }
  if (others !== undefined) {
    const isLabel = takesWhole(others) && isSingle(others);
    columns.set(
      others.name,
      names.filter((name) => !taken.has(name) && (isLabel || !isText(name))),
    );
  }
  const none = feeds.find(({ name }) => (columns.get(name) ?? []).length === 0);
  if (none !== undefined)
    throw badData(
      `${where}: no column of numbers is left for the feed ${none.name}`,
      `It has ${names.slice(0, 40).join(', ')}${names.length > 40 ? ', …' : ''}.`,
    );
  return columns;
}

function planOf(known: Known, feed: TensorSpec, columns: readonly string[]): FeedPlan {
  const { where } = known;
  const encoders = columns.map((name) => known.encoders.get(name) as ColumnEncoder);
  const [first] = encoders as [ColumnEncoder];
  const rowShape = rowShapeOf(where, feed, columns, encoders);
  const texts = columns.filter((_, at) => encoders[at]?.isText === true);
  if (texts.length > 0 && !takesWhole(feed)) throw notANumber(where, feed, texts[0] as string, first);
  if (texts.length > 0 && texts.length < columns.length)
    throw badData(
      `${where}: ${feed.name} has columns of text (${texts.join(', ')}) beside columns of numbers (${columns.filter((name) => !texts.includes(name)).join(', ')})`,
    );
  const vocabulary = texts.length === 0 ? undefined : vocabularyIn(known, feed, encoders);
  const blanks = blanksOf(known, feed, columns, encoders, texts.length > 0);
  const codes = new Map<string, Int32Array>();
  if (vocabulary !== undefined) {
    const numbers = codesOf(vocabulary);
    for (const [at, name] of columns.entries())
      codes.set(
        name,
        Int32Array.from(
          (encoders[at] as ColumnEncoder).words,
          (word) => numbers.get(word) ?? unknownWord(where, feed.name, word, vocabulary),
        ),
      );
  }
  requireRowShape(where, feed, rowShape);
  return { feed, columns, rowShape, vocabulary, codes, ...blanks };
}

function rowShapeOf(where: string, feed: TensorSpec, columns: readonly string[], encoders: readonly ColumnEncoder[]): readonly number[] {
  const nested = encoders.findIndex(({ shape }) => shape.length > 0);
  if (nested < 0) return shapeFor(feed, columns.length);
  const shape = (encoders[nested] as ColumnEncoder).shape;
  // A list of as many numbers as the feed's rows have fills them.
  if (columns.length === 1) return shape.length === 1 ? shapeFor(feed, shape[0] as number) : shape;
  throw badData(
    `${where}: column ${JSON.stringify(columns[nested])} has rows of [${shape.join(', ')}], and is one of several of ${feed.name}`,
  );
}

function notANumber(where: string, feed: TensorSpec, column: string, encoder: ColumnEncoder): DiagnosticsError {
  const { cell, place } = encoder.text ?? { cell: '', place: '' };
  return new DiagnosticsError([
    {
      code: 'bad-data',
      message: `${where}: ${place} of ${column} is not one number, but ${JSON.stringify(cell)}; ${feed.name} takes ${feed.dtype}`,
      hint: 'Texts become whole numbers for an argument of i32: y: i32[B].',
    },
  ]);
}

function vocabularyIn({ where, options, seen }: Known, feed: TensorSpec, encoders: readonly ColumnEncoder[]): Vocabulary {
  const told = vocabularyFor(options, feed.name);
  if (seen === 'first' && (told === undefined || told === true))
    throw badData(
      `${where}: ${feed.name} is text, and a program that gives it must say which texts there are`,
      'vocabularies: { y: { words: ["cat", "dog"] } }',
    );
  return told === undefined || told === true ? vocabularyOf(encoders.flatMap(({ words }) => words)) : told;
}

/** Errors: bad-data for blanks that no rule says anything about. */
function blanksOf(
  { where, options, seen }: Known,
  feed: TensorSpec,
  columns: readonly string[],
  encoders: readonly ColumnEncoder[],
  areTexts: boolean,
): Pick<FeedPlan, 'fills' | 'drops'> {
  const fills = new Map<string, number>();
  let drops = false;
  for (const [at, name] of columns.entries()) {
    const encoder = encoders[at] as ColumnEncoder;
    const { blanks, shape, isText } = encoder;
    const rule = blankRule(options, name, feed.name);
    if (blanks === 0 && (seen !== 'first' || rule === undefined || shape.length > 0)) continue;
    if (rule === undefined && seen === 'first') continue;
    const found = `${where}: column ${JSON.stringify(name)} has ${encoder.shownBlanks}`;
    if (rule === undefined) throw badData(found, 'Fill them, or drop these rows: a rule says which (mean, median, a number, drop).');
    if (shape.length > 0) throw badData(`${found}; others have rows of [${shape.join(', ')}]`, 'Fill them in the file.');
    if (rule === 'drop') drops = true;
    else if (seen === 'first' && typeof rule !== 'number')
      throw badData(
        `${where}: the ${rule} of ${JSON.stringify(name)} is not known before all rows were there`,
        'Give a number, or drop these rows.',
      );
    else if (areTexts || isText) throw badData(`${found}; a text has no ${typeof rule === 'number' ? 'number' : rule}`, 'Drop these rows.');
    else if (rule === 'median' && seen !== 'kept')
      throw badData(`${found}; a median needs the column in memory`, 'Give a number, use the mean, or allow more memory.');
    else {
      const fill = rule === 'mean' ? encoder.mean : rule === 'median' ? encoder.median : rule;
      if (!Number.isFinite(fill)) throw badData(`${found}; there is no finite ${rule}`);
      fills.set(name, fill);
    }
  }
  return { fills, drops };
}

/** The rows of a block as feeds take them. Errors: bad-data, dtype-mismatch. */
export function assemble(where: string, block: EncodedBlock, plans: readonly FeedPlan[]): readonly Column[] {
  const rows = keptRows(block, plans);
  requireFilled(where, block, plans);
  return plans.map(({ feed, columns, rowShape, codes, fills }): Column => {
    const place = (row: number): string =>
      `${where}: ${block.place(rows === undefined ? row : (rows[row] as number), columns[0] as string)}`;
    const count = rows?.length ?? block.rows;
    const length = countOf(rowShape);
    const numbers = columns.map((name) => {
      const one = block.columns.get(name);
      const own = codes.get(name);
      const fill = fills.get(name);
      const values = own === undefined ? (one?.numbers ?? []) : Int32Array.from(one?.codes ?? [], (code) => own[code] ?? -1);
      const { blank } = one ?? {};
      return { values, fill: fill === undefined || blank === undefined ? undefined : fill, blank };
    });
    const [only] = numbers;
    const isPlain = numbers.length === 1 && rows === undefined && only?.fill === undefined;
    let values = only?.values ?? [];
    if (!isPlain) {
      // One number per column, or a row of one column.
      const step = numbers.length === 1 ? length : 1;
      const isLong = isWide(feed.dtype);
      const number = (value: number | bigint | undefined): number => (isLong ? (value as number) : Number(value));
      const all: (number | bigint)[] | Float64Array = isLong
        ? new Array<number | bigint>(count * length).fill(0)
        : new Float64Array(count * length);
      for (const [at, { values: from, fill, blank }] of numbers.entries()) {
        for (let row = 0; row < count; row += 1) {
          const source = rows === undefined ? row : (rows[row] as number);
          for (let one = 0; one < step; one += 1)
            all[row * length + at + one] = number(fill !== undefined && blank?.[source] === 1 ? fill : from[source * step + one]);
        }
      }
      values = all;
    }
    return {
      name: feed.name,
      data: toElements(values, feed, (at) => place(Math.floor(at / Math.max(length, 1)))),
      rows: count,
      rowShape,
      dtype: feed.dtype,
    };
  });
}

/** Errors: bad-data for blanks of which nothing was known: the file has changed, or a program gave them. */
function requireFilled(where: string, block: EncodedBlock, plans: readonly FeedPlan[]): void {
  for (const { feed, columns, fills, drops } of plans) {
    for (const name of columns) {
      const row = drops || fills.has(name) ? -1 : (block.columns.get(name)?.blank?.indexOf(1) ?? -1);
      if (row >= 0) throw badData(`${where}: ${block.place(row, name)} has no value of ${name}, which ${feed.name} takes`);
    }
  }
}

/** Rows that no rule leaves out; undefined: all. */
function keptRows(block: EncodedBlock, plans: readonly FeedPlan[]): Uint32Array | undefined {
  const blanks = plans.flatMap(({ drops, columns, fills }) =>
    drops ? columns.filter((name) => !fills.has(name)).flatMap((name) => block.columns.get(name)?.blank ?? []) : [],
  );
  if (blanks.length === 0) return undefined;
  const rows: number[] = [];
  for (let row = 0; row < block.rows; row += 1) if (blanks.every((blank) => blank[row] !== 1)) rows.push(row);
  return Uint32Array.from(rows);
}
