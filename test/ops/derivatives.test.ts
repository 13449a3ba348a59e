// Every op's two derivative rules: forward = backward = finite differences, on every float sample; and derivatives of derivatives.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { GraphBuilder, type Region, tensor, type TensorNode } from '../../src/graph/index.js';
import {
  apply,
  applyTensor,
  argument,
  call,
  closeRegion,
  elementwise,
  fill,
  gather,
  item,
  loop,
  placeholder,
  reduceMax,
  reduceProduct,
  reduceSum,
  registry,
  scalars,
  tensorOf,
  tensorValue,
  type TensorValue,
} from '../../src/ops/index.js';
import { check, modesFor } from './derivatives.js';
import { built, cases, numbers } from './samples.js';

const smooth = cases.filter(
  ({ op, sample }) =>
    op.derivative.kind === 'rules' &&
    sample.args.some((arg) => arg.dtype === 'f64') &&
    sample.args.every((arg) => arg.values?.every(Number.isFinite) ?? true),
);

function near(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)));
}

describe('rules', () => {
  it.each(smooth.map((one) => [one.text, one] as const))('%s: forward, backward and differences agree', (_, one) => {
    const { build, args, node, values } = built(one, 7);
    if (node.type.dtype !== 'f64' && node.type.dtype !== 'f32') {
      // Nothing flows into integers.
      expect(modesFor(build).vjp([node], [fill(build, node.type, 1)], args)).toEqual(args.map(() => undefined));
      return;
    }
    const { difference, forward, backward } = check(build, node, args, values, numbers(3));
    near(forward, backward, 1e-12);
    // The largest of no elements is −∞ whatever happens, and differences of infinities say nothing.
    if (Number.isFinite(difference)) near(forward, difference, one.sample.tolerance ?? 1e-6);
    else expect(forward).toBe(0);
  });

  it.each(
    smooth.filter(({ op }) => !['cast', 'broadcast', 'reshape', 'transpose'].includes(op.name)).map((one) => [one.text, one] as const),
  )('%s: so do those of its gradient', (_, one) => {
    const { build, args, node, values } = built(one, 11);
    if (node.type.dtype !== 'f64') return;
    const [first] = modesFor(build).vjp(
      [node],
      [fill(build, node.type, 0.7)],
      args.filter((arg) => arg.type.dtype === 'f64'),
    );
    if (first === undefined) return;
    const { difference, forward, backward } = check(build, first, args, values, numbers(5));
    near(forward, backward, 1e-11);
    near(forward, difference, 1e-5);
  });

  it('covers every op that states rules', () => {
    const covered = new Set(smooth.map(({ op }) => op.name));
    const missing = [...registry.values()].filter((op) => op.derivative.kind === 'rules' && !covered.has(op.name)).map((op) => op.name);
    expect(missing).toEqual([]);
  });
});

const f64 = tensor('f64');
const vector = (size: number) => tensor('f64', [Dim.of(size)]);
const arg = (build: GraphBuilder, index: number, type = f64): TensorNode =>
  tensorOf(apply(build, argument, [], { index, dtype: type.dtype, shape: type.shape }));
const number = (x: number): TensorValue => tensorValue('f64', [], [x]);
const row = (...x: number[]): TensorValue => tensorValue('f64', [x.length], x);
const list = (value: TensorValue | undefined): number[] => Array.from(value?.data ?? [], Number);

