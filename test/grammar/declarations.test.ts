// How declarations, types, statements and comments are read: one text for each production, with what it becomes.
import { describe, expect, it } from 'vitest';
import type { Declaration, Statement, TypeExpression } from '../../grammar/index.js';
import { parse, printDimension, printPattern, printSize, printType } from '../../grammar/index.js';
import { grouped, read } from './shape.js';

function one(text: string): Declaration {
  const { declarations } = read(text);
  const [first] = declarations;
  if (first === undefined || declarations.length !== 1) throw new Error(`${declarations.length} declarations in ${text}`);
  return first;
}

function typeOf(text: string): TypeExpression {
  const declaration = one(`param p: ${text}`);
  if (declaration.kind !== 'param') throw new Error('no param');
  return declaration.type;
}

function statements(text: string): readonly Statement[] {
  const step = one(`export step s() {\n${text}\n}`);
  if (step.kind !== 'step' || step.body.kind !== 'block') throw new Error('no block');
  return step.body.statements;
}

const named = (text: string): object => ({ text });

describe('declarations', () => {
  it('reads imports', () => {
    expect(one('import { a, b as c, as as as, } from "std/nn"')).toMatchObject({
      kind: 'import',
      from: { value: 'std/nn' },
      specifiers: [
        { imported: named('a'), local: named('a') },
        { imported: named('b'), local: named('c') },
        { imported: named('as'), local: named('as') },
      ],
    });
  });

  it('reads constants and dims', () => {
    expect(one('const eps = 1e-6')).toMatchObject({ kind: 'const', name: named('eps'), type: null, value: { text: '1e-6' } });
    expect(one('const eps: f32 = 1')).toMatchObject({ kind: 'const', type: { name: named('f32') } });
    const dim = one('dim Wide = 4 * (Hidden + 1)');
    if (dim.kind !== 'dim') throw new Error('no dim');
    expect(printSize(dim.value)).toBe('4 * (Hidden + 1)');
  });

  it('reads params and states', () => {
    expect(one('param w: f32[N, 1] = uniform(-1, 1)')).toMatchObject({ kind: 'param', initial: { kind: 'call' } });
    expect(one('param w: f32[3]')).toMatchObject({ kind: 'param', initial: null });
    expect(one('state t: i32 = 0')).toMatchObject({ kind: 'state', type: { name: named('i32') }, initial: { value: 0 } });
    expect(one('state t = 0')).toMatchObject({ kind: 'state', type: null });
  });

  it('reads functions', () => {
    const fn = one('export fn f<B, T: float, ...S>(x: T[B, ...S], eps: f32 = 1e-6): T[B] where B > 1, B % 2 == 0 && B != 8 = x');
    expect(fn).toMatchObject({
      kind: 'fn',
      exported: true,
      generics: [
        { name: named('B'), variadic: false, bound: null },
        { name: named('T'), variadic: false, bound: named('float') },
        { name: named('S'), variadic: true, bound: null },
      ],
      parameters: [
        { name: named('x'), initial: null },
        { name: named('eps'), initial: { value: 1e-6 } },
      ],
      facts: [{ operator: '>' }, { operator: '==' }, { operator: '!=' }],
      body: { kind: 'name' },
      vjp: null,
    });
    expect(one('fn f(x: f32) { return x }')).toMatchObject({ exported: false, result: null, body: { kind: 'block' } });
    expect(one('fn f(x: f32) = x\n  vjp (g) => 2 * g')).toMatchObject({ vjp: { parameters: [named('g')], body: { kind: 'binary' } } });
    expect(one('fn f(x: f32) { return x }\nvjp (g) => { return g }')).toMatchObject({ vjp: { body: { kind: 'block' } } });
  });

  it('reads steps', () => {
    expect(one('export step train<B>(x: f32[B]): { loss: f32 } { return { loss: 0 } }')).toMatchObject({
      kind: 'step',
      name: named('train'),
      generics: [{ name: named('B') }],
      result: { kind: 'record-type' },
    });
    expect(one('export step reset() { w <- zeros() }')).toMatchObject({ result: null });
  });

  it('reads models', () => {
    const model = one(`model Relu<N, M>(threshold: f32, act: fn = identity) where N > M {
      param w: f32[N]
      state count: i32 = 0
      inner = Dense<N, M>(act: act)
      /// What it does.
      fn call<B>(x: f32[B, N]): f32[B] = x
      fn other() { return 1 }
    }`);
    expect(model).toMatchObject({
      kind: 'model',
      parameters: [{ name: named('threshold') }, { name: named('act'), type: { kind: 'fn-type' } }],
      facts: [{ operator: '>' }],
      members: [
        { kind: 'param' },
        { kind: 'state' },
        { kind: 'binding', name: named('inner') },
        { kind: 'fn', name: named('call'), doc: 'What it does.', exported: false },
        { kind: 'fn', doc: null },
      ],
    });
    expect(one('model M {}')).toMatchObject({ generics: [], parameters: [], members: [] });
  });

  it('reads optimizers', () => {
    expect(
      one('optimizer momentum(lr: f32, beta: f32 = 0.9) { state v = zeros(); update(p, g) { v <- beta*v + g; p <- p - lr*v } }'),
    ).toMatchObject({
      kind: 'optimizer',
      parameters: [{ name: named('lr') }, { name: named('beta') }],
      states: [{ name: named('v'), type: null }],
      update: { parameter: named('p'), gradient: named('g'), body: { statements: [{ kind: 'assign' }, { kind: 'assign' }] } },
    });
  });

  it('reads bindings, of clause words too', () => {
    expect(one('net = Mlp<10>()')).toMatchObject({ kind: 'binding', name: named('net') });
    const { declarations } = read('model = a\nparam = b\nstate = c\ndim = d\noptimizer = e\nstep = f\nupdate = g vjp = h');
    expect(declarations.map((declaration) => declaration.kind)).toEqual(Array.from({ length: 8 }, () => 'binding'));
  });

  it('attaches doc comments to what follows them', () => {
    const { declarations, comments } = read(`/// first
///   second

// aside
fn a() = 1 /// of nothing
/// b's
/* between */
export fn b() = 1
//// no doc
c = 2
///
d = 3
`);
    expect(declarations.map((declaration) => declaration.doc)).toEqual(['first\n  second', "b's", null, '']);
    expect(comments.map((comment) => comment.style)).toEqual(['doc', 'doc', 'line', 'doc', 'doc', 'block', 'line', 'doc']);
    expect(read('/// of the model\nmodel M {\n  /// of w\n  param w: f32\n}').declarations).toMatchObject([
      { doc: 'of the model', members: [{ doc: 'of w' }] },
    ]);
    expect(read('optimizer o() {\n  /// of v\n  state v = 0\n  /// of update\n  update(p, g) {}\n}').declarations).toMatchObject([
      { states: [{ doc: 'of v' }], update: { doc: 'of update' } },
    ]);
  });
});

