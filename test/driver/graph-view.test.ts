// The graph as data and as a drawing. In: programs. Out: nodes, names, scopes; boxes folded and open, series; DOT that Graphviz takes;
// drawings of a size that people can read.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/driver/build/front.js';
import { boxesOf } from '../../src/driver/report/graph-boxes.js';
import { toDot } from '../../src/driver/report/graph-dot.js';
import { fold, type FoldedBox, type IsOpen, openTo, openToInstances } from '../../src/driver/report/graph-fold.js';
import { type EntryView, viewOf } from '../../src/driver/report/graph-view.js';
import { search } from '../../src/driver/report/graph-search.js';
import { jsonLines, root, workplace } from './tfc.js';

const place = workplace();

function viewsOf(path: string): EntryView[] {
  const texts = new Map<string, string>();
  const { module, build } = check({ path, set: {}, open: undefined }, texts);
  return viewOf(module, build, texts);
}

const views = (text: string): EntryView[] => viewsOf(join(place.directory, place.file('m.tdsl', text)));
const example = (path: string): EntryView[] => viewsOf(join(root, ...path.split('/')));

describe('graph', () => {
  it('names variables, arguments and lets, and writes constants into the nodes that use them', () => {
    const [view] = views(
      'param w: f32 = 2\nexport step s(x: f32): f32 {\n  scope "inner" {\n    let y = w * x\n  }\n  w <- y + 3\n  return y\n}\n',
    );
    const byName = new Map(view?.nodes.map((node) => [node.name ?? node.op, node]));
    expect([...byName.keys()].sort()).toEqual(['inner/y', 'w', 'w/next', 'x']);
    expect(byName.get('inner/y')).toMatchObject({ op: 'mul', type: 'f32', scope: 'inner', count: 1 });
    const id = (name: string): string | undefined => byName.get(name)?.id;
    expect(byName.get('w/next')).toMatchObject({ op: 'add · 3' });
    expect(view?.edges).toHaveLength(3);
    expect(view?.edges).toContainEqual({ from: id('inner/y'), to: id('w/next') });
    expect(view?.outputs).toEqual([{ path: '', node: id('inner/y') }]);
    expect(view?.updates).toEqual([{ variable: 'w', node: id('w/next') }]);
  });

  it('shows a result that is a constant', () => {
    const [view] = views('export fn f(): f32 = 3\n');
    expect(view?.nodes).toMatchObject([{ op: 'constant · 3' }]);
    expect(view?.outputs).toHaveLength(1);
  });

  it('says a variable once in the names of its versions, wherever it is assigned', () => {
    const [view] = views(
      'optimizer half() {\n  state m = zeros()\n  update(p, g) {\n    m <- m + g\n    p <- p - m\n  }\n}\nparam w: f32[2] = 1\nexport step train(x: f32[2]): f32 {\n  let loss = sum(w * x)\n  scope "fit" {\n    minimize loss with half()\n  }\n  return loss\n}\n',
    );
    const names = view?.nodes.flatMap((node) => node.name ?? []).sort();
    expect(names).toEqual(['fit/half/w/m/next', 'fit/half/w/next', 'loss', 'train/fit/half/w/m', 'w', 'x']);
  });

  it('puts nodes into scopes of their own entry, variables into the instance that owns them', () => {
    const [, train] = example('examples/mnist/mnist.tdsl');
    const paths = new Set(['', ...(train?.scopes.map(({ path }) => path) ?? [])]);
    for (const { scope } of train?.nodes ?? []) expect(paths).toContain(scope);
    expect([...paths].filter((path) => path.startsWith('argmax'))).toEqual([]);
    const scopeOf = (name: string): string | undefined => train?.nodes.find((node) => node.name === name)?.scope;
    expect(scopeOf('net/hidden2/w')).toBe('net/logits/hidden2');
    expect(scopeOf('train/adam/net/hidden2/w/m')).toBe('adam/net/hidden2/w');
    expect(train?.scopes.find(({ path }) => path === 'net/logits/hidden2')).toMatchObject({
      parent: 'net/logits',
      kind: 'instance',
      name: 'Dense',
      of: 'net/hidden2',
      place: expect.stringMatching(/mnist\.tdsl:11$/) as string,
    });
    for (const { name } of train?.nodes ?? []) expect(name ?? '').not.toMatch(/(?:^|\/)(net\/\w+\/\w+)\/(?:.*\/)?\1(?:\/|$)/);
  });
});

