// Calls that want to break the runtime. In: sequences of calls, with feeds that change, close or call while they are read. Out: verdicts.
// Holds: a call gives what the model of the module computes from what the feeds held when all of them had been read, or is refused by a
// code and changes nothing.

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { buildInto } from '../../src/driver/build/build.js';
import { packageRoot } from '../../src/driver/package.js';
import { type BoundEntry, type Module, openModule, type Session, tensor, Tensor, zeros } from '../../runtime/index.js';
import { items } from './grains.js';
import { type Fed, fed, feedKinds, type FeedSpec } from './hostile-feeds.js';
import { verdictOf } from './judge.js';
import type { Random } from './random.js';
import { entries, type EntryModel, fits, initial, type Plain, type Results, source, type State } from './runtime-model.js';
import { fine, found, type Input, type Target, type Verdict } from './target.js';

const trapActs = ['close', 'transfer', 'shrink', 'grow', 'recurse', 'set', 'throw', 'overwrite', 'save', 'initialize'] as const;

const meanwhileActs = ['close', 'transfer', 'shrink', 'grow', 'overwrite'] as const;

interface Call {
  readonly do: 'call';
  readonly session: number;
  readonly entry: string;
  readonly how: 'run' | 'method' | 'bound' | 'reuse' | 'async' | 'asyncReuse';
  readonly feeds: Readonly<Record<string, FeedSpec>>;
  /** How the feeds come: as they are, or behind something. */
  readonly behind: 'plain' | 'bare' | 'proxy';
  /** What reading one of them does. */
  readonly trap?: { readonly feed: number; readonly act: (typeof trapActs)[number] };
  /** What happens while the step runs on another thread. */
  readonly meanwhile?: (typeof meanwhileActs)[number];
}

type Action =
  | { readonly do: 'open'; readonly threads: number }
  | Call
  | { readonly do: 'steps'; readonly session: number; readonly rows: number; readonly options: Readonly<Record<string, unknown>> }
  | { readonly do: 'set'; readonly session: number; readonly feed: FeedSpec }
  | { readonly do: 'get' | 'initialize' | 'close' | 'turn'; readonly session: number }
  | { readonly do: 'save' | 'restore'; readonly session: number; readonly place: number }
  | { readonly do: 'strange'; readonly session: number; readonly which: number }
  | { readonly do: 'many' | 'worker'; readonly session: number };

// ---- Drawing ----------------------------------------------------------------------------------------------------------------------------

const sizes = [0, 1, 1, 2, 3, 3, 3, 5, 17, 300];

function feedFor(random: Random, rank: number, common: number): FeedSpec {
  const shape = Array.from({ length: random.chance(0.95) ? rank : random.int(4) }, (_, axis) =>
    axis === 1 && random.chance(0.9) ? 3 : random.chance(0.85) ? common : random.pick(sizes),
  );
  // What the model computes slowly is no hang.
  while (shape.reduce((product, size) => product * size, 1) > 5000) shape.pop();
  return {
    as: random.chance(0.7) ? random.pick(['typed', 'tensor', 'shaped', 'nested', 'zeros', 'offset', 'result']) : random.pick(feedKinds),
    shape,
    seed: random.bits(),
  };
}

function drawCall(random: Random, session: number): Call {
  const entry = random.pick(Object.keys(entries));
  const common = random.pick(sizes);
  const { feeds } = entries[entry] as EntryModel;
  const given = Object.fromEntries(
    Object.entries(feeds)
      .filter(() => random.chance(0.98))
      .map(([name, { rank }]) => [name, feedFor(random, rank, common)]),
  );
  return {
    do: 'call',
    session,
    entry,
    how: random.pick(['run', 'method', 'bound', 'reuse', 'reuse', 'async', 'asyncReuse']),
    feeds: random.chance(0.02) ? { ...given, extra: feedFor(random, 0, 1) } : given,
    behind: random.pick(['plain', 'plain', 'plain', 'bare', 'proxy']),
    ...(random.chance(0.25) ? { trap: { feed: random.int(4), act: random.pick(trapActs) } } : {}),
    ...(random.chance(0.4) ? { meanwhile: random.pick(meanwhileActs) } : {}),
  };
}

const counts = [0, 1, 2, 5, 2 ** 40, 2 ** 53, -1, 1.5, 'three', null, {}, [2], true];

