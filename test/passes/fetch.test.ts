// Entries made of fetched nodes. In: programs; names. Out: entries that give what the graph interpreter says of the whole entry, and
// sentences for what cannot be fetched or fed.

import { describe, expect, it } from 'vitest';
import { type DType, isFloat } from '../../src/base/index.js';
import { evaluateEntry, initialValues } from '../../src/eval/index.js';
import { type Entry, type Feed, type GraphBuilder, type ModuleGraph, topological, typeToString } from '../../src/graph/index.js';
import { type TensorValue, tensorValue } from '../../src/ops/index.js';
import {
  checkedGraph,
  checks,
  differentiate,
  fetchEntry,
  FetchRefused,
  type FetchRequest,
  Pipeline,
  simplify,
  strip,
} from '../../src/passes/index.js';
import { moduleOf, programText } from '../check/support.js';

const toSimplified = Pipeline.of(differentiate).then(strip).then(checks).then(simplify);

interface Program {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
}

const open = (text: string): Program => {
  const { module, result } = moduleOf(text);
  return { module, build: result.build };
};

const fetched = (
  { module, build }: Program,
  fetches: readonly string[],
  fed: readonly string[] = [],
  give: FetchRequest['give'] = 'values',
): Entry => {
  const entry = fetchEntry(module, build, { name: 'fetch', fetches, fed, give });
  checkedGraph.verify({ ...module, entries: [entry] }, 'fetch', build);
  return entry;
};

/** By the whole pipeline, which verifies after every pass. */
function valuesOf(
  { module, build }: Program,
  entry: Entry,
  feeds: Readonly<Record<string, TensorValue>>,
  variables: ReadonlyMap<string, TensorValue> = initialValues(module),
): number[][] {
  const [made] = toSimplified.run({ ...module, entries: [entry] }, { build }).output.entries as [Entry];
  return evaluateEntry(made, { feeds: new Map(Object.entries(feeds)), variables }).outputs.map(({ data }) => [...data].map(Number));
}

const f32 = (shape: readonly number[], data: readonly number[], dtype: DType = 'f32'): TensorValue => tensorValue(dtype, shape, data);

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof FetchRefused) {
      const { code, message, hint = '' } = error.refusal;
      return `${code}: ${message} ${hint}`;
    }
    throw error;
  }
  return 'nothing';
}

const model = open(`
import { sgd } from "std/optim"
param w: f32[2] = 0.5
state count: i32 = 0
export fn predict<N>(x: f32[N, 2]): f32[N] {
  let logits = x @ w
  return logits * 2
}
export step train<B>(x: f32[B, 2], y: f32[B]): { loss: f32, worst: f32 } where B >= 2 {
  let logits = x @ w
  let error = logits - y
  let loss = mean(square(error))
  let slope = grad(loss, error)
  summary scalar("mse", loss)
  summary histogram("errors", error)
  minimize loss with sgd(lr: 0.1)
  count <- count + 1
  return { loss, worst: max(error) }
}
export step again() { count <- count + 2 }
export fn walk<N>(x: f32[N]): f32 {
  let half = x / 2
  let (last, turns) = scan row in half with s = 0.0 { let n = s + row; yield (n, n) }
  let rows = sum(half) / N
  return rows
}
export fn hidden(x: f32): f32 {
  let x = x + 1
  return x * 2
}
`);
const x = f32([3, 2], [1, 0, 0, 1, 1, 1]);
const y = f32([3], [1, 2, 3]);

