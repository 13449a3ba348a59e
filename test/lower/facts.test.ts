// What the lowering promises about programs: how many kernels, what is never stored, what is done in place.

import { describe, expect, it } from 'vitest';
import { build, countCalls, printProgram, type Program } from '../../src/kernel/index.js';
import { runProgram } from '../../src/eval/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { dimsOf, type Make, noisy } from '../eval/make.js';
import { avx512 } from '../targets.js';
import { arenaUse, fixedTarget, loadsOf, lowered, programOf, statements, temporaries } from './kernels.js';

const shapes = (buffers: ReturnType<typeof temporaries>): string[] => buffers.map(({ shape }) => `[${shape.join(', ')}]`);

describe('programs', () => {
  it('exp-tower is one kernel with three exponentials for value and slope', () => {
    const { program } = programOf('exp-tower')('tower');
    expect(program.kernels).toHaveLength(1);
    expect(countCalls(program, 'exp')).toBe(3);
    expect(temporaries(program)).toEqual([]);
  });

  it('a training step of logistic regression is one pass by partial results and a kernel that combines them', () => {
    const { program } = programOf('moons')('train');
    expect(program.kernels).toHaveLength(2);
    expect(shapes(temporaries(program))).toEqual(['[256, 1]', '[256, 2]', '[256, 1]']);
    // Loss, logits and both gradients in one pass over the rows.
    expect(statements(program, 'for').filter(({ axis }) => axis === 'vector')).toHaveLength(1);
  });

  it('a training step of the digit classifier is 16 kernels that store no weight gradient', () => {
    const { program } = programOf('mnist')('train');
    // What looks at the labels, with the loss, is one of them; no variable changes before it.
    expect(program.kernels).toHaveLength(16);
    const stored = shapes(temporaries(program));
    expect(stored).not.toContain('[784, 300]');
    expect(stored).not.toContain('[300, 100]');
    expect(stored).not.toContain('[B, 784]');
    // Activations, softmax and their cotangents, once each; packed weights; scalars.
    expect(stored.filter((shape) => shape === '[B, 300]')).toHaveLength(2);
    expect(program.kernels.filter(({ title }) => title.startsWith('matmul'))).toHaveLength(8);
    expect(program.kernels.filter(({ title }) => title.startsWith('copy'))).toEqual([]);
  });

  it('predicting digits keeps nothing that only training needs', () => {
    const { program } = programOf('mnist')('predict');
    expect(program.kernels).toHaveLength(4);
    expect(shapes(temporaries(program))).toEqual(['[B, 300]', '[B, 100]', '[B, 10]']);
  });

  it.each([1, 50, 128, 1000])('the arena of the digit classifier at B = %i is within a tenth of what is alive at once', (B) => {
    const { program } = programOf('mnist')('train');
    expect(program.arena.slots.length).toBeLessThan(temporaries(program).length);
    const { planned, needed } = arenaUse(program, { B });
    expect(planned).toBeLessThanOrEqual(1.1 * needed);
  });

  it('a loop over scalars has no buffer, and forward mode neither', () => {
    for (const entry of ['value', 'forward']) {
      const { program } = programOf('loop')(entry);
      expect(program.kernels).toHaveLength(1);
      expect(temporaries(program)).toEqual([]);
    }
  });

  it('a loop in reverse stores the carries that the way back reads, and nothing else', () => {
    expect(shapes(temporaries(programOf('loop')('reverse').program))).toEqual(['[100]']);
  });
});

