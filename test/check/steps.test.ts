// Steps: `if` with blocks, updates by given gradients, steps of models, precision. In: small programs. Out: values as the language page
// says, and the mistakes that one can make.

import { describe, expect, test } from 'vitest';
import { printModule } from '../../src/graph/index.js';
import { check, distance, entryTexts, moduleOf, render, runEntry, variableTexts, type Json } from './support.js';

const run = (text: string, feeds: Readonly<Record<string, Json>> = {}, steps = 1): readonly Json[] => runEntry(text, 'f', feeds, steps);
const codes = (text: string): string[] => check(text).diagnostics.map((one) => one.code);
const messages = (text: string): string[] => check(text).diagnostics.map((one) => one.message);
const head = 'import { adam, clipByGlobalNorm, momentum, sgd } from "std/optim"\n';

describe('if with blocks', () => {
  const counter = `state n: i32 = 0
    state a: f64 = 1
    state b: f64 = 10
    export step f(c: bool): (f64, f64) {
      n <- n + 1
      if c && n % 2 == 0 { a <- a * 2 } else if n == 3 { b <- b + a; a <- 0 } else { }
      return (a, b)
    }`;
  test('assigns what the taken block assigns, and nothing else', () => {
    expect(run(counter, { c: true }, 4)).toEqual([
      [1, 10],
      [2, 10],
      [0, 12],
      [0, 12],
    ]);
    expect(run(counter, { c: false }, 3)).toEqual([
      [1, 10],
      [1, 10],
      [0, 11],
    ]);
  });
  test('both blocks start from the values before it', () => {
    const text = `state a: f64 = 1
      export step f(c: bool): f64 { if c { a <- a + 1; a <- a * 3 } else { a <- a + 10 } return a }`;
    expect(run(text, { c: true }, 2)).toEqual([6, 21]);
    expect(run(text, { c: false }, 2)).toEqual([11, 21]);
  });
  test('NaN in the block that is not taken leaves nothing, nor does it in derivatives of what comes after', () => {
    const text = `param w: f64 = 4
      state s: f64[2] = [1, 2]
      export step f(c: bool): (f64, f64[2], f64) {
        if c { s <- s / 0.0 - s / 0.0 }
        return (w, s, grad(sum(w * s), w))
      }`;
    expect(run(text, { c: false })).toEqual([[4, [1, 2], 3]]);
  });
  test('minimises and updates in a block, slots included', () => {
    const text = `${head}param w: f64 = 1
      export step f(c: bool): f64 { if c { minimize w * w with momentum(lr: 0.25, beta: 0.5) } return w }`;
    const { module } = moduleOf(text);
    expect(variableTexts(module)).toEqual(['param w: f64', 'slot f/momentum/w/v: f64']);
    expect(module.entries[0]?.updates.map((one) => one.variable)).toEqual(['f/momentum/w/v', 'w']);
    expect(run(text, { c: true }, 2)).toEqual([0.5, 0]);
    expect(run(text, { c: false }, 2)).toEqual([1, 1]);
  });
  test('a condition that is known takes its block alone', () => {
    const text = (condition: string): string => `state a: f64 = 0
      dim On = 1
      export step f(): f64 { if ${condition} { a <- 1 } else { a <- unknownName } return a }`;
    expect(run(text('On == 1'))).toEqual([1]);
    expect(codes(text('On == 2'))).toEqual(['unknown-name']);
  });
  test('what a block binds is its own', () => {
    expect(codes('state a: f64 = 0\nexport step f(c: bool) { if c { let x = a + 1; a <- x } a <- x }')).toEqual(['unknown-name']);
    expect(codes('state a: f64 = 0\nexport step f(c: bool) { let x = a; if c { let x = a + 1; a <- x } a <- x }')).toEqual([]);
  });
  test('stands in a step, has one bool, returns nothing', () => {
    expect(codes('export fn f(c: bool): f64 { if c { let x = 1.0 } return 1.0 }')).toEqual(['syntax-error']);
    expect(codes('state a: f64 = 0\nexport step f(c: bool[2]) { if c { a <- 1 } }')).toEqual(['shape-mismatch']);
    expect(codes('state a: f64 = 0\nexport step f(c: f64) { if c { a <- 1 } }')).toEqual(['dtype-mismatch']);
    expect(messages('export step f(c: bool): f64 { if c { return 1.0 } return 2.0 }')).toEqual([
      'a step returns at its end, and not in a branch',
    ]);
    expect(codes('export step f(c: bool, x: f64) { if c { summary scalar("x", x) } }')).toEqual(['unsupported-feature']);
  });
  test('a choice at the start of a line is still an expression', () => {
    expect(run('export fn f(x: f64): f64 = fold i in 0..3 with z = x {\n  if z > 2 then z else z + 1\n}', { x: 0 })).toEqual([3]);
  });
});

