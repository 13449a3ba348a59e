// Branches. In: a group of one branch, and its storage. Out: at the top of an entry kernels of each side, which threads share as any other
// ones, and which do nothing where the other side is taken; inside of loops a condition around the statements of each side.
// Holds: each kernel asks for itself, once per block, so nothing but the condition's own memory connects them.

import type { Node } from '../../graph/index.js';
import { build, type Expr, type Stmt } from '../../kernel/index.js';
import { type BranchAttrs, tensorOf } from '../../ops/index.js';
import type { Group } from '../fuse/groups.js';
import { Names, Scope } from '../form/scope.js';
import type { RequiredOutput } from '../form/storage.js';
import type { EmitContext } from '../schedule/cpu/emitter.js';
import { emitBufferCopy, emitGroup } from './order.js';
import { capturesOf, emitRegion, outsideOf, planRegion, whole } from './regions.js';

export function emitBranch(node: Node<BranchAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const { whenTrue, whenFalse } = node.attrs;
  const results = context.storage.results(node);
  const [yes, no] = [whenTrue, whenFalse].map((region) =>
    region.results.flatMap((result, at): RequiredOutput[] => {
      const to = results[at];
      return to === undefined ? [] : [{ node: result, to: whole(to) }];
    }),
  ) as [RequiredOutput[], RequiredOutput[]];
  if (context.parallel && context.ahead !== undefined) {
    emitKernels(node, yes, true, context, context.ahead);
    emitKernels(node, no, false, context, context.ahead);
    return;
  }
  const outside = outsideOf(group, context);
  const captured = capturesOf(node.args, scope, context, outside);
  const asked = scope.let('c', outside.at(tensorOf(node.args[0] as Node), [], scope));
  const side = (demands: readonly RequiredOutput[]) => (inside: Scope) =>
    emitRegion(demands, (index) => captured(index + 1), inside, context);
  scope.choose(asked, side(yes), side(no));
}

/** The kernels of one side; `open` begins one. */
function emitKernels(
  node: Node<BranchAttrs>,
  demands: readonly RequiredOutput[],
  side: boolean,
  context: EmitContext,
  open: () => Scope,
): void {
  const { storage } = context;
  const asked = build.load(storage.bufferOf(tensorOf(node.args[0] as Node)), []);
  const taken = side ? asked : build.apply('not', 'bool', asked);
  const captured = (index: number) => ({ kind: 'buffer', buffer: storage.bufferOf(tensorOf(node.args[index + 1] as Node)) }) as const;
  const { order: block, context: inner } = planRegion(demands, captured, context, true);
  const kernel = (fill: (scope: Scope, ahead: () => Scope) => void): void => {
    const own = Scope.root(new Names());
    const before: Scope[] = [];
    fill(own, () => {
      const opened = Scope.root(new Names());
      before.push(opened);
      return opened;
    });
    for (const { statements } of [...before, own]) if (statements.length > 0) open().emit(...guarded(statements, taken));
  };
  for (const one of block.groups) kernel((scope, ahead) => emitGroup(block, one, scope, { ...inner, ahead }));
  for (const { from, to } of block.copies) kernel((scope) => emitBufferCopy(from, to, scope));
}

/** A loop that threads share stays the outermost statement. */
function guarded(statements: readonly Stmt[], condition: Expr): Stmt[] {
  const [only] = statements;
  if (only?.kind === 'for' && only.axis === 'parallel' && statements.length === 1)
    return [{ ...only, body: [{ kind: 'if', condition, then: only.body }] }];
  return [{ kind: 'if', condition, then: statements }];
}
