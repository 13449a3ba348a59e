// Fetching and feeding any node of a compiled program, summaries, and the graph as a list. In: programs, names. Out: values in the shape of
// the names; errors with codes that say what to write.
// Holds: a fetch compiles and runs what it needs alone, from the texts that the module was compiled from.

import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { compile, openModule, type Result, type Session, type Tensor, tensor, TfcError } from '../../src/driver/index.js';
import { workplace } from './tfc.js';

const place = workplace();
process.env['TFC_CACHE'] = place.cache;
const path = (name: string, text: string): string => join(place.directory, place.file(name, text));

const text = `import { momentum } from "std/optim"
param w: f32[2] = 0.5
state steps: i32 = 0
export fn predict<N>(x: f32[N, 2]): f32[N] {
  let raw = x @ w
  return raw * 2
}
export step train<B>(x: f32[B, 2], y: f32[B]): { loss: f32, worst: f32 } {
  let product = x @ w
  let error = product - y
  scope "loss" {
    let squares = product * product
  }
  let loss = mean(square(error)) + 0.001 * sum(squares)
  let slope = grad(loss, error)
  summary scalar("mse", loss)
  summary histogram("squares", squares)
  summary histogram("w", w)
  minimize loss with momentum(lr: 0.01, beta: 0.9)
  steps <- steps + 1
  return { loss, worst: max(error) }
}
export step reset() { steps <- 0 }
export fn total<...S>(x: f32[...S]): f32[...S] {
  let twice = x * 2
  return twice + 1
}
`;
const program = path('program.tdsl', text);
const x = tensor(Float32Array.of(1, 0, 0, 1, 1, 1), [3, 2]);
const y = Float32Array.of(1, 2, 3);

