// The parser that goes by tables: it reads what the other one reads, and gives up exactly where that one finds a mistake.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TdslParser } from '../../grammar/declaration-rules.js';
import { lex } from '../../grammar/lex.js';
import { lookaheadsOf, type Lookaheads } from '../../grammar/lookahead.js';
import { layers } from './program-texts.js';

const analysed = new TdslParser();
const tables = JSON.parse(JSON.stringify(lookaheadsOf(analysed))) as Lookaheads;
const quick = new TdslParser(tables);

const std = join(import.meta.dirname, '..', '..', 'src', 'std');
const texts = [
  layers,
  ...readdirSync(std)
    .filter((name) => name.endsWith('.tdsl'))
    .map((name) => readFileSync(join(std, name), 'utf8')),
];

function bothRead(text: string): void {
  const source = { path: 'x', text };
  const { tokens, comments } = lex(source, 20);
  const { declarations, problems } = analysed.read(source, tokens, comments);
  const found = quick.readSound(source, tokens, comments);
  if (problems.length > 0) expect(found, text).toBeUndefined();
  else expect(found, text).toEqual(declarations);
}

describe('a parser that goes by tables', () => {
  it('has a way for every choice of the grammar', () => {
    expect(tables.optional.length).toBeGreaterThan(50);
    expect(tables.alternatives.length).toBeGreaterThan(10);
    for (const [, starts] of tables.optional) expect(starts.length).toBeGreaterThan(0);
  });

  it('reads the library and a program with the whole language', () => {
    for (const text of texts) bothRead(text);
  });

  it('gives up where the text has a mistake, and reads on as before', () => {
    const words = layers.split(/(?<=[^\w])|(?=[^\w])/);
    let broken = 0;
    for (let at = 0; at < words.length; at += 3) {
      const text = [...words.slice(0, at), ...words.slice(at + 1)].join('');
      bothRead(text);
      if (quick.readSound({ path: 'x', text }, lex({ path: 'x', text }, 20).tokens, []) === undefined) broken += 1;
    }
    expect(broken).toBeGreaterThan(50);
    bothRead(layers);
  });
});
