// A kernel from the builder to numbers: vector body, masked tail, reductions, tables with relocations, reproducible bytes.

import { expect, test } from 'vitest';
import { emitAssembly, hostInfo, link, ModuleBuilder, optimize, setTarget } from '../../codegen/llvm/builder/index.js';
import type { Builder, LlvmValue } from '../../codegen/llvm/builder/index.js';
import { objectOf, runFromC } from './helpers.js';

const LANES = 8;

/** y[i] = a·x[i] + y[i]: eight lanes at a time, the rest under a mask. */
function saxpy(name: string): ModuleBuilder {
  const m = new ModuleBuilder(name);
  setTarget(m);
  const t = m.types;
  const fn = m.function({
    name: 'saxpy',
    type: t.function(t.void, [t.i64, t.f32, t.ptr, t.ptr]),
    attributes: ['nounwind', ['prefer-vector-width', '256']],
    memory: 'arguments',
    params: [
      { name: 'n' },
      { name: 'a' },
      { name: 'x', attributes: ['noalias', 'readonly', ['align', 4]] },
      { name: 'y', attributes: ['noalias', ['align', 4]] },
    ],
  });
  const [n, a, x, y] = [fn.param(0), fn.param(1), fn.param(2), fn.param(3)];
  const wide = t.vector(t.f32, LANES);
  const [entry, head, body, tail] = [fn.block('entry'), fn.block('head'), fn.block('body'), fn.block('tail')];
  const b = m.builder(entry);
  const as = b.splat(LANES, a);
  const whole = b.and(n, m.i64(-LANES));
  b.br(head);
  b.at(head);
  const i = b.phi(t.i64, 'i').add(m.i64(0), entry);
  b.condBr(b.icmp('ult', i, whole), body, tail);
  b.at(body);
  const at = b.gep(t.f32, y, [i]);
  b.store(b.fma(as, b.load(wide, b.gep(t.f32, x, [i])), b.load(wide, at)), at);
  i.add(b.add(i, m.i64(LANES), { nuw: true }), body);
  b.br(head).loop({ vectorize: false, unroll: false });
  b.at(tail);
  const left = b.splat(LANES, b.trunc(b.sub(n, whole), t.i32));
  const lane = m.vectorOf(Array.from({ length: LANES }, (_, k) => m.i32(k)));
  const mask = b.icmp('ult', lane, left);
  const rest = b.gep(t.f32, y, [whole]);
  const xs = b.maskedLoad(wide, b.gep(t.f32, x, [whole]), mask, { passThrough: m.zero(wide) });
  b.maskedStore(b.fma(as, xs, b.maskedLoad(wide, rest, mask)), rest, mask);
  b.retVoid();
  return m;
}

test('a vector kernel with a masked tail gives the right numbers, and touches nothing behind its end', () => {
  using m = saxpy('saxpy');
  expect(m.verify()).toBeUndefined();
  const printed = runFromC(
    m,
    'void saxpy(int64_t, float, const float *, float *);',
    `float x[32], y[32];
     for (int i = 0; i < 32; i++) { x[i] = i; y[i] = 100; }
     saxpy(21, 2, x, y);
     for (int i = 0; i < 32; i++) printf("%g ", y[i]);`,
  );
  expect(printed.split(' ').map(Number)).toEqual(Array.from({ length: 32 }, (_, i) => (i < 21 ? 100 + 2 * i : 100)));
});

test('the same module gives the same object and the same library, whatever it was called before', () => {
  const [first, second] = ['kernels', 'kernels'].map((name) => {
    using m = saxpy(name);
    return objectOf(m);
  }) as [Buffer, Buffer];
  expect(first.equals(second)).toBe(true);
  expect(link([first]).equals(link([second]))).toBe(true);
});

test('the maths library is recorded as needed exactly when it is used', () => {
  const needs = (use: boolean): string => {
    using m = new ModuleBuilder('maths');
    const t = m.types;
    const fn = m.function({ name: 'f', type: t.function(t.f64, [t.f64]) });
    const b = m.builder(fn.block('entry'));
    b.ret(use ? b.floatUnary('sin', fn.param(0)) : b.sqrt(fn.param(0)));
    return link([objectOf(m)]).toString('latin1');
  };
  expect(needs(true)).toContain('libm.so.6');
  expect(needs(false)).not.toContain('libm.so.6');
});