/** Tensors as nested arrays. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return 'toArray' in value
    ? (value as Tensor).toArray()
    : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

const pick = ({ code, message, hint }: TfcError): object => ({ code, message, hint });

function failure(body: () => unknown): TfcError {
  try {
    body();
  } catch (error) {
    if (error instanceof TfcError) return error;
    throw error;
  }
  return expect.unreachable('nothing was thrown');
}

const artifacts = (): number => readdirSync(join(place.cache, 'artifacts')).length;

describe('fetches', () => {
  it('come back in the shape in which they are asked for', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    expect(session.run('train/worst', { x, y })).toBe(-0.5);
    expect(plain(session.run(['w', 'steps']))).toEqual([[0.5, 0.5], 0]);
    const before = artifacts();
    const nested = session.run({ errors: ['error', 'worst'], ['__proto__']: { w: 'w' }, again: 'train/error' }, { x, y });
    expect(Object.keys(nested)).toEqual(['errors', '__proto__', 'again']);
    expect(plain(nested.errors)).toEqual([[-0.5, -1.5, -2], -0.5]);
    expect(plain(nested.again)).toEqual([-0.5, -1.5, -2]);
    expect(plain(Object.getOwnPropertyDescriptor(nested, '__proto__')?.value)).toEqual({ w: [0.5, 0.5] });
    // The same names in another shape are the same artifact.
    expect(plain(session.run(['train/error', 'w', 'worst', 'error'], { x, y }))).toEqual([
      [-0.5, -1.5, -2],
      [0.5, 0.5],
      -0.5,
      [-0.5, -1.5, -2],
    ]);
    expect(artifacts()).toBe(before + 1);
    expect(session.get('steps')).toBe(0);
  });

  it('are computed on another thread as well, from the feeds at the call, in the order of the calls', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    const mine = Float32Array.from(y);
    const error = session.runAsync('train/error', { x, y: mine });
    const all = session.runAsync({ train: 'train', w: 'w' }, { x, y: mine });
    const after = session.runAsync(['w', 'steps']);
    const fed = session.runAsync('worst', { error: [3, -4, 5] });
    mine.fill(0);
    expect(plain(await error)).toEqual([-0.5, -1.5, -2]);
    expect(plain((await all).w)).toEqual([0.5, 0.5]);
    const [[w, steps], worst] = [await after, await fed];
    expect(steps).toBe(1);
    expect(plain(w)).toEqual(plain(session.get('w')));
    expect(worst).toBe(session.run('worst', { error: [3, -4, 5] }));
    const failureOf = async (body: () => Promise<unknown>): Promise<TfcError> => {
      const error: unknown = await body().catch((one: unknown) => one);
      return error instanceof TfcError ? error : expect.unreachable('nothing was thrown');
    };
    for (const [name, feeds] of [
      ['nowhere', {}],
      ['train/nowhere', {}],
      ['train/error', { x, z: y }],
      ['train/error', { x }],
    ] as const) {
      const { code, message, hint } = await failureOf(() => session.runAsync(name, feeds as never));
      expect({ code, message, hint }).toEqual({ code, ...pick(failure(() => session.run(name, feeds as never))) });
    }
    session.close();
    expect((await failureOf(() => session.runAsync(['w']))).code).toBe('session-closed');
  });

  it('compute shared work once', async () => {
    copyFileSync(join(import.meta.dirname, '../programs/fetches.tdsl'), join(place.directory, 'fetches.tdsl'));
    using model = await compile(join(place.directory, 'fetches.tdsl'));
    using session = model.session();
    expect(session.run(['y', 'z'])).toEqual([10, 15]);
    expect(session.run({ x: 'both/x', both: 'both' })).toEqual({ x: 5, both: { y: 10, z: 15 } });
    expect(session.run(['y', 'z'], { x: 1 })).toEqual([6, 3]);
    expect(session.run('both', { w: 0 })).toEqual({ y: 7, z: 6 });
    expect(failure(() => session.run(['y'], { w: 0, x: 1 }))).toMatchObject({ code: 'unknown-feed', feed: 'w' });
  });

  it('make the updates of a step only when the step is fetched, and see variables as they were', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    using other = model.session({ threads: 2 });
    session.run(['train/loss', 'train/slope'], { x, y });
    expect(session.get('steps')).toBe(0);
    const fetched = session.run({ w: 'w', steps: 'steps', step: 'train' }, { x, y });
    const stepped = other.run('train', { x, y });
    expect(plain(fetched)).toEqual({ w: [0.5, 0.5], steps: 0, step: plain(stepped) });
    for (const { path: variable } of model.manifest.variables) expect(plain(session.get(variable))).toEqual(plain(other.get(variable)));
    expect(plain(session.run('w'))).toEqual(plain(session.get('w')));
    // Sessions share nothing but code.
    session.run('train', { x, y });
    expect(session.run('steps')).toBe(2);
    expect(other.run('steps')).toBe(1);
    expect(failure(() => session.run(['train', 'reset'], { x, y })).code).toBe('invalid-value');
    other.close();
    expect(failure(() => other.run(['w'])).code).toBe('session-closed');
  });

  it('name a variable that has no value', async () => {
    using model = await compile(program);
    using session = model.session({ initialize: false });
    session.set('steps', 3);
    expect(session.run('steps')).toBe(3);
    expect(failure(() => session.run(['steps', 'predict'], { x }))).toMatchObject({ code: 'uninitialized-variable', variable: 'w' });
  });

  it('are found by another process', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    const here = plain(session.run({ a: 'train/slope' }, { x, y }));
    const script = path(
      'again.mjs',
      `import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
childProcess.spawn = childProcess.spawnSync = () => { throw new Error('it compiles again'); };
syncBuiltinESMExports();
const { compile } = await import(${JSON.stringify(join(import.meta.dirname, '../../dist/src/driver/index.js'))});
const model = await compile(${JSON.stringify(program)});
const session = model.session({ threads: 1 });
console.log(JSON.stringify(session.run({ a: 'train/slope' }, { x: [[1, 0], [0, 1], [1, 1]], y: [1, 2, 3] }).a.toArray()));
`,
    );
    expect({ a: JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' })) as unknown }).toEqual(here);
  });

  it('are made of the texts that the module was compiled from', async () => {
    const edited = path('edited.tdsl', 'export fn f(x: f32): f32 {\n  let twice = x * 2\n  return twice\n}\n');
    using model = await compile(edited);
    writeFileSync(edited, 'export fn f(x: f32): f32 {\n  let twice = x * 200\n  return twice\n}\n');
    using session = model.session();
    expect(session.run(['twice'], { x: 3 })).toEqual([6]);
    expect(model.graph()[0]?.nodes.find(({ op }) => op === 'constant')?.value).toBe(2);
  });

  it('reach entries with open ranks by whole names', async () => {
    using model = await compile(program);
    using session = model.session();
    expect(plain(session.run(['total', 'total/twice'], { x: [[1, 2]] }))).toEqual([[[3, 5]], [[2, 4]]]);
    expect(session.run('total/twice', { 'total/x': 4 })).toBe(8);
    expect(failure(() => session.run(['total/twice'], {}))).toMatchObject({ code: 'missing-feed', feed: 'x' });
  });

  it('have names that mean something in C, and letters of all kinds', async () => {
    using model = await compile(
      path(
        'odd.tdsl',
        String.raw`export fn f(x: f32): f32 {
  scope "a */ \" b%s" {
    let one = x + 1
  }
  scope "ünï 📦 {x}" {
    let two = one * 2
  }
  return two
}
`,
      ),
    );
    using session = model.session();
    const names = model.graph()[0]?.nodes.flatMap((node) => node.paths) ?? [];
    expect(names).toEqual(['f/x', 'f/a */ " b%s/one', 'f/ünï 📦 {x}/two']);
    expect(session.run(names, { x: 3 })).toEqual([3, 4, 8]);
    expect(session.run('f', { [names[1] as string]: 1 })).toBe(2);
    expect(failure(() => session.run(['x'.repeat(1e6)])).message.length).toBeLessThan(200);
  });

  it('have names that mean something to JavaScript as well', async () => {
    using model = await compile(
      path(
        'names.tdsl',
        'export fn f(__proto__: f32): f32 {\n  let toString = __proto__ + 1\n  let constructor = toString * 2\n  return constructor\n}\n',
      ),
    );
    using session = model.session();
    const feeds = { ['__proto__']: 3 };
    expect(session.run(['__proto__', 'constructor', 'toString', 'f'], feeds)).toEqual([3, 8, 4, 8]);
    expect(session.run('constructor', { toString: 1 } as never)).toBe(2);
    expect(failure(() => session.run(['hasOwnProperty'], feeds)).code).toBe('unknown-fetch');
  });
});

describe('feeds', () => {
  it('stand in the places of named nodes, also to derivatives', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    expect(plain(session.run({ error: 'error', slope: 'slope', worst: 'worst' }, { error: Float32Array.of(3, -3) }))).toEqual({
      error: [3, -3],
      slope: [3, -3],
      worst: 3,
    });
    expect(session.run('train', { x, y, 'train/loss/squares': [0, 0, 0] } as never)).toMatchObject({ worst: -0.5 });
  });

  it('of a variable leave the variable alone', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    expect(plain(session.run('predict', { x, w: [1, 2] }))).toEqual([2, 4, 6]);
    expect(plain(session.get('w'))).toEqual([0.5, 0.5]);
  });

  it('go to every entry that takes them, or to one', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    expect(plain(session.run(['predict', 'worst'], { x, y }))).toEqual([[1, 1, 2], -0.5]);
    expect(plain(session.run(['predict', 'worst'], { 'predict/x': [[2, 2]], x, y }))).toEqual([[4], -0.5]);
  });
});

describe('mistakes', () => {
  it('have codes, say what was meant, and leave the session as it was', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    expect(failure(() => session.run(['eror'], { x, y }))).toMatchObject({ code: 'unknown-fetch', hint: 'Did you mean error?' });
    expect(failure(() => session.run(['squares'], { x, y }))).toMatchObject({ code: 'unknown-fetch', hint: 'Did you mean loss/squares?' });
    expect(failure(() => session.run('trian', { x, y }))).toMatchObject({ code: 'unknown-entry', hint: 'Did you mean train?' });
    expect(failure(() => session.run('train/los', { x, y }))).toMatchObject({ code: 'unknown-fetch', hint: 'Did you mean train/loss?' });
    expect(failure(() => session.run(['train/loss'], { x }))).toMatchObject({
      code: 'missing-feed',
      feed: 'y',
      message: 'train/loss needs the argument y of train, and it is not fed.',
    });
    expect(failure(() => session.run(['predict'], { x, y }))).toMatchObject({ code: 'unknown-feed', feed: 'y' });
    expect(failure(() => session.run('train', { x, y, z: 1 }))).toMatchObject({ code: 'unknown-feed', feed: 'z' });
    expect(failure(() => session.run(['predict'], { x: [[1, 2, 3]] }))).toMatchObject({ code: 'shape-mismatch', feed: 'x' });
    expect(failure(() => session.run(['predict'], { x: Float64Array.of(1, 2) })).code).toBe('dtype-mismatch');
    expect(failure(() => session.run(['total'], 5 as never)).code).toBe('bad-data');
    expect(session.run('steps')).toBe(0);
  });

  it('say that one name is two nodes, and how to tell them apart', async () => {
    using model = await compile(
      path(
        'two.tdsl',
        'export fn f(x: f32): f32 {\n  let h = x + 1\n  return h\n}\nexport fn g(x: f32): f32 {\n  let h = x + 2\n  return h\n}\n',
      ),
    );
    using session = model.session();
    expect(failure(() => session.run(['h'], { x: 1 }))).toMatchObject({
      code: 'ambiguous-name',
      message: 'h stands for several nodes: f/h and g/h.',
      hint: 'Write which one: f/h and g/h.',
    });
    expect(session.run(['f/h', 'g/h'], { x: 1 })).toEqual([2, 3]);
    expect(session.run({ f: 'f', g: 'g' }, { 'f/h': 5, x: 1 })).toEqual({ f: 5, g: 3 });
  });

  it('an artifact without its source says so', async () => {
    using model = await compile(program);
    using alone = openModule(dirname(model.path));
    using session = alone.session();
    const hint = expect.stringContaining('Compile the source instead') as string;
    expect(failure(() => session.run(['train/loss'], { x, y }))).toMatchObject({ code: 'unknown-fetch', hint });
    expect(failure(() => alone.graph())).toMatchObject({ code: 'source-missing', hint });
    expect(failure(() => alone.session({ summaries: true }))).toMatchObject({ code: 'source-missing', hint });
  });
});

describe('summaries', () => {
  it('are those of the last run of a step, and change no bit of any variable', async () => {
    using model = await compile(program);
    using session = model.session({ threads: 1 });
    using recording = model.session({ threads: 2, summaries: true });
    expect(recording.summaries()).toEqual([]);
    let before: unknown;
    let loss = 0;
    for (let step = 0; step < 5; step++) {
      before = plain(recording.get('w'));
      const result = recording['train']!({ x, y }) as { readonly loss: number };
      expect(plain(result)).toEqual(plain(session['train']!({ x, y })));
      ({ loss } = result);
    }
    for (const { path: variable } of model.manifest.variables) expect(plain(recording.get(variable))).toEqual(plain(session.get(variable)));
    const [mse, squares, w, ...others] = recording.summaries();
    expect(others).toEqual([]);
    expect(mse).toMatchObject({ kind: 'scalar', name: 'mse' });
    expect(mse?.value).toBeCloseTo(loss, 5);
    expect([squares?.kind, squares?.name, (squares?.value as Tensor).shape]).toEqual(['histogram', 'squares', [3]]);
    expect(plain(w)).toEqual({ kind: 'histogram', name: 'w', value: before });
    recording['predict']!({ x });
    expect(recording.summaries()).toHaveLength(3);
    recording.run(['train', 'w'], { x, y });
    expect(recording.summaries()[0]).toMatchObject({ name: 'mse' });
    recording.entry('train').run({ x, y });
    expect(recording.summaries()).toHaveLength(3);
    recording.runSteps('train', { x, y }, { steps: 2 });
    expect(recording.summaries()).toEqual([]);
    const { loss: later } = (await recording.runAsync('train', { x, y })) as { readonly loss: number };
    expect(recording.summaries()).toHaveLength(3);
    expect(recording.summaries()[0]?.value).toBeCloseTo(later, 5);
    recording['train']!({ x, y });
    recording['reset']!();
    expect(recording.summaries()).toEqual([]);
    expect(session.summaries()).toEqual([]);
  });

  it('of a step with open ranks are recorded for each rank', async () => {
    using model = await compile(
      path(
        'ranks.tdsl',
        `state runs: i32 = 0
