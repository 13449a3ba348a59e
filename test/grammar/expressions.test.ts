// How expressions are read: precedence, calls, indices, lambdas, loops, and words that are names.
import { describe, expect, it } from 'vitest';
import { parse } from '../../grammar/index.js';
import { grouped, read, readExpression } from './shape.js';

const groupings: readonly (readonly [string, string])[] = [
  // precedence, from loose to tight
  ['a || b && c', '(a || (b && c))'],
  ['a && b == c', '(a && (b == c))'],
  ['a == b < c', '(a == (b < c))'],
  ['a < b + c', '(a < (b + c))'],
  ['a + b * c', '(a + (b * c))'],
  ['a * -b', '(a * (-b))'],
  ['-a ** b', '(-(a ** b))'],
  ['a ** b.c', '(a ** b.c)'],
  ['!a == b', '((!a) == b)'],
  ['-a @ b', '((-a) @ b)'],
  // grouping
  ['a - b - c', '((a - b) - c)'],
  ['a / b * c % d @ e', '((((a / b) * c) % d) @ e)'],
  ['a ** b ** c', '(a ** (b ** c))'],
  ['a ** -b ** c', '(a ** (-(b ** c)))'],
  ['- - !a', '(-(-(!a)))'],
  ['--a ** 2 * b', '((-(-(a ** 2))) * b)'],
  ['(a + b) * c', '((a + b) * c)'],
  ['a - (b - c)', '(a - (b - c))'],
  ['(a < b) == (c < d)', '((a < b) == (c < d))'],
  ['a != b || c >= d && e <= f', '((a != b) || ((c >= d) && (e <= f)))'],
  // literals
  ['1', '1'],
  ['1.5e-3 + 2E+4 + 1e6', '((1.5e-3 + 2E+4) + 1e6)'],
  ['true && false', '(true && false)'],
  ['"a\\n\\"\\u00e9\\u{1F600}"', '"a\\n\\"é😀"'],
  // calls and members
  ['f()', 'f()'],
  ['f(x, axis: 0, keepDims: true,)', 'f(x, axis: 0, keepDims: true)'],
  ['net.hidden1(x).y(z)', 'net.hidden1(x).y(z)'],
  ['f(x)(y)[0].z', 'f(x)(y)[0].z'],
  ['Dense<784, 300>(act: relu)', 'Dense<784, 300>(act: relu)'],
  ['a.b<N * (M + 1), ...S>(x)', 'a.b<N * (M + 1), ...S>(x)'],
  ['net\n  .logits\n  .x', 'net.logits.x'],
  // `<` compares unless `>(` follows
  ['a < b', '(a < b)'],
  ['a < b && c > d', '((a < b) && (c > d))'],
  ['f(a < b, c > d)', 'f((a < b), (c > d))'],
  ['f(a < b, c > (d))', 'f(a<b, c>(d))'],
  ['if a < b then c > (d) else e', '(if (a < b) then (c > d) else e)'],
  ['a < b == c > (d)', '((a < b) == (c > d))'],
  // indices
  ['x[i]', 'x[i]'],
  ['x[1:]', 'x[1:]'],
  ['x[:, -1]', 'x[:, (-1)]'],
  ['x[..., 0]', 'x[..., 0]'],
  ['a[::2]', 'a[::2]'],
  ['a[n - 1:0:-1, 1:2, :3, 4::5]', 'a[(n - 1):0:(-1), 1:2, :3, 4::5]'],
  ['table[ids][:, None]', 'table[ids][:, None]'],
  // lists, records, tuples
  ['[]', '[]'],
  ['[a, b, c,]', '[a, b, c]'],
  ['[relu(X) for relu in relus]', '[relu(X) for relu in relus]'],
  ['[f(i) for i in 0..5]', '[f(i) for i in 0..5]'],
  ['[a * b for (a, b) in pairs]', '[(a * b) for (a, b) in pairs]'],
  ['{ loss, accuracy: a + b, }', '{loss, accuracy: (a + b)}'],
  ['{}', '{}'],
  ['(a, b)', 'tuple(a, b)'],
  ['(a, (b, c),)', 'tuple(a, tuple(b, c))'],
  ['((a))', 'a'],
  // index notation
  ['[i] => m[i, i]', '([i] => m[i, i])'],
  ['[b, y in 0..H - KH + 1,] => x[b, y + 1] + 1', '([b, y in 0..((H - KH) + 1)] => (x[b, (y + 1)] + 1))'],
  ['[i] => { let a = x[i]\n return a }', '([i] => { let; return })'],
  ['[in, for] => x[in, for]', '([in, for] => x[in, for])'],
  ['sum[i, j in 0..3](a[i] * b[j])', 'sum[i, j in 0..3]((a[i] * b[j]))'],
  ['-max[i](x[i]) ** 2', '(-(max[i](x[i]) ** 2))'],
  ['[j] => [i] => x[i, j]', '([j] => ([i] => x[i, j]))'],
  ['sum[0](x) + sum[i + 1](x) + mean[i] + f[i](x)', '(((sum[0](x) + sum[(i + 1)](x)) + mean[i]) + f[i](x))'],
  ['x[i] ?? 0 * w', '((x[i] ?? 0) * w)'],
  ['-x[i] ?? -1 ** 2', '(-((x[i] ?? (-1)) ** 2))'],
  ['x[i] ?? y[i] ?? 0', '(x[i] ?? (y[i] ?? 0))'],
  ['x[i]\n ?? 0', '(x[i] ?? 0)'],
  // lambdas
  ['x => x * x', '((x) => (x * x))'],
  ['(x, y) => x + y', '((x, y) => (x + y))'],
  ['() => 0', '(() => 0)'],
  ['x => y => x + y', '((x) => ((y) => (x + y)))'],
  ['map(x => x, xs)', 'map(((x) => x), xs)'],
  ['x => ({ x })', '((x) => {x})'],
  ['x => { let y = x\n y }', '((x) => { let; y })'],
  // choices and loops
  ['if a then b else c + d', '(if a then b else (c + d))'],
  ['if a then b else if c then d else e', '(if a then b else (if c then d else e))'],
  ['1 + if a then b else c', '(1 + (if a then b else c))'],
  ['fold i in 0..100 with z = 0.0 { z + i }', '(fold i in 0..100 with z = 0.0 { (z + i) })'],
  [
    'fold (a, b) in pairs with (s, t) = (0, 1) { (s + a, t * b) }',
    '(fold (a, b) in pairs with (s, t) = tuple(0, 1) { tuple((s + a), (t * b)) })',
  ],
  ['scan t in 0..T - 1 with h = h0 { yield (h, h) }', '(scan t in 0..(T - 1) with h = h0 { yield })'],
  ['while z < 100.0 with z = 1.0 { z * 2 }', '(while (z < 100.0) with z = 1.0 { (z * 2) })'],
  ['1 + fold i in 0..2 with z = 0 { z } * 3', '(1 + ((fold i in 0..2 with z = 0 { z }) * 3))'],
  // clause words are names
  ['where(mask, step, state)', 'where(mask, step, state)'],
  ['fold + scan * with', '(fold + (scan * with))'],
  ['fold(in, for)', 'fold(in, for)'],
  ['if then then else else over', '(if then then else else over)'],
  ['[for for in in for]', '[for for in in for]'],
  ['{ param, dim: model, from: as }', '{param, dim: model, from: as}'],
  ['vjp.update.minimize(x)', 'vjp.update.minimize(x)'],
  ['scope => summary', '((scope) => summary)'],
];