describe('types', () => {
  const types = [
    'f32',
    'f32[B, 784]',
    'T[...S]',
    'f32[B, H * W + 1, ...S, 3]',
    'f32[(N - 1) / 2, -N, N % 4, N - (M - 1)]',
    'Dense<4, N + 1>',
    'List<...S>',
    '{ loss: f32, both: (f32, f32[B]) }',
    '{}',
    '(f32, (i32, bool))',
    'fn',
    'fn(): f32',
    'fn(f32[B], i32): { a: fn }',
  ];
  for (const text of types) it(text, () => expect(printType(typeOf(text))).toBe(text));

  it('takes one type in parentheses for the type itself', () => {
    expect(printType(typeOf('((f32))'))).toBe('f32');
  });

  it('groups sizes as expressions', () => {
    const type = typeOf('f32[a - b - c * d / e]');
    if (type.kind !== 'named-type') throw new Error('no named type');
    expect(type.dims).toMatchObject([
      {
        operator: '-',
        left: { operator: '-', left: { name: 'a' }, right: { name: 'b' } },
        right: { operator: '/', left: { operator: '*' }, right: { name: 'e' } },
      },
    ]);
    expect(type.dims?.map(printDimension)).toEqual(['a - b - c * d / e']);
  });
});

describe('statements', () => {
  it('reads every kind', () => {
    const all = statements(`
      let z = x @ w + b
      let (a, (b, c)): (f32, (f32, f32)) = f(x)
      w <- w - 0.1 * z
      net.layers[0].bias <- 0
      minimize loss with sgd(lr: 0.1) over [w, b]
      minimize loss
        with adam(lr: 1e-3)
      scope "loss" { let error = z }
      summary scalar("mse", mean(error))
      summary histogram("w", w,)
      yield (z, z)
      z
      return { loss }`);
    expect(all.map((statement) => statement.kind)).toEqual([
      'let',
      'let',
      'assign',
      'assign',
      'minimize',
      'minimize',
      'scope',
      'summary',
      'summary',
      'yield',
      'expression-statement',
      'return',
    ]);
    expect(all).toMatchObject([
      { pattern: { name: 'z' }, type: null },
      { type: { kind: 'tuple-type' } },
      { target: { kind: 'name' } },
      { target: { kind: 'member' } },
      { optimizer: { kind: 'call' }, over: { kind: 'list' } },
      { over: null },
      { name: { value: 'loss' }, body: { statements: [{ kind: 'let' }] } },
      { summary: 'scalar', name: { value: 'mse' } },
      { summary: 'histogram' },
      { value: { kind: 'tuple' } },
      {},
      { value: { kind: 'record' } },
    ]);
    const [, second] = all;
    expect(second?.kind === 'let' ? printPattern(second.pattern) : null).toBe('(a, (b, c))');
  });

  it('separates statements by new lines, by `;` or by their words', () => {
    expect(statements('let a = 1 let b = 2 a <- 3 b <- 4; a; b return a').map((statement) => statement.kind)).toEqual([
      'let',
      'let',
      'assign',
      'assign',
      'expression-statement',
      'expression-statement',
      'return',
    ]);
  });

  it('takes clause words for names where no clause can stand', () => {
    const found = statements('minimize <- 1\nminimize.x <- 2\nscope <- 3\nsummary(x)\nscope + 1\nlet over = with\nover <- 2');
    expect(found.map((statement) => statement.kind)).toEqual([
      'assign',
      'assign',
      'assign',
      'expression-statement',
      'expression-statement',
      'let',
      'assign',
    ]);
    const [both] = statements('minimize minimize with with over over');
    expect(both?.kind === 'minimize' && both.over !== null ? grouped(both.over) : null).toBe('over');
  });
});

