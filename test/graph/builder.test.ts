// The graph builder. Holds: equal combinations of op, arguments, attributes and type are one node, whatever else has their hash, and all
// others are apart; work is counted by what the combination would be if it were written down.

import { describe, expect, it } from 'vitest';
import { Dim } from '../../src/base/index.js';
import {
  type AttrValue,
  type Attrs,
  attrsKey,
  GraphBuilder,
  isTensorNode,
  type Node,
  type OpTag,
  tensor,
  typeKey,
} from '../../src/graph/index.js';

const op: OpTag = { name: 'op' };
const scalar = tensor('f32');

describe('the graph builder', () => {
  const build = new GraphBuilder();
  const made = (attrs: Attrs): Node => build.make(op, [], attrs, scalar);
  const inner = build.make({ name: 'inner' }, [], {}, scalar);
  const region = (results: readonly Node[]): AttrValue => ({ kind: 'region', params: [scalar], results: results.filter(isTensorNode) });

  it.each<[string, AttrValue, AttrValue]>([
    ['the signs of zeros', 0, -0],
    ['numbers and their texts', 1, '1'],
    ['numbers and booleans', 1, true],
    ['numbers and big integers', 1, 1n],
    ['big integers of more bits than a hash', 1n, 1n + 2n ** 32n],
    ['numbers and lists of them', 1, [1]],
    ['lists of other order', [1, 2], [2, 1]],
    ['sizes', Dim.of('B'), Dim.of('C')],
    ['sizes and their texts', Dim.of('B'), 'B'],
    ['regions', region([inner]), region([build.make({ name: 'inner' }, [inner], {}, scalar)])],
  ])('tells %s apart', (_, one, other) => {
    expect(made({ value: one })).not.toBe(made({ value: other }));
  });

  it('gives one node for equal combinations', () => {
    const value = (): Attrs => ({ list: [1, NaN, 'a'], size: Dim.of('B').mul(2), of: region([inner]) });
    expect(made(value())).toBe(made(value()));
    expect(made({ a: 1, b: 2 })).toBe(made({ b: 2, a: 1 }));
    expect(made({ a: 1, b: 2 })).not.toBe(made({ a: 2, b: 1 }));
    expect(made({ a: 1 })).not.toBe(made({ a: 1, b: 2 }));
    expect(build.make(op, [], {}, tensor('f32', [Dim.of('B')]))).not.toBe(build.make(op, [], {}, tensor('f32', [Dim.of(4)])));
    expect(build.make(op, [inner], {}, scalar)).not.toBe(build.make(op, [inner, inner], {}, scalar));
  });

  it('finds each of many nodes again', () => {
    const all = Array.from({ length: 20_000 }, (_, at) => made({ at, half: at / 2 }));
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((node, at) => made({ half: at / 2, at }) === node)).toBe(true);
  });

  it('counts the letters of a combination as work', () => {
    const attrs: Attrs = {
      text: 'quoted " and ü\n'.repeat(20),
      list: [0, -0, 10, 99, 1e21, 0.1, -12, 3n, -3n, true, false, []],
      none: [],
      size: Dim.of('B').mul(Dim.of('C')),
      region: { kind: 'region', params: [scalar, tensor('i32', [Dim.of('B'), Dim.of(12)])], results: [inner, inner].filter(isTensorNode) },
    };
    const type = { kind: 'tuple', items: [tensor('f32', [Dim.of('B')]), tensor('i64')] } as const;
    const args = Array.from({ length: 40 }, (_, at) => made({ at }));
    for (let more = 0; more < 64; more++) {
      const padded = { ...attrs, [`a${'x'.repeat(more)}`]: more };
      const letters = `op(${args.map(({ id }) => `${id},`).join('')})${attrsKey(padded)}:${typeKey(type)}`.length;
      const before = build.meter.spent;
      build.make(op, args, padded, type);
      expect(build.meter.spent - before).toBe(4 + (letters >> 6));
    }
  });

  it('refuses origins for nodes of another builder', () => {
    const foreign = new GraphBuilder().make(op, [], {}, scalar);
    const origin = { span: { source: 'a.tdsl', start: 0, end: 1 }, scope: '', backward: false };
    expect(() => {
      build.addOrigin(foreign, origin);
    }).toThrow('another builder');
    expect(build.originsOf(foreign)).toEqual([]);
  });
});
