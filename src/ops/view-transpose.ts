// Which elements of a view come from an element of its argument. In: the rows of a view, each an equation d · a = C · r + o for one axis of
// the argument. Out: r as rows over a and over axes of r that stay free; rows that must be zero where equations depend on each other (see
// the note at the end).
// Holds: r solves the equations exactly where every row is a whole number inside of its axis, and every constraint is zero.

import { Dim, type Shape } from '../base/index.js';

/** (Σ coefficients · index + offset) / divisor. */
export interface ViewRow {
  readonly coefficients: readonly Dim[];
  readonly offset: Dim;
  readonly divisor: number;
}

interface Solved {
  /** Axes of the view over which is summed, in order. */
  readonly free: readonly number[];
  /** One per axis of the view, over the axes of the argument and then the free ones. */
  readonly rows: readonly ViewRow[];
  readonly constraints: readonly ViewRow[];
}

/** (Σ over r, Σ over a, constant) / divisor. */
interface Linear {
  readonly r: readonly Dim[];
  readonly a: readonly Dim[];
  readonly constant: Dim;
  readonly divisor: number;
}

/** Undefined where an equation can be solved for no axis: all of its coefficients are sizes. */
export function solveRows(rows: readonly ViewRow[], shape: Shape): Solved | undefined {
  const solutions = new Map<number, Linear>();
  const constraints: Linear[] = [];
  for (const [axis, row] of rows.entries()) {
    // 0 = C · r + o − d · a
    let equation: Linear = {
      r: shape.map((_, at) => row.coefficients[at] ?? Dim.zero),
      a: rows.map((_, at) => (at === axis ? Dim.of(-row.divisor) : Dim.zero)),
      constant: row.offset,
      divisor: 1,
    };
    for (const [pivot, solution] of solutions) equation = { ...substituted(equation, pivot, solution), divisor: 1 };
    const pivot = pivotOf(equation, shape);
    if (pivot === undefined) {
      if (equation.r.some((coefficient) => coefficient.constant !== 0)) return undefined;
      constraints.push(equation);
      continue;
    }
    const by = equation.r[pivot]?.constant as number;
    const solution = scaled(
      { ...equation, r: equation.r.map((one, at) => (at === pivot ? Dim.zero : one)) },
      by < 0 ? 1 : -1,
      Math.abs(by),
    );
    for (const [known, before] of solutions) solutions.set(known, substituted(before, pivot, solution));
    solutions.set(pivot, solution);
  }
  const free = [...shape.keys()].filter((axis) => !solutions.has(axis));
  const rowOf = ({ r, a, constant, divisor }: Linear): ViewRow => ({
    coefficients: [...a, ...free.map((axis) => r[axis] as Dim)],
    offset: constant,
    divisor,
  });
  const itself = (axis: number): Linear => ({
    r: shape.map((_, at) => Dim.of(at === axis ? 1 : 0)),
    a: rows.map(() => Dim.zero),
    constant: Dim.zero,
    divisor: 1,
  });
  return { free, rows: [...shape.keys()].map((axis) => rowOf(solutions.get(axis) ?? itself(axis))), constraints: constraints.map(rowOf) };
}

/** The longest axis with a number as its coefficient, so that sums are short; the first of equals. Sizes count as long. */
function pivotOf({ r }: Linear, shape: Shape): number | undefined {
  const length = (axis: number): number => shape[axis]?.constant ?? Infinity;
  const found = [...r.keys()].filter((axis) => r[axis]?.constant !== undefined && r[axis].constant !== 0);
  return found.reduce<number | undefined>((best, axis) => (best === undefined || length(axis) > length(best) ? axis : best), undefined);
}

function scaled(linear: Linear, by: number, divisor: number): Linear {
  return {
    r: linear.r.map((one) => one.mul(by)),
    a: linear.a.map((one) => one.mul(by)),
    constant: linear.constant.mul(by),
    divisor: linear.divisor * divisor,
  };
}

/** `into` with axis `pivot` replaced by its solution. */
function substituted(into: Linear, pivot: number, solution: Linear): Linear {
  const by = into.r[pivot] as Dim;
  if (by.constant === 0) return into;
  const { divisor } = solution;
  const sum = (mine: readonly Dim[], other: readonly Dim[]): Dim[] =>
    mine.map((one, at) => one.mul(divisor).add((other[at] as Dim).mul(by)));
  const without = into.r.map((one, at) => (at === pivot ? Dim.zero : one));
  return shortened({
    r: sum(without, solution.r),
    a: sum(into.a, solution.a),
    constant: into.constant.mul(divisor).add(solution.constant.mul(by)),
    divisor: into.divisor * divisor,
  });
}

/** Without what divides all of its numbers. */
function shortened({ r, a, constant, divisor }: Linear): Linear {
  const numbers = [...r, ...a, constant].flatMap((dim) => dim.terms.map(({ coefficient }) => coefficient));
  const by = numbers.reduce(greatestDivisor, divisor);
  const over = (dim: Dim): Dim => Dim.fromTerms(dim.terms.map(({ coefficient, names }) => ({ coefficient: coefficient / by, names })));
  return by === 1 ? { r, a, constant, divisor } : { r: r.map(over), a: a.map(over), constant: over(constant), divisor: divisor / by };
}

function greatestDivisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/* Note: the transpose of a view.
   y[t, k] = x[2 · t + k − 1] of a long t and a short k says for each a = 2 · t + k − 1 which (t, k) read x[a]: t = (a − k + 1) / 2 for
   every k for which that is a whole number inside of t's axis. So the sum of what flows back to x[a] is a view of y's cotangent over
   (a, k), zero outside, summed over k: windows that overlap are added where they are read, and nothing is scattered. A diagonal
   y[i] = m[i, i] gives i = a₀ and the constraint a₁ − a₀ = 0, which is an index into an axis of size 1. The method is Gaussian elimination
   over the rationals. */
