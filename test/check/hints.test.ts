// Hints for people who come from elsewhere. In: programs as they would write them. Out: what the hint tells them to write.

import { describe, expect, test } from 'vitest';
import { parse } from '../../grammar/index.js';
import { builtinScope } from '../../src/check/builtins/index.js';
import { argumentNames, otherWords, plainly, sameThing } from '../../src/check/foreign-names.js';
import { knownElsewhere } from '../../src/check/known-names.js';
import { check, std } from './support.js';

const hintsOf = (text: string): (string | undefined)[] => check(text).diagnostics.map((one) => one.hint);

describe('names', () => {
  test('everything that the library declares tells where it is imported from', () => {
    for (const home of ['std/nn', 'std/loss', 'std/optim']) {
      for (const declaration of parse(std(home) ?? '', home).program.declarations) {
        if (declaration.kind === 'fn' || declaration.kind === 'model' || declaration.kind === 'optimizer') {
          expect(knownElsewhere(declaration.name.text)).toBe(`import it: \`import { ${declaration.name.text} } from "${home}"\``);
        }
      }
    }
  });
  test('an import is told before a name that merely looks like it', () => {
    expect(hintsOf('param w: f32 = 1\nexport step f() { minimize w * w with sgd(0.1) }')).toEqual([
      'import it: `import { sgd } from "std/optim"`',
    ]);
  });
  test.each([
    ['matmul(x, x)', 'a matrix product is written `a @ b`'],
    ['np.exp(x)', 'functions need no prefix: `exp(…)`'],
    ['tf.math.reduce_sum(x)', 'write `sum(x, axis: 0)`'],
    ['nn.Linear(x)', 'it is called `Dense` here: `import { Dense } from "std/nn"`'],
    ['F.leaky_relu(x)', 'it is called `leakyRelu` here: `import { leakyRelu } from "std/nn"`'],
    ['maximum(x, x)', 'the larger of two is `max(a, b)`'],
    ['soft_max(x)', 'did you mean `softmax`?'],
    ['x.sum()', 'it is a function: `sum(x)`'],
    ['x.unsqueeze(0)', 'an axis of size 1 is added by `expandDims(x, axis: 0)`'],
    ['x.T', 'write `transpose(x)`'],
  ])('%s', (expression, hint) => {
    expect(hintsOf(`export fn f<N>(x: f32[N, N]): f32[N, N] = ${expression}`)).toEqual([hint]);
  });
  test('a size that nobody declared is not taken for a function', () => {
    expect(hintsOf('export fn f(x: f32[B, 3]) = x')).toEqual(['declare it: `dim B = …`, or as a generic: `<B>`']);
    expect(hintsOf('dim Hidden = 3\nexport fn f(x: f32[Hiden]) = x')).toEqual(['did you mean `Hidden`?']);
  });
});

describe('names from elsewhere', () => {
  const library = ['std/prelude', 'std/arrays', 'std/linear-algebra', 'std/nn', 'std/loss', 'std/optim'].flatMap(
    (home) => parse(std(home) ?? '', home).program.declarations,
  );
  const declared = library.flatMap((one) => (one.kind === 'import' ? [] : [one.name.text]));
  const ours = new Set([...builtinScope().names, ...declared]);
  /** Every piece of program in a sentence. */
  const pieces = (sentence: string): string[] => [...sentence.matchAll(/`([^`]+)`/g)].map(([, piece]) => piece ?? '');

  test.each(Object.keys(sameThing))('there is `%s`', (name) => {
    expect(ours).toContain(name);
    expect(knownElsewhere((sameThing[name] ?? '').split(' ')[0] ?? '')).toContain(`\`${name}\``);
  });
  test.each(otherWords.map(([sentence]) => sentence).filter((sentence) => sentence.includes('`')))('%s', (sentence) => {
    for (const piece of pieces(sentence)) {
      const texts = [piece, `fn piece() = ${piece}`, `fn piece() { ${piece} }`];
      expect([piece, texts.some((text) => parse(text, 'piece').problems.length === 0)]).toEqual([piece, true]);
      // `f` and `g` stand for whatever the reader has; `scalar` is a word behind `summary`.
      for (const [, name] of piece.matchAll(/([A-Za-z]\w*)\(/g))
        if (!['f', 'g', 'scalar'].includes(name ?? '')) expect(ours).toContain(name);
    }
  });
  test('no name is told two things, none is one of ours, and all stand without what spellings differ in', () => {
    const theirs = [...Object.values(sameThing), ...otherWords.map(([, names]) => names)].flatMap((names) => names.split(' '));
    expect(theirs.filter((name, at) => theirs.indexOf(name) !== at)).toEqual([]);
    expect(theirs.filter((name) => name !== plainly(name))).toEqual([]);
    expect(theirs.filter((name) => ours.has(name))).toEqual([]);
  });
  test('arguments are those of some function of the library', () => {
    const taken = new Set(library.flatMap((one) => ('parameters' in one ? one.parameters.map((parameter) => parameter.name.text) : [])));
    for (const name of builtinScope().names) {
      const value = builtinScope().lookup(name)?.value();
      if (value?.kind === 'builtin') for (const parameter of value.builtin.parameters) taken.add(parameter.name);
    }
    for (const names of argumentNames.values()) for (const name of names) expect(taken).toContain(name);
  });
  test('what the program declares is meant first', () => {
    expect(hintsOf('fn addN2(x: f32) = x\nfn Mul(x: f32) = x\nexport fn f(x: f32) = mul(x)')).toEqual(['did you mean `Mul`?']);
  });
});

