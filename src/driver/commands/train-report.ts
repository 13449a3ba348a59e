// What `tfc train` prints. In: what happens in a run. Out: a bar at a terminal, a line per epoch, or JSON lines. Holds: a line never lands
// in the bar; after the first signal the terminal is as it was, so that a second one leaves it so.

import { type JsonValue, toJson } from '../../../runtime/index.js';
import type { EpochRecord, TrainObserver } from '../../train/observer.js';
import { type Progress, progressBar } from '../../train/progress.js';
import type { TrainingRun } from '../../train/training-run.js';
import { isWatched, print, printError, warn } from './command.js';
import type { Interrupt } from './interrupts.js';

export class TrainReport {
  readonly #json: boolean;
  readonly #bar: Progress | undefined;

  constructor(epochs: number, json: boolean) {
    this.#json = json;
    this.#bar = isWatched(json) ? progressBar(epochs) : undefined;
  }

  get observers(): readonly TrainObserver[] {
    return this.#bar === undefined ? [] : [this.#bar];
  }

  start({ resumed }: TrainingRun): void {
    if (resumed === undefined) return;
    const { file, position } = resumed;
    this.#say(`goes on from ${file.path}: epoch ${position.epoch}, ${position.step} steps are done`, {
      resumed: file.path,
      epoch: position.epoch,
      steps: position.step,
    });
  }

  epoch({ epoch, steps, seconds, rowsPerSecond, means }: EpochRecord): void {
    this.#say(`epoch ${epoch}: ${shownMeans(means)} (${seconds.toFixed(2)} s)`, { epoch, steps, seconds, rowsPerSecond, ...means });
  }

  /** At the first signal, while the step is still running. */
  interrupted(by: Interrupt): void {
    this.#bar?.stop();
    if (!this.#json) printError(`${by}: stops after this step; a second ${by === 'SIGINT' ? 'Ctrl-C' : by} ends at once`);
  }

  stopped(by: Interrupt, { position, saved }: TrainingRun): void {
    const kept =
      saved === undefined ? 'nothing is saved (--checkpoint DIR keeps what is done)' : `${saved.path} has them; --resume goes on`;
    this.#say(`stopped by ${by} after ${position.step} steps: ${kept}`, {
      stopped: by,
      steps: position.step,
      ...(saved === undefined ? {} : { checkpoint: saved.path }),
    });
  }

  stoppedEarly(epoch: number, { metric, patience }: { readonly metric: string; readonly patience: number }): void {
    this.#say(`stopped early after epoch ${epoch}: ${metric} got no better in ${patience} epochs`, { stopped: 'early', epoch });
  }

  saved(path: string): void {
    if (!this.#json) print(`variables saved to ${path}`);
  }

  /** Where the run is recorded, before its first step. */
  recorded(directory: string): void {
    this.#say(`recorded in ${directory}`, { recorded: directory });
  }

  reported(path: string): void {
    this.#say(`report: ${path}`, { report: path });
  }

  warn(message: string): void {
    const line = (): void => warn(message);
    if (this.#bar === undefined) line();
    else this.#bar.print(line);
  }

  end(): void {
    this.#bar?.stop();
  }

  #say(text: string, value: Readonly<Record<string, JsonValue>>): void {
    const line = (): void => print(this.#json ? JSON.stringify(toJson(value)) : text);
    if (this.#bar === undefined) line();
    else this.#bar.print(line);
  }
}

export const shownMeans = (means: Readonly<Record<string, number>>): string =>
  Object.entries(means)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(', ');
