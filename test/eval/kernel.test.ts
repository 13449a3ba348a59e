// The kernel interpreter: what programs compute, and that every broken rule of memory is caught where it happens.

import { describe, expect, it } from 'vitest';
import { parseProgram, verifyProgram } from '../../src/kernel/index.js';
import { compileKernel } from '../../src/eval/kernel/compile.js';
import { placesOf, trouble } from '../../src/eval/kernel/memory.js';
import { prepareProgram, type ProgramInputs, type ProgramResult, type RunOptions, runProgram } from '../../src/eval/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { blocks, chained, groups, mixed, softmax, tiles, warps } from '../kernel/samples.js';

const f32 = (shape: readonly number[], values: Iterable<number>): TensorValue => tensorValue('f32', shape, [...values].map(Math.fround));
const counting = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => at + from);
const numbers = (value: TensorValue | undefined): number[] => [...(value?.data ?? [])].map(Number);

/** A program with one kernel over x: f32[N], variable w: f32[N], temporaries t, u: f32[N] and the output y: f32[N]. */
const text = (body: string): string => `program p
dims N
feed 0 x: f32[N]
variable 0 w: f32[N]
temporary t: f32[N] in slot 0
temporary u: f32[N] in slot 0
output 0 y: f32[N]
slot 0: 4*N
kernel k "k" reads 0 writes 0 flops 0 {
${body}
}`;

function run(source: string, inputs: ProgramInputs, options?: RunOptions): ProgramResult {
  const program = parseProgram(source);
  verifyProgram(program);
  return runProgram(program, inputs, options);
}

const four = { feeds: [f32([4], [1, 2, 3, 4])], variables: [f32([4], [10, 20, 30, 40])] };
const small = (body: string, options?: RunOptions): ProgramResult => run(text(body), four, options);
const fill = 'for f in 0..N { y[f] = f32(0) }';

