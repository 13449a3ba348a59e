// Parquet files for tests. In: columns. Out: a file, written after the format's description (parquet.thrift, the compact protocol) and not
// by the reader under test: one page per column and row group, plain encoding.

import { gzipSync } from 'node:zlib';

export type ParquetColumn =
  | { readonly type: 'int32' | 'int64' | 'float' | 'double'; readonly values: readonly (number | null)[] }
  | { readonly type: 'string'; readonly values: readonly string[] };

const physical = { int32: 1, int64: 2, float: 4, double: 5, string: 6 } as const;

type Field =
  | readonly [id: number, type: 'i32' | 'i64', value: number]
  | readonly [id: number, type: 'text', value: string]
  | readonly [id: number, type: 'struct', value: Buffer]
  | readonly [id: number, type: 'list', kind: 5 | 8 | 12, items: readonly Buffer[]];

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

const integer = (value: number): Buffer => varint(BigInt(value) << 1n);
const text = (value: string): Buffer => Buffer.concat([varint(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);

function struct(...fields: readonly Field[]): Buffer {
  let last = 0;
  const parts = fields.flatMap((field) => {
    const [id, type] = field;
    const code = { i32: 5, i64: 6, text: 8, struct: 12, list: 9 }[type];
    const head = Buffer.from([((id - last) << 4) | code]);
    last = id;
    if (field[1] === 'list') {
      const [, , kind, items] = field;
      const size =
        items.length < 15
          ? Buffer.from([(items.length << 4) | kind])
          : Buffer.concat([Buffer.from([0xf0 | kind]), varint(BigInt(items.length))]);
      return [head, size, ...items];
    }
    if (field[1] === 'struct') return [head, field[2]];
    return [head, field[1] === 'text' ? text(field[2]) : integer(field[2])];
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function plain({ type, values }: ParquetColumn): Buffer {
  const present = values.filter((value) => value !== null);
  if (type === 'string')
    return Buffer.concat(
      (present as string[]).map((value) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(Buffer.byteLength(value));
        return Buffer.concat([length, Buffer.from(value)]);
      }),
    );
  const numbers = present as number[];
  const array =
    type === 'int32'
      ? Int32Array.from(numbers)
      : type === 'int64'
        ? BigInt64Array.from(numbers, BigInt)
        : type === 'float'
          ? Float32Array.from(numbers)
          : Float64Array.from(numbers);
  return Buffer.from(array.buffer);
}

/** Whether there is a value, one bit each, as a run of the hybrid encoding. */
function levels(values: readonly unknown[]): Buffer {
  const groups = Math.ceil(values.length / 8);
  const bits = Buffer.alloc(groups);
  for (const [at, value] of values.entries()) if (value !== null) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  const run = Buffer.concat([varint((BigInt(groups) << 1n) | 1n), bits]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(run.length);
  return Buffer.concat([length, run]);
}

/** `groups`: columns by name, the same ones in each. */
export function parquet(groups: readonly Readonly<Record<string, ParquetColumn>>[], packed = false): Buffer {
  const isOptional = (name: string): boolean => groups.some((group) => (group[name] as ParquetColumn).values.includes(null as never));
  const parts: Buffer[] = [Buffer.from('PAR1')];
  let offset = 4;
  const rowGroups = groups.map((group): { readonly rows: number; readonly bytes: Buffer } => {
    const rows = Object.values(group)[0]?.values.length ?? 0;
    let total = 0;
    const chunks = Object.entries(group).map(([name, column]) => {
      const page = isOptional(name) ? Buffer.concat([levels(column.values), plain(column)]) : plain(column);
      const body = packed ? gzipSync(page) : page;
      const header = struct(
        [1, 'i32', 0],
        [2, 'i32', page.length],
        [3, 'i32', body.length],
        [5, 'struct', struct([1, 'i32', column.values.length], [2, 'i32', 0], [3, 'i32', 3], [4, 'i32', 3])],
      );
      const at = offset;
      parts.push(header, body);
      offset += header.length + body.length;
      total += page.length;
      const meta = struct(
        [1, 'i32', physical[column.type]],
        [2, 'list', 5, [integer(0), integer(3)]],
        [3, 'list', 8, [text(name)]],
        [4, 'i32', packed ? 2 : 0],
        [5, 'i64', column.values.length],
        [6, 'i64', header.length + page.length],
        [7, 'i64', header.length + body.length],
        [9, 'i64', at],
      );
      return struct([2, 'i64', at], [3, 'struct', meta]);
    });
    return { rows, bytes: struct([1, 'list', 12, chunks], [2, 'i64', total], [3, 'i64', rows]) };
  });
  const columns = Object.entries(groups[0] ?? {});
  const schema = [
    struct([4, 'text', 'schema'], [5, 'i32', columns.length]),
    ...columns.map(([name, { type }]) =>
      type === 'string'
        ? struct([1, 'i32', 6], [3, 'i32', 0], [4, 'text', name], [6, 'i32', 0])
        : struct([1, 'i32', physical[type]], [3, 'i32', isOptional(name) ? 1 : 0], [4, 'text', name]),
    ),
  ];
  const footer = struct(
    [1, 'i32', 1],
    [2, 'list', 12, schema],
    [3, 'i64', rowGroups.map(({ rows }) => rows).reduce((sum, rows) => sum + rows, 0)],
    [4, 'list', 12, rowGroups.map(({ bytes }) => bytes)],
  );
  const end = Buffer.alloc(8);
  end.writeUInt32LE(footer.length);
  end.write('PAR1', 4);
  return Buffer.concat([...parts, footer, end]);
}
