// What `tfc train` does. In: a program, a data set, settings. Out: a trained session, its checkpoints and files. Holds: the program, the
// data and every name that was given are looked at before the first step.

import type { Command } from 'commander';
import { requireWritable } from '../../../runtime/atomic-file.js';
import { suggestion } from '../../../runtime/error.js';
import { type EntrySpec, type Module, type Session, TfcError, toJson } from '../../../runtime/index.js';
import { Checkpoints } from '../../train/checkpoints.js';
import { meansOver, metricsRunner, type MetricsRunner, scalarNames } from '../../train/metrics.js';
import type { Outcome } from '../../train/recorder.js';
import { type RunOptions, TrainingRun } from '../../train/training-run.js';
import { openTraining, type TrainingData } from './data.js';
import { type Feeds, readFeeds } from './feeds.js';
import { exitCodes, Interrupts } from './interrupts.js';
import { stepOf } from './entries.js';
import { openProgram } from './open.js';
import { UsageError } from './options.js';
import type { Rest } from './rest.js';
import { fittedMetadata, restoreToTrain } from './restore.js';
import { identityOf } from './run-identity.js';
import { feedsOf } from './scalar-flags.js';
import type { TrainingOptions, TrainingSettings } from './train-options.js';
import { TrainRecording } from './train-recording.js';
import { TrainReport } from './train-report.js';

export async function trainFile(rest: Rest, options: TrainingOptions, settings: TrainingSettings, command: Command): Promise<void> {
  // Hours of training should not end with a folder that is not there.
  if (options.save !== undefined) requireWritable(options.save);
  const given = readFeeds(options.feed, undefined);
  using module = await openProgram(rest.file, options);
  const entry = stepOf(module.manifest, rest.entry);
  const constant = { ...given, ...feedsOf(rest.flags, entry, command) };
  using session = module.session({
    seed: settings.seed,
    threads: settings.threads,
    trapNan: options.trapNan === true,
    device: options.device,
  });
  const { training: data, runner, validation, normalization, vocabularies } = await readData(module, session, entry, options, settings);
  const fitted = { ...(normalization === undefined ? {} : { normalization }), ...(vocabularies === undefined ? {} : { vocabularies }) };
  requireMetrics(entry, runner, settings);
  if (options.restore !== undefined) restoreToTrain(session, options.restore);
  const report = new TrainReport(settings.epochs, options.json === true);
  using interrupts = new Interrupts((by) => report.interrupted(by));
  const bound = session.entry(entry.name);
  const run = new TrainingRun((feeds) => bound.run(feeds), {
    ...settings,
    session,
    data,
    constant,
    shuffle: options.shuffle,
    stopOnNan: options.stopOnNan,
    signal: interrupts.signal,
    observers: report.observers,
    resume: options.resume === true,
    ...(toJson(fitted) as Pick<RunOptions, 'normalization' | 'vocabularies'>),
    ...keeping(module, entry, constant, options, settings),
    ...(runner === undefined || validation === undefined
      ? {}
      : {
          validate: async () => (await meansOver(runner, validation, { batch: settings.batch, constant, signal: interrupts.signal })).means,
        }),
  });
  const recording =
    options.logdir === undefined
      ? undefined
      : await TrainRecording.begin(
          run,
          { logdir: options.logdir, path: rest.file, entry, constant, metrics: tagsOf(entry, runner), options, settings },
          report,
        );
  let outcome: Outcome = 'failed';
  try {
    await follow(run, report, options, recording);
    if (interrupts.by !== undefined) {
      report.stopped(interrupts.by, run);
      process.exitCode = exitCodes[interrupts.by];
      return;
    }
    outcome = 'done';
    const { earlyStop } = settings;
    if (run.stoppedEarly && earlyStop !== undefined)
      report.stoppedEarly(run.position.epoch - 1, { metric: earlyStop.criterion.metric, patience: earlyStop.patience });
    if (options.save === undefined) return;
    session.save(options.save, { metadata: fittedMetadata(fitted) });
    report.saved(options.save);
  } catch (error) {
    recording?.failed(error);
    throw error;
  } finally {
    // What is to be kept is kept: nobody has to wait for a report.
    interrupts[Symbol.dispose]();
    await recording?.end(outcome);
  }
}

async function follow(
  run: TrainingRun,
  report: TrainReport,
  { stopOnNan, trapNan }: TrainingOptions,
  recording: TrainRecording | undefined,
): Promise<void> {
  report.start(run);
  try {
    for await (const record of run.epochs(recording)) report.epoch(record);
  } catch (error) {
    if (!(error instanceof TfcError) || error.code !== 'not-finite') throw error;
    const hints = [
      error.hint ?? '',
      stopOnNan && trapNan !== true ? 'With --no-stop-on-nan it goes on regardless.' : '',
      trapNan === true ? '' : 'With --trap-nan the line is named that made it.',
      run.saved === undefined ? '' : `The last checkpoint is ${run.saved.path}.`,
    ];
    throw new TfcError('not-finite', error.message, {
      hint: hints.filter((hint) => hint !== '').join(' '),
      cause: error,
    });
  } finally {
    report.end();
  }
}

interface Data extends TrainingData {
  /** What validates. */
  readonly runner: MetricsRunner | undefined;
}

async function readData(
  module: Module,
  session: Session,
  entry: EntrySpec,
  { data: path, validateWith }: TrainingOptions,
  { validateOn, seed, normalize, reading }: TrainingSettings,
): Promise<Data> {
  const runner = validateOn === undefined ? undefined : metricsRunner(session, module, entry, validateWith?.normalize());
  return { ...(await openTraining(path, entry, reading, { validateOn, runner: runner?.entry, seed, normalize })), runner };
}

/** Where checkpoints go, and what the run is known by. */
function keeping(module: Module, entry: EntrySpec, constant: Feeds, options: TrainingOptions, settings: TrainingSettings) {
  if (options.checkpoint === undefined) return { identity: {} };
  const { keep, best } = settings;
  return {
    checkpoints: new Checkpoints(options.checkpoint, { keep, ...(best === undefined ? {} : { best }) }),
    identity: identityOf(module, entry, constant, options, settings),
  };
}

/** Tags of the scalars by which runs are compared: what validates, where anything does. */
const tagsOf = (entry: EntrySpec, runner: MetricsRunner | undefined): readonly string[] =>
  runner === undefined ? scalarNames(entry).map((name) => `train/${name}`) : scalarNames(runner.entry).map((name) => `validation/${name}`);

/** @throws UsageError for a metric that no epoch will have. */
function requireMetrics(entry: EntrySpec, runner: MetricsRunner | undefined, { best, earlyStop }: TrainingSettings): void {
  const names = [...scalarNames(entry), ...(runner === undefined ? [] : scalarNames(runner.entry).map((name) => `validation/${name}`))];
  for (const [option, metric] of [
    ['--best', best?.metric],
    ['--early-stop', earlyStop?.criterion.metric],
  ] as const) {
    if (metric === undefined || names.includes(metric)) continue;
    const isValidation = metric.startsWith('validation/') && runner === undefined;
    throw new UsageError(
      `${option}: an epoch has no ${metric}`,
      isValidation
        ? 'Say on what to validate by --validate.'
        : (suggestion(metric, names) ?? (names.length === 0 ? `${entry.name} returns no numbers by name.` : `It has ${names.join(', ')}.`)),
    );
  }
}
