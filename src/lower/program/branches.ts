// Branches, and regions that are computed again. In: a group of one such node, and its storage. Out: at the top of an entry kernels of each
// region, which threads share as any other ones, and which do nothing where the other side of a branch is taken; inside of loops the
// statements of each region, with the condition of a branch around them.
// Holds: each kernel asks for itself, once per block, so nothing but the condition's own memory connects them.

import type { Node, Region } from '../../graph/index.js';
import { build, type Buffer, type Expr, type Stmt } from '../../kernel/index.js';
import { type BranchAttrs, type CheckpointAttrs, tensorOf } from '../../ops/index.js';
import type { Group } from '../fuse/groups.js';
import { Names, Scope } from '../form/scope.js';
import type { RequiredOutput } from '../form/storage.js';
import { emitBufferCopy } from '../schedule/common/copy.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { emitGroup } from './order.js';
import { capturesOf, emitRegion, outsideOf, planRegion, whole } from './regions.js';

export function emitBranch(node: Node<BranchAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const { whenTrue, whenFalse } = node.attrs;
  const [yes, no] = [whenTrue, whenFalse].map((region) => demandsOf(region, context.storage.results(node))) as [
    RequiredOutput[],
    RequiredOutput[],
  ];
  const condition = tensorOf(node.args[0] as Node);
  if (context.parallel && context.ahead !== undefined) {
    const asked = build.load(context.storage.bufferOf(condition), []);
    const captures = node.args.slice(1);
    emitKernels(captures, yes, asked, context, context.ahead);
    emitKernels(captures, no, build.apply('not', 'bool', asked), context, context.ahead);
    return;
  }
  const outside = outsideOf(group, context);
  const captured = capturesOf(node.args, scope, context, outside);
  const asked = scope.let('c', outside.at(condition, [], scope));
  const side = (demands: readonly RequiredOutput[]) => (inside: Scope) =>
    emitRegion(demands, (index) => captured(index + 1), inside, context);
  scope.choose(asked, side(yes), side(no));
}

export function emitRecompute(node: Node<CheckpointAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const demands = demandsOf(node.attrs.body, context.storage.results(node));
  if (context.parallel && context.ahead !== undefined) emitKernels(node.args, demands, undefined, context, context.ahead);
  else emitRegion(demands, capturesOf(node.args, scope, context, outsideOf(group, context)), scope, context);
}

/** The results of a region that are wanted, and where they go. */
const demandsOf = (region: Region, results: readonly (Buffer | undefined)[]): RequiredOutput[] =>
  region.results.flatMap((node, at): RequiredOutput[] => {
    const to = results[at];
    return to === undefined ? [] : [{ node, to: whole(to) }];
  });

/** The kernels of a region, which run where `taken` holds; `open` begins one. */
function emitKernels(
  captures: readonly Node[],
  demands: readonly RequiredOutput[],
  taken: Expr | undefined,
  context: EmitContext,
  open: () => Scope,
): void {
  const { storage } = context;
  const captured = (index: number) => ({ kind: 'buffer', buffer: storage.bufferOf(tensorOf(captures[index] as Node)) }) as const;
  const { order: block, context: inner } = planRegion(demands, captured, context, true);
  const kernel = (fill: (scope: Scope, ahead: () => Scope) => void): void => {
    const own = Scope.root(new Names());
    const before: Scope[] = [];
    fill(own, () => {
      const opened = Scope.root(new Names());
      before.push(opened);
      return opened;
    });
    for (const { statements } of [...before, own])
      if (statements.length > 0) open().emit(...(taken === undefined ? statements : guarded(statements, taken)));
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
