// Data files for tests. In: numbers. Out: bytes in the formats of NumPy and of MNIST, written after their descriptions and not by the
// readers under test.

/** A .npy file, version 1. `descr` as NumPy writes it: `<f4`. */
export function npy(descr: string, shape: readonly number[], data: ArrayBufferView, fortran = false): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  return npyOf(`${dictionary.padEnd(Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 11, ' ')}\n`, data);
}

/** A .npy file with this text as header. */
export function npyOf(header: string, data: ArrayBufferView, [major, minor]: readonly [number, number] = [1, 0]): Buffer {
  const text = Buffer.from(header, major < 3 ? 'latin1' : 'utf8');
  const start = Buffer.alloc(major === 1 ? 10 : 12);
  start.write('\x93NUMPY', 0, 'latin1');
  start.set([major, minor], 6);
  if (major === 1) start.writeUInt16LE(text.length, 8);
  else start.writeUInt32LE(text.length, 8);
  return Buffer.concat([start, text, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
}

/** An IDX file of unsigned bytes. */
export function idx(shape: readonly number[], data: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  shape.forEach((size, axis) => head.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([head, data]);
}
