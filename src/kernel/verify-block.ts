// What statements of blocks of threads say. In: a statement whose names are in scope. Out: the first rule of `verify.ts` that it breaks, if
// any. Holds: nothing is asked of what is around it.

import { bytesOf, shapeEquals } from '../base/index.js';
import { rowMajor } from './build.js';
import {
  type Accumulator,
  type Buffer,
  type CombineStmt,
  type CopyStmt,
  type Fragment,
  type MultiplyStmt,
  swizzledBytes,
  swizzledLines,
  warpThreads,
} from './ir.js';
import { isSwizzled } from './key.js';

/** Columns that four warps multiply at once at most. */
const mostColumns = 256;

export interface BlockProblem {
  readonly rule: 'block' | 'strides' | 'multiply' | 'combine' | 'copy';
  readonly message: string;
}

export function shareProblem(buffer: Buffer): BlockProblem | undefined {
  const { name, role, dtype, shape, strides } = buffer;
  if (role.kind !== 'shared' || shape.some((size) => (size.constant ?? 0) < 1))
    return { rule: 'block', message: `${name} is no shared memory` };
  if (!shapeEquals(strides, rowMajor(shape))) return { rule: 'strides', message: `${name} is not row-major` };
  const [lines = 0, elements = 0] = shape.slice(-2).map((size) => size.constant ?? 0);
  if (!isSwizzled(buffer) || (lines % swizzledLines === 0 && elements * bytesOf(dtype) === swizzledBytes)) return undefined;
  return { rule: 'strides', message: `${name} is swizzled and has ${lines} lines of ${elements} elements` };
}

/** Of its sums, and of a left side that are sums. */
export function multiplyProblem({ warps, sums, left }: Pick<MultiplyStmt, 'warps' | 'sums' | 'left'>): BlockProblem | undefined {
  const { dtype, shape } = sums;
  const [rows = 0, columns = 0, threads = 0] = shape;
  if (dtype !== 'f32' || shape.length !== 3 || rows % 2 > 0 || columns % 4 > 0 || threads % (warps * warpThreads) > 0)
    return { rule: 'multiply', message: `${sums.name} is ${typeText(sums)}` };
  if (warps === 4 && 4 * columns > mostColumns) return { rule: 'multiply', message: `four warps multiply ${4 * columns} columns at once` };
  if (!('sums' in left)) return undefined;
  if (warps === 4) return { rule: 'multiply', message: `four warps multiply ${left.sums.name}, which is in registers` };
  const [ownRows, ownColumns = 0, ownThreads] = left.sums.shape;
  const isFragment = left.sums.shape.length === 3 && ownRows === rows && ownColumns % 4 === 0 && ownThreads === threads;
  if (left.sums.dtype === 'f32' && isFragment && left.sums.name !== sums.name) return undefined;
  return { rule: 'multiply', message: `${left.sums.name}, which is multiplied, is ${typeText(left.sums)}` };
}

/** `other`: the buffer of the other side. What one warp reads at once are 16 bytes of a line. */
export function sideProblem({ buffer, along }: Fragment, other: Buffer, warps: MultiplyStmt['warps']): BlockProblem | undefined {
  const { name, dtype, strides, shape } = buffer;
  const pitch = strides.at(-2)?.constant ?? 1;
  const formats = warps === 4 ? ['bf16', 'f16'] : ['bf16', 'f16', 'f32'];
  if (!formats.includes(dtype) || dtype !== other.dtype || (pitch * bytesOf(dtype)) % 16 !== 0)
    return { rule: 'multiply', message: `${name} is ${dtype}, and its lines are ${pitch} elements apart` };
  if (isSwizzled(buffer) === (warps === 4) && (warps === 1 || along === 'depth' || shape.length >= 3)) return undefined;
  const how = isSwizzled(buffer) ? 'swizzled' : 'not swizzled';
  return { rule: 'multiply', message: `${warps} warps multiply ${name}, which is ${how} and has ${shape.length} axes` };
}

export function combineProblem({
  accumulator: { name, shape },
  lanes,
}: Pick<CombineStmt, 'accumulator' | 'lanes'>): BlockProblem | undefined {
  if ([2, 4, 8, 16, 32].includes(lanes) && (shape.at(-1) ?? 0) % warpThreads === 0 && shape.length > 0) return undefined;
  return { rule: 'combine', message: `${lanes} lanes combine ${name} of the shape [${shape.join(', ')}]` };
}

/** `isDivided`: whether threads have parts of it. */
export function copyProblem({ to, from, count }: CopyStmt, isDivided: boolean): BlockProblem | undefined {
  const problem = (message: string): BlockProblem => ({ rule: 'copy', message });
  if (to.role.kind !== 'shared' || from.role.kind === 'shared') return problem(`${to.name} is copied from ${from.name}`);
  if (!isDivided) return problem(`no thread copies to ${to.name}`);
  if (![4, 8, 16].includes(count * bytesOf(to.dtype))) return problem(`${count} elements of ${to.dtype} are copied at once`);
  if (count > 1 && from.strides.at(-1)?.constant !== 1) return problem(`elements of ${from.name} do not follow each other`);
  return undefined;
}

const typeText = ({ dtype, shape }: Accumulator): string => `${dtype}[${shape.join(', ')}]`;
