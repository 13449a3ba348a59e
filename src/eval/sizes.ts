// Free sizes from the shapes of what is fed. In: symbolic shapes beside concrete ones. Out: a value for every name in them.
// Holds: a polynomial is solved when it has one unknown name, of degree 1; what contradicts or stays open is the user's mistake.

import { type Dim, DiagnosticsError, type DiagnosticCode, type Shape } from '../base/index.js';

export interface Sized {
  /** How messages call it: a feed's name. */
  readonly what: string;
  readonly shape: Shape;
  readonly sizes: readonly number[];
}

export function mistake(code: DiagnosticCode, message: string, hint?: string): DiagnosticsError {
  return new DiagnosticsError([{ code, message, ...(hint === undefined ? {} : { hint }) }]);
}

/** Values of all names that occur in the shapes, and those of `known`. Throws `shape-mismatch` and `ambiguous-size`. */
export function bindSizes(sized: readonly Sized[], known: ReadonlyMap<string, number> = new Map()): Map<string, number> {
  const sizes = new Map(known);
  let open: { readonly what: string; readonly axis: number; readonly dim: Dim; readonly size: number }[] = [];
  for (const { what, shape, sizes: found } of sized) {
    if (shape.length !== found.length)
      throw mistake('shape-mismatch', `${what} has ${shape.length} axes, [${shape.join(', ')}], and is given [${found.join(', ')}]`);
    shape.forEach((dim, axis) => open.push({ what, axis, dim, size: found[axis] as number }));
  }
  for (let before = Infinity; open.length < before;) {
    before = open.length;
    open = open.filter(({ what, axis, dim, size }) => {
      const expected = dim.evaluate(sizes);
      if (expected === undefined) return !solve(dim, size, sizes, what, axis);
      if (expected !== size)
        throw mistake(
          'shape-mismatch',
          `axis ${axis} of ${what} is ${size} and must be ${dim.toString()}${dim.constant === undefined ? ` = ${expected}` : ''}`,
        );
      return false;
    });
  }
  const first = open[0];
  if (first !== undefined) {
    const names = [...first.dim.names].filter((name) => !sizes.has(name));
    throw mistake(
      'ambiguous-size',
      `axis ${first.axis} of ${first.what} is ${first.dim.toString()} = ${first.size}, which does not say what ${names.join(' and ')} is`,
      `give ${names.join(' and ')} a value`,
    );
  }
  return sizes;
}

/** Whether the equation dim = size gave a name its value. */
function solve(dim: Dim, size: number, sizes: Map<string, number>, what: string, axis: number): boolean {
  const unknown = [...dim.names].filter((name) => !sizes.has(name));
  const [name] = unknown;
  if (name === undefined || unknown.length > 1) return false;
  let factor = 0;
  let rest = size;
  for (const { coefficient, names } of dim.terms) {
    const times = names.filter((one) => one === name).length;
    if (times > 1) return false;
    const product = names.reduce((value, one) => value * (one === name ? 1 : (sizes.get(one) as number)), coefficient);
    if (times === 1) factor += product;
    else rest -= product;
  }
  // A factor of 0 says nothing about the name: 0·B = 0.
  if (factor === 0) return false;
  const value = rest / factor;
  if (!Number.isInteger(value) || value < 0)
    throw mistake('shape-mismatch', `axis ${axis} of ${what} is ${size}, and no size ${name} makes ${dim.toString()} that`);
  sizes.set(name, value);
  return true;
}
