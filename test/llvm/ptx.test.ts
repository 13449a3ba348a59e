// The same builder reaches NVPTX: a kernel comes out as PTX text with its entry, its bounds and its fused multiply-add.

import { expect, test } from 'vitest';
import { emitPtx, ModuleBuilder } from '../../codegen/llvm/builder/index.js';

test('a kernel becomes PTX', () => {
  using m = new ModuleBuilder('gpu');
  const t = m.types;
  const global = t.pointer(1);
  const fn = m.function({ name: 'scale', type: t.function(t.void, [global, t.f32]), convention: 'ptx-kernel' }).annotate('maxntidx', 256);
  const b = m.builder(fn.block('entry'));
  const thread = b.intrinsic('llvm.nvvm.read.ptx.sreg.tid.x', t.i32, []);
  const at = b.gep(t.f32, fn.param(0), [b.zext(thread, t.i64)]);
  b.store(b.fma(b.load(t.f32, at), fn.param(1), m.f32(1)), at);
  b.retVoid();
  const { ptx } = emitPtx(m, { cpu: 'sm_90', features: '+ptx83' });
  for (const part of ['.target sm_90', '.version 8.3', '.visible .entry scale', '.maxntid 256', '%tid.x', 'fma.rn.f32', 'st.global.f32'])
    expect(ptx).toContain(part);
});

test('assembly stands where it was written, and changes values where they are', () => {
  using m = new ModuleBuilder('assembly');
  const t = m.types;
  const fn = m.function({ name: 'twice', type: t.function(t.void, [t.pointer(1)]), convention: 'ptx-kernel' });
  const b = m.builder(fn.block('entry'));
  const before = [0, 1].map((at) => b.load(t.f32, b.gep(t.f32, fn.param(0), [at])));
  b.assembly('fence.proxy.async;', '~{memory}', t.void, []);
  const both = b.assembly('add.f32 $0, $0, $1; neg.f32 $1, $0;', '=f,=f,0,1', t.struct([t.f32, t.f32]), before);
  b.store(b.extractValue(both, [0]), b.inttoptr(b.ptrtoint(fn.param(0), t.i64), t.pointer(1)));
  b.retVoid();
  const { ptx } = emitPtx(m, { cpu: 'sm_90a', features: '+ptx80' });
  expect(ptx).toMatch(
    /ld\.global\.f32[\s\S]*fence\.proxy\.async;[\s\S]*add\.f32 (%f\d+), \1, (%f\d+); neg\.f32 \2, \1;[\s\S]*st\.global\.f32/,
  );
});
