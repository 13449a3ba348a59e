// Diagnostics as people and programs see them. In: diagnostics and sources. Out: code frames, JSON.

import { describe, expect, it } from 'vitest';
import { type Diagnostic, DiagnosticsError, TfcError } from '../../src/driver/index.js';
import { InternalError } from '../../src/base/index.js';
import { jsonFailure, mistakesOf, oneLine, toJson } from '../../src/driver/mistakes.js';
import { render } from '../../src/driver/report/render.js';

const text = 'param w: f32[2] = zeros()\r\nexport fn f(x: f32[3]): f32[3] =\n  x + w\n';
const texts = new Map([['m.tdsl', text]]);
const at = (piece: string): { source: string; start: number; end: number } => ({
  source: 'm.tdsl',
  start: text.indexOf(piece),
  end: text.indexOf(piece) + piece.length,
});
const diagnostic: Diagnostic = {
  code: 'shape-mismatch',
  message: 'f32[3] + f32[2]',
  span: at('x + w'),
  labels: [
    { span: at('f32[3]'), text: 'f32[3] comes from here' },
    { span: at('w: f32[2]'), text: 'f32[2] comes from here' },
  ],
  hint: 'Make them agree.',
};

describe('a stack that ended', () => {
  const overflow = (): unknown => {
    const deeper = (at: number): number => 1 + deeper(at + 1);
    try {
      return deeper(0);
    } catch (error) {
      return error;
    }
  };

  it('is a mistake of the program, with the pass that it ended in', () => {
    const inPass = new InternalError('lower', 'Maximum call stack size exceeded');
    inPass.cause = overflow();
    expect(mistakesOf(overflow())).toMatchObject([{ code: 'too-large', message: expect.stringContaining('the compiler') }]);
    expect(mistakesOf(inPass)).toMatchObject([{ code: 'too-large', message: expect.stringContaining('`lower`') }]);
    expect(mistakesOf(new RangeError('Invalid array length'))).toBeUndefined();
  });
});

describe('rendering for people', () => {
  it('shows the place, each label with its own frame, and the hint', () => {
    expect(render(diagnostic, texts, false)).toMatchInlineSnapshot(`
      "error[shape-mismatch]: f32[3] + f32[2]
        --> m.tdsl:3:3
        2 | export fn f(x: f32[3]): f32[3] =
      > 3 |   x + w
          |   ^^^^^
        4 |
        --> m.tdsl:2:16: f32[3] comes from here
      > 2 | export fn f(x: f32[3]): f32[3] =
          |                ^^^^^^
        --> m.tdsl:1:7: f32[2] comes from here
      > 1 | param w: f32[2] = zeros()
          |       ^^^^^^^^^
        hint: Make them agree."
    `);
  });

  it('colours only where it is asked to', () => {
    expect(render(diagnostic, texts, false)).not.toContain('\u001b');
    expect(render(diagnostic, texts, true)).toContain('\u001b[');
  });

  it('shows the first line of a long span, an empty span as one column, and the end of the text', () => {
    const long = render({ ...diagnostic, span: { source: 'm.tdsl', start: 0, end: text.length }, labels: [] }, texts, false);
    expect(long).toContain('> 1 | param w');
    expect(long).not.toContain('> 3');
    expect(render({ ...diagnostic, span: { source: 'm.tdsl', start: 0, end: 0 }, labels: [] }, texts, false)).toContain('    | ^\n');
    expect(render({ ...diagnostic, span: { source: 'm.tdsl', start: text.length, end: text.length }, labels: [] }, texts, false)).toContain(
      '--> m.tdsl:4:1',
    );
  });

  it('cuts long lines to what is around the place', () => {
    const source = `export fn f(x: f32): f32 = ${'x + '.repeat(300)}nope${' + x'.repeat(300)}\n// \u2028 is no end of a line\nexport fn g(x: f32): f32 = nix\n`;
    const shown = (piece: string): string[] => {
      const start = source.indexOf(piece);
      return render(
        { code: 'unknown-name', message: 'm', span: { source: 'm.tdsl', start, end: start + piece.length } },
        new Map([['m.tdsl', source]]),
        false,
      ).split('\n');
    };
    const [, place, line = '', marks = ''] = shown('nope');
    expect(place).toBe('  --> m.tdsl:1:1228');
    expect(line.length).toBeLessThan(180);
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('nope');
    const last = shown('nix');
    expect(last.find((one) => one.startsWith('> 3'))).toBe('> 3 | export fn g(x: f32): f32 = nix');
  });

  it('names a source that was not read, and says nothing of places that a message names already', () => {
    expect(
      render({ ...diagnostic, labels: [{ span: { source: 'other.tdsl', start: 3, end: 4 }, text: 'there' }] }, texts, false),
    ).toContain('--> other.tdsl: there');
    expect(
      render({ code: 'file-not-found', message: 'a.tdsl: no such file', span: { source: 'a.tdsl', start: 0, end: 0 } }, texts, false),
    ).toBe('error[file-not-found]: a.tdsl: no such file');
  });
});

describe('rendering for programs', () => {
  it('gives file, span and hint', () => {
    expect(toJson(diagnostic, texts)).toEqual({
      code: 'shape-mismatch',
      message: 'f32[3] + f32[2]',
      file: 'm.tdsl',
      span: { start: { line: 3, column: 3 }, end: { line: 3, column: 8 } },
      hint: 'Make them agree.',
    });
    expect(toJson({ code: 'missing-feed', message: 'no x' }, texts)).toEqual({ code: 'missing-feed', message: 'no x' });
    expect(toJson({ ...diagnostic, span: { source: 'other.tdsl', start: 0, end: 1 } }, texts)).not.toHaveProperty('span');
  });

  it('holds one error, and all of them when there are several', () => {
    const [a, b] = [
      { code: 'a', message: 'a' },
      { code: 'b', message: 'b' },
    ];
    expect(jsonFailure([a])).toEqual({ error: a });
    expect(jsonFailure([a, b])).toEqual({ error: a, errors: [a, b] });
  });

  it('fits one line', () => {
    expect(oneLine(diagnostic, texts)).toBe('m.tdsl:3:3: shape-mismatch: f32[3] + f32[2] (Make them agree.)');
    expect(oneLine({ code: 'bad-data', message: 'x' }, texts)).toBe('bad-data: x');
  });

  it('tells mistakes of users from failures of ours', () => {
    expect(mistakesOf(new DiagnosticsError([diagnostic]))).toEqual([diagnostic]);
    expect(mistakesOf(new TfcError('missing-feed', 'no x', { hint: 'feed it' }))).toEqual([
      { code: 'missing-feed', message: 'no x', hint: 'feed it' },
    ]);
    expect(mistakesOf(new TypeError('x is undefined'))).toBeUndefined();
  });
});
