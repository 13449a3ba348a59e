// What people read when a text is wrong: where, what, and what to write instead; and what of the text is read in spite of it.
import { describe, expect, it } from 'vitest';
import { maximumProblems, parse, positionAt, walk } from '../../grammar/index.js';

/** `line:column message | hint` for each problem. */
function problemsOf(text: string): string[] {
  return parse(text, 'x').problems.map((problem) => {
    const { line, column } = positionAt(text, problem.span.start);
    return `${line}:${column} ${problem.message}${problem.hint === undefined ? '' : ` | ${problem.hint}`}`;
  });
}

function namesOf(text: string): string[] {
  return parse(text, 'x').program.declarations.map((declaration) => ('name' in declaration ? declaration.name.text : declaration.kind));
}

const cases: readonly (readonly [text: string, problems: readonly string[], names: readonly string[]])[] = [
  // what is missing
  ['fn f() = x +\nfn g() = 1', ["1:13 expected an expression, found 'fn'"], ['f', 'g']],
  ['fn f() = * 3\nfn g() = 1', ["1:10 expected an expression, found '*'"], ['f', 'g']],
  ['param w: = zeros()\nfn g() = 1', ["1:10 expected a type, found '='"], ['w', 'g']],
  [
    'param w: f32[3, ] = zeros()\nparam v: f32[] = zeros()',
    ["2:14 expected a size, found ']' | a scalar has no brackets, `f32`; a tensor has a size for each axis, `f32[N, M]`"],
    ['w', 'v'],
  ],
  ['param w: f32[N + ] = zeros()', ["1:18 expected a size, found ']'"], ['w']],
  ['fn f() = g(a, b\nfn h() = 1', ["1:16 expected ')' to close the call opened at line 1, column 11, found 'fn'"], ['h']],
  ['fn f() = [a, b\nfn h() = 1', ["1:15 expected ']' to close the list opened at line 1, column 10, found 'fn'"], ['h']],
  [
    'fn f() {\n  let a = (1 + 2\n  let b = 3\n  return b\n}',
    ["2:17 expected ')' to close the parenthesis opened at line 2, column 11, found 'let'"],
    ['f'],
  ],
  [
    'fn f() {\n  let a = 1\n\nexport fn g() = 2',
    ["2:12 expected '}' to close the block opened at line 1, column 8, found 'export'"],
    ['f', 'g'],
  ],
  ['fn f() {\n  let a = 1', ["2:12 expected '}' to close the block opened at line 1, column 8, found the end of the file"], ['f']],
  [
    'model M {\n  fn f() { return 1\n  fn g() = 2\n}\nfn h() = 1',
    [
      "2:20 expected '}' to close the block opened at line 2, column 10, found 'fn' | a function that belongs into the block is a lambda: `let f = (x, y) => …`",
    ],
    ['M', 'h'],
  ],
  ['fn f() = if a then b\nfn g() = 1', ["1:21 expected 'else', found 'fn' | a choice has two values: `if c then a else b`"], ['g']],
  [
    'fn f() {\n  let h = fold i in 0..3 { z }\n  return 1\n}',
    ["2:26 expected 'with', found '{' | say what the rounds carry: `with z = 0.0`"],
    ['f'],
  ],
  [
    'export step s() {\n  minimize loss\n  return 1\n}',
    ["2:16 expected 'with', found 'return' | say by what optimizer: `with sgd(lr: 0.1)`"],
    ['s'],
  ],
  ['fn f() = x[]', ["1:12 expected an index, found ']'"], ['f']],
  ['param w = zeros()', ['1:7 a param needs a type | write `param w: f32[…] = …`'], ['w']],
  ['export step f() { if x return 1 }', ["1:24 expected 'then' or '{', found 'return'"], ['f']],
  ['export step f() { update w with sgd() }', ["1:39 expected 'by', found '}' | `update params with sgd(lr: 0.1) by gradients`"], ['f']],
  ['fn f(x) = x', ["1:7 expected ':', found ')' | a parameter has a type: `x: f32[B]`"], []],
  ['fn f() = ()', ["1:11 expected an expression, found ')'"], ['f']],
  // what is too much
  ['}\nfn f() = 1\n)', ["1:1 '}' closes nothing", "3:1 ')' closes nothing"], ['f']],
  ['fn f() = g(a,, b)\nfn h() = 1', ["1:14 expected an expression, found ','"], ['f', 'h']],
  ['fn f() { a b }', ["1:12 expected a new line or an operator, found 'b'"], ['f']],
  ['fn f() = x[1:2:3:4]\nfn g() = 1', ["1:17 expected ']' to close the index opened at line 1, column 11, found ':'"], ['g']],
  // habits of other languages
  ['fn f() {\n  return 3x\n}', ["2:11 expected a new line or an operator, found 'x' | a product is written `3 * x`"], ['f']],
  ['fn f() {\n  return 1_000\n}', ["2:11 expected a new line or an operator, found '_000' | digits are written without separators"], ['f']],
  ['fn f() = .5', ["1:10 expected an expression, found '.' | a number has a digit before its point: `0.5`"], ['f']],
  ['fn f() = t.0\nfn g() = 1', ["1:12 expected a name, found '0' | an element of a tuple is taken by index: `t[0]`"], ['g']],
  ['fn f() = a === b', ["1:14 expected an expression, found '=' | equality is written `==`"], ['f']],
  ['fn f() = a ? b : c\nfn g() = 1', ["1:12 '?' is no part of the language | a choice is written `if c then a else b`"], ['f', 'g']],
  ['fn f() = a & b', ['1:12 \'&\' is no part of the language | "and" is written `&&`'], ['f']],
  ['fn f() = a × b', ["1:12 '×' is no part of the language | a product is written `a * b`"], ['f']],
  ['# comment\nfn f() = 1', ["1:1 '#' is no part of the language | a comment starts with `//`"], ['f']],
  ["import { a } from 'std/nn'", ['1:19 strings stand in double quotes | write "std/nn"'], ['import']],
  ['function f(x) { return x }\nfn g() = 1', ["1:1 expected a declaration, found 'function' | a function is declared with `fn`"], ['g']],
  ['let a = 1\nfn g() = 1', ["1:1 expected a declaration, found 'let' | at the top of a file write `name = …` or `const name = …`"], ['g']],
  ['net Mlp()\nfn g() = 1', ["1:1 expected a declaration, found 'net' | write `net = …` to give a name to an instance"], ['g']],
  ['step s() { return 1 }', ['1:1 a step is an entry point | write `export step`'], ['s']],
  [
    'export model M {}',
    ['1:1 only `fn` and `step` are exported | `export` marks an entry point; everything at the top of a file can be imported without it'],
    ['M'],
  ],
  [
    'export step s() {\n  w = 1\n  return w\n}',
    ["2:5 '=' gives no name here | write `let w = …` for a new value, `w <- …` to assign a variable"],
    ['s'],
  ],
  ['export step s() {\n  w += 1\n  return w\n}', ["2:6 expected an expression, found '=' | write `x <- x + e`"], ['s']],
  [
    'export step s() {\n  f(x) <- 1\n}',
    ['2:3 only a variable can be assigned | the left side of `<-` is a name: `w <- e`, `net.bias <- e`'],
    ['s'],
  ],
  [
    'fn f() = if x <-1 then a else b',
    [
      "1:15 expected 'then', found '<-' | a comparison with a negative number needs a space: `x < -1`; an assignment `x <- e` is a statement of its own",
    ],
    [],
  ],
  [
    'fn f() {\n  for i in 0..3 { i }\n  return 1\n}',
    ["2:7 expected a new line or an operator, found 'i' | a loop is a value: `fold i in 0..n with z = 0.0 { … }`"],
    ['f'],
  ],
  [
    'fn f() {\n  let fn = 1\n  return 2\n}',
    ["2:7 expected a name, found 'fn' | `fn` is a word of the language and cannot be a name"],
    ['f'],
  ],
  ['param w: f32[0.5]', ["1:14 a size is a whole number, found '0.5' | sizes count elements"], ['w']],
  ['optimizer o() {\n  state v = 0\n}', ['1:11 an optimizer needs an update rule | write `update(p, g) { p <- … }`'], []],
  ['optimizer o() {\n  update(p, g) {}\n  update(q, h) {}\n}', ['3:3 an optimizer has one `update`'], ['o']],
  [
    'export step s() {\n  summary image("x", x)\n}',
    ['2:11 expected scalar or histogram, found \'image\' | e.g. `summary histogram("x", x)`'],
    ['s'],
  ],
  // text that is no text
  ['fn f() = "abc\nfn g() = 1', ["1:10 this string is never closed: expected '\"' before the end of the line"], ['f', 'g']],
  ['fn f() = "a\\qb"', ["1:12 '\\q' is no escape of a string | escapes are \\n \\t \\r \\b \\f \\\" \\\\ \\/ \\uXXXX \\u{X…}"], ['f']],
  ['fn f() = 1 /* abc', ["1:12 this comment is never closed: expected '*/'"], ['f']],
  ['fn f() = 1\0', ['1:11 this is no text: it has the control character U+0000'], []],
];

