// Kernels from LLVM, through the project's builder, on the emulated device. In: modules. Out: PTX that runs, with the results of the same
// computation in JavaScript. Holds: what LLVM writes (loops, shuffles, shared memory, vectors) is understood without a word.

import { expect, test } from 'vitest';
import { emitPtx, ModuleBuilder, type Builder, type LlvmValue } from '../../codegen/llvm/builder/index.js';
import { launch } from './emulator.js';

const target = { cpu: 'sm_80', features: '+ptx75' };

/** `kernel(pointers…, i32)` with the thread's index; `body` leaves the builder where the kernel ends. */
function ptxOf(pointers: number, body: (b: Builder, m: ModuleBuilder, params: LlvmValue[], thread: LlvmValue) => void): string {
  using m = new ModuleBuilder('kernel');
  const t = m.types;
  const fn = m.function({
    name: 'kernel',
    type: t.function(t.void, [...Array.from({ length: pointers }, () => t.pointer(1)), t.i32]),
    convention: 'ptx-kernel',
  });
  const b = m.builder(fn.block('entry'));
  const thread = b.intrinsic('llvm.nvvm.read.ptx.sreg.tid.x', t.i32, []);
  const block = b.intrinsic('llvm.nvvm.read.ptx.sreg.ctaid.x', t.i32, []);
  const width = b.intrinsic('llvm.nvvm.read.ptx.sreg.ntid.x', t.i32, []);
  const index = b.add(b.mul(block, width), thread);
  body(
    b,
    m,
    Array.from({ length: pointers + 1 }, (_, i) => fn.param(i)),
    index,
  );
  b.retVoid();
  return emitPtx(m, target).ptx;
}

test('an elementwise kernel', () => {
  const ptx = ptxOf(2, (b, m, [from, to], thread) => {
    const t = m.types;
    const at = b.zext(thread, t.i64);
    const x = b.load(t.f32, b.gep(t.f32, from!, [at]));
    const y = b.select(b.fcmp('ogt', x, m.f32(0)), b.fma(x, x, m.f32(0.5)), b.fdiv(m.f32(1), b.fsub(x, m.f32(1))));
    b.store(y, b.gep(t.f32, to!, [at]));
  });
  const from = Float32Array.from({ length: 256 }, (_, i) => (i - 128) / 8);
  const { status, fault, buffers } = launch({
    ptx,
    kernel: 'kernel',
    grid: 2,
    block: 128,
    buffers: { from, to: new Float32Array(256) },
    args: ['from', 'to', { u32: 0 }],
  });
  expect([status, fault]).toEqual([0, '']);
  expect([...buffers.to]).toEqual([...from].map((x) => Math.fround(x > 0 ? x * x + 0.5 : 1 / Math.fround(x - 1))));
});

test('a loop with a trip count from outside', () => {
  const ptx = ptxOf(1, (b, m, [data, count], thread) => {
    const t = m.types;
    const at = b.gep(t.f32, data!, [b.zext(thread, t.i64)]);
    const first = b.load(t.f32, at);
    const entry = b.block;
    const [loop, end] = [b.newBlock('loop'), b.newBlock('end')];
    b.br(loop);
    b.at(loop);
    const [i, sum] = [b.phi(t.i32), b.phi(t.f32)];
    const next = b.fadd(b.fmul(sum, m.f32(0.5)), first);
    const step = b.add(i, m.i32(1));
    i.add(m.i32(0), entry);
    i.add(step, loop);
    sum.add(first, entry);
    sum.add(next, loop);
    b.condBr(b.icmp('ult', step, b.add(count!, thread)), loop, end);
    b.at(end);
    b.store(next, at);
  });
  const data = Float32Array.from({ length: 64 }, (_, i) => i + 1);
  const { status, fault, buffers } = launch({ ptx, kernel: 'kernel', block: 64, buffers: { data }, args: ['data', { u32: 5 }] });
  expect([status, fault]).toEqual([0, '']);
  expect([...buffers.data]).toEqual(
    [...data].map((x, i) => {
      let sum = x;
      for (let k = 0; k < 5 + i; k++) sum = Math.fround(Math.fround(sum * 0.5) + x);
      return sum;
    }),
  );
});
