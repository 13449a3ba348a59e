// Derivatives as programs: for every float number that a program returns, and for random programs, what `tfc derive` writes gives what
// `grad` gives.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { isFloat } from '../../src/base/index.js';
import { type Entry, isTensorNode, sourceOf, type TensorNode, topological } from '../../src/graph/index.js';
import * as ops from '../../src/ops/index.js';
import { slopeProgramOf } from '../chain/program-cases.js';
import { moduleOf, programs, programText } from '../check/support.js';
import { compare } from './compare.js';

const examples = join(programs, '..', '..', 'examples');
const files: readonly (readonly [name: string, text: string])[] = [
  ...readdirSync(programs).flatMap((name) => (name.endsWith('.tdsl') ? [[name, programText(name)] as const] : [])),
  ...readdirSync(examples, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.tdsl') ? [[name, readFileSync(join(examples, name), 'utf8')] as const] : [],
  ),
];

/** Sources that a value depends on and may be differentiated by. */
function inputsOf(value: TensorNode): readonly { readonly path: string; readonly node: TensorNode }[] {
  const found = topological([value]).flatMap((node) => {
    const source = sourceOf(node);
    if (source === undefined || source.kind === 'argument' || !isTensorNode(node) || !isFloat(node.type.dtype)) return [];
    return [{ path: source.kind === 'feed' ? source.name : source.path, node }];
  });
  // Of a variable that an argument hides.
  return found.filter(({ path, node }) => ops.isNodeOf(node, ops.feed) || found.every((one) => one.node === node || one.path !== path));
}

/** Results that are one float, and depend on something. */
const numbersOf = (entry: Entry): readonly { readonly path: string; readonly node: TensorNode }[] =>
  entry.outputs.filter(({ node }) => isFloat(node.type.dtype) && node.type.shape.length === 0 && inputsOf(node).length > 0);

describe('derivatives of programs', () => {
  for (const [file, text] of files) {
    const { module, result } = moduleOf(text, { path: file });
    for (const entry of module.entries)
      for (const { path, node } of numbersOf(entry))
        it(`${file} ${entry.name} ${path}`, () => {
          const of = path === '' ? entry.name : path;
          compare({ module, build: result.build, entry, file, text, of, value: node, by: inputsOf(node) });
        });
  }
});

/** Positions that are there, and numbers of rounds. */
const steering = new Map([
  ['n', ops.tensorValue('i32', [], [2])],
  ['k', ops.tensorValue('i32', [3], [1, 2, 1])],
  ['flag', ops.tensorValue('bool', [], [1])],
]);

describe('derivatives of random programs', () => {
  it.each(Array.from({ length: 24 }, (_, at) => at + 40))('program %i', (seed) => {
    const file = 'random.tdsl';
    const program = slopeProgramOf(seed, 1 + (seed % 4));
    const text = program.text + program.tail;
    const { module, result } = moduleOf(text, { path: file });
    const entry = module.entries.find(({ kind }) => kind !== 'init') as Entry;
    const value = entry.names.get('total') as TensorNode;
    compare({ module, build: result.build, entry, file, text, of: 'total', value, by: inputsOf(value), feeds: steering });
  });
});
