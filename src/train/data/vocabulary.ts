// Vocabularies: texts as whole numbers. In: the texts of a column, the characters of a text, the folders of images. Out: their list, in
// which a text's place is its number. Holds: a list is sorted by code points, so it follows from the texts alone and not from their order;
// it is plain data that a checkpoint keeps.

import { shown } from '../../../runtime/shown.js';
import { TfcError } from '../../../runtime/index.js';
import { badData } from '../../input/json.js';

/**
 * What whole numbers mean that were text.
 * @example
 * ```ts
 * const vocabulary: Vocabulary = { words: ['iris', 'rose', 'tulip'] };
 * const flowers = await openDataset('flowers.csv', entry, { columns: { y: 'kind' }, vocabularies: { y: vocabulary } });
 * ```
 */
export interface Vocabulary {
  /** Place = number. Each once. */
  readonly words: readonly string[];
}

/** More labels than this are no labels: names, sentences. */
export const mostWords = 2 ** 20;

export const vocabularyOf = (words: Iterable<string>): Vocabulary => ({ words: [...new Set(words)].sort(byCodePoint) });

function byCodePoint(one: string, two: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(two));
}

/** Numbers by text. */
export const codesOf = ({ words }: Vocabulary): ReadonlyMap<string, number> => new Map(words.map((word, at) => [word, at]));

/**
 * A vocabulary that was kept. @throws TfcError invalid-value for what is none.
 * @example
 * ```ts
 * const vocabulary = requireVocabulary(JSON.parse('{ "words": ["cat", "dog"] }'), 'y');
 * console.log(vocabulary.words.indexOf('dog')); // 1
 * ```
 */
export function requireVocabulary(value: unknown, feed: string): Vocabulary {
  const words = typeof value === 'object' && value !== null && 'words' in value ? value.words : undefined;
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string') || new Set(words).size !== words.length)
    throw new TfcError('invalid-value', `The vocabulary of ${feed} is an object with words, each once, not ${shown(value)}.`, {
      hint: '{ words: ["cat", "dog"] }: cat is 0, dog is 1.',
    });
  return { words: [...(words as string[])] };
}

/** Errors: bad-data. */
export function unknownWord(place: string, feed: string, word: string, { words }: Vocabulary): never {
  const list = words.slice(0, 8).map((one) => JSON.stringify(one));
  throw badData(
    `${place}: ${JSON.stringify(word.slice(0, 80))} is not in the vocabulary of ${feed}`,
    `It has ${list.join(', ')}${words.length > 8 ? ` and ${words.length - 8} more` : ''}.`,
  );
}