function drawAction(random: Random): Action {
  const session = random.int(3);
  const kind = random.int(100);
  if (kind < 60) return drawCall(random, session);
  if (kind < 65) return { do: 'open', threads: random.pick([1, 1, 2, 3]) };
  if (kind < 73) {
    const options = random.pick([
      {},
      { steps: random.pick(counts) },
      { batch: { B: random.pick(counts) } },
      { batch: { B: 1 + random.int(4) }, epochs: random.pick(counts) },
      { batch: { N: 1 } },
      { batch: null },
      { batch: 5 },
    ]);
    return { do: 'steps', session, rows: random.pick([0, 1, 2, 5, 7]), options };
  }
  if (kind < 77) return { do: 'set', session, feed: feedFor(random, 1, 3) };
  if (kind < 83) return { do: random.pick(['get', 'get', 'initialize', 'turn']), session };
  if (kind < 85) return { do: 'close', session };
  if (kind < 90) return { do: random.pick(['save', 'restore']), session, place: random.int(6) };
  if (kind < 99) return { do: 'strange', session, which: random.int(strange.length) };
  return { do: random.chance(0.9) ? 'many' : 'worker', session };
}

const draw = (random: Random): Input => ({
  extension: 'json',
  bytes: Buffer.from(`[${Array.from({ length: 1 + random.int(20) }, () => JSON.stringify(drawAction(random))).join(',\n')}]`),
});

// ---- Calling ----------------------------------------------------------------------------------------------------------------------------

interface Open {
  readonly session: Session;
  state: State;
  readonly last: Map<string, unknown>;
  readonly reused: Map<string, BoundEntry>;
}

let folder: string | undefined;
let module: Module | undefined;

function prepare(): Module {
  if (module !== undefined) return module;
  folder = mkdtempSync(join(tmpdir(), 'tfc-calls-'));
  const program = join(folder, 'calls.tdsl');
  writeFileSync(program, source);
  buildInto({ path: program, set: {}, cpu: 'native' }, join(folder, 'out'), new Map());
  mkdirSync(join(folder, 'directory'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  module = openModule(join(folder, 'out'));
  return module;
}

const mine = new Error('thrown by a getter');

class Wrong extends Error {
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super('a finding');
    this.verdict = verdict;
  }
}

const wrong = (fault: 'wrong' | 'accepted' | 'refused', text: string): never => {
  throw new Wrong(found(fault, text));
};

async function check({ bytes }: Input): Promise<Verdict> {
  const calls = prepare();
  const sessions: (Open | undefined)[] = [];
  const open = (threads: number): Open => ({ session: calls.session({ threads }), state: initial(), last: new Map(), reused: new Map() });
  const place = (at: number): Open => (sessions[at % 3] ??= open(1 + (at % 2)));
  try {
    for (const action of JSON.parse(Buffer.from(bytes).toString()) as readonly Action[]) {
      if (action.do === 'open') {
        sessions.shift()?.session.close();
        sessions.push(open(action.threads));
      } else await act(action, place(action.session));
      if (sessions.some((one) => one?.session.closed === true))
        sessions.forEach((one, at) => one?.session.closed === true && (sessions[at] = undefined));
    }
    for (const one of sessions) if (one !== undefined) requireState(one, 'at the end');
    return fine;
  } catch (error) {
    if (error instanceof Wrong) return error.verdict;
    const verdict = verdictOf(error);
    return verdict.kind === 'refused' ? found('refused', `${verdict.code}: ${(error as Error).message}`) : verdict;
  } finally {
    for (const one of sessions) one?.session.close();
  }
}

async function act(action: Exclude<Action, { do: 'open' }>, one: Open): Promise<void> {
  const { session } = one;
  switch (action.do) {
    case 'call':
      return call(action, one);
    case 'steps':
      return steps(action, one);
    case 'set': {
      const { now, value, valid } = fed(action.feed, 'f32', 1, undefined);
      const held = now();
      const refused = attempt(() => session.set('w', value));
      if (refused === undefined && !(held?.shape.join() === '3' || (action.feed.as === 'typed' && held?.data.length === 3)))
        wrong('accepted', `set: ${action.feed.as} of shape [${action.feed.shape.join()}]`);
      if (refused === undefined && held !== undefined) one.state = { ...one.state, w: [...held.data] };
      else if (valid && held?.shape.join() === '3') wrong('refused', `set: ${action.feed.as}: ${refused}`);
      return requireState(one, 'set');
    }
    case 'get':
      return requireState(one, 'get');
    case 'initialize':
      session.initialize();
      one.state = initial();
      return requireState(one, 'initialize');
    case 'close':
      session.close();
      session.close();
      for (const [name, use] of Object.entries(afterClosing))
        if (attempt(() => use(session)) === undefined) wrong('accepted', `${name} of a closed session`);
      return;
    case 'turn':
      // Lets finalizers run.
      return new Promise((resolve) => setImmediate(resolve));
    case 'save':
    case 'restore':
      return files(action, one);
    case 'strange':
      attempt(() => strange[action.which % strange.length]?.(session, module as Module));
      return requireState(one, `strange call ${action.which}`);
    case 'many':
      for (let at = 0; at < 30; at++) {
        const x = zeros([100_000]);
        x.data.fill(at);
        const { data } = session.run('twice', { x }) as Tensor<'f32'>;
        if (data[99_999] !== at * 2 + 1) wrong('wrong', 'a large result');
      }
      return;
    case 'worker':
      return elsewhere(one);
  }
}

const afterClosing: Readonly<Record<string, (session: Session) => unknown>> = {
  run: (session) => session.run('weights', {}),
  get: (session) => session.get('w'),
  set: (session) => session.set('w', [1, 2, 3]),
  entry: (session) => session.entry('twice'),
  initialize: (session) => session.initialize(),
};

/** The code by which it was refused; undefined when it was not. Anything else that is thrown is a finding. */
function attempt(body: () => unknown): string | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    if (error === mine) return 'thrown by a getter';
    if (error instanceof Wrong) throw error;
    const verdict = verdictOf(error);
    if (verdict.kind === 'refused') return verdict.code;
    throw new Wrong(verdict);
  }
}

