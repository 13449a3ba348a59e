// Programs with something wrong. In: the words of a program. Out: a text. Holds: most are nearly right, since what is refused at once
// reaches little.

import { dtypeNames, isDType } from '../../src/base/index.js';
import type { Random } from './random.js';
import { isSolid, texts } from './texts.js';

/** At the edges of what integers, indices and floats hold. */
export const hostileNumbers = [
  '0',
  '1',
  '2',
  '7',
  '63',
  '64',
  '65',
  '127',
  '255',
  '256',
  '65535',
  '65536',
  '2147483647',
  '2147483648',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551616',
  '100000000',
  '1e38',
  '1e39',
  '1e-46',
  '1e308',
  '1e309',
  '0.1',
  '1.5',
  '-1',
  '-2147483649',
  '1e400',
  '00',
  '1e99999999999',
];

const hostileWords = [
  '__proto__',
  'constructor',
  'prototype',
  'then',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'f32',
  'f16',
  'bf16',
  'bool',
  'i64',
  'u8',
  'where',
  'with',
  'over',
  'vjp',
  'step',
  'model',
  'import',
  'return',
  'yield',
  'café',
  'cafe\u0301',
  'ſ',
  'K',
  '_',
  'int',
  'main',
  'grad',
  'jvp',
  'x',
  'S',
  '...S',
  'seed',
  'all',
];

/** Controls, marks that change the direction of text, halves of characters, what looks like the end of a line. */
export const hostileCharacters = [
  '\0',
  '\x07',
  '\x1b[31m',
  '\x1b]0;t\x07',
  '\x7f',
  '\x85',
  '\x9b',
  '\u200b',
  '\u202e',
  '\u2066',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ufffe',
  '\ud800',
  '\udc00',
  '😀',
  '日本',
  '\r',
  '\r\n',
  '\t',
  '\v',
  '\f',
  '\\',
  '"',
  "'",
  '`',
  '/*',
  '*/',
  '//',
  '///',
  '#',
  '@',
  '$',
  '?',
  '~',
  ';',
  ':',
  '..',
  '...',
  '=>',
  '<-',
];

type Mutation = (words: string[], random: Random) => void;

const at = (words: readonly string[], random: Random): number => random.int(Math.max(1, words.length));

function solidAt(words: readonly string[], random: Random, good: (word: string) => boolean = isSolid): number | undefined {
  const places = words.flatMap((word, place) => (good(word) ? [place] : []));
  return places.length === 0 ? undefined : random.pick(places);
}

function change(make: (word: string, random: Random, words: string[]) => string, good: (word: string) => boolean = isSolid): Mutation {
  return (words, random) => {
    const place = solidAt(words, random, good);
    if (place !== undefined) words[place] = make(words[place] as string, random, words);
  };
}

const range = (words: readonly string[], random: Random, longest = 12): [start: number, end: number] => {
  const start = at(words, random);
  return [start, Math.min(words.length, start + 1 + random.int(longest))];
};

const wrappers: readonly (readonly [before: string, after: string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['-', ''],
  ['!', ''],
  ['x => ', ''],
  ['grad(', ', x)'],
  ['{ a: ', ' }'],
  ['(', ', 1)'],
  ['fold i in 0..3 with z = 0.0 { z + ', ' }'],
  ['if x > 0 then ', ' else 0'],
  ['sum(', ')'],
  ['scope "s" {', '}'],
  ['f(', ')'],
  ['exp(', ')'],
  ['expandDims(', ', axis: 0)'],
  ['stack([', '], axis: 0)'],
];

const mutations: readonly Mutation[] = [
  change(() => ''),
  change((word) => `${word} ${word}`),
  change((_, random) => random.pick(texts().vocabulary)),
  change((word, random) => `${word} ${random.pick(texts().vocabulary)} `),
  change((_, random, words) => words[solidAt(words, random) ?? 0] ?? ''),
  change(
    (_, random) => random.pick(hostileNumbers),
    (word) => /^\d/.test(word),
  ),
  change(
    (_, random) => random.pick(hostileNumbers),
    (word) => /^\d/.test(word),
  ),
  change(
    (_, random) => random.pick(hostileNumbers),
    (word) => /^[A-Z]\w*$/.test(word),
  ),
  change(
    (_, random) => random.pick(hostileWords),
    (word) => /^[A-Za-z_]/.test(word),
  ),
  change((_, random) => random.pick(dtypeNames), isDType),
  change(
    (_, random) =>
      random.pick(['+', '-', '*', '/', '%', '**', '@', '==', '!=', '<', '<=', '&&', '||', '..', ':', ',', '.', '=', '<-', '=>']),
    (word) => /^[-+*/%@=<>&|.:,!]+$/.test(word),
  ),
  // One name for all uses of another.
  (words, random) => {
    const isName = (word: string): boolean => /^[A-Za-z_]\w*$/.test(word);
    const from = words[solidAt(words, random, isName) ?? 0];
    const to = random.chance(0.5) ? random.pick(hostileWords) : (words[solidAt(words, random, isName) ?? 0] ?? '');
    words.forEach((word, place) => word === from && (words[place] = to));
  },
  // A character anywhere.
  (words, random) => {
    const place = at(words, random);
    const word = words[place] ?? '';
    const cut = random.int(word.length + 1);
    words[place] = word.slice(0, cut) + random.pick(hostileCharacters) + word.slice(cut + random.int(2));
  },
  // A range left out, doubled, repeated often, moved, or taken from another program.
  (words, random) => {
    const [start, end] = range(words, random);
    words.splice(start, end - start);
  },
  (words, random) => {
    const [start, end] = range(words, random);
    const part = words.slice(start, end);
    const times = random.pick([1, 1, 2, 3, 20, random.chance(0.1) ? 2000 : 60]);
    words.splice(end, 0, ...Array.from({ length: times }, () => part).flat());
  },
  (words, random) => {
    const [start, end] = range(words, random, 30);
    const part = words.splice(start, end - start);
    words.splice(at(words, random), 0, ...part);
  },
  (words, random) => {
    const other = random.pick(texts().programs);
    const [start, end] = range(other, random, 40);
    const place = at(words, random);
    words.splice(place, random.int(4), ...other.slice(start, end));
  },
  (words, random) => {
    const [before, after] = random.pick(wrappers);
    const times = random.pick([1, 2, 3, 8, 30, random.chance(0.1) ? 1000 : 40]);
    const [start, end] = range(words, random, 4);
    words.splice(end, 0, after.repeat(times));
    words.splice(start, 0, before.repeat(times));
  },
  (words, random) => void words.splice(at(words, random)),
];

export function mutated(program: readonly string[], random: Random): string {
  const words = [...program];
  for (let count = random.pick([1, 1, 1, 2, 2, 3, 5]); count > 0; count--) random.pick(mutations)(words, random);
  return words.join('').slice(0, 200_000);
}
