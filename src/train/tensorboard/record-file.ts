// TensorFlow's record files. In: records as bytes. Out: each with its length and checksums around it.
// Holds: a record is its length (64 bits, least significant byte first), the length's checksum, the bytes, their checksum (32 bits each);
// checksums are CRC-32C, rotated and moved ("masked"), because a checksum of data with checksums in it would say little.

import crc32c from 'crc-32/crc32c.js';

const maskDelta = 0xa282ead8;

/** Of a checksum that stands beside the data that it is of. */
export function maskedChecksum(data: Uint8Array): number {
  const checksum = crc32c.buf(data) >>> 0;
  return (((checksum >>> 15) | (checksum << 17)) + maskDelta) >>> 0;
}

export function framed(record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(record.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(record.length), true);
  view.setUint32(8, maskedChecksum(bytes.subarray(0, 8)), true);
  bytes.set(record, 12);
  view.setUint32(12 + record.length, maskedChecksum(record), true);
  return bytes;
}