describe('what is fetched', () => {
  it.each(['fetches.tdsl', 'gradients.tdsl', 'moons.tdsl', 'linear-regression.tdsl', 'relus.tdsl', 'minimize-square.tdsl', 'rows.tdsl'])(
    'every named node of %s has the value that it has in its entry',
    (name) => {
      const program = open(programText(name));
      const variables = initialValues(program.module);
      // The interpreter asks for derivatives that are written out.
      const differentiated = Pipeline.of(differentiate).run(program.module, { build: program.build }).output;
      for (const entry of differentiated.entries) {
        const feeds = new Map(entry.feeds.map((feed, at) => [feed.name, sampleOf(feed, at)]));
        const all = evaluateEntry(entry, { feeds, variables, fetch: 'all' });
        for (const [path, wanted] of all.names) {
          const whole = `${entry.name}/${path}`;
          const made = withNeeded(program, whole, [...feeds.keys()].sort());
          expect(made.updates).toEqual([]);
          const own = Object.fromEntries(made.feeds.map((feed) => [feed.name, feeds.get(feed.name) as TensorValue]));
          const [values] = valuesOf(program, made, own, variables);
          [...wanted.data].forEach((value, at) => expect(values?.[at]).toBeCloseTo(Number(value), 6));
        }
      }
    },
  );

  it('computes what several fetches share once', () => {
    const entry = fetched(model, ['train/error', 'train/loss', 'train/worst'], ['x', 'y']);
    const products = topological(entry.outputs.map(({ node }) => node)).filter((node) => node.op.name === 'matmul');
    expect(products).toHaveLength(1);
    expect(entry.kind).toBe('fn');
  });

  it('takes an entry with its result and its updates, and variables as they were', () => {
    const entry = fetched(model, ['again', 'count', 'train', 'w'].slice(1), ['x', 'y']);
    expect(entry.kind).toBe('step');
    expect(entry.updates.map(({ variable }) => variable).sort()).toEqual(['count', 'w']);
    expect(entry.result).toMatchObject({ kind: 'tuple', items: [{ kind: 'output' }, { kind: 'record' }, { kind: 'output' }] });
    const [count, loss, , w] = valuesOf(model, entry, { x, y });
    expect([count, w]).toEqual([[0], [0.5, 0.5]]);
    expect(loss?.[0]).toBeCloseTo((0.25 + 2.25 + 4) / 3, 6);
  });

  it('gives the summaries of whole steps, and updates nothing', () => {
    const entry = fetched(model, ['train'], ['x', 'y'], 'summaries');
    expect(entry.outputs.map(({ path }) => path)).toEqual(['scalar mse', 'histogram errors']);
    expect([entry.updates, entry.kind]).toEqual([[], 'fn']);
    expect(fetched(model, ['again'], [], 'summaries').outputs).toEqual([]);
  });
});

describe('what is fed', () => {
  it('stands in the place of a named node, also to derivatives', () => {
    const error = f32([2], [3, -1]);
    const entry = fetched(model, ['train/loss', 'train/slope', 'train/worst'], ['error']);
    expect(entry.feeds.map(({ name, type }) => `${name}: ${typeToString(type)}`)).toEqual(['error: f32[B]']);
    expect(entry.facts).toHaveLength(1);
    expect(valuesOf(model, entry, { error })).toEqual([[5], [3, -1], [3]]);
  });

  it('stands wherever derivatives read the value, which go on to what the node is computed of', () => {
    const program = open(`
param w: f32 = 2
export fn f(x: f32): { y: f32, dw: f32, dx: f32 } {
  let h = exp(w * x)
  let other = exp(w * x) + 1
  let y = h * h
  return { y: y + other, dw: grad(y, w), dx: grad(y, x) }
}`);
    const entry = fetched(program, ['f'], ['h', 'x']);
    // dy/dw = 2h · h · x, with the value that is fed; what is computed alike under another name is computed.
    const [y, dw, dx] = valuesOf(program, entry, { h: f32([], [3]), x: f32([], [0.5]) });
    expect(y?.[0]).toBeCloseTo(9 + Math.E + 1, 5);
    expect([dw, dx]).toEqual([[9], [36]]);
  });

  it('stands in the place of a variable', () => {
    const entry = fetched(model, ['predict', 'w'], ['w', 'x']);
    expect(valuesOf(model, entry, { x, w: f32([2], [1, 2]) })).toEqual([
      [2, 4, 6],
      [1, 2],
    ]);
  });

  it('is one value for all entries that have an argument of that name, and their sizes are the same then', () => {
    const entry = fetched(model, ['predict', 'train/loss'], ['x', 'y']);
    expect(entry.dims).toHaveLength(1);
    const [predicted, loss] = valuesOf(model, entry, { x, y });
    expect(predicted).toEqual([1, 1, 2]);
    expect(loss?.[0]).toBeCloseTo((0.25 + 2.25 + 4) / 3, 6);
    const products = topological(entry.outputs.map(({ node }) => node)).filter((node) => node.op.name === 'matmul');
    expect(products).toHaveLength(1);
  });

  it('is a value for each entry when names are whole, and sizes have nothing to do with each other', () => {
    const program = open(`
export fn f<N>(x: f32[N]): f32 = sum(x) / N
export fn g<N>(x: f32[N]): f32[2*N] = concat([x, fold i in 0..N with s = x { s + 1 }])
`);
    const entry = fetched(program, ['f', 'g'], ['f/x', 'g/x']);
    expect(entry.dims).toEqual(['N', 'N_g']);
    expect(valuesOf(program, entry, { 'f/x': f32([3], [1, 2, 3]), 'g/x': f32([2], [1, 2]) })).toEqual([[2], [1, 2, 3, 4]]);
    expect(fetched(program, ['f', 'g'], ['g/x', 'x']).feeds.map(({ name }) => name)).toEqual(['g/x', 'x']);
  });

  it('may be an argument that says only how large something is', () => {
    const entry = fetched(model, ['walk/rows'], ['half']);
    expect(valuesOf(model, entry, { half: f32([2], [1, 3]) })).toEqual([[2]]);
    const sized = open('export fn f<N>(x: f32[N]): f32 {\n  let s = sum(x)\n  let m = s / N\n  return m\n}');
    expect(refusal(() => fetched(sized, ['f'], ['s']))).toBe(
      'missing-feed: f needs the size N, which the argument x of f says, and it is not fed. Feed x as well.',
    );
    expect(valuesOf(sized, fetched(sized, ['f'], ['s', 'x']), { s: f32([], [6]), x: f32([3], [0, 0, 0]) })).toEqual([[2]]);
  });
});

