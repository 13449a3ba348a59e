// Short rows and an op's own loops over a batch: what shares a block, and what has one for itself. In: graphs. Out: loops of their kernels,
// and what the meaning says. Holds: graph interpreter ≈ kernel interpreter ≈ the device.

import { describe, expect, it } from 'vitest';
import { build, type For, forEachStatement } from '../../src/kernel/index.js';
import type { TensorNode } from '../../src/graph/index.js';
import { apply, element, tensorOf, tensorValue } from '../../src/ops/index.js';
import { CaseMake, type GraphCase, runGraphs } from '../chain/graphs.js';
import { lowerEntry } from '../lower/lower-entry.js';
import { device, target } from './device-chain.js';

/** Matrices with a large diagonal, and rows of anything. */
function caseOf(name: string, make: CaseMake, result: TensorNode): GraphCase {
  const value: GraphCase['value'] = (_, { dtype }, shape) => {
    const width = shape.at(-1) ?? 1;
    const count = shape.reduce((a, b) => a * b, 1);
    const at = (index: number): number =>
      (Math.floor(index / width) % width === index % width ? 4 : 0) + Math.round(8 * Math.sin(index)) / 8;
    return tensorValue(
      dtype,
      shape,
      Array.from({ length: count }, (_, index) => at(index)),
    );
  };
  return { name, make, entry: make.entry([result]), sizes: [{}], value };
}

const loopsOf = ({ entry, make }: GraphCase): readonly For[] => {
  const loops: For[] = [];
  for (const { code } of lowerEntry(entry, make.variables, target, make.build).kernels)
    forEachStatement(code.body, (stmt) => stmt.kind === 'for' && loops.push(stmt));
  return loops;
};

describe('batches', () => {
  it('have a block for each matrix that is decomposed', () => {
    const make = new CaseMake('lu');
    const one = caseOf('lu', make, tensorOf(apply(make.build, element, [make.node('lu', [make.feed('x', [5, 4, 4])])], { index: 0 })));
    expect(loopsOf(one).flatMap(({ axis, extent }) => (axis === 'parallel' ? [build.intValue(extent)] : []))).toEqual([5]);
    expect(runGraphs([one], { target, device, native: false })).toEqual([]);
  });

  it.each([
    [10, true],
    [256, true],
    [257, false],
  ])('of rows of %i elements', (columns, byWarps) => {
    const make = new CaseMake('rows');
    const x = make.feed('x', [21, columns]);
    const one = caseOf('rows', make, make.op('mul', [x, make.broadcast(make.sum(x, 1), [21, columns], [0])]));
    expect(loopsOf(one).some(({ warps }) => warps === true)).toBe(byWarps);
    expect(loopsOf(one).flatMap(({ axis, extent }) => (axis === 'parallel' ? [build.intValue(extent)] : []))).toEqual([byWarps ? 3 : 21]);
    expect(runGraphs([one], { target, device, native: false })).toEqual([]);
  });
});
