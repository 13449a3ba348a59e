// The graph's verifier. In: a sound module, and the same with one thing broken. Out: silence, or an error that names the pass and the rule.

import { describe, expect, it } from 'vitest';
import { Dim, InternalError } from '../../src/base/index.js';
import {
  type Entry,
  GraphBuilder,
  type ModuleGraph,
  type Node,
  type Source,
  type TensorNode,
  type TensorType,
  type Type,
  isTensorNode,
  tensor,
  verifyModule,
} from '../../src/graph/index.js';

const build = new GraphBuilder();
const sources: Readonly<Record<string, (attrs: Node['attrs']) => Source>> = {
  feed: ({ name }) => ({ kind: 'feed', name: String(name) }),
  variable: ({ path }) => ({ kind: 'variable', path: String(path) }),
  argument: ({ index }) => ({ kind: 'argument', index: Number(index) }),
};
function make(name: string, args: readonly Node[], attrs: Node['attrs'], type: Type): Node {
  const source = sources[name];
  return build.make({ name, ...(source === undefined ? {} : { source }) }, args, attrs, type);
}
function of(node: Node): TensorNode {
  if (!isTensorNode(node)) throw new Error('a tensor is expected');
  return node;
}

const xType = tensor('f32', [Dim.of('B')]);
const x = of(make('feed', [], { name: 'x' }, xType));
const w = of(make('variable', [], { path: 'w' }, tensor('f32')));
const sum = of(make('reduceSum', [x], { axes: [0] }, tensor('f32')));

const entry: Entry = {
  name: 'e',
  kind: 'step',
  doc: undefined,
  dims: ['B'],
  ranks: {},
  facts: [],
  feeds: [{ name: 'x', type: xType, span: undefined }],
  outputs: [{ path: '', node: sum }],
  result: { kind: 'output', index: 0 },
  updates: [{ variable: 'w', node: sum }],
  summaries: [{ kind: 'scalar', name: 's', node: sum }],
  names: new Map([['sum', sum]]),
  span: undefined,
};
const module: ModuleGraph = {
  path: 'm',
  variables: [
    {
      path: 'w',
      type: tensor('f32'),
      kind: 'param',
      initial: of(make('constant', [], { value: 0 }, tensor('f32'))),
      streams: [],
      span: undefined,
      doc: undefined,
    },
  ],
  entries: [entry],
};
const withEntry = (change: Partial<Entry>): ModuleGraph => ({ ...module, entries: [{ ...entry, ...change }] });
const output = (node: Node): ModuleGraph => withEntry({ outputs: [{ path: '', node: of(node) }] });
const region = (params: readonly TensorType[], results: readonly Node[]) => ({ kind: 'region', params, results: results.map(of) }) as const;

const forged: Node = { id: 1, op: { name: 'neg' }, args: [sum], attrs: {}, type: tensor('f32') };

const broken: readonly (readonly [rule: string, what: string, module: ModuleGraph])[] = [
  ['order', 'older than its argument', output(forged)],
  ['order', 'share an id', output({ ...sum, args: [] })],
  ['types', 'its rule says f64', output(make('wrong', [], {}, tensor('f32')))],
  ['types', 'what a mess', output(make('refused', [], {}, tensor('f32')))],
  ['arguments', 'outside of a region', output(make('argument', [], { index: 0 }, tensor('f32')))],
  [
    'regions',
    'counts 1, of 1',
    output(make('call', [], { body: region([tensor('f32')], [make('argument', [], { index: 1 }, tensor('f32'))]) }, tensor('f32'))),
  ],
  [
    'regions',
    'the parameter is f64',
    output(make('call', [], { body: region([tensor('f64')], [make('argument', [], { index: 0 }, tensor('f32'))]) }, tensor('f32'))),
  ],
  ['regions', 'reaches out', output(make('call', [], { body: region([], [x]) }, xType))],
  ['feeds', 'reads y', output(make('feed', [], { name: 'y' }, tensor('f32')))],
  ['feeds', 'reads x as f64', output(make('feed', [], { name: 'x' }, tensor('f64')))],
  ['feeds', 'two feeds', withEntry({ feeds: [...entry.feeds, ...entry.feeds] })],
  ['variables', 'reads v', output(make('variable', [], { path: 'v' }, tensor('f32')))],
  ['variables', 'updates v,', withEntry({ updates: [{ variable: 'v', node: sum }] })],
  ['variables', 'updates w twice', withEntry({ updates: [...entry.updates, ...entry.updates] })],
  ['variables', 'with f32[B]', withEntry({ updates: [{ variable: 'w', node: x }] })],
  ['variables', 'declared twice', { ...module, variables: [...module.variables, ...module.variables] }],
  ['variables', 'reads w', { ...module, variables: module.variables.map((variable) => ({ ...variable, initial: w })) }],
  [
    'variables',
    'is f64, not f32',
    {
      ...module,
      variables: module.variables.map((variable) => ({ ...variable, initial: of(make('constant', [], { value: 0 }, tensor('f64'))) })),
    },
  ],
  ['sizes', 'uses the size B', withEntry({ dims: [] })],
  ['sizes', 'uses the size C', output(make('dimension', [], { dim: Dim.of('C') }, tensor('i32')))],
  [
    'sizes',
    'a fact of entry e uses the size N',
    withEntry({ facts: [{ left: Dim.of('N'), relation: '>', right: Dim.one, span: undefined }] }),
  ],
  ['results', 'has no output 1', withEntry({ result: { kind: 'output', index: 1 } })],
  ['results', 'takes output 0 0 times', withEntry({ result: { kind: 'tuple', items: [] } })],
  ['results', 'summary s of entry e is f32[B]', withEntry({ summaries: [{ kind: 'scalar', name: 's', node: x }] })],
  ['removed', 'in entry e: too late', output(make('grad', [], {}, tensor('f32')))],
];

const infer = (node: Node): Type | string =>
  node.op.name === 'wrong' ? tensor('f64') : node.op.name === 'refused' ? 'what a mess' : node.type;
const refuse = (node: Node): string | undefined => (node.op.name === 'grad' ? 'too late' : undefined);
const verify = (which: ModuleGraph): void => {
  verifyModule(which, { pass: 'simplify', infer, refuse });
};

describe('the verifier', () => {
  it('accepts a sound module', () => {
    expect(() => {
      verify(module);
    }).not.toThrow();
  });

  it.each(broken)('names the rule "%s": %s', (rule, what, which) => {
    try {
      verify(which);
    } catch (error) {
      if (!(error instanceof InternalError)) throw error;
      expect(error.pass).toBe('simplify');
      expect(error.message).toContain(`the rule "${rule}"`);
      expect(error.message).toContain(what);
      return;
    }
    expect.unreachable();
  });
});