describe('fusion', () => {
  it('softmax of rows is one kernel that keeps each row to itself', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['B', 10]);
      const rows = (node: typeof x): typeof x => make.broadcast(node, ['B', 10], [0]);
      const exps = make.op('exp', [make.op('sub', [x, rows(make.op('reduceMax', [x], { axes: [1] }))])]);
      return { outputs: [make.op('div', [exps, rows(make.sum(exps, 1))])] };
    });
    expect(program.kernels).toHaveLength(1);
    expect(temporaries(program)).toEqual([]);
  });

  it('a transpose is copied in squares as wide as a vector, whose last ones may be narrower', () => {
    const transposed = (rows: number | string, columns: number): Program =>
      lowered((make) => ({ outputs: [make.op('transpose', [make.feed('x', [rows, columns])], { axes: [1, 0] })] }));
    const copies = (program: Program): (number | undefined)[] =>
      statements(program, 'for')
        .filter(({ axis, transpose }) => axis === 'unroll' && transpose === true)
        .map(({ extent }) => build.intValue(extent));
    // Eight lanes.
    expect(copies(transposed(50, 24))).toEqual([8]);
    expect(copies(transposed('N', 30))).toEqual([8, 6]);
    expect(copies(transposed(50, 3))).toEqual([3]);
    // Too short for a vector.
    expect(copies(transposed(7, 24))).toEqual([]);
    // Threads share a few long rows, too.
    const shared = (rows: number, columns: number): unknown[] =>
      statements(transposed(rows, columns), 'for')
        .slice(0, 1)
        .map(({ axis, extent }) => [axis, build.intValue(extent)]);
    expect(shared(20_000, 3)).toEqual([['parallel', 20]]);
    // Seven squares below each other, in each of the two groups of columns that a product with it has.
    expect(shared(300, 50)).toEqual([['parallel', 14]]);
  });

  it('tiles ask ahead for what no processor guesses: far right sides, left sides whose steps are lines apart, the next panel, far results', () => {
    const asked = (depth: number, columns: number, isTransposed = false, target = fixedTarget): string[] => {
      const program = lowered((make) => {
        const left = isTransposed ? make.op('transpose', [make.feed('x', [depth, 'B'])], { axes: [1, 0] }) : make.feed('x', ['B', depth]);
        return { outputs: [make.op('matmul', [left, make.feed('w', [depth, columns])])] };
      }, target);
      return [...new Set(statements(program, 'fetch').map(({ buffer }) => buffer.name))].sort();
    };
    expect(asked(64, 64)).toEqual([]);
    expect(asked(784, 304)).toEqual(['in_w']);
    expect(asked(784, 304, true)).toEqual(['in_w', 'in_x']);
    // Few rows read the right side itself.
    expect(asked(1024, 1024)).toEqual(['in_w', 't0']);
    // Where a step of the tile has room for it.
    expect(asked(64, 32, false, avx512)).toEqual([]);
    expect(asked(784, 304, false, avx512)).toEqual(['in_w', 'out_o0']);
  });

  it('tiles ask for one line more of rows that do not start on lines, and sooner for what is computed than for what is fed', () => {
    const asked = (columns: number, isFed: boolean): readonly string[] => {
      const program = lowered((make) => {
        const fed = make.feed('w', [784, columns]);
        const right = isFed ? fed : make.op('matmul', [make.feed('v', [784, 784]), fed]);
        return { outputs: [make.op('matmul', [make.feed('x', ['B', 784]), right])] };
      });
      const text = printProgram({ ...program, kernels: program.kernels.slice(-1) });
      const fetches = text.matchAll(/fetch (\w+)\[k\d+ \+ (\d+), column\d+ \+ (j|\d+)/g);
      return [...fetches].slice(0, 2).map(([, buffer, steps, at]) => `${buffer} ${steps} ${at}`);
    };
    // Tiles of six rows, or of five.
    expect([asked(304, true), asked(300, true), asked(300, false)]).toEqual([
      ['in_w 17 j', 'in_w 20 j'],
      ['in_w 17 j', 'in_w 17 15'],
      ['t0 34 j', 't0 40 j'],
    ]);
  });

  it('sums of columns run along the columns, one pass over the rows', () => {
    const program = lowered((make) => ({ outputs: [make.sum(make.feed('x', ['B', 100]), 0)] }));
    expect(program.kernels).toHaveLength(1);
    expect(loadsOf(program, 'in_x')).toBe(1);
    const lanes = statements(program, 'for').filter(({ axis }) => axis === 'vector');
    // The terms, their sum onto the total, what that lost, and the result.
    expect(lanes.map(({ limit }) => limit)).toEqual([32, 32, 32, 32]);
  });

  it('sums over the same rows of different data share a loop', () => {
    const program = lowered((make) => ({
      outputs: [
        make.sum(make.feed('x', ['B']), 0),
        make.sum(make.feed('y', ['B']), 0),
        make.op('reduceMax', [make.feed('z', ['B', 2])], { axes: [0] }),
      ],
    }));
    expect(program.kernels).toHaveLength(2);
    expect(statements(program, 'for').filter((loop) => loop.axis === 'vector')).toHaveLength(1);
  });

  it('long sums are done by partial results that threads may divide, short ones in one kernel', () => {
    const sums = (size: string | number): Program => lowered((make) => ({ outputs: [make.sum(make.feed('x', [size]), 0)] }));
    for (const size of ['B', 2048, 1_000_000]) {
      const program = sums(size);
      expect(program.kernels).toHaveLength(2);
      expect(program.kernels[0]?.code.body).toMatchObject([{ kind: 'for', axis: 'parallel' }]);
    }
    expect(shapes(temporaries(sums(2048)))).toEqual(['[2, 1]']);
    expect(shapes(temporaries(sums(1_000_000)))).toEqual(['[256, 1]']);
    for (const size of [1, 2047]) {
      expect(sums(size).kernels).toHaveLength(1);
      expect(temporaries(sums(size))).toEqual([]);
    }
  });

  it('a normalised sum is used where it is made', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['B']);
      const mean = make.op('div', [
        make.sum(x, 0),
        make.op('cast', [make.op('dimension', [], { dim: dimsOf(['B'])[0] as never })], { dtype: 'f32' }),
      ]);
      return { outputs: [mean, make.op('square', [mean])] };
    });
    expect(program.kernels).toHaveLength(2);
    expect(shapes(temporaries(program))).toEqual(['[256, 1]']);
  });

  it('a product that only one sum takes is rounded with it; any other, and those of a difference of two, on their own', () => {
    const fused = (draw: (make: Make, x: TensorNode, y: TensorNode) => readonly TensorNode[]): number => {
      const program = lowered((make) => ({ outputs: draw(make, make.feed('x', ['B']), make.feed('y', ['B'])) }));
      return countCalls(program, 'muladd');
    };
    expect(fused((make, x, y) => [make.op('add', [make.op('mul', [x, y]), x])])).toBe(1);
    expect(fused((make, x, y) => [make.op('sub', [x, make.op('square', [y])])])).toBe(1);
    expect(fused((make, x, y) => [make.op('add', [make.op('mul', [x, x]), make.op('mul', [y, y])])])).toBe(1);
    expect(fused((make, x, y) => [make.op('sub', [make.op('mul', [x, x]), make.op('mul', [y, y])])])).toBe(0);
    expect(fused((make, x, y) => [make.op('add', [make.op('mul', [x, y]), x]), make.op('exp', [make.op('mul', [x, y])])])).toBe(0);
    expect(fused((make, x, y) => [make.op('add', [make.op('mul', [x, y]), x]), make.op('mul', [x, y])])).toBe(0);
  });

  it('bias, activation and their sum over rows follow the product without being stored twice', () => {
    const program = lowered((make) => {
      const b = make.broadcast(make.feed('b', [40]), ['B', 40], [1]);
      const active = make.op('max', [
        make.op('add', [make.op('matmul', [make.feed('x', ['B', 30]), make.feed('w', [30, 40])]), b]),
        make.broadcast(make.constant(0), ['B', 40]),
      ]);
      return { outputs: [active] };
    });
    expect(program.kernels).toHaveLength(1);
    expect(temporaries(program)).toEqual([]);
  });

  it('costly values that several kernels read are stored, cheap ones are computed again', () => {
    const two = (costly: boolean): number =>
      temporaries(
        lowered((make) => {
          const x = make.feed('x', [50, 50]);
          const value = make.op(costly ? 'tanh' : 'neg', [x]);
          return { outputs: [make.sum(value, 0), make.op('transpose', [value], { axes: [1, 0] })] };
        }),
      ).length;
    expect([two(true), two(false)]).toEqual([1, 0]);
  });

  it('a costly value is stored where it stays in a cache, and computed again where it would travel through memory', () => {
    const stored = (size: 256 | 5120): boolean => {
      const program = lowered((make) => {
        const value = make.op('tanh', [make.feed('x', [size, size])]);
        return { outputs: [make.sum(value, 0), make.op('transpose', [value], { axes: [1, 0] })] };
      });
      return shapes(temporaries(program)).includes(`[${size}, ${size}]`);
    };
    expect([stored(256), stored(5120)]).toEqual([true, false]);
  });

  it('elementwise results of the same data share a loop', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['B', 50]);
      return { outputs: [make.op('exp', [x]), make.op('neg', [x])] };
    });
    expect(program.kernels).toHaveLength(1);
    expect(loadsOf(program, 'in_x')).toBe(1);
  });

  it('a derivative, its sums over rows and the loss take one pass over the data', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['B', 64]);
      const value = make.op('tanh', [make.op('add', [x, make.broadcast(make.feed('b', [64]), ['B', 64], [1])])]);
      return { outputs: [make.sum(make.sum(value, 0), 0), make.sum(value, 0), value] };
    });
    expect(loadsOf(program, 'in_x')).toBe(1);
    expect(countCalls(program, 'tanh')).toBe(1);
  });

  it('a sum over all rows without company stays whole', () => {
    const program = lowered((make) => ({ outputs: [make.sum(make.feed('x', ['B', 100]), 0)] }));
    expect(program.kernels).toHaveLength(1);
  });

  it('sums of rows and of columns take one pass over the data, and leave partial results of the latter to a small kernel', () => {
    const program = lowered((make) => {
      const value = make.op('tanh', [make.feed('x', ['B', 50])]);
      return { outputs: [make.sum(value, 0), make.sum(value, 1)] };
    });
    expect(program.kernels).toHaveLength(2);
    expect(countCalls(program, 'tanh')).toBe(1);
    // Partial results, and where runs of more rows than a sum takes at once are added up.
    expect(shapes(temporaries(program))).toEqual(['[64, 50]', '[64, 50]', '[64, 50]']);
  });

  it('a costly value of a row that a later pass needs is kept, a cheap one is computed again', () => {
    const normalized = (op: 'exp' | 'neg'): Program =>
      lowered((make) => {
        const value = make.op(op, [make.feed('x', ['B', 50])]);
        const rows = make.op('div', [value, make.broadcast(make.sum(value, 1), ['B', 50], [0])]);
        return { outputs: [rows, make.sum(rows, 0)] };
      });
    const [costly, cheap] = [normalized('exp'), normalized('neg')];
    expect([countCalls(costly, 'exp'), countCalls(cheap, 'neg')]).toEqual([1, 2]);
    // Partial results of the sum over all rows with room for their totals, and the row.
    const partials = Array<string>(3).fill('[64, 50]');
    expect([temporaries(costly), temporaries(cheap)].map(shapes)).toEqual([[...partials, '[64, 50]'], partials]);
  });
});