describe('arguments', () => {
  test('sizes of a model go in angle brackets', () => {
    expect(hintsOf('import { Dense } from "std/nn"\nd = Dense(3, 4)\nexport fn f(x: f32[1, 3]) = d(x)')).toEqual([
      'sizes go in angle brackets: `Dense<In, Out>(…)`',
    ]);
  });
  test.each([
    ['sum(x, dim: 0)', 'it is called `axis` here'],
    ['sum(x, axis: 0, keep_dims: true)', 'did you mean `keepDims`?'],
    ['sum(x, axis: None)', 'leave `axis` out'],
    ['sum(x, null)', 'leave the argument out'],
    ['x[:, null]', 'an axis of size 1 is added by `None`: `x[:, None]`'],
    ['x[:, np.newaxis]', 'an axis of size 1 is added by `None`: `x[:, None]`'],
    ['[i] => x[i, 0, None]', 'leave `None` out: every axis of a tensor has one subscript here'],
  ])('%s', (expression, hint) => {
    expect(hintsOf(`export fn f(x: f32[3, 2]) = ${expression}`)).toEqual([hint]);
  });
  test('a name of one letter is near no other: all are told', () => {
    expect(hintsOf('export fn f(x: f32[3]) = norm(x, p: 1)')).toEqual(['its arguments are `x`, `axis`, `keepDims`']);
  });
  test('one-hot labels become labels', () => {
    expect(hintsOf('import { accuracy } from "std/loss"\nexport fn f(z: f32[4, 3], y: f32[4, 3]) = accuracy(z, y)')).toEqual([
      'it has an axis more; where its rows are one-hot labels: `argmax(…, axis: 1)`',
    ]);
  });
  test('a function without arguments takes its shape from the type', () => {
    expect(hintsOf('fn blank<...S>(): f32[...S] = zeros()\nexport fn f(): f32[2, 3] = blank([2, 3])')).toEqual([
      'its shape is that of the type it stands for: `let x: f32[2, 3] = blank()`',
    ]);
  });
});

test('an initializer of another rank says so', () => {
  expect(hintsOf('param w: f32[2] = glorotUniform()\nexport fn f() = w')).toEqual([
    '`glorotUniform` gives a tensor of rank 2 or more, and one of rank 1 is expected here: `zeros`, `uniform` and `normal` fill any',
  ]);
});

describe('words', () => {
  test.each([
    ['export fn f(x: bool): bool = x and x', '"and" is written `&&`'],
    ['export fn f(x: f32): f32 { const y = x\n  return x }', 'a value inside of a function is named with `let`'],
  ])('%s', (text, hint) => {
    expect(hintsOf(text)[0]).toBe(hint);
  });
});

describe('syntax errors', () => {
  test('hide what follows from them, and nothing else', () => {
    const text =
      'param w: f32 = 1\nexport fn p(x: f32): f32 = x > 0 ? x : -x\nexport fn r(x: f32): f32 { for i in 0..3 { x } }\nexport fn q(x: f32): f32 = nope + w';
    expect(check(text).diagnostics.map(({ code, span }) => [code, text.slice(span?.start, span?.end)])).toEqual([
      ['syntax-error', '?'],
      ['syntax-error', 'i'],
      ['unknown-name', 'nope'],
    ]);
  });
});
