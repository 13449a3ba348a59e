// Programs that want to become too large. In: nothing. Out: name, text and what the checker and the passes have to say: 'ok', or a code.
// Each is short, and would take exponential time or memory, or the whole stack, if it were expanded as it stands.

import { type DiagnosticCode } from '../../src/base/index.js';

export interface Explosion {
  readonly name: string;
  readonly text: string;
  readonly expected: 'ok' | DiagnosticCode;
  readonly set?: Readonly<Record<string, number>>;
}

const lines = (count: number, line: (at: number) => string): string => Array.from({ length: count }, (_, at) => line(at)).join('\n');
const many = (count: number, item: string): string => Array.from({ length: count }, () => item).join(', ');

/** `export fn f(x) { lets; return … }`, or with a free size. */
const entry = (body: string, value: string, parameters = 'x: f32', generics = ''): string =>
  `export fn f${generics}(${parameters}) {\n${body}\nreturn ${value}\n}\n`;

/** `let a1 = …a0…` and so on; `x` is a0. */
const chain = (count: number, next: (before: string, at: number) => string): string =>
  lines(count, (at) => `let a${at + 1} = ${next(at === 0 ? 'x' : `a${at}`, at)}`);

const doubled = (count: number, one: string, twice: (inner: string) => string): string =>
  `${one}\n${lines(count, (at) => `fn g${at + 1}${twice(`g${at}`)}`)}`;

const all: Explosion[] = [];
const add = (expected: Explosion['expected'], name: string, text: string, set?: Explosion['set']): void =>
  void all.push({ name, text, expected, ...(set === undefined ? {} : { set }) });

// ---- values that hold one another ---------------------------------------------------------------------------------------------------

for (const [what, pair] of [
  ['tuples', (a: string) => `(${a}, ${a})`],
  ['records', (a: string) => `{ u: ${a}, v: ${a} }`],
  ['lists', (a: string) => `[${a}, ${a}]`],
] as const) {
  add('ok', `${what} in ${what}, not used`, entry(chain(60, pair), 'x'));
  add('too-large', `${what} in ${what}, returned`, entry(chain(30, pair), 'a30'));
  add('too-large', `${what} in ${what}, as a carry`, entry(chain(30, pair), 'fold i in 0..3 with z = a30 { z }'));
  add('too-large', `${what} in ${what}, as an output`, entry(chain(30, pair), 'scan i in 0..3 with z = x { yield (z, a30) }'));
  add('too-large', `${what} in ${what}, chosen`, entry(chain(30, pair), 'if x > 0.0 then a30 else a30'));
  add('too-large', `${what} in ${what}, 1,000 deep`, entry(chain(1000, pair), 'x'));
}
add(
  'too-large',
  'lists in lists, as a tensor',
  entry(
    chain(30, (a) => `[${a}, ${a}]`),
    'sum(tensor(a30))',
  ),
);
add(
  'too-large',
  'lists in lists of numbers, in a sum',
  entry(`let a0 = [1, 1]\n${lines(30, (at) => `let a${at + 1} = [a${at}, a${at}]`)}`, 'a30 + x'),
);
add(
  'too-large',
  'lists in lists, joined',
  entry(
    chain(30, (a) => `[${a}, ${a}]`),
    'stack(a30)',
  ),
);
add(
  'too-large',
  'lists in lists, differentiated',
  entry(
    chain(30, (a) => `[${a}, ${a}]`),
    'grad(a30, [x])',
  ),
);
add('too-large', 'a list that a loop over a list doubles', entry('', 'fold i in [q for q in 0..40] with z = (x, x) { (z, z) }'));
add(
  'ok',
  'instances in instances',
  `model M() { param w: f32 = 1.0 }\nmodel P(a: any, b: any) { }\np0 = M()\n${lines(40, (at) => `p${at + 1} = P(p${at}, p${at})`)}\nimport { sgd } from "std/optim"\nexport step f() { minimize p0.w * p0.w with sgd(lr: 0.1) }`,
);

// ---- calls, instances, lists --------------------------------------------------------------------------------------------------------

