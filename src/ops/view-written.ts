// Views in index notation. In: the attributes of a view, names of indices. Out: the element that is read, as an expression of them.
// Holds: a subscript that is not proved to stay inside has what stands outside behind it.

import type { Expression, IndexVariable } from '../../grammar/index.js';
import type { Dim, DType, Shape } from '../base/index.js';
import { dimAt } from './problem.js';
import { applied, binary, bordered, choice, digits, indexVariable, named, subscripted } from './tdsl.js';
import type { ViewAttrs } from './view.js';
import { literalOf, type Writer } from './writing.js';

type Map = Pick<ViewAttrs, 'shape' | 'coefficients' | 'offsets' | 'divisors' | 'outside'>;

/** The axis of the view that a row is, if it is one alone. */
function aloneIn({ coefficients, offsets, divisors }: Map, row: number): number | undefined {
  const found = [...(coefficients[row] ?? []).entries()].filter(([, one]) => one.constant !== 0);
  const [[axis, coefficient] = [], more] = found;
  const isPlain = more === undefined && coefficient?.constant === 1 && divisors[row] === 1 && dimAt(offsets, row).constant === 0;
  return isPlain ? axis : undefined;
}

/** Indices that have the range of an axis of `from` in which they stand alone. */
export function rangedBy(map: Map, from: Shape): ReadonlySet<number> {
  const fitting = new Map<number, boolean>();
  for (const [row, size] of from.entries()) {
    const axis = aloneIn(map, row);
    if (axis !== undefined) fitting.set(axis, (fitting.get(axis) ?? true) && dimAt(map.shape, axis).equals(size));
  }
  return new Set([...fitting].flatMap(([axis, fits]) => (fits ? [axis] : [])));
}

/** Indices of a shape; those that subscripts give a range have none of their own. */
export const variablesOf = (names: readonly string[], shape: Shape, ranged: (axis: number) => boolean, writer: Writer): IndexVariable[] =>
  names.map((name, axis) => indexVariable(name, ranged(axis) ? undefined : writer.size(dimAt(shape, axis))));

/** The element of `object`, whose shape is `from`, at these indices. */
export function elementOf(object: Expression, from: Shape, dtype: DType, map: Map, names: readonly string[], writer: Writer): Expression {
  const { coefficients, offsets, divisors, outside } = map;
  const ranged = rangedBy(map, from);
  const conditions: Expression[] = [];
  let isInside = true;
  const subscripts = from.map((size, row) => {
    const sum = sumOf(coefficients[row] ?? [], dimAt(offsets, row), names, writer);
    const alone = aloneIn(map, row);
    if (alone === undefined || !ranged.has(alone)) isInside &&= staysInside(map, row, size, writer);
    const divisor = divisors[row] ?? 1;
    if (divisor === 1) return sum;
    conditions.push(binary(binary(sum, '%', digits(`${divisor}`)), '==', digits('0')));
    return applied(named('floorDiv'), [sum, digits(`${divisor}`)]);
  });
  const border = literalOf(dtype, outside === false ? 0 : outside);
  const read = subscripted(object, subscripts);
  const element = isInside ? read : bordered(read, border);
  const [first, ...others] = conditions;
  return first === undefined
    ? element
    : choice(
        others.reduce((all, one) => binary(all, '&&', one), first),
        element,
        border,
      );
}

/** Whether no index of a row is outside, whatever the sizes are. */
function staysInside({ shape, coefficients, offsets, divisors }: Map, row: number, size: Dim, writer: Writer): boolean {
  if (divisors[row] !== 1) return false;
  let [low, high] = [dimAt(offsets, row), dimAt(offsets, row)];
  for (const [axis, coefficient] of (coefficients[row] ?? []).entries()) {
    const most = coefficient.mul(dimAt(shape, axis).sub(1));
    if (coefficient.isNatural) high = high.add(most);
    else if (coefficient.mul(-1).isNatural) low = low.add(most);
    else return false;
  }
  return writer.isNatural(low) && writer.isNatural(size.sub(high).sub(1));
}

/** `2 * i + j - 1`. */
function sumOf(coefficients: readonly Dim[], offset: Dim, names: readonly string[], writer: Writer): Expression {
  const isTaken = (dim: Dim): boolean => dim.terms.length > 0 && dim.terms.every(({ coefficient }) => coefficient < 0);
  const times = (by: Dim, name: string): Expression => (by.constant === 1 ? named(name) : binary(writer.size(by), '*', named(name)));
  const all = coefficients.flatMap((by, axis) => (by.constant === 0 ? [] : [{ by, name: names[axis] ?? '' }]));
  const added = all.filter(({ by }) => !isTaken(by)).map(({ by, name }) => times(by, name));
  const taken = all.filter(({ by }) => isTaken(by)).map(({ by, name }) => times(by.mul(-1), name));
  if (offset.constant !== 0) {
    if (isTaken(offset)) taken.push(writer.size(offset.mul(-1)));
    else if (added.length > 0) added.push(writer.size(offset));
    else added.unshift(writer.size(offset));
  }
  const [first = digits('0'), ...more] = added;
  return taken.reduce(
    (sum, one) => binary(sum, '-', one),
    more.reduce((sum, one) => binary(sum, '+', one), first),
  );
}
