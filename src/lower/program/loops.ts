// Kernels around regions: loops that a size counts, loops with a condition, the way back through these, branches, what is computed again.
// In: a group of one such node, and its storage. Out: loops and conditions around the kernels of the regions.
// Holds: results that nothing reads are not stored.

import { InternalError } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { build, type Expr } from '../../kernel/index.js';
import { branch, isNodeOf, loop, type LoopAttrs, recompute, tensorOf, unwind, whileLoop } from '../../ops/index.js';
import type { Group } from '../fuse/groups.js';
import type { Scope } from '../form/scope.js';
import type { RequiredOutput } from '../form/storage.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { emitBranch, emitRecompute } from './branches.js';
import { capturesOf, emitRound, endCarries, outsideOf, startCarry, storedCarry, whole } from './regions.js';
import { emitUnwind } from './unwind.js';
import { emitWhile } from './while.js';

export function emitLoop(group: Group, scope: Scope, context: EmitContext): void {
  const node = (group.members[0] as { readonly node: Node }).node;
  if (isNodeOf(node, loop)) emitCounted(node, group, scope, context);
  else if (isNodeOf(node, whileLoop)) emitWhile(node, group, scope, context);
  else if (isNodeOf(node, unwind)) emitUnwind(node, group, scope, context);
  else if (isNodeOf(node, branch)) emitBranch(node, group, scope, context);
  else if (isNodeOf(node, recompute)) emitRecompute(node, group, scope, context);
  else throw new InternalError('lower', `${node.op.name} is no loop, no branch and no region that is computed again`);
}

function emitCounted(node: Node<LoopAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const { trip, carries: count, body } = node.attrs;
  const results = context.storage.results(node);
  const outside = outsideOf(group, context);
  const carries = body.params
    .slice(1, 1 + count)
    .map((type, at) => startCarry(type, tensorOf(node.args[at] as Node), results[at], scope, context, outside));
  const captured = capturesOf(node.args, scope, context, outside);
  scope.loop(
    'step',
    build.size(trip),
    'serial',
    (step: Expr, inside) => {
      const stacks = body.results.flatMap((result, at): RequiredOutput[] => {
        const stack = at < count ? undefined : results[at];
        return stack === undefined ? [] : [{ node: result, to: whole(stack, [step]) }];
      });
      const parameter = (index: number) => {
        if (index === 0) return { kind: 'value', value: build.apply('convert', 'i32', step) } as const;
        const carry = carries[index - 1];
        return carry === undefined ? captured(index - 1) : storedCarry(carry);
      };
      emitRound(body, carries, 1, parameter, inside, context, stacks);
    },
    { carried: true },
  );
  endCarries(carries, scope);
}
