// `tfc gradcheck` as users meet it: right derivatives pass, wrong ones are named, what cannot be checked says why.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonError, jsonLines, root, workplace } from './tfc.js';

const { directory, file, tfc } = workplace();

interface Row {
  readonly of: string;
  readonly by: string;
  readonly elements: number;
  readonly forward: number;
  readonly differences: number;
}
interface Answer {
  readonly ok: boolean;
  readonly entries: readonly { readonly entry: string; readonly checked: readonly Row[]; readonly reason?: string }[];
}
const answer = (...args: readonly string[]): Answer => jsonLines(tfc('gradcheck', ...args, '--json'))[0] as Answer;

describe('tfc gradcheck', () => {
  it('checks what a step minimizes by each of its params, and a function by all that it takes', () => {
    copyFileSync(join(root, 'test', 'programs', 'moons.tdsl'), join(directory, 'moons.tdsl'));
    const { ok, entries } = answer('moons.tdsl');
    expect(ok).toBe(true);
    expect(entries.map(({ entry, checked }) => [entry, checked.map(({ by }) => by)])).toEqual([
      ['probability', ['X', 'w', 'b']],
      ['train', ['w', 'b']],
    ]);
    for (const { forward, differences } of entries.flatMap(({ checked }) => checked)) {
      expect(forward).toBeLessThan(1e-13);
      expect(differences).toBeLessThan(1e-7);
    }
    expect(tfc('gradcheck', 'moons.tdsl', 'train').out).toContain('2 checked, 0 wrong');
  });

  it('names a rule that is wrong, and ends with 1', () => {
    file('wrong.tdsl', `fn half(x: f32): f32 = x * x\n  vjp (g) => 0.5 * x * g\nexport fn f(x: f32, y: f32): f32 = half(x) + y\n`);
    const { status, out } = tfc('gradcheck', 'wrong.tdsl');
    expect(status).toBe(1);
    expect(out).toMatch(/f by x \(1\): .*WRONG/);
    expect(out).toMatch(/f by y \(1\): .*ok/);
    const [{ checked } = { checked: [] }] = answer('wrong.tdsl').entries;
    expect(checked[0]?.differences).toBeCloseTo(3, 5);
  });

  it('keeps still what stopGradient keeps still', () => {
    file('still.tdsl', `export fn f(x: f32[4]): f32 = sum(x * stopGradient(exp(x)))\n`);
    expect(answer('still.tdsl')).toMatchObject({ ok: true, entries: [{ entry: 'f' }] });
  });

  it('steps over corners, and through loops and derivatives of derivatives', () => {
    file(
      'corners.tdsl',
      `import { relu } from "std/nn"
export fn corners(x: f32[50], w: f32[50, 50]): f32 = sum(relu(relu(x @ w - 5) @ w))
export fn walked(x: f64[3]): f64 = sum(fold i in 0..5 with z = x { sin(z) * 1.1 })
export fn bent(x: f64): f64 { let y = exp(sin(x))
  return grad(grad(y, x), x) }
`,
    );
    expect(answer('corners.tdsl')).toMatchObject({ ok: true });
  });

  it('takes sizes and values, and finds sizes that fulfil facts', () => {
    file('facts.tdsl', `export fn f<N>(x: f32[N], w: f32[N], i: i32): f32 where N % 2 == 0, N > 4 = sum(x) * sum(w * w) * f32(i)\n`);
    expect(answer('facts.tdsl', '--feed', 'i=2').entries[0]?.checked.map(({ elements }) => elements)).toEqual([32, 32]);
    expect(answer('facts.tdsl', '--size', 'N=6').entries[0]?.checked.map(({ elements }) => elements)).toEqual([6, 6]);
    expect(answer('facts.tdsl', '--feed', 'x=[1,2,3,4,5,6,7,8]').entries[0]?.checked.map(({ elements }) => elements)).toEqual([8, 8]);
    expect(jsonError(tfc('gradcheck', 'facts.tdsl', '--size', 'N=7', '--json'))).toMatchObject({ code: 'ambiguous-size' });
    expect(jsonError(tfc('gradcheck', 'facts.tdsl', '--feed', 'i=0.5', '--json'))).toMatchObject({ code: 'dtype-mismatch' });
  });

  it('says why there is nothing to check', () => {
    file('none.tdsl', `export fn f(x: f32[3]): i32 = argmax(x, axis: 0)\nexport fn g(x: f32[3]): f32[3] = round(x)\n`);
    const { ok, entries } = answer('none.tdsl');
    expect(ok).toBe(true);
    expect(entries[0]).toMatchObject({ entry: 'f', checked: [], reason: 'nothing is differentiated' });
    expect(jsonError(tfc('gradcheck', 'none.tdsl', 'h', '--json'))).toMatchObject({ code: 'unknown-entry' });
    expect(tfc('gradcheck', 'none.tdsl', '--tolerance', '0').status).toBe(2);
  });
});
