// Broken programs. In: programs that work, with words deleted, doubled, swapped and replaced. Out: a module or diagnostics, never an
// exception.
// Holds: what passes the checker passes the verifier, and differentiation does not break on it either.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DiagnosticsError } from '../../src/base/index.js';
import { checkedGraph, differentiate, Pipeline, strip } from '../../src/passes/index.js';
import { check, programs, programText, std } from './support.js';

const cases = fileURLToPath(new URL('../diagnostics/cases/', import.meta.url));

const corpus: readonly string[] = [
  ...readdirSync(programs)
    .filter((name) => name.endsWith('.tdsl'))
    .map(programText),
  ...readdirSync(cases)
    .filter((name) => name.endsWith('.tdsl'))
    .map((name) => readFileSync(cases + name, 'utf8')),
  readFileSync(fileURLToPath(new URL('./features.tdsl', import.meta.url)), 'utf8'),
  ...['std/nn', 'std/loss', 'std/optim', 'std/prelude'].map((name) => std(name) ?? ''),
];

/** Words, marks and the space between them: joined they are the text. */
const wordsOf = (text: string): string[] =>
  text.match(/\s+|\/\/[^\n]*|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e-?\d+)?|"[^"\n]*"|<-|=>|\.\.\.|\.\.|[<>=!]=|\*\*|&&|\|\||./gu) ?? [];
const words = corpus.map(wordsOf);
const vocabulary = [...new Set(words.flat().filter((word) => word.trim() !== '' && !word.startsWith('//')))];

type Mutation = { readonly kind: 'delete' | 'double' | 'swap' | 'replace' | 'insert'; readonly at: number; readonly word: number };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('delete', 'double', 'swap', 'replace', 'insert'),
  at: fc.nat(10_000),
  word: fc.nat(vocabulary.length - 1),
});

function mutate(source: readonly string[], mutations: readonly Mutation[]): string {
  const result = [...source];
  for (const { kind, at, word } of mutations) {
    const solid = result.flatMap((one, index) => (one.trim() === '' || one.startsWith('//') ? [] : [index]));
    const index = solid[at % Math.max(1, solid.length)] ?? 0;
    const other = solid[(at + 1) % Math.max(1, solid.length)] ?? 0;
    const mine = result[index] ?? '';
    switch (kind) {
      case 'delete':
        result[index] = '';
        break;
      case 'double':
        result[index] = `${mine} ${mine}`;
        break;
      case 'swap':
        result[index] = result[other] ?? '';
        result[other] = mine;
        break;
      case 'replace':
        result[index] = vocabulary[word] ?? '';
        break;
      case 'insert':
        result[index] = `${mine} ${vocabulary[word] ?? ''} `;
        break;
    }
  }
  return result.join('');
}

function survives(text: string): void {
  const result = check(text);
  if (result.module === undefined) {
    expect(result.diagnostics.length).toBeGreaterThan(0);
    return;
  }
  checkedGraph.verify(result.module, 'check', result.build);
  try {
    Pipeline.of(differentiate).then(strip).run(result.module, { build: result.build });
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
  }
}

const runs = Number(process.env['TFC_RUNS'] ?? 250);

describe('mutated programs', () => {
  test('the corpus itself survives', () => corpus.forEach(survives));

  test('never throw', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.nat(corpus.length - 1), fc.array(mutation, { minLength: 1, maxLength: 3 }), (program, mutations) =>
        survives(mutate(words[program] ?? [], mutations)),
      ),
      { numRuns: runs },
    );
  });

  test('nesting and length are limits, not crashes', () => {
    const deep = 3000;
    survives(`export fn f(x: f32): f32 = ${'('.repeat(deep)}x${')'.repeat(deep)}`);
    survives(`export fn f(x: f32): f32 = ${'-'.repeat(deep)}x`);
    survives(`export fn f(x: f32): f32 = ${Array.from({ length: deep }, () => 'x').join(' + ')}`);
    survives(`export fn f(x: f32): f32 = ${'g('.repeat(200)}x${')'.repeat(200)}\nfn g(x: f32): f32 = x + 1`);
    survives(
      `${Array.from({ length: 150 }, (_, at) => `fn f${at}(x: f32): f32 = f${at + 1}(x)`).join('\n')}\nfn f150(x: f32): f32 = x\nexport fn f(x: f32): f32 = f0(x)`,
    );
  });
});