/** What is drawn: a line per node and box; an open box has what is inside of it below it. */
function drawn(view: EntryView | undefined, isOpen: IsOpen): string[] {
  const lines = (box: FoldedBox, indent: string): string[] => [
    ...box.nodes.map(({ name, op, node }) => `${indent}${name === undefined ? '' : `${name} = `}${op}: ${node.type}`),
    ...box.boxes.flatMap((one) => [`${indent}[${[one.title, ...one.lines].join(' | ')}]`, ...lines(one, `${indent}  `)]),
  ];
  if (view === undefined) throw new Error('no such entry');
  return lines(fold(boxesOf(view), isOpen).root, '');
}

describe('folded', () => {
  const [predict, train] = example('examples/mnist/mnist.tdsl');
  const [gpt] = example('test/driver/gpt.tdsl');

  it('an instance, a function and an optimizer are a box each, with their shapes', () => {
    expect(drawn(train, openTo(0))).toEqual([
      'x = feed: f32[B, 784]',
      'y = feed: i32[B]',
      '[net/logits: Mlp | f32[B, 784] → logits: f32[B, 10] | hidden1/w: f32[784, 300] | hidden1/b: f32[300] | hidden2/w: f32[300, 100] | hidden2/b: f32[100] | output/w: f32[100, 10] | output/b: f32[10]]',
      '[softmaxCrossEntropy | f32[B, 10], i32[B] → f32[B, 1], f32[B]]',
      '[accuracy | f32[B, 1], f32[B, 10], i32[B] → f32]',
      '[mean | f32[B] → loss: f32]',
      '[adam | updates 6 params | with 18 states]',
    ]);
  });

  it('without a depth, instances inside of an instance are seen', () => {
    expect(drawn(predict, openToInstances)).toEqual([
      'x = feed: f32[B, 784]',
      '[net/logits: Mlp]',
      '  [hidden1: Dense | f32[B, 784] → f32[B, 300] | w: f32[784, 300] | b: f32[300]]',
      '  [hidden2: Dense | f32[B, 300] → f32[B, 100] | w: f32[300, 100] | b: f32[100]]',
      '  [output: Dense | f32[B, 100] → f32[B, 10] | w: f32[100, 10] | b: f32[10]]',
      '[argmax | f32[B, 10] → i32[B]]',
    ]);
  });

  it('each level opens boxes, until all nodes are there', () => {
    const at = (levels: number): string[] => drawn(train, openTo(levels));
    expect(at(1)).toContain('  [hidden1: Dense | f32[B, 784] → f32[B, 300] | w: f32[784, 300] | b: f32[300]]');
    expect(at(1)).toContain('  [net/hidden1/w | f32[784, 300] | m: f32[784, 300] | v: f32[784, 300] | t: i32]');
    expect(at(2)).toEqual(
      expect.arrayContaining(['    w = variable: f32[784, 300]', '    relu: f32[B, 300]', '    m/next = add: f32[784, 300]']),
    );
    // What an update computes and sets stands in its box, also where a mean over no rows leaves all as it was.
    const [adam] = fold(boxesOf(train as EntryView), openTo(1)).root.boxes.filter(({ title }) => title === 'adam');
    expect(adam?.nodes.map(({ op }) => op)).toEqual(['grad']);
    const inner = fold(boxesOf(train as EntryView), openTo(2)).root;
    expect(inner.updates).toEqual([]);
    const update = inner.boxes.find(({ title }) => title === 'adam')?.boxes[0];
    expect(update?.updates.map(({ variable }) => variable)).toEqual(['t', 'm', 'v', 'net/hidden1/w']);
    const all = at(9);
    expect(all.filter((line) => !line.trimStart().startsWith('['))).toHaveLength(train?.nodes.length ?? 0);
    expect(at(10)).toEqual(all);
  });

  it('a series of like instances is one box', () => {
    expect(drawn(gpt, openToInstances)).toContain(
      '[blocks/0 … blocks/11: Block ×12 | f32[B, 32, 64] → f32[B, 32, 64] | norm1/scale: f32[64] | norm1/shift: f32[64] | norm2/scale: f32[64] | norm2/shift: f32[64] | query: f32[64, 64] | key: f32[64, 64] | value: f32[64, 64] | and 3 more]',
    );
    expect(drawn(gpt, openToInstances)).toContain('[adamW | updates 122 params | with 366 states]');
    const open = drawn(gpt, openTo(1));
    expect(open.filter((line) => line.includes('LayerNorm'))).toHaveLength(2);
    expect(open).toContain('  [blocks/0/up … blocks/11/up ×12 | f32[64, 256] | m: f32[64, 256] | v: f32[64, 256] | t: i32]');
    const [relus] = example('test/programs/relus.tdsl');
    expect(
      drawn(relus, openTo(0))
        .filter((line) => line.startsWith('['))
        .join(),
    ).toBe('[relus/0 … relus/4: Relu ×5 | f32[B, 3] → f32[B, 1] | weights: f32[3, 1] | bias: f32]');
  });

  it('a series may end in a series', () => {
    const [view] = views(
      'import { Dense } from "std/nn"\nmodel Tower() {\n  layers = [Dense<4, 4>() for i in 0..3]\n  fn call<B>(x: f32[B, 4]): f32[B, 4] = fold layer in layers with h = 2 * x { layer(h) }\n}\ntowers = [Tower() for i in 0..5]\nexport fn f<B>(x: f32[B, 4]): f32[B, 4] = fold tower in towers with h = x { tower(h) }\n',
    );
    const shapes = 'f32[B, 4] → f32[B, 4]';
    expect(drawn(view, openTo(0))[1]).toBe(
      `[towers/0 … towers/4: Tower ×5 | ${shapes} | layers/0/w: f32[4, 4] | layers/0/b: f32[4] | layers/1/w: f32[4, 4] | layers/1/b: f32[4] | layers/2/w: f32[4, 4] | layers/2/b: f32[4]]`,
    );
    expect(drawn(view, openTo(1))).toEqual([
      'x = feed: f32[B, 4]',
      '[towers/0 … towers/4: Tower ×5]',
      '  broadcast · 2: f32[B, 4]',
      '  mul: f32[B, 4]',
      `  [layers/0 … layers/2: Dense ×3 | ${shapes} | w: f32[4, 4] | b: f32[4]]`,
    ]);
  });

  it('what differs in shape, or reads something else, is a box of its own', () => {
    const layers = (body: string): string[] =>
      drawn(
        views(
          `import { Dense, relu } from "std/nn"\nmodel Wide<N> {\n  a = Dense<N, N>(act: relu)\n  fn call<B>(x: f32[B, N]): f32[B, N] = a(x)\n}\n${body}`,
        )[0],
        openTo(0),
      ).filter((line) => line.startsWith('['));
    const titles = (body: string): (string | undefined)[] => layers(body).map((line) => /^\[([^|\]]*[^|\] ])/.exec(line)?.[1]);
    expect(titles('a = Dense<4, 4>()\nb = Dense<4, 4>()\nexport fn f<B>(x: f32[B, 4]) = b(a(x))\n')).toEqual(['a … b: Dense ×2']);
    expect(titles('a = Dense<4, 4>()\nb = Dense<4, 3>()\nexport fn f<B>(x: f32[B, 4]) = b(a(x))\n')).toEqual(['a: Dense', 'b: Dense']);
    expect(titles('a = Dense<4, 4>(act: relu)\nb = Dense<4, 4>()\nexport fn f<B>(x: f32[B, 4]) = b(a(x))\n')).toEqual([
      'a: Dense',
      'b: Dense',
    ]);
    expect(titles('a = Dense<4, 4>()\nb = Dense<4, 4>()\nexport fn f<B>(x: f32[B, 4], y: f32[B, 4]) = a(x) + b(y)\n')).toEqual([
      'a: Dense',
      'b: Dense',
    ]);
    // A box around one box says nothing.
    expect(titles('a = Wide<4>()\nexport fn f<B>(x: f32[B, 4]) = a(x)\n')).toEqual(['a: Dense']);
  });

  it('a loop has its body inside', () => {
    const [view] = views(
      'import { Dense } from "std/nn"\nlayer = Dense<4, 4>()\nexport fn f<B>(x: f32[B, 4]): f32[B, 4] = fold i in 0..5 with h = x { exp(layer(h)) }\n',
    );
    expect(drawn(view, openTo(0))).toEqual(['x = feed: f32[B, 4]', '[fold | f32[B, 4] → f32[B, 4]]']);
    expect(drawn(view, openTo(1))).toEqual([
      'x = feed: f32[B, 4]',
      '[fold]',
      '  broadcast: f32[B, 4]',
      '  argument: f32[B, 4]',
      '  exp: f32[B, 4]',
      '  loop: (f32[B, 4])',
      '  element: f32[B, 4]',
      '  [layer: Dense | f32[B, 4] → f32[B, 4] | w: f32[4, 4] | b: f32[4]]',
    ]);
    const argument = view?.nodes.find(({ op, type }) => op === 'argument' && type === 'f32[B, 4]')?.id;
    const x = view?.nodes.find(({ name }) => name === 'x')?.id;
    expect(view?.edges).toContainEqual({ from: x, to: argument });
    // Loops in loops would repeat what is inside ever more often.
    const nested = Array.from(
      { length: 9 },
      (_, at) => `fn f${at + 1}(x: f32): f32 = fold i in 0..4 with h = (fold i in 0..3 with h = x { f${at}(h) }) { f${at}(h) }\n`,
    );
    const [deep] = views(`fn f0(x: f32): f32 = sin(x)\n${nested.join('')}export fn f(x: f32): f32 = f9(x)\n`);
    expect(deep?.nodes.length).toBeGreaterThan(100);
    expect(deep?.nodes.length).toBeLessThan(12_000);
  });

  it('edges end at what is seen, and lead through a series once', () => {
    for (const view of [train, gpt]) {
      for (const isOpen of [openToInstances, ...[0, 1, 2, 9].map(openTo)]) {
        const { root: all, edges, outputs } = fold(boxesOf(view as EntryView), isOpen);
        const order = new Map<string, number>();
        const updates: FoldedBox['updates'][number][] = [];
        const visit = (box: FoldedBox): void => {
          if (!box.open) order.set(box.box.id, order.size);
          for (const { node } of box.nodes) order.set(node.id, order.size);
          updates.push(...box.updates);
          for (const one of box.boxes) visit(one);
        };
        visit(all);
        for (const { from, to } of edges) expect([from, to].map((id) => order.has(id))).toEqual([true, true]);
        for (const { from } of [...outputs, ...updates]) expect(order.has(from)).toBe(true);
        // Kahn's algorithm takes everything only where there is no circle.
        const open = new Map([...order.keys()].map((id) => [id, edges.filter(({ to }) => to === id).length]));
        for (
          let ready = [...open].filter(([, count]) => count === 0);
          ready.length > 0;
          ready = [...open].filter(([, count]) => count === 0)
        ) {
          for (const [id] of ready) {
            open.delete(id);
            for (const { from, to } of edges) if (from === id) open.set(to, (open.get(to) as number) - 1);
          }
        }
        expect([...open.keys()]).toEqual([]);
      }
    }
  });

  it('finds nodes and boxes by parts of their names, and where they are', () => {
    const boxes = boxesOf(gpt as EntryView);
    const found = (text: string, most = 50): string[] => search(boxes, text, most).map(({ label }) => label);
    expect(found('PICKED')).toEqual(['softmaxCrossEntropy/picked: f32[32*B, 96]']);
    // Of a series, any member's.
    expect(found('blocks/7/query', 2)).toEqual(['blocks/0/query … blocks/11/out ×48 in adamW', 'blocks/7/query: f32[64, 64]']);
    expect(search(boxes, 'blocks/7/query', 2)[1]?.id).toBe(search(boxes, 'blocks/0/query', 2)[1]?.id);
    expect(found('matmul', 3)).toHaveLength(3);
    expect(found(' ')).toEqual([]);
    const [norm] = search(boxes, 'layernorm', 1);
    expect(norm?.box.scope?.name).toBe('Block');
  });
});

