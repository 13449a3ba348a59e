// Texts that want to break the parser: it answers, in time, and never throws.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TdslParser } from '../../grammar/declaration-rules.js';
import { depthOf, maximumDepth, maximumLength, maximumNesting, maximumProblems, parse, print, walk } from '../../grammar/index.js';
import { layers, training, words } from './program-texts.js';
import { withoutPlaces } from './shape.js';

const effort = process.env['TFC_LONG'] === '1' ? 20 : 1;

/** What holds of every result; gives the result. */
function checked(text: string): ReturnType<typeof parse> {
  const result = parse(text, 'x');
  expect(result.problems.length).toBeLessThanOrEqual(maximumProblems);
  let last = 0;
  for (const problem of result.problems) {
    expect(problem.span.start).toBeGreaterThanOrEqual(last);
    expect(problem.span.end).toBeGreaterThanOrEqual(problem.span.start);
    expect(problem.span.end).toBeLessThanOrEqual(text.length);
    last = problem.span.start;
  }
  const clean = result.problems.length === 0;
  walk(result.program, (node) => {
    expect(node.span.end <= text.length && node.span.start <= node.span.end && node.span.start >= 0).toBe(true);
    if (clean) expect(node.kind.startsWith('missing')).toBe(false);
  });
  if (clean) {
    const printed = print(result.program);
    const again = parse(printed, 'x');
    expect(again.problems, printed).toEqual([]);
    expect(withoutPlaces(again.program)).toEqual(withoutPlaces(result.program));
    expect(print(again.program)).toBe(printed);
  }
  return result;
}

describe('the grammar', () => {
  it('is one that the parser library accepts', () => {
    expect(() => new TdslParser('checked')).not.toThrow();
  });
});

describe('deep texts', () => {
  const many = 40_000;
  const texts: Readonly<Record<string, string>> = {
    parentheses: `fn f() = ${'('.repeat(many)}1${')'.repeat(many)}`,
    'open brackets': `fn f() = ${'['.repeat(many)}`,
    blocks: `fn f() {${' scope "a" {'.repeat(many)}`,
    records: `fn f() = ${'{ a: '.repeat(many)}`,
    lambdas: `fn f() = ${'x => '.repeat(many)}1`,
    choices: `fn f() = ${'if a then b else '.repeat(many)}1`,
    loops: `fn f() = ${'fold i in 0..1 with z = '.repeat(many)}1`,
    signs: `fn f() = ${'-'.repeat(many)}1`,
    sums: `fn f() = 1${' + 1'.repeat(many)}`,
    powers: `fn f() = 1${' ** 1'.repeat(many)}`,
    members: `fn f() = a${'.b'.repeat(many)}`,
    types: `fn f(x: ${'{ a: '.repeat(many)}f32`,
    sizes: `fn f(x: f32[${'('.repeat(many)}1`,
    'sums of sizes': `fn f(x: f32[1${' + 1'.repeat(many)}]) = 1`,
    patterns: `fn f() { let ${'('.repeat(many)}`,
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`are refused: ${name}`, () => {
      const { problems } = parse(`a = 1\n${text}\n`, 'x');
      expect(problems).toHaveLength(1);
      expect(problems[0]?.message).toMatch(/nested too deeply/);
    });
  }

  it('are read up to the limits', () => {
    const nested = (n: number): string => `fn f() = ${'('.repeat(n)}1${')'.repeat(n)}`;
    expect(parse(nested(maximumNesting - 1), 'x').problems).toEqual([]);
    expect(parse(nested(maximumNesting), 'x').problems).toHaveLength(1);
    const chain = `fn f() = 1${' + a.b'.repeat(maximumDepth - 10)}`;
    const { program } = checked(chain);
    expect(depthOf(program)).toBeGreaterThan(maximumDepth - 10);
  });
});

describe('long texts', () => {
  const fill = (piece: string): string => piece.repeat(Math.floor((maximumLength - 100) / piece.length));
  const texts: Readonly<Record<string, string>> = {
    declarations: fill('export fn predict<B>(x: f32[B, 784]): i32[B] = argmax(net.logits(x), axis: 1)\n'),
    'one list': `a = [${fill('x + 1, ')}]`,
    'one string': `a = "${fill('\\n')}"`,
    'open strings': fill('"a\n'),
    comments: fill('/// a\n'),
    'an open comment': fill('/*'),
    strange: fill('?x#1&'),
    closers: fill('} ) ]\n'),
    broken: fill('fn f( = 1\n'),
    words: `fn f() {${fill('a b\n')}}`,
    comparisons: `a = [${fill('a<a,')}]`,
    letters: fill('日本 '),
  };
  for (const [name, text] of Object.entries(texts)) {
    it(`take seconds at most: ${name}`, () => {
      const start = performance.now();
      expect(parse(text, 'x').problems.length).toBeLessThanOrEqual(maximumProblems);
      expect(performance.now() - start).toBeLessThan(20_000);
    });
  }

  it('are refused above the limit', () => {
    const { program, problems } = parse(' '.repeat(maximumLength + 1), 'x');
    expect(program.declarations).toEqual([]);
    expect(problems).toMatchObject([{ message: expect.stringContaining('too long') }]);
  });
});

describe('any text', () => {
  const programs = [layers, training, words];
  const pieces = [
    ...new Set(programs.join('\n').match(/[\p{L}_]+|\d[\d.]*|"[^"]*"|\s+|./gu)),
    '/*',
    '*/',
    '"',
    "'",
    '//',
    '///',
    '..',
    '...',
    '?',
    '\r\n',
    '\uFEFF',
    '\u2028',
    'é',
    '😀',
    '\ud800',
    '<-',
    '=>',
    '**',
    '&&',
  ];

  it('does not throw: mutated programs', () => {
    const mutation = fc.record({ at: fc.nat(), length: fc.nat(12), text: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.constantFrom(...programs), fc.array(mutation, { minLength: 1, maxLength: 4 }), (program, mutations) => {
        let text = program;
        for (const { at, length, text: put } of mutations) {
          const start = at % (text.length + 1);
          text = text.slice(0, start) + put.join('') + text.slice(start + length);
        }
        checked(text);
      }),
      { numRuns: 600 * effort },
    );
  });

  it('does not throw: words of the language in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
        checked(parts.join(' '));
      }),
      { numRuns: 600 * effort },
    );
  });

  it('does not throw: any characters, any bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void checked(text)),
      { numRuns: 300 * effort },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void checked(Buffer.from(bytes).toString('utf8'))),
      { numRuns: 300 * effort },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => void checked(Buffer.from(bytes.map((byte) => (byte % 95) + 32)).toString('latin1')),
      ),
      { numRuns: 300 * effort },
    );
  });

  it('does not throw: programs cut off anywhere', () => {
    for (const program of programs) for (let end = 0; end < program.length; end += 3) checked(program.slice(0, end));
  });

  it('gives the same result after any other text', () => {
    const before = parse(training, 'x');
    parse('fn f( {{{', 'x');
    parse(`fn f() = ${'('.repeat(1000)}`, 'x');
    expect(parse(training, 'x')).toEqual(before);
  });
});