describe('ties, zeros and edges', () => {
  const gradient = (make: (build: GraphBuilder, x: TensorNode) => TensorNode, at: TensorValue): number[] => {
    const build = new GraphBuilder();
    const x = arg(build, 0, tensor('f64', at.shape.map(Dim.of)));
    const y = make(build, x);
    const [g] = modesFor(build).vjp([y], [fill(build, y.type, 1)], [x]);
    return g === undefined ? [] : list(evaluateNodes([g], { args: [at] })[0]);
  };

  it('shares the derivative of a maximum evenly among ties', () => {
    expect(gradient((build, x) => applyTensor(build, reduceMax, [x], { axes: [0] }), row(3, 1, 3))).toEqual([0.5, 0, 0.5]);
  });

  it('shares the tie of two arguments evenly', () => {
    expect(gradient((build, x) => scalars.max(build, x, fill(build, x.type, 2)), row(1, 2, 3))).toEqual([0, 0.5, 1]);
    expect(gradient((build, x) => scalars.max(build, fill(build, x.type, 2), x), row(1, 2, 3))).toEqual([0, 0.5, 1]);
    expect(gradient((build, x) => scalars.min(build, x, fill(build, x.type, 2)), row(1, 2, 3))).toEqual([1, 0.5, 0]);
  });

  it('differentiates a product with zeros among its factors, twice', () => {
    const product = (build: GraphBuilder, x: TensorNode) => applyTensor(build, reduceProduct, [x], { axes: [0] });
    expect(gradient(product, row(0, 2, 3))).toEqual([6, 0, 0]);
    expect(gradient(product, row(0, 0, 3))).toEqual([0, 0, 0]);
    const second = gradient(
      (build, x) => {
        const [g] = modesFor(build).vjp([product(build, x)], [fill(build, f64, 1)], [x]);
        return applyTensor(build, reduceSum, [g as TensorNode], { axes: [0] });
      },
      row(0, 0, 3),
    );
    // Σᵢ ∂ᵢ (x y z) = yz + xz + xy, whose gradient at (0, 0, 3) is (y + z, x + z, x + y).
    expect(second).toEqual([3, 3, 0]);
  });

  it('keeps powers with a constant exponent differentiable at 0', () => {
    expect(gradient((build, x) => scalars.pow(build, x, fill(build, x.type, 2)), row(0, -3))).toEqual([0, -6]);
    expect(gradient((build, x) => scalars.pow(build, x, fill(build, x.type, 0)), row(0, 2))).toEqual([0, 0]);
  });

  it('gives the branch that is not taken a slope of 0', () => {
    const logOrZero = (build: GraphBuilder, x: TensorNode) =>
      scalars.select(build, scalars.gt(build, x, fill(build, x.type, 0)), scalars.log(build, x), fill(build, x.type, 0));
    expect(gradient(logOrZero, row(2, -1))).toEqual([0.5, 0]);
  });

  it('moves nothing in the maximum of no elements', () => {
    expect(gradient((build, x) => applyTensor(build, reduceMax, [x], { axes: [0] }), row())).toEqual([]);
  });
});

interface Looped {
  readonly build: GraphBuilder;
  readonly args: readonly TensorNode[];
  readonly results: readonly TensorNode[];
}

/** z ← sin(w) · z + i · xs[i], y = z · w; carries z and a counter that no derivative reaches. */
function looped(trip: number): Looped {
  const build = new GraphBuilder();
  const [z0, w, xs] = [arg(build, 0), arg(build, 1), arg(build, 2, vector(4))] as const;
  const [i, z, count] = [placeholder(build, tensor('i32')), placeholder(build, f64), placeholder(build, tensor('i32'))] as const;
  const x = applyTensor(build, gather, [xs, i], {});
  const step = applyTensor(build, registry.get('cast') as NonNullable<ReturnType<typeof registry.get>>, [i], { dtype: 'f64' });
  const next = scalars.add(build, scalars.mul(build, scalars.sin(build, w), scalars.square(build, z)), scalars.mul(build, step, x));
  const { region, captures } = closeRegion(
    build,
    [i, z, count],
    [next, scalars.add(build, count, fill(build, tensor('i32'), 1)), scalars.mul(build, z, w)],
  );
  const made = apply(build, loop, [z0, fill(build, tensor('i32'), 0), ...captures], { trip: Dim.of(trip), carries: 2, body: region });
  return { build, args: [z0, w, xs], results: [item(build, made, 0), item(build, made, 2), item(build, made, 1)] };
}

const loopValues = [number(0.3), number(0.8), row(0.5, -0.2, 0.7, 0.1)];