add(
  'too-large',
  'functions that call twice',
  `${doubled(30, 'fn g0(x: f32): f32 = sin(x)', (g) => `(x: f32): f32 = ${g}(${g}(x))`)}\n${entry('', 'g30(x)')}`,
);
add(
  'too-large',
  'functions that call twice, all the same',
  `${doubled(30, 'fn g0(x: f32): f32 = sin(x)', (g) => `(x: f32): f32 = ${g}(x) + ${g}(x)`)}\n${entry('', 'g30(x)')}`,
);
add(
  'too-large',
  'functions that call twice, unused',
  `${doubled(30, 'fn g0(x: f32): f32 = sin(x)', (g) => `(x: f32): f32 = ${g}(${g}(x))`)}\n${entry('', 'x')}`,
);
add(
  'too-large',
  'functions of known integers',
  `${doubled(30, 'fn g0(n: int): int = n + 1', (g) => `(n: int): int = ${g}(${g}(n))`)}\n${entry('', 'x * g30(1)')}`,
);
add(
  'too-large',
  'defaults that call twice',
  `${doubled(30, 'fn g0(x: f32 = 1.0): f32 = x', (g) => `(x: f32 = ${g}() + ${g}()): f32 = x`)}\n${entry('', 'x + g30()')}`,
);
add(
  'too-large',
  'lambdas that call twice',
  entry(`let g0 = y => sin(y)\n${lines(30, (at) => `let g${at + 1} = y => g${at}(g${at}(y))`)}`, 'g30(x)'),
);
add(
  'too-large',
  'lambdas that are made twice',
  `fn twice(g: fn): fn = y => g(g(y))\n${entry(`let g0 = y => sin(y)\n${lines(25, (at) => `let g${at + 1} = twice(g${at})`)}`, 'g25(x)')}`,
);
add(
  'too-large',
  'functions with rules that call twice',
  `${doubled(25, 'fn g0(x: f32): f32 = sin(x) vjp (g) => g * cos(x)', (g) => `(x: f32): f32 = ${g}(x) * x vjp (d) => d * ${g}(x)`)}\n${entry('', 'grad(g25(x), x)')}`,
);
for (const member of ['param w: f32 = 1.0', 'fn call(x: f32): f32 = x']) {
  add(
    'too-large',
    `models of two models with \`${member.slice(0, 5).trim()}\``,
    `model M0() { ${member} }\n${lines(30, (at) => `model M${at + 1}() { a = M${at}()\nb = M${at}() }`)}\nnet = M30()\n${entry('', 'x')}`,
  );
}
add(
  'too-large',
  'packs of two packs',
  `${lines(12, (at) => `fn g${at}<...S>(a: f32[...S]): f32 = ${at === 11 ? 'sum(a)' : `g${at + 1}<...S, ...S>(zeros())`}`)}\n${entry('', 'g0(x)', 'x: f32[1]')}`,
);
add('too-large', 'a list of 10⁸ elements', entry('', 'addN([x for i in 0..100000000])'));
add('too-large', 'lists of 5,000 lists of 5,000', entry('', 'addN([addN([x * i * j for i in 0..5000]) for j in 0..5000])'));
add(
  'too-large',
  'instances in lists of lists',
  `import { Dense } from "std/nn"\nlayers = [[Dense<8, 8>() for i in 0..9999] for j in 0..9999]\n${entry('', 'x')}`,
);
add(
  'too-large',
  'loops over lists in loops over lists',
  entry(
    '',
    `fold a in [${many(200, '1.0')}] with z = x { fold b in [${many(200, '1.0')}] with w = z { fold c in [${many(200, '1.0')}] with v = w { v * a * b * c } } }`,
  ),
);
add('ok', 'loops in loops, started by literals', entry('', `${'fold i in 0..2 with z = 0.0 { z + '.repeat(25)}x${' }'.repeat(25)}`));
add('ok', 'loops in loops', entry('', `${'fold i in 0..2 with z = x { '.repeat(25)}sin(z)${' }'.repeat(25)}`));
add(
  'ok',
  'a GPT of lists',
  `import { adam } from "std/optim"\nmodel Block() { param a: f32[8, 8] = zeros()\nparam b: f32[8, 8] = zeros()\nfn call(x: f32[8, 8]): f32[8, 8] = x + tanh(softmax(x @ a) @ b) }\nblocks = [Block() for i in 0..48]\nexport step f(x: f32[8, 8]): f32 {\nlet y = fold block in blocks with h = x { block(h) }\nlet loss = mean(y * y)\nminimize loss with adam(lr: 0.1)\nreturn loss\n}`,
);

// ---- depth --------------------------------------------------------------------------------------------------------------------------

