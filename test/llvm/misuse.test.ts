// Every misuse is an InternalError of the pass "llvm" with a text that says what was wrong; the process lives on.

import { describe, expect, test } from 'vitest';
import { emitAssembly, link, ModuleBuilder } from '../../codegen/llvm/builder/index.js';
import type { Builder, FunctionHandle, LlvmValue } from '../../codegen/llvm/builder/index.js';
import { InternalError } from '../../src/base/index.js';
import { objectOf } from './helpers.js';

interface Bench {
  readonly m: ModuleBuilder;
  readonly fn: FunctionHandle;
  readonly b: Builder;
  /** A value of another module. */
  readonly foreign: LlvmValue;
}

// What TypeScript forbids is tried all the same: the wrapper is also the guard against holes in the types.
const missing = undefined as unknown as LlvmValue;
const nothing = null as unknown as LlvmValue;

const MISUSES: readonly (readonly [name: string, text: RegExp, act: (x: Bench) => unknown])[] = [
  ['a missing operand', /left operand is missing/, ({ b, fn }) => b.fadd(missing, fn.param(1))],
  ['a null operand', /right operand is missing/, ({ b, fn }) => b.fadd(fn.param(1), nothing)],
  ['a plain object as operand', /left operand is no value/, ({ b, fn }) => b.fadd({} as LlvmValue, fn.param(1))],
  ['an operand of another module', /belongs to another module/, ({ b, fn, foreign }) => b.fadd(fn.param(1), foreign)],
  ['operands of different types', /float and double differ/, ({ b, m, fn }) => b.fadd(fn.param(1), m.f64(1))],
  ['a float instruction on integers', /i64 is no floating-point type/, ({ b, fn }) => b.fmul(fn.param(0), fn.param(0))],
  ['an integer instruction on floats', /float is no integer type/, ({ b, fn }) => b.add(fn.param(1), fn.param(1))],
  [
    'assembly whose operands do not fit',
    /assembly: /,
    ({ b, m, fn }) => {
      b.assembly('', '=f,f,f', m.types.f32, [fn.param(1)]);
      return m.print();
    },
  ],
  ['a narrowing sext', /not wider/, ({ b, m, fn }) => b.sext(fn.param(0), m.types.i8)],
  ['a bitcast to another size', /differ in size/, ({ b, m, fn }) => b.bitcast(fn.param(0), m.types.f32)],
  ['a condition that is no i1', /not i1/, ({ b, fn }) => b.select(fn.param(0), fn.param(1), fn.param(1))],
  ['a load from a float', /float is no pointer/, ({ b, m, fn }) => b.load(m.types.f32, fn.param(1))],
  ['an alignment that is no power of two', /3 is no alignment/, ({ b, m, fn }) => b.load(m.types.f32, fn.param(2), { align: 3 })],
  ['an aggregate without alignment', /say the alignment/, ({ b, m, fn }) => b.load(m.types.array(m.types.f32, 3), fn.param(2))],
  [
    'a mask of other lanes',
    /does not mask/,
    ({ b, m, fn }) => b.maskedLoad(m.types.vector(m.types.f32, 8), fn.param(2), m.allOnes(m.types.vector(m.types.i1, 4))),
  ],
  ['a struct field by value', /must be a number/, ({ b, m, fn }) => b.gep(m.types.struct([m.types.i32]), fn.param(2), [0, fn.param(0)])],
  ['a field that is not there', /has no field 3/, ({ b, m, fn }) => b.structGep(m.types.struct([m.types.i32]), fn.param(2), 3)],
  ['a lane that is not there', /has no lane 4/, ({ b, m }) => b.extractElement(m.zero(m.types.vector(m.types.f32, 4)), 4)],
  [
    'a shuffle beyond its operands',
    /outside 0…7/,
    ({ b, m }) => b.shuffle(m.zero(m.types.vector(m.types.f32, 4)), m.zero(m.types.vector(m.types.f32, 4)), [8]),
  ],
  ['an unknown intrinsic', /no intrinsic is called llvm.nonsense/, ({ b, m }) => b.intrinsic('llvm.nonsense', m.types.void, [])],
  ['an intrinsic with a wrong signature', /has no signature/, ({ b, m, fn }) => b.intrinsic('llvm.fma', m.types.f32, [fn.param(1)])],
  [
    'an intrinsic that wants a constant',
    /wants a constant/,
    ({ b, m, fn }) => b.intrinsic('llvm.abs', m.types.i64, [fn.param(0), b.icmp('eq', fn.param(0), m.i64(0))]),
  ],
  ['too few arguments', /2 arguments for 3 parameters/, ({ b, fn }) => b.call(fn, [fn.param(0), fn.param(1)])],
  ['an argument of another type', /argument 0 is float, not i64/, ({ b, fn }) => b.call(fn, [fn.param(1), fn.param(1), fn.param(2)])],
  ['a return of another type', /f returns float, not i64/, ({ b, fn }) => b.ret(fn.param(0))],
  ['a return without a value', /f returns float/, ({ b }) => b.retVoid()],
  ['an instruction behind the terminator', /has its terminator already/, ({ b, fn }) => [b.ret(fn.param(1)), b.fneg(fn.param(1))]],
  [
    'a branch into another function',
    /belongs to another function/,
    ({ b, m }) => b.br(m.function({ name: 'g', type: m.types.function(m.types.void, []) }).block('entry')),
  ],
  ['a phi value of another type', /cannot come into/, ({ b, m, fn }) => b.phi(m.types.f32).add(m.i64(0), fn.block('from'))],
  [
    'a case that comes twice',
    /comes twice/,
    ({ b, fn }) =>
      b.switch(fn.param(0), fn.block('a'), [
        [1, fn.block('b')],
        [1, fn.block('c')],
      ]),
  ],
  ['a parameter that is not there', /has no parameter 7/, ({ fn }) => fn.param(7)],
  ['an unknown attribute', /no attribute is called nonsense/, ({ fn }) => fn.attribute('nonsense')],
  ['an attribute in the wrong place', /not an attribute of functions/, ({ fn }) => fn.attribute('noalias')],
  ['an attribute without its number', /does not take that value/, ({ fn }) => fn.paramAttribute(2, 'align')],
  ['a name that is taken', /the name f is taken/, ({ m }) => m.global({ name: 'f', type: m.types.i32 })],
  ['an initializer of another type', /cannot initialize/, ({ m }) => m.global({ name: 'g', type: m.types.i32, initializer: m.f32(1) })],
  ['an integer that does not fit', /256 does not fit i8/, ({ m }) => m.int(m.types.i8, 256)],
  ['an integer that is not exact', /not an exact integer/, ({ m }) => m.i64(2 ** 60)],
  ['a vector of structs', /no vector of/, ({ m }) => m.types.vector(m.types.struct([]), 4)],
  ['an aggregate with other fields', /field 0 is i32, not float/, ({ m }) => m.structOf(m.types.struct([m.types.i32]), [m.f32(1)])],
  ['a broken module', /does not have terminator|Basic Block/i, ({ m }) => objectOf(m)],
  ['an unknown target', /triple|target/i, ({ b, m, fn }) => [b.ret(fn.param(1)), emitAssembly(m, { triple: 'pdp11-dec-unix' })]],
  ['an unknown pass', /nonsense/, ({ b, m, fn }) => [b.ret(fn.param(1)), objectOf(m, { passes: 'nonsense' })]],
];

