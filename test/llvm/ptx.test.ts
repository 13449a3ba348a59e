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
