// Derivatives as programs: for every float number that a program returns, what `tfc derive` writes gives what `grad` gives.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiagnosticsError, isFloat } from '../../src/base/index.js';
import { derive, type Derived } from '../../src/driver/derive/derive.js';
import { pointOf, uniforms } from '../../src/driver/gradcheck/points.js';
import { evaluateNodes } from '../../src/eval/index.js';
import { type Entry, isTensorNode, type ModuleGraph, sourceOf, type TensorNode, topological } from '../../src/graph/index.js';
import * as ops from '../../src/ops/index.js';
import { differentiate, Pipeline } from '../../src/passes/index.js';
import { moduleOf, programs, programText } from '../check/support.js';
import { difference, entryOf, valuesOf } from './agree.js';

const examples = join(programs, '..', '..', 'examples');
const files: readonly (readonly [name: string, text: string])[] = [
  ...readdirSync(programs).flatMap((name) => (name.endsWith('.tdsl') ? [[name, programText(name)] as const] : [])),
  ...readdirSync(examples, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.tdsl') ? [[name, readFileSync(join(examples, name), 'utf8')] as const] : [],
  ),
];

/** Sources that a value depends on and may be differentiated by. */
function inputsOf(value: TensorNode): readonly { readonly path: string; readonly node: TensorNode }[] {
  const found = topological([value]).flatMap((node) => {
    const source = sourceOf(node);
    if (source === undefined || source.kind === 'argument' || !isTensorNode(node) || !isFloat(node.type.dtype)) return [];
    return [{ path: source.kind === 'feed' ? source.name : source.path, node }];
  });
  // Of a variable that an argument hides.
  return found.filter(({ path, node }) => ops.isNodeOf(node, ops.feed) || found.every((one) => one.node === node || one.path !== path));
}

const nameIn = (entry: Entry, path: string): string => (path === '' ? entry.name : path);

/** Derivatives of programs by everything: the text, and what `grad` says. */
function compare(
  module: ModuleGraph,
  build: Parameters<typeof derive>[0]['build'],
  entry: Entry,
  file: string,
  text: string,
  path: string,
): void {
  const value = entry.outputs.find((output) => output.path === path)?.node as TensorNode;
  const inputs = inputsOf(value);
  const request = { entry: entry.name, of: nameIn(entry, path), by: inputs.map((one) => one.path) };
  const derived = (): Derived => derive({ module, build, open: [] }, file, request, new Map([[file, text]]));
  const point = pointOf(module, entry, { sizes: new Map(), feeds: new Map() }, uniforms(7));
  const grad = ops.apply(build, ops.grad, [value, ...inputs.map(({ node }) => node)], { outputs: 1 });
  const outputs = inputs.map((_, at) => ({ path: `${at}`, node: ops.item(build, grad, at) }));
  const alone: Entry = {
    ...entry,
    outputs,
    result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) },
    updates: [],
    summaries: [],
    names: new Map(),
  };
  const gradients = (): ModuleGraph => Pipeline.of(differentiate).run({ ...module, entries: [alone] }, { build }).output;
  let output: ModuleGraph;
  try {
    output = gradients();
  } catch (error) {
    // What `grad` refuses has no text either.
    expect(error).toBeInstanceOf(DiagnosticsError);
    expect(derived).toThrow((error as DiagnosticsError).message);
    return;
  }
  const { text: written, arguments: read } = derived();
  const expected = evaluateNodes(
    (output.entries[0] as Entry).outputs.map(({ node }) => node),
    { feeds: point.feeds, variables: point.variables, dims: point.dims, fails: () => undefined },
  );
  const feeds = new Map(
    Object.entries(read).map(([name, from]) => [name, (point.feeds.get(from) ?? point.variables.get(from)) as ops.TensorValue]),
  );
  const actual = valuesOf(entryOf(written), feeds, point.dims);
  const found = expected.flatMap((one, at) => difference(actual[at] as ops.TensorValue, one, 1e-9) ?? []);
  expect(found, written).toEqual([]);
}

/** Results that are one float, and depend on something. */
const numbersOf = (entry: Entry): readonly string[] =>
  entry.outputs.flatMap(({ path, node }) =>
    isFloat(node.type.dtype) && node.type.shape.length === 0 && inputsOf(node).length > 0 ? [path] : [],
  );

describe('derivatives of programs', () => {
  for (const [name, text] of files) {
    const { module, result } = moduleOf(text, { path: name });
    for (const entry of module.entries)
      for (const path of numbersOf(entry)) {
        it(`${name} ${entry.name} ${path}`, () => {
          compare(module, result.build, entry, name, text, path);
        });
      }
  }
});