describe('programs', () => {
  it('computes softmax by rows, for no row and for many', () => {
    for (const rows of [0, 1, 7]) {
      const x = f32(
        [rows, 10],
        counting(rows * 10).map((at) => Math.sin(at)),
      );
      const { outputs } = run(softmax, { feeds: [x] });
      const [y] = outputs;
      expect(y?.shape).toEqual([rows, 10]);
      for (let row = 0; row < rows; row++) {
        const exps = numbers(x)
          .slice(row * 10, row * 10 + 10)
          .map(Math.exp);
        const total = exps.reduce((sum, one) => sum + one, 0);
        exps.forEach((one, column) => expect(y?.data[row * 10 + column]).toBeCloseTo(one / total, 6));
      }
    }
  });

  it('leaves out a loop whose sizes do not hold', () => {
    const one = (when: string): number[] => numbers(small(`${fill}\nfor i in 0..N ${when} { y[i] = x[i] }`).outputs[0]);
    expect([one('when N >= 4'), one('when N >= 5')]).toEqual([
      [1, 2, 3, 4],
      [0, 0, 0, 0],
    ]);
  });

  it('has one source for kernels that do the same elsewhere or at other sizes', () => {
    const program = parseProgram(`${text('for f in 0..N { t[f] = w[f] }')}
kernel l "l" reads 0 writes 0 flops 0 {
for f in 0..N { u[f] = t[f] }
}`);
    const sources = [1, 4, 9].flatMap((N) => {
      const dims = new Map([['N', N]]);
      return program.kernels.map(
        (kernel) =>
          compileKernel(kernel, placesOf(program, dims, false), dims, () => {
            throw trouble('no kernel shares memory');
          }).source,
      );
    });
    expect(sources.length).toBe(6);
    expect(new Set(sources).size).toBe(1);
  });

  it.each([1, 2, 5])('multiplies %i × 5 × 6 in tiles', (rows) => {
    const [a, b] = [counting(rows * 5, 1), counting(30, -7)];
    const { outputs } = run(tiles, { feeds: [f32([rows, 5], a), f32([5, 6], b)] });
    const expected = counting(rows * 6).map((at) =>
      counting(5).reduce((sum, k) => sum + (a[Math.floor(at / 6) * 5 + k] as number) * (b[k * 6 + (at % 6)] as number), 0),
    );
    expect(numbers(outputs[0])).toEqual(expected);
  });

  it.each([1, 8, 13])('turns %i rows in shared memory', (rows) => {
    const { outputs } = run(blocks, { feeds: [f32([rows, 32], counting(rows * 32))] });
    expect(numbers(outputs[0])).toEqual(counting(rows * 32).map((at) => (at % rows) * 32 + Math.floor(at / rows)));
  });

  it.each([
    ['read that nothing wrote', 'wait 1', 'wait 2'],
    ['is written by another iteration of the vector loop', 'barrier\n      vector for t', 'vector for t'],
    ['is read by another iteration of the vector loop', '      barrier\n    }', '    }'],
    ['part is copied from element 2 on, 4 at once', 'c / 8, c % 8 * 4] from', 'c / 8, c % 8 * 4 + 2] from'],
    ['out of bounds: axis 1 is 35', 'x[p * 8 + c / 8, c % 8 * 4]', 'x[p * 8 + c / 8, c % 8 * 4 + 4]'],
  ])('finds in blocks: %s', (message, before, after) => {
    expect(blocks).toContain(before);
    expect(() => run(blocks.replace(before, after), { feeds: [f32([16, 32], counting(16 * 32))] })).toThrow(message);
  });

  it('multiplies by warps', () => {
    const [x, w, rows] = [counting(512).map((at) => (at % 13) - 6), counting(1024).map((at) => (at % 7) - 3), counting(15)];
    const bf16 = (shape: number[], values: number[]): TensorValue => tensorValue('bf16', shape, values);
    const feeds = [bf16([32, 16], x), bf16([16, 64], w), f32([3, 5], rows)];
    const { outputs } = run(warps, { feeds });
    const expected = counting(32 * 64).map((at) =>
      counting(16).reduce((sum, k) => sum + (x[Math.floor(at / 64) * 16 + k] as number) * (w[k * 64 + (at % 64)] as number), 0),
    );
    expect(numbers(outputs[0])).toEqual(expected);
    expect(numbers(outputs[1])).toEqual([10, 35, 60]);
    const without = warps.replace('    barrier\n', '');
    expect(() => run(without, { feeds })).toThrow('written by another iteration');
  });

  it('multiplies by four warps while the next stage comes', () => {
    const [x, w] = [counting(64 * 256).map((at) => (at % 13) - 6), counting(256 * 64).map((at) => (at % 7) - 3)] as const;
    const feeds = [tensorValue('bf16', [64, 256], x), tensorValue('bf16', [256, 64], w)];
    const expected = counting(64 * 64).map((at) =>
      counting(256).reduce((sum, k) => sum + (x[Math.floor(at / 64) * 256 + k] as number) * (w[k * 64 + (at % 64)] as number), 0),
    );
    expect(numbers(run(groups, { feeds }).outputs[0])).toEqual(expected);
    for (const [before, after, message] of [
      // Of three stages two may be multiplied while the third comes.
      ['settle 1', 'settle 2', 'is written while it is multiplied'],
      ['barrier', '', 'written by another iteration'],
      ['wait 0\n      barrier', 'wait 1\n      barrier', 'read that nothing wrote'],
      ['q * 64, e * 16]', 'q * 64 + 4, e * 16]', 'four warps multiply from element 256 on'],
      ['q * 64, e * 16]', 'q * 64, e * 8]', 'four warps multiply from element 8 on'],
    ] as const) {
      expect(groups).toContain(before);
      expect(() => run(groups.replace(before, after), { feeds })).toThrow(message);
    }
  });

  it('rounds f32 to TF32 before it multiplies by warps, ties away from zero', () => {
    const text = warps
      .replaceAll('bf16', 'f32')
      .replace('0..64 limit 64', '0..128 limit 128')
      .replaceAll('[c / 2, c % 2 * 8]', '[c / 4, c % 4 * 4]')
      .replace('0..128 limit 128 {\n      copy 8 right', '0..256 limit 256 {\n      copy 8 right')
      .replaceAll('[d / 8, d % 8 * 8]', '[d / 16, d % 16 * 4]')
      .replaceAll('copy 8', 'copy 4')
      .replace(/ *multiply .*\n/, (line) => line + line.replaceAll('* 16, 0]', '* 16, 8]').replace('right[0,', 'right[8,'));
    const x = counting(512).map((at) => (at % 13) - 6 + 2 ** -10);
    const w = counting(1024).map((at) => ((at % 7) - 3) * (1 + 2 ** -11));
    const { outputs } = run(text, { feeds: [f32([32, 16], x), f32([16, 64], w), f32([3, 5], counting(15))] });
    // Numbers of at least 2 have no 2⁻¹⁰; the middle of two neighbours becomes the larger one.
    const tf32 = (value: number): number => {
      const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
      return value === 0 ? 0 : Math.sign(value) * Math.floor(Math.abs(value) / unit + 0.5) * unit;
    };
    const expected = counting(32 * 64).map((at) => {
      const terms = counting(16).map((k) => tf32(x[Math.floor(at / 64) * 16 + k] as number) * tf32(w[k * 64 + (at % 64)] as number));
      const half = (from: number): number => terms.slice(from, from + 8).reduce((sum, term) => sum + term, 0);
      return Math.fround(Math.fround(half(0)) + half(8));
    });
    expect(numbers(outputs[0])).toEqual(expected);
  });

  it('multiplies sums that stay in registers, rounded as the other side is, and combines rows', () => {
    const [x, w] = [counting(256).map((at) => (at % 7) - 3), counting(256).map((at) => ((at * 5) % 11) - 4)] as const;
    const { outputs } = run(chained, { feeds: [x, w].map((values) => tensorValue('bf16', [16, 16], values)) });
    const product = (a: readonly number[]): number[] =>
      counting(256).map((at) =>
        counting(16).reduce((sum, k) => sum + (a[Math.floor(at / 16) * 16 + k] as number) * (w[k * 16 + (at % 16)] as number), 0),
      );
    const sums = product(x);
    // Eight significant bits, of ties the even one.
    const bf16 = (value: number): number => {
      const unit = 2 ** Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1)) - 7);
      const near = Math.round(value / unit);
      return (Math.abs(value / unit - Math.trunc(value / unit)) === 0.5 ? 2 * Math.round(value / unit / 2) : near) * unit;
    };
    expect(numbers(outputs[0])).toEqual(product(sums.map(bf16)));
    expect(numbers(outputs[1])).toEqual(counting(16).map((row) => Math.max(...sums.slice(16 * row, 16 * row + 16))));
  });

  it.each([false, true])('keeps strides, conditions and in-place updates (arena: %s)', (arena) => {
    const feeds = [f32([2, 3], [1, 2, 3, 4, 5, 6]), tensorValue('i32', [2], [0, -1])];
    const weight = f32([3], [1, 1, 1]);
    const { outputs, variables } = run(mixed, { feeds, variables: [weight] }, { arena });
    const rate = Math.fround(0.1);
    expect(numbers(variables[0])).toEqual([17, 29, 45].map((sum) => Math.fround(1 - Math.fround(rate * sum))));
    expect(outputs[0]?.data).toEqual(BigInt64Array.of(6n));
    expect(numbers(weight)).toEqual([1, 1, 1]);
  });

  it('runs one preparation many times', () => {
    const prepared = prepareProgram(parseProgram(text('for i in 0..N { y[i] = x[i] + x[i] }')), new Map([['N', 2]]));
    expect(numbers(prepared({ feeds: [f32([2], [1, 2])] }).outputs[0])).toEqual([2, 4]);
    expect(numbers(prepared({ feeds: [f32([2], [3, 4])] }).outputs[0])).toEqual([6, 8]);
  });

  it('leaves variables alone that have no value', () => {
    expect(run(text(fill), { feeds: [f32([2], [0, 0])] }).variables).toEqual([undefined]);
  });

  it('counts what kernels do', () => {
    const counts = run(softmax, { feeds: [f32([3, 10], counting(30))] }).counts.get('softmax');
    expect(counts?.loads).toBe(3 * (10 + 10 + 10));
    expect(counts?.stores).toBe(30);
    expect(counts?.calls.get('exp')).toBe(3 * 20);
    expect(counts?.calls.get('sub')).toBe(3 * 30);
    const update = run(mixed, {
      feeds: [f32([2, 3], counting(6)), tensorValue('i32', [2], [0, 0])],
      variables: [f32([3], [1, 1, 1])],
    }).counts.get('third');
    expect(update?.flops).toBe(6);
  });

  it('runs at millions of points per second', () => {
    const count = 1_000_000;
    const prepared = prepareProgram(parseProgram(text('parallel for i in 0..N { y[i] = x[i] * x[i] + f32(1) }')), new Map([['N', count]]));
    const input = f32([count], new Array<number>(count).fill(2));
    const start = performance.now();
    expect(prepared({ feeds: [input] }).outputs[0]?.data[count - 1]).toBe(5);
    expect(performance.now() - start).toBeLessThan(1500);
  });
});

