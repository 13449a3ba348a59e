// Programs of N copies of one construct: nested, in a row, beside each other. In: N. Out: a text, with the files that it imports. Holds:
// each is valid for small N but for the last few, which are mistakes; for any N it compiles or is refused in time and memory that grow as
// its text does.

const each = (count: number, line: (at: number) => string, between = '\n'): string =>
  Array.from({ length: count }, (_, at) => line(at)).join(between);
const listed = (count: number, one: (at: number) => string): string => each(count, one, ', ');

const id = (y: string): string => y;
const slope = (y: string): string => `grad(${y}, x)`;
const slopes = (y: string): string => `grad(sum(${y}), x)`;

interface Row {
  /** Types of x and of what comes out. */
  readonly type?: string;
  readonly more?: string;
  readonly out?: (last: string) => string;
  readonly before?: string;
}

/** y1 of x, y2 of y1, and so on. */
const row =
  (step: (y: string, at: number) => string, { type = 'f64', more = '', out = id, before = '' }: Row = {}) =>
  (count: number): string =>
    `${before}export fn f(x: ${type}${more}) {\n  let y0 = x\n${each(count, (at) => `  let y${at + 1} = ${step(`y${at}`, at)}`)}\n  return ${out(`y${count}`)}\n}`;

/** All of x, added up. */
const beside =
  (one: (at: number) => string, { type = 'f64', more = '', out = id, before = '' }: Row = {}) =>
  (count: number): string =>
    `${before}export fn f(x: ${type}${more}) {\n${each(count, (at) => `  let y${at} = ${one(at)}`)}\n  return ${out(`addN([${listed(count, (at) => `y${at}`)}])`)}\n}`;

const v = 'f64[5]';
const m = 'f64[3, 3]';
const layer = 'model M {\n  param w: f64 = 1\n  fn call(x: f64): f64 = w * x\n}\n';
const accumulator = 'model M {\n  state a: f64 = 0\n  step add(x: f64): f64 {\n    a <- a + x\n    return a\n  }\n}\n';
const turn = (y: string): string => `fold i in 0..3 with c = ${y} { sin(c) * 1.01 }`;

export interface Files {
  readonly main: string;
  readonly files: Readonly<Record<string, string>>;
}

