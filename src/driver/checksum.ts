// Whether bytes are what was written once. In: bytes. Out: 16 hexadecimal digits. Holds: any change of one word changes it, any other damage all but surely; it is no defence against people,
// who could write a checksum as well. MurmurHash3's rounds, in two halves with different constants: Node's cryptography and compression take longer to load than everything else on the way to a cached artifact.

export function checksum(bytes: Uint8Array): string {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
  let [low, high] = [bytes.length | 0, 0x3c6ef372];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    low = lowRound(low, word);
    high = highRound(high, word);
  }
  for (let at = words.length * 4; at < aligned.length; at++) {
    low = lowRound(low, aligned[at] as number);
    high = highRound(high, aligned[at] as number);
  }
  return [high, low].map((half) => (mixed(half) >>> 0).toString(16).padStart(8, '0')).join('');
}

function lowRound(state: number, word: number): number {
  const turned = Math.imul(word, 0xcc9e2d51);
  const next = state ^ Math.imul((turned << 15) | (turned >>> 17), 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

function highRound(state: number, word: number): number {
  const turned = Math.imul(word, 0x239b961b);
  const next = state ^ Math.imul((turned << 16) | (turned >>> 16), 0xab0e9789);
  return (Math.imul((next << 17) | (next >>> 15), 5) + 0x561ccd1b) | 0;
}

function mixed(state: number): number {
  const once = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
