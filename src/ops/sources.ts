// Ops without arguments: feeds, variables, parameters of regions, constants, indices, sizes. In: attributes. Out: one tensor. Holds: their
// type is written in their attributes.

import { Dim, type DType, InternalError, isFloat, isInteger, largestOf, isWide } from '../base/index.js';
import { tensor, type TensorType, type Type } from '../graph/index.js';
import { build } from '../kernel/index.js';
import { defineOp, type Op, type TypeProblem } from './define.js';
import { dimAt, problem } from './problem.js';
import { applied, called, digits, named, truth } from './tdsl.js';
import { tabulate, tensorValue } from './value.js';
import { literalOf, written } from './writing.js';

export type FeedAttrs = { readonly name: string; readonly dtype: DType; readonly shape: readonly Dim[] };
export type VariableAttrs = { readonly path: string; readonly dtype: DType; readonly shape: readonly Dim[] };
export type ArgumentAttrs = { readonly index: number; readonly dtype: DType; readonly shape: readonly Dim[] };
export type PlaceholderAttrs = { readonly mark: number; readonly dtype: DType; readonly shape: readonly Dim[] };
/** i64: a bigint; bool: 0 or 1. */
export type ConstantAttrs = { readonly value: number | bigint; readonly dtype: DType };
export type IotaAttrs = { readonly shape: readonly Dim[]; readonly axis: number; readonly dtype: DType };
/** Without a dtype it is i32. */
export type DimensionAttrs = { readonly dim: Dim; readonly dtype?: 'i64' };

const stated = (args: readonly Type[], attrs: { readonly dtype: DType; readonly shape: readonly Dim[] }): TensorType | TypeProblem =>
  noArguments(args) ?? tensor(attrs.dtype, attrs.shape);

const noArguments = (args: readonly Type[]): TypeProblem | undefined =>
  args.length === 0 ? undefined : problem('type-mismatch', `a source has no arguments, not ${args.length}`);

const outside = (what: string) => (): never => {
  throw new InternalError('evaluate', `${what} has no value of its own`);
};

const zero = { kind: 'zero' } as const;

export const feed: Op<FeedAttrs> = defineOp<FeedAttrs>({
  name: 'feed',
  doc: 'An argument of the entry.',
  type: stated,
  derivative: zero,
  evaluate: outside('a feed'),
  lowering: { kind: 'source' },
  source: ({ name }) => ({ kind: 'feed', name }),
  samples: () => [{ args: [], attrs: { name: 'x', dtype: 'f64', shape: [Dim.of(2), Dim.of(3)] } }],
});

export const variable: Op<VariableAttrs> = defineOp<VariableAttrs>({
  name: 'variable',
  doc: 'The value of a variable when the entry is called.',
  type: stated,
  derivative: zero,
  evaluate: outside('a variable'),
  lowering: { kind: 'source' },
  source: ({ path }) => ({ kind: 'variable', path }),
  samples: () => [{ args: [], attrs: { path: 'layer/weight', dtype: 'f64', shape: [Dim.of(2), Dim.of(3)] } }],
});

export const argument: Op<ArgumentAttrs> = defineOp<ArgumentAttrs>({
  name: 'argument',
  doc: 'A parameter of the innermost region around it.',
  type: stated,
  derivative: zero,
  evaluate: outside('a parameter'),
  lowering: { kind: 'source' },
  source: ({ index }) => ({ kind: 'argument', index }),
  samples: () => [{ args: [], attrs: { index: 1, dtype: 'f64', shape: [Dim.of(4)] } }],
});

/** Made by `placeholder`, replaced by `closeRegion`. */
export const placeholderOp: Op<PlaceholderAttrs> = defineOp<PlaceholderAttrs>({
  name: 'placeholder',
  doc: 'Stands for a parameter while its region is being built.',
  type: stated,
  derivative: zero,
  evaluate: outside('a placeholder'),
  lowering: { kind: 'removed', by: 'closeRegion' },
  samples: () => [{ args: [], attrs: { mark: 0, dtype: 'f64', shape: [Dim.of(4)] } }],
});