/** The same of a promise. */
async function attemptAsync(body: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await body();
    return undefined;
  } catch (error) {
    return attempt(() => {
      throw error;
    });
  }
}

function plainOf(value: unknown): Plain {
  if (value instanceof Tensor)
    return { shape: value.shape, data: Array.from<number | bigint, number>(value.data as Iterable<number | bigint>, Number) };
  return { shape: [], data: [Number(value)] };
}

const samePlain = (a: Plain, b: Plain): boolean =>
  a.shape.join() === b.shape.join() &&
  a.data.length === b.data.length &&
  a.data.every((one, at) => one === b.data[at] || (Number.isNaN(one) && Number.isNaN(b.data[at])));

function requireResults(result: unknown, expected: Results, what: string): void {
  for (const [name, value] of Object.entries(expected)) {
    const own = plainOf(name === '' ? result : (result as Readonly<Record<string, unknown>>)[name]);
    if (!samePlain(own, value)) wrong('wrong', `${what}: ${name} is ${show(own)}, expected ${show(value)}`);
  }
}

const show = ({ shape, data }: Plain): string => `[${data.slice(0, 6).join()}${data.length > 6 ? ',…' : ''}] of shape [${shape.join()}]`;

function requireState({ session, state }: Open, what: string): void {
  if (session.closed) return;
  const w = plainOf(session.get('w'));
  if (!samePlain(w, { shape: [3], data: state.w.map(Math.fround) }))
    wrong('wrong', `${what}: w is ${show(w)}, expected [${state.w.join()}]`);
  if (session.get('t') !== state.t) wrong('wrong', `${what}: t is ${String(session.get('t'))}, expected ${state.t}`);
}

