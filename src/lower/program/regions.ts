// Blocks of kernels inside of a kernel, made of regions. In: a region, what stands for its parameters, where its results go. Out:
// statements in a scope.
// Holds: scalars are carried in registers, tensors in buffers, which are updated in place where the region allows it.

import { type Node, sourceOf, type Region, type TensorNode, type TensorType } from '../../graph/index.js';
import { type Accumulator, build, type Buffer, type Expr } from '../../kernel/index.js';
import { tensorOf } from '../../ops/index.js';
import type { Scope } from '../form/scope.js';
import { type Destination, type RequiredOutput, Storage } from '../form/storage.js';
import type { Stored } from '../form/values.js';
import { emitBufferCopy } from '../schedule/common/copy.js';
import { type EmitContext, KernelEmitter } from '../schedule/common/emitter.js';
import { emitGroup, planBlock } from './order.js';
import type { Group } from '../fuse/groups.js';

/** Where a value lives from round to round. */
export type Carry =
  | { readonly kind: 'register'; readonly now: Accumulator; readonly next: Accumulator; readonly result: Buffer | undefined }
  | { readonly kind: 'buffer'; readonly now: Buffer };

/** What is computed outside of the regions of a group. */
export const outsideOf = (group: Group, context: EmitContext): KernelEmitter['values'] =>
  new KernelEmitter({ ...group, mode: 'elementwise', members: [] }, context).values;

/** The carry starts with `initial`; it ends in `result`, if that is asked for. */
export function startCarry(
  type: TensorType,
  initial: TensorNode,
  result: Buffer | undefined,
  scope: Scope,
  context: EmitContext,
  outside: KernelEmitter['values'],
): Carry {
  const { storage } = context;
  if (type.shape.length > 0) {
    const now = result ?? storage.pool.temporary(type);
    emitBufferCopy(storage.bufferOf(initial), now, scope);
    return { kind: 'buffer', now };
  }
  const register = (): Accumulator => ({ name: scope.names.fresh('carry'), dtype: type.dtype, shape: [] });
  const carry: Carry = { kind: 'register', now: register(), next: register(), result };
  const value = outside.at(initial, [], scope);
  scope.emit({ kind: 'declare', accumulator: carry.now, initial: value }, { kind: 'declare', accumulator: carry.next, initial: value });
  return carry;
}

/** Scalars go where they are asked for. */
export function endCarries(carries: readonly Carry[], scope: Scope): void {
  for (const carry of carries)
    if (carry.kind === 'register' && carry.result !== undefined)
      scope.emit({ kind: 'store', buffer: carry.result, index: [], value: build.read(carry.now) });
}

export const storedCarry = (carry: Carry): Stored =>
  carry.kind === 'register' ? { kind: 'value', value: build.read(carry.now) } : { kind: 'buffer', buffer: carry.now };

/**
 * What regions take from around them, by its position, each found once: scalars are values, tensors are stored (the materialized nodes saw
 * to that).
 */
export function capturesOf(
  nodes: readonly Node[],
  scope: Scope,
  context: EmitContext,
  outside: KernelEmitter['values'],
): (at: number) => Stored {
  const known = new Map<number, Stored>();
  return (at) => {
    const node = tensorOf(nodes[at] as Node);
    const stored: Stored =
      known.get(at) ??
      (node.type.shape.length === 0
        ? { kind: 'value', value: scope.let('c', outside.at(node, [], scope)) }
        : { kind: 'buffer', buffer: context.storage.bufferOf(node) });
    known.set(at, stored);
    return stored;
  };
}

/** A region in groups; `parameter` says what stands for each parameter. */
export function planRegion(
  demands: readonly RequiredOutput[],
  parameter: (index: number) => Stored | undefined,
  context: EmitContext,
  parallel: boolean,
): ReturnType<typeof planBlock> {
  const known = new Map<number, Stored | undefined>();
  const bind = (argument: TensorNode): Stored | undefined => {
    const source = sourceOf(argument);
    if (source?.kind !== 'argument') return undefined;
    if (!known.has(source.index)) known.set(source.index, parameter(source.index));
    return known.get(source.index);
  };
  return planBlock(demands, context.forms, (forms) => ({
    forms,
    target: context.target,
    parallel,
    storage: new Storage(context.storage.pool, forms, bind),
  }));
}

/** The statements of a region, one after the other. */
export function emitRegion(
  demands: readonly RequiredOutput[],
  parameter: (index: number) => Stored | undefined,
  scope: Scope,
  context: EmitContext,
): void {
  const { order: block, context: inner } = planRegion(demands, parameter, context, false);
  for (const one of block.groups) emitGroup(block, one, scope, inner);
  for (const { from, to } of block.copies) emitBufferCopy(from, to, scope);
}

/** One round: the results of a region become the next values of the carries. `first`: which parameter is the first carry. */
export function emitRound(
  region: Region,
  carries: readonly Carry[],
  first: number,
  parameter: (index: number) => Stored | undefined,
  scope: Scope,
  context: EmitContext,
  more: readonly RequiredOutput[] = [],
): void {
  const demands = carries.flatMap((carry, at): RequiredOutput[] => {
    const node = region.results[at] as TensorNode;
    if (carry.kind === 'register') return [{ node, to: { kind: 'register', accumulator: carry.next } }];
    return isHandedOn(node, first + at) ? [] : [{ node, to: whole(carry.now) }];
  });
  emitRegion([...demands, ...more], parameter, scope, context);
  for (const carry of carries)
    if (carry.kind === 'register') scope.emit({ kind: 'assign', accumulator: carry.now, index: [], value: build.read(carry.next) });
}

export const whole = (buffer: Buffer, prefix: readonly Expr[] = []): Destination => ({ kind: 'buffer', buffer, prefix });

/** Whether a result is a parameter as it is. */
function isHandedOn(result: TensorNode, index: number): boolean {
  const source = sourceOf(result);
  return source?.kind === 'argument' && source.index === index;
}