add(
  'ok',
  '100 calls inside one another',
  `fn g0(x: f32): f32 = x\n${lines(100, (at) => `fn g${at + 1}(x: f32): f32 = g${at}(x) * 2.0`)}\n${entry('', 'g100(x)')}`,
);
for (const [what, body] of [
  ['calls', (g: string) => ` = ${g}(x)`],
  ['blocks', (g: string) => ` {\nlet y = ${g}(x)\nreturn y\n}`],
  ['loops', (g: string) => ` = fold i in 0..2 with z = x { ${g}(z) }`],
  ['loops over lists', (g: string) => ` = fold i in [1] with z = x { ${g}(z) }`],
  ['rules', (g: string) => ` = ${g}(x) vjp (d) => d`],
  ['choices', (g: string) => ` = if x > 0.0 then ${g}(x) else x`],
  ['lists', (g: string) => ` = addN([${g}(x) for i in 0..1])`],
  ['sums', (g: string) => ` = ${'(1.0 + '.repeat(90)}${g}(x)${')'.repeat(90)}`],
  ['arguments', (g: string) => ` = ${'abs('.repeat(90)}${g}(x)${')'.repeat(90)}`],
  ['scopes', (g: string) => ` {\n${'scope "a" {\n'.repeat(90)}let y = ${g}(x)${'\n}'.repeat(90)}\nreturn y\n}`],
] as const) {
  add(
    'too-large',
    `${what} in calls, hundreds deep`,
    `fn g0(x: f32): f32 = x\n${lines(500, (at) => `fn g${at + 1}(x: f32): f32${body(`g${at}`)}`)}\n${entry('', 'g500(x)')}`,
  );
}
add(
  'too-large',
  'constants of constants below them',
  `${lines(20_000, (at) => `const a${20_000 - at} = a${19_999 - at}`)}\nconst a0 = 1\n${entry('', 'x * a20000')}`,
);
add(
  'ok',
  'constants of constants above them',
  `const a0 = 1\n${lines(20_000, (at) => `const a${at + 1} = a${at}`)}\n${entry('', 'x * a20000')}`,
);
add(
  'too-large',
  'models in models, thousands deep',
  `model M0() { param w: f32 = 1.0 }\n${lines(3000, (at) => `model M${at + 1}() { a = M${at}() }`)}\nnet = M3000()\n${entry('', 'x')}`,
);
for (const [what, next] of [
  ['sin', (a: string) => `sin(${a}) * 1.01`],
  ['sums', (a: string, at: number) => `${a} + ${at}.5`],
  ['choices', (a: string) => `if ${a} > 0.0 then ${a} * 2.0 else x`],
] as const) {
  add('ok', `3,000 steps of ${what}`, entry(chain(3000, next), 'a3000'));
  add('ok', `3,000 steps of ${what}, differentiated`, entry(chain(3000, next), 'grad(a3000, x)'));
}
add('ok', '3,000 assignments', `state s: f32 = 0.0\nexport step f(x: f32): f32 {\n${lines(3000, () => 's <- s * x + 1.0')}\nreturn s\n}`);

// ---- derivatives --------------------------------------------------------------------------------------------------------------------

for (const first of ['sin(x)', 'exp(x * x)', 'sigmoid(x)', 'tanh(x * x)', 'sin(x) * exp(x)', 'x ** 3.5']) {
  add('ok', `25 derivatives of ${first}`, entry(`let g0 = ${first}\n${lines(25, (at) => `let g${at + 1} = grad(g${at}, x)`)}`, 'g25'));
  add(
    'ok',
    `25 derivatives of ${first}, forwards`,
    entry(`let g0 = ${first}\n${lines(25, (at) => `let g${at + 1} = jvp(g${at}, x, 1.0)`)}`, 'g25'),
  );
}
add('ok', '80 derivatives by calls', `fn d(x: f32): f32 = grad(x * x * x, x)\n${entry('', `${'d('.repeat(80)}x${')'.repeat(80)}`)}`);
add(
  'too-large',
  '40 derivatives of a quotient',
  entry(`let g0 = 1.0 / (1.0 + x * x)\n${lines(40, (at) => `let g${at + 1} = grad(g${at}, x)`)}`, 'g40'),
);
add(
  'too-large',
  '40 derivatives of softmax',
  entry(`let g0 = sum(softmax(x) * x)\n${lines(40, (at) => `let g${at + 1} = sum(grad(g${at}, x) * x)`)}`, 'g40', 'x: f32[8]'),
);
add(
  'too-large',
  '40 derivatives of a loop',
  entry(`let g0 = fold i in 0..10 with z = x { sin(z) * z }\n${lines(40, (at) => `let g${at + 1} = grad(g${at}, x)`)}`, 'g40'),
);
add(
  'too-large',
  '40 derivatives of a loop, forwards',
  entry(`let g0 = fold i in 0..10 with z = x { sin(z) * z }\n${lines(40, (at) => `let g${at + 1} = jvp(g${at}, x, 1.0)`)}`, 'g40'),
);
add(
  'too-large',
  '60 derivatives of a function with a rule',
  `fn h(x: f32): f32 = sin(x) vjp (g) => g * cos(x) * h2(x)\nfn h2(x: f32): f32 = cos(x) vjp (g) => g * sin(x)\n${entry(`let g0 = h(x)\n${lines(60, (at) => `let g${at + 1} = grad(g${at}, x)`)}`, 'g60')}`,
);
add(
  'ok',
  '100 steps of descent',
  `import { adam } from "std/optim"\nparam w: f32 = 1.0\nexport step f(x: f32) {\n${lines(100, () => 'minimize w * w * x with adam(lr: 0.1)')}\n}`,
);

