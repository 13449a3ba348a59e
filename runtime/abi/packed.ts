// The manifest as an artifact carries it. In: JSON text. Out: bytes, and back. Holds: the same text gives the same bytes on every machine;
// what is no packed text, or unpacks to more than any manifest has, is refused.
// Format: Brotli, RFC 7932. A manifest says the same of every layer, and packed it grows by some bytes with each.

import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/** No manifest is larger: it is text of a program. */
const mostBytes = 2 ** 28;

export const pack = (text: string): Buffer =>
  brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
  });

/** Undefined when the bytes are none that `pack` gave. */
export function unpack(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(brotliDecompressSync(bytes, { maxOutputLength: mostBytes }));
  } catch {
    return undefined;
  }
}
