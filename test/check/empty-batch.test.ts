// Steps over no rows. In: steps whose gradients are those of means over a free number of rows. Out: params and slots as they were where
// there is none; what else the step assigns is assigned.

import { describe, expect, test } from 'vitest';
import { topological } from '../../src/graph/index.js';
import { checks, differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { evaluateEntry, initialValues } from '../../src/eval/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import { moduleOf } from './support.js';

const optimizers = ['sgd(lr: 0.1)', 'momentum(lr: 0.1)', 'adam(lr: 0.1)', 'adagrad(lr: 0.1)', 'rmsprop(lr: 0.1)'];

/** The variables after steps over so many rows. */
function after(text: string, rows: readonly number[]): ReadonlyMap<string, TensorValue> {
  const { module, result } = moduleOf(text);
  const { output } = Pipeline.of(differentiate).then(strip).then(checks).then(simplify).run(module, { build: result.build });
  const [entry] = output.entries;
  const variables = initialValues(output, 1n);
  for (const B of rows) {
    const data = Array.from({ length: B * 3 }, (_, at) => Math.sin(at + 1));
    const feeds = new Map([['x', tensorValue('f32', [B, 3], data)]]);
    for (const [path, value] of evaluateEntry(entry as NonNullable<typeof entry>, { feeds, variables, dims: new Map([['B', B]]) }).updates)
      variables.set(path, value);
  }
  return variables;
}

const step = (optimizer: string, update: string): string => `import { ${optimizer.split('(')[0] as string} } from "std/optim"
param w: f32[3] = 0.5
param b: f32 = 0.1
state calls: i32 = 0
export step train<B>(x: f32[B, 3]): f32 {
  let loss = ${update === 'sum' ? 'sum(square(x @ w + b)) / B' : 'mean(square(x @ w + b)) + 0.01 * sum(square(w))'}
  calls <- calls + 1
  ${update === 'by' ? `update [w, b] with ${optimizer} by grad(loss, [w, b])` : `minimize loss with ${optimizer}`}
  return loss
}`;

describe.each(optimizers)('%s', (optimizer) => {
  test.each(['minimize', 'by', 'sum'])('leaves params and slots as they were: %s', (update) => {
    const text = step(optimizer, update);
    const [once, between] = [after(text, [4]), after(text, [4, 0, 0])];
    for (const [path, value] of once) if (path !== 'calls') expect(between.get(path), path).toEqual(value);
    expect(between.get('calls')?.data[0]).toBe(3);
    expect(after(text, [4, 4]).get('w')).not.toEqual(once.get('w'));
  });
});

test('where there certainly are rows nothing is asked', () => {
  const selects = (text: string): number => {
    const { module } = moduleOf(text);
    const updates = module.entries[0]?.updates.map(({ node }) => node) ?? [];
    return topological(updates).filter((node) => node.op.name === 'select').length;
  };
  const text = step('sgd(lr: 0.1)', 'minimize');
  expect(selects(text)).toBe(2);
  expect(selects(text.replace('): f32 {', '): f32 where B > 0 {'))).toBe(0);
  expect(selects(text.replaceAll('f32[B, 3]', 'f32[5, 3]').replace('<B>', ''))).toBe(0);
  expect(selects(text.replace('mean(', 'sum('))).toBe(0);
});
