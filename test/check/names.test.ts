// Names that mean something to JavaScript, and names that can be typed in two ways. In: programs full of them. Out: what any other name
// gives.

import { describe, expect, test } from 'vitest';
import { GraphBuilder, parseModule, printModule } from '../../src/graph/index.js';
import { check, entryTexts, moduleOf, render, runEntry } from './support.js';

/** A name wherever one may stand: members, arguments, lets, fields, scopes, sizes, packs, optimizers, imports. */
const everywhere = (name: string): string =>
  `import { ${name}3 as ${name}4 } from "./part.tdsl"
dim ${name}5 = 2
const ${name}6 = 1.5
model Wrap(${name}: f32) {
  param weights = ones()
  state ${name}7: f32[2] = ones()
  fn call(x: f32[2]): f32[2] = x * ${name}7 * ${name}
}
optimizer ${name}8(${name}: f32) {
  state v = zeros()
  update(p, g) { v <- ${name} * g; p <- p - v }
}
param w: f32[2] = ones()
net = Wrap(${name}: 2)
fn ${name}9<${name}>(x: f32[${name}]): f32[${name}] = x
export fn fields<${name}>(x: f32[${name}]): { ${name}: f32[${name}], inner: { ${name}: f32 } } = { ${name}: ${name}9(x), inner: { ${name}: ${name}4(1) } }
export step steps(${name}: f32[${name}5]): f32[2] {
  let y = net(${name}) + w * ${name}6
  minimize sum(y) with ${name}8(${name}: 0.5)
  scope "${name}" { let ${name} = y + w }
  return ${name}
}
export fn open<...${name}>(x: f32[...${name}]): f32[...${name}] = x + 1
export fn ${name}(x: f32): f32 = x
`.replace('  param weights = ones()\n', '');

describe('names that JavaScript gives a meaning', () => {
  test.each([
    '__proto__',
    'then',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'prototype',
    'isPrototypeOf',
    'toJSON',
    '__defineGetter__',
    'length',
    'name',
    'arguments',
  ])('%s is a name like others', (name) => {
    const files = (one: string) => ({ 'part.tdsl': `fn ${one}3(x: f32): f32 = x * 3\n` });
    const results = (one: string): string =>
      JSON.stringify([
        Object.entries(runEntry(everywhere(one), 'fields', { x: [1, 2] }, 1, { files: files(one) })[0] as object),
        runEntry(everywhere(one), 'steps', Object.fromEntries([[one, [1, 2]]]), 2, { files: files(one) }),
        runEntry(everywhere(one), one, { x: 5 }, 1, { files: files(one) }),
      ]).replaceAll(`"${one}"`, '"NAME"');
    expect(results(name)).toBe(results('other'));
    const { module } = moduleOf(everywhere(name), {
      files: files(name),
      ranks: [{ entry: 'open', ranks: Object.fromEntries([[name, 2]]) }],
    });
    expect(entryTexts(module)).toContain(`fn open(x: f32[${name}_0, ${name}_1]): f32[${name}_0, ${name}_1]`);
    expect(printModule(parseModule(printModule(module), { build: new GraphBuilder(), op: (tag: string) => ({ name: tag }) }))).toBe(
      printModule(module),
    );
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is unknown where nothing is called so', (name) => {
    const said = render(
      check(
        `export fn f(x: f32): f32 = x + ${name}\nexport fn g(x: ${name}): f32 = x\nexport fn h(x: f32[${name}]): f32 = sum(x)\nexport fn i(x: f32): f32 = sum(x, ${name}: 1)\n`,
      ),
    );
    expect(said).not.toMatch(/native code|object Object|undefined/);
    expect(said.match(/^unknown-/gm)?.length).toBeGreaterThanOrEqual(3);
  });
});

describe('names in Unicode', () => {
  test('are one name in either form', () => {
    const [one, two] = ['caf\u00e9', 'cafe\u0301'];
    expect(
      runEntry(`param ${one}: f32 = 2\nexport fn f(${two}_x: f32): { ${two}: f32 } = { ${one}: ${two} * ${one}_x }\n`, 'f', {
        'caf\u00e9_x': 3,
      }),
    ).toEqual([{ 'caf\u00e9': 6 }]);
    expect(render(check(`dim ${one} = 2\ndim ${two} = 3\nexport fn f(x: f32[${one}]): f32 = sum(x)\n`))).toContain('duplicate-name');
    expect(entryTexts(moduleOf(`dim ${two} = 2\nexport fn f<\u2126>(x: f32[${one}, \u03a9]): f32[\u2126] = x[0]\n`).module)).toEqual([
      'fn f(x: f32[2, \u03a9]): f32[\u03a9]',
    ]);
  });
});
