// The recorder of a run. In: the run's directory, what is known before the first step. Out: one recorder for the log that reports are made
// of, and for TensorBoard. Holds: both are in the same directory, so what one is looked at with finds the other.

import { checked } from './checked-recorder.js';
import { type Recorder, together } from './recorder.js';
import { runLog, type RunLogOptions } from './run-log.js';

/**
 * Opens a directory that `newRunDirectory` made, or that of a run that is gone on with (`resumedAt`).
 * @throws TfcError file-not-written.
 */
export async function openRecorder(directory: string, options: RunLogOptions): Promise<Recorder> {
  // Loaded when a run is recorded: it takes longer than the rest of a training command.
  const { eventFile } = await import('./tensorboard/event-file.js');
  const { resumedAt, facts } = options;
  // This one refuses a directory that has a run already.
  const log = runLog(directory, options);
  let events: Recorder;
  try {
    events = eventFile(directory, resumedAt === undefined ? {} : { resumedAt });
  } catch (error) {
    await log.close('failed');
    throw error;
  }
  events.text('command', `\`${facts.command.replaceAll('`', "'")}\``);
  events.text('environment', table(facts.environment));
  return checked(together([log, events]));
}

/** In Markdown. */
const table = (rows: Readonly<Record<string, unknown>>): string =>
  ['| | |', '|---|---|', ...Object.entries(rows).map(([name, value]) => `| ${cell(name)} | ${cell(String(value))} |`)].join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