describe('checks', () => {
  it.each([
    ['y[i] is out of bounds: axis 0 is 4 and has 4 elements', 'for i in 0..N + 1 { y[i] = f32(0) }'],
    ['x[i - 1] is out of bounds: axis 0 is -1', 'for i in 0..N { y[i] = x[i - 1] }'],
    ['x[i - 1] is out of bounds', 'for i in 0..N { y[i] = select(i > 0, x[i - 1], f32(0)) }'],
    ['s[#(N - 1)] is out of bounds: axis 0 is 3 and has 2 elements', `acc s: f32[2] = f32(0)\n${fill}\ns[#(N - 1)] = f32(1)`],
    ['element 1 of t is read that nothing wrote', `t[0] = f32(1)\n${fill}\nfor i in 0..N { y[i] = t[i] }`],
    ['the output y was never written', 'for i in 0..N { t[i] = x[i] }'],
    ['3 of 4 elements of y were never written', 'y[1] = f32(1)'],
    ['written by another iteration of the parallel loop', `parallel for i in 0..N { y[i / 2] = x[i] }`],
    ['written by another iteration of the parallel loop', `parallel for i in 0..N { w[i] = w[max(i - 1, 0)] }`],
    ['read by another iteration of the parallel loop', `${fill}\nparallel for i in 0..N { w[i] = w[min(i + 1, 3)] }`],
    ['written by another iteration of the vector loop', `${fill}\nfor k in 0..2 { vector for i in 0..N { w[k] = x[i] } }`],
    ['read by another iteration of the vector loop', `${fill}\nvector for i in 0..3 { w[i] = w[i + 1] }`],
    [
      'read by another iteration of the vector loop',
      `${fill}\nparallel for k in 0..1 { vector for i in 0..3 { let a = w[i + 1]\nlet b = w[i]\nw[i] = a + b } }`,
    ],
    ['the extent 4 is above the limit 3', `vector for i in 0..N limit 3 { y[i] = f32(0) }`],
    ['the extent 4 is below the least 5', `vector for i in 0..N limit 8 least 5 { y[i] = f32(0) }`],
    ['the extent 4 is above the limit 3', `for i in 0..N most 3 { y[i] = f32(0) }`],
  ])('finds: %s', (message, body) => {
    expect(() => small(body)).toThrow(message);
  });

  it('shows the statement and the kernel', () => {
    expect(() => small('for i in 0..N + 1 { y[i] = x[i] * f32(2) }')).toThrow('kernel k: y[i] = x[i] * f32(2)');
  });

  it('lets lanes and iterations read and write their own elements', () => {
    const { variables } = small(
      `${fill}\nparallel for k in 0..2 { vector for i in 0..2 { w[k * 2 + i] = w[k * 2 + i] + f32(1)\nw[k * 2 + i] = w[k * 2 + i] * f32(2) } }`,
    );
    expect(numbers(variables[0])).toEqual([22, 42, 62, 82]);
  });

  it('lets serial iterations and later runs of a vector loop depend on earlier ones', () => {
    const { variables } = small(`${fill}\nfor k in 0..3 { vector for i in 0..1 { w[k + i] = w[k + i + 1] } }`);
    expect(numbers(variables[0])).toEqual([20, 30, 40, 40]);
  });

  const reuse = `for i in 0..N { t[i] = x[i] }\nfor j in 0..N { u[j] = t[j] }\nfor k in 0..N { y[k] = u[k] }`;
  it('catches temporaries that share a slot while both are needed, only when the arena is simulated', () => {
    expect(numbers(small(reuse).outputs[0])).toEqual([1, 2, 3, 4]);
    expect(() => small(reuse, { arena: true })).toThrow('element 1 of t is read that is gone since u took its slot of the arena');
  });

  it('wants slots large enough', () => {
    expect(() => run(text(reuse).replace('slot 0: 4*N', 'slot 0: 3*N'), four, { arena: true })).toThrow(
      't needs 16 bytes and its slot 0 has 12',
    );
  });

  it('checks what it is given', () => {
    expect(() => run(text(fill), { feeds: [] })).toThrow('the size N has no value');
    expect(() => run(text(fill), { feeds: [], dims: new Map([['N', 2]]) })).toThrow('no value for the feed x');
    expect(() => run(text(fill), { feeds: [tensorValue('i32', [2], [1, 2])] })).toThrow('x is f32 and gets i32');
    expect(() => run(text(fill), { feeds: [f32([2], [1, 2])], variables: [f32([3], [1, 2, 3])] })).toThrow(
      'axis 0 of w is 3 and must be N = 2',
    );
    expect(() => run(text('y[0] = w[0]'), { feeds: [f32([1], [1])] })).toThrow('element 0 of w is read that nothing wrote');
  });
});