describe('refused, with the reason', () => {
  test.each(MISUSES)('%s', (_, text, act) => {
    using m = new ModuleBuilder('misuse');
    using other = new ModuleBuilder('other');
    const t = m.types;
    const fn = m.function({ name: 'f', type: t.function(t.f32, [t.i64, t.f32, t.ptr]) });
    const b = m.builder(fn.block('entry'));
    let thrown: unknown;
    try {
      act({ m, fn, b, foreign: other.f32(1) });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InternalError);
    expect((thrown as InternalError).pass).toBe('llvm');
    expect((thrown as InternalError).message).toMatch(text);
  });
});

test('a disposed module and everything of it is refused', () => {
  const m = new ModuleBuilder('gone');
  const fn = m.function({ name: 'f', type: m.types.function(m.types.f32, [m.types.f32]) });
  const b = m.builder(fn.block('entry'));
  m.dispose();
  m.dispose();
  for (const act of [
    () => m.print(),
    () => b.fneg(fn.param(0)),
    () => fn.block('more'),
    () => m.f32(1),
    () => objectOf(m),
    () => fn.attribute('cold'),
    () => m.builder(),
  ]) {
    expect(act).toThrow(/was disposed/);
  }
});

test('a link that fails says why', () => {
  expect(() => link([Buffer.from('no object')])).toThrow(/ld.lld|failed/);
  expect(() => link([])).toThrow(/no objects/);
  expect(() => link([Buffer.alloc(0)], { linker: '/nowhere/no-linker' })).toThrow(/does not start/);
  // Its input does not fit a pipe, and nobody reads it.
  expect(() => link([Buffer.alloc(2 ** 20)], { linker: 'false' })).toThrow(/false failed/);
});
