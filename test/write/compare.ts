// A derivative as a program beside the derivative itself. In: a module, a value in one of its entries, what it is differentiated by. Out:
// nothing; an expectation that fails where they differ.
// Holds: both are evaluated in doubles at a point in general position; what `grad` refuses has no text either.

import { expect } from 'vitest';
import { DiagnosticsError, type DType } from '../../src/base/index.js';
import { derive, type Derived } from '../../src/driver/derive/derive.js';
import { pointOf, startOf, uniforms } from '../../src/driver/gradcheck/points.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { computing, type Entry, type GraphBuilder, type ModuleGraph, type TensorNode } from '../../src/graph/index.js';
import * as ops from '../../src/ops/index.js';
import { differentiate, Pipeline } from '../../src/passes/index.js';
import { difference, entryOf, valuesOf } from './agree.js';

export interface Compared {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
  readonly entry: Entry;
  readonly file: string;
  readonly text: string;
  readonly of: string;
  readonly value: TensorNode;
  readonly by: readonly { readonly path: string; readonly node: TensorNode }[];
  /** Feeds that are not drawn. */
  readonly feeds?: ReadonlyMap<string, ops.TensorValue>;
}

/** The text has numbers as their dtype holds them, and what is known is computed in it; nothing else is rounded to it here. */
const toleranceOf = (dtype: DType): number => (dtype === 'f64' ? 1e-9 : dtype === 'f32' ? 1e-6 : 1e-2);

const starts = new WeakMap<ModuleGraph, ReturnType<typeof startOf>>();

/** Drawn once for all values of a program. */
function initialOf(module: ModuleGraph): ReturnType<typeof startOf> {
  let start = starts.get(module);
  if (start === undefined) starts.set(module, (start = startOf(module)));
  return start;
}

export function compare({ module, build, entry, file, text, of, value, by, feeds = new Map() }: Compared): void {
  const request = { entry: entry.name, of, by: by.map(({ path }) => path) };
  const derived = (): Derived => derive({ module, build, open: [] }, file, request, new Map([[file, text]]));
  const grad = ops.apply(build, ops.grad, [value, ...by.map(({ node }) => node)], { outputs: 1 });
  const alone = computing(
    entry,
    by.map((_, at) => ops.item(build, grad, at)),
  );
  let differentiated: ModuleGraph;
  try {
    differentiated = Pipeline.of(differentiate).run({ ...module, entries: [alone] }, { build }).output;
  } catch (error) {
    expect(error).toBeInstanceOf(DiagnosticsError);
    expect(derived).toThrow((error as DiagnosticsError).message);
    return;
  }
  const { text: written, arguments: read } = derived();
  const point = pointOf(module, entry, initialOf(module), { sizes: new Map(), feeds }, uniforms(7));
  const expected = evaluateNodes(
    (differentiated.entries[0] as Entry).outputs.map(({ node }) => node),
    { feeds: point.feeds, variables: point.variables, dims: point.dims, fails: () => undefined },
  );
  const fed = new Map(
    Object.entries(read).map(([name, from]) => [name, (point.feeds.get(from) ?? point.variables.get(from)) as ops.TensorValue]),
  );
  const actual = valuesOf(entryOf(written), fed, point.dims);
  const found = expected.flatMap((one, at) => difference(actual[at] as ops.TensorValue, one, toleranceOf(one.dtype)) ?? []);
  expect(found, written).toEqual([]);
}
