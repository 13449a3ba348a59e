// The graph as data and as a drawing. In: small programs. Out: nodes, names, scopes, series; DOT that Graphviz takes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/driver/front.js';
import { boxesOf } from '../../src/driver/graph-boxes.js';
import { toDot } from '../../src/driver/graph-dot.js';
import { fold, openTo } from '../../src/driver/graph-fold.js';
import { type EntryView, viewOf } from '../../src/driver/graph-view.js';
import { jsonLines, root, workplace } from './tfc.js';

const place = workplace();

function views(text: string): EntryView[] {
  const texts = new Map<string, string>();
  const { module, build } = check({ path: join(place.directory, place.file('m.tdsl', text)), set: {}, open: undefined }, texts);
  return viewOf(module, build, texts);
}

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

  it('draws every node once, one cluster per entry and scope, and quotes names', () => {
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
});
