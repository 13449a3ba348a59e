// Ops that bring their own loop nest: the op writes the loops, the schedule hands it buffers and copies its result to where else it must go
// (see the note at the end). In: a nest group and its storage. Out: the statements that the op builds.
// Holds: the nest writes one buffer for each result; a further destination gets a copy of it. What nothing reads of several results goes to
// a temporary.

import { tensorOf, opOf } from '../../form/forms.js';
import { InternalError } from '../../../base/index.js';
import type { Node, TensorNode } from '../../../graph/index.js';
import { build, type Buffer, type Stmt } from '../../../kernel/index.js';
import type { NestContext } from '../../../ops/index.js';
import type { Group } from '../../fuse/groups.js';
import { emitBufferCopy } from './copy.js';
import type { EmitContext } from './emitter.js';
import type { Scope } from '../../form/scope.js';

export function emitNest(group: Group, scope: Scope, context: EmitContext): void {
  for (const { node } of group.members) {
    const { storage } = context;
    const results = resultsOf(node, context);
    scope.emit(
      ...statementsOf(node, {
        args: node.args.map((argument) => argumentOf(tensorOf(argument), scope, context)),
        results,
        temporary: (dtype, shape) => storage.pool.temporary({ dtype, shape }),
        fresh: (stem) => scope.names.fresh(stem),
      }),
    );
    const result = results[0] as Buffer;
    for (const to of storage.destinations(node)) {
      if (to.kind === 'register') scope.emit({ kind: 'assign', accumulator: to.accumulator, index: [], value: build.load(result, []) });
      else if (to.buffer !== result) emitBufferCopy(result, to.buffer, scope, to.prefix);
    }
  }
}

function resultsOf(node: Node, { storage }: EmitContext): readonly Buffer[] {
  if (node.type.kind === 'tensor') return [storage.bufferOf(tensorOf(node))];
  const stored = storage.results(node);
  return node.type.items.map((type, at) => stored[at] ?? storage.pool.temporary(type));
}

/** Nests read memory: a scalar that a loop counts or carries in a register is put there. */
function argumentOf(node: TensorNode, scope: Scope, { storage }: EmitContext): Buffer {
  const stored = storage.stored(node);
  if (stored?.kind !== 'value') return storage.bufferOf(node);
  const buffer = storage.pool.temporary(node.type);
  scope.emit({ kind: 'store', buffer, index: [], value: stored.value });
  return buffer;
}

function statementsOf(node: Node, context: NestContext): readonly Stmt[] {
  const { lowering } = opOf(node);
  if (lowering.kind === 'nest') return lowering.build(node, context);
  if (lowering.kind === 'element' && lowering.ownNest !== undefined) return lowering.ownNest.build(tensorOf(node), context);
  throw new InternalError('lower', `${node.op.name} builds no nest`);
}

/* Note: an op's own loops.
   concat of f32[N, 4] and f32[5, 4], as a group and as a kernel:

     group 0 nest [] reads %0, %1
       nest %2: f32[N + 5, 4] to out_result

     for i0 in 0..N { vector for i1 in 0..4 { out_result[i0, i1] = in_x[i0, i1] } }
     for i2 in 0..5 { vector for i3 in 0..4 { out_result[N + i2, i3] = in_y[i2, i3] } }

   Point by point, each element would ask which argument it comes from and read the others at an index that they have; where N is 0 there
   is none. Others, as a matrix inverse, have steps that need all of the one before. Shown by test/ops/lowering.test.ts. */
