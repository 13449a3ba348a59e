// What the package crc-32 says nothing of: its CRC-32C. In: bytes. Out: the checksum as a signed 32-bit number.

declare module 'crc-32/crc32c.js' {
  const crc32c: { buf(bytes: Uint8Array): number };
  export default crc32c;
}
