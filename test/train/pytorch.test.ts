// Variables that PyTorch saved. In: what test/data/pytorch/make.py made. Out: the same predictions, and the same training from there on.
// Holds: test/data/pytorch/check.mjs tries the way back.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, SafetensorsFile, type Session, type Tensor } from '../../src/driver/index.js';
import { nameInPyTorch } from '../data/pytorch/names.js';

const made = (name: string): string => join(import.meta.dirname, '..', 'data', 'pytorch', name);
const module = await compile(made('classifier.tdsl'));
const paths = module.manifest.variables.map(({ path }) => path).filter((path) => !path.startsWith('train/'));

function rows(name: string): Tensor {
  using file = new SafetensorsFile(made('rows.safetensors'));
  return file.read(name);
}

/** A session that has what the file has; PyTorch also counts batches. */
function restored(name: string): Session {
  const session = module.session({ seed: 1 });
  const report = session.restore(made(name), { only: paths, rename: nameInPyTorch, partial: true });
  expect(report).toMatchObject({ missing: [], mismatched: [], unused: ['1.num_batches_tracked'] });
  expect([...report.restored].sort()).toEqual([...paths].sort());
  return session;
}

/** The largest difference of two tensors of one shape. */
function distance(one: Tensor, other: Tensor): number {
  expect(one.shape).toEqual(other.shape);
  const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number>);
  const others = numbers(other);
  return Math.max(...numbers(one).map((value, at) => Math.abs(value - (others[at] as number))));
}

describe('a net that PyTorch trained', () => {
  it('predicts the same', () => {
    using session = restored('after.safetensors');
    expect(distance(session.run('logits', { x: rows('x') }) as Tensor, rows('logits'))).toBeLessThan(1e-6);
  });

  it('predicts nearly the same from bfloat16', () => {
    using session = restored('half.safetensors');
    const found = distance(session.run('logits', { x: rows('x') }) as Tensor, rows('logits'));
    expect(found).toBeGreaterThan(1e-5);
    expect(found).toBeLessThan(3e-2);
  });

  it('is trained to the same net', () => {
    using session = restored('before.safetensors');
    const [x, y, losses] = [rows('x'), rows('y'), rows('losses')];
    for (let step = 0; step < 5; step++) {
      const part = (tensor: Tensor, width: number): unknown => tensor.data.slice(10 * width * step, 10 * width * (step + 1));
      const { loss } = session.run('train', { x: part(x, 4), y: part(y, 1) } as never) as { readonly loss: number };
      expect(loss).toBeCloseTo(Number(losses.data[step]), 5);
    }
    using file = new SafetensorsFile(made('after.safetensors'));
    for (const path of paths) expect(distance(session.get(path) as Tensor, file.read(nameInPyTorch(path))), path).toBeLessThan(2e-5);
  });
});
