// `tfc summary`. In: programs. Out: layers with their outputs, params and FLOPs; sums.

import { describe, expect, it } from 'vitest';
import { jsonError, root, workplace } from './tfc.js';

const place = workplace();
const lines = (...args: string[]): string[] =>
  place
    .tfc('summary', ...args)
    .out.trimEnd()
    .split('\n');
const cells = (line: string): string[] => line.trim().split(/ {2,}/);

describe('summary', () => {
  it('has a row per layer, what stands in none, and sums', () => {
    const [head, titles, ...rows] = lines(`${root}/examples/mnist/mnist.tdsl`, 'predict', '--size', 'B=1000');
    expect(head).toBe('fn predict');
    expect(cells(titles ?? '')).toEqual(['layer', 'model', 'output', 'params', 'FLOPs']);
    expect(rows.slice(0, 5).map(cells)).toEqual([
      ['net/logits', 'Mlp', 'f32[B, 10]', '266,610', '533,210,000'],
      ['hidden1', 'Dense', 'f32[B, 300]', '235,500', '471,000,000'],
      ['hidden2', 'Dense', 'f32[B, 100]', '30,100', '60,200,000'],
      ['output', 'Dense', 'f32[B, 10]', '1,010', '2,010,000'],
      ['elsewhere', '50,000'],
    ]);
    expect(rows.at(-2)).toBe('params: 266,610 numbers in 6, 1,066,440 bytes');
  });

  const deep = `import { Dense, relu } from "std/nn"
import { adam } from "std/optim"
model Pair() {
  first = Dense<8, 8>(act: relu)
  second = Dense<8, 8>()
  fn call<B>(x: f32[B, 8]): f32[B, 8] = x + second(first(x))
}
model Net() {
  pairs = [Pair() for i in 0..4]
  fn call<B>(x: f32[B, 8]): f32[B, 8] = fold pair in pairs with h = x { pair(h) }
}
net = Net()
export step train<B>(x: f32[B, 8]): f32 {
  let loss = mean(square(net(x)))
  minimize loss with adam()
  return loss
}
`;

  it('has one row for like layers, also for those inside of them', () => {
    const rows = lines(place.file('deep.tdsl', deep)).map(cells);
    const dense = (8 * 8 + 8) * 4;
    expect(rows.filter(([layer]) => layer === 'pairs/0 … pairs/3').map((row) => row.slice(1, 4))).toEqual([
      ['Pair ×4', 'f32[B, 8]', String(2 * dense)],
    ]);
    expect(rows.filter(([layer]) => layer === 'first' || layer === 'second').map((row) => row.slice(1, 4))).toEqual([
      ['Dense ×4', 'f32[B, 8]', String(dense)],
      ['Dense ×4', 'f32[B, 8]', String(dense)],
    ]);
  });

  it('counts the FLOPs of a product forward and backward', () => {
    const { out } = place.tfc('summary', place.file('deep.tdsl', deep), '--json');
    const { entries } = JSON.parse(out) as { entries: { layers: { layer: string; forward: string; backward: string }[] }[] };
    const second = entries[0]?.layers.find(({ layer }) => layer === 'second');
    // Four layers: 2·8·8 per row and 8 biases forward; weights, inputs, biases and the sum of two cotangents backward.
    expect(second?.forward).toBe(`${4 * (2 * 64 + 8)}*B`);
    expect(Number.parseInt(second?.backward ?? '', 10)).toBeGreaterThanOrEqual(4 * (2 * 128 + 8));
  });

  it('says what is wrong', () => {
    const file = place.file('deep.tdsl', deep);
    expect(jsonError(place.tfc('summary', file, 'test', '--json')).code).toBe('unknown-entry');
    expect(place.tfc('summary', file, '--size', 'B').status).toBe(2);
  });
});
