// What training leaves behind, damaged. In: checkpoints and logs of runs, which are valid when they are written. Out: verdicts. Holds: a
// checkpoint gives the variables that another reader finds in it and a place from which a run goes on, or is refused and changes nothing;
// a log becomes a report, or is refused with its line.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fittedOf } from '../../src/driver/commands/restore.js';
import { buildInto } from '../../src/driver/build/build.js';
import { Checkpoints, resolveCheckpoint } from '../../src/train/checkpoints.js';
import { parseCriterion } from '../../src/train/criterion.js';
import { readRun } from '../../src/train/read-run.js';
import { type Drawing, reportOf } from '../../src/train/report/report.js';
import { terminalCurves } from '../../src/train/report/terminal.js';
import { histogramOf } from '../../src/train/histogram.js';
import { readState, toMetadata } from '../../src/train/training-state.js';
import { openModule, type Session, tensor } from '../../runtime/index.js';
import type { Kind } from './kind.js';
import { modelSafetensors } from './model-files.js';
import type { Random } from './random.js';
import { fine, found } from './target.js';

const source = 'param w: f32[3] = uniform(-1, 1)\nstate t: i64 = 0\nexport step s(x: f32[3]): f32 {\n  t <- t + 1\n  return sum(x * w)\n}';

interface Prepared {
  readonly folder: string;
  readonly session: Session;
}

let prepared: Prepared | undefined;

function prepare(): Prepared {
  if (prepared !== undefined) return prepared;
  const folder = mkdtempSync(join(tmpdir(), 'tfc-checkpoints-'));
  const program = join(folder, 'run.tdsl');
  writeFileSync(program, source);
  buildInto({ path: program, set: {}, cpu: 'native' }, join(folder, 'out'), new Map());
  mkdirSync(join(folder, 'checkpoints'));
  prepared = { folder, session: openModule(join(folder, 'out')).session({ threads: 1 }) };
  return prepared;
}

const measured = (random: Random): number => random.pick([0.5, -3, 1e300, Number.NaN, Number.POSITIVE_INFINITY]);

function checkpoint(random: Random): Uint8Array {
  const { folder, session } = prepare();
  session.set('w', tensor(Float32Array.from({ length: 3 }, () => random.int(100))));
  session.set('t', BigInt(random.int(1000)));
  const path = join(folder, 'valid.safetensors');
  const metadata = toMetadata({
    position: {
      epoch: 1 + random.int(3),
      batch: random.int(4),
      step: random.int(50),
      rows: random.int(99),
      sums: { loss: measured(random) },
    },
    run: { seed: random.int(9), data: 'digits', shuffled: true },
    metrics: random.chance(0.5) ? { loss: measured(random), __proto__: 1 } : {},
    ...(random.chance(0.5) ? { best: 'min:loss', patience: { best: measured(random), waited: random.int(3) } } : {}),
    ...(random.chance(0.5) ? { normalization: { kind: 'standard', columns: { x: { shift: [1, 2], scale: [1, 0.5] } } } } : {}),
    ...(random.chance(0.5) ? { vocabularies: { y: { words: ['cat', 'dog'] } } } : {}),
    ...(random.chance(0.5) ? { recordedIn: 'run-2026-11-29T10-31-05' } : {}),
  });
  session.save(path, { metadata });
  return readFileSync(path);
}

const valuesOf = (session: Session): string =>
  JSON.stringify([...(session.get('w') as { data: Float32Array }).data, String(session.get('t'))]);

