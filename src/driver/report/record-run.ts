// A run that is recorded, from its program on. In: a program, its step, how the command was called. Out: an open recorder, and the run's
// directory, which has the graph already.
// Holds: what is said of the program is read from the program as it is now; it is checked and lowered for that, and nothing is compiled.

import { DiagnosticsError, elementCount } from '../../base/index.js';
import { typeToString } from '../../graph/index.js';
import { openRecorder } from '../../train/open-recorder.js';
import type { HyperParameter, RecordedGraph, Recorder } from '../../train/recorder.js';
import { newRunDirectory } from '../../train/run-directory.js';
import { environmentOf, type RunFacts } from '../../train/run-facts.js';
import { backendOf } from '../build/backends.js';
import { check } from '../build/front.js';
import { toKernels } from '../build/pipeline.js';
import type { BuildRequest } from '../build/request.js';
import { targetFor } from '../build/target.js';
import { version } from '../package.js';
import { explain } from './explain.js';
import { svgOf } from './graph-drawing.js';
import { placesIn, viewOf } from './graph-view.js';
import { recordedGraph } from './recorded-graph.js';

export interface RunToRecord {
  /** Where it is recorded: the directory of all runs and the run's name, or the directory of a run that is gone on with after a step. */
  readonly at:
    { readonly logdir: string; readonly name: string } | { readonly directory: string; readonly name: string; readonly resumedAt: number };
  readonly program: Pick<BuildRequest, 'path' | 'set' | 'roots'>;
  /** The step's name. */
  readonly entry: string;
  readonly cpu: string;
  readonly threads: number;
  /** As it was typed. */
  readonly command: string;
  readonly options: Readonly<Record<string, HyperParameter>>;
  /** By which runs are compared, and tags of the scalars that they are compared in. */
  readonly hparams: Readonly<Record<string, HyperParameter>>;
  readonly metrics: readonly string[];
}

export interface RecordedRun {
  readonly directory: string;
  readonly recorder: Recorder;
}

/** @throws DiagnosticsError for the program; TfcError file-not-written, invalid-value for a name that is none. */
export async function recordRun(run: RunToRecord): Promise<RecordedRun> {
  const { at, command, options, threads } = run;
  const { graph, ...program } = await describeProgram(run);
  const facts: RunFacts = { command, options, environment: environmentOf(threads, version()), ...program };
  const isResumed = 'directory' in at;
  const directory = isResumed ? at.directory : newRunDirectory(at.logdir, at.name);
  const recorder = await openRecorder(directory, { name: at.name, facts, ...(isResumed ? { resumedAt: at.resumedAt } : {}) });
  recorder.graph(graph);
  recorder.hparams(run.hparams, run.metrics);
  return { directory, recorder };
}

type ProgramFacts = Pick<RunFacts, 'variables' | 'kernels'> & { readonly graph: RecordedGraph };

async function describeProgram({ program, entry: name, cpu }: RunToRecord): Promise<ProgramFacts> {
  const texts = new Map<string, string>();
  const { module, build } = check(program, texts);
  const entry = module.entries.find((one) => one.name === name);
  if (entry === undefined) throw new DiagnosticsError([{ code: 'unknown-entry', message: `${program.path} exports no step ${name}` }]);
  const views = viewOf({ ...module, entries: [entry] }, build, texts);
  const graph = { ...recordedGraph(entry, build, placesIn(texts)), drawing: await svgOf(views, undefined) };
  const { output } = toKernels(targetFor(cpu, backendOf({}))).run(module, { build });
  const report = explain(output, build, texts).find((one) => one.entry === name);
  return {
    graph,
    variables: module.variables.map(({ path, kind, type }) => {
      const elements = elementCount(type.shape).constant;
      return { path, kind, type: typeToString(type), ...(elements === undefined ? {} : { elements }) };
    }),
    kernels: (report?.kernels ?? []).map(({ name: kernel, title, lines, bytesRead, bytesWritten, flops }) => ({
      name: kernel,
      title,
      lines,
      bytesRead,
      bytesWritten,
      flops,
    })),
  };
}
