// Arrow's IPC files and streams as records, by apache-arrow. In: a path. Out: one block per record batch. Holds: columns have as many
// values as their batch says, which the library itself does not ask; whatever it makes of a damaged file is a diagnostic.

import type * as Arrow from 'apache-arrow';
import type { ElementType } from '../../../runtime/index.js';
import { heldBy, holds } from '../../../runtime/element.js';
import { badData } from '../../input/json.js';
import { arrowMessages } from './arrow-messages.js';
import { openDataFile } from './data-file.js';
import { foreign, optionalPackage } from './optional-package.js';
import type { Cells, RecordBlock, RecordSource } from './records.js';

const { malformed, reading } = foreign('Arrow');

export const arrowRecords = (path: string): RecordSource => ({ where: path, isText: false, blocks: (wanted) => batchesOf(path, wanted) });

async function* batchesOf(path: string, wanted: ReadonlySet<string> | undefined): AsyncGenerator<RecordBlock> {
  const arrow = optionalPackage('apache-arrow', 'Arrow', path) as typeof Arrow;
  const file = openDataFile(path);
  const { bytes } = file;
  try {
    const reader = await reading(path, async () => (await arrow.RecordBatchReader.from(later(arrowMessages(file)))).open());
    if (reader.schema === undefined) throw malformed(path, 'it has no schema');
    const names = reader.schema.fields.map(({ name }) => name);
    if (new Set(names).size !== names.length) throw badData(`${path}: two columns have one name`);
    let start = 0;
    for (;;) {
      const { done, value: batch } = await reading(path, async () => await reader.next());
      if (done === true) break;
      const first = start;
      const rows = batch.numRows;
      // A value takes a bit at least.
      if (!(rows <= 8 * bytes)) throw malformed(path, `a batch of ${rows} rows in ${bytes} bytes`);
      start += rows;
      const cells = new Map<string, Cells>();
      for (const name of names)
        if (wanted?.has(name) ?? true)
          cells.set(name, await reading(`${path}: column ${name} behind row ${first}`, () => cellsOf(arrow, path, name, batch, rows)));
      if (rows > 0) yield { rows, names, cells: (name) => cells.get(name), place: (row) => `row ${first + row}` };
    }
  } finally {
    file.close();
  }
}

/** As the library takes what it does not read at once. */

async function* later(messages: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* messages;
}

function cellsOf(arrow: typeof Arrow, path: string, name: string, batch: Arrow.RecordBatch, rows: number): Cells {
  const vector = batch.getChild(name);
  if (vector === null || vector.length !== rows) throw malformed(path, `${rows} rows are promised, ${name} has ${vector?.length ?? 0}`);
  const { DataType } = arrow;
  const type = vector.type as Arrow.DataType;
  if ((DataType.isInt(type) || DataType.isFloat(type)) && vector.nullCount === 0) {
    const values = vector.toArray() as ArrayLike<number | bigint>;
    if (values.length !== rows) throw malformed(path, `${rows} rows are promised, ${name} has ${values.length}`);
    const dtype: ElementType | undefined = DataType.isFloat(type) && type.precision === arrow.Precision.HALF ? 'f16' : heldBy(values);
    return dtype !== undefined && holds(dtype, values) ? { filled: values, dtype, rowShape: [] } : values;
  }
  if (!isTaken(arrow, type))
    throw badData(`${path}: column ${JSON.stringify(name)} is ${String(type)}, expected numbers, booleans, texts or lists of numbers`);
  const cells: unknown[] = [];
  // A list is a vector of its own, and has what it says only if its values are there.
  for (let row = 0; row < rows; row += 1) cells.push(listOf(vector.get(row)));
  return cells;
}

function listOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) return value;
  return Array.from(value as Iterable<unknown>, listOf);
}

function isTaken({ DataType }: typeof Arrow, type: Arrow.DataType): boolean {
  if (DataType.isDictionary(type)) return isTaken({ DataType } as typeof Arrow, type.dictionary);
  if (DataType.isList(type) || DataType.isFixedSizeList(type))
    return isTaken({ DataType } as typeof Arrow, type.valueType as Arrow.DataType);
  return DataType.isInt(type) || DataType.isFloat(type) || DataType.isBool(type) || DataType.isUtf8(type) || DataType.isLargeUtf8(type);
}
