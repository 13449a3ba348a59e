// Text for models of characters. In: a text file; an entry that takes ids and the ids that follow them, both i32[B, T]. Out: windows of T
// characters, each with the same window one character further on. Holds: characters are code points, the vocabulary is all of them that the
// text has, sorted; of each character one, two or four bytes are in memory, however much windows overlap.

import type { TensorSpec } from '../../../runtime/index.js';
import { readText } from '../../input/files.js';
import { badData } from '../../input/json.js';
import { takesWhole } from './bind.js';
import { type DatasetOptions, vocabularyFor } from './dataset-options.js';
import type { Dataset } from './dataset.js';
import { toElements } from './elements.js';
import { requireRowShape } from './feed-shape.js';
import { positioned } from './positioned.js';
import { copyInto, type RowStore } from './row-store.js';
import { codesOf, unknownWord, type Vocabulary, vocabularyOf } from './vocabulary.js';

/** Errors: file-not-found; bad-data for a text that is shorter than a window, or has characters that a given vocabulary does not have. */
export function textDataset(path: string, feeds: readonly TensorSpec[], options: DatasetOptions): Dataset {
  const { ids, targets } = feedsOf(path, feeds);
  const text = readText(path);
  const length = windowOf(path, ids, options);
  const told = vocabularyFor(options, ids.name);
  const vocabulary = told === undefined || told === true ? vocabularyOf(text) : told;
  const codes = encode(path, text, ids.name, vocabulary);
  const stride = options.stride ?? length;
  // The last window's targets end with the text.
  const rows = Math.floor((codes.length - 1 - length) / stride) + 1;
  if (rows < 1) throw badData(`${path}: ${codes.length} characters, and a window of ${length} with what follows takes ${length + 1}`);
  const storeOf = (feed: TensorSpec, ahead: number): RowStore => {
    requireRowShape(path, feed, [length]);
    return {
      name: feed.name,
      dtype: feed.dtype,
      rowShape: [length],
      rows,
      read: (positions, into) => {
        for (const [row, position] of positions.entries()) {
          const from = position * stride + ahead;
          copyInto(into, toElements(codes.subarray(from, from + length), feed, path), row * length);
        }
      },
    };
  };
  const vocabularies = Object.fromEntries([ids, ...(targets === undefined ? [] : [targets])].map(({ name }) => [name, vocabulary]));
  return positioned(
    feeds.map((feed) => storeOf(feed, feed === targets ? 1 : 0)),
    path,
    { vocabularies },
  );
}

/** What follows is the feed that is called so, or the second. */
function feedsOf(path: string, feeds: readonly TensorSpec[]): { readonly ids: TensorSpec; readonly targets: TensorSpec | undefined } {
  const [one, two, ...others] = feeds;
  if (one === undefined || others.length > 0 || !feeds.every((feed) => takesWhole(feed) && feed.shape.length === 2))
    throw badData(
      `${path}: a text is whole numbers for one or two feeds with a window per row, and there are ${feeds.map(({ name }) => name).join(', ')}`,
      'Write export step train<B>(ids: i32[B, 64], targets: i32[B, 64]).',
    );
  return two !== undefined && /^(?:target|label|next|y)/i.test(one.name) && !/^(?:target|label|next|y)/i.test(two.name)
    ? { ids: two, targets: one }
    : { ids: one, targets: two };
}

function windowOf(path: string, ids: TensorSpec, { window }: DatasetOptions): number {
  const own = ids.shape[1];
  if (typeof own !== 'number') {
    if (window !== undefined) return window;
    throw badData(`${path}: the program leaves open how many characters a row of ${ids.name} has`, 'Say it: window: 64.');
  }
  if (window !== undefined && window !== own)
    throw badData(`${path}: rows of ${ids.name} have ${own} characters, and the window is to have ${window}`);
  return own;
}

/** In the narrowest array. */
function encode(path: string, text: string, feed: string, vocabulary: Vocabulary): Uint8Array | Uint16Array | Uint32Array {
  const codes = codesOf(vocabulary);
  const size = codes.size;
  let count = 0;
  for (const _ of text) count += 1;
  const all = size <= 2 ** 8 ? new Uint8Array(count) : size <= 2 ** 16 ? new Uint16Array(count) : new Uint32Array(count);
  let [at, line] = [0, 1];
  for (const character of text) {
    all[at] = codes.get(character) ?? unknownWord(`${path}: line ${line}`, feed, character, vocabulary);
    if (character === '\n') line += 1;
    at += 1;
  }
  return all;
}