async function call({ entry, how, feeds, behind, trap, meanwhile }: Call, one: Open): Promise<void> {
  const { session } = one;
  const model = entries[entry] as EntryModel;
  const made = new Map<string, Fed>();
  for (const [name, spec] of Object.entries(feeds)) {
    const { dtype, rank } = model.feeds[name] ?? { dtype: 'f32', rank: 0 };
    made.set(name, fed(spec, dtype, rank, one.last.get(entry)));
  }
  let held = heldBy(made);
  let trapped = false;
  const names = [...made.keys()];
  const trappedName = trap === undefined ? undefined : names[trap.feed % Math.max(1, names.length)];
  const given = behind === 'bare' ? (Object.create(null) as Record<string, unknown>) : {};
  for (const [name, { value }] of made) {
    if (name !== trappedName || trap === undefined) Object.defineProperty(given, name, { value, enumerable: true });
    else {
      const get = (): unknown => {
        if (!trapped) {
          trapped = true;
          spring(trap.act, one, made, name);
          held = heldBy(made);
        }
        return value;
      };
      Object.defineProperty(given, name, { get, enumerable: true });
    }
  }
  const passed = (behind === 'proxy' ? new Proxy(given, {}) : given) as Record<string, never>;
  const start = (): unknown => {
    if (how === 'bound') return session.entry(entry).run(passed);
    if (how === 'async') return session.runAsync(entry, passed);
    if (how === 'reuse' || how === 'asyncReuse') {
      let bound = one.reused.get(entry);
      if (bound === undefined) one.reused.set(entry, (bound = session.entry(entry, { reuse: true })));
      return how === 'reuse' ? bound.run(passed) : bound.runAsync(passed);
    }
    const method = (session as unknown as Readonly<Record<string, (feeds: unknown) => unknown>>)[entry];
    return how === 'method' && entry !== 'run' && method !== undefined ? method(passed) : session.run(entry, passed);
  };
  let result: unknown;
  let closedMeanwhile = false;
  let refused = attempt(() => (result = start()));
  if (result instanceof Promise) {
    const promise: Promise<unknown> = result;
    promise.catch(() => undefined);
    if (meanwhile !== undefined) {
      closedMeanwhile = meanwhile === 'close' && !session.closed;
      spring(meanwhile, one, made, '');
    }
    refused = await attemptAsync(async () => (result = await promise));
  }
  const what = `${entry} by ${how}${trap === undefined ? '' : `, ${trap.act}`} with ${Object.entries(feeds)
    .map(([name, { as, shape }]) => `${name}: ${as} [${shape.join()}]`)
    .join(', ')}`;
  const fit =
    held !== undefined &&
    Object.keys(held).length === Object.keys(model.feeds).length &&
    Object.keys(model.feeds).every((name) => Object.hasOwn(feeds, name)) &&
    fits(model, held);
  if (refused !== undefined) {
    if (fit && trap === undefined && [...made.values()].every(({ valid }) => valid)) wrong('refused', `${what}: ${refused}`);
    return requireState(one, `${what}, refused (${refused})`);
  }
  // Flat arrays take the shape that is asked for.
  if (held === undefined) return wrong('accepted', what);
  if (session.closed && !closedMeanwhile) wrong('accepted', `${what}, of a session that was closed on the way`);
  const flat = Object.entries(feeds).some(
    ([name, { as, shape }]) => as === 'typed' && (model.feeds[name]?.rank !== shape.length || shape.length > 1),
  );
  if (!fit && !flat) wrong('accepted', what);
  if (!fit) {
    if (!session.closed) one.state = stateOf(session);
    return;
  }
  const { results, state } = model.compute(held, one.state);
  requireResults(result, rounded(results), what);
  one.state = state;
  one.last.set(entry, result instanceof Tensor ? result : ((result as { readonly sum?: unknown } | undefined)?.sum ?? result));
  requireState(one, what);
}

const rounded = (results: Results): Results =>
  Object.fromEntries(Object.entries(results).map(([name, { shape, data }]) => [name, { shape, data: data.map(Math.fround) }]));

const stateOf = (session: Session): State => ({ w: [...plainOf(session.get('w')).data], t: Number(session.get('t')) });

function heldBy(made: ReadonlyMap<string, Fed>): Readonly<Record<string, Plain>> | undefined {
  const all = [...made].map(([name, { now }]) => [name, now()] as const);
  return all.some(([, held]) => held === undefined) ? undefined : (Object.fromEntries(all) as Record<string, Plain>);
}

