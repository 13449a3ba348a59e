// What TensorBoard is given. In: scalars, tensors, texts, hyperparameters, graphs. Out: event files that an independent reader takes apart.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { TfcError } from '../../runtime/index.js';
import { check } from '../../src/driver/build/front.js';
import { placesIn } from '../../src/driver/report/graph-view.js';
import { recordedGraph } from '../../src/driver/report/recorded-graph.js';
import { histogramOf } from '../../src/train/histogram.js';
import type { RecordedGraph } from '../../src/train/recorder.js';
import { eventFile } from '../../src/train/tensorboard/event-file.js';
import { root, workplace } from '../driver/tfc.js';
import { crc32c, eventFilesIn, eventsIn, Message, recordsOf, valuesIn } from './event-records.js';

const scratch = mkdtempSync(join(tmpdir(), 'tfc-events-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => void vi.useRealTimers());
const directory = (): string => mkdtempSync(join(scratch, 'run-'));
const place = workplace();

/** The one file's events. */
const eventsOf = (run: string): Message[] => {
  const [file, ...more] = eventFilesIn(run);
  expect(more).toEqual([]);
  return eventsIn(file as string);
};

describe('event files', () => {
  it('are records with checksums, the first of which says the version', async () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    const run = directory();
    await eventFile(run).close();
    const [first, end] = eventsOf(run);
    expect(first?.text(3)).toBe('brain.Event:2');
    expect(first?.message(10).text(1)).toBe('tfc');
    expect(Math.abs((first?.number(1) ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(end?.message(5).messages(1)[0]?.text(1)).toBe('_hparams_/session_end_info');
    expect(eventFilesIn(run)[0]).toMatch(/events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+$/);
  });

  it('have scalars with steps and times, in 32 bits, with their plugin at the first of each tag', async () => {
    const run = directory();
    const recorder = eventFile(run);
    recorder.scalars(1, 1000.5, { 'train/loss': 0.1, accuracy: 0.5 });
    recorder.scalars(2 ** 40, 1001.5, { 'train/loss': NaN });
    recorder.scalars(2 ** 40 + 1, 1002.5, { 'train/loss': -1e300, größe: Infinity });
    await recorder.close();
    const events = eventsOf(run);
    expect(events.slice(1, 4).map((event) => [event.number(2), event.number(1)])).toEqual([
      [1, 1000.5],
      [2 ** 40, 1001.5],
      [2 ** 40 + 1, 1002.5],
    ]);
    const values = valuesIn(events).filter(({ tag }) => !tag.startsWith('_'));
    expect(values.map(({ tag, value }) => [tag, value.number(2)])).toEqual([
      ['train/loss', Math.fround(0.1)],
      ['accuracy', 0.5],
      ['train/loss', NaN],
      ['train/loss', -Infinity],
      ['größe', Infinity],
    ]);
    expect(values.map(({ value }) => [value.message(9).message(1).text(1), value.message(9).number(4)])).toEqual([
      ['scalars', 1],
      ['scalars', 1],
      ['', 0],
      ['', 0],
      ['scalars', 1],
    ]);
  });

  it('have histograms, and how much of a tensor is not finite', async () => {
    const run = directory();
    const recorder = eventFile(run);
    recorder.histogram(7, 1000, 'net/w', Float32Array.of(-1, 0.5, 0.5, NaN, 3));
    await recorder.close();
    const [histogram, notFinite] = valuesIn(eventsOf(run));
    const message = histogram?.value.message(5) as Message;
    expect([1, 2, 3, 4, 5].map((field) => message.number(field))).toEqual([-1, 3, 4, 3, 10.5]);
    expect(message.doubles(7).filter((count) => count > 0)).toEqual([1, 2, 1]);
    expect(message.doubles(6)).toHaveLength(message.doubles(7).length);
    expect(histogram?.value.message(9).message(1).text(1)).toBe('histograms');
    expect([notFinite?.tag, notFinite?.value.number(2)]).toEqual(['net/w (not finite)', 1]);
  });

  it('have texts as tensors', async () => {
    const run = directory();
    const recorder = eventFile(run);
    recorder.text('note', '**bold** – ü');
    await recorder.close();
    const [{ value } = { value: new Message(Buffer.alloc(0)) }] = valuesIn(eventsOf(run));
    expect(value.message(8).number(1)).toBe(7);
    expect(value.message(8).texts(8)).toEqual(['**bold** – ü']);
    expect(value.message(9).message(1).text(1)).toBe('text');
  });

  it('have hyperparameters: the experiment, the start and the end of the session', async () => {
    const run = directory();
    const recorder = eventFile(run);
    recorder.hparams({ rate: 0.1, optimizer: 'adam', shuffle: false }, ['validation/loss']);
    await recorder.close('failed');
    const data = new Map(
      valuesIn(eventsOf(run)).map(({ tag, value }) => {
        expect(value.message(9).message(1).text(1)).toBe('hparams');
        return [tag, value.message(9).message(1).message(2)];
      }),
    );
    const experiment = data.get('_hparams_/experiment')?.message(2);
    expect(experiment?.messages(4).map((info) => [info.text(1), info.number(4)])).toEqual([
      ['optimizer', 1],
      ['rate', 3],
      ['shuffle', 2],
    ]);
    expect(experiment?.messages(5).map((info) => info.message(1).text(2))).toEqual(['validation/loss']);
    const hparams = data.get('_hparams_/session_start_info')?.message(3).map(1);
    expect(hparams?.get('rate')?.number(2)).toBe(0.1);
    expect(hparams?.get('optimizer')?.text(3)).toBe('adam');
    expect(hparams?.get('shuffle')?.has(4)).toBe(true);
    expect(data.get('_hparams_/session_end_info')?.message(4).number(1)).toBe(2);
  });

  it('go on in a second file, which says from which step on', async () => {
    const run = directory();
    const first = eventFile(run);
    first.scalars(5, 1000, { loss: 1 });
    await first.close();
    const second = eventFile(run, { resumedAt: 3 });
    second.scalars(4, 1001, { loss: 0.5 });
    await second.close();
    const files = eventFilesIn(run);
    expect(files).toHaveLength(2);
    const events = eventsIn(files[1] as string);
    expect([events[1]?.message(7).number(1), events[1]?.number(2)]).toEqual([1, 4]);
    expect(events[2]?.number(2)).toBe(4);
  });

  it('are there soon, before they are closed, and whole up to the last record that a killed process wrote', async () => {
    vi.useFakeTimers();
    const run = directory();
    const recorder = eventFile(run);
    recorder.scalars(1, 1000, { loss: 1 });
    await vi.advanceTimersByTimeAsync(2500);
    expect(eventsOf(run)).toHaveLength(2);
    // A program that never rests gives timers no turn.
    vi.setSystemTime(Date.now() + 10_000);
    recorder.scalars(2, 1001, { loss: 0.5 });
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5000);
    recorder.scalars(3, 1002, { loss: 0.25 });
    expect(eventsOf(run)).toHaveLength(4);
    vi.restoreAllMocks();
    const file = readFileSync(eventFilesIn(run)[0] as string);
    let most = 0;
    for (let length = 0; length <= file.length; length++) {
      const whole = recordsOf(file.subarray(0, length)).length;
      expect(whole === most || whole === most + 1).toBe(true);
      most = whole;
    }
    expect(most).toBe(4);
    await recorder.close();
  });

  it('say what is wrong: a place that is none, use after the end', async () => {
    expect(() => eventFile(join(scratch, 'nowhere'))).toThrow(TfcError);
    const recorder = eventFile(directory());
    await recorder.close();
    await recorder.close();
    expect(() => recorder.scalars(1, 0, { loss: 1 })).toThrow(expect.objectContaining({ code: 'session-closed' }));
  });
});

describe('histograms', () => {
  it("have TensorFlow's limits, in which each number lies", () => {
    const values = Array.from({ length: 500 }, (_, at) => Math.sin(at) * 10 ** ((at % 40) - 20));
    const { limits, counts, count, sum, minimum, maximum } = histogramOf([...values, 0, -1e300, Number.MAX_VALUE, -Infinity]);
    const steps = limits
      .map(Math.abs)
      .filter((limit) => limit > 0 && limit < 1e21)
      .map((limit) => Math.log(limit / 1e-12) / Math.log(1.1));
    for (const step of steps) expect(Math.abs(step - Math.round(step))).toBeLessThan(1e-9);
    expect(limits.at(-1)).toBe(Number.MAX_VALUE);
    expect([...limits].sort((a, b) => a - b)).toEqual(limits);
    for (let at = 0; at < limits.length - 1; at++) {
      const [low, high] = [at === 0 ? -Infinity : (limits[at - 1] as number), limits[at] as number];
      expect(counts[at]).toBe([...values, 0, -1e300].filter((value) => value >= low && value < high).length);
    }
    expect(counts.reduce((total, one) => total + one)).toBe(count);
    expect(count).toBe(503);
    expect([minimum, maximum]).toEqual([-1e300, Number.MAX_VALUE]);
    expect(sum).toBeGreaterThan(1.79e308);
    expect(counts.some((one, at) => one === 0 && counts[at + 1] === 0)).toBe(false);
  });

  it('are of nothing as well', () => {
    for (const values of [[], [NaN, Infinity]])
      expect(histogramOf(values)).toMatchObject({ count: 0, minimum: 0, maximum: 0, notFinite: values.length, limits: [Number.MAX_VALUE] });
  });
});

function graphOf(text: string): RecordedGraph {
  const texts = new Map<string, string>();
  const { module, build } = check({ path: join(place.directory, place.file('m.tdsl', text)), set: {} }, texts);
  const entry = module.entries.find(({ kind }) => kind === 'step');
  if (entry === undefined) throw new Error('no step');
  return recordedGraph(entry, build, placesIn(texts));
}

describe('the graph', () => {
  const programs = {
    nested:
      'param w: f32 = 2\nexport step s(x: f32): f32 {\n  scope "a b" {\n    let y = w * x\n    scope "in:^ner" {\n      let z = y * w + 3\n    }\n  }\n  w <- x + 3\n  return exp(x) + exp(exp(x)) + z\n}\n',
    mnist: readFileSync(join(root, 'examples', 'mnist', 'mnist.tdsl'), 'utf8'),
    gpt: readFileSync(join(root, 'test', 'driver', 'gpt.tdsl'), 'utf8'),
  };

  it.each(Object.entries(programs))('has names that are unique, no node that is a scope, and inputs that are nodes: %s', (_, text) => {
    const { nodes } = graphOf(text);
    const names = new Set(nodes.map(({ name }) => name));
    expect(names.size).toBe(nodes.length);
    const before = new Set<string>();
    for (const { name, inputs } of nodes) {
      expect(name).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}_.\-/]*$/u);
      for (const input of inputs) expect(before).toContain(input);
      before.add(name);
      for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) expect(names).not.toContain(name.slice(0, end));
    }
  });

  it('nests by scopes, counts like nodes up, and has constants beside their readers', () => {
    const { nodes } = graphOf(programs.nested);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    expect([...byName.keys()].filter((name) => name.startsWith('exp'))).toEqual(['exp', 'exp_1']);
    expect(byName.get('a_b/y')).toMatchObject({ op: 'mul', inputs: ['w', 'x'], results: [{ dtype: 'f32', shape: [] }] });
    expect(byName.get('updates/w')?.inputs).toHaveLength(1);
    const sum = byName.get(byName.get('updates/w')?.inputs[0] ?? '');
    expect(sum?.op).toBe('add');
    expect(byName.get(sum?.inputs[1] ?? '')).toMatchObject({ op: 'Const', notes: { value: '3' } });
    expect(byName.get('x')?.op).toBe('Placeholder');
    expect(byName.get('w')?.op).toBe('VariableV2');
    expect(byName.get('x')?.notes['source']).toMatch(/m\.tdsl:2$/);
  });

  it('has equal blocks with equal nodes, whatever they share', () => {
    const { nodes } = graphOf(programs.gpt);
    const block = (at: number): string[] =>
      nodes
        .filter(({ name }) => name.startsWith(`fold/blocks/${at}/`))
        .map(({ name, op }) => `${name.slice(`fold/blocks/${at}/`.length)} ${op}`)
        .sort();
    expect(block(0).length).toBeGreaterThan(50);
    for (let at = 1; at < 11; at++) expect(block(at)).toEqual(block(0));
  });

  it('is written with shapes, dtypes and notes', async () => {
    const run = directory();
    const recorder = eventFile(run);
    recorder.graph(graphOf(programs.mnist));
    await recorder.close();
    const graph = eventsOf(run)
      .find((event) => event.has(4))
      ?.message(4) as Message;
    const nodes = new Map(graph.messages(1).map((node) => [node.text(1), node]));
    const product = nodes.get('net/logits/hidden1/matmul') as Message;
    expect([product.text(2), product.texts(3)]).toEqual(['matmul', ['x', 'net/logits/hidden1/w']]);
    const attributes = product.map(5);
    expect(attributes.get('type')?.text(2)).toBe('f32[B, 300]');
    expect(attributes.get('dtype')?.number(6)).toBe(1);
    const [shape] = attributes.get('_output_shapes')?.message(1).messages(7) ?? [];
    expect(shape?.messages(2).map((dim) => [dim.number(1), dim.text(2)])).toEqual([
      [-1, 'B'],
      [300, ''],
    ]);
  });
});

it('the generated code is what the generator makes of the messages today', () => {
  const source = join(root, 'src', 'train', 'tensorboard', 'proto');
  const copy = directory();
  for (const name of readdirSync(source)) if (/\.(proto|yaml)$/.test(name)) copyFileSync(join(source, name), join(copy, name));
  const tools = join(root, 'node_modules', '.bin');
  execFileSync(join(tools, 'buf'), ['generate', '--template', 'buf.gen.yaml'], {
    cwd: copy,
    env: { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}`, BUF_CACHE_DIR: join(copy, 'cache') },
  });
  const generated = readdirSync(copy).filter((name) => name.endsWith('_pb.ts'));
  expect(generated.sort()).toEqual(
    readdirSync(source)
      .filter((name) => name.endsWith('_pb.ts'))
      .sort(),
  );
  for (const name of generated) expect(readFileSync(join(source, name), 'utf8')).toBe(readFileSync(join(copy, name), 'utf8'));
});