// ---- sizes --------------------------------------------------------------------------------------------------------------------------

add('ok', 'a step of a slice that fits', entry('', 'x[::100000000]', 'x: f32[N * 100000000 + 3]', '<N>'));
for (const step of ['100000000', '-100000000', '1000000000000000'])
  add('ambiguous-size', `every ${step}th element`, entry('', `x[::${step}]`, 'x: f32[N]', '<N>'));
for (const rank of [65, 1000, 100_000]) {
  const ones = Array.from({ length: rank }, () => '1').join(',');
  add('too-large', `an argument of rank ${rank}`, `export fn f(x: f32[${ones}]): f32 = sum(x)`);
  add('too-large', `a param of rank ${rank}`, `param w: f32[${ones}] = zeros()\n${entry('', 'x')}`);
  add('too-large', `a shape of rank ${rank}`, entry('', `sum(reshape(x, [${ones}]))`));
}
add('ok', 'rank 64', `export fn f(x: f32[${many(64, '1')}]): f32 = sum(x)`);
add(
  'too-large',
  'axes one by one',
  entry(
    chain(80, (a) => `expandDims(${a}, axis: 0)`),
    'sum(a80)',
  ),
);
for (const [what, type] of [
  ['a product', 'f32[4294967296, 4294967296]'],
  ['one size', 'u8[9007199254740991]'],
  ['one size beyond 2⁵³', 'f32[9007199254740993]'],
  ['a size of 300 digits', `f32[1${'0'.repeat(300)}]`],
  ['a size of 400 digits', `f32[1${'0'.repeat(400)}]`],
  ['nothing times much', 'f32[0, 4294967296, 4294967296]'],
  ['arithmetic', 'f32[4294967296 * 4294967296]'],
] as const) {
  add('too-large', `a type of ${what}`, `export fn f(x: ${type}): u8 = 1`);
}
add('too-large', 'a free size times much', 'export fn f<N>(x: f32[N * 4294967296, 4294967296]): f32 = sum(x)');
add('too-large', 'a free size plus much', 'export fn f<N>(x: f32[N + 9007199254740991 + 9007199254740991]): f32 = sum(x)');
add('too-large', 'a dim that is set', 'dim N = 3\nexport fn f(x: f32[N, N]): f32 = sum(x)', { N: 2 ** 52 });
add(
  'too-large',
  'dims of squares',
  `dim a0 = 2\n${lines(60, (at) => `dim a${at + 1} = a${at} * a${at}`)}\nexport fn f(x: f32[a60]): f32 = sum(x)`,
);
add('too-large', 'a broadcast', entry('', 'sum(broadcastTo(x, [4294967296, 4294967296]))'));
add('too-large', 'an outer product', entry('', 'sum(expandDims(x, axis: 1) * expandDims(x, axis: 0))', 'x: f32[1099511627776]'));
add('too-large', 'a pad', entry('', 'sum(pad(x, [9007199254740991], [9007199254740991]))', 'x: f32[1]'));
add('too-large', 'a loop of 2⁵³ rounds', entry('', 'fold i in 0..9007199254740991 with z = x { z * 1.01 }'));
add(
  'too-large',
  'outputs of loops in loops',
  entry(
    '',
    'scan i in 0..1000000 with z = x { let (a, b) = scan j in 0..1000000 with w = z { let (c, d) = scan k in 0..1000000 with v = w { yield (v, v) }\nyield (c, d) }\nyield (a, b) }',
  ),
);
add('ok', 'a gradient of a product', entry('', 'grad(product(x), x)', 'x: f32[4294967296]'));
add('too-large', 'a size times a number', entry('let k = N * 9007199254740991 * 3', 'f32(k)', 'x: f32[N]', '<N>'));
add(
  'too-large',
  'a polynomial squared',
  entry(`let n0 = A + B\n${lines(30, (at) => `let n${at + 1} = n${at} * n${at}`)}`, 'f32(n30)', 'x: f32[A, B]', '<A, B>'),
);
add(
  'too-large',
  'a polynomial in generics',
  `${lines(30, (at) => `fn g${at}<N>(x: f32[N]): f32 = ${at === 29 ? 'sum(x)' : `g${at + 1}<N * N + N + 1>(zeros())`}`)}\nexport fn f<N>(x: f32[N]): f32 = g0(x)`,
);
add(
  'too-large',
  'as many sizes as elements',
  `export fn f<${Array.from({ length: 40 }, (_, at) => `A${at}`).join()}>(x: f32[${Array.from({ length: 40 }, (_, at) => `A${at} + 1`).join()}]): f32 = sum(x)`,
);