export step double<...S>(x: f32[...S]): f32[...S] {
  let twice = x * 2
  summary histogram("twice", twice)
  summary scalar("runs", runs)
  runs <- runs + 1
  return twice
}
`,
      ),
    );
    using session = model.session({ summaries: true });
    const recorded = (): unknown => session.summaries().map(({ name, value }) => [name, plain(value)]);
    session.run('double', { x: [1, 2] });
    expect(recorded()).toEqual([
      ['twice', [2, 4]],
      ['runs', 0],
    ]);
    session.run('double', { x: 3 });
    expect(recorded()).toEqual([
      ['twice', 6],
      ['runs', 1],
    ]);
    expect(session.get('runs')).toBe(2);
  });

  it('compile nothing where nobody asks for them', async () => {
    using model = await compile(program, { set: {} });
    using session = model.session({ threads: 1 });
    const before = artifacts();
    session['train']!({ x, y });
    expect(artifacts()).toBe(before);
  });
});

describe('the graph as a list', () => {
  it('has ops with unique names, types and places', async () => {
    using model = await compile(program);
    const graph = model.graph();
    expect(graph).toBe(model.graph());
    expect(graph.map(({ entry, kind, sizes }) => [entry, kind, sizes])).toEqual([
      ['predict', 'fn', ['N']],
      ['train', 'step', ['B']],
      ['reset', 'step', []],
    ]);
    const [predict, train] = graph;
    expect(predict?.nodes.map(({ name, op }) => `${name}: ${op}`)).toEqual(
      expect.arrayContaining(['w: variable', 'x: feed', 'matmul: matmul', 'raw: reshape', 'mul: mul', 'constant: constant']),
    );
    const names = train?.nodes.map(({ name }) => name) ?? [];
    expect(new Set(names).size).toBe(names.length);
    const squares = train?.nodes.find(({ name }) => name === 'loss/squares');
    expect(squares).toEqual({
      name: 'loss/squares',
      paths: ['train/loss/squares'],
      op: 'mul',
      inputs: ['product', 'product'],
      types: [{ dtype: 'f32', shape: ['B'] }],
      places: [{ file: program, line: 12, column: 19 }],
    });
    for (const node of train?.nodes ?? [])
      for (const input of node.inputs) expect(names.indexOf(input)).toBeLessThan(names.indexOf(node.name));
    expect(train?.outputs.map(({ path: of }) => of)).toEqual(['loss', 'worst']);
    expect(train?.updates.map(({ variable }) => variable)).toEqual(expect.arrayContaining(['w', 'steps']));
    expect(train?.summaries).toEqual([
      { kind: 'scalar', name: 'mse', node: 'loss' },
      { kind: 'histogram', name: 'squares', node: 'loss/squares' },
      { kind: 'histogram', name: 'w', node: 'w' },
    ]);
    // What it lists as fetchable is.
    using session = model.session({ threads: 1 });
    const paths = train?.nodes.flatMap((node) => node.paths) ?? [];
    expect(paths).toEqual(expect.arrayContaining(['w', 'train/x', 'train/loss', 'train/worst']));
    expect(session.run(paths, { x, y })).toHaveLength(paths.length);
  });
});

describe('names in what is run as a whole', () => {
  it('can be neither fetched nor fed, and the mistake says where they stand', async () => {
    const inside = path(
      'inside.tdsl',
      `fn heavy<N>(x: f64[N, N]): f64[N, N] {
  let product = x @ x
  return sin(product)
}
fn own(x: f64): f64 {
  let squared = x * x
  return squared
} vjp (g) => g * 2 * x
export fn f<N>(x: f64[N, N], c: f64): f64 {
  let chosen = if c > 0 then sum(heavy(x)) else sum(x)
  let kept = sum(checkpoint(heavy(x)))
  let walked = fold row in x with s = 0.0 {
    let part = sum(row)
    s + part
  }
  let table = [i, j] => {
    let twice = x[i, j] * 2
    return twice
  }
  return chosen + kept + walked + own(c) + sum(table)
}
`,
    );
    using model = await compile(inside);
    using session = model.session();
    const feeds = { x: tensor(Float64Array.of(1, 2, 3, 4), [2, 2]), c: 1 };
    expect(session.run(['chosen', 'walked'], feeds)).toEqual([session.run('chosen', feeds), 10]);
    const hint = 'Let it be part of the value, and name that outside.';
    for (const [name, where] of [
      ['heavy/product', 'in a branch that only some calls take'],
      ['f/heavy/product', 'in a branch that only some calls take'],
      ['heavy_1/product', 'inside of a checkpoint, whose values are not kept'],
      ['fold/part', 'in the body of a loop, or of a function with a derivative of its own'],
      ['own/squared', 'in the body of a loop, or of a function with a derivative of its own'],
      ['twice', 'in index notation, where it is a number for each index'],
    ] as const) {
      const message = `${name} stands ${where}: it can be neither fetched nor fed.`;
      expect(pick(failure(() => session.run(name, feeds)))).toEqual({ code: 'unknown-fetch', message, hint });
      expect(pick(failure(() => session.run('f', { ...feeds, [name]: 1 })))).toMatchObject({ code: 'unknown-feed', message, hint });
    }
  });
});

describe('types', () => {
  it('of results follow the shape of the fetches', () => {
    interface Entries {
      train: { feeds: { x: Tensor<'f32'> }; result: { loss: number } };
    }
    const typed = (session: Session<Entries>) => session.run({ step: 'train', more: ['w', { loss: 'train/loss' }] }, {});
    expectTypeOf(typed).returns.toEqualTypeOf<{
      readonly step: { loss: number };
      readonly more: readonly [Result, { readonly loss: Result }];
    }>();
    const single = (session: Session<Entries>) => session.run('train/loss');
    expectTypeOf(single).returns.toEqualTypeOf<Result>();
    const listed = (session: Session<Entries>, names: string[]) => session.run(names);
    expectTypeOf(listed).returns.toEqualTypeOf<readonly Result[]>();
    // @ts-expect-error a feed of an entry that is known has its type
    const wrong = (session: Session<Entries>) => session.run('train', { x: 'no' });
    expectTypeOf(wrong).toBeFunction();
  });
});