describe('params', () => {
  const nets = `${head}
    model Line { param w: f64[2] = [0.5, -1]
      param b: f64 = 0.25
      state seen: i32 = 0
      fn call<B>(x: f64[B, 2]): f64[B] = x @ w + b }
    model Pair(first: Line) { second = Line()
      param scale: f64 = 2
      all = [first, second]
      fn call<B>(x: f64[B, 2]): f64[B] = scale * first(x) + second(x) }
    line = Line()
    net = Pair(line)\n`;
  test('come in the order of declaration, shared ones once', () => {
    expect(run(`${nets}export fn f() = params(net)`)).toEqual([[[0.5, -1], 0.25, [0.5, -1], 0.25, 2]]);
    expect(run(`${nets}export fn f() = params([line, net]).length`)).toEqual([5]);
    expect(run(`${nets}export fn f() = [sum(p) for p in net]`)).toEqual([[-0.5, 0.25, -0.5, 0.25, 2]]);
    expect(codes(`${nets}export fn f() = params(3)`)).toEqual(['type-mismatch']);
  });
  test('an instance stands for them in grad: zeros for what is not reached', () => {
    expect(run(`${nets}export fn f(x: f64[1, 2]) = grad(sum(line(x)), net)`, { x: [[3, 4]] })).toEqual([[[3, 4], 1, [0, 0], 0, 0]]);
    expect(run(`${nets}export fn f(x: f64[1, 2]) = grad(sum(line(x)), [x, line])`, { x: [[3, 4]] })).toEqual([[[[0.5, -1]], [[3, 4], 1]]]);
    expect(
      run(`${nets}export fn f(x: f64[1, 2]) { let y = sum(line(x) ** 2) return jvp(y, line, params(line)) }`, { x: [[3, 4]] }),
    ).toEqual([2 * 2.25 * 2.25]);
  });
  test('lists in lists give derivatives in lists', () => {
    const other = `${nets}other = Line()\n`;
    const feeds = { x: [[3, 4]] };
    for (const names of ['[line, other]', '[params(line), params(other)]', '([line.w, line.b], params(other))']) {
      const slopes = `grad(sum(line(x)) + 2 * sum(other(x)), ${names})`;
      expect(run(`${other}export fn f(x: f64[1, 2]) = ${slopes}`, feeds)).toEqual([
        [
          [[3, 4], 1],
          [[6, 8], 2],
        ],
      ]);
      const update = `update ${names} with sgd(lr: 1) by ${slopes}`;
      expect(run(`${other}export step f(x: f64[1, 2]) { ${update} return (line.b, other.b) }`, feeds)).toEqual([[-0.75, -1.75]]);
      expect(
        run(`${other}export fn f(x: f64[1, 2]) { let y = sum(line(x)) return jvp(y, ${names}, [[[1, 0], 2], [0, 0]]) }`, feeds),
      ).toEqual([5]);
    }
  });
  test('minimize over an instance updates them all', () => {
    const text = `${nets}export step f(x: f64[1, 2]) {
      minimize sum(line(x)) with sgd(lr: 1) over net
      return (params(line), params(net.second)) }`;
    expect(run(text, { x: [[3, 4]] })).toEqual([
      [
        [[-2.5, -5], -0.75],
        [[0.5, -1], 0.25],
      ],
    ]);
    expect(codes(`${nets}export step f(x: f64[1, 2]) { minimize sum(line(x)) with sgd(lr: 1) over [line, net.second] }`)).toEqual([
      'nothing-to-minimize',
    ]);
  });
  test('a loss is a scalar', () => {
    expect(messages(`${nets}export step f(x: f64[3, 2]) { minimize line(x) with sgd(lr: 1) }`)).toEqual([
      'a loss is a scalar, and this is f64[3]: mean or sum?',
    ]);
  });
});

