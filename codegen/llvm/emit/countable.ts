// Sizes that 64-bit integers cannot count. In: a program. Out: a condition over its free sizes: that a buffer, the arena or a kernel's work
// is too large. Holds: where it is false, no size of the program and no address wraps; it may be true a little early, at sizes that no
// machine has memory or time for.

import { bytesOf, Dim, type DimTerm, elementCount } from '../../../src/base/index.js';
import { forEachStatement, expressionsOf, type KernelCode, type Program, visitExpr } from '../../../src/kernel/index.js';
import type { Builder, LlvmValue, ModuleBuilder } from '../builder/index.js';

/**
 * Bytes and operations: a thousand times as many as a year of a machine, and room for the sums and products that offsets are computed by.
 */
const mostCounted = 2 ** 60;

/** Whether some size is too large, as an i1; `dims` are the program's. Computed in f64, where nothing wraps. */
export function uncountable(module: ModuleBuilder, build: Builder, program: Program, dims: readonly LlvmValue[]): LlvmValue | boolean {
  const values = new Map(program.dims.map((name, at) => [name, dims[at] as LlvmValue]));
  const { f64 } = module.types;
  const floats = new Map<string, LlvmValue>();
  const float = (name: string): LlvmValue => {
    let value = floats.get(name);
    if (value === undefined) floats.set(name, (value = build.sitofp(values.get(name) as LlvmValue, f64)));
    return value;
  };
  let largest: LlvmValue | undefined;
  for (const { coefficient, names } of bounds(program)) {
    if (coefficient > mostCounted) return true;
    const [first, ...rest] = names;
    if (first === undefined) continue;
    const product = rest.reduce((so, name) => build.fmul(so, float(name)), build.fmul(float(first), module.float(f64, coefficient)));
    largest = largest === undefined ? product : build.floatBinary('maxnum', largest, product);
  }
  return largest === undefined ? false : build.fcmp('ogt', largest, module.float(f64, mostCounted));
}

/** One term per product of names: as large as all sizes of the program that have it could be together. */
function bounds(program: Program): Iterable<DimTerm> {
  const largest = new Map<string, { coefficient: number; readonly names: readonly string[] }>();
  const seen = new Set<string>();
  const count = (size: Dim, times = 1): void => {
    const key = `${times} ${size.key}`;
    if (seen.has(key)) return;
    seen.add(key);
    for (const { coefficient, names } of size.terms) {
      const bound = Math.abs(coefficient) * size.terms.length * times;
      const name = names.join('*');
      const known = largest.get(name);
      if (known === undefined) largest.set(name, { coefficient: bound, names });
      else known.coefficient = Math.max(known.coefficient, bound);
    }
  };
  for (const { shape, strides, dtype } of program.buffers) {
    count(elementCount(shape).mul(bytesOf(dtype)));
    shape.forEach((size, axis) => count(size.mul(strides[axis] ?? Dim.one).mul(bytesOf(dtype)), shape.length));
  }
  const { slots } = program.arena;
  for (const slot of slots) for (const bytes of slot.bytes) count(bytes, slots.length);
  const codes = new Set<KernelCode>();
  for (const { code, cost } of program.kernels) {
    for (const size of [cost.bytesRead, cost.bytesWritten, cost.flops]) count(size);
    if (codes.has(code)) continue;
    codes.add(code);
    const visited = new Set<Parameters<typeof visitExpr>[0]>();
    forEachStatement(code.body, (statement) => {
      for (const expression of expressionsOf(statement)) visitExpr(expression, (part) => part.kind === 'size' && count(part.dim), visited);
    });
  }
  return largest.values();
}
