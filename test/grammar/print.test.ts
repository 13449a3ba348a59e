// The canonical form: what it looks like, that it says the same, and that it is its own canonical form.
import { describe, expect, it } from 'vitest';
import { parse, print, printExpression, type Program } from '../../grammar/index.js';
import { layers, training, words } from './program-texts.js';
import { read, readExpression, withoutPlaces } from './shape.js';

function canonical(text: string): string {
  const program = read(text);
  const printed = print(program);
  expect(withoutPlaces(read(printed)), printed).toEqual(withoutPlaces(program));
  expect(print(read(printed))).toBe(printed);
  return printed;
}

describe('print', () => {
  it('leaves canonical programs as they are', () => {
    for (const text of [layers, training]) expect(canonical(text)).toBe(text);
  });

  it('keeps clause words names', () => {
    expect(canonical(words)).toBe(words);
  });

  it('sets spaces, lines and parentheses', () => {
    expect(canonical('import{a,b as b}from"x"\n\n\n\nfn   f<B,...S>( x:f32[B,2*N] )where B>1&&B<4{let y=((x))*(2+(3))\nreturn(y)}')).toBe(
      'import { a, b } from "x"\n\nfn f<B, ...S>(x: f32[B, 2 * N]) where B > 1, B < 4 {\n  let y = x * (2 + 3)\n  return y\n}\n',
    );
    expect(canonical('model M{}optimizer o(){update(p,g){}}x=1;y=2')).toBe(
      'model M {}\noptimizer o() {\n  update(p, g) {}\n}\nx = 1\ny = 2\n',
    );
    expect(canonical('')).toBe('');
  });

  it('lays out steps', () => {
    const text = `model M<In, Out = In, T: float = f32, K: int = -1>(act: fn = identity) {
  param w: T[In, sizes[0], sizes[In + 1][2] * K] = zeros()
  all = [f(i, j) for i in 0..3 for (j, x) in enumerate(xs)]

  step train(x: f32, lr: f32 = 1e-3): f32 {
    if x > 0 {
      w <- x
    } else if f(x) {
      update [w, b] with adam(lr: lr) by (g, h)
    } else {
      update net with sgd(lr: 0.1) by grad(loss, net)
    }
    precision bf16 {
      let y = x @ w
    }
    if a then b else c
  }
}
`;
    expect(canonical(text)).toBe(text);
  });

  it('keeps `update` a name where it is one', () => {
    const body = (statement: string): string => canonical(`fn f() { ${statement} }`).split('\n')[1]?.trim() ?? '';
    for (const statement of [
      'let y = update[0] + update(x)',
      'update <- 1',
      'update[0] <- 1',
      'update.w <- 1',
      'let z = f(update, precision, by)',
    ])
      expect(body(statement)).toBe(statement);
    expect(body('update(x)')).toBe('(update(x))');
    expect(body('update (x) with o() by g')).toBe('update x with o() by g');
    expect(body('update ((a) + b) with o() by g')).toBe('update a + b with o() by g');
    expect(body('update (-a) with o() by g')).toBe('update (-a) with o() by g');
  });

  it('breaks long lines at brackets, operators and clauses', () => {
    const long = 'someRatherLongName';
    expect(canonical(`a = f(${long}, first: ${long}, second: g(${long}, ${long}), third: ${long})`)).toBe(`a = f(
  ${long},
  first: ${long},
  second: g(${long}, ${long}),
  third: ${long},
)
`);
    expect(canonical(`fn f(${long}: f32[N, 1000], y: f32[N, 1000]) = f(${long}, first: ${long}, y)`)).toBe(
      `fn f(${long}: f32[N, 1000], y: f32[N, 1000]) =\n  f(${long}, first: ${long}, y)\n`,
    );
    expect(canonical(`fn f() = ${long} + ${long} - ${long} * ${long} * ${long} + ${long}`)).toBe(`fn f() =
  ${long} +
    ${long} -
    ${long} * ${long} * ${long} +
    ${long}
`);
    expect(canonical(`fn f() { return if ${long}(1, 2, 3) then ${long}(4, 5, 6) else ${long}(${long}, ${long}) }`)).toBe(`fn f() {
  return if ${long}(1, 2, 3)
    then ${long}(4, 5, 6)
    else ${long}(${long}, ${long})
}
`);
    expect(canonical(`export fn ${long}(x: f32[B, 1000], y: f32[B, 1000]): { first: f32[B, 1000], second: f32[B, 1000] } = x`)).toBe(
      `export fn ${long}(x: f32[B, 1000], y: f32[B, 1000]): {
  first: f32[B, 1000],
  second: f32[B, 1000],
} = x
`,
    );
  });

  it('keeps comments at what they belong to', () => {
    expect(
      canonical(`// head

// of a
a = 1 // behind a
b = [
  // inside of b
  1, /* 2 */ 3
] // behind b
/* at
   the end */
fn f() { // first
  // second

  g(x) // third
  // last
}
model M {
  // nothing yet
}
// tail`),
    ).toBe(`// head

// of a
a = 1 // behind a
// inside of b
/* 2 */
b = [1, 3] // behind b
/* at
   the end */
fn f() {
  // first
  // second

  g(x) // third
  // last
}
model M {
  // nothing yet
}
// tail
`);
  });

  it('never makes a doc comment of another comment', () => {
    expect(canonical('fn f() = /// inside\n 1\nmodel M { /// no doc\n  param w: f32\n}\n/// lost')).toBe(
      '// inside\nfn f() = 1\nmodel M {\n  // no doc\n  param w: f32\n}\n/// lost\n',
    );
    expect(canonical('/// a\n// b\n/// c\n// d\nx = 1')).toBe('// a\n// b\n// d\n/// c\nx = 1\n');
  });

  it('writes new lines as \\n, keeps one empty line and no spaces at ends', () => {
    expect(canonical('a = 1  \r\n\r\n\r\nb = 2 // x  \r\n/* c  \r\nd */\r\n')).toBe('a = 1\n\nb = 2 // x\n/* c\nd */\n');
  });

  it('sets what would be read otherwise in parentheses', () => {
    const body = (text: string): string => canonical(`fn f() {\n  ${text}\n}`).split('\n').slice(1, -2).join('\n').replace(/^ {2}/gm, '');
    expect(body('let a = b\n(-c)')).toBe('let a = b\n(-c)');
    expect(body('minimize a with b\n(over)')).toBe('minimize a with b\n(over)');
    expect(body('minimize a with b\n(over)[0] <- 1')).toBe('minimize a with b\n(over)[0] <- 1');
    expect(body('x => ({ x }).x')).toBe('x => ({ x }.x)');
    expect(body('f(a < b, (c > (d, e)))')).toBe('f(a < b, (c > (d, e)))');
  });

  it('prints trees that no text gave', () => {
    const span = { source: '', start: 0, end: 0 };
    const made: Program = {
      ...read('import { a } from "x"\nimport { b } from "y"\nfn f() = a\nparam p: f32\nparam q: f32'),
      source: { path: '', text: '' },
      comments: [],
      span,
    };
    expect(print(made)).toBe('import { a } from "x"\nimport { b } from "y"\n\nfn f() = a\n\nparam p: f32\nparam q: f32\n');
  });

  it('prints what could be read of a wrong program', () => {
    const { program, problems } = parse('fn f() = a +\nfn g() = 1', 'x');
    expect(problems).toHaveLength(1);
    expect(print(program)).toContain('fn g() = 1');
  });
});

describe('printExpression', () => {
  const texts = [
    'a + b * c',
    '(a + b) * c',
    'a - (b - c)',
    '-a ** 2',
    '(-a) ** 2',
    '(a ** b) ** c',
    'a ** b ** c',
    'a ** -b',
    '!(a && b)',
    '--a',
    '(a == b) < (c < d)',
    '(a < b) == (c > d)',
    '(a < b) < c',
    '(if a then b else c) + 1',
    '(x => x)(1)',
    'f<N, 3>(a, b: c)[0, ..., 1:, ::2].d',
    '[a for (a, b) in 0..n]',
    '{ a, b: c }',
    '(a, b)',
    '() => 0',
    'fold i in 0..3 with z = 0 { z + i }',
    '"\\n\\"é"',
    '(fold i in 0..3 with z = 0 { z })[0]',
  ];
  for (const text of texts) it(text, () => expect(printExpression(readExpression(text))).toBe(text));

  it('stays on one line', () => {
    const long = Array.from({ length: 50 }, (_, i) => `argument${i}`).join(' + ');
    expect(printExpression(readExpression(long))).toBe(long);
    expect(printExpression(readExpression('x => { let y = x\n y }'))).toBe('x => { … y }');
  });
});
