// What others wrote on its way to a terminal, a drawing or a C compiler. In: control characters wherever a user can put them. Out: none,
// and the same text where JSON is read.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiagnosticsError, printable, printableLines } from '../../src/base/index.js';
import { render } from '../../src/driver/report/render.js';
import { jsonError, jsonLines, type Outcome, workplace } from './tfc.js';

const place = workplace();
const { tfc } = place;

/**
 * One of each kind: C0, DEL, C1, zero width, overrides, isolates, byte order mark, line and paragraph ends, an invisible tag beyond the
 * first plane.
 */
const steering = '\u001b[31m\u0007\u0008\r\u007f\u009b2J\u0085\u200b\u200e\u202a\u202e\u2066\u2069\ufeff\u2028\u2029\u{e0041}';
/** Of these, what a program may contain as it stands. */
const hidden = steering.replace(/[\0-\x1f\x7f]/g, '');
const harmful = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u;
const clean = ({ out, err }: Outcome): void => {
  expect(out).not.toMatch(harmful);
  expect(err).not.toMatch(harmful);
};

describe('printable text', () => {
  it('spells out what is not seen, and nothing else', () => {
    expect(printable('a\u001b[0m\n\t\u202eb\u{e0041}\ud800')).toBe('a\\u001b[0m\\u000a\\u0009\\u202eb\\udb40\\udc41\\ud800');
    expect(printableLines(`a\n\tb${steering}`)).not.toMatch(harmful);
    for (const text of ['plain', 'naïve α 𝒳 日本語 👍 ❤️ \\u001b', ''])
      expect([printable(text), printableLines(text)]).toEqual([text, text]);
    expect(printableLines('a\n\tb')).toBe('a\n\tb');
  });

  it('leaves JSON the same value', () => {
    const value = { [steering]: [`a${steering}b`, '\ud800'] };
    expect(printableLines(JSON.stringify(value))).not.toMatch(harmful);
    expect(JSON.parse(printableLines(JSON.stringify(value)))).toEqual(value);
  });

  it('keeps marks under their places', () => {
    const source = `// first\u202e\nlet /* ${hidden} \u001b */ nope = 1 // \u202e\n`;
    const span = { source: 'm\u001b.tdsl', start: source.indexOf('nope'), end: source.indexOf('nope') + 4 };
    for (const color of [false, true]) {
      const text = render(
        {
          code: 'unknown-name',
          message: steering,
          hint: steering,
          span,
          labels: [{ span: { ...span, source: `${steering}.tdsl` }, text: steering }],
        },
        new Map([[span.source, source]]),
        color,
      );
      expect(text.replace(/\u001b\[[0-9;]*m/g, '')).not.toMatch(harmful);
      if (!color) expect(text).not.toContain('\u001b');
      const lines = text.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
      const marks = lines.find((line) => line.includes('^')) ?? '';
      const shown = lines.find((line) => line.startsWith('> 2')) ?? '';
      expect(shown.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('nope');
    }
    expect(new DiagnosticsError([{ code: 'bad-data', message: steering }]).message).not.toMatch(harmful);
  });
});

describe('commands', () => {
  const name = `evil${steering}\n.tdsl`;
  const scope = JSON.stringify(`s"]; evil [label="${steering}&#8238;\n<script>`).replace(
    /[\u007f-\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  place.file(
    name,
    `/// Doc ${hidden} */ int evil;
param w: f32[2] = uniform(-1, 1)
/// ${hidden} ??/
export step s(x: f32[2]): f32 {
  scope ${scope} {
    let y = sum(x * w)
  }
  w <- w + y
  return y + 1e39 // ${hidden}
}
`,
  );

  it('print names, words and warnings of programs spelled out', () => {
    for (const args of [
      ['check'],
      ['explain'],
      ...['graph', 'fused', 'scheduled', 'kernels', 'llvm'].map((level) => ['compile', '--emit', level]),
      ['compile', '-o', 'out'],
      ...['form', 'fuse'].map((pass) => ['compile', '--dump-after', pass]),
    ]) {
      const [command = '', ...rest] = args;
      for (const json of [[], ['--json']]) {
        const outcome = tfc(command, name, ...rest, ...json);
        expect(outcome.status, args.join(' ')).toBe(0);
        clean(outcome);
        if (json.length > 0) expect(jsonLines(outcome)).toHaveLength(1);
      }
    }
    const [{ files, warnings }] = jsonLines(tfc('check', name, '--json')) as [
      { readonly files: object; readonly warnings: readonly { readonly file: string }[] },
    ];
    expect(Object.keys(files)).toEqual([name]);
    expect(warnings).toMatchObject([{ code: 'literal-overflow', file: name, span: { start: { line: 9, column: 14 } } }]);
    clean(tfc('run', name, 's', '--feed', 'x=[1,2]'));
  });

  it('write headers, manifests and drawings that hold nothing else', () => {
    for (const file of ['module.h', 'module.json']) expect(readFileSync(join(place.directory, 'out', file), 'utf8')).not.toMatch(harmful);
    for (const out of ['g.dot', 'g.svg', 'g.json', 'g.html']) {
      clean(tfc('graph', name, '-o', out));
      expect(readFileSync(join(place.directory, out), 'utf8'), out).not.toMatch(harmful);
    }
    const [dot, svg] = ['g.dot', 'g.svg'].map((out) => readFileSync(join(place.directory, out), 'utf8'));
    expect(dot?.split('\n').every((line) => /^[^"]*(?:"(?:[^"\\]|\\.)*"[^"]*)*$/.test(line))).toBe(true);
    expect(svg).not.toMatch(/<script|&#8238;/);
  });

  it('say what is wrong with files and arguments without them', () => {
    const broken = `broken${steering}.tdsl`;
    place.file(broken, `export fn f(x: f32): f32 = x + nope // ${hidden}\nexport fn g(x: f32): f32 = ${hidden}\n`);
    place.file('control.tdsl', `// ${steering}\nexport fn f(x: f32): f32 = x\n`);
    place.file(`data${steering}.json`, `{ "x": [1, ${steering}`);
    place.file('imports.tdsl', `import { a } from ${JSON.stringify(`./gone\u001b[2J.tdsl`)}\nexport fn f(x: f32): f32 = a(x)\n`);
    mkdirSync(join(place.directory, `dir${steering}.tdsl`));
    const commands = [
      ['check', broken],
      ['check', 'control.tdsl'],
      ['check', 'imports.tdsl'],
      ['check', `dir${steering}.tdsl`],
      ['check', `gone${steering}.tdsl`],
      ['run', name, `entry${steering}`],
      ['run', name, 's', '--feed', `x${steering}=1`],
      ['run', name, 's', '--feed', `${steering}`],
      ['run', name, 's', '--feeds', `data${steering}.json`],
      ['run', name, 's', '--set', `${steering}`],
      ['run', name, 's', '--cpu', `${steering}`],
      ['compile', name, '--emit', steering],
      ['train', name, '--data', `data${steering}.json`, '--batch', '1', '--epochs', '1'],
      [`check${steering}`],
      ['check', `--${steering}`],
    ];
    for (const args of commands) {
      const plain = tfc(...args);
      expect(plain.status).toBeGreaterThan(0);
      clean(plain);
      const json = tfc(...args, '--json');
      clean(json);
      expect(jsonError(json).code).not.toBe('internal-error');
    }
    expect(jsonError(tfc('check', broken, '--json')).file).toBe(broken);
  });
});
