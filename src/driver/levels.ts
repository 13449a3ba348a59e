// The levels of `--emit`, in the order of the way: as checked; simplified; groups of fused ops; kernel IR; LLVM's IR before its passes;
// assembly.

export const emitLevels = ['graph', 'simplified', 'fused', 'kernels', 'llvm', 'asm'] as const;
export type EmitLevel = (typeof emitLevels)[number];

export const isLevel = (text: string): text is EmitLevel => (emitLevels as readonly string[]).includes(text);
