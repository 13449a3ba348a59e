// The parser library, loaded fast. In: nothing. Out: the parts of chevrotain that the grammar uses.
// Holds: this is the only module that loads chevrotain; the others import its types alone.
// Its entry is spread over some 700 small files, which take over 200 ms to load; the same code lies beside them in one
// file, which takes 15 ms, but is not among the package's exports. Where there are no files (a browser's bundle), or
// another release has other files, the entry serves.

import type * as Chevrotain from 'chevrotain';

async function load(): Promise<typeof Chevrotain> {
  const { resolve } = import.meta as { readonly resolve?: (specifier: string) => string };
  if (resolve !== undefined) {
    try {
      const bundle = resolve('chevrotain').replace(/src\/api\.js$/, 'chevrotain.min.mjs');
      return (await import(/* @vite-ignore */ bundle)) as typeof Chevrotain;
    } catch {
      // The entry below is the same library.
    }
  }
  return import('chevrotain');
}

export const { createToken, EmbeddedActionsParser, EOF, isRecognitionException, Lexer, tokenMatcher } = await load();
