// A short hash. In: bytes. Out: 32 bits. Holds: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), the same everywhere and for ever:
// initial values depend on it.

export function fnv1a(bytes: Iterable<number>): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
