// What would make one tensor fit where another shape is wanted. In: both shapes, the dtype, how the text calls the tensor. Out: the
// expression that gives the wanted shape, for hints.
// Holds: what is offered has the wanted shape for all sizes; where nothing that people are likely to have meant does, nothing is offered.

import { type Dim, elementCount, isFloat, shapeEquals, type DType, type Shape } from '../base/index.js';

/** Of axes more than these the orders are not tried. */
const mostOrdered = 6;

/** A hint such as `` write `transpose(x)` ``; undefined where no single step leads there. */
export function fittingHint(text: string, dtype: DType, actual: Shape, wanted: Shape): string | undefined {
  const written = rearranged(text, actual, wanted) ?? withoutAxes(text, actual, wanted) ?? withAxes(text, actual, wanted);
  if (written !== undefined) return `write \`${written}\``;
  if (shapeEquals(actual, wanted)) return undefined;
  if (wanted.length === 0 && dtype === 'bool') return `ask for all of them or for any: \`all(${text})\`, \`any(${text})\``;
  if (wanted.length === 0)
    return isFloat(dtype)
      ? `make one number of it: \`mean(${text})\`, \`sum(${text})\``
      : `make one number of it: \`sum(${text})\`, \`max(${text})\``;
  const over = summedAxes(actual, wanted);
  if (over !== undefined && dtype !== 'bool')
    return `take one along ${axesText(over)}, or add up: \`sum(${text}, axis: ${over.length === 1 ? over[0] : `[${over.join(', ')}]`})\``;
  return actual.length > 0 && elementCount(actual).equals(elementCount(wanted))
    ? `it has as many elements: \`reshape(${text}, [${wanted.join(', ')}])\``
    : undefined;
}

const axesText = (axes: readonly number[]): string => `${axes.length === 1 ? 'axis' : 'axes'} ${axes.join(', ')}`;

/** A hint for a tensor whose axes are those that are wanted, in another order. */
export function transposedHint(text: string, actual: Shape, wanted: Shape): string | undefined {
  const written = rearranged(text, actual, wanted);
  return written === undefined ? undefined : `write \`${written}\``;
}

/** The same axes in another order. */
function rearranged(text: string, actual: Shape, wanted: Shape): string | undefined {
  const order = orderOf(actual, wanted);
  if (order === undefined) return undefined;
  return order.length === 2 ? `transpose(${text})` : `transpose(${text}, axes: [${order.join(', ')}])`;
}

/** Where each axis that is wanted stands; undefined where they are other ones, or stand right already. */
export function orderOf(actual: Shape, wanted: Shape): readonly number[] | undefined {
  if (actual.length !== wanted.length || actual.length < 2 || actual.length > mostOrdered || shapeEquals(actual, wanted)) return undefined;
  const order: number[] = [];
  for (const [at, size] of wanted.entries()) {
    const isFree = (axis: number): boolean => !order.includes(axis) && (actual[axis] as Dim).equals(size);
    // What is in its place stays there.
    const axis = isFree(at) ? at : actual.findIndex((_, one) => isFree(one));
    if (axis < 0) return undefined;
    order.push(axis);
  }
  return order;
}

/** An axis of size 1 that is too many. */
function withoutAxes(text: string, actual: Shape, wanted: Shape): string | undefined {
  if (actual.length !== wanted.length + 1) return undefined;
  const axis = actual.findIndex((size, at) => size.constant === 1 && shapeEquals(actual.toSpliced(at, 1), wanted));
  return axis < 0 ? undefined : `squeeze(${text}, axis: ${axis})`;
}

/** An axis of size 1 that is missing. */
function withAxes(text: string, actual: Shape, wanted: Shape): string | undefined {
  if (wanted.length !== actual.length + 1 || actual.length === 0) return undefined;
  const axis = wanted.findIndex((size, at) => size.constant === 1 && shapeEquals(wanted.toSpliced(at, 1), actual));
  return axis < 0 ? undefined : `expandDims(${text}, axis: ${axis})`;
}

/** Axes in front or behind whose sum has the wanted shape. */
function summedAxes(actual: Shape, wanted: Shape): readonly number[] | undefined {
  const more = actual.length - wanted.length;
  if (more < 1 || wanted.length === 0) return undefined;
  if (shapeEquals(actual.slice(more), wanted)) return actual.slice(0, more).map((_, axis) => axis);
  if (shapeEquals(actual.slice(0, wanted.length), wanted)) return actual.slice(wanted.length).map((_, at) => wanted.length + at);
  return undefined;
}

/**
 * Axes of size 1 by which `small` broadcasts to `large`, whose axes are aligned at the end otherwise: nested `expandDims`; undefined where
 * the sizes of `small` do not stand in `large` in this order.
 */
export function alignedHint(text: string, small: Shape, large: Shape): string | undefined {
  if (small.length === 0 || small.length > large.length) return undefined;
  const places: number[] = [];
  for (const size of small.toReversed()) {
    const place = large.findLastIndex((one, axis) => axis < (places[0] ?? large.length) && one.equals(size));
    if (place < 0) return undefined;
    places.unshift(place);
  }
  const [first] = places as [number];
  let written = text;
  for (let axis = first + 1; axis < large.length; axis++)
    if (!places.includes(axis)) written = `expandDims(${written}, axis: ${axis - first})`;
  return written === text ? undefined : `axes are aligned at the end; give it axes of size 1: \`${written}\``;
}
