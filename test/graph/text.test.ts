// The graph's text form. In: modules made here. Out: text that reads back to the same text, and errors that name the line.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dim, DiagnosticsError } from '../../src/base/index.js';
import {
  type AttrValue,
  type Entry,
  GraphBuilder,
  type ModuleGraph,
  type Node,
  type OpTag,
  type Region,
  type TensorNode,
  isTensorNode,
  parseModule,
  parseNodes,
  printModule,
  printNodes,
  tensor,
  topological,
  useCounts,
} from '../../src/graph/index.js';

const ops = new Map<string, OpTag>();
const op = (name: string): OpTag => {
  const known = ops.get(name) ?? { name };
  ops.set(name, known);
  return known;
};
const options = (build = new GraphBuilder()) => ({ build, op: (name: string) => ops.get(name) });

const asTensor = (node: Node): TensorNode => {
  if (!isTensorNode(node)) throw new Error('a tensor is expected');
  return node;
};

const batch = Dim.of('B');

function sampleModule(build: GraphBuilder): ModuleGraph {
  const x = asTensor(build.make(op('feed'), [], { name: 'x' }, tensor('f32', [batch, Dim.of(3)])));
  const w = asTensor(build.make(op('variable'), [], { path: 'net/w' }, tensor('f32', [Dim.of(3)])));
  const carry = asTensor(build.make(op('argument'), [], { index: 1 }, tensor('f32')));
  const body: Region = {
    kind: 'region',
    params: [tensor('i32'), tensor('f32')],
    results: [asTensor(build.make(op('exp'), [carry], {}, tensor('f32'))), carry],
  };
  const zero = build.make(op('constant'), [], { value: -0, dtype: 'f32' }, tensor('f32'));
  const loop = build.make(
    op('loop'),
    [zero],
    { trip: batch.mul(2).add(1), carries: 1, body },
    { kind: 'tuple', items: [tensor('f32'), tensor('f32', [batch.mul(2).add(1)])] },
  );
  const last = asTensor(build.make(op('element'), [loop], { index: 0 }, tensor('f32')));
  const sum = asTensor(build.make(op('reduceSum'), [build.make(op('mul'), [x, x], {}, x.type)], { axes: [0, 1] }, tensor('f32')));
  const entry: Entry = {
    name: 'train',
    kind: 'step',
    doc: 'One step.\nOf many.',
    dims: ['B'],
    ranks: { S: 2 },
    facts: [{ left: batch, relation: '>', right: Dim.of(1), span: undefined }],
    feeds: [{ name: 'x', type: x.type, span: undefined }],
    outputs: [
      { path: 'loss', node: sum },
      { path: 'rest/0', node: last },
    ],
    result: {
      kind: 'record',
      fields: [
        ['loss', { kind: 'output', index: 0 }],
        ['rest', { kind: 'tuple', items: [{ kind: 'output', index: 1 }] }],
      ],
    },
    updates: [{ variable: 'net/w', node: w }],
    summaries: [{ kind: 'scalar', name: 'loss "x"', node: sum }],
    names: new Map([['loss/error', sum]]),
    span: undefined,
  };
  const seed = build.make(op('feed'), [], { name: 'seed' }, tensor('i64'));
  const initial = asTensor(
    build.make(
      op('normal'),
      [seed],
      { stream: 5n, scale: 1e-7, list: [1, [Number.NaN, Number.NEGATIVE_INFINITY], true, batch.mul(batch).sub(3)] },
      tensor('f32', [Dim.of(3)]),
    ),
  );
  return {
    path: 'model.tdsl',
    variables: [
      { path: 'net/w', type: w.type, kind: 'param', initial, streams: [], span: undefined, doc: 'weights' },
      { path: 't', type: tensor('i32'), kind: 'state', initial: undefined, streams: [], span: undefined, doc: undefined },
    ],
    entries: [entry],
  };
}

