// Where rows begin. In: shapes. Out: pitches, strides and bytes as stated here; a variable lies the same way in every entry that touches
// it, and as the manifest says.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Dim, type DType } from '../../src/base/index.js';
import { hostTarget } from '../../codegen/llvm/index.js';
import { check } from '../../src/driver/build/front.js';
import { manifestOf } from '../../src/driver/build/manifest.js';
import { programsOf, toKernels } from '../../src/driver/build/pipeline.js';
import { bytesOfRows, laidOut, pitchOf } from '../../src/lower/form/layout.js';

const free = Dim.of('N');

describe('rows', () => {
  it.each<readonly [DType, readonly (number | Dim)[], number | undefined]>([
    ['f32', [784, 300], 304],
    ['f32', [300, 100], 112],
    ['f32', [100, 10], undefined],
    ['f32', [10, 512], undefined],
    ['f32', [300], undefined],
    ['f32', [], undefined],
    ['f32', [free, 300], 304],
    ['f32', [300, free], undefined],
    ['f32', [2, 3, 47], 48],
    ['f32', [4, 0], undefined],
    ['f64', [30, 30], 32],
    ['bf16', [7, 100], undefined],
    ['bf16', [7, 120], 128],
    ['u8', [7, 60], 64],
  ])('of %s[%s] start %s elements apart', (dtype, shape, pitch) => {
    expect(pitchOf({ dtype, shape: shape.map((size) => Dim.of(size)) })).toBe(pitch);
  });

  it('take whole lines, the last one too', () => {
    const three = laidOut('t', { dtype: 'f32', shape: [2, 3, 47].map((size) => Dim.of(size)) }, { kind: 'temporary' });
    expect(three.strides.map((stride) => stride.constant)).toEqual([144, 48, 1]);
    expect(bytesOfRows(three).constant).toBe(2 * 3 * 48 * 4);
    const open = laidOut('t', { dtype: 'f64', shape: [free, Dim.of(30)] }, { kind: 'temporary' });
    expect(bytesOfRows(open).equals(free.mul(32 * 8))).toBe(true);
    expect(bytesOfRows(laidOut('t', { dtype: 'f64', shape: [] }, { kind: 'temporary' })).constant).toBe(8);
  });

  it('of a variable lie the same way wherever it is touched', () => {
    const { module, build, open } = check(
      { path: join(import.meta.dirname, '..', 'programs', 'rows.tdsl'), set: {}, open: undefined },
      new Map(),
    );
    const target = hostTarget();
    const { output } = toKernels(target).run(module, { build });
    const { variables } = manifestOf(output.module, open, target, '0');
    expect(variables.map(({ pitch }) => pitch)).toEqual([64, 32, 48, 16, 64]);
    const touched = programsOf(output).flatMap(({ buffers }) => buffers.filter(({ role }) => role.kind === 'variable'));
    expect(touched.length).toBeGreaterThan(15);
    for (const { role, strides } of touched)
      expect(strides.at(-2)?.constant).toBe(role.kind === 'variable' ? variables[role.index]?.pitch : undefined);
  });
});
