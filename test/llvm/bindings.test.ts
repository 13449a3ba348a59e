// llvm-bindings' own objects and our extension work on one module: what one builds the other sees.

import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { addonPath, loadAddon } from '../../codegen/llvm/llvm/addon.js';

test('a function built with both sides verifies and prints as one', () => {
  const llvm = loadAddon();
  const context = new llvm.LLVMContext();
  const module = new llvm.Module('both', context);
  const builder = new llvm.IRBuilder(context);
  const f32 = llvm.Type.getFloatTy(context);
  const wide = llvm.tfc.vectorType(f32, 4);
  const fn = llvm.Function.Create(llvm.FunctionType.get(wide, [wide, f32], false), llvm.Function.LinkageTypes.ExternalLinkage, 'both', module);
  builder.SetInsertPoint(llvm.BasicBlock.Create(context, 'entry', fn));
  const scaled = builder.CreateFMul(fn.getArg(0), llvm.tfc.splat(builder, 4, fn.getArg(1)), 'scaled');
  builder.CreateRet(llvm.tfc.intrinsic(builder, module, 'llvm.sqrt', wide, [scaled]));
  expect(llvm.verifyModule(module)).toBe(false);
  expect(llvm.tfc.verify(module)).toBe('');
  expect(module.print()).toMatch(/%scaled = fmul <4 x float> %0, %[\w.]+\n.*call <4 x float> @llvm\.sqrt\.v4f32/);
  llvm.tfc.dispose(context, module, [builder]);
});

test('the extension refuses null and objects of the wrong class instead of crashing', () => {
  const { tfc, ...llvm } = loadAddon();
  const context = new llvm.LLVMContext();
  const wrong = { ...context } as never;
  for (const act of [
    () => tfc.constNull(null as never),
    () => tfc.constNull(context as never),
    () => tfc.setFastMath(wrong, 1),
    () => tfc.verify(undefined as never),
    () => tfc.constInt(llvm.Type.getInt32Ty(context), 1 as never),
    () => tfc.splat(null as never, 4, null as never),
  ]) {
    expect(act).toThrow(TypeError);
  }
});

test('the data layout of a target machine outlives the machine', () => {
  const llvm = loadAddon();
  llvm.InitializeNativeTarget();
  const triple = llvm.tfc.host().triple;
  const machine = llvm.TargetRegistry.lookupTarget(triple)?.createTargetMachine(triple, '');
  const layout = machine?.createDataLayout();
  expect(layout?.getStringRepresentation()).toMatch(/^e-/);
  const context = new llvm.LLVMContext();
  expect(layout?.getTypeAllocSize(llvm.Type.getDoubleTy(context))).toBe(8);
});

test('a worker thread is refused', async () => {
  const source = `
    import { parentPort } from 'node:worker_threads';
    const { loadAddon } = await import(${JSON.stringify(new URL('../../dist/codegen/llvm/llvm/addon.js', import.meta.url).href)});
    try { loadAddon(); parentPort.postMessage('loaded'); } catch (error) { parentPort.postMessage(error.message); }
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const said = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  expect(said).toMatch(/main thread/);
  expect(addonPath()).toMatch(/build\/llvm\.node$/);
});
