// Places as people count them.
import { describe, expect, it } from 'vitest';
import { children, joinSpans, lineStarts, positionAt, positionIn, walk, type Node } from '../../grammar/index.js';
import { read } from './shape.js';

describe('positions', () => {
  it('count lines and columns from 1, whatever ends a line', () => {
    const text = 'ab\ncd\r\ne\rf';
    expect([...text].map((_, i) => positionAt(text, i))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 2 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 2, column: 2 },
      { line: 2, column: 3 },
      { line: 2, column: 4 },
      { line: 3, column: 1 },
      { line: 3, column: 2 },
      { line: 4, column: 1 },
    ]);
    expect(positionIn(lineStarts(text), text.length)).toEqual({ line: 4, column: 2 });
    expect(positionAt('', 0)).toEqual({ line: 1, column: 1 });
  });

  it('join to one that covers both', () => {
    expect(joinSpans({ source: 'a', start: 2, end: 3 }, { source: 'a', start: 5, end: 9 })).toEqual({ source: 'a', start: 2, end: 9 });
  });
});

describe('walking', () => {
  const program = read(`import { a as b } from "x"
const c: f32 = 1
/// doc
model M<N, ...S>(f: fn(f32): f32 = g) where N > 1 {
  param w: f32[N, ...S] = zeros()
  inner = D<N>(a: 1)[0, 1:2, ...].x
  fn call(x: { a: (f32, f32) }): f32 = if true then -x else [i for i in 0..3] vjp (g) => ({ a, b: "s" })
}
optimizer o(lr: f32) { state v = 0; update(p, g) { p <- (g, x => { yield x }) } }
export step s() {
  let (a, b) = fold i in 0..2 with z = 0 { scan t in z with q = 1 { while q with q = 1 { q } } }
  minimize a with o(1) over [b]
  scope "s" { summary scalar("n", a) }
  return a
}`);

  it('meets nodes inside of their parents and in the order of the text', () => {
    const kinds = new Set<Node['kind']>();
    walk(program, (node) => {
      kinds.add(node.kind);
      let last = node.span.start;
      for (const child of children(node)) {
        expect(child.span.start, `${child.kind} in ${node.kind}`).toBeGreaterThanOrEqual(last);
        expect(child.span.end, `${child.kind} in ${node.kind}`).toBeLessThanOrEqual(node.span.end);
        last = child.span.start;
      }
    });
    for (const kind of ['vjp', 'update', 'size-name', 'fn-signature', 'ellipsis', 'slice', 'range', 'name-pattern', 'boolean'] as const) {
      expect(kinds).toContain(kind);
    }
  });

  it('leaves out what the visitor refuses', () => {
    let count = 0;
    walk(program, (node) => {
      count++;
      return node.kind === 'program';
    });
    expect(count).toBe(1 + program.declarations.length);
  });
});
