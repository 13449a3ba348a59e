// Loops as TDSL. In: a node of a loop, whoever writes it. Out: names of its results, bound by a `fold`, `scan` or `while`.
// Holds: what a loop carries is called in its rounds what it is called behind them. The way back through rounds that only run time counts
// computes the carries of each round again from the start: the text says what is computed, not what a machine keeps of it.

import type { Block, Expression, Iterable, Pattern } from '../../grammar/index.js';
import { Dim, limits, type Shape } from '../base/index.js';
import { type Node, sourceOf, type TensorNode, type TensorType } from '../graph/index.js';
import { isNodeOf } from './apply.js';
import { elementwise } from './elementwise.js';
import type { LoopAttrs } from './loop.js';
import { usedParameters } from './region.js';
import { applied, bare, binary, called, digits, named, nowhere, patternOf, range, truth, tupleOf, yielded } from './tdsl.js';
import type { UnwindAttrs } from './unwind.js';
import type { WhileAttrs } from './while.js';
import { expressionsOf, namesFor, type Writer, type Written, written } from './writing.js';

const i32 = (value: string): Expression => applied(named('i32'), [digits(value)]);
const counter = (name: string): Written => written(named(name), []);
const shapesOf = (nodes: readonly Node[]): Shape[] => nodes.map(({ type }) => (type as TensorType).shape);
const carried = (names: readonly string[], nodes: readonly Node[]): readonly Written[] => namesFor(names, shapesOf(nodes));

const fold = (variable: string, iterable: Iterable, names: readonly string[], starts: readonly Expression[], body: Block): Expression => ({
  kind: 'fold',
  variable: patternOf([variable]),
  iterable,
  carry: patternOf(names),
  initial: tupleOf(starts),
  body,
  span: nowhere,
});

/** `fold`, or `scan` where rounds leave something. */
export function writeLoop(node: Node<LoopAttrs>, writer: Writer): readonly Written[] {
  const { trip, carries, body } = node.attrs;
  const names = writer.results(node, (index) => (index < carries ? 'z' : 'zs'));
  const [own, stacked] = [names.slice(0, carries), names.slice(carries)];
  const inits = node.args.slice(0, carries);
  const starts = inits.map((init) => writer.exact(init));
  const captures = node.args.slice(carries).map((capture) => writer.shared(capture));
  const i = writer.fresh('i');
  const rounds = range(digits('0'), writer.size(trip));
  // A scan carries something.
  const idle = own.length === 0 ? writer.fresh('none') : undefined;
  const carry: Pattern = patternOf(idle === undefined ? own : [idle]);
  const initial = idle === undefined ? tupleOf(starts) : i32('0');
  let left: readonly Written[] = [];
  const block = writer.block((inside) => {
    left = inside.region(body, [{ ...counter(i), bounds: { low: Dim.zero, high: trip.sub(1) } }, ...carried(own, inits), ...captures]);
    const results = expressionsOf(left);
    if (stacked.length === 0) return bare(tupleOf(results));
    const next = idle === undefined ? tupleOf(results.slice(0, carries)) : named(idle);
    return yielded(tupleOf([next, tupleOf(results.slice(carries))]));
  });
  if (stacked.length === 0) writer.bind(patternOf(own), fold(i, rounds, own, starts, block));
  else {
    const last = idle === undefined ? carry : patternOf([writer.fresh('none')]);
    writer.bind(patternOf([last, patternOf(stacked)]), {
      kind: 'scan',
      variable: patternOf([i]),
      iterable: rounds,
      carry,
      initial,
      body: block,
      span: nowhere,
    });
  }
  // What a round leaves lies between the same bounds as all of them together.
  return names.map((name, at) => ({
    ...written(named(name), shapesOf(inits)[at] ?? [trip, ...(body.results[at] as TensorNode).type.shape]),
    bounds: at < carries ? undefined : left[at]?.bounds,
  }));
}

/** The bound of a `fold` whose rounds only run time counts: i < bound, whatever is carried. */
function boundOf({ carries, condition, limit }: WhileAttrs): TensorNode | undefined {
  const [asked] = condition.results;
  if (limit !== limits.rounds || asked === undefined || !isNodeOf(asked, elementwise.lt)) return undefined;
  const [count, bound] = asked.args as readonly [TensorNode, TensorNode];
  const source = sourceOf(count);
  const isCounter = source?.kind === 'argument' && source.index === 0;
  return isCounter && [...usedParameters([bound])].every((index) => index > carries) ? bound : undefined;
}

