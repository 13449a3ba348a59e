// Code generation for the CPU. In: kernel IR. Out: artifacts (shared libraries with the C interface of runtime/abi), their headers, and
// texts on the way.

export { llvm } from './backend.js';
export { buildArtifact, compilePrograms } from './artifact.js';
export { header } from './header.js';
export { hostTarget } from './target.js';
