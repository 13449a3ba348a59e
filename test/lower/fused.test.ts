// The steps from a graph to groups in order: their texts, the rules that their verifiers keep, and the parser. In: programs, texts. Out:
// text, graphs, and which rule a broken one breaks.

import { beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { check } from '../../src/driver/build/front.js';
import { toFused, toSimplified } from '../../src/driver/build/pipeline.js';
import { GraphBuilder, type Node, type TensorNode } from '../../src/graph/index.js';
import { formBlock, type FormedBlock } from '../../src/lower/form/formed.js';
import { Forms } from '../../src/lower/form/materialize.js';
import { splitReduction } from '../../src/lower/form/partial.js';
import { Structures } from '../../src/lower/form/structure.js';
import type { FusedGroup, FusedMember } from '../../src/lower/fuse/fused-graph.js';
import {
  describeFormed,
  describeFused,
  describeGrouped,
  formEntry,
  type FormedEntry,
  type FusedEntry,
  type FusedGraph,
  fuseEntry,
  type GroupedEntry,
  orderEntry,
  parseFormed,
  parseFused,
  printFormedGraph,
  printFused,
  splitEntry,
  verifyFormedGraph,
  verifyFused,
} from '../../src/lower/index.js';
import { KernelClasses } from '../../src/lower/program/kernel-classes.js';
import { registry } from '../../src/ops/index.js';
import { Make } from '../eval/make.js';
import { fixedTarget } from './kernels.js';

const programs = ['moons', 'mnist', 'deep', 'rows', 'relus', 'loop'];

const checked = (name: string): ReturnType<typeof check> =>
  check({ path: join(import.meta.dirname, '..', 'programs', `${name}.tdsl`), set: {}, open: undefined }, new Map());

/** An entry after each of the passes. */
interface Stages {
  readonly form: FormedEntry;
  readonly fuse: GroupedEntry;
  readonly split: GroupedEntry;
  readonly order: FusedEntry;
}

function stagesOf(name: string): Stages[] {
  const { module, build } = checked(name);
  const { entries, variables } = toSimplified().run(module, { build }).output;
  const classes = new KernelClasses();
  return entries.map((entry) => {
    const form = formEntry(entry, fixedTarget, classes);
    const fuse = fuseEntry(form);
    const split = splitEntry(fuse);
    return { form, fuse, split, order: orderEntry(split, variables) };
  });
}

const stages = (name: string, wanted: string): Stages => stagesOf(name).find(({ form }) => form.entry.name === wanted) as Stages;

const read = (text: string): FusedGraph[] => parseFused(text, { build: new GraphBuilder(), op: (name) => registry.get(name) });
const verifyFormed = (block: FormedBlock): void => verifyFormedGraph(describeFormed('f', block), 'test');

/** What `--dump-after` prints. */
function dumpsOf(name: string, passes: readonly string[]): Map<string, string> {
  const { module, build } = checked(name);
  const dumps = new Map<string, string>();
  toFused(fixedTarget).run(module, { build, dumpAfter: new Set(passes), dump: (pass, text) => dumps.set(pass, text) });
  return dumps;
}

describe('what the passes print', () => {
  const dumps = new Map<string, Map<string, string>>();
  beforeAll(() => {
    for (const name of ['moons', 'mnist', 'loop']) dumps.set(name, dumpsOf(name, ['form', 'fuse', 'split', 'order']));
  });
  const dump = (name: string, pass: string): string => dumps.get(name)?.get(pass) ?? '';

  it('form: of each node how it is computed, and where its value is', () => {
    const text = dump('mnist', 'form');
    const formOf = (of: string, program = text): readonly string[] =>
      [...program.matchAll(new RegExp(`\\n {2}(%\\d+) = ${of}`, 'g'))].map(
        ([, number]) => new RegExp(`\\n {2}form ${number} (.*)\\n`).exec(program)?.[1] ?? '',
      );
    expect(text).toMatch(/^formed "predict" \{\n {2}%0 = feed .* : f32\[B, 784\]\n/);
    expect(formOf('feed')).toContain('stored source');
    expect(formOf('matmul %0, %1 : f32\\[B, 300\\]')).toContain('materialized matmul');
    expect(formOf('broadcast')).toContain('inline element 0');
    expect(formOf('reduceMax %\\d+ \\{axes=\\[1\\]\\} : f32\\[B\\]')).toContain('materialized reduce max over [10]');
    expect(formOf('mul')).toContain('inline element 1 in sum');
    expect(text).toMatch(/\n {2}require %\d+\n\}\n/);
    expect(formOf('loop', dump('loop', 'form'))).toContain('materialized loop');
    expect(formOf('element', dump('loop', 'form'))).toContain('stored element-of');
  });

  it('fuse: groups with what they read and compute, and no places', () => {
    const text = dump('moons', 'fuse');
    expect(text).toMatch(/^grouped "probability" \{\n {2}%0 = /);
    expect(text).toMatch(/\n {2}require %\d+\n {2}group 0 /);
    expect(text).toMatch(/\n {2}group \d+ elementwise \[B\] reads %\d+, %\d+, %\d+\n {4}elementwise %\d+: f32\[B, 1\]\n\}/);
    expect(text).not.toContain(' to ');
    expect(dump('mnist', 'fuse')).not.toContain('partial');
  });

  it('split: reductions by partial results, in groups of their own and in company', () => {
    const text = dump('mnist', 'split');
    const number = /\n {2}split %(\d+) over \[B\]\n/.exec(text)?.[1] ?? '';
    expect(text).toMatch(
      new RegExp(`\\n {2}group \\d+ fused-rows \\[B\\] .*(\\n {4}.*)*\\n {4}partial partials of %${number}: f32\\[\\d+`),
    );
    expect(text).toMatch(new RegExp(`reads (.*, )?partials of %${number}(, .*)?(\\n {4}.*)*\\n {4}reduce %${number}: `));
    expect(text).not.toContain(' to ');
    // Where nothing is split, groups stay as they are.
    expect(dump('moons', 'split')).toBe(dump('moons', 'fuse'));
  });

  it('order: groups in order, with what they read, compute and store', () => {
    const text = dump('moons', 'order');
    expect(text).toMatch(/^fused "probability" \{\n {2}%0 = /);
    expect(text).toMatch(/\n {2}require %\d+ to out_result\n/);
    expect(text).toMatch(/\n {2}group \d+ elementwise \[B\] reads %\d+, %\d+, %\d+\n {4}elementwise %\d+: f32\[B, 1\] to out_result\n\}/);
    expect(dump('loop', 'order')).toMatch(/\n {4}loop %\d+: \(f64, f64\[100\]\) to unread, t\d+\n/);
  });
});

describe('a plan', () => {
  it('does not change when later passes take it', () => {
    const { variables } = checked('mnist').module;
    const { form, fuse, split } = stages('mnist', 'train');
    const text = (): string[] => [
      printFormedGraph(describeFormed('train', form.block)),
      printFused(describeGrouped(fuse)),
      printFused(describeGrouped(split)),
    ];
    const before = text();
    const [first, second] = [orderEntry(splitEntry(fuseEntry(form)), variables), orderEntry(split, variables)];
    expect(printFused(describeFused(second))).toBe(printFused(describeFused(first)));
    expect(printFused(describeFused(orderEntry(split, variables)))).toBe(printFused(describeFused(second)));
    expect(text()).toEqual(before);
    expect(before[1]).not.toBe(before[2]);
  });

  it('has its own splits, and splits a reduction once', () => {
    const make = new Make();
    const sum = make.op('reduceSum', [make.feed('x', [4096, 64])], { axes: [0] });
    const whole = new Forms(fixedTarget, new Structures());
    const form = whole.of(sum);
    if (form.kind !== 'reduce') throw new Error(`a ${form.kind}`);
    const split = splitReduction(form, form.reduced);
    const splits = new Map<Node, typeof split>([[sum, split]]);
    const forms = whole.withSplits(splits);
    expect([forms.of(sum), forms.argsOf(sum), forms.of(split.partial.node)]).toEqual([split.combine, [split.partial.node], split.partial]);
    expect([whole.of(sum), whole.argsOf(sum), whole.splitOf(sum)]).toEqual([form, sum.args, undefined]);
    expect(() => forms.withSplits(splits)).toThrow('is split twice');
  });
});

describe('groups of a program', () => {
  it.each(programs)('%s verify, and are printed the same twice', (name) => {
    const all = [stagesOf(name), stagesOf(name)].map((entries) =>
      entries.flatMap(({ form, fuse, split, order }) => [
        printFormedGraph(describeFormed(form.entry.name, form.block)),
        ...[describeGrouped(fuse), describeGrouped(split), describeFused(order)].map(printFused),
      ]),
    );
    expect(all[0]).toEqual(all[1]);
    for (const { form, fuse, split, order } of stagesOf(name)) {
      expect(() => verifyFormedGraph(describeFormed(form.entry.name, form.block), 'test')).not.toThrow();
      for (const graph of [describeGrouped(fuse), describeGrouped(split), describeFused(order)])
        expect(() => verifyFused(graph, 'test')).not.toThrow();
    }
  });

  it.each(programs)('%s are read back from their text', (name) => {
    const [formed = ''] = dumpsOf(name, ['form']).values();
    const forms = parseFormed(formed, { build: new GraphBuilder(), op: (op) => registry.get(op) });
    expect(forms.map(printFormedGraph).join('\n')).toBe(formed);
    for (const graph of forms) expect(() => verifyFormedGraph(graph, 'test')).not.toThrow();
    for (const [pass, text] of dumpsOf(name, ['fuse', 'split', 'order'])) {
      const graphs = read(text);
      expect(graphs.map(printFused).join('\n'), pass).toBe(text);
      for (const graph of graphs) expect(() => verifyFused(graph, 'test')).not.toThrow();
    }
  });

  it('read back are the same structure', () => {
    const graph = describeFused(stages('mnist', 'train').order);
    const [again] = read(printFused(graph)) as [FusedGraph];
    const plain = ({ nodes, ...rest }: FusedGraph): object => ({ ...rest, nodes: nodes.map(({ op }) => op.name) });
    expect(plain(again)).toEqual(plain(graph));
  });
});

type Change = (graph: FusedGraph) => FusedGraph;
type GroupChange = (group: FusedGroup) => FusedGroup;

/** Changes the first group of which `which` is true. */
const inGroup =
  (which: (group: FusedGroup) => boolean, change: GroupChange): Change =>
  (graph) => {
    const found = graph.groups.find(which);
    if (found === undefined) throw new Error('no such group');
    return { ...graph, groups: graph.groups.map((group) => (group === found ? change(group) : group)) };
  };

const groupsOf =
  (change: (groups: readonly FusedGroup[]) => readonly FusedGroup[]): Change =>
  (graph) => ({ ...graph, groups: change(graph.groups) });

const inMembers =
  (change: (member: FusedMember) => FusedMember): GroupChange =>
  (group) => ({ ...group, members: group.members.map(change) });

const any = (): boolean => true;
const isMatmul = ({ mode }: FusedGroup): boolean => mode === 'matmul';
const hasPartials = ({ members }: FusedGroup): boolean => members.some(({ partial }) => partial);
const readsPartials = ({ reads }: FusedGroup): boolean => reads.some(({ partial }) => partial);

describe('the fused graph has the rule', () => {
  let graphs: Readonly<Record<'split' | 'order', FusedGraph>>;
  beforeAll(() => {
    const { split, order } = stages('mnist', 'train');
    graphs = { split: describeGrouped(split), order: describeFused(order) };
  });

  it.each<[rule: string, stage: 'split' | 'order', message: string, Change]>([
    ['members', 'order', 'belongs to the groups', groupsOf((groups) => [...groups, { ...(groups[0] as FusedGroup), id: 999 }])],
    ['members', 'order', 'has none', inGroup(any, (group) => ({ ...group, members: [] }))],
    ['members', 'split', 'has none', inGroup(any, (group) => ({ ...group, members: [] }))],
    ['members', 'order', 'the flash group', inGroup(isMatmul, (group) => ({ ...group, mode: 'flash' }))],
    [
      'members',
      'order',
      'again, which no other one does',
      inGroup(isMatmul, (group) => ({
        ...group,
        mode: 'flash-backward',
        members: group.members.map((member) => (member.role === 'matmul' ? { ...member, role: 'again', to: [] } : member)),
      })),
    ],
    [
      'members',
      'order',
      'is computed again and goes to elsewhere',
      inGroup(isMatmul, (group) => ({
        ...group,
        mode: 'flash-backward',
        members: group.members.map((member) => (member.role === 'matmul' ? { ...member, role: 'again', to: ['elsewhere'] } : member)),
      })),
    ],
    ['members', 'order', 'has 0 of role nest', inGroup(any, (group) => ({ ...group, mode: 'nest' }))],
    [
      'members',
      'order',
      'has 2 of role matmul',
      inGroup(isMatmul, (group) => ({ ...group, members: [...group.members, ...group.members.slice(0, 1)] })),
    ],
    [
      'members',
      'order',
      'has a member of role elementwise',
      inGroup(isMatmul, (group) => ({
        ...group,
        mode: 'loop',
        members: [
          { ...(group.members[0] as FusedMember), role: 'loop' },
          { ...(group.members[0] as FusedMember), role: 'elementwise' },
        ],
      })),
    ],
    [
      'members',
      'order',
      'cannot have the role partial',
      inGroup(
        hasPartials,
        inMembers((member) => ({ ...member, partial: false })),
      ),
    ],
    [
      'members',
      'order',
      'its node',
      inGroup(
        any,
        inMembers((member) => ({ ...member, type: { kind: 'tuple', items: [] } })),
      ),
    ],
    ['members', 'order', 'is stored', inGroup(isMatmul, (group) => ({ ...group, members: [...group.members, source(group)] }))],
    [
      'members',
      'order',
      'there is no node %9999',
      inGroup(
        any,
        inMembers((member) => ({ ...member, number: 9999 })),
      ),
    ],
    ['order', 'order', 'runs later', groupsOf((groups) => groups.toReversed())],
    ['order', 'order', 'which nothing computes', groupsOf((groups) => groups.slice(1))],
    ['order', 'split', 'which nothing computes', groupsOf((groups) => groups.slice(1))],
    ['order', 'split', 'waits for itself', (graph) => inCircle(graph)],
    [
      'storage',
      'order',
      'is not stored',
      inGroup(
        hasPartials,
        inMembers((member) => (member.partial ? { ...member, to: [] } : member)),
      ),
    ],
    [
      'storage',
      'order',
      'two values go to var_net_hidden1_b',
      inGroup(
        isMatmul,
        inMembers((member) => ({ ...member, to: ['var_net_hidden1_b'] })),
      ),
    ],
    [
      'storage',
      'split',
      'before places are given',
      inGroup(
        any,
        inMembers((member) => ({ ...member, to: ['t0'] })),
      ),
    ],
    ['storage', 'split', 'before places are given', (graph) => ({ ...graph, copies: [{ from: 't0', to: 't1' }] })],
    ['splits', 'order', 'is not split', (graph) => ({ ...graph, splits: [] })],
    [
      'splits',
      'split',
      'have no company',
      (graph) => ({ ...graph, splits: [...graph.splits, { number: graph.required[0]?.number as number, points: [] }] }),
    ],
    ['splits', 'order', 'is not made of its partial results', inGroup(readsPartials, (group) => ({ ...group, reads: [] }))],
    ['required', 'order', 'nothing computes', groupsOf((groups) => groups.slice(0, -1))],
    [
      'required',
      'order',
      'does not get to out_elsewhere',
      (graph) => ({ ...graph, required: graph.required.map((one) => ({ ...one, to: 'out_elsewhere' })) }),
    ],
    [
      'required',
      'order',
      'does not get to any place',
      (graph) => ({ ...graph, required: graph.required.map((one) => ({ ...one, to: undefined })) }),
    ],
  ])('%s (%#): %s, %s', (rule, stage, message, change) => {
    const broken = (): void => verifyFused(change(graphs[stage]), 'test');
    expect(broken).toThrow(`rule ${rule} of the fused graph broken in "train"`);
    expect(broken).toThrow(message);
  });

  /** What a group reads from outside of all groups, as a member. */
  function source({ reads }: FusedGroup): FusedMember {
    const { nodes } = graphs.order;
    const value = reads.find(({ number }) => nodes[number]?.op.name === 'variable' || nodes[number]?.op.name === 'feed');
    const number = value?.number as number;
    return { role: 'elementwise', number, partial: false, type: (nodes[number] as Node).type, to: [] };
  }

  /** Lets a group read what is made of its own result. */
  function inCircle(graph: FusedGraph): FusedGraph {
    const computes = (group: FusedGroup, number: number): boolean => group.members.some((member) => member.number === number);
    const reader = graph.groups.find((group) =>
      group.reads.some(({ number }) => graph.groups.some((one) => computes(one, number))),
    ) as FusedGroup;
    const read = reader.reads.find(({ number }) => graph.groups.some((one) => computes(one, number)));
    const own = reader.members[0] as FusedMember;
    return inGroup(
      (group) => computes(group, read?.number as number),
      (group) => ({ ...group, reads: [...group.reads, { number: own.number, partial: own.partial }] }),
    )(graph);
  }
});

describe('the form has the rule', () => {
  const make = new Make();
  const x = make.feed('x', [64, 64]);
  const computed = make.op('exp', [x]);
  const product = make.op('matmul', [computed, make.feed('w', [64, 64])]);
  const sum = make.op('reduceSum', [product], { axes: [1] });
  const root = make.op('exp', [sum]);
  const block = formBlock([root], new Forms(fixedTarget, new Structures()));
  const without = (node: Node, of: FormedBlock = block): FormedBlock => ({
    ...of,
    materialized: new Set([...of.materialized].filter((one) => one !== node)),
  });

  const place = (node: Node, of: FormedBlock = block): number => of.order.indexOf(node);

  it('none, of a block as it is made', () => {
    expect(block.materialized).toEqual(new Set([computed, product, sum, root]));
    expect(() => verifyFormed(block)).not.toThrow();
  });

  it.each<[rule: string, message: string, FormedBlock]>([
    ['required', `exp (%${place(root)}) is asked for and not materialized`, without(root)],
    ['kernels', `matmul (%${place(product)}) is not materialized`, without(product)],
    ['kernels', `reduceSum (%${place(sum)}) is not materialized`, without(sum)],
    ['sources', `feed (%${place(x)}) is stored and materialized`, { ...block, materialized: new Set([...block.materialized, x]) }],
    ['operands', `matmul (%${place(product)}) takes %${place(computed)}, which has no storage`, without(computed)],
  ])('%s (%#): %s', (rule, message, broken) => {
    expect(() => verifyFormed(broken)).toThrow(`rule ${rule} of the form broken in "f": ${message}`);
  });

  it('operands, of loops: tensors are stored, scalars need not be', () => {
    const [tensor, scalar] = [make.op('exp', [x]), make.op('exp', [make.feed('s', [])])];
    const [result] = make.loop(3, [tensor, scalar], (_, carry: TensorNode, step: TensorNode) => [
      make.op('mul', [carry, make.broadcast(step, [64, 64])]),
      step,
    ]);
    const looped = formBlock([result as TensorNode], new Forms(fixedTarget, new Structures()));
    expect([...looped.materialized].map(({ op }) => op.name)).toEqual(['loop', 'exp']);
    expect(() => verifyFormed(looped)).not.toThrow();
    expect(() => verifyFormed(without(tensor, looped))).toThrow(`takes %${place(tensor, looped)}, which has no storage`);
  });
});

describe('text of a fused graph', () => {
  const node = '  %0 = feed {dtype="f32", name="x", shape=[<3>]} : f32[3]\n';
  const group = '  group 0 elementwise [3] reads %0\n';
  it.each<[text: string, message: string]>([
    ['unfused "f" {\n}\n', 'line 1 of a graph: `fused` or `grouped` is expected, found `unfused`'],
    ['fused f {\n}\n', 'line 1 of a graph: the name of an entry is expected, found `f`'],
    ['fused "f" {\n', 'line 2 of a graph: `split`, `require`, `group`, `copy` in this order, or `}` is expected, found the end'],
    [`fused "f" {\n${node}  require %1 to out_x\n}\n`, 'line 3 of a graph: a node that stands above, not %1, is expected, found `to`'],
    [`fused "f" {\n${node}  require %0 to 7\n}\n`, 'line 3 of a graph: the name of a buffer is expected, found `7`'],
    [`fused "f" {\n${node}  split %0 at [3]\n}\n`, 'line 3 of a graph: `over` is expected, found `at`'],
    [`fused "f" {\n${node}  group one matmul [3] reads %0\n}\n`, 'line 3 of a graph: the number of a group is expected, found `one`'],
    [
      `fused "f" {\n${node}  group 1 row-production [3] reads %0\n}\n`,
      'line 3 of a graph: a mode (elementwise, row-reduction, column-reduction, full-reduction, fused-rows, matmul, flash, flash-backward, nest, loop), not row-production, is expected, found `[`',
    ],
    [`fused "f" {\n${node}  group 1 matmul reads %0\n}\n`, 'line 3 of a graph: `[` is expected, found `reads`'],
    [`fused "f" {\n${node}  group 1 matmul [3]\n}\n`, 'line 4 of a graph: `reads` is expected, found `}`'],
    [`fused "f" {\n${node}  group 1 matmul [3] reads partials %0\n}\n`, 'line 3 of a graph: `of` is expected, found `%`'],
    [
      `fused "f" {\n${node}${group}    multiply %0: f32\n}\n`,
      'line 4 of a graph: `elementwise` or `reduce` or `partial` or `matmul` or `again` or `nest` or `loop` is expected, found `multiply`',
    ],
    [`fused "f" {\n${node}${group}    nest %0 f32\n}\n`, 'line 4 of a graph: `:` is expected, found `f32`'],
    [`fused "f" {\n${node}${group}    nest %0: float\n}\n`, 'line 4 of a graph: a type is expected, found `float`'],
    [`fused "f" {\n${node}${group}    nest %0: f32 to t0,\n}\n`, 'line 5 of a graph: the name of a buffer is expected, found `}`'],
    [`fused "f" {\n${node}  copy t0 out_x\n}\n`, 'line 3 of a graph: `to` is expected, found `out_x`'],
    [
      `fused "f" {\n${node}${group}  require %0\n}\n`,
      'line 4 of a graph: `split`, `require`, `group`, `copy` in this order, or `}` is expected, found `require`',
    ],
    [`fused "f" {\n}\nfused "g"\n`, 'line 4 of a graph: `{` is expected, found the end'],
  ])('is refused (%#)', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