describe('expressions', () => {
  for (const [text, expected] of groupings) {
    it(text.replaceAll('\n', '⏎'), () => {
      expect(grouped(readExpression(text))).toBe(expected);
    });
  }

  it('reads names in any script', () => {
    expect(grouped(readExpression('θ * größe + 損失'))).toBe('((θ * größe) + 損失)');
  });

  it('keeps the text of numbers, for integers that no double holds', () => {
    expect(readExpression('9007199254740993')).toMatchObject({ kind: 'number', text: '9007199254740993', integer: true });
    expect(readExpression('1.0')).toMatchObject({ value: 1, integer: false });
    expect(readExpression('1e3')).toMatchObject({ value: 1000, integer: false });
  });

  it('gives places that cover the text, parentheses included', () => {
    const text = 'fn f() = (a + b) * g(c)[0]';
    const [f] = read(text).declarations;
    if (f?.kind !== 'fn' || f.body.kind !== 'binary') throw new Error('not the expected tree');
    const at = (span: { start: number; end: number }): string => text.slice(span.start, span.end);
    expect(at(f.span)).toBe(text);
    expect(at(f.body.span)).toBe('(a + b) * g(c)[0]');
    expect(at(f.body.left.span)).toBe('(a + b)');
    expect(at(f.body.operatorSpan)).toBe('*');
    expect(at(f.body.right.span)).toBe('g(c)[0]');
  });

  it('ends a call or an index at the end of the line', () => {
    const block = (text: string): string[] => {
      const [f] = read(`fn f() {\n${text}\n}`).declarations;
      if (f?.kind !== 'fn' || f.body.kind !== 'block') throw new Error('no block');
      return f.body.statements.map((statement) =>
        statement.kind === 'let'
          ? `let ${grouped(statement.value)}`
          : statement.kind === 'expression-statement'
            ? grouped(statement.expression)
            : statement.kind,
      );
    };
    expect(block('let a = f\n(b, c)')).toEqual(['let f', 'tuple(b, c)']);
    expect(block('let a = f\n[b]')).toEqual(['let f', '[b]']);
    expect(block('let a = f(\n b\n)[\n 0\n]')).toEqual(['let f(b)[0]']);
    expect(block('let a = f\n- b')).toEqual(['let (f - b)']);
    expect(block('let a = f +\n b')).toEqual(['let (f + b)']);
  });

  it('lets comparisons not chain', () => {
    const { problems } = parse('fn f() = a < b < c', 'x');
    expect(problems).toMatchObject([{ message: 'comparisons do not chain', hint: 'write `a < b && b < c`' }]);
    expect(parse('fn f() = (a < b) < c', 'x').problems).toEqual([]);
  });
});