describe('text of a graph', () => {
  it('is stable and readable', () => {
    expect(printModule(sampleModule(new GraphBuilder()))).toBe(`module "model.tdsl"

variable "net/w" param f32[3] {
  doc "weights"
  %0 = feed {name="seed"} : i64
  %1 = normal %0 {list=[1, [NaN, -Infinity], true, <B*B - 3>], scale=1e-7, stream=5n} : f32[3]
  initial %1
}

variable "t" state i32

entry "train" step {
  doc "One step.\\nOf many."
  dims B
  rank "S" 2
  fact <B> ">" <1>
  feed "x": f32[B, 3]
  %0 = feed {name="x"} : f32[B, 3]
  %1 = mul %0, %0 : f32[B, 3]
  %2 = reduceSum %1 {axes=[0, 1]} : f32
  %3 = constant {dtype="f32", value=-0} : f32
  %4 = loop %3 {carries=1, trip=<2*B + 1>} : (f32, f32[2*B + 1]) body(i32, f32) {
    %0 = argument {index=1} : f32
    %1 = exp %0 : f32
    return %1, %0
  }
  %5 = element %4 {index=0} : f32
  %6 = variable {path="net/w"} : f32[3]
  output "loss" %2
  output "rest/0" %5
  result {"loss": #0, "rest": (#1)}
  update "net/w" %6
  summary scalar "loss \\"x\\"" %2
  name "loss/error" %2
}
`);
  });

  it('reads back to the same text, in another builder and in the same one', () => {
    const build = new GraphBuilder();
    const module = sampleModule(build);
    const text = printModule(module);
    expect(printModule(parseModule(text, options()))).toBe(text);
    const again = parseModule(text, options(build));
    expect(again.entries[0]?.outputs[1]?.node).toBe(module.entries[0]?.outputs[1]?.node);
  });

  it('shows origins as comments, which are no part of it', () => {
    const build = new GraphBuilder();
    const node = build.at({ span: { source: 'm.tdsl', start: 3, end: 9 }, scope: 'loss', backward: true }, () =>
      build.make(op('constant'), [], { value: 1 }, tensor('f32')),
    );
    const text = printNodes([node], { origins: build });
    expect(text).toBe('%0 = constant {value=1} : f32 ; m.tdsl:3-9 loss backward\nreturn %0\n');
    expect(printNodes(parseNodes(text, options()))).toBe('%0 = constant {value=1} : f32\nreturn %0\n');
  });

  it('reads back whatever attributes a node has', () => {
    const dim = fc
      .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.array(fc.constantFrom('A', 'B', 'C'), { maxLength: 3 })), { maxLength: 4 })
      .map((terms) => Dim.fromTerms(terms.map(([coefficient, names]) => ({ coefficient, names }))));
    const value: fc.Arbitrary<AttrValue> = fc.letrec<{ value: AttrValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 2 },
        fc.string(),
        fc.double(),
        fc.integer(),
        fc.bigInt(),
        fc.boolean(),
        dim,
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'axes'), value), fc.array(dim, { maxLength: 3 }), (attrs, shape) => {
        const build = new GraphBuilder();
        const node = build.make(op('f'), [], attrs, tensor('bf16', shape));
        const [again] = parseNodes(printNodes([node]), options(build));
        expect(again).toBe(node);
      }),
    );
  });

  it.each([
    ['module 5', 'line 1 of a graph: the path of the module is expected, found `5`'],
    ['module "m"\nentry "e" thing {', 'line 2 of a graph: `fn` or `step` or `init` is expected, found `thing`'],
    ['module "m"\nvariable "w" param f31', 'line 2 of a graph: a type is expected, found `f31`'],
    ['module "m"\nvariable "w" param f32 {\n%1 = constant : f32', 'line 3 of a graph: node %0 is expected, found `=`'],
    [
      'module "m"\nvariable "w" param f32 {\n%0 = nothing : f32',
      'line 3 of a graph: an op that exists, not nothing, is expected, found `:`',
    ],
    ['module "m"\nvariable "w" param f32 {\ninitial %3', 'line 3 of a graph: a node that stands above, not %3, is expected, found the end'],
  ])('says what is wrong with %j', (text, message) => {
    try {
      parseModule(text, options());
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof DiagnosticsError)) throw error;
      expect(error.diagnostics).toEqual([{ code: 'bad-data', message }]);
    }
  });
});

describe('walks', () => {
  it('gives arguments before users, each once, and counts uses', () => {
    const build = new GraphBuilder();
    const a = build.make(op('a'), [], {}, tensor('f32'));
    const b = build.make(op('b'), [a, a], {}, tensor('f32'));
    const c = build.make(op('c'), [b, a], {}, tensor('f32'));
    const order = topological([c, b]);
    expect(order).toEqual([a, b, c]);
    expect([...useCounts(order)]).toEqual([
      [a, 3],
      [b, 1],
    ]);
  });

  it('walks a chain deeper than the call stack', () => {
    const build = new GraphBuilder();
    let node = build.make(op('a'), [], {}, tensor('f32'));
    for (let depth = 0; depth < 30_000; depth++) node = build.make(op('f'), [node], {}, tensor('f32'));
    expect(topological([node])).toHaveLength(30_001);
  });
});