/** What reading a feed does to the session and to the memory of others. */
function spring(what: (typeof trapActs)[number], one: Open, made: ReadonlyMap<string, Fed>, own: string): void {
  const { session } = one;
  const others = [...made]
    .filter(([name, { buffer }]) => (name !== own || made.size === 1) && buffer !== undefined)
    .map(([, { buffer }]) => buffer as ArrayBuffer & { resize?: (bytes: number) => void; resizable?: boolean; maxByteLength?: number });
  switch (what) {
    case 'close':
      return session.close();
    case 'transfer':
      for (const buffer of others)
        if (!(buffer instanceof SharedArrayBuffer) && (buffer.byteLength > 0 || own !== ''))
          structuredClone(buffer, { transfer: [buffer] });
      return;
    case 'shrink':
    case 'grow':
      for (const buffer of others) if (buffer.resizable === true) buffer.resize?.(what === 'shrink' ? 0 : (buffer.maxByteLength ?? 0));
      return;
    case 'recurse':
      requireResults(session.run('twice', { x: [1, 2] }), { '': { shape: [2], data: [3, 5] } }, 'a call in a getter');
      requireResults(
        session.run('pair', { x: Float32Array.of(1, 2, 3), y: Float32Array.of(1, 1, 1) }),
        { dot: { shape: [], data: [6] } },
        'a call in a getter',
      );
      session.run('train', { x: tensor(Float32Array.of(1, 2, 3), [1, 3]), scale: 1 });
      one.state = { w: one.state.w.map((value, at) => value + at + 1), t: one.state.t + 1 };
      return;
    case 'set':
      session.set('w', [7, 8, 9]);
      one.state = { ...one.state, w: [7, 8, 9] };
      return;
    case 'throw':
      throw mine;
    case 'overwrite':
      // One whose memory is gone has no bytes.
      for (const buffer of others) if (buffer.byteLength > 0) new Uint8Array(buffer).fill(0);
      return;
    case 'save':
      return session.save(join(folder ?? '', 'trapped.safetensors'));
    case 'initialize':
      session.initialize();
      one.state = initial();
  }
}

function steps({ rows, options }: Extract<Action, { do: 'steps' }>, one: Open): void {
  const { session } = one;
  const data = Array.from({ length: rows * 3 }, (_, at) => (at % 5) - 2);
  const x = tensor(Float32Array.from(data), [rows, 3]);
  let result: { readonly steps: number; readonly series: Readonly<Record<string, Float64Array>> } | undefined;
  const refused = attempt(() => (result = session.runSteps('train', { x, scale: 1 }, options as never)));
  const what = `runSteps with ${JSON.stringify(options)} of ${rows} rows`;
  if (refused !== undefined || result === undefined) return requireState(one, `${what}, refused (${refused})`);
  const {
    steps: given,
    batch,
    epochs: gone,
  } = options as { readonly steps?: unknown; readonly batch?: { readonly B?: unknown } | null; readonly epochs?: unknown };
  // What is null was not given.
  const [count, epochs] = [given ?? 1, gone ?? 1];
  const natural = (value: unknown): value is number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 1e6;
  if (
    !(batch === undefined || batch === null ? natural(count) : Number.isSafeInteger(batch.B) && (batch.B as number) > 0 && natural(epochs))
  )
    return wrong('accepted', what);
  const cuts: number[][] = [];
  if (batch === undefined || batch === null) for (let step = 0; step < (count as number); step++) cuts.push(data);
  else
    for (let epoch = 0; epoch < (epochs as number); epoch++)
      for (let row = 0; row < rows; row += batch.B as number) cuts.push(data.slice(row * 3, (row + (batch.B as number)) * 3));
  const losses = cuts.map((cut) => {
    const { results, state } = (entries['train'] as EntryModel).compute(
      { x: { shape: [cut.length / 3, 3], data: cut }, scale: { shape: [], data: [1] } },
      one.state,
    );
    one.state = state;
    return results['']?.data[0];
  });
  if (result.steps !== cuts.length || [...(result.series[''] ?? [])].join() !== losses.join())
    wrong('wrong', `${what}: ${result.steps} steps, [${[...(result.series[''] ?? [])].join()}], expected [${losses.join()}]`);
  requireState(one, what);
}

/** Saving and restoring, at places that are none as well. */
function files({ do: what, place }: Extract<Action, { do: 'save' | 'restore' }>, one: Open): void {
  const paths = ['saved.safetensors', 'saved.safetensors', 'directory', 'pipe', 'none/saved.safetensors', 'nul\0l'];
  const name = paths[place % paths.length] as string;
  const path = join(folder ?? '', name);
  if (what === 'save') {
    const refused = attempt(() => one.session.save(path));
    if (name === 'saved.safetensors') {
      if (refused !== undefined) wrong('refused', `save: ${refused}`);
      const copy = (module as Module).session({ threads: 1 });
      copy.restore(path);
      requireState({ ...one, session: copy }, 'restore of what was saved');
      copy.close();
    } else if (refused === undefined) wrong('accepted', `save to ${JSON.stringify(name)}`);
    if (!lstatSync(join(folder ?? '', 'pipe')).isFIFO()) {
      execFileSync('sh', ['-c', 'rm "$1" && mkfifo "$1"', 'sh', join(folder ?? '', 'pipe')]);
      wrong('wrong', 'save replaced a pipe by a file');
    }
    return;
  }
  const refused = attempt(() => one.session.restore(path));
  if (refused === undefined && name !== 'saved.safetensors') wrong('accepted', `restore from ${JSON.stringify(name)}`);
  if (refused === undefined) one.state = stateOf(one.session);
  else requireState(one, `restore, refused (${refused})`);
}