describe('update … by', () => {
  const two = `${head}param a: f64 = 1\nparam b: f64[2] = [2, 3]\n`;
  test('is minimize with the gradients given', () => {
    const byHand = `${two}export step f() { let l = a * sum(b ** 2) update [a, b] with adam(lr: 0.1) by grad(l, [a, b]) return (a, b) }`;
    const byLoss = `${two}export step f() { let l = a * sum(b ** 2) minimize l with adam(lr: 0.1) over [a, b] return (a, b) }`;
    expect(run(byHand, {}, 3)).toEqual(run(byLoss, {}, 3));
  });
  test('gradients are read before anything is updated', () => {
    expect(run(`${two}param c: f64 = 5\nexport step f() { update [a, c] with sgd(lr: 1) by [c, a] return (a, c) }`)).toEqual([[-4, 4]]);
  });
  test('takes a tensor, a literal and nested lists', () => {
    expect(run(`${two}export step f() { update b with sgd(lr: 1) by b return b }`)).toEqual([[0, 0]]);
    expect(run(`${two}export step f() { update a with sgd(lr: 0.5) by 1 return a }`)).toEqual([0.5]);
    expect(run(`${two}export step f() { update (a, b) with sgd(lr: 1) by (1, (b / 2)) return (a, b) }`)).toEqual([[0, [1, 1.5]]]);
  });
  test('checks counts, shapes, dtypes, and what is updated', () => {
    const of = (statement: string): string[] => codes(`${two}state s: f64 = 1\nexport step f(x: f32, i: i32) { ${statement} }`);
    expect(of('update [a, b] with sgd(lr: 1) by [a]')).toEqual(['type-mismatch']);
    expect(of('update b with sgd(lr: 1) by a')).toEqual(['shape-mismatch']);
    expect(of('update a with sgd(lr: 1) by x')).toEqual(['dtype-mismatch']);
    expect(of('update s with sgd(lr: 1) by s')).toEqual(['type-mismatch']);
    expect(of('update 3 with sgd(lr: 1) by s')).toEqual(['type-mismatch']);
    expect(of('update a with sgd by a')).toEqual(['type-mismatch']);
    expect(codes(`${two}fn g(): f64 { update a with sgd(lr: 1) by a return a }\nexport step f() = g()`)).toEqual(['assign-outside-step']);
  });
  test('norms over all gradients clip them together', () => {
    const text = `${two}export fn f() = clipByGlobalNorm([3 * a, 2 * b], LIMIT)`;
    const norm = Math.sqrt(9 + 16 + 36);
    expect(distance(run(text.replace('LIMIT', '1.0')), [[3 / norm, [4 / norm, 6 / norm]]])).toBeLessThan(1e-12);
    expect(run(text.replace('LIMIT', '100'))).toEqual([[3, [4, 6]]]);
    expect(run(text.replace('[3 * a, 2 * b], LIMIT', '[0 * a], 1.0'))).toEqual([[0]]);
  });
});

