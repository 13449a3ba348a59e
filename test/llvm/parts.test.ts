// Modules that are compiled while others are built: their objects come in order, find one another when they are linked, and are the same
// every time.
import { expect, test } from 'vitest';
import { Emission, ModuleBuilder } from '../../codegen/llvm/builder/index.js';
import { runObjects } from './helpers.js';

const passes = 'function(early-cse,instcombine)';

/** A long function that adds `number` to what it is given 800 times over. */
function part(number: number): ModuleBuilder {
  const m = new ModuleBuilder('part');
  const t = m.types;
  const fn = m.function({ name: `part.${number}`, type: t.function(t.void, [t.ptr]), visibility: 'hidden' });
  const b = m.builder(fn.block('entry'));
  for (let k = 0; k < 800; k++)
    b.store(b.add(b.load(t.i64, fn.param(0), { volatile: true }), m.i64(number)), fn.param(0), { volatile: true });
  b.retVoid();
  return m;
}

/** One that calls `count` of them. */
function caller(count: number): ModuleBuilder {
  const m = new ModuleBuilder('caller');
  const t = m.types;
  const all = m.function({ name: 'all', type: t.function(t.void, [t.ptr]) });
  const b = m.builder(all.block('entry'));
  for (let at = 0; at < count; at++) b.call(m.declare(`part.${at}`, t.function(t.void, [t.ptr]), { visibility: 'hidden' }), [all.param(0)]);
  b.retVoid();
  return m;
}

function chain(count: number): Emission {
  const emission = new Emission();
  for (let at = 0; at < count; at++) emission.add(part(at), { passes });
  emission.add(caller(count), { passes });
  return emission;
}

test('parts call one another', () => {
  using emission = chain(6);
  const { objects, optimizeMs, codegenMs } = emission.finish();
  expect(objects).toHaveLength(7);
  expect(optimizeMs).toBeGreaterThan(0);
  expect(codegenMs).toBeGreaterThan(0);
  expect(runObjects(objects, 'void all(int64_t *);', 'int64_t x = 1; all(&x); printf("%ld", (long)x);')).toBe(
    String(1 + 800 * (0 + 1 + 2 + 3 + 4 + 5)),
  );
});

test('the same modules give the same objects', () => {
  const [first, second] = [0, 1].map(() => {
    using emission = chain(5);
    return emission.finish().objects.map((object) => object.toString('base64'));
  });
  expect(first).toEqual(second);
});

test('what is wrong in a part is told, and its module cannot be used any more', () => {
  const [m, other, far] = [part(0), part(1), part(2)];
  using nonsense = new Emission();
  nonsense.add(m, { passes: 'nonsense' });
  nonsense.add(other, { passes });
  expect(() => nonsense.finish()).toThrow(/nonsense/);
  expect(() => m.print()).toThrow(/disposed/);
  using foreign = new Emission();
  foreign.add(far, { passes, triple: 'pdp11-dec-unix' });
  expect(() => foreign.finish()).toThrow(/triple|target/i);
});

test('what is abandoned need not be finished', () => {
  {
    using abandoned = chain(20);
    void abandoned;
  }
  using next = chain(1);
  expect(next.finish().objects).toHaveLength(2);
});