export const constant: Op<ConstantAttrs> = defineOp<ConstantAttrs>({
  name: 'constant',
  doc: 'A number known to the compiler.',
  type(args, { value, dtype }) {
    if ((typeof value === 'bigint') !== isWide(dtype)) return problem('type-mismatch', `the constant ${value} is not written as ${dtype}`);
    return noArguments(args) ?? tensor(dtype);
  },
  derivative: zero,
  evaluate: (_, { attrs }) => tensorValue(attrs.dtype, [], [attrs.value]),
  lowering: { kind: 'element', at: (node) => build.constant(node.attrs.dtype, node.attrs.value), cost: 0 },
  bounds({ attrs: { value } }) {
    const known = Number.isSafeInteger(Number(value)) ? Dim.of(Number(value)) : undefined;
    return known === undefined ? undefined : { low: known, high: known };
  },
  write({ attrs: { value, dtype } }) {
    const literal = literalOf(dtype, value);
    return written(dtype === 'bool' ? truth(value !== 0) : applied(named(dtype), [literal]), [], { literal, isPlain: true });
  },
  samples: () => [
    { args: [], attrs: { value: 2.5, dtype: 'f64' } },
    { args: [], attrs: { value: 7n, dtype: 'i64' } },
    { args: [], attrs: { value: 1, dtype: 'bool' } },
  ],
});

export const iota: Op<IotaAttrs> = defineOp<IotaAttrs>({
  name: 'iota',
  doc: 'Counts 0, 1, 2, … along one axis.',
  type(args, { shape, axis, dtype }) {
    if (!isFloat(dtype) && !isInteger(dtype)) return problem('dtype-mismatch', `iota counts in numbers, not in ${dtype}`);
    if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length)
      return problem('invalid-value', `iota: there is no axis ${axis} in a tensor of rank ${shape.length}`);
    return noArguments(args) ?? tensor(dtype, shape);
  },
  derivative: zero,
  evaluate: (_, { attrs, size }) => tabulate(attrs.dtype, attrs.shape.map(size), (index) => index[attrs.axis] as number),
  lowering: {
    kind: 'element',
    at(node, index) {
      const { axis, dtype } = node.attrs;
      const count = index[axis];
      if (count === undefined) throw new InternalError('lower', `iota over axis ${axis}`);
      return dtype === 'i64' ? count : build.apply('convert', dtype, count);
    },
    cost: 0,
  },
  bounds: ({ attrs: { shape, axis } }) => ({ low: Dim.zero, high: dimAt(shape, axis).sub(1) }),
  counts({ attrs: { shape, axis, dtype } }) {
    const largest = largestOf(dtype);
    return largest === undefined ? undefined : { size: dimAt(shape, axis), most: largest + 1 };
  },
  write({ attrs: { shape, axis, dtype } }, writer) {
    const count = called('iota', [writer.sizes(shape)], axis === 0 ? {} : { axis: digits(`${axis}`) });
    return written(dtype === 'i32' ? count : applied(named(dtype), [count]), shape);
  },
  samples: () => [
    { args: [], attrs: { shape: [Dim.of(2), Dim.of(3)], axis: 1, dtype: 'f64' } },
    { args: [], attrs: { shape: [Dim.of(4)], axis: 0, dtype: 'i32' } },
    { args: [], attrs: { shape: [Dim.of(2), Dim.of(2)], axis: 0, dtype: 'i64' } },
    { args: [], attrs: { shape: [Dim.of(0)], axis: 0, dtype: 'i32' } },
  ],
});

export const dimension: Op<DimensionAttrs> = defineOp<DimensionAttrs>({
  name: 'dimension',
  doc: 'A size as an i32 or i64.',
  type: (args, attrs) => {
    // Attributes that were read from text may be others.
    const dtype: DType = attrs.dtype ?? 'i32';
    return (
      noArguments(args) ??
      (dtype === 'i32' || dtype === 'i64' ? tensor(dtype) : problem('dtype-mismatch', `a size is an i32 or an i64, not ${dtype}`))
    );
  },
  derivative: zero,
  evaluate: (_, { attrs: { dim, dtype }, size }) =>
    dtype === 'i64' ? tensorValue('i64', [], [BigInt(size(dim))]) : tensorValue('i32', [], [size(dim)]),
  lowering: {
    kind: 'element',
    at({ attrs: { dim, dtype } }) {
      const { constant: known } = dim;
      if (dtype === 'i64') return known === undefined ? build.size(dim) : build.constant('i64', BigInt(known));
      return known === undefined ? build.apply('convert', 'i32', build.size(dim)) : build.constant('i32', known);
    },
    cost: 0,
  },
  counts: ({ attrs: { dim, dtype } }) => (dtype === 'i64' ? undefined : { size: dim, most: 2 ** 31 - 1 }),
  bounds: ({ attrs: { dim } }) => ({ low: dim, high: dim }),
  write({ attrs: { dim, dtype } }, writer) {
    const literal = writer.size(dim);
    return written(applied(named(dtype ?? 'i32'), [literal]), [], { literal, isPlain: true });
  },
  samples: () => [
    { args: [], attrs: { dim: Dim.of(7) } },
    { args: [], attrs: { dim: Dim.of(9), dtype: 'i64' } },
  ],
});
