// JSON as records. In: a file with an array per column, one with an array of records, or one record per line (JSONL, plain or gzipped).
// Out: blocks of values by name. Holds: the same strictness everywhere: no member twice, no number beyond the range; lines are read as they
// come.

import { readText } from '../../input/files.js';
import { badData, parseJson } from '../../input/json.js';
import { lineStream } from './line-stream.js';
import type { RecordBlock, RecordSource } from './records.js';

type Item = Readonly<Record<string, unknown>>;

/** Rows that become a block. */
const blockRows = 1024;

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value);
const memberOf = (item: Item, name: string): unknown => (Object.hasOwn(item, name) ? item[name] : undefined);

export const jsonRecords = (path: string): RecordSource => ({
  where: path,
  isText: false,

  blocks: async function* () {
    const value = parseJson(readText(path), path);
    if (Array.isArray(value)) yield itemBlock(path, value, (row) => `row ${row}`);
    else if (isItem(value)) yield columnBlock(value);
    else throw badData(`${path}: expected one object with an array per feed, or an array of objects`);
  },
});

/** Arrays by name; what is no array is no column. */
export function columnBlock(columns: Item): RecordBlock {
  const names = Object.keys(columns);
  const lists = new Map(names.flatMap((name) => (Array.isArray(columns[name]) ? [[name, columns[name] as readonly unknown[]]] : [])));
  return {
    rows: Math.max(0, ...[...lists.values()].map((list) => list.length)),
    lengths: new Map([...lists].map(([name, list]) => [name, list.length])),
    names: [...lists.keys()],
    cells: (name) => lists.get(name),
    place: (row) => `row ${row}`,
  };
}

function itemBlock(where: string, items: readonly unknown[], place: (row: number) => string): RecordBlock {
  const names = new Set<string>();
  for (const [row, item] of items.entries()) {
    if (!isItem(item)) throw badData(`${where}: ${place(row)} is no object`, 'An array has one object per row: [{ "x": 1, "y": 2 }, …].');
    for (const name of Object.keys(item)) names.add(name);
  }
  return {
    rows: items.length,
    names: [...names],
    cells: (name) => items.map((item) => memberOf(item as Item, name)),
    place,
  };
}

export const jsonlRecords = (path: string): RecordSource => ({ where: path, isText: false, blocks: () => linesOf(path) });

async function* linesOf(path: string): AsyncGenerator<RecordBlock> {
  let items: unknown[] = [];
  let numbers: number[] = [];
  const take = (): RecordBlock => {
    const places = numbers;
    const block = itemBlock(path, items, (row) => `line ${places[row] ?? 0}`);
    [items, numbers] = [[], []];
    return block;
  };
  for await (const { bytes, line, isOld } of lineStream(path)) {
    for (const [at, text] of bytes
      .toString('utf8')
      .split(isOld ? '\r' : '\n')
      .entries()) {
      if (text.trim() === '') continue;
      items.push(parseJson(text, path, line + at));
      numbers.push(line + at);
      if (items.length === blockRows) yield take();
    }
  }
  if (items.length > 0) yield take();
}