const checkpointKind: Kind = {
  write: checkpoint,
  check(_, bytes) {
    const { folder, session } = prepare();
    const directory = join(folder, 'checkpoints');
    const path = join(directory, 'step-000005.safetensors');
    writeFileSync(path, bytes);
    const model = modelSafetensors(bytes);
    const before = valuesOf(session);
    try {
      session.restore(path);
    } catch (error) {
      if (valuesOf(session) !== before) return found('wrong', 'a checkpoint that was refused changed variables');
      throw error;
    }
    const [w, t] = [model?.get('w'), model?.get('t')];
    if (w === undefined || t === undefined) return found('accepted', 'a checkpoint without the variables');
    const expected = JSON.stringify([
      ...new Float32Array(Uint8Array.from(w.bytes).buffer),
      String(new BigInt64Array(Uint8Array.from(t.bytes).buffer)[0]),
    ]);
    if (valuesOf(session) !== expected) return found('wrong', 'other variables than are in the file');
    const { position, run, best, metrics } = readState(path);
    for (const count of [position.epoch, position.batch, position.step, position.rows])
      if (!Number.isSafeInteger(count) || count < 0) return found('accepted', 'a place that no run was at');
    for (const value of Object.values(run))
      if (typeof value === 'object') return found('accepted', 'an identity of something else than texts and numbers');
    fittedOf(path);
    new Checkpoints(directory, { keep: 2, best: parseCriterion('loss') }).isBest({ loss: 1 });
    if (best !== 'min:loss' || Number.isNaN(metrics['loss'] ?? Number.NaN)) return fine;
    return resolveCheckpoint(join(directory, 'best')) === path ? fine : found('wrong', 'another file is the best');
  },
};

const nothing = { command: 'tfc train', options: {}, environment: {}, variables: [], kernels: [] };

function log(random: Random): Uint8Array {
  const time = 1_790_000_000 + random.int(1000);
  const lines: unknown[] = [
    {
      kind: 'run',
      version: 1,
      name: random.pick(['mlp', '<b>', 'ä']),
      time,
      facts: {
        ...nothing,
        options: { lr: 0.1, seed: 1, shuffled: true },
        variables: [{ path: 'net/w', kind: 'param', type: 'f32[3]', elements: 3 }],
        kernels: [{ name: 'k1', title: 'sum', lines: ['1'], bytesRead: '4 B', bytesWritten: '4 B', flops: '3' }],
      },
    },
  ];
  const shown = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
  for (let step = 1, count = random.int(12); step <= count; step++)
    lines.push(
      random.pick([
        () => ({ kind: 'scalars', step, time: time + step, values: { 'train/loss': shown(measured(random)), 'validation/loss': step } }),
        () => ({ kind: 'histogram', step, time: time + step, tag: 'w', summary: histogramOf(Float64Array.of(1, -2, 3, random.int(50))) }),
        () => ({ kind: 'text', tag: 'note', text: '</script>' }),
        () => ({ kind: 'hparams', values: { lr: 0.1 }, metrics: ['train/loss'] }),
        () => ({ kind: 'resumed', step: random.int(step + 1), time: time + step, facts: nothing }),
        () => ({ kind: 'end', outcome: random.pick(['done', 'failed']), time: time + step }),
      ])(),
    );
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** What a chart looks like does not matter here: what is attacked is what reads logs. */
const noDrawing: Drawing = {
  drawChart: () => Promise.resolve('<svg xmlns="http://www.w3.org/2000/svg"/>'),
  colors: 8,
  dashes: { train: [1, 0], '': [1, 0] },
};

const logKind: Kind = {
  write: log,
  async check(_, bytes) {
    const { folder } = prepare();
    writeFileSync(join(folder, 'run.jsonl'), bytes);
    const run = readRun(folder);
    for (const { steps, values, times } of run.curves.values())
      if (steps.length !== values.length || steps.length !== times.length) return found('wrong', 'a curve of unequal lists');
    terminalCurves(run, 80);
    const page = await reportOf([run], noDrawing);
    return /<b>|<\/script/i.test(page) ? found('accepted', 'text of a run as part of the page') : fine;
  },
};

export const runKinds: Readonly<Record<string, Kind>> = { 'checkpoint.safetensors': checkpointKind, 'run.jsonl': logKind };