describe('loops', () => {
  it.each([0, 1, 2, 4])('differentiates a carry and a stack through %d iterations', (trip) => {
    const { build, args, results } = looped(trip);
    for (const result of results.slice(0, 2)) {
      const { difference, forward, backward } = check(build, result, args, loopValues, numbers(9));
      near(forward, backward, 1e-12);
      near(forward, difference, 1e-6);
    }
  });

  it('differentiates its own gradient', () => {
    const { build, args, results } = looped(3);
    const [, byW] = modesFor(build).vjp([results[0] as TensorNode], [fill(build, f64, 1)], args);
    const { difference, forward, backward } = check(build, byW as TensorNode, args, loopValues, numbers(2));
    near(forward, backward, 1e-11);
    near(forward, difference, 1e-5);
  });

  it('sends nothing through an integer carry', () => {
    const { build, args, results } = looped(3);
    expect(evaluateNodes([results[2] as TensorNode], { args: loopValues })[0]?.data[0]).toBe(3);
    expect(modesFor(build).vjp([results[2] as TensorNode], [undefined], args)).toEqual([undefined, undefined, undefined]);
  });

  it('scatters rows that were read once, after the loop', () => {
    const { build, args, results } = looped(3);
    const [, , byRows] = modesFor(build).vjp([results[0] as TensorNode], [fill(build, f64, 1)], args);
    expect((byRows as TensorNode).op.name).toBe('scatterAdd');
  });
});

/** x · x with the author's rule 5 · x · g. */
function ruled(build: GraphBuilder, x: TensorNode, factor: number): TensorNode {
  const [p, q, g] = [placeholder(build, f64), placeholder(build, f64), placeholder(build, f64)];
  const region = (params: TensorNode[], result: TensorNode): Region => closeRegion(build, params, [result]).region;
  const body = region([p], scalars.mul(build, p, p));
  const rule = region([q, g], scalars.mul(build, fill(build, f64, factor), scalars.mul(build, q, g)));
  return applyTensor(build, call, [x], { body, rule });
}

describe('functions with their own derivative', () => {
  it('uses the rule in both modes', () => {
    const build = new GraphBuilder();
    const x = arg(build, 0);
    const y = ruled(build, scalars.exp(build, x), 5);
    const [g] = modesFor(build).vjp([y], [fill(build, f64, 1)], [x]);
    const [t] = modesFor(build).jvp([y], [x], [fill(build, f64, 1)]);
    const values = evaluateNodes([y, g as TensorNode, t as TensorNode], { args: [number(0.5)] }).map((value) => list(value)[0] as number);
    near(values[0] as number, Math.E, 1e-12);
    near(values[1] as number, 5 * Math.E, 1e-12);
    near(values[2] as number, 5 * Math.E, 1e-12);
  });

  it('agrees with differences where the rule is the true one', () => {
    const build = new GraphBuilder();
    const x = arg(build, 0);
    const { difference, forward, backward } = check(build, ruled(build, scalars.sin(build, x), 2), [x], [number(0.4)], numbers(4));
    near(forward, backward, 1e-12);
    near(forward, difference, 1e-6);
  });
});

describe('regions', () => {
  it('capture what does not depend on their parameters, and copy what costs nothing', () => {
    const build = new GraphBuilder();
    const outer = scalars.exp(build, arg(build, 0));
    const x = placeholder(build, f64);
    const { region, captures } = closeRegion(
      build,
      [x],
      [applyTensor(build, elementwise.add, [scalars.mul(build, x, outer), fill(build, f64, 2)], {})],
    );
    expect(captures).toEqual([outer]);
    expect(region.params).toEqual([f64, f64]);
  });

  it('are equal nodes when they are equal', () => {
    const build = new GraphBuilder();
    const close = () => {
      const x = placeholder(build, f64);
      return closeRegion(build, [x], [scalars.sin(build, x)]).region;
    };
    expect(close().results[0]).toBe(close().results[0]);
  });
});