describe('mistakes', () => {
  it.each<[wanted: string, fetches: readonly string[], fed: readonly string[]]>([
    ['unknown-fetch: Nothing is called losss. Did you mean loss?', ['losss'], []],
    ['unknown-fetch: Nothing is called train/eror. Did you mean train/error?', ['train/eror'], []],
    ['unknown-fetch: Nothing is called __proto__. There is predict, train, again, walk, hidden, w, ', ['__proto__'], []],
    [
      'ambiguous-name: logits stands for several nodes: predict/logits and train/logits. Write which one: predict/logits and train/logits.',
      ['logits'],
      ['x'],
    ],
    ['ambiguous-name: hidden/x stands for several nodes: hidden/x. An argument, a let and a result', ['hidden/x'], ['x']],
    [
      'missing-feed: train/error and train/loss need the argument y of train, and it is not fed. Feed y, or',
      ['train/error', 'train/loss', 'w'],
      ['x'],
    ],
    ['missing-feed: train needs the argument y of train, and it is not fed.', ['train'], ['x']],
    [
      'missing-feed: train/loss needs the argument x of train, and it is not fed. Feed x, or',
      ['predict', 'train/loss'],
      ['predict/x', 'y'],
    ],
    ['unknown-feed: Nothing that is fetched needs the feed y. predict does not depend on it: leave it out.', ['predict'], ['x', 'y']],
    ['unknown-feed: Nothing that is fetched needs the feed x. train/loss does not', ['train/loss'], ['error', 'x']],
    ['unknown-feed: Nothing that is fetched needs the feed x. w does not depend', ['w'], ['x']],
    ['unknown-feed: Nothing that could be fed is called input. There is x, logits, w and count.', ['predict'], ['input', 'x']],
    ['unknown-feed: Nothing that could be fed is called eror. Did you mean error?', ['train'], ['eror']],
    ['unknown-feed: What x stands for is fed by its whole name as well. Leave x out.', ['predict'], ['predict/x', 'x']],
    ['ambiguous-name: logits stands for several nodes', ['predict', 'train/loss'], ['logits', 'y']],
    [
      'ambiguous-name: x is f32[N, 2] in predict and f32[N] in walk: one value cannot be all of them. Feed them apart: predict/x and walk/x.',
      ['predict', 'walk'],
      ['x'],
    ],
    ['invalid-value: again and train both assign count. Run them one after the other.', ['again', 'train'], ['x', 'y']],
  ])('%s', (wanted, fetches, fed) => {
    const said = refusal(() => fetched(model, fetches, fed));
    expect(said.slice(0, wanted.length)).toBe(wanted);
  });

  it('sizes that the feeds do not say are told', () => {
    const program = open('export fn f<N, M>(x: f32[N, M]): f32 {\n  let flat = reshape(x, [N * M])\n  return sum(flat)\n}');
    expect(refusal(() => fetched(program, ['f'], ['flat']))).toMatch(
      /^missing-feed: f needs the size M and N|^missing-feed: f needs the size N and M/,
    );
    expect(fetched(program, ['f'], ['flat', 'x']).feeds).toHaveLength(2);
  });
});

/** Feeds that nothing needs are refused one by one. */
function withNeeded(program: Program, name: string, fed: readonly string[]): Entry {
  const said = refusal(() => fetched(program, [name], fed));
  const idle = /^unknown-feed: Nothing that is fetched needs the feed (\w+)\./.exec(said)?.[1];
  return idle === undefined
    ? fetched(program, [name], fed)
    : withNeeded(
        program,
        name,
        fed.filter((one) => one !== idle),
      );
}

/** Values that are no trouble: small, not 0, and whole where they count something. */
function sampleOf({ type: { dtype, shape } }: Feed, salt: number): TensorValue {
  const sizes = shape.map((dim) => dim.evaluate(new Map([...dim.names].map((name) => [name, 3]))) ?? 1);
  const count = sizes.reduce((total, size) => total * size, 1);
  const data = Array.from({ length: count }, (_, at) => (isFloat(dtype) ? 0.25 + ((at * 7 + salt * 3) % 11) / 16 : at % 2));
  return tensorValue(dtype, sizes, dtype === 'i64' ? data.map(BigInt) : data);
}
