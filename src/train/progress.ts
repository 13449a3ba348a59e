// Progress on a terminal. In: steps as they are done, lines that are printed meanwhile. Out: a bar with the step's numbers, rows per second
// and time left. Holds: a line never lands in the middle of the bar: the bar is taken away, the line is printed, the bar is drawn again;
// what is wider than the terminal is cut and not wrapped.

import type * as CliProgress from 'cli-progress';
import { library } from '../input/library.js';
import type { StepProgress, TrainObserver } from './observer.js';

/**
 * A bar that shows how far training is.
 * @example
 * ```ts
 * const bar: Progress = progressBar(3);
 * bar.print(() => console.log('a line above the bar'));
 * bar.stop();
 * ```
 */
export interface Progress extends TrainObserver {
  step(progress: StepProgress): void;
  /** Calls `line`, which prints whole lines, while the bar is away. */
  print(line: () => void): void;
  stop(): void;
}

/** Milliseconds between two drawings. */
const drawEvery = 80;

/**
 * What is drawn on; of a terminal also how wide it is.
 * @example
 * ```ts
 * const lines: string[] = [];
 * const stream: ProgressStream = { write: (text) => lines.push(text) };
 * progressBar(3, stream).stop();
 * ```
 */
export interface ProgressStream {
  write(text: string): unknown;
}

/**
 * `stream`: where it is drawn. Default: standard error.
 * @example
 * ```ts
 * const bar = progressBar(3);
 * const step = session.entry('train');
 * const options = { data, batch: 50, epochs: 3, seed: 42, constant: { lr: 0.1 }, observers: [bar] };
 * for await (const { epoch, means } of train((feeds) => step.run(feeds), options)) bar.print(() => console.log(epoch, means['loss']));
 * bar.stop();
 * ```
 */
export function progressBar(epochs: number, stream: ProgressStream = process.stderr): Progress {
  // Loaded when a bar is drawn: whoever imports tfc may never draw one.
  const cliProgress = library<typeof CliProgress>('cli-progress');
  const bar = new cliProgress.SingleBar(
    {
      format: '{epoch} {bar} {done}  {numbers}{rate} rows/s  {left} left',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      // A stream of Node's, by a name that programs without Node's types know as well.
      stream: stream as NodeJS.WritableStream,
      // Whoever trains decides what a signal means; the bar would keep it from ending the process.
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let drawn = -Infinity;
  let running = false;
  let first: number | undefined;
  let last: { readonly total: number; readonly step: number; readonly payload: object } | undefined;
  const draw = (): void => {
    if (last === undefined) return;
    if (running) bar.update(last.step, last.payload);
    else bar.start(last.total, last.step, last.payload);
    running = true;
  };
  const erase = (): void => {
    if (running) bar.stop();
    running = false;
  };
  const step = (progress: StepProgress): void => {
    const now = performance.now();
    first ??= progress.step - 1;
    if (now - drawn < drawEvery && progress.step !== progress.steps) return;
    drawn = now;
    const { total, payload } = shownOf(progress, epochs, (progress.step - first) / progress.seconds);
    // A total that was not known before is set by starting anew.
    if (last !== undefined && last.total !== total) erase();
    last = { total, step: progress.step, payload };
    draw();
  };
  return {
    step,
    onStep: step,
    print: (line) => {
      const again = running;
      erase();
      line();
      if (again) draw();
    },
    stop: () => {
      erase();
      last = undefined;
    },
  };
}

/** `rate`: steps per second, of this process. */
function shownOf(
  { epoch, step, steps, scalars, rowsPerSecond }: StepProgress,
  epochs: number,
  rate: number,
): { readonly total: number; readonly payload: object } {
  return {
    total: steps ?? step,
    payload: {
      epoch: `epoch ${epoch}/${epochs}`,
      done: steps === undefined ? `step ${step}` : `${Math.floor((100 * step) / steps)}%`,
      numbers: Object.entries(scalars)
        .map(([name, value]) => `${name} ${format(value)}  `)
        .join(''),
      rate: rowsPerSecond >= 100 ? Math.round(rowsPerSecond) : rowsPerSecond.toFixed(1),
      left: steps === undefined ? '?' : duration((steps - step) / rate),
    },
  };
}

export const format = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1000 ? String(Math.round(value)) : value.toPrecision(4);

/** `3 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
