// Ways to cut inputs. In: bytes. Out: parts. Holds: joined in order, all parts are the input again.

import type { Grain } from './target.js';

const concat = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const pieces =
  (pattern: RegExp) =>
  (bytes: Uint8Array): Uint8Array[] => {
    const text = Buffer.from(bytes).toString('latin1');
    return (text.match(pattern) ?? []).map((part) => Buffer.from(part, 'latin1'));
  };

export const lines: Grain = { split: pieces(/[^\n]*\n|[^\n]+/g), join: concat };

/** Words, marks, and the space between them, in UTF-8. */
export const words: Grain = { split: pieces(/[A-Za-z0-9_]+|\s+|[\x80-\xff]+|[^]/g), join: concat };

/** Never more than some hundred parts: data is dull. */
export const bytes: Grain = {
  split: (input) => {
    const size = Math.max(1, Math.ceil(input.length / 512));
    return Array.from({ length: Math.ceil(input.length / size) }, (_, at) => input.subarray(at * size, (at + 1) * size));
  },
  join: concat,
};

/** Items of the array that a JSON text is. */
export const items: Grain = {
  split: (input) => (JSON.parse(Buffer.from(input).toString()) as unknown[]).map((item) => Buffer.from(JSON.stringify(item))),
  join: (parts) => Buffer.from(`[${parts.map((part) => Buffer.from(part).toString()).join(',\n')}]`),
};
