// What the documents say. In: Markdown files. Out: nothing. Holds: the README's program is one, its message is the one that is printed;
// what ARCHITECTURE.md shows of stages is what they print; links lead somewhere, and files that are named are there.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchor } from '../documents/examples.js';
import { root, workplace } from './tfc.js';

const place = workplace();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const readme = read('README.md');

/** Files that are written by hand, from the root of the checkout. */
const documents = ['.', 'docs', 'grammar', 'src', 'examples']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: folder !== '.' }).map((name) => relative(root, join(root, folder, String(name)))),
  )
  .filter((path) => path.endsWith('.md'));

const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading ?? ''));

describe('README', () => {
  const [, program = ''] = /```tdsl\n([^]*?)```/.exec(readme) ?? [];

  test('its program is one', () => {
    place.file('mlp.tdsl', program);
    expect(place.tfc('check', 'mlp.tdsl')).toEqual({ status: 0, out: 'mlp.tdsl: ok\n', err: '' });
  });

  test('its message is the one that is printed', () => {
    const [, message] = /```\n(error\[[^]*?)```/.exec(readme) ?? [];
    place.file('mlp.tdsl', program.replace('hidden2 = Dense<300, 100>', 'hidden2 = Dense<200, 100>'));
    const { status, err } = place.tfc('check', 'mlp.tdsl');
    expect(status).toBe(1);
    expect(err.trimEnd()).toBe(message?.trimEnd());
  });

  test('it is short', () => {
    expect(readme.split(/\s+/).filter((word) => word !== '').length).toBeLessThan(900);
  });
});

describe('ARCHITECTURE', () => {
  const text = read('ARCHITECTURE.md');
  const [, program = ''] = /```tdsl\n([^]*?)```/.exec(text) ?? [];
  const stages = [...text.matchAll(/```\n\$ tfc compile fit\.tdsl (.*)\n([^]*?)```/g)];

  test('it goes through the stages', () => expect(stages.length).toBeGreaterThan(6));

  test.each(stages.map(([, options = '', shown = '']) => [options, shown]))('`%s` prints what it says', (options, shown) => {
    place.file('fit.tdsl', program);
    const { status, out } = place.tfc('compile', 'fit.tdsl', ...options.split(' '));
    expect(status).toBe(0);
    // Between the lines that are left out, lines follow each other as they are printed.
    let at = 0;
    for (const part of shown.split(/^…\n/m)) {
      expect(out.slice(at)).toContain(part);
      at = out.indexOf(part, at) + part.length;
    }
  });
});

test.each(documents)('links of %s lead somewhere', (path) => {
  // `sum[i](x)` is code, and no link.
  const text = read(path).replace(/```[^]*?```|`[^`\n]*`/g, '');
  const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^https?:/.test(target))
    .filter((target) => {
      const [file = '', heading] = target.split('#');
      const to = file === '' ? join(root, path) : join(root, dirname(path), file);
      return !existsSync(to) || (heading !== undefined && !anchorsOf(readFileSync(to, 'utf8')).includes(heading));
    });
  expect(broken).toEqual([]);
});

const named = ['docs/glossary.md', 'docs/optimisations.md', 'docs/benchmark.md', 'ARCHITECTURE.md', 'ADDING_AN_OP.md', 'SECURITY.md'];

test.each(named)('files that %s names are there', (path) => {
  const missing = [...read(path).matchAll(/`((?:src|codegen|runtime|grammar|test|scripts|examples|docs)\/[\w/.-]*)`/g)]
    .map(([, name]) => name ?? '')
    // Words in capitals stand for any name.
    .filter((name) => !/\b(KIND|NAME)\b/.test(name) && !existsSync(join(root, name)));
  expect(missing).toEqual([]);
});