describe('DOT', () => {
  it('has every node once, one cluster per entry and open box, and quotes names', () => {
    const all = views(
      'export fn f(x: f32): f32 {\n  scope "a b" {\n    let y = exp(x)\n  }\n  return y\n}\nexport fn g(x: f32[2]): f32 = sum(x)\n',
    );
    const dot = toDot(all.map((view) => fold(boxesOf(view), openTo(9))));
    for (const [at, view] of all.entries()) for (const node of view.nodes) expect(dot.split(`e${at}_${node.id} [`)).toHaveLength(2);
    expect(dot).toContain('label="f"');
    expect(dot).toContain('label="a b"');
    const quoted = toDot([fold(boxesOf({ entry: 'say "hi"\\', scopes: [], nodes: [], edges: [], outputs: [], updates: [] }), openTo(0))]);
    expect(quoted).toContain('label="say \\"hi\\"\\\\"');
  });

  it('cuts long names', () => {
    const [view] = views(`export fn f(${'x'.repeat(500)}: f32): f32 = ${'x'.repeat(500)} + 1\n`);
    expect(
      toDot([fold(boxesOf(view as EntryView), openTo(0))])
        .split('\n')
        .every((line) => line.length < 250),
    ).toBe(true);
  });
});

describe('tfc graph', () => {
  it('writes SVG, DOT and JSON of every program', () => {
    const program = join(root, 'test', 'programs', 'relus.tdsl');
    expect(place.tfc('graph', program, '-o', 'out.svg')).toMatchObject({ status: 0, err: '' });
    expect(readFileSync(join(place.directory, 'out.svg'), 'utf8')).toMatch(/<svg [\s\S]*<\/svg>\s*$/);
    expect(place.tfc('graph', program, '-o', 'out.dot').status).toBe(0);
    expect(readFileSync(join(place.directory, 'out.dot'), 'utf8')).toMatch(/^digraph \{[\s\S]*\}\n$/);
    const outcome = place.tfc('graph', program, '-o', 'out.json', '--json');
    expect(outcome.status).toBe(0);
    const data = JSON.parse(readFileSync(join(place.directory, 'out.json'), 'utf8')) as EntryView[];
    expect(jsonLines(outcome)).toEqual([
      { path: 'out.json', entries: data.map((view) => ({ entry: view.entry, nodes: view.nodes.length })) },
    ]);
    for (const view of data) {
      const ids = new Set(view.nodes.map((node) => node.id));
      expect(ids.size).toBe(view.nodes.length);
      for (const { from, to } of view.edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
      for (const { node } of [...view.outputs, ...view.updates]) expect(ids.has(node)).toBe(true);
    }
  });

  it('draws a perceptron on one screen, and a GPT of twelve blocks at once', () => {
    const size = (program: string, ...args: readonly string[]): readonly [width: number, height: number] => {
      expect(place.tfc('graph', join(root, ...program.split('/')), '-o', 'size.svg', ...args)).toMatchObject({ status: 0, err: '' });
      const [, width, height] = /<svg width="(\d+)pt" height="(\d+)pt"/.exec(readFileSync(join(place.directory, 'size.svg'), 'utf8')) ?? [];
      return [Number(width), Number(height)];
    };
    const [width, height] = size('examples/mnist/mnist.tdsl');
    expect(width).toBeGreaterThan(300);
    expect(width).toBeLessThan(1600);
    expect(height).toBeLessThan(1000);
    const before = performance.now();
    const [wide, high] = size('test/driver/gpt.tdsl');
    expect(performance.now() - before).toBeLessThan(15_000);
    expect(wide).toBeLessThan(1600);
    expect(high).toBeLessThan(1000);
    expect(size('examples/mnist/mnist.tdsl', '--depth', '0')[1]).toBeLessThan(height);
    expect(size('examples/mnist/mnist.tdsl', '--depth', '1')[1]).toBeGreaterThan(height);
    expect(place.tfc('graph', join(root, 'examples', 'mnist', 'mnist.tdsl'), '-o', 'size.svg', '--depth', '-1').status).toBe(2);
  });
});
