// Loops with a condition. In: a group of one such loop, and its storage. Out: one serial loop that asks before each round.
// Holds: the condition is computed behind each round, and once before the first one, into a register that the loop asks.

import type { Node, TensorNode } from '../../graph/index.js';
import { type Accumulator, build } from '../../kernel/index.js';
import { tensorOf, type WhileAttrs } from '../../ops/index.js';
import type { Group } from '../fuse/groups.js';
import type { Scope } from '../form/scope.js';
import type { Stored } from '../form/values.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { capturesOf, emitRegion, emitRound, endCarries, outsideOf, startCarry, storedCarry } from './regions.js';

export function emitWhile(node: Node<WhileAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const { carries: count, condition, body, limit } = node.attrs;
  const results = context.storage.results(node);
  const outside = outsideOf(group, context);
  const carries = body.params
    .slice(1, 1 + count)
    .map((type, at) => startCarry(type, tensorOf(node.args[at] as Node), results[at], scope, context, outside));
  const rounds: Accumulator = { name: scope.names.fresh('rounds'), dtype: 'i32', shape: [] };
  const goesOn: Accumulator = { name: scope.names.fresh('on'), dtype: 'bool', shape: [] };
  scope.emit(
    { kind: 'declare', accumulator: rounds, initial: build.constant('i32', 0) },
    { kind: 'declare', accumulator: goesOn, initial: build.constant('bool', 0) },
  );
  const captured = capturesOf(node.args, scope, context, outside);
  const parameter = (index: number): Stored => {
    if (index === 0) return { kind: 'value', value: build.read(rounds) };
    const carry = carries[index - 1];
    return carry === undefined ? captured(index - 1) : storedCarry(carry);
  };
  const ask = (inside: Scope): void => {
    inside.apart((block) =>
      emitRegion([{ node: condition.results[0] as TensorNode, to: { kind: 'register', accumulator: goesOn } }], parameter, block, context),
    );
  };
  ask(scope);
  scope.loop(
    'round',
    build.int(limit),
    'serial',
    (_, inside) => {
      inside.apart((block) => emitRound(body, carries, 1, parameter, block, context));
      inside.emit({
        kind: 'assign',
        accumulator: rounds,
        index: [],
        value: build.apply('add', 'i32', build.read(rounds), build.constant('i32', 1)),
      });
      ask(inside);
    },
    { carried: true, while: goesOn },
  );
  endCarries(carries, scope);
  for (const [at, register] of [rounds, goesOn].entries()) {
    const result = results[count + at];
    if (result !== undefined) scope.emit({ kind: 'store', buffer: result, index: [], value: build.read(register) });
  }
}
