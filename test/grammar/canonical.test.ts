// The library, the examples and the programs of tests are written as `tfc fmt` writes them.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { parse, print } from '../../grammar/index.js';

const root = join(import.meta.dirname, '..', '..');
const files = ['src/std', 'examples', 'test/programs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tdsl'))
    .map((name) => relative(root, join(root, folder, name))),
);

it.each(files)('%s is in canonical form', (path) => {
  const text = readFileSync(join(root, path), 'utf8');
  const { program, problems } = parse(text, path);
  expect(problems).toEqual([]);
  expect(print(program)).toBe(text);
});
