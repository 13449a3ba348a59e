// docs/language.md. In: its examples. Out: nothing. Holds: every example is a program in the canonical form, every section has one; what
// comments say is what the compiled programs do; whatever the test programs are made of is in some example.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, positionAt, print, walk } from '../../grammar/index.js';
import { buildCached } from '../../src/driver/build/build.js';
import { Cache } from '../../src/driver/build/cache.js';
import { cachePlace } from '../../src/driver/build/cache-place.js';
import { compile, type Feeds, type Session, TfcError, toJson } from '../../src/driver/index.js';
import { type Claim, difference, type Example, examplesOf, headingsOf } from './examples.js';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'language.md'), 'utf8');
const examples = examplesOf(page);
const directory = mkdtempSync(join(tmpdir(), 'tfc-language-'));
process.env['TFC_CACHE'] = join(directory, 'cache');
const place = cachePlace(process.env['TFC_CACHE']);
/** What is compiled in this process is opened from here; that takes a fraction of a process for each example. */
const cache = new Cache('directory' in place ? place.directory : directory);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const fileOf = ({ file, line }: Example): string => file ?? `line-${line}.tdsl`;
for (const example of examples) writeFileSync(join(directory, fileOf(example)), example.text);

/** The names of the arguments of each entry. */
function entriesOf({ text }: Example): ReadonlyMap<string, readonly string[]> {
  const { program } = parse(text, 'example.tdsl');
  return new Map(
    program.declarations.flatMap((one) =>
      one.kind === 'step' || (one.kind === 'fn' && one.exported)
        ? [[one.name.text, one.parameters.map((parameter) => parameter.name.text)] as const]
        : [],
    ),
  );
}

/** What a claim is about, as JSON, or the code of the error. */
function outcome(session: Session, { name, given }: Claim, entries: ReadonlyMap<string, readonly string[]>): unknown {
  if (given === undefined) return toJson(session.get(name));
  const names = entries.get(name) ?? [...entries.values()][0] ?? [];
  const feeds = Object.fromEntries(given.map((value, at) => [names[at] ?? `argument ${at}`, value])) as Feeds;
  try {
    return toJson(session.run(name, feeds));
  } catch (error) {
    if (error instanceof TfcError) return error.code;
    throw error;
  }
}

describe('examples', () => {
  test.each(examples.map((example) => [`${example.headings.at(-1) ?? ''}, line ${example.line}`, example] as const))(
    '%s',
    async (_, example) => {
      const { text, claims, mistakes } = example;
      expect(print(parse(text, 'example.tdsl').program)).toBe(text);
      // What is imported by the next one has no entry of its own.
      if (example.file !== undefined) return;
      const path = join(directory, fileOf(example));
      const reply = buildCached({ path, set: {}, cpu: 'native', roots: [] }, cache);
      const found = reply.kind === 'mistakes' ? reply.diagnostics : [];
      expect(found.map(({ code, span }) => ({ line: positionAt(text, span?.start ?? 0).line, code }))).toEqual(mistakes);
      if (mistakes.length > 0) return;
      expect(reply).toMatchObject({ kind: 'built', warnings: [] });
      using model = await compile(path);
      using session = model.session({ threads: 1 });
      const entries = entriesOf(example);
      for (const claim of claims) {
        const found = outcome(session, claim, entries);
        if (claim.expected.kind === 'error') expect(found, claim.text).toBe(claim.expected.code);
        else expect(difference(found, claim.expected), claim.text).toBeUndefined();
      }
    },
  );
});

test('every section that has no others below it has an example', () => {
  const headings = headingsOf(page);
  const leaves = headings.filter(({ level }, at) => level > 1 && (headings[at + 1]?.level ?? 0) <= level);
  const without = leaves.filter(({ text }) => !examples.some((example) => example.headings.at(-1) === text));
  expect(leaves.length).toBeGreaterThan(30);
  expect(without.map(({ text }) => text)).toEqual([]);
});

test('examples are made of everything that the test programs are made of', () => {
  const partsOf = (text: string): ReadonlySet<string> => {
    const found = new Set<string>();
    walk(parse(text, 'example.tdsl').program, (node) => {
      found.add('operator' in node ? `${node.kind} ${node.operator}` : node.kind);
    });
    return found;
  };
  const programs = join(root, 'test', 'programs');
  const used = readdirSync(programs)
    .filter((name) => name.endsWith('.tdsl'))
    .flatMap((name) => [...partsOf(readFileSync(join(programs, name), 'utf8'))]);
  const shown = new Set(examples.flatMap(({ text }) => [...partsOf(text)]));
  expect(new Set(used).size).toBeGreaterThan(40);
  expect([...new Set(used)].filter((part) => !shown.has(part))).toEqual([]);
});

test('what is compared to the digits that are written is told when it differs', () => {
  const written = (text: string): { readonly value: unknown; readonly written: string } => ({ value: JSON.parse(text), written: text });
  expect(difference([0.3333, { a: 7 }], written('[0.333, { "a": 7 }]'))).toBeUndefined();
  expect(difference([0.3339, { a: 7 }], written('[0.333, { "a": 7 }]'))).toBe('the result[0] is 0.3339');
  expect(difference([0.333, { a: 7.001 }], written('[0.333, { "a": 7 }]'))).toBe('the result[1].a is 7.001');
  expect(difference([1], written('[1, 2]'))).toBe('the result is [1]');
  expect(difference({ b: 1 }, written('{ "a": 1 }'))).toBe('the result is {"b":1}');
  expect(difference(true, written('1'))).toBe('the result is true');
});
