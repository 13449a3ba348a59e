// `tfc derive` as users meet it: a text that compiles to what `grad` gives, files, wrong usage, mistakes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonError, jsonLines, workplace } from './tfc.js';

const { directory, file, tfc } = workplace();

const program = `param w: f64[3] = [0.5, -1, 2]
export fn loss<B>(x: f64[B, 3], y: f64[B]): f64 {
  let error = tanh(x @ w) - y
  return mean(square(error))
}
export fn slope<B>(x: f64[B, 3], y: f64[B]): f64[3] = grad(loss(x, y), w)
export fn walked(x: f64, n: i32): f64 = fold i in 0..n with z = x { z + sin(z) }
`;
const data = ['--feed', 'x=[[1,2,3],[4,5,6.5]]', '--feed', 'y=[0.25,-1]'] as const;

describe('tfc derive', () => {
  it('writes a program that computes what grad does', () => {
    file('model.tdsl', program);
    expect(tfc('derive', 'model.tdsl', '--of', 'loss', '--by', 'w', '-o', 'slope.tdsl')).toEqual({
      status: 0,
      out: 'slope.tdsl: written\n',
      err: '',
    });
    expect(tfc('fmt', '--check', 'slope.tdsl').status).toBe(0);
    const [expected] = jsonLines(tfc('run', 'model.tdsl', 'slope', ...data)) as [readonly number[]];
    const outcome = tfc('run', 'slope.tdsl', 'dLoss', ...data, '--feed', 'w=[0.5,-1,2]');
    expect(outcome.err).toBe('');
    const [actual] = jsonLines(outcome) as [readonly number[]];
    expect(actual).toHaveLength(3);
    for (const [at, one] of expected.entries()) expect(Math.abs((actual[at] as number) - one)).toBeLessThan(1e-14);
  });

  it('prints it, and as JSON says what its arguments are', () => {
    const { out } = tfc('derive', 'model.tdsl', 'loss', '--of', 'loss', '--by', 'w');
    expect(`${out}`).toBe(readFileSync(join(directory, 'slope.tdsl'), 'utf8'));
    expect(out).toContain('// from line 3: let error = tanh(x @ w) - y\n');
    expect(jsonLines(tfc('derive', 'model.tdsl', '--of', 'loss', '--by', 'w, x', '--json'))).toEqual([
      { text: expect.stringContaining('{ dLoss_dw: f64[3], dLoss_dx: f64[B, 3] }') as string, arguments: { x: 'x', y: 'y', w: 'w' } },
    ]);
  });

  it.each([
    [['--by', 'w'], "required option '--of <name>' not specified"],
    [['--of', 'loss'], '--by takes names, separated by commas'],
    [['--of', 'loss', '--by', 'w,'], '--by takes names, separated by commas'],
    [['--of', 'loss', '--by', 'w', '-o', 'slope.txt'], '-o takes a file that ends in .tdsl'],
    [['--of', 'loss', '--by', 'w', '-o', './model.tdsl'], 'a part of the program itself'],
  ])('%j is wrong usage', (options, said) => {
    const { status, err } = tfc('derive', 'model.tdsl', ...options);
    expect(status).toBe(2);
    expect(err).toContain(said);
  });

  it.each([
    [['los', '--of', 'loss', '--by', 'w'], 'unknown-entry', 'Did you mean loss?'],
    [['loss', '--of', 'eror', '--by', 'w'], 'unknown-name', 'Did you mean error?'],
    [['loss', '--of', 'loss', '--by', 'v'], 'unknown-name', 'There is `error`, `w`, `x`, `y`.'],
    [['walked', '--of', 'walked', '--by', 'w'], 'not-differentiable', 'it depends on `x`'],
    [['walked', '--of', 'walked', '--by', 'n'], 'not-differentiable', 'differentiate by a float'],
  ])('%j is %s', (options, code, hint) => {
    const outcome = tfc('derive', 'model.tdsl', ...options, '--json');
    expect(outcome).toMatchObject({ status: 1, err: '' });
    expect(jsonError(outcome)).toMatchObject({ code, hint });
  });
});
