// Derivatives of the whole standard library and of all examples, by `gradcheck`. In: the library's texts, which say what is in it; a use
// of each. Out: reverse mode, forward mode and differences agree.
// Holds: a new declaration without a use of it fails.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from '../../grammar/index.js';
import { check as checkFile } from '../../src/driver/build/front.js';
import { exportedOf } from '../../src/driver/commands/entries.js';
import { checkEntry, type Checked, withoutDerivative } from '../../src/driver/gradcheck/check.js';
import { pointOf, startOf, uniforms } from '../../src/driver/gradcheck/points.js';
import type { GraphBuilder, ModuleGraph } from '../../src/graph/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { stdNames } from '../../src/std/load.js';
import { importOf, type Sample, samples } from '../chain/library-samples.js';
import { moduleOf, std } from '../check/support.js';
import { root } from './tfc.js';

interface Source {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
}

/** What was checked, per entry. */
function checked({ module, build }: Source, feeds: ReadonlyMap<string, TensorValue> = new Map()): Checked[] {
  const start = startOf(module);
  return exportedOf(module, module.path, undefined).flatMap((entry) => {
    const next = uniforms(1);
    const own = new Map([...feeds].filter(([name]) => entry.feeds.some((feed) => feed.name === name)));
    try {
      return checkEntry(module, entry, build, pointOf(module, entry, start, { sizes: new Map(), feeds: own }, next), next);
    } catch (error) {
      if (withoutDerivative(error) === undefined) throw error;
      return [];
    }
  });
}

const wrong = (all: readonly Checked[]): Checked[] => all.filter(({ forward, differences }) => !(forward <= 1e-9 && differences <= 1e-6));

/** On both sides of corners, and on none. */
const feeds = new Map([
  ['z', tensorValue('f64', [2, 3], [0.9, -0.35, 1.7, -1.2, 0.15, -0.6])],
  ['c', tensorValue('f64', [2, 3], [0.65, -0.8, 1.1, 0.3, -0.45, -1.3])],
]);

const header = 'x: f64[3], w: f64[3, 3], s: f64, z: f64[2, 3], c: f64[2, 3], t: f32';

function sourceOf(part: string, name: string, { text, needs = '' }: Sample, isOptimizer: boolean): Source {
  const before = `${importOf(part, name)}\n${needs}\n`;
  const program = isOptimizer
    ? `${before}
param p: f32[3] = zeros()
export step f(start: f32[3], g: f32[3], rate: f32, share: f32) {
  p <- start
  update p with ${text} by g
  let end = sum(sin(p))
  return grad(end, [start, g, rate, share])
}`
    : `${before}export fn f(${header}) = ${text}`;
  const { module, result } = moduleOf(program);
  return { module, build: result.build };
}

const declarations = (part: string): readonly { readonly kind: string; readonly name: string }[] =>
  parse(std(part) ?? '', `${part}.tdsl`).program.declarations.flatMap((one) =>
    one.kind === 'import' ? [] : [{ kind: one.kind, name: one.name.text }],
  );

describe.each(stdNames)('%s', (part) => {
  const own = samples[part] ?? {};

  it('is used as a whole', () =>
    expect(Object.keys(own).sort()).toEqual(
      declarations(part)
        .map(({ name }) => name)
        .sort(),
    ));

  it.each(declarations(part).map(({ kind, name }) => [name, kind] as const))('%s', (name, kind) => {
    const sample = own[name] as Sample;
    const all = checked(sourceOf(part, name, sample, kind === 'optimizer'), feeds);
    expect(all.length > 0).toBe(sample.constant !== true);
    expect(wrong(all)).toEqual([]);
  });
});

it('BatchNorm normalizes by the batch in its step', () => {
  const { module, result } = moduleOf(`import { BatchNorm } from "std/nn"
layer = BatchNorm<3, f64>()
export step f(z: f64[4, 3], c: f64[4, 3]) {
  let y = sum(layer.train(z) * c)
  return grad(y, [z, c, layer.scale, layer.shift])
}`);
  const all = checked({ module, build: result.build });
  expect(all.map(({ by }) => by)).toEqual(['z', 'c', 'layer/scale', 'layer/shift']);
  expect(wrong(all)).toEqual([]);
});

const examples = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(join(root, 'examples', name))
      .filter((file) => file.endsWith('.tdsl'))
      .map((file) => join('examples', name, file)),
  );

it.each(examples)('%s', (path) => {
  const all = checked(checkFile({ path: join(root, path), set: {} }, new Map()));
  expect(wrong(all)).toEqual([]);
});