export const copies: Readonly<Record<string, (count: number) => string | Files>> = {
  // Loops.
  foldPlain: row((y) => `fold i in 0..3 with c = ${y} { c * 1.01 }`),
  foldLinear: row((y) => `fold i in 0..3 with c = ${y} { c * 1.01 }`, { out: slope }),
  foldSin: row(turn, { out: slope }),
  foldTensor: row(turn, { type: v, out: slopes }),
  foldRows: row((y) => `fold r in z with c = ${y} { sin(c) * r }`, { more: ', z: f64[5]', out: slope }),
  foldRowsLinear: row((y) => `fold r in z with c = ${y} { c * r }`, { more: ', z: f64[5]', out: slope }),
  foldBeside: beside((at) => `fold i in 0..${(at % 7) + 2} with c = x { sin(c) * 1.01 + ${at} }`, { out: slope }),
  foldBesideAlike: beside((at) => `fold i in 0..3 with c = x { sin(c) * ${at}.5 }`, { out: slope }),
  foldBound: row((y) => `fold i in 0..n with c = ${y} { sin(c) * 1.01 }`, { more: ', n: i32', out: slope }),
  foldTwice: (count) => row(turn, { out: (y) => `grad(${slope(y)}, x)` })(Math.min(count, 1_000_000)),
  foldInFold: row((y) => `fold i in 0..2 with c = ${y} { fold j in 0..2 with d = c { sin(d) * 1.01 } }`, { out: slope }),
  foldBody: (count) =>
    `export fn f(x: f64): f64 {\n  let y = fold i in 0..3 with c = x {\n    let a0 = c\n${each(count, (at) => `    let a${at + 1} = sin(a${at}) * 1.01`)}\n    a${count}\n  }\n  return grad(y, x)\n}`,
  foldCarries: (count) =>
    `export fn f(x: f64): f64 {\n  let (${listed(count, (at) => `y${at}`)}) = fold i in 0..3 with (${listed(count, (at) => `c${at}`)}) = (${listed(count, () => 'x')}) {\n    (${listed(count, (at) => `sin(c${(at + 1) % count})`)})\n  }\n  return grad(addN([${listed(count, (at) => `y${at}`)}]), x)\n}`,
  foldCaptures: (count) =>
    `export fn f(x: f64[${count}]): f64 {\n${each(count, (at) => `  let k${at} = sin(x[${at}])`)}\n  let y = fold i in 0..3 with c = x[0] { addN([${listed(count, (at) => `c * k${at}`)}]) }\n  return sum(grad(y, x))\n}`,
  foldList: (count) =>
    `export fn f(x: f64): f64 {\n  let y = fold a in [${listed(count, (at) => `${at}.5`)}] with c = x { sin(c) * a }\n  return grad(y, x)\n}`,
  scanRow: row((y) => `(scan t in 0..5 with s = 0.0 { let q = s * 0.5 + ${y}[t]\n yield (q, q) })[1]`, { type: v }),
  scanSlope: row((y) => `(scan t in 0..5 with s = 0.0 { let q = sin(s) * 0.5 + ${y}[t]\n yield (q, q) })[1]`, { type: v, out: slopes }),
  scanBeside: beside((at) => `sum((scan t in 0..5 with s = 0.0 { let q = s * 0.5 + x[t]\n yield (q, q * ${at}) })[1])`, {
    type: v,
    out: slope,
  }),
  whileRow: row((y) => `while c < 100 with c = ${y} limit 5 { 2 * c }`),
  whileSlope: row((y) => `while c < 100 with c = ${y} limit 5 { 2 * sin(c) }`, { out: slope }),
  whileBeside: beside((at) => `while c < ${at} with c = x limit 5 { 2 * sin(c) }`, { out: slope }),
  // Linear algebra and what is written as loops or by several ops.
  solve: row((y) => `solve(a, ${y})`, { type: 'f64[3]', more: `, a: ${m}` }),
  solveSlope: row((y) => `solve(a, ${y})`, { type: 'f64[3]', more: `, a: ${m}`, out: slopes }),
  cholesky: row((y) => `cholesky(${y} @ transpose(${y}) + eye())`, { type: m }),
  choleskySlope: row((y) => `cholesky(${y} @ transpose(${y}) + eye())`, { type: m, out: slopes }),
  inverse: row((y) => `inverse(${y} + eye())`, { type: m, out: slopes }),
  determinant: row((y) => `${y} * det(${y})`, { type: m, out: slopes }),
  products: row((y) => `tanh(${y} @ x)`, { type: m, out: slopes }),
  sorts: row((y) => `sort(sin(${y}))`, { type: v, out: (y) => slopes(`${y} * ${y}`) }),
  cumulated: row((y) => `cumsum(sin(${y}), axis: 0)`, { type: v, out: (y) => slopes(`${y} * ${y}`) }),
  softmax: row((y) => `softmax(${y})`, { type: v, out: (y) => slopes(`${y} * ${y}`) }),
  centred: row((y, at) => `${y} - mean(${y}, axis: ${at % 2}, keepDims: true)`, { type: m, out: (y) => slopes(`square(${y})`) }),
  // Checkpoints.
  checkpoints: row((y) => `checkpoint(sin(${y}) + ${y})`, { out: slope }),
  checkpointsDoubled: row((y) => `checkpoint(${y} + ${y})`, { out: slope }),
  checkpointsNested: (count) => `export fn f(x: f64) = ${slope(`${'checkpoint(sin('.repeat(count)}x${'))'.repeat(count)}`)}`,
  checkpointsGrowing: (count) =>
    `fn c0(x: f64): f64 = sin(x)\n${each(count, (at) => `fn c${at + 1}(x: f64): f64 = checkpoint(c${at}(x)) + x`)}\nexport fn f(x: f64) {\n  let y = c${count}(x)\n  return grad(y, x)\n}`,
  // Variables and steps.
  params: (count) =>
    `import { sgd } from "std/optim"\n${each(count, (at) => `param w${at}: f64 = ${at}`)}\nexport step s(x: f64): f64 {\n  let l = addN([${listed(count, (at) => `w${at} * w${at}`)}]) * x\n  minimize l with sgd(lr: 0.1)\n  return l\n}`,
  paramsAdam: (count) =>
    `import { adam } from "std/optim"\n${each(count, (at) => `param w${at}: f64[3] = ${at}`)}\nexport step s(x: f64): f64 {\n  let l = addN([${listed(count, (at) => `sum(w${at} * w${at})`)}]) * x\n  minimize l with adam(lr: 0.1)\n  return l\n}`,
  net: (count) =>
    `import { Dense } from "std/nn"\nimport { adam } from "std/optim"\nmodel Net {\n  layers = [Dense<8, 8>(act: tanh) for i in 0..${count}]\n  fn call<B>(x: f32[B, 8]): f32[B, 8] = fold l in layers with h = x { l(h) }\n}\nnet = Net()\nexport step s<B>(x: f32[B, 8]): f32 {\n  let l = mean(square(net(x)))\n  minimize l with adam(lr: 0.1)\n  return l\n}`,
  stepsAdam: (count) =>
    `import { adam } from "std/optim"\nparam w: f64[3] = 1\n${each(count, (at) => `export step s${at}(x: f64): f64 {\n  let l = sum(w * w) * x\n  minimize l with adam(lr: 0.1)\n  return l\n}`)}`,
  minimizeRow: (count) =>
    `import { sgd } from "std/optim"\nparam w: f64[3] = 1\nexport step s(x: f64): f64 {\n${each(count, (at) => `  let l${at} = sum(w * w) * x\n  minimize l${at} with sgd(lr: 0.1)`)}\n  return x\n}`,
  minimizeRowAdam: (count) =>
    `import { adam } from "std/optim"\nparam w: f64[3] = 1\nexport step s(x: f64): f64 {\n${each(count, (at) => `  let l${at} = sum(w * w) * x\n  minimize l${at} with adam(lr: 0.1)`)}\n  return x\n}`,
  optimizers: (count) =>
    `${each(count, (at) => `optimizer o${at}(lr: f64) {\n  state v = zeros()\n  update(p, g) {\n    v <- v * 0.9 + g\n    p <- p - lr * v\n  }\n}`)}\nparam w: f64 = 1\nexport step s(x: f64): f64 {\n${each(count, (at) => `  minimize w * x with o${at}(lr: 0.1)`)}\n  return x\n}`,
  updates: (count) => `state a: f64 = 0\nexport step s(x: f64): f64 {\n${each(count, (at) => `  a <- a + x * ${at}`)}\n  return a\n}`,
  updatesBeside: (count) =>
    `${each(count, (at) => `state a${at}: f64 = 0`)}\nexport step s(x: f64): f64 {\n${each(count, (at) => `  a${at} <- a${at} + x * ${at}`)}\n  return x\n}`,
  updatesRow: (count) =>
    `${each(count + 1, (at) => `state a${at}: f64 = 0`)}\nexport step s(x: f64): f64 {\n  a0 <- x\n${each(count, (at) => `  a${at + 1} <- a${at + 1} + a${at}`)}\n  return x\n}`,
  updatesRound: (count) =>
    `${each(count + 1, (at) => `state a${at}: f64 = 0`)}\nexport step s(x: f64): f64 {\n  let t = a0\n${each(count, (at) => `  a${at} <- a${at + 1}`)}\n  a${count} <- t\n  return x\n}`,
  rowsAssigned: (count) =>
    `state a: f64[64, 2] = 0\nexport step s(x: f64): f64 {\n${each(count, (at) => `  a[${at % 64}] <- [x, x * ${at}]`)}\n  return sum(a)\n}`,
  rowsAssignedAnywhere: (count) =>
    `state a: f64[64, 2] = 0\nexport step s(x: f64, i: i32): f64 {\n${each(count, (at) => `  a[i + ${at}] <- [x, x * ${at}]`)}\n  return sum(a)\n}`,
  choices: (count) =>
    `state a: f64 = 0\nexport step s(x: f64): f64 {\n${each(count, (at) => `  if x > ${at} { a <- a + ${at} } else { a <- a * 2 }`)}\n  return a\n}`,
  choicesNested: (count) =>
    `state a: f64 = 0\nexport step s(x: f64): f64 {\n${each(count, (at) => `  if x > ${at} {\n    a <- a + ${at}`)}\n${each(count, () => '}')}\n  return a\n}`,
  choicesElse: (count) =>
    `state a: f64 = 0\nexport step s(x: f64): f64 {\n  ${each(count, (at) => `if x > ${at} { a <- a + ${at} }`, ' else ')} else {}\n  return a\n}`,
  stepsOfOne: (count) =>
    `${accumulator}m = M()\nexport step s(x: f64): f64 {\n${each(count, (at) => `  m.add(x * ${at})`)}\n  return m.a\n}`,
  stepsOfMany: (count) =>
    `${accumulator}${each(count, (at) => `m${at} = M()`)}\nexport step s(x: f64): f64 {\n  let y0 = x\n${each(count, (at) => `  let y${at + 1} = m${at}.add(y${at})`)}\n  return y${count}\n}`,
  summaries: (count) =>
    `state w: f64 = 0\nexport step s(x: f64): f64 {\n  let y0 = x\n${each(count, (at) => `  let y${at + 1} = sin(y${at})\n  summary scalar("a${at}", y${at + 1})`)}\n  w <- x\n  return y${count}\n}`,
  // Choices.
  where: row((y, at) => `where(${y} > ${at}, ${y} * 2, ${y} + 1)`, { out: slope }),
  ifRow: row((y, at) => `if ${y} > ${at} then sin(${y}) else exp(${y})`, { out: slope }),
  ifLoops: row((y, at) => `if ${y} > ${at} then (${turn(y)}) else ${y}`, { out: slope }),
  ifElse: (count) => `export fn f(x: f64): f64 = ${each(count, (at) => `if x > ${at} then sin(x * ${at})`, ' else ')} else x`,
  ifThen: (count) =>
    `export fn f(x: f64): f64 = ${each(count, (at) => `if x > ${at} then (`, '')}sin(x)${each(count, (at) => `) else ${at}`, ' ')}`,
  extremes: row((y, at) => `max(${y}, ${at} * x)`, { out: slope }),
  // Index notation.
  indexed: row((y) => `[i] => sin(${y}[i]) * ${y}[4 - i]`, { type: v }),
  indexedSlope: row((y) => `[i] => sin(${y}[i]) * ${y}[4 - i]`, { type: v, out: slopes }),
  indexedSums: (count) => `export fn f(x: ${v}): ${v} = [i] => ${each(count, (at) => `sum[k](x[k] * x[i] * ${at})`, ' + ')}`,
  indexedNested: (count) => `export fn f(x: ${v}): f64 = ${each(count, (at) => `sum[k${at}](x[k${at}] * `, '')}1${')'.repeat(count)}`,
  indexedDependent: (count) =>
    `export fn f(x: ${v}): ${v} = [i] => ${each(count, (at) => `sum[k${at} in 0..2](x[k${at}] + `, '')}x[i]${')'.repeat(count)}`,
  indexedPadded: row((y) => `[t in 0..50] => sum[k in 0..3](${y}[t + k - 1] ?? 0)`, { type: 'f64[50]', out: slopes }),
  indexedChoices: (count) =>
    `export fn f(x: f64[50]): f64[50] = [t in 0..50] => ${each(Math.min(count, 1e9), (at) => `(if t > ${at} then x[t] * ${at} else 0)`, ' + ')}`,
  indexedProducts: row((y) => `[i, j] => sum[k](${y}[i, k] * x[k, j])`, { type: m, out: slopes }),
  indexedGathers: row((y) => `[i] => ${y}[p[i]]`, { type: v, more: ', p: i32[5]', out: slopes }),
  indexedAxes: (count) => `export fn f(x: f64): f64[${listed(count, () => '1')}] = [${listed(count, (at) => `i${at} in 0..1`)}] => x`,
  indexedWhile: row((y) => `[i] => while z < 10 with z = ${y}[i] limit 9 { z * 2 }`, { type: v }),
  indexedTriangles: row((y) => `[i in 0..5] => sum[j in 0..i + 1](${y}[j])`, { type: v, out: slopes }),
  // Parts of tensors.
  slices: row((y) => `concat([${y}[2:], ${y}[:2] * 1.01])`, { type: v, out: slopes }),
  turns: row((y) => `concat([${y}[1:], ${y}[:1]])`, { type: 'f64[64]', out: (y) => slopes(`square(${y})`) }),
  halves: row((y) => `concat([${y}[40:], ${y}[:40] * 1.01])`, { type: 'f64[64]', out: slopes }),
  butterflies: row((y) => `concat([${y}[::2] + ${y}[1::2], ${y}[::2] - ${y}[1::2]])`, { type: 'f64[64]', out: slopes }),
  shuffles: row((y) => `reshape(transpose(stack([${y}[:32], ${y}[32:]])), [64])`, { type: 'f64[64]', out: (y) => slopes(`square(${y})`) }),
  rolls: row((y) => `roll(${y}, 1, axis: 0) + roll(${y}, -1, axis: 0)`, { type: 'f64[64]', out: slopes }),
  slicesShrinking: (count) => row((y) => `${y}[1:] + ${y}[:-1]`, { type: `f64[${count + 1}]` })(count),
  slicesFree: (count) => row((y) => `sin(${y}[1:])`, { type: 'f64[N]' })(count).replace('fn f(', 'fn f<N>('),
  slicesBackwards: row((y) => `sin(${y}[::-1])`, { type: v, out: slopes }),
  gathers: row((y) => `sin(${y}[p])`, { type: v, more: ', p: i32[5]', out: slopes }),
  gathersPlain: row((y) => `${y}[p]`, { type: v, more: ', p: i32[5]', out: slopes }),
  elements: (count) => `export fn f(x: f64[${count}]) = sum(grad(addN([sin(x[i]) * i for i in 0..${count}]), x))`,
  windows: (count) => `export fn f(x: f64[8], s: i32): f64[3] = addN([x[s + i : s + i + 3] for i in 0..${count}])`,
  transposes: row((y) => `transpose(sin(${y}))`, { type: m, out: slopes }),
  reshapes: row((y) => `reshape(sin(reshape(${y}, [9])), [3, 3])`, { type: m, out: slopes }),
  broadcasts: row((y) => `${y} + sum(${y}) * 0.1`, { type: v, out: slopes }),
  concats: row((y, at) => `concat([${y}, x * ${at}])`, { type: v, out: (y) => `sum(${y})` }),
  concatsSlope: row((y, at) => `concat([${y}, x * ${at}])`, { type: v, out: (y) => slopes(`square(${y})`) }),
  stacks: (count) => `export fn f(x: ${v}) = grad(sum(square(stack([x * i for i in 0..${count}]))), x)`,
  pads: row((y) => `pad(${y}, 1, 1)`, { type: v, out: (y) => `sum(${y})` }),
  // Functions.
  ruled: row((y) => `r(${y})`, { out: slope, before: 'fn r(x: f64): f64 = round(x)\n  vjp (g) => g\n' }),
  ruledEach: (count) =>
    `${each(count, (at) => `fn r${at}(x: f64): f64 = round(x) * ${at}\n  vjp (g) => g * ${at}`)}\nexport fn f(x: f64) = grad(addN([${listed(count, (at) => `r${at}(x)`)}]), x)`,
  ruledNested: (count) =>
    `fn r0(x: f64): f64 = sin(x)\n${each(count, (at) => `fn r${at + 1}(x: f64): f64 = r${at}(x) * 1.01\n  vjp (g) => g * r${at}(x)`)}\nexport fn f(x: f64) = grad(r${count}(x), x)`,
  functionsNested: (count) =>
    `fn g0(x: f64): f64 = sin(x)\n${each(count, (at) => `fn g${at + 1}(x: f64): f64 = g${at}(x) + 1`)}\nexport fn f(x: f64): f64 = g${count}(x)`,
  functions: (count) =>
    `${each(count, (at) => `fn e${at}(x: f64): f64 = sin(x) * ${at}`)}\nexport fn f(x: f64): f64 = addN([${listed(count, (at) => `e${at}(x)`)}])`,
  functionsUnused: (count) =>
    `${each(count, (at) => `fn e${at}<A, B>(x: f64[A, B]): f64[B, A] = transpose(x) * ${at}`)}\nexport fn f(x: f64): f64 = x`,
  blocks: row((y) => `b(${y})`, { out: slope, before: 'fn b(x: f64): f64 {\n  let a = sin(x)\n  let c = a * x\n  return c\n}\n' }),
  lambdas: row((y) => `(u => sin(u))(${y})`, {}),
  lambdasNested: (count) => `export fn f(x: f64): f64 = ${each(count, (at) => `(a${at} => `, '')}x${')(x)'.repeat(count)}`,
  entries: (count) => each(count, (at) => `export fn e${at}(x: f64): f64 = sin(x) * ${at}`),
  entriesSlope: (count) => each(count, (at) => `export fn e${at}(x: f64): f64 = grad(sin(x) * ${at}, x)`),
  entriesLoops: (count) =>
    each(count, (at) => `export fn e${at}(x: f64): f64 {\n  let y = fold i in 0..3 with c = x { sin(c) * ${at} }\n  return grad(y, x)\n}`),
  entriesDocumented: (count) => each(count, (at) => `/// Number ${at}.\nexport fn e${at}(x: f64): f64 = x`),
  arguments: (count) => `export fn f(${listed(count, (at) => `x${at}: f64`)}): f64 = addN([${listed(count, (at) => `x${at}`)}])`,
  argumentsSlope: (count) =>
    `export fn f(${listed(count, (at) => `x${at}: f64`)}) = grad(addN([${listed(count, (at) => `sin(x${at}) * x${at}`)}]), [${listed(count, (at) => `x${at}`)}])`,
  defaults: (count) => `export fn f(${listed(count, (at) => `x${at}: f64 = ${at}`)}): f64 = addN([${listed(count, (at) => `x${at}`)}])`,
  defaultsRow: (count) =>
    `fn g(x0: f64 = 1, ${listed(count, (at) => `x${at + 1}: f64 = x${at} + 1`)}): f64 = x${count}\nexport fn f(): f64 = g()`,
  named: (count) =>
    `fn g(${listed(count, (at) => `x${at}: f64`)}): f64 = x0\nexport fn f(x: f64): f64 = g(${listed(count, (at) => `x${count - 1 - at}: x`)})`,
  generics: (count) =>
    `export fn f<${listed(count, (at) => `N${at}`)}>(${listed(count, (at) => `x${at}: f64[N${at}]`)}): f64 = addN([${listed(count, (at) => `sum(x${at})`)}])`,
  genericsJoined: (count) =>
    `export fn f<${listed(count, (at) => `N${at}`)}>(${listed(count, (at) => `x${at}: f64[N${at}]`)}) = concat([${listed(count, (at) => `x${at}`)}])`,
  genericsGrowing: (count) =>
    `fn h<N>(x: f64[N]): f64[N + 1] = concat([x, x[0:1]])\nexport fn f<N>(x: f64[N]) {\n  let y0 = x\n${each(count, (at) => `  let y${at + 1} = h(y${at})`)}\n  return sum(y${count})\n}`,
  // Facts.
  facts: (count) => `export fn f<N>(x: f64[N]): f64 where ${listed(count, (at) => `N > ${at}`)} = sum(x)`,
  factsDivided: (count) => `export fn f<N>(x: f64[N]): f64 where ${listed(count, (at) => `N % ${at + 1} == 0`)} = sum(x)`,
  factsEqual: (count) =>
    `export fn f<${listed(count, (at) => `N${at}`)}>(${listed(count, (at) => `x${at}: f64[N${at}]`)}): f64 where ${listed(count - 1, (at) => `N${at} == N${at + 1}`)} = sum(addN([${listed(count, (at) => `x${at}`)}]))`,
  factsOrdered: (count) =>
    `export fn f<${listed(count, (at) => `N${at}`)}>(${listed(count, (at) => `x${at}: f64[N${at}]`)}): f64 where ${listed(count - 1, (at) => `N${at} <= N${at + 1}`)} = sum(x${count - 1}[:N0])`,
  factsInferred: (count) => `export fn f<N>(x: f64[N]): f64 = addN([${listed(count, (at) => `x[${at}]`)}])`,
  factsInferredSlices: (count) => `export fn f<N>(x: f64[N]): f64 = addN([${listed(count, (at) => `sum(x[${at}:])`)}])`,
  factsInferredBack: (count) => `export fn f<N>(x: f64[N]): f64 = addN([${listed(count, (at) => `x[-${at + 1}]`)}])`,
  factsOfCalls: (count) =>
    `fn h<N>(x: f64[N]): f64 where N > 2, N % 4 == 0 = sum(reshape(x, [4, N / 4])[0])\nexport fn f<N>(x: f64[N]): f64 where N % 4 == 0, N > 3 = addN([${listed(count, (at) => `h(x * ${at})`)}])`,
  factsOfCallsInferred: (count) =>
    `fn h<N>(x: f64[N]): f64 where N > 2 = sum(x)\nexport fn f<N>(x: f64[N]): f64 = addN([${listed(count, (at) => `h(x[${at}:])`)}])`,
  // Tuples, records, lists, constants.
  tuplesNested: (count) => `export fn f(x: f64) {\n  let t0 = x\n${each(count, (at) => `  let t${at + 1} = (t${at}, x)`)}\n  return x\n}`,
  tuple: (count) => `export fn f(x: f64) = (${listed(count, (at) => `x * ${at}`)})`,
  record: (count) => `export fn f(x: f64) = { ${listed(count, (at) => `a${at}: x * ${at}`)} }`,
  recordOfTuples: (count) =>
    `export fn f(x: f64) {\n  let r = { ${listed(count, (at) => `a${at}: (x, x * ${at})`)} }\n  return addN([${listed(count, (at) => `r.a${at}[0] * r.a${at}[1]`)}])\n}`,
  pattern: (count) =>
    `export fn f(x: f64): f64 {\n  let (${listed(count, (at) => `a${at}`)}) = (${listed(count, (at) => `x * ${at}`)})\n  return addN([${listed(count, (at) => `a${at}`)}])\n}`,
  typesNested: (count) => `fn g(x: ${'('.repeat(count)}f64${', f64)'.repeat(count)}): f64 = 1\nexport fn f(x: f64): f64 = x`,
  comprehension: (count) => `export fn f(x: f64): f64 = addN([sin(x * i) for i in 0..${count}])`,
  comprehensions: (count) =>
    `${each(count, (at) => `const a${at} = [j + ${at} for j in ${at > 0 ? `a${at - 1}` : '0..3'}]`)}\nexport fn f(x: f64): f64 = x * a${count - 1}[0]`,
  list: (count) => `const a = [${listed(count, (at) => `${at}.5`)}]\nexport fn f(x: f64[${count}]): f64 = dot(x, a)`,
  listOfLists: (count) => `export fn f(x: f64[${count}, 2]): f64 = sum(x * [${listed(count, (at) => `[${at}, 2]`)}])`,
  listRead: (count) => `const a = [${listed(count, (at) => `${at}.5`)}]\nexport fn f(x: f64): f64 = addN([a[i] * x for i in 0..a.length])`,
  constants: (count) => `const c0 = 1\n${each(count, (at) => `const c${at + 1} = c${at} + 1`)}\nexport fn f(x: f64): f64 = x * c${count}`,
  constantsBackwards: (count) =>
    `${each(count, (at) => `const c${count - at} = c${count - at - 1} + 1`)}\nconst c0 = 1\nexport fn f(x: f64): f64 = x * c${count}`,
  dims: (count) => `dim D0 = 1\n${each(count, (at) => `dim D${at + 1} = D${at} + 1`)}\nexport fn f(x: f64[D${count}]): f64 = sum(x)`,
  values: (count) => `param w: f64[${count}] = [${listed(count, (at) => `${at}`)}]\nexport fn f(x: f64): f64 = sum(w) * x`,
  // Models.
  members: (count) =>
    `model M {\n${each(count, (at) => `  param w${at}: f64 = ${at}`)}\n  fn call(x: f64): f64 = addN([${listed(count, (at) => `w${at}`)}]) * x\n}\nm = M()\nexport fn f(x: f64) = grad(m(x), x)`,
  methods: (count) =>
    `model M {\n  param w: f64 = 1\n${each(count, (at) => `  fn g${at}(x: f64): f64 = w * x + ${at}`)}\n}\nm = M()\nexport fn f(x: f64) = addN([${listed(count, (at) => `m.g${at}(x)`)}])`,
  modelsNested: (count) =>
    `model M0 {\n  param w: f64 = 1\n  fn call(x: f64): f64 = w * x\n}\n${each(count, (at) => `model M${at + 1} {\n  m = M${at}()\n  fn call(x: f64): f64 = m(x) + 1\n}`)}\nm = M${count}()\nexport fn f(x: f64): f64 = m(x)`,
  models: (count) =>
    `${each(count, (at) => `model M${at} {\n  param w: f64 = 1\n  fn call(x: f64): f64 = w * x\n}\nm${at} = M${at}()`)}\nexport fn f(x: f64): f64 = addN([${listed(count, (at) => `m${at}(x)`)}])`,
  instances: (count) =>
    `${layer}${each(count, (at) => `m${at} = M()`)}\nexport fn f(x: f64): f64 = addN([${listed(count, (at) => `m${at}(x)`)}])`,
  instancesListed: (count) =>
    `${layer}model L {\n  ms = [M() for i in 0..${count}]\n  fn call(x: f64): f64 = fold m in ms with h = x { m(h) }\n}\nl = L()\nexport fn f(x: f64) = grad(l(x), x)`,
  paramsGiven: (count) =>
    `import { sgd } from "std/optim"\n${layer}model L {\n  ms = [M() for i in 0..${count}]\n  fn call(x: f64): f64 = fold m in ms with h = x { m(h) }\n}\nl = L()\nexport step s(x: f64): f64 {\n  let g = grad(l(x), l)\n  update l with sgd(lr: 0.1) by g\n  return x\n}`,
  // Derivatives.
  derivatives: (count) =>
    `export fn f(x: f64): f64 {\n  let d0 = sin(x) * x\n${each(count, (at) => `  let d${at + 1} = grad(d${at}, x)`)}\n  return d${count}\n}`,
  derivativesBeside: beside((at) => `grad(sin(x * ${at}), x)`),
  derivativesShared: (count) =>
    `export fn f(x: f64): f64 {\n  let y0 = x\n${each(count, (at) => `  let y${at + 1} = sin(y${at})`)}\n  return addN([${listed(count, (at) => `grad(y${at + 1}, x)`)}])\n}`,
  derivativesInner: row((y) => `grad(sin(${y}) * ${y}, ${y})`),
  derivativesAlong: row((y) => `jvp(sin(${y}) * x, x, 1.0)`),
  derivativesOfTensors: row((y) => slopes(`sin(${y})`), { type: v }),
  stopped: row((y) => `sin(${y}) + stopGradient(${y})`, { out: slope }),
  doubled: row((y) => `${y} * ${y}`, { out: slope }),
  doubledTensor: row((y) => `sin(${y}) * cos(${y})`, { type: v, out: slopes }),
  // Blocks, texts, files.
  precision: (count) =>
    `export fn f(x: f32[3, 3]) {\n  let y0 = x\n${each(count, (at) => `  precision bf16 { let y${at + 1} = y${at} @ x }`)}\n  return y${count}\n}`,
  precisionNested: (count) =>
    `export fn f(x: f32[3, 3]) {\n${'  precision bf16 {\n'.repeat(count)}let y = x @ x\n${'}\n'.repeat(count)}  return y\n}`,
  scopes: (count) =>
    `export fn f(x: f64) {\n  let y0 = x\n${each(count, (at) => `  scope "a" { let y${at + 1} = sin(y${at}) }`)}\n  return y${count}\n}`,
  scopesNested: (count) => `export fn f(x: f64) {\n${'  scope "a" {\n'.repeat(count)}let y = sin(x)\n${'}\n'.repeat(count)}  return y\n}`,
  random: (count) =>
    `export fn f(k: i64): f64[3] {\n  let y0: f64[3] = normal(key: k)\n${each(count, (at) => `  let y${at + 1} = y${at} + normal(key: k)`)}\n  return y${count}\n}`,
  files: (count) => ({
    main: `${each(count, (at) => `import { e${at} } from "./m${at}.tdsl"`)}\nexport fn f(x: f64): f64 = addN([${listed(count, (at) => `e${at}(x)`)}])`,
    files: Object.fromEntries(Array.from({ length: count }, (_, at) => [`m${at}.tdsl`, `export fn e${at}(x: f64): f64 = sin(x) * ${at}`])),
  }),
  filesRow: (count) => ({
    main: `import { e0 } from "./m0.tdsl"\nexport fn f(x: f64): f64 = e0(x)`,
    files: Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        `m${at}.tdsl`,
        `${at + 1 < count ? `import { e${at + 1} } from "./m${at + 1}.tdsl"\n` : ''}export fn e${at}(x: f64): f64 = sin(x) * ${at}`,
      ]),
    ),
  }),
  filesShared: (count) => ({
    main: `import { e0 } from "./m0.tdsl"\nexport fn f(x: f64): f64 = e0(x)`,
    files: Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        `m${at}.tdsl`,
        `${at + 2 < count ? `import { e${at + 1} } from "./m${at + 1}.tdsl"\nimport { e${at + 2} } from "./m${at + 2}.tdsl"\n` : ''}export fn e${at}(x: f64): f64 = sin(x) * ${at}`,
      ]),
    ),
  }),
  sums: (count) => `export fn f(x: f64): f64 = ${each(count, () => 'x', ' + ')}`,
  powers: (count) => `export fn f(x: f64): f64 = ${each(count, () => 'x', ' ** ')}`,
  conditions: (count) => `export fn f(x: f64): bool = ${each(count, (at) => `x > ${at}`, ' && ')}`,
  calls: (count) => `export fn f(x: f64): f64 = ${'sin('.repeat(count)}x${')'.repeat(count)}`,
  parentheses: (count) => `export fn f(x: f64): f64 = ${'('.repeat(count)}x${')'.repeat(count)}`,
  signs: (count) => `export fn f(x: f64): f64 = ${'-'.repeat(count)}x`,
  negations: (count) => `export fn f(x: bool): bool = ${'!'.repeat(count)}x`,
  lets: row((y) => `${y} + 1`),
  letsTensor: row((y, at) => `${y} + ${at}`, { type: v }),
  comments: (count) => `${each(count, (at) => `// ${at}`)}\nexport fn f(x: f64): f64 = x`,
  // Mistakes.
  unknownNames: (count) => `export fn f(x: f64): f64 {\n${each(count, (at) => `  let y${at} = unknown${at} + x`)}\n  return x\n}`,
  wrongShapes: (count) => `export fn f(x: f64[3], z: f64[4]): f64 {\n${each(count, (at) => `  let y${at} = z + x`)}\n  return 1\n}`,
  wrongSyntax: (count) => `export fn f(x: f64): f64 {\n${each(count, (at) => `  let = y${at} )( x`)}\n  return 1\n}`,
  wrongResults: (count) => each(count, (at) => `export fn e${at}(x: f64): f32 = x`),
  sameNames: (count) => each(count, () => 'export fn f(x: f64): f64 = x'),
};
