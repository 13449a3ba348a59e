// Examples in a document. In: Markdown with blocks of TDSL. Out: programs with what their comments say of them: values of entries and
// variables, errors of calls, mistakes that the compiler finds.
// Holds: `// area(3, 4) → 12` calls an entry, or fetches a node with the arguments of the only one; `// w → 3` reads a variable; a comment
// that begins with a code of an error says that its line is that mistake. A number is what it says to the digits that it has.

import { type DiagnosticCode, diagnosticCodes } from '../../src/base/index.js';

export interface Example {
  /** The headings above it, from the outermost on. */
  readonly headings: readonly string[];
  /** The line of the document on which it begins. */
  readonly line: number;
  /** How another example imports it; undefined for the most. */
  readonly file: string | undefined;
  readonly text: string;
  readonly claims: readonly Claim[];
  readonly mistakes: readonly Mistake[];
}

export interface Claim {
  readonly text: string;
  /** An entry, a node or a variable. */
  readonly name: string;
  /** Undefined of a variable. */
  readonly given: readonly unknown[] | undefined;
  readonly expected: Expected;
}

export type Expected =
  { readonly kind: 'error'; readonly code: DiagnosticCode } | { readonly kind: 'value'; readonly value: unknown; readonly written: string };

export interface Mistake {
  /** Of the example, from 1 on. */
  readonly line: number;
  readonly code: DiagnosticCode;
}

export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly line: number;
}

const isCode = (word: string): word is DiagnosticCode => Object.hasOwn(diagnosticCodes, word);

/** As GitHub makes anchors of headings. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The headings of a document, in order; those of blocks of code are none. */
export function headingsOf(markdown: string): readonly Heading[] {
  let inside = false;
  return markdown.split('\n').flatMap((text, at) => {
    if (text.startsWith('```')) inside = !inside;
    const [, signs, title] = (inside ? undefined : /^(#+) (.*)$/.exec(text)) ?? [];
    return signs === undefined || title === undefined ? [] : [{ level: signs.length, text: title, line: at + 1 }];
  });
}

export function examplesOf(markdown: string): readonly Example[] {
  const headings = headingsOf(markdown);
  return [...markdown.matchAll(/^```tdsl(?: (\S+))?\n([^]*?)^```$/gm)].map(({ 1: file, 2: text = '', index }) => {
    const line = markdown.slice(0, index).split('\n').length;
    const path: string[] = [];
    for (const heading of headings) if (heading.line < line) path.splice(heading.level - 1, path.length, heading.text);
    return { headings: path, line, file, text, claims: claimsOf(text), mistakes: mistakesOf(text) };
  });
}

function claimsOf(text: string): readonly Claim[] {
  return [...text.matchAll(/^\/\/ (.+) → (.+)$/gm)].map(([whole, left = '', right = '']) => {
    const expected: Expected = isCode(right) ? { kind: 'error', code: right } : { kind: 'value', value: JSON.parse(right), written: right };
    const [, name, given] = /^([\w/]+)\((.*)\)$/.exec(left) ?? [];
    if (name === undefined || given === undefined) return { text: whole, name: left, given: undefined, expected };
    return { text: whole, name, given: JSON.parse(`[${given}]`) as unknown[], expected };
  });
}

function mistakesOf(text: string): readonly Mistake[] {
  return text.split('\n').flatMap((line, at) => {
    const [, word = ''] = /\/\/ ([a-z]+(?:-[a-z]+)+)\b/.exec(line) ?? [];
    return isCode(word) ? [{ line: at + 1, code: word }] : [];
  });
}

/** What differs between a value and what is written, as text; undefined when nothing does. */
export function difference(actual: unknown, { value, written }: { readonly value: unknown; readonly written: string }): string | undefined {
  const numbers = (written.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\d+(?:\.\d+)?/g) ?? []).values();
  return differs(actual, value, 'the result', numbers);
}

function differs(actual: unknown, expected: unknown, path: string, numbers: Iterator<string>): string | undefined {
  const report = (): string => `${path} is ${JSON.stringify(actual)}`;
  if (typeof expected === 'number') {
    const text = numbers.next().value as string;
    const decimals = text.split('.')[1]?.length;
    if (typeof actual !== 'number') return report();
    // As it is rounded; what is written without decimals is exact.
    const off = Math.abs(actual - expected);
    return decimals === undefined ? (off === 0 ? undefined : report()) : off <= 0.5 * 10 ** -decimals * (1 + 1e-9) ? undefined : report();
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return report();
    return firstOf(expected.map((one, at) => () => differs(actual[at], one, `${path}[${at}]`, numbers)));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null || Object.keys(actual).join() !== Object.keys(expected).join()) return report();
    return firstOf(
      Object.entries(expected).map(
        ([name, one]) =>
          () =>
            differs((actual as Record<string, unknown>)[name], one, `${path}.${name}`, numbers),
      ),
    );
  }
  return actual === expected ? undefined : report();
}

/** The first difference; all parts are looked at, so that numbers stay in step with their texts. */
function firstOf(parts: readonly (() => string | undefined)[]): string | undefined {
  const found = parts.map((part) => part());
  return found.find((one) => one !== undefined);
}