describe('updates', () => {
  it('are made in place where only the element itself is read', () => {
    const program = lowered((make) => {
      const w = make.variable('w', [100]);
      return { updates: { w: make.op('add', [make.op('mul', [w, w]), w]) } };
    });
    expect(program.kernels).toHaveLength(1);
    expect(temporaries(program)).toEqual([]);
  });

  it('wait for whoever reads the old value', () => {
    const program = lowered((make) => {
      const w = make.variable('w', [100]);
      return { outputs: [make.sum(w, 0)], updates: { w: make.op('neg', [w]) } };
    });
    expect(temporaries(program)).toEqual([]);
    expect(program.kernels.map(({ title }) => title.split(' ')[0])).toEqual(['reduceSum', 'neg']);
  });

  it('go through a temporary where other elements are read', () => {
    const program = lowered((make) => {
      const w = make.variable('w', [100]);
      return { updates: { w: make.op('slice', [w], { starts: dimsOf([99]), stops: dimsOf([-1]), steps: [-1] }) } };
    });
    expect(temporaries(program)).toHaveLength(1);
    expect(program.kernels).toHaveLength(2);
  });

  it('swap variables through one temporary', () => {
    const program = lowered((make) => {
      const [a, b] = [make.variable('a', [9]), make.variable('b', [9])];
      return { updates: { a: b, b: a } };
    });
    expect(temporaries(program)).toHaveLength(1);
    const [a, b] = [noisy([9]), noisy([9], 2)];
    const { variables } = runProgram(program, { feeds: [], variables: [a, b] }, { arena: true });
    expect(variables).toEqual([b, a]);
  });

  it('of the gradient of a product never store the gradient', () => {
    const program = lowered((make) => {
      const w = make.variable('w', [20, 30]);
      const gradient = make.op('matmul', [make.op('transpose', [make.feed('x', ['B', 20])], { axes: [1, 0] }), make.feed('g', ['B', 30])]);
      return { updates: { w: make.op('sub', [w, make.op('mul', [gradient, make.broadcast(make.constant(0.1), [20, 30])])]) } };
    });
    expect(program.kernels).toHaveLength(1);
    // Nothing but a tile for each block, where runs of a long depth are added up.
    expect(shapes(temporaries(program))).toEqual(Array<string>(2).fill('[4, 6, 16]'));
  });
});

