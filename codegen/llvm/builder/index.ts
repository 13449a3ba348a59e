// The strict door to LLVM: typed handles over llvm-bindings and our addon. Every argument is checked before LLVM sees it; a
// misuse is an InternalError of the pass "llvm", never a crash.

export { Builder } from './builder.js';
export { Emission } from './emission.js';
export { FunctionHandle } from './function.js';
export type { Attribute, FunctionSpec } from './function.js';
export { Link, link } from './link.js';
export { ModuleBuilder } from './module.js';
export { emitAssembly, emitPtx, enabledFeatures, hostInfo, optimize, setTarget } from './target.js';
export type { TargetOptions } from './target.js';
export { LlvmType } from './types.js';
export { BasicBlock, LlvmConstant, LlvmValue, Phi } from './values.js';
