// llvm-bindings' own objects and our extension work on one module: what one builds the other sees.

import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { loadAddon } from '../../codegen/llvm/builder/addon.js';
import { addonFile } from '../../runtime/addon-file.js';

test('a function built with both sides verifies and prints as one', () => {
  const llvm = loadAddon();
  const context = new llvm.LLVMContext();
  const module = new llvm.Module('both', context);
  const builder = new llvm.IRBuilder(context);
  const f32 = llvm.Type.getFloatTy(context);
  const wide = llvm.tfc.vectorType(f32, 4);
  const fn = llvm.Function.Create(
    llvm.FunctionType.get(wide, [wide, f32], false),
    llvm.Function.LinkageTypes.ExternalLinkage,
    'both',
    module,
  );
  const code = (name: string): number => llvm.tfc.tapeOperations().indexOf(name);
  const tape = llvm.tfc.createTape(module);
  const given = -1 - llvm.tfc.tapeValue(tape, fn);
  // Block 0; values 0 and 1 are the arguments, 2 the splat, 3 the product.
  const words = [
    code('block'),
    given,
    0,
    code('at'),
    0,
    code('argument'),
    given,
    0,
    code('argument'),
    given,
    1,
    code('splat'),
    1,
    4,
    code('fmul'),
    0,
    2,
    code('name'),
    3,
    1,
  ];
  llvm.tfc.playTape(tape, Int32Array.from(words), words.length, ['entry', 'scaled']);
  const entry = fn.getEntryBlock();
  builder.SetInsertPoint(entry);
  const twice = builder.CreateFAdd(llvm.tfc.tapeObject(tape, 3), llvm.tfc.tapeObject(tape, 3), 'twice');
  const { callee, constants } = llvm.tfc.tapeIntrinsic(tape, 'llvm.sqrt', llvm.FunctionType.get(wide, [wide], false));
  expect(constants).toEqual([]);
  const rest = [code('intrinsic'), -1 - callee, 1, -1 - llvm.tfc.tapeValue(tape, twice), code('return'), 4];
  llvm.tfc.playTape(tape, Int32Array.from(rest), rest.length, []);
  expect(llvm.verifyModule(module)).toBe(false);
  expect(llvm.tfc.verify(module)).toBe('');
  expect(module.print()).toMatch(/%scaled = fmul <4 x float> %0, %[\w.]+\n +%twice = fadd .*\n.*call <4 x float> @llvm\.sqrt\.v4f32/);
  llvm.tfc.dispose(context, module);
});

test('the extension refuses null, objects of the wrong class and damaged tapes instead of crashing', () => {
  const { tfc, ...llvm } = loadAddon();
  const context = new llvm.LLVMContext();
  const module = new llvm.Module('damaged', context);
  const tape = tfc.createTape(module);
  const code = (name: string): number => tfc.tapeOperations().indexOf(name);
  const play =
    (...words: number[]) =>
    () =>
      tfc.playTape(tape, Int32Array.from(words), words.length, []);
  for (const act of [
    () => tfc.createTape(null as never),
    () => tfc.tapeType(tape, context as never),
    () => tfc.verify(undefined as never),
    () => tfc.tapeObject(tape, 7),
    () => tfc.playTape(tape, Int32Array.of(1), 2, []),
    play(250),
    play(code('fadd')),
    play(code('fadd'), 3, -9),
    play(code('zero'), 0),
    play(code('at'), 1),
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
    const { loadAddon } = await import(${JSON.stringify(new URL('../../dist/codegen/llvm/builder/addon.js', import.meta.url).href)});
    try { loadAddon(); parentPort.postMessage('loaded'); } catch (error) { parentPort.postMessage(error.message); }
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const said = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  expect(said).toMatch(/main thread/);
  expect(addonFile('llvm')).toMatch(/build\/llvm\.node$/);
});
