// What the build makes of loops over arrays and of patterns. In: a source with every form of them. Out: the compiled code does the same,
// by index where an array is gone through, and by iterators where anything else is.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

const source = `
type Pair = readonly [name: string, value?: number];
export function results(): unknown[] {
  const said: unknown[] = [];
  const growing = [1, 2, 3];
  for (const one of growing) if (one < 3 && growing.length < 6) growing.push(one + 10);
  said.push(growing.join());
  const later: (() => number)[] = [];
  outer: for (const row of [[1, 2], [3, 4, 5], []] as readonly (readonly number[])[])
    for (let one of row) {
      if (one === 4) continue outer;
      one *= 10;
      later.push(() => one);
    }
  said.push(later.map((ask) => ask()));
  for (const [at, { name }] of [{ name: 'a' }, { name: 'b' }].entries()) said.push([at, name]);
  for (const [, one] of ['x', 'y'].entries()) said.push(one);
  for (const at of ['x', 'y'].keys()) said.push(at);
  const pairs: readonly Pair[] = [['a', 1], ['b']];
  for (const [name, value = 7] of pairs) said.push(name, value);
  const [[first = 'none'] = [], ...rest] = pairs as readonly (readonly string[])[];
  const [missing] = [] as readonly string[];
  const [one, two] = [said.length, rest.length] as const;
  said.push(first, rest.length, missing, one, two);
  said.push(pairs.map(([name, value]) => [name, value]), [...new Map([['k', 1]])].map(function ([key, value]) { return key + value; }));
  for (const [key, [value]] of new Map([['k', [2]]])) said.push(key, value);
  const set = new Set([1]);
  for (const each of set) if (each < 4) set.add(each + 1);
  said.push([...set]);
  for (const letter of 'a\u{1f600}') said.push(letter);
  const [head, tail] = '\u{1f600}b';
  said.push(head, tail);
  function* counting() { let n = 0; try { while (true) yield n++; } finally { said.push('closed'); } }
  for (const n of counting()) if (n > 2) break;
  for (const key of 'name' in { name: 1 } ? ['is there'] : []) said.push(key);
  let [left, right] = [1, 2];
  [left, right] = [right, left];
  said.push(left, right);
  const give = <T extends readonly number[]>(...[a, b]: T): unknown => [a, b];
  said.push(give(5, 6), (([a]: readonly number[], b = a) => [a, b])([8]));
  return said;
}
`;

/** Compiles the source as it is and by index, runs both, and says what they give, and the second one's text. */
const script = `
import ts from 'typescript';
import { byIndex } from './scripts/by-index.mjs';
const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, strict: true, noUncheckedIndexedAccess: true, types: [] };
const host = ts.createCompilerHost(options);
const { getSourceFile } = host;
host.getSourceFile = (name, ...given) => (name === 'probe.ts' ? ts.createSourceFile(name, ${JSON.stringify(source)}, ...given) : getSourceFile(name, ...given));
const program = ts.createProgram(['probe.ts'], options, host);
const mistakes = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
const compiled = (...before) => {
  let text;
  program.emit(undefined, (_, code) => (text = code), undefined, false, { before });
  return text;
};
const run = async (text) => (await import('data:text/javascript,' + encodeURIComponent(text))).results();
const changed = compiled(byIndex(() => program.getTypeChecker()));
console.log(JSON.stringify({ mistakes, plain: await run(compiled()), byIndex: await run(changed), text: changed }));
`;

test('compiled code goes through arrays by index, and does what the source says', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  const { mistakes, plain, byIndex, text } = JSON.parse(stdout) as Record<'mistakes' | 'plain' | 'byIndex', unknown[]> & { text: string };
  expect(mistakes).toEqual([]);
  expect(byIndex).toEqual(plain);
  // A map, a set, a string, a generator.
  expect(text.match(/\bof\b.*/g)).toHaveLength(4);
});