test('reductions, lanes, predicates and integer instructions compute what they say', () => {
  using m = new ModuleBuilder('ops');
  const t = m.types;
  const fn = m.function({ name: 'ops', type: t.function(t.void, [t.ptr, t.ptr]) });
  const b: Builder = m.builder(fn.block('entry'));
  const v4 = t.vector(t.f32, 4);
  const v = b.load(v4, fn.param(0));
  let slot = 0;
  const put = (value: LlvmValue): void => b.store(value.type.isInt ? b.sitofp(value, t.f32) : value, b.gep(t.f32, fn.param(1), [slot++]));
  put(b.reduce('fadd', v));
  put(b.reduce('fmaximum', v));
  put(b.withFastMath({ reassoc: true, nnan: true }, () => b.reduce('fmul', v)));
  put(b.extractElement(b.shuffle(v, v, [3, 2, 1, 0]), 0));
  put(b.extractElement(b.insertElement(v, m.f32(42), 2), 2));
  const first = b.extractElement(v, 0);
  const nan = m.float(t.f32, NaN);
  put(b.zext(b.fcmp('ogt', first, nan), t.i32));
  put(b.zext(b.fcmp('ugt', first, nan), t.i32));
  put(b.zext(b.fcmp('uno', first, nan), t.i32));
  put(b.select(b.fcmp('olt', first, m.f32(2)), m.f32(7), m.f32(8)));
  const word = b.fptoui(b.extractElement(v, 3), t.i32);
  put(b.intBinary('smin', word, m.i32(-5)));
  put(b.reduce('add', b.zext(b.fcmp('ogt', v, b.splat(4, m.f32(1.5))), t.vector(t.i32, 4))));
  put(b.bitcast(m.int(t.i32, 0x3f800000), t.f32));
  put(b.fpext(m.float(t.f16, 1 / 3), t.f32));
  put(b.floatBinary('copysign', m.f32(3), m.f32(-0)));
  b.retVoid();
  expect(m.verify()).toBeUndefined();
  const printed = runFromC(
    m,
    'void ops(const float *, float *);',
    `float x[4] = {1, 2, 3, 4}, y[14]; ops(x, y); for (int i = 0; i < 14; i++) printf("%.9g ", y[i]);`,
  );
  expect(printed.split(' ').map(Number)).toEqual([10, 4, 24, 4, 42, 0, 1, 1, 7, -5, 3, 1, 0.333251953, -3]);
});

test('gather, scatter, atomics, switch, struct values and stack slots work together', () => {
  using m = new ModuleBuilder('memory');
  const t = m.types;
  const fn = m.function({ name: 'memory', type: t.function(t.i32, [t.ptr, t.ptr, t.i32]) });
  const [entry, one, other, done] = [fn.block('entry'), fn.block('one'), fn.block('other'), fn.block('done')];
  const b = m.builder(entry);
  const wide = t.vector(t.i32, 4);
  const odd = m.vectorOf([1, 3, 5, 7].map((i) => m.i64(i)));
  const all = m.allOnes(t.vector(t.i1, 4));
  const picked = b.gather(wide, b.gep(t.i32, fn.param(0), [odd]), all);
  b.scatter(picked, b.gep(t.i32, fn.param(1), [odd]), all);
  const slot = b.alloca(t.i32, { name: 'slot' });
  b.store(m.i32(10), slot);
  const old = b.atomicRmw('add', slot, m.i32(5), 'relaxed');
  const swap = b.compareExchange(slot, m.i32(15), m.i32(20), 'acq-rel', 'acquire');
  b.switch(fn.param(2), other, [[1, one]]);
  b.at(one).br(done);
  b.at(other).br(done);
  b.at(done);
  const extra = b.phi(t.i32).add(m.i32(1000), one).add(m.i32(2000), other);
  const sum = [b.extractValue(swap, [0]), b.zext(b.extractValue(swap, [1]), t.i32), b.atomicLoad(t.i32, slot, 'acquire'), extra].reduce(
    (p, q) => b.add(p, q),
    old,
  );
  b.ret(sum);
  expect(m.verify()).toBeUndefined();
  const printed = runFromC(
    m,
    'int memory(const int *, int *, int);',
    `int x[8] = {0, 11, 22, 33, 44, 55, 66, 77}, y[8] = {0}; printf("%d ", memory(x, y, 1)); printf("%d ", memory(x, y, 2)); for (int i = 0; i < 8; i++) printf("%d ", y[i]);`,
  );
  expect(printed.split(' ').map(Number)).toEqual([1046, 2046, 0, 11, 0, 33, 0, 55, 0, 77]);
});