describe('syntax problems', () => {
  for (const [text, problems, names] of cases) {
    it(text.replaceAll('\n', '⏎').replaceAll('\0', '␀'), () => {
      expect(problemsOf(text)).toEqual(problems);
      expect(namesOf(text)).toEqual(names);
    });
  }

  it('come several at once, one for each mistake', () => {
    const text = `import { a } from "x"
fn f(x: f32): f32 {
  let a = g(x,, y)
  let b = (a + 1
  let c = 3x
  scope loss { let d = 1
    let e = 2
  }
  return c
}
param w f32
model M {
  p = 1 +
  param q: f32[
  fn call() = r(1
}
fn last() = 1`;
    expect(problemsOf(text)).toEqual([
      "3:15 expected an expression, found ','",
      "4:17 expected ')' to close the parenthesis opened at line 4, column 11, found 'let'",
      "5:12 expected a new line or an operator, found 'x' | a product is written `3 * x`",
      "6:9 expected a new line or an operator, found 'loss'",
      "11:9 expected ':', found 'f32'",
      "13:10 expected an expression, found 'param'",
      "14:16 expected a size, found 'fn'",
      "16:1 expected ')' to close the call opened at line 15, column 16, found '}'",
    ]);
    expect(namesOf(text)).toEqual(['import', 'f', 'M', 'last']);
  });

  it('say what could have stood there', () => {
    const expected = (text: string): unknown => parse(text, 'x').problems[0]?.expected;
    expect(expected('fn f() = g(a')).toEqual(["')'"]);
    expect(expected('fn f() = ')).toEqual(['an expression']);
    expect(expected('fn f() { a b }')).toEqual(['a new line', 'an operator']);
  });

  it('are no more than a few', () => {
    expect(parse('fn f( = 1\n'.repeat(500), 'x').problems).toHaveLength(maximumProblems);
    expect(parse(`fn f() {\n${'a b\n'.repeat(500)}}`, 'x').problems).toHaveLength(maximumProblems);
    expect(parse('?\n'.repeat(500), 'x').problems).toHaveLength(maximumProblems);
  });

  it('leave no empty names in the tree', () => {
    for (const [text] of cases) {
      walk(parse(text, 'x').program, (node) => {
        if (node.kind === 'identifier') expect(node.text).not.toBe('');
        if (node.kind === 'name' || node.kind === 'size-name') expect(node.name).not.toBe('');
      });
    }
  });
});
