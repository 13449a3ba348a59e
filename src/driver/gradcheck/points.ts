// Where derivatives are checked. In: a module, one of its entries, what is fixed. Out: sizes, feeds and variables in general position.
// Holds: the same seed gives the same numbers; floats that nobody gave lie between 0.1 and 0.9, where logarithms, roots and probabilities
// are defined; integers that nobody gave are 0, which is an index of everything.

import { DiagnosticsError, type DType, elementCount, isFloat, isWide } from '../../base/index.js';
import { bindSizes, factHolds, initialValues } from '../../eval/index.js';
import type { Entry, ModuleGraph } from '../../graph/index.js';
import { tabulate, type TensorValue } from '../../ops/index.js';

/** Numbers between 0 and 1: Park and Miller's generator. */
export function uniforms(seed: number): () => number {
  let state = (Math.abs(Math.trunc(seed)) % 2147483646) + 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

export interface Point {
  readonly dims: ReadonlyMap<string, number>;
  readonly feeds: ReadonlyMap<string, TensorValue>;
  readonly variables: ReadonlyMap<string, TensorValue>;
}

/** What a person may fix; the rest is chosen. */
export interface Fixed {
  readonly sizes: ReadonlyMap<string, number>;
  readonly feeds: ReadonlyMap<string, TensorValue>;
}

/** What variables start with, which takes long to draw for large models. */
export const startOf = (module: ModuleGraph): ReadonlyMap<string, TensorValue> => initialValues(module, 1);

/**
 * `start` is that of the module. Errors: shape-mismatch for feeds that do not fit; ambiguous-size where no small sizes fulfil the entry's
 * facts.
 */
export function pointOf(
  module: ModuleGraph,
  entry: Entry,
  start: ReadonlyMap<string, TensorValue>,
  fixed: Fixed,
  next: () => number,
): Point {
  const elements = module.variables.reduce((sum, { type }) => sum + (elementCount(type.shape).constant ?? 0), 0);
  const fed = entry.feeds.flatMap(({ name, type: { shape } }) => {
    const value = fixed.feeds.get(name);
    return value === undefined ? [] : [{ what: name, shape, sizes: value.shape }];
  });
  const dims = sizesOf(entry, withQuotients(entry, bindSizes(fed, fixed.sizes)), elements > large ? candidates.slice(2) : candidates);
  const feeds = new Map(
    entry.feeds.map(({ name, type }): [string, TensorValue] => {
      const shape = type.shape.map((dim) => dim.evaluate(dims) ?? 0);
      return [name, fixed.feeds.get(name) ?? drawn(type.dtype, shape, next)];
    }),
  );
  const variables = new Map(
    module.variables.map(({ path, type }): [string, TensorValue] => {
      const shape = type.shape.map((dim) => dim.constant ?? 0);
      const value = start.get(path);
      if (value === undefined) return [path, drawn(type.dtype, shape, next)];
      // Values that are all alike, as zeros at the start, are often where a slope jumps.
      if (!(value.data instanceof Float64Array) || !isFloat(type.dtype)) return [path, value];
      return [path, { ...value, data: value.data.map((one) => one + 0.1 * next()) }];
    }),
  );
  return { dims, feeds, variables };
}

function drawn(dtype: DType, shape: readonly number[], next: () => number): TensorValue {
  return tabulate(dtype, shape, () => (isFloat(dtype) ? 0.1 + 0.8 * next() : isWide(dtype) ? 0n : 0));
}

/** Sizes that follow from those which callers name: `N÷2` of `N`. */
function withQuotients(entry: Entry, sizes: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const all = new Map(sizes);
  for (const { name, dividend, divisor } of entry.declared?.quotients ?? []) {
    const [a, b] = [dividend.evaluate(sizes), divisor.evaluate(sizes)];
    if (a !== undefined && b !== undefined && !all.has(name)) all.set(name, a / b);
  }
  return all;
}

/** The first ones make matrices of full rank; the interpreter takes long for large models. */
const candidates = [16, 12, 3, 4, 2, 6, 8, 5, 1];
const large = 10_000;

function sizesOf(entry: Entry, fixed: ReadonlyMap<string, number>, tried: readonly number[]): ReadonlyMap<string, number> {
  for (const size of tried) {
    const dims = new Map(entry.dims.map((name) => [name, fixed.get(name) ?? size]));
    const counted = entry.feeds.every(({ type }) => type.shape.every((dim) => (dim.evaluate(dims) ?? -1) >= 0));
    const whole = [...dims.values()].every(Number.isInteger);
    if (whole && counted && entry.facts.every((fact) => factHolds(fact, dims))) return dims;
  }
  throw new DiagnosticsError([
    {
      code: 'ambiguous-size',
      message: `no small sizes fulfil what ${entry.name} asks of ${entry.dims.join(', ')}`,
      hint: 'choose them: --size Name=N',
    },
  ]);
}