describe('states of optimizers', () => {
  const factored = `optimizer factored(lr: f32) {
    state rows = if p.rank == 2 then zerosLike(p[:, 0]) else zerosLike(p)
    state columns = zerosLike(p[0])
    state steps: i32 = 0
    update(p, g) {
      steps <- steps + 1
      rows <- rows + sum(square(g), axis: 1)
      columns <- columns + sum(square(g), axis: 0)
      p <- p - lr * g / sqrt(expandDims(rows, axis: 1) * columns)
    } }
    param w: f64[2, 3] = [[1, 2, 3], [4, 5, 6]]\n`;
  test('may have other shapes than the param', () => {
    const text = `${factored}export step f() { minimize 0.5 * sum(w ** 2) with factored(lr: 1) return w }`;
    expect(variableTexts(moduleOf(text).module).slice(1)).toEqual([
      'slot f/factored/w/rows: f64[2]',
      'slot f/factored/w/columns: f64[3]',
      'slot f/factored/w/steps: i32',
    ]);
    const w = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const rows = w.map((row) => row.reduce((sum, x) => sum + x * x, 0));
    const columns = [0, 1, 2].map((at) => w.reduce((sum, row) => sum + (row[at] ?? 0) ** 2, 0));
    const expected = w.map((row, i) => row.map((x, j) => x - x / Math.sqrt((rows[i] ?? 0) * (columns[j] ?? 0))));
    expect(distance(run(text), [expected])).toBeLessThan(1e-12);
  });
  test('do not read the param', () => {
    expect(
      codes(`optimizer odd(lr: f32) { state s = p + 1\nupdate(p, g) { p <- s } }
      param w: f64 = 1\nexport step f() { minimize w with odd(lr: 1) }`),
    ).toEqual(['not-constant']);
  });
  // What initial values are made of has names, which are not those of programs.
  test.each(['seed', 'stream0'])('neither a param nor an argument that is called %s', (name) => {
    expect(
      codes(`optimizer odd(lr: f32) { state s = ${name} + 1\nupdate(${name}, g) { ${name} <- s } }
      param w: f64 = 1\nexport step f() { minimize w with odd(lr: 1) }`),
    ).toEqual(['not-constant']);
    for (const type of ['i64', 'i32'])
      expect(
        codes(`optimizer odd(from: ${type}) { state s: ${type} = from\nupdate(p, g) { p <- p - g } }
        param w: f64 = 1\nexport step f(${name}: ${type}) { minimize w with odd(from: ${name}) }`),
      ).toEqual(['not-constant']);
  });
});

describe('steps of models', () => {
  const counting = `model Counter { state n: i32 = 0
      step next(by: i32 = 1): i32 { n <- n + by return n }
      step reset() { n <- 0 }
      fn call(): i32 = n }
    counter = Counter()\n`;
  test('are called from steps, with effects in order', () => {
    expect(
      run(
        `${counting}export step f() { let a = counter.next(); counter.next(5)\nlet b = counter(); counter.reset()\nreturn (a, b, counter()) }`,
        {},
        2,
      ),
    ).toEqual([
      [1, 6, 0],
      [1, 6, 0],
    ]);
    expect(run(`${counting}export step f() = (counter.next(), counter.next(), counter.n)`)).toEqual([[1, 2, 2]]);
  });
  test('call each other, and exported steps are called as well', () => {
    const text = `${counting}model Outer { inner = Counter()
        step both(): i32 { inner.next(); inner.next()\nreturn inner() } }
      outer = Outer()
      export step twice(x: i32): i32 { let y = outer.both() return x * y }
      export step f() { let a = twice(10) return (a, twice(1)) }`;
    expect(run(text)).toEqual([[20, 4]]);
  });
  test('in an if with blocks they are effects of the taken one', () => {
    const text = `${counting}export step f(c: bool) { if c { counter.next() } return counter() }`;
    expect(run(text, { c: true }, 2)).toEqual([1, 2]);
    expect(run(text, { c: false }, 2)).toEqual([0, 0]);
  });
  test.each([
    ['a function', 'fn g(): i32 = counter.next()\nexport step f() = g()'],
    ['an exported function', 'export fn f() = counter.next()'],
    ['a loop body', 'export step f() = fold i in 0..3 with z = 0 { z + counter.next() }'],
    ['a loop over a list', 'export step f() = fold i in [1, 2] with z = 0 { z + counter.next(i) }'],
    ['a comprehension', 'export step f() = [counter.next() for i in 0..2]'],
    ['a branch of an expression', 'export step f(c: bool) = if c then counter.next() else 0'],
    ['a lambda', 'export step f() { let g = () => counter.next() return g() }'],
  ])('are refused in %s', (_, text) => {
    expect(codes(counting + text)).toEqual(['assign-outside-step']);
  });
  test('assign their own states even if nothing calls them, and are checked', () => {
    expect(codes('model M { state n: i32 = 0\nstep go() { n <- 1.5 } }')).toEqual(['dtype-mismatch']);
    expect(codes('model M { state n: i32 = 0\nfn go(): i32 { n <- 1 return n } }')).toEqual(['assign-outside-step']);
  });
});

