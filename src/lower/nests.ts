// Ops that bring their own loop nest. In: a nest group and its storage. Out: the statements that the op builds.

import { tensorOf, opOf } from './forms.js';
import { InternalError } from '../base/index.js';
import { build } from '../loop/index.js';
import type { Group } from './fuse.js';
import type { EmitContext } from './points.js';
import type { Scope } from './scope.js';
import { emitBufferCopy } from './block.js';

export function emitNest(group: Group, scope: Scope, context: EmitContext): void {
  for (const { node } of group.members) {
    const lowering = opOf(node).lowering;
    if (lowering.kind !== 'nest') throw new InternalError('lower', `${node.op.name} builds no nest`);
    const { storage } = context;
    const result = storage.bufferOf(tensorOf(node));
    scope.emit(
      ...lowering.build(node, {
        args: node.args.map((argument) => storage.bufferOf(tensorOf(argument))),
        results: [result],
        temporary: (dtype, shape) => storage.pool.temporary({ dtype, shape }),
        fresh: (stem) => scope.names.fresh(stem),
      }),
    );
    for (const to of storage.destinations(node)) {
      if (to.kind === 'register') scope.emit({ kind: 'assign', accumulator: to.accumulator, index: [], value: build.load(result, []) });
      else if (to.buffer !== result) emitBufferCopy(result, to.buffer, scope);
    }
  }
}
