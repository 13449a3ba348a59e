// Axes and shapes as arguments. In: compile-time values. Out: axes counted from the front, lists of sizes; mistakes name the tensor's type.

import { Dim, limits, type Shape } from '../../base/index.js';
import { typeToString, type TensorType } from '../../graph/index.js';
import { fail } from '../report.js';
import { bindingLabel } from '../tensors.js';
import { failNegative } from '../sizes.js';
import { failRank } from '../types.js';
import { describe, dimOf, integerHint, type Value } from '../values.js';
import type { BuiltinCall, Given } from './builtin.js';

/** One axis of `type`, counted from the front; `extra`: how many axes more than the type has are allowed (a new axis). */
export function oneAxis(call: BuiltinCall, given: Given, type: TensorType, extra = 0): number | undefined {
  if (given.value.kind === 'error') return undefined;
  const rank = type.shape.length + extra;
  if (given.value.kind !== 'number' || !given.value.integer) {
    const code = given.value.kind === 'tensor' || given.value.kind === 'variable' ? 'not-constant' : 'type-mismatch';
    fail(
      call.context,
      code,
      given.span,
      `an axis of \`${call.builtin.name}\` is an integer known when compiling, and this is ${describe(given.value)}`,
      {
        labels: bindingLabel(given.value),
        hint:
          given.value.kind === 'list' || given.value.kind === 'tuple'
            ? 'name one; `flatten(x)` makes one axis of all of them'
            : 'the first axis is `0`, the last one `-1`',
      },
    );
    return undefined;
  }
  const axis = given.value.value < 0 ? given.value.value + rank : given.value.value;
  if (axis >= 0 && axis < rank) return axis;
  fail(
    call.context,
    'invalid-value',
    given.span,
    rank === 0
      ? `a scalar ${type.dtype} has no axis ${given.value.value}`
      : `${typeToString(type)} has no axis ${given.value.value}: ${rank === 1 ? 'its only one is 0' : `its axes are 0 to ${rank - 1}`}`,
    { hint: axisHint(call, rank) },
  );
  return undefined;
}

/** The axes that are passed: one, a list, or all of them. */
export function someAxes(call: BuiltinCall, given: Given | undefined, type: TensorType): number[] | undefined {
  if (given === undefined || (given.value.kind === 'string' && given.value.value === 'all')) return type.shape.map((_, axis) => axis);
  if (given.value.kind !== 'list' && given.value.kind !== 'tuple') {
    const axis = oneAxis(call, given, type);
    return axis === undefined ? undefined : [axis];
  }
  const axes: number[] = [];
  for (const item of given.value.items) {
    const axis = oneAxis(call, { value: item, span: given.span }, type);
    if (axis === undefined) return undefined;
    if (axes.includes(axis)) {
      fail(call.context, 'invalid-value', given.span, `axis ${axis} is listed twice`, { hint: 'name each axis once' });
      return undefined;
    }
    axes.push(axis);
  }
  return axes.sort((a, b) => a - b);
}

/** A flag such as `keepDims`; undefined after a diagnostic. */
export function flag(call: BuiltinCall, name: string, fallback: boolean): boolean | undefined {
  const given = call.optional(name);
  if (given === undefined) return fallback;
  if (given.value.kind === 'boolean') return given.value.value;
  if (given.value.kind !== 'error')
    fail(
      call.context,
      given.value.kind === 'tensor' ? 'not-constant' : 'type-mismatch',
      given.span,
      `\`${name}\` is true or false, and this is ${describe(given.value)}`,
      {
        hint: given.value.kind === 'number' && call.has('axis') ? 'several axes are a list: `axis: [0, 1]`' : `e.g. \`${name}: true\``,
      },
    );
  return undefined;
}

const runTimeSize = 'sizes are those of arguments, as N of `x: f32[N]`, or known when compiling; a run computes none';

