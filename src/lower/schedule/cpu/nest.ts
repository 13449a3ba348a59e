// Ops that bring their own loop nest. In: a nest group and its storage. Out: the statements that the op builds.

import { tensorOf, opOf } from '../../form/forms.js';
import { InternalError } from '../../../base/index.js';
import type { Node } from '../../../graph/index.js';
import { build, type Stmt } from '../../../kernel/index.js';
import type { NestContext } from '../../../ops/index.js';
import type { Group } from '../../fuse/groups.js';
import type { EmitContext } from './emitter.js';
import type { Scope } from '../../form/scope.js';
import { emitBufferCopy } from '../../program/order.js';

export function emitNest(group: Group, scope: Scope, context: EmitContext): void {
  for (const { node } of group.members) {
    const { storage } = context;
    const result = storage.bufferOf(tensorOf(node));
    scope.emit(
      ...statementsOf(node, {
        args: node.args.map((argument) => storage.bufferOf(tensorOf(argument))),
        results: [result],
        temporary: (dtype, shape) => storage.pool.temporary({ dtype, shape }),
        fresh: (stem) => scope.names.fresh(stem),
      }),
    );
    for (const to of storage.destinations(node)) {
      if (to.kind === 'register') scope.emit({ kind: 'assign', accumulator: to.accumulator, index: [], value: build.load(result, []) });
      else if (to.buffer !== result) emitBufferCopy(result, to.buffer, scope, to.prefix);
    }
  }
}

function statementsOf(node: Node, context: NestContext): readonly Stmt[] {
  const { lowering } = opOf(node);
  if (lowering.kind === 'nest') return lowering.build(node, context);
  if (lowering.kind === 'element' && lowering.ownNest !== undefined) return lowering.ownNest.build(tensorOf(node), context);
  throw new InternalError('lower', `${node.op.name} builds no nest`);
}
