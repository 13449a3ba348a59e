// Modules that are compiled in parts: the parts follow from the module, find one another when they are linked, and the library shows no more than before.
import { expect, test } from 'vitest';
import { emitObjects, ModuleBuilder } from '../../codegen/llvm/llvm/index.js';
import { runFromC } from './helpers.js';

const passes = 'always-inline';
const partPasses = 'function(early-cse,instcombine)';

/** `count` long functions, each adding its number to what it is given 800 times over, one after the other through memory; and one that calls them all. */
function chain(count: number): ModuleBuilder {
  const m = new ModuleBuilder('chain');
  const t = m.types;
  const table = m.global({ name: 'table', type: t.i64, initializer: m.i64(5), constant: true, linkage: 'private' });
  const parts = Array.from({ length: count }, (_, at) => {
    const fn = m.function({ name: `part.${at}`, type: t.function(t.void, [t.ptr]), linkage: 'internal', attributes: ['noinline'] });
    const b = m.builder(fn.block('entry'));
    for (let k = 0; k < 800; k++) b.store(b.add(b.load(t.i64, fn.param(0), { volatile: true }), m.i64(at)), fn.param(0), { volatile: true });
    b.store(b.add(b.load(t.i64, fn.param(0)), b.load(t.i64, table)), fn.param(0));
    b.retVoid();
    return fn;
  });
  const all = m.function({ name: 'all', type: t.function(t.void, [t.ptr]) });
  const b = m.builder(all.block('entry'));
  for (const part of parts) b.call(part, [all.param(0)]);
  b.retVoid();
  return m;
}

test('a large module is compiled in parts that call one another, a small one in one piece', () => {
  using large = chain(4);
  const { objects, optimizeMs, codegenMs } = emitObjects(large, { passes }, partPasses);
  expect(objects).toHaveLength(4);
  expect(optimizeMs).toBeGreaterThan(0);
  expect(codegenMs).toBeGreaterThan(0);
  const printed = runFromC(large, 'void all(int64_t *);', 'int64_t x = 1; all(&x); printf("%ld", (long)x);', { passes, partPasses });
  expect(printed).toBe(String(1 + 800 * (0 + 1 + 2 + 3) + 4 * 5));
  using small = chain(1);
  expect(emitObjects(small, { passes }, partPasses).objects).toHaveLength(1);
});

test('the same module gives the same parts', () => {
  const [first, second] = [0, 1].map(() => {
    using m = chain(5);
    return emitObjects(m, { passes }, partPasses).objects;
  }) as [readonly Buffer[], readonly Buffer[]];
  expect(first.map((object, at) => object.equals(second[at] as Buffer))).toEqual([true, true, true, true]);
});

test('what is wrong in a part is told', () => {
  using m = chain(4);
  expect(() => emitObjects(m, { passes }, 'nonsense')).toThrow(/nonsense/);
  expect(() => emitObjects(m, { passes, triple: 'pdp11-dec-unix' }, partPasses)).toThrow(/triple|target/i);
});