describe('files', () => {
  it('may be empty', () => {
    for (const text of ['', '\n', '  // only this', '\uFEFF', '/// doc of nothing']) expect(read(text).declarations).toEqual([]);
  });

  it('may have a byte order mark, CRLF, lone CR, tabs and comments in any script', () => {
    const text = '\uFEFF// 28×28 – “digits”\r\nfn f(x: f32): f32 =\r\n\tx /* α\r\nβ */ + 1\r\rfn g() {\r  let a = f\r  (a)\r}\r\n';
    const { declarations } = read(text);
    expect(declarations.map((declaration) => declaration.kind)).toEqual(['fn', 'fn']);
    expect(declarations[1]).toMatchObject({ body: { statements: [{ kind: 'let' }, { kind: 'expression-statement' }] } });
    expect(text.slice(declarations[0]?.span.start, declarations[0]?.span.end)).toBe('fn f(x: f32): f32 =\r\n\tx /* α\r\nβ */ + 1');
  });

  it('are named in every span', () => {
    const { program } = parse('a = b', 'dir/some.tdsl');
    expect(program.source).toEqual({ path: 'dir/some.tdsl', text: 'a = b' });
    expect(program.declarations[0]?.span).toEqual({ source: 'dir/some.tdsl', start: 0, end: 5 });
  });
});