test('a table of strings, numbers and functions is relocated when the library is loaded', () => {
  using m = new ModuleBuilder('table');
  const t = m.types;
  const twice = m.function({ name: 'twice', type: t.function(t.i32, [t.i32]), linkage: 'internal' });
  const b = m.builder(twice.block('entry'));
  b.ret(b.shl(twice.param(0), m.i32(1)));
  const entry = t.struct([t.ptr, t.i32, t.ptr]);
  const list = m.arrayOf(entry, [m.structOf(entry, [m.string('name', 'zwölf'), m.i32(6), twice])]);
  m.global({ name: 'table', type: list.type, initializer: list, constant: true, linkage: 'external' });
  const dense = m.dense(t.f32, new Float32Array([1.5, -2.25]));
  m.global({ name: 'dense', type: dense.type, initializer: dense, constant: true, linkage: 'external', align: 64 });
  const apply = m.function({ name: 'apply', type: t.function(t.i32, [t.ptr, t.i32]) });
  const c = m.builder(apply.block('entry'));
  const callee = c.load(t.ptr, c.structGep(entry, apply.param(0), 2));
  c.ret(c.callIndirect(twice.signature, callee, [apply.param(1)]));
  const printed = runFromC(
    m,
    'struct entry { const char *name; int n; int (*f)(int); }; extern const struct entry table[1]; extern const float dense[2]; int apply(const struct entry *, int);',
    'printf("%s %d %d %d %g %d", table[0].name, table[0].n, table[0].f(table[0].n), apply(table, 21), dense[1], (int)((uintptr_t)dense % 64));',
  );
  expect(printed).toBe('zwölf 6 12 42 -2.25 0');
});

test('what cannot be seen in numbers is seen in the text: flags, metadata, attributes, assembly', () => {
  using m = new ModuleBuilder('text');
  setTarget(m);
  const t = m.types;
  const fn = m.function({
    name: 'f',
    type: t.function(t.void, [t.ptr, t.f32]),
    attributes: ['nounwind', ['target-cpu', hostInfo().cpu]],
    params: [{}, { name: 'v' }],
  });
  const b = m.builder(fn.block('entry'));
  const [one, two] = m.aliasScopes('buffers', ['one', 'two']);
  if (one === undefined || two === undefined) throw new Error('two scopes were asked for');
  b.prefetch(fn.param(0), { locality: 1 });
  const sum = b.withFastMath({ contract: true, nsz: true }, () => b.fadd(fn.param(1), fn.param(1)));
  b.store(sum, fn.param(0), { align: 16, nontemporal: true, scope: one, noalias: [two] });
  b.fence('release');
  const asm = m.inlineAsm(t.function(t.void, []), 'nop # from tfc', '~{memory}', { sideEffects: true });
  b.callIndirect(asm.signature, asm, []);
  b.retVoid();
  m.flag('max', 'PIC Level', 2);
  const text = m.print();
  for (const part of [
    'fadd nsz contract float %v, %v',
    'align 16,',
    '!nontemporal',
    '!alias.scope',
    '!noalias',
    'fence release',
    'llvm.prefetch',
    'asm sideeffect',
    '"PIC Level"',
    'nounwind',
    `"target-cpu"="${hostInfo().cpu}"`,
  ]) {
    expect(text).toContain(part);
  }
  expect(emitAssembly(m).assembly).toContain('# from tfc');
});

test('optimize works in place and the result still runs', () => {
  using m = new ModuleBuilder('optimize');
  const t = m.types;
  const fn = m.function({ name: 'answer', type: t.function(t.i32, []) });
  const b = m.builder(fn.block('entry'));
  const slot = b.alloca(t.i32);
  b.store(m.i32(42), slot);
  b.ret(b.load(t.i32, slot));
  expect(m.print()).toContain('alloca');
  expect(optimize(m)).toBeGreaterThan(0);
  expect(m.print()).not.toContain('alloca');
  expect(runFromC(m, 'int answer(void);', 'printf("%d", answer());', { passes: '' })).toBe('42');
});
