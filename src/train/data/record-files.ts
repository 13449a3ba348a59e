// Files of records, by format. In: a format and a path. Out: a source of records. Holds: format and path are all that it takes, so another
// thread can open the same.

import { arrowRecords } from './arrow-records.js';
import { csvRecords } from './csv-records.js';
import { jsonlRecords, jsonRecords } from './json-records.js';
import { parquetRecords } from './parquet-records.js';
import type { RecordFile, RecordSource } from './records.js';

const readers: Readonly<Record<RecordFile['format'], (path: string) => RecordSource>> = {
  csv: csvRecords,
  json: jsonRecords,
  jsonl: jsonlRecords,
  parquet: parquetRecords,
  arrow: arrowRecords,
};

export const recordsIn = (file: RecordFile): RecordSource => ({ ...readers[file.format](file.path), file });