const nothing = (): never => undefined as never;

/** What nobody should call; refused by a code, or harmless. */
const strange: readonly ((session: Session, module: Module) => unknown)[] = [
  (session) => (session.run as () => unknown)(),
  (session) => session.run(nothing()),
  (session) => session.run(42 as never, {}),
  (session) => session.run('twice', null as never),
  (session) => session.run('twice', 'x' as never),
  (session) => session.run('twice', 5 as never),
  (session) => session.run('nope', {}),
  (session) => session.run('__proto__', {}),
  (session) => session.run(['x'], {}),
  (session) => session.run([], {}),
  (session) => session.entry(nothing()),
  (session) => session.entry('twice', null as never),
  (session) => session.entry('twice', { reuse: 'yes' as never }),
  (session) => session.entry('twice', { ranks: 5 as never }),
  (session) => session.runSteps('twice', undefined as never, undefined),
  (session) => session.runSteps('twice', { x: [1] }, null as never),
  (session) => session.get(nothing()),
  (session) => session.get('__proto__'),
  (session) => session.set('w', nothing()),
  (session) => session.set({} as never, 1),
  (session) => session.save(nothing()),
  (session) => session.save('', ['w']),
  (session) => session.save(5 as never),
  (session) => session.save('/', 'w' as never),
  (session) => session.restore(nothing()),
  (session) => session.restore('/', { only: 5 as never }),
  (session) => session.initialize(5 as never),
  (session) => session.initialize(['nope']),
  (session) => session.initialize(undefined, 1.5),
  (session) => session.initialize(undefined, 'seven' as never),
  (session) => session.isInitialized(nothing()),
  (_, module) => module.session({ threads: 'two' as never }),
  (_, module) => module.session({ threads: -1 }),
  (_, module) => module.session({ threads: 2 ** 40 }),
  (_, module) => module.session({ seed: 1.5 }),
  (_, module) => module.session({ seed: '7' as never }),
  (_, module) => module.session({ seed: null as never }),
  (_, module) => module.session(null as never),
  (_, module) => module.session(5 as never).close(),
  () => zeros(nothing()),
  () => zeros([-1]),
  () => zeros([2 ** 31, 2 ** 31]),
  () => zeros([2 ** 40]),
  () => zeros([1.5]),
  () => zeros('x' as never),
  () => zeros([3], 'f33' as never),
  () => tensor('x' as never),
  () => tensor(nothing()),
  () => tensor(new Float32Array(2), [3]),
  () => tensor(new Float32Array(2), 'x' as never),
  () => tensor(new Float32Array(2), [2], 'i64'),
  () => openModule(nothing()),
  () => openModule(''),
  () => openModule(5 as never),
  () => openModule('/nul\0l'),
  () => openModule('/'),
  () => new Tensor('nope' as never, [1], new Float32Array(1) as never),
];

/** The same module in another thread at the same time. */
async function elsewhere({ session }: Open): Promise<void> {
  const script = `import('node:worker_threads').then(async ({ parentPort, workerData }) => {
    const { openModule } = await import(workerData.runtime);
    const module = openModule(workerData.path);
    const session = module.session({ threads: 2 });
    for (let at = 0; at < 200; at++) if (session.run('twice', { x: [at] }).data[0] !== at * 2 + 1) throw new Error('wrong in a worker');
    session.close();
    module.close();
    parentPort.postMessage('done');
  })`;
  const worker = new Worker(script, {
    eval: true,
    workerData: { runtime: join(packageRoot(), 'dist', 'runtime', 'index.js'), path: join(folder ?? '', 'out') },
  });
  const done = new Promise<string>((resolve) => {
    worker.once('error', (error) => resolve(`a worker failed: ${String(error)}`));
    worker.once('exit', (code) => resolve(code === 0 ? '' : `a worker ended with ${code}`));
  });
  for (let at = 0; at < 200; at++)
    requireResults(session.run('twice', { x: [at] }), { '': { shape: [1], data: [at * 2 + 1] } }, 'beside a worker');
  const problem = await done;
  if (problem !== '') wrong('wrong', problem);
}

export const runtime: Target = { seconds: 2, batch: 200, draw, check, grains: [items] };
