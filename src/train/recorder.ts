// What a training run tells whoever looks at it. In: numbers, texts, tensors and the graph, as they come. Out: one interface, whatever
// becomes of them; several recorders at once.
// Holds: steps count from 1 over all epochs and never fall within a run; wall times are seconds since 1970; what is not finite is recorded
// as it is.

/**
 * Takes down a run. All but `close` return as soon as the record is in memory or in the file; none waits for a disk.
 * @throws TfcError file-not-written from any of them, once a file cannot be written any more; session-closed after `close`; invalid-value
 * for a step, a time, a tag or a value that is none.
 * @example
 * ```ts
 * async function record(run: Recorder): Promise<void> {
 *   run.scalars(1, Date.now() / 1000, { 'train/loss': 0.7, 'learning rate': 0.1 });
 *   run.histogram(1, Date.now() / 1000, 'hidden/w', (session.get('hidden/w') as Tensor<'f32'>).data);
 *   run.text('note', 'Markdown, as **TensorBoard** shows it');
 *   await run.close();
 * }
 * await record(recorder);
 * ```
 */
export interface Recorder {
  /**
   * Numbers of a step by their tags. `train/loss` and `validation/loss` share a chart, and so do other tags that begin with `train/`,
   * `validation/` or `test/` and go on alike; any other tag (`learning rate`, `rows per second`) has one of its own.
   */
  scalars(step: number, wallTime: number, values: Readonly<Record<string, number>>): void;
  /** How the elements of a tensor are distributed; `tag` is a variable's path, as a rule. */
  histogram(step: number, wallTime: number, tag: string, values: ArrayLike<number>): void;
  /** Markdown where it is shown. */
  text(tag: string, text: string): void;
  /** What the run was started with, and the tags of the scalars by which runs are compared. */
  hparams(values: Readonly<Record<string, HyperParameter>>, metrics: readonly string[]): void;
  graph(graph: RecordedGraph): void;
  /** Writes what is left and makes it durable. A second call does nothing. Default: `done`. */
  close(outcome?: Outcome): Promise<void>;
}

/**
 * What a run was started with.
 * @example
 * ```ts
 * const hparams: Record<string, HyperParameter> = { lr: 0.1, optimizer: 'sgd', shuffle: true };
 * ```
 */
export type HyperParameter = string | number | boolean;

/**
 * How a run ended: it did all its steps, or something kept it from it.
 * @example
 * ```ts
 * const outcome: Outcome = 'done';
 * await recorder.close(outcome);
 * ```
 */
export type Outcome = 'done' | 'failed';

/**
 * A graph as plain data: `/` in a name is a scope.
 * @example
 * ```ts
 * const graph: RecordedGraph = {
 *   nodes: [
 *     { name: 'net/x', op: 'input', inputs: [], results: [{ dtype: 'f32', shape: ['B', 4] }], notes: {} },
 *     { name: 'net/loss', op: 'mean', inputs: ['net/x'], results: [{ dtype: 'f32', shape: [] }], notes: { at: 'model.tdsl:12:14' } },
 *   ],
 * };
 * recorder.graph(graph);
 * ```
 */
export interface RecordedGraph {
  readonly nodes: readonly RecordedNode[];
  /** The same as a drawing: SVG. */
  readonly drawing?: string;
}

/**
 * A node of a graph that is recorded.
 * @example
 * ```ts
 * const node: RecordedNode = { name: 'net/x', op: 'input', inputs: [], results: [{ dtype: 'f32', shape: ['B', 4] }], notes: {} };
 * recorder.graph({ nodes: [node] });
 * ```
 */
export interface RecordedNode {
  /** Unique; no other node's name is its scope. */
  readonly name: string;
  readonly op: string;
  /** Names of the nodes that it reads, in the order of arguments. */
  readonly inputs: readonly string[];
  /** Its results: one, or a loop's several. */
  readonly results: readonly { readonly dtype: string; readonly shape: readonly (number | string)[] }[];
  /** What else is known of it: where it stands in the program, its constants. */
  readonly notes: Readonly<Record<string, string>>;
}

export const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Hands everything on to all of them; each is closed even if another cannot be.
 * @example
 * ```ts
 * const losses: number[] = [];
 * const mine: Recorder = {
 *   ...recorder,
 *   scalars: (step, time, values) => void losses.push(values['train/loss'] ?? NaN),
 *   histogram: () => undefined,
 *   text: () => undefined,
 *   hparams: () => undefined,
 *   graph: () => undefined,
 *   close: async () => undefined,
 * };
 * const both = together([recorder, mine]);
 * both.scalars(1, Date.now() / 1000, { 'train/loss': 0.7 });
 * await both.close();
 * ```
 */
export function together(recorders: readonly Recorder[]): Recorder {
  return {
    scalars: (step, wallTime, values) => recorders.forEach((one) => one.scalars(step, wallTime, values)),
    histogram: (step, wallTime, tag, values) => recorders.forEach((one) => one.histogram(step, wallTime, tag, values)),
    text: (tag, text) => recorders.forEach((one) => one.text(tag, text)),
    hparams: (values, metrics) => recorders.forEach((one) => one.hparams(values, metrics)),
    graph: (graph) => recorders.forEach((one) => one.graph(graph)),
    close: async (outcome) => {
      const closed = await Promise.allSettled(recorders.map((one) => one.close(outcome)));
      for (const one of closed) if (one.status === 'rejected') throw one.reason;
    },
  };
}
