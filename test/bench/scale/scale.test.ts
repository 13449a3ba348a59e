// Deep models of the bench, at tiny sizes. In: texts. Out: artifacts, losses, goals. Holds: nothing is timed for its own sake.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { llvm } from '../../../codegen/llvm/index.js';
import { check } from '../../../src/driver/build/front.js';
import { programsOf, toKernels } from '../../../src/driver/build/pipeline.js';
import { targetFor } from '../../../src/driver/build/target.js';
import { compileModel } from './compiling.js';
import { goalsOf } from './goals.js';
import { gpt, perceptron, realNvp, scaleModels, type ScaleModel, writings } from './models.js';
import { scaleJson, type ScaleMeasured, scaleTable } from './report.js';
import { stepModel } from './stepping.js';

const directory = mkdtempSync(join(tmpdir(), 'tfc-scale-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tiny = { batch: 3, width: 8, classes: 4 };

test.each([
  { ...perceptron(2, 'list', tiny), name: 'tiny-perceptron', parameters: 2 * (8 * 8 + 8) + 8 * 4 + 4 },
  {
    ...gpt(2, { batch: 2, context: 4, width: 8, heads: 2, words: 6 }),
    name: 'tiny-gpt',
    parameters: 6 * 8 + 4 * 8 + 2 * 8 + 2 * (4 * 8 + 4 * (8 * 8 + 8) + 8 * 32 + 32 + 32 * 8 + 8),
  },
  { ...realNvp(2, { batch: 4, width: 8 }), name: 'tiny-realnvp', parameters: 2 * 2 * (8 + 8 + 8 + 1) },
])('$name compiles, trains, and tells what it cost', ({ parameters, ...model }) => {
  const compiled = compileModel(model, 'native', 1);
  expect(compiled.artifactBytes).toBeGreaterThan(1000);
  const { processorSeconds, peakBytes } = compiled.compiling;
  expect(processorSeconds).toBeGreaterThan(0);
  expect(peakBytes).toBeGreaterThan(1e7);
  const stepped = stepModel(compiled.directory, model, 1, 1);
  expect(stepped.losses).toHaveLength(4);
  expect(stepped.losses.filter((loss) => !Number.isFinite(loss))).toEqual([]);
  expect(stepped.losses[3]).toBeLessThan(stepped.losses[0]!);
  expect(stepped.parameters).toBe(parameters);
  rmSync(compiled.directory, { recursive: true });
});

/** How many kernels of the training step have code of their own. */
function kernels({ name, text }: ScaleModel): number {
  const path = join(directory, `${name}.tdsl`);
  writeFileSync(path, text);
  const { module, build } = check({ path, set: {} }, new Map());
  const { output } = toKernels(targetFor('native', llvm)).run(module, { build });
  const step = programsOf(output).find(({ entry }) => entry === 'train');
  return new Set(step?.kernels.map(({ code }) => code)).size;
}

test('a model is as many distinct kernels in whatever words', () => {
  const [list, ...others] = writings.map((writing) => kernels(perceptron(6, writing, tiny)));
  expect(list).toBeGreaterThan(3);
  expect(others).toEqual([list, list]);
});

test('names are unique, and quick is less of the same', () => {
  const names = scaleModels(false).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('perceptron-64-comprehension');
  expect(scaleModels(true).map(({ depth }) => depth)).toEqual([1, 4, 16, 16, 16, 1, 2, 4]);
});

describe('goals', () => {
  const measured = (model: ScaleModel, processorSeconds: number, artifactBytes: number): ScaleMeasured => ({
    model,
    tfc: { compiling: { processorSeconds, wallSeconds: 1, peakBytes: 1e8 }, artifactBytes, parameters: 7, us: 5 },
    peers: [],
    failures: [{ name: 'jax', reason: 'no such thing' }],
  });
  const all = [
    measured(perceptron(4), 1, 1000),
    measured(perceptron(64), 1.4, 1400),
    measured(perceptron(64, 'names'), 1.5, 1400),
    measured(perceptron(64, 'comprehension'), 1.2, 1300),
    measured(gpt(12), 3.5, 1),
  ];
  const costs = all.map(({ model, tfc }) => ({
    model,
    costs: { processorSeconds: tfc!.compiling.processorSeconds, artifactBytes: tfc!.artifactBytes },
  }));

  test('are about what was measured, relative where they are', () => {
    expect(goalsOf(costs).map(({ model, words, at, met }) => [model, words, at, met])).toEqual([
      ['perceptron-64', 'processor time at most 1.5 × perceptron-4', 1.4, true],
      ['perceptron-64', 'artifact at most 1.3 × perceptron-4', 1.4, false],
      ['gpt-12', 'processor time at most 3 s', 3.5, false],
      ['perceptron-64-names', 'processor time 0.87 to 1.15 × perceptron-64', 1.5 / 1.4, true],
      ['perceptron-64-names', 'artifact 0.95 to 1.05 × perceptron-64', 1, true],
      ['perceptron-64-comprehension', 'processor time 0.87 to 1.15 × perceptron-64', 1.2 / 1.4, false],
      ['perceptron-64-comprehension', 'artifact 0.95 to 1.05 × perceptron-64', 1300 / 1400, false],
    ]);
  });

  test('stand beside the figures', () => {
    const idle = { processorSeconds: 0.1, wallSeconds: 0.1, peakBytes: 1 };
    const machine = { cpu: 'some', target: 'native', processors: 1, node: 'v20', idle };
    const text = scaleTable(all[0]!, machine);
    expect(text).toMatch(/tfc +1\.00 +0\.100 +1\.00 +1\.00 +100 +5\.00/);
    expect(text).toContain('jax failed: no such thing');
    expect(scaleJson(machine, all)).toMatchObject({
      models: [{ name: 'perceptron-4', tfc: { processor_s: 1, artifact_bytes: 1000, step_us: 5 } }, {}, {}, {}, {}],
      goals: [{ met: true }, { met: false }, {}, {}, {}, {}, {}],
    });
  });
});
