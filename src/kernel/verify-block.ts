// What statements of blocks of threads say. In: a statement whose names are in scope. Out: the first rule of `verify.ts` that it breaks, if
// any. Holds: nothing is asked of what is around it.

import { bytesOf, shapeEquals } from '../base/index.js';
import { rowMajor } from './build.js';
import { type Accumulator, type Buffer, type CombineStmt, type CopyStmt, type MultiplyStmt, warpThreads } from './ir.js';

export interface BlockProblem {
  readonly rule: 'block' | 'strides' | 'multiply' | 'combine' | 'copy';
  readonly message: string;
}

export function shareProblem({ name, role, shape, strides }: Buffer): BlockProblem | undefined {
  if (role.kind !== 'shared' || shape.some((size) => (size.constant ?? 0) < 1))
    return { rule: 'block', message: `${name} is no shared memory` };
  return shapeEquals(strides, rowMajor(shape)) ? undefined : { rule: 'strides', message: `${name} is not row-major` };
}

/** Of its sums, and of a left side that are sums. */
export function multiplyProblem({ sums, left }: Pick<MultiplyStmt, 'sums' | 'left'>): BlockProblem | undefined {
  const { dtype, shape } = sums;
  const [rows = 0, columns = 0, threads = 0] = shape;
  if (dtype !== 'f32' || shape.length !== 3 || rows % 2 > 0 || columns % 4 > 0 || threads % warpThreads > 0)
    return { rule: 'multiply', message: `${sums.name} is ${typeText(sums)}` };
  if (!('sums' in left)) return undefined;
  const [ownRows, ownColumns = 0, ownThreads] = left.sums.shape;
  const isFragment = left.sums.shape.length === 3 && ownRows === rows && ownColumns % 4 === 0 && ownThreads === threads;
  if (left.sums.dtype === 'f32' && isFragment && left.sums.name !== sums.name) return undefined;
  return { rule: 'multiply', message: `${left.sums.name}, which is multiplied, is ${typeText(left.sums)}` };
}

/** `other`: the other side. What is read at once are 16 bytes of a line. */
export function sideProblem({ name, dtype, strides }: Buffer, other: Buffer): BlockProblem | undefined {
  const pitch = strides.at(-2)?.constant ?? 1;
  const isWhole = ['bf16', 'f16', 'f32'].includes(dtype) && dtype === other.dtype && (pitch * bytesOf(dtype)) % 16 === 0;
  return isWhole ? undefined : { rule: 'multiply', message: `${name} is ${dtype}, and its lines are ${pitch} elements apart` };
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
