// The strict door to LLVM: typed handles over llvm-bindings and our addon. Every argument is checked before LLVM sees it; a
// misuse is an InternalError of the pass "llvm", never a crash.

export { Builder } from './builder.js';
export type { FloatPredicate, IntPredicate, WrapFlags } from './builder-arithmetic.js';
export type { FastMath } from './builder-base.js';
export type { FloatBinary, FloatUnary, IntBinary } from './builder-intrinsics.js';
export type { AccessOptions, AtomicOrdering, AtomicUpdate } from './builder-memory.js';
export type { Reduction } from './builder-vector.js';
export type { DenseData } from './constants.js';
export { Emission } from './emission.js';
export { FunctionHandle } from './function.js';
export type { Attribute, CallingConvention, FunctionSpec, Linkage, MemoryEffects, Visibility } from './function.js';
export { Link, link } from './link.js';
export type { LinkOptions } from './link.js';
export { ModuleBuilder } from './module.js';
export type { FlagBehavior, GlobalSpec } from './module.js';
export { emitAssembly, emitPtx, enabledFeatures, hostInfo, optimize, setTarget } from './target.js';
export type { Host, OptLevel, TargetOptions, Timings } from './target.js';
export { LlvmType } from './types.js';
export type { FloatFormat, TypeShape } from './types.js';
export { BasicBlock, LlvmConstant, LlvmValue, Phi } from './values.js';
export type { LoopHints } from './values.js';