describe('loops', () => {
  it('update tensors that they carry in place', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['T', 50]);
      const [sum] = make.loop('T', [make.broadcast(make.constant(0), [50])], (i, carry) => [
        make.op('add', [carry, make.op('gather', [x, i])]),
      ]);
      return { outputs: [sum as typeof x] };
    });
    expect(program.kernels).toHaveLength(2);
    // The initial value, which the output is filled with.
    expect(temporaries(program)).toHaveLength(1);
  });

  it('keep a carry aside whose other elements are read', () => {
    const program = lowered((make) => {
      const [turned] = make.loop('T', [make.feed('x', [50])], (_, carry) => [
        make.op('slice', [carry], { starts: dimsOf([49]), stops: dimsOf([-1]), steps: [-1] }),
      ]);
      return {
        outputs: [turned as NonNullable<typeof turned>, make.op('dimension', [], { dim: make.feed('t', ['T']).type.shape[0] as never })],
      };
    });
    expect(shapes(temporaries(program))).toEqual(['[50]']);
  });

  it('store no result that nothing reads', () => {
    const program = lowered((make) => {
      const x = make.feed('x', ['T']);
      const [last] = make.loop('T', [make.constant(0)], (i, carry) => {
        const next = make.op('add', [carry, make.op('gather', [x, i])]);
        return [next, make.op('exp', [next])];
      });
      return { outputs: [last as typeof x] };
    });
    expect(countCalls(program, 'exp')).toBe(0);
    expect(temporaries(program)).toEqual([]);
  });
});
