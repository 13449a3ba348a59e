// Counted loops over a region. In: a loop group and its storage. Out: one serial loop around the kernels of the region.
// Holds: scalars are carried in registers, tensors in buffers, which are updated in place where the body allows it; results that nothing
// reads are not stored.

import { InternalError } from '../../base/index.js';
import { type Node, type Region, sourceOf, type TensorNode } from '../../graph/index.js';
import { type Accumulator, build, type Buffer, type Expr } from '../../kernel/index.js';
import { isNodeOf, loop, tensorOf } from '../../ops/index.js';
import { emitBufferCopy, emitGroup, planBlock } from './order.js';
import type { Group } from '../fuse/groups.js';
import { type EmitContext, KernelEmitter } from '../schedule/cpu/emitter.js';
import type { Scope } from '../form/scope.js';
import { type RequiredOutput, Storage } from '../form/storage.js';
import type { Stored } from '../form/values.js';

interface LoopParts {
  readonly trip: Expr;
  readonly carries: number;
  readonly body: Region;
}

type Carry =
  | { readonly kind: 'register'; readonly now: Accumulator; readonly next: Accumulator; readonly result: Buffer | undefined }
  | { readonly kind: 'buffer'; readonly now: Buffer };

export function emitLoop(group: Group, scope: Scope, context: EmitContext): void {
  const node = (group.members[0] as { readonly node: Node }).node;
  const { trip, carries: count, body } = partsOf(node);
  const { storage } = context;
  const results = storage.results(node);
  const outside = new KernelEmitter({ ...group, mode: 'elementwise', members: [] }, context).values;

  const carries = body.params.slice(1, 1 + count).map((type, at): Carry => {
    const initial = tensorOf(node.args[at] as Node);
    const result = results[at];
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
  });

  scope.loop(
    'step',
    trip,
    'serial',
    (step, inside) => {
      const bind = (argument: TensorNode): Stored | undefined => {
        const source = sourceOf(argument);
        if (source?.kind !== 'argument') return undefined;
        const { index } = source;
        if (index === 0) return { kind: 'value', value: build.apply('convert', 'i32', step) };
        const carry = carries[index - 1];
        if (carry === undefined) return captured(tensorOf(node.args[index - 1] as Node), scope, context, outside);
        return carry.kind === 'register' ? { kind: 'value', value: build.read(carry.now) } : { kind: 'buffer', buffer: carry.now };
      };
      const demands = body.results.flatMap((result, at): RequiredOutput[] => {
        const carry = carries[at];
        if (carry?.kind === 'register') return [{ node: result, to: { kind: 'register', accumulator: carry.next } }];
        if (carry !== undefined)
          return isHandedOn(result, at) ? [] : [{ node: result, to: { kind: 'buffer', buffer: carry.now, prefix: [] } }];
        const stack = results[at];
        return stack === undefined ? [] : [{ node: result, to: { kind: 'buffer', buffer: stack, prefix: [step] } }];
      });
      const { order: block, context: inner } = planBlock(demands, context.forms, (forms) => ({
        forms,
        target: context.target,
        parallel: false,
        storage: new Storage(storage.pool, forms, bind),
      }));
      for (const one of block.groups) emitGroup(block, one, inside, inner);
      for (const { from, to } of block.copies) emitBufferCopy(from, to, inside);
      for (const carry of carries)
        if (carry.kind === 'register') inside.emit({ kind: 'assign', accumulator: carry.now, index: [], value: build.read(carry.next) });
    },
    { carried: true },
  );
  for (const carry of carries)
    if (carry.kind === 'register' && carry.result !== undefined)
      scope.emit({ kind: 'store', buffer: carry.result, index: [], value: build.read(carry.now) });
}

/** Whether the body gives carry `at` back as it is. */
function isHandedOn(result: TensorNode, at: number): boolean {
  const source = sourceOf(result);
  return source?.kind === 'argument' && source.index === at + 1;
}

/** What the loop captures: scalars are values, tensors are stored (the materialized nodes saw to that). */
function captured(node: TensorNode, scope: Scope, context: EmitContext, outside: KernelEmitter['values']): Stored {
  if (node.type.shape.length === 0) return { kind: 'value', value: scope.let('c', outside.at(node, [], scope)) };
  return { kind: 'buffer', buffer: context.storage.bufferOf(node) };
}

function partsOf(node: Node): LoopParts {
  if (!isNodeOf(node, loop)) throw new InternalError('lower', `${node.op.name} is no loop`);
  const { trip, carries, body } = node.attrs;
  return { trip: build.size(trip), carries, body };
}
