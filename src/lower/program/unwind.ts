// The way back through a loop whose rounds run time counts. In: a group of one `unwind`, and its storage. Out: a loop from the last round
// to the first, in which carries are computed again from where they are recorded (see the note at the end).
// Holds: what is recorded takes memory that does not grow with the rounds; with as many records as rounds nothing is computed twice.

import { bytesOf, Dim } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import { type Accumulator, build, type Buffer, type Expr } from '../../kernel/index.js';
import { tensorOf, type UnwindAttrs } from '../../ops/index.js';
import { recordedBytes, assumedCarryBytes, mostRecordLevels } from '../../target/index.js';
import type { Group } from '../fuse/groups.js';
import type { Scope } from '../form/scope.js';
import type { Stored } from '../form/values.js';
import { emitBufferCopy, overPoints } from '../schedule/common/copy.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { type Carry, capturesOf, emitRound, endCarries, outsideOf, startCarry, storedCarry } from './regions.js';

export function emitUnwind(node: Node<UnwindAttrs>, group: Group, scope: Scope, context: EmitContext): void {
  const { carries: count, captures, forward, back, active, sums, limit } = node.attrs;
  const { storage } = context;
  const results = storage.results(node);
  const outside = outsideOf(group, context);
  const captured = capturesOf(node.args, scope, context, outside);
  const rounds = scope.let('rounds', build.apply('convert', 'i64', outside.at(tensorOf(node.args[0] as Node), [], scope)));
  const carries = forward.params
    .slice(1, 1 + count)
    .map((type, at) => startCarry(type, tensorOf(node.args[1 + at] as Node), undefined, scope, context, outside));
  const firstState = 1 + count + captures;
  const states = back.params
    .slice(firstState, firstState + active.length + sums.length)
    .map((type, at) => startCarry(type, tensorOf(node.args[firstState + at] as Node), results[at], scope, context, outside));
  const parameterAt =
    (round: Expr) =>
    (index: number): Stored => {
      if (index === 0) return { kind: 'value', value: build.apply('convert', 'i32', round) };
      const carry = index <= count ? carries[index - 1] : states[index - firstState];
      return carry === undefined ? captured(index) : storedCarry(carry);
    };

  const { width, levels } = recordsFor(limit, carries);
  const records = carries.map((carry) => {
    const { dtype, shape } = carry.kind === 'register' ? { dtype: carry.now.dtype, shape: [] } : carry.now;
    return storage.pool.temporary({ dtype, shape: [Dim.of(slotsFor(width, levels)), ...shape] });
  });
  const places = storage.pool.temporary({ dtype: 'i64', shape: [Dim.of(slotsFor(width, levels))] });
  const [top, at] = ['top', 'at'].map((stem): Accumulator => ({ name: scope.names.fresh(stem), dtype: 'i64', shape: [] })) as [
    Accumulator,
    Accumulator,
  ];
  for (const accumulator of [top, at]) scope.emit({ kind: 'declare', accumulator, initial: build.int(0) });
  const record = (body: Scope): void => {
    const slot = body.let('slot', build.read(top));
    body.emit({ kind: 'store', buffer: places, index: [slot], value: build.read(at) });
    for (const [which, carry] of carries.entries()) keep(carry, records[which] as Buffer, slot, body);
  };
  record(scope);
  scope.loop(
    'back',
    rounds,
    'serial',
    (turn, inside) => {
      const target = inside.let('round', build.minus(build.minus(rounds, build.int(1)), turn));
      const placeOf = (body: Scope): Expr => body.let('place', build.load(places, [build.read(top)]));
      // What is recorded behind the round has served.
      inside.when(build.apply('gt', 'bool', placeOf(inside), target), (body) =>
        body.emit({ kind: 'assign', accumulator: top, index: [], value: build.minus(build.read(top), build.int(1)) }),
      );
      const slot = inside.let('slot', build.read(top));
      const from = placeOf(inside);
      inside.emit({ kind: 'assign', accumulator: at, index: [], value: from });
      for (const [which, carry] of carries.entries()) restore(carry, records[which] as Buffer, slot, inside);
      inside.loop(
        'ahead',
        build.minus(target, from),
        'serial',
        (_, ahead) => {
          const last = placeOf(ahead);
          const stride = strideFor(build.minus(target, last), width, levels);
          const isDue = build.apply('eq', 'bool', build.minus(build.read(at), last), stride);
          ahead.when(isDue, (body) => {
            body.emit({ kind: 'assign', accumulator: top, index: [], value: build.plus(build.read(top), build.int(1)) });
            record(body);
          });
          ahead.apart((block) => emitRound(forward, carries, 1, parameterAt(build.read(at)), block, context));
          ahead.emit({ kind: 'assign', accumulator: at, index: [], value: build.plus(build.read(at), build.int(1)) });
        },
        { carried: true },
      );
      inside.apart((block) => emitRound(back, states, firstState, parameterAt(target), block, context));
    },
    { carried: true },
  );
  endCarries(states, scope);
}

/** How far apart records are while so many rounds are left: the largest power of `width` that is not more. */
function strideFor(left: Expr, width: number, levels: number): Expr {
  let stride: Expr = build.int(1);
  for (let level = 1; level < levels; level++) {
    const power = build.int(width ** level);
    stride = build.apply('select', 'i64', build.apply('ge', 'bool', left, power), power, stride);
  }
  return stride;
}

const slotsFor = (width: number, levels: number): number => 1 + Math.max(0, width - 1) * levels;

/** The fewest levels whose records fit. */
function recordsFor(limit: number, carries: readonly Carry[]): { readonly width: number; readonly levels: number } {
  const bytes = carries.reduce((sum, carry) => {
    const { dtype, shape } = carry.now;
    const count = shape.reduce<number>((product, one) => product * (Dim.of(one).constant ?? NaN), 1);
    return sum + count * bytesOf(dtype);
  }, 0);
  for (let levels = 1; ; levels++) {
    let width = Math.max(1, Math.round(limit ** (1 / levels)));
    while (width ** levels < limit) width += 1;
    const needed = slotsFor(width, levels) * (Number.isNaN(bytes) ? assumedCarryBytes : bytes);
    if (levels >= mostRecordLevels || needed <= recordedBytes) return { width, levels };
  }
}

function keep(carry: Carry, records: Buffer, slot: Expr, scope: Scope): void {
  if (carry.kind === 'register') scope.emit({ kind: 'store', buffer: records, index: [slot], value: build.read(carry.now) });
  else emitBufferCopy(carry.now, records, scope, [slot]);
}

function restore(carry: Carry, records: Buffer, slot: Expr, scope: Scope): void {
  if (carry.kind === 'register') scope.emit({ kind: 'assign', accumulator: carry.now, index: [], value: build.load(records, [slot]) });
  else
    overPoints(carry.now.shape, scope, (body, point) =>
      body.emit({ kind: 'store', buffer: carry.now, index: point, value: build.load(records, [slot, ...point]) }),
    );
}

/* Note: records.
   With width W, a way forward over R rounds keeps a record every Wᵏ rounds, for the largest Wᵏ ≤ R, and where fewer are left, every Wᵏ⁻¹,
   and so on: no level has W records at a time. The way back starts each round from the last record before it. Up to W rounds every one is
   kept; beyond that a round is computed once more for each level, so W = ⌈limit^(1/L)⌉ with L levels takes at most L ways forward and
   1 + (W - 1) L records. With W = 3 and nine rounds, records are kept before rounds 0, 3, 6, 7, then 4, then 1. Checkpoints on a fixed
   number of levels are Griewank and Walther, "Evaluating Derivatives", chapter 12. */
