// Progress on a terminal. In: steps as they are done. Out: a bar with the step's numbers, steps per second and time left. Holds: nothing is
// drawn where standard error is no terminal.

import { createRequire } from 'node:module';
import type * as CliProgress from 'cli-progress';
import type { StepProgress } from './train.js';

export interface Progress {
  step(progress: StepProgress): void;
  stop(): void;
}

/** Milliseconds between two drawings. */
const drawEvery = 80;

export function progressBar(epochs: number): Progress {
  // Loaded when a bar is drawn: whoever imports tfc may never draw one.
  const cliProgress = createRequire(import.meta.url)('cli-progress') as typeof CliProgress;
  const bar = new cliProgress.SingleBar(
    {
      format: '{epoch} {bar} {percentage}%  {numbers}{rate} steps/s  {left} left',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      stopOnComplete: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const start = performance.now();
  let drawn = -Infinity;
  let running = false;
  return {
    step({ epoch, step, steps, scalars }) {
      const now = performance.now();
      if (now - drawn < drawEvery && step < steps) return;
      drawn = now;
      const rate = (step * 1000) / (now - start);
      const payload = {
        epoch: `epoch ${epoch}/${epochs}`,
        numbers: Object.entries(scalars)
          .map(([name, value]) => `${name} ${format(value)}  `)
          .join(''),
        rate: rate >= 100 ? Math.round(rate) : rate.toFixed(1),
        left: duration((steps - step) / rate),
      };
      if (!running) bar.start(steps, step, payload);
      else bar.update(step, payload);
      running = true;
    },
    stop() {
      if (running) bar.stop();
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