export function writeWhile(node: Node<WhileAttrs>, writer: Writer): readonly Written[] {
  const { attrs } = node;
  const { carries, condition, body, limit } = attrs;
  const names = writer.results(node, (index) => (index < carries ? 'z' : 'rounds')).slice(0, carries);
  const inits = node.args.slice(0, carries);
  const starts = inits.map((init) => writer.exact(init));
  const captures = node.args.slice(carries).map((capture) => writer.shared(capture));
  // A loop that its limit ends does not go on behind it.
  const ended = written(truth(false), []);
  const bound = boundOf(attrs);
  if (bound !== undefined) {
    const around = [counter('i'), ...carried(names, inits), ...captures];
    const [last] = expressionsOf(writer.region({ ...condition, results: [bound] }, around)) as [Expression];
    const rounds = written(called('max', [last, digits('0')]), []);
    if (carries === 0) return [rounds, ended];
    const i = writer.fresh('i');
    const block = writer.block((inside) => bare(tupleOf(expressionsOf(inside.region(body, [counter(i), ...around.slice(1)])))));
    writer.bind(patternOf(names), fold(i, range(digits('0'), last), names, starts, block));
    return [...carried(names, inits), rounds, ended];
  }
  const isCounted =
    carries === 0 || writer.isRead(node, carries) || [condition, body].some(({ results }) => usedParameters(results).has(0));
  const count = isCounted ? writer.fresh('rounds') : undefined;
  const all = count === undefined ? names : [...names, count];
  const params = [counter(count ?? ''), ...carried(names, inits), ...captures];
  const asked = writer.deferred('goesOn', all, (inside) => expressionsOf(inside.region(condition, params))[0] as Expression);
  const block = writer.block((inside) => {
    const next = expressionsOf(inside.region(body, params));
    return bare(tupleOf(count === undefined ? next : [...next, binary(named(count), '+', digits('1'))]));
  });
  writer.bind(patternOf(all), {
    kind: 'while',
    condition: asked,
    carry: patternOf(all),
    initial: tupleOf(count === undefined ? starts : [...starts, i32('0')]),
    limit: limit === limits.rounds ? null : digits(`${limit}`),
    body: block,
    span: nowhere,
  });
  return [...carried(names, inits), written(count === undefined ? i32('0') : named(count), []), ended];
}

export function writeUnwind(node: Node<UnwindAttrs>, writer: Writer): readonly Written[] {
  const { carries, captures, forward, back } = node.attrs;
  const [count, ...rest] = node.args as [Node, ...Node[]];
  const names = writer.results(node, () => 'dz');
  const rounds = writer.named(count);
  const inits = rest.slice(0, carries);
  const starts = inits.map((init) => writer.named(init));
  const given = rest.slice(carries, carries + captures).map((capture) => writer.shared(capture));
  const states = rest.slice(carries + captures, carries + captures + names.length);
  const others = rest.slice(carries + captures + names.length).map((other) => writer.shared(other));
  const first = states.map((state) => writer.exact(state));
  const [k, i] = [writer.fresh('k'), writer.fresh('i')];
  const block = writer.block((inside) => {
    inside.bind(patternOf([i]), binary(binary(rounds, '-', digits('1')), '-', named(k)));
    const before = inits.map(() => inside.fresh('z'));
    if (carries > 0) {
      const j = inside.fresh('j');
      const round = inside.block((deeper) =>
        bare(tupleOf(expressionsOf(deeper.region(forward, [counter(j), ...carried(before, inits), ...given])))),
      );
      inside.bind(patternOf(before), fold(j, range(digits('0'), named(i)), before, starts, round));
    }
    const all = [counter(i), ...carried(before, inits), ...given, ...carried(names, states), ...others];
    return bare(tupleOf(expressionsOf(inside.region(back, all))));
  });
  writer.bind(patternOf(names), fold(k, range(digits('0'), rounds), names, first, block));
  return carried(names, states);
}