/** A list of sizes; with `-1` in it, what is left of `whole`. Undefined after a diagnostic. */
export function sizesGiven(call: BuiltinCall, given: Given, whole?: Dim): Shape | undefined {
  const items: readonly Value[] | undefined =
    given.value.kind === 'list' || given.value.kind === 'tuple'
      ? given.value.items
      : dimOf(given.value) === undefined
        ? undefined
        : [given.value];
  if (items === undefined) {
    if (given.value.kind !== 'error')
      fail(call.context, 'type-mismatch', given.span, `a shape is a list of sizes, and this is ${describe(given.value)}`, {
        hint: given.value.kind === 'number' ? 'sizes are integers: `[3]`' : 'e.g. `[B, 784]`',
      });
    return undefined;
  }
  if (items.length > limits.rank) {
    failRank(call.context, given.span, items.length);
    return undefined;
  }
  const sizes: (Dim | undefined)[] = [];
  for (const item of items) {
    const dim = dimOf(item);
    if (dim === undefined) {
      if (item.kind !== 'error')
        fail(
          call.context,
          item.kind === 'tensor' ? 'not-constant' : item.kind === 'number' && item.integer ? 'too-large' : 'type-mismatch',
          given.span,
          `a shape is made of sizes, and this has ${describe(item)} in it`,
          { labels: bindingLabel(item), hint: item.kind === 'tensor' ? runTimeSize : (integerHint(item) ?? shapeHint(item)) },
        );
      return undefined;
    }
    if (dim.constant === -1 && whole !== undefined) sizes.push(undefined);
    else if (dim.constant !== undefined && dim.constant < 0) {
      failNegative(call.context, given.span, dim.constant, call.builtin.name === 'pad' ? 'a part is a slice: `x[1:]`' : undefined);
      return undefined;
    } else sizes.push(dim);
  }
  const open = sizes.filter((size) => size === undefined).length;
  if (open > 1) {
    fail(call.context, 'invalid-value', given.span, 'only one size can be left to find, by -1', {
      hint: 'write the others, e.g. `x.shape[0]`',
    });
    return undefined;
  }
  if (open === 0 || whole === undefined) return sizes.filter((size) => size !== undefined);
  let rest: Dim | undefined = whole;
  for (const size of sizes) if (size !== undefined) rest = rest?.divideExact(size);
  if (rest === undefined) {
    fail(
      call.context,
      whole.constant === undefined ? 'ambiguous-size' : 'shape-mismatch',
      given.span,
      `${whole} elements cannot be divided into [${sizes.map((size) => size ?? '-1').join(', ')}]`,
      { hint: restHint(call, whole, sizes) },
    );
    return undefined;
  }
  return sizes.map((size) => size ?? (rest as Dim));
}

/** For an axis that is not there. */
function axisHint({ builtin: { name } }: BuiltinCall, rank: number): string {
  if (rank === 0) return 'leave the axis out: a scalar is one number already';
  if (name === 'concat') return 'along a new axis: `stack([…], axis: …)`';
  return name === 'expandDims' ? `one axis at a time: \`expandDims(x, axis: ${rank - 1})\`` : '-1 is the last one';
}

/** For what stands in a shape and is no size. */
function shapeHint(item: Value): string {
  if (item.kind === 'tensor' || item.kind === 'variable')
    return 'a shape is known before anything runs: it is made of integers, generics, `dim`s and sizes such as `x.shape[0]`';
  return item.kind === 'list' || item.kind === 'tuple'
    ? 'one size for each axis: `[1, 1]`'
    : item.kind === 'number' && item.integer
      ? `numbers in sizes end at ${Number.MAX_SAFE_INTEGER}`
      : 'a size is an integer';
}

/** For elements of which nobody knows that they fill rows. */
function restHint({ context: { entry } }: BuiltinCall, whole: Dim, sizes: readonly (Dim | undefined)[]): string {
  const each = sizes.reduce<Dim>((product, size) => (size === undefined ? product : product.mul(size)), Dim.one);
  return whole.constant === undefined
    ? `declare it behind the result type of \`${entry.name}\`: \`where ${whole} % ${each} == 0\``
    : divisorsHint(whole.constant);
}

/** Sizes that a number of elements can be divided by: up to eight of them, the smallest first. */
export function divisorsHint(number: number): string {
  const found: number[] = [];
  for (let one = 1; one <= number && one <= 4096 && found.length < 8; one++) if (number % one === 0) found.push(one);
  return `sizes that divide ${number} are ${found.join(', ')}`;
}