// ---- numbers, names, long texts -----------------------------------------------------------------------------------------------------

add(
  'too-large',
  'squares of integers',
  `const a0 = 3\n${lines(60, (at) => `const a${at + 1} = a${at} * a${at}`)}\n${entry('', 'x + f32(a60)')}`,
);
add('too-large', 'a power of integers', `const a = 3 ** 1000000000\n${entry('', 'x * a')}`);
add('too-large', 'powers of powers', `const a = 9 ** 9 ** 9 ** 9\n${entry('', 'x * a')}`);
add('too-large', 'an integer of 100,000 digits', entry('', `x + ${'1'.repeat(100_000)}`));
add('unknown-name', 'names of 100,000 letters', `export fn f(${'a'.repeat(100_000)}: f32): f32 = ${'a'.repeat(99_999)}b`);
add('ok', 'a name of 500,000 letters', `export fn f(${'a'.repeat(500_000)}: f32): f32 = 1.0`);
add(
  'too-large',
  'a scope of 100,000 letters in calls',
  `fn g(x: f32): f32 { scope "${'a'.repeat(100_000)}" { let a = x * 2.0 }\nreturn a }\n${entry(
    lines(2000, (at) => `let b${at} = g(x)`),
    'b1',
  )}`,
);
add(
  'ok',
  '3,000 scopes of one name',
  entry(
    lines(3000, (at) => `scope "a" { let y${at} = x * ${at}.5 }`),
    'y2999',
  ),
);
add(
  'ok',
  'names that are taken already',
  entry(
    lines(2000, (at) => `scope "a${'_1'.repeat(at % 200)}" { let q${at} = x * 0.5 }\nscope "a" { let r${at} = x + 0.5 }`),
    'q1',
  ),
);
add(
  'ok',
  '3,000 exports',
  lines(3000, (at) => `export fn e${at}(x: f32): f32 = x * ${at}.5`),
);
add('ok', '3,000 params', `${lines(3000, (at) => `param p${at}: f32 = ${at}.5`)}\n${entry('', 'x * p1')}`);
add('ok', 'sums of 20,000 elements', entry('', `addN([${many(20_000, 'x')}])`));
add('ok', 'a tensor of 20,000 elements', entry('', `sum(stack([${many(20_000, 'x')}]))`));

add(
  'ok',
  'a result of 8,192 parts',
  entry(
    chain(13, (a) => `(${a}, ${a})`),
    'a13',
  ),
);
add('too-large', 'a loop of 9,000 carries', entry('let a = [x * i for i in 0..9000]', 'fold i in 0..3 with z = a { z }'));
add(
  'ok',
  '500 derivatives side by side',
  entry(chain(500, (a) => `sin(${a}) + 0.001 * grad(sin(${a}), ${a})`).replaceAll('grad(sin(x), x)', 'x'), 'a500'),
);
add(
  'unknown-name',
  '5,000 unknown names',
  entry(
    lines(5000, (at) => `let a${at} = y${at} + 1.0`),
    'x',
  ),
);

// ---- sizes of many terms -------------------------------------------------------------------------------------------------------------

const sum = '(N + M + K + J + 1)';
for (const [what, size] of [
  ['powers', `${sum} ** 9`],
  ['products', Array.from({ length: 7 }, () => sum).join(' * ')],
] as const)
  add(
    'too-large',
    `300 sizes that are ${what} of sums`,
    `export fn f<N, M, K, J>(x: f32[N], a: f32[M], b: f32[K], c: f32[J], ${Array.from({ length: 300 }, (_, at) => `y${at}: f32[${size} + ${at}]`).join(', ')}): f32 = sum(x)`,
  );

export const explosions: readonly Explosion[] = all;
