// Whether bytes are what was written once. In: bytes. Out: 16 hexadecimal digits. Holds: any change of one word changes it, any other damage all but surely; it is no defence against people,
// who could write a checksum as well. MurmurHash3's rounds, in two halves with different constants: Node's cryptography and compression take longer to load than everything else on the way to a cached artifact.

export function checksum(bytes: Uint8Array): string {
  const { length } = bytes;
  const padded = bytes.byteOffset % 4 === 0 && length % 4 === 0 ? bytes : new Uint8Array((length + 3) & ~3);
  if (padded !== bytes) padded.set(bytes);
  const words = new Int32Array(padded.buffer, padded.byteOffset, padded.length >>> 2);
  let [low, high] = [length | 0, 0x3c6ef372];
  // Not in functions: most of what is opened from a cache is checked before anything has been optimized.
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    const first = Math.imul(word, 0xcc9e2d51);
    low ^= Math.imul((first << 15) | (first >>> 17), 0x1b873593);
    low = (Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64) | 0;
    const second = Math.imul(word, 0x239b961b);
    high ^= Math.imul((second << 16) | (second >>> 16), 0xab0e9789);
    high = (Math.imul((high << 17) | (high >>> 15), 5) + 0x561ccd1b) | 0;
  }
  return [high, low].map((half) => (mixed(half) >>> 0).toString(16).padStart(8, '0')).join('');
}

function mixed(state: number): number {
  const once = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