test('a layer without a step `train` is trained as it is called', () => {
  const text = `import { BatchNorm, Dense } from "std/nn"
    model Block { first = Dense<2, 2, f64>(act: tanh)
      norm = BatchNorm<2, f64>(momentum: 1)
      fn call<B>(x: f64[B, 2]): f64[B, 2] = norm(first(x))
      step train<B>(x: f64[B, 2]): f64[B, 2] = norm.train(first.train(x)) }
    block = Block()
    export step f(x: f64[2, 2]): f64[2] { block.first.b <- [0.5, 0.5]; block.first.w <- zeros(); let y = block.train(x)
      return block.norm.runningMean }`;
  expect(distance(run(text, { x: [[1, 2], [3, 4]] }), [[Math.tanh(0.5), Math.tanh(0.5)]])).toBeLessThan(1e-12); // prettier-ignore
  expect(codes('model M { param w: f64 = 1 }\nm = M()\nexport step f() = m.train')).toEqual(['unknown-member']);
});

test('an assignment in a function is said to be one', () => {
  expect(codes('fn g(x: f64): f64 { x <- 1.0 return x }\nexport fn f() = g(2.0)')).toEqual(['assign-outside-step']);
  expect(codes('export step f(x: f64) { x <- 1.0 }')).toEqual(['not-assignable']);
});

describe('batch norm', () => {
  const norm = `import { BatchNorm } from "std/nn"\nnorm = BatchNorm<2, f64>(momentum: 0.5)\n`;
  test('has its states; a single row has no variance', () => {
    const text = `${norm}export step f<B>(x: f64[B, 2]) { let y = norm.train(x) return (norm.runningMean, norm.runningVar) }`;
    expect(variableTexts(moduleOf(text).module)).toEqual([
      'param norm/scale: f64[2]',
      'param norm/shift: f64[2]',
      'state norm/runningMean: f64[2]',
      'state norm/runningVar: f64[2]',
    ]);
    expect(run(text, { x: [[3, 5]] })).toEqual([
      [
        [1.5, 2.5],
        [1, 1],
      ],
    ]);
  });
  test('goes over all axes but the last', () => {
    const text = `${norm}export step f(x: f64[2, 2, 2]) = 1 + mean(norm.train(x), axis: [0, 1])`;
    expect(distance(run(text, { x: [[[1, 2], [3, 5]], [[0, 1], [9, 7]]] }), [[1, 1]])).toBeLessThan(1e-12); // prettier-ignore
  });
});

describe('precision', () => {
  test('wraps the products inside, of functions that are called there, and of derivatives taken behind', () => {
    const text = `fn g(a: f32[2, 3], b: f32[3, 2]): f32[2, 2] = a @ b
      export fn f(a: f32[2, 3], b: f32[3, 2]) {
        precision bf16 { let c = g(a, b) }
        let d = a @ b
        return (grad(sum(c), a), d) }`;
    const { module, result } = moduleOf(text);
    expect(entryTexts(module)).toEqual(['fn f(a: f32[2, 3], b: f32[3, 2]): (f32[2, 3], f32[2, 2])']);
    expect(render(result)).toBe('');
    expect([...(module.entries[0]?.names.keys() ?? [])]).toEqual(['c', 'd']);
  });
  test('is TF32 for f32 and f64, and nothing for what has fewer bits', () => {
    const narrowed = (dtype: string): boolean => {
      const { module } = moduleOf(`export fn f(a: ${dtype}[2, 2]): ${dtype}[2, 2] { precision tf32 { let c = a @ a } return c }`);
      return printModule(module).includes('narrow');
    };
    expect(['f32', 'f64', 'f16', 'bf16', 'i32'].map(narrowed)).toEqual([true, true, false, false, false]);
  });
  test('is a float type', () => {
    expect(codes('export fn f(a: f32[2, 2]) { precision i32 { let c = a @ a } return c }')).toEqual(['dtype-mismatch']);
    expect(codes('export fn f(a: f32[2, 2]) { precision bf61 { let c = a @ a } return c }')).toEqual(['dtype-mismatch']);
    expect(run('export fn f(precision: f64): f64 { let y = precision + 1.0 return precision * y }', { precision: 2 })).toEqual([6]);
  });
});
