// docs/library.md. In: the built-ins, the standard library, the page. Out: nothing. Holds: the page is what is documented now; every name
// that programs can use has a description; heads are those of the language, with the arguments that the built-ins take.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from '../../grammar/index.js';
import { dtypeNames } from '../../src/base/index.js';
import { builtinGroups, builtinScope } from '../../src/check/builtins/index.js';
import { stdNames } from '../../src/std/load.js';
import { formatted } from '../bench/page.js';
import { at } from '../bench/place.js';
import { headingsOf } from './examples.js';
import { chapters, declarationsOf, headOf, libraryPage, nameOf } from './library.js';

const path = at('docs', 'library.md');
const entries = chapters().flatMap(({ sections }) => sections.flatMap((section) => section.entries));

/** Declarations that others are made of, and programs need not know. */
const parts = [
  'firstPlace',
  'shiftedLogSum',
  'finiteOr0',
  'shares',
  'unit53',
  'boxMuller',
  'narrowNormal',
  'rolled',
  'pickLast',
  'isFloating',
  'runningFloats',
  'runningSum',
  'runningProduct',
  'rowsAt',
  'solveFactored',
  'solveTransposed',
  'solveMatrices',
  'solveTriangles',
  'parity',
  'saturates',
  'tanhSlope',
  'tanhGate',
  'before',
  'rowsOfZeros',
  'bordered',
  'windows',
  'halfCosine',
  'growingRestarts',
];

test('the page is what stands beside the definitions; else `npm run docs` renews it', async () => {
  expect(await formatted(libraryPage(), path)).toBe(readFileSync(path, 'utf8'));
});

test('every name has a description', () => {
  const described = new Set(entries.filter(({ doc }) => /^\S.*[.:]$/.test(doc)).map(({ name }) => name));
  const declared = stdNames.flatMap((part) => declarationsOf(part).map(({ declaration }) => nameOf(declaration)));
  const builtIn = [...builtinScope().names].filter((name) => !dtypeNames.some((dtype) => dtype === name));
  const names = [...declared, ...builtIn, 'shape', 'rank', 'dtype', 'length', 'conversions'];
  expect(names.length).toBeGreaterThan(120);
  expect(names.filter((name) => !described.has(name))).toEqual(parts);
  expect([...described].filter((name) => !names.includes(name))).toEqual([]);
});

test('every name has a heading of its own', () => {
  const headings = headingsOf(readFileSync(path, 'utf8')).map(({ text }) => text.toLowerCase());
  expect(headings.filter((text, index) => headings.indexOf(text) !== index)).toEqual([]);
  expect(entries.map(({ name }) => name.toLowerCase()).filter((name) => !headings.includes(name))).toEqual([]);
});

const builtins = Object.values(builtinGroups).flat();

test.each(builtins.map((builtin) => [builtin.name, builtin] as const))(
  'the heads of `%s` have its arguments',
  (name, { signatures, parameters }) => {
    const heads = signatures.map((signature) => {
      const { program, problems } = parse(`fn ${signature} = 0`, 'head.tdsl');
      expect(problems).toEqual([]);
      const [declaration] = program.declarations;
      if (declaration?.kind !== 'fn') throw new Error(`${signature} is no head`);
      expect(declaration.name.text).toBe(name);
      return declaration.parameters;
    });
    const named = parameters.map((parameter) => {
      const all = heads.map((head) => head.find((one) => one.name.text === parameter.name));
      const optional = all.some((one) => one === undefined || one.initial !== null);
      return { name: parameter.name, optional, known: all.some((one) => one !== undefined) };
    });
    expect(named).toEqual(parameters.map((parameter) => ({ ...parameter, known: true })));
    const extra = heads
      .flatMap((head) => head.map((one) => one.name.text))
      .filter((one) => !parameters.some((known) => known.name === one));
    expect(extra).toEqual([]);
  },
);

test('heads of declarations are what stands before their bodies', () => {
  const head = (text: string): string => {
    const { program } = parse(text, 'declared.tdsl');
    const [declaration] = program.declarations;
    return declaration === undefined ? '' : headOf(declaration, program);
  };
  expect(head('fn f<N>(x: f32[N], k: text = "a = b"): f32[N] where N > 1 = (x + 1) * 2')).toBe(
    'f<N>(x: f32[N], k: text = "a = b"): f32[N] where N > 1',
  );
  expect(head('fn f(x: f32) {\n  return x\n}')).toBe('f(x: f32)');
  expect(head('model M<In>(act: fn = x => { return x }) where In > 0 {\n  param w: f32[In] = zeros()\n  fn call(x: f32): f32 = x\n}')).toBe(
    'model M<In>(act: fn = x => { return x }) where In > 0 {\n  param w: f32[In] = zeros()\n  fn call(x: f32): f32\n}',
  );
  expect(head('optimizer o(lr: f32 = 1e-2) {\n  state v = zeros()\n  update(p, g) { v <- g }\n}')).toBe(
    'optimizer o(lr: f32 = 1e-2) {\n  state v = zeros()\n}',
  );
  expect(head('const pi = 3.14')).toBe('const pi = 3.14');
});
