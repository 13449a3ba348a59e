// A recorder for callers who may be wrong. In: what they record. Out: the same for a recorder that takes it to be right, or an error.
// Holds: what is refused leaves no trace in any file.

import { isText, reading, TfcError } from '../../runtime/error.js';
import { shown } from '../../runtime/shown.js';
import { isStep, type Recorder } from './recorder.js';

export const checked = (inner: Recorder): Recorder => ({
  scalars(step, wallTime, values) {
    requirePoint(step, wallTime);
    const numbers = reading('The values of scalars', () => Object.entries(record(values, 'The values of scalars')));
    for (const [tag, value] of numbers) if (typeof value !== 'number') throw wrong(`${tag} is a number`, value);
    inner.scalars(step, wallTime, Object.fromEntries(numbers as [string, number][]));
  },
  histogram(step, wallTime, tag, values) {
    requirePoint(step, wallTime);
    requireTag(tag);
    if (!Array.isArray(values) && (!ArrayBuffer.isView(values) || values instanceof DataView))
      throw wrong('The values of a histogram are an array of numbers', values);
    const other = reading('The values of a histogram', () => Array.prototype.find.call(values, (value) => typeof value !== 'number'));
    if (other !== undefined) throw wrong('The values of a histogram are numbers', other);
    inner.histogram(step, wallTime, tag, values);
  },
  text(tag, text) {
    requireTag(tag);
    if (typeof text !== 'string') throw wrong('A text is a string', text);
    inner.text(tag, text);
  },
  hparams(values, metrics) {
    const all = reading('Hyperparameters', () => Object.entries(record(values, 'Hyperparameters')));
    for (const [name, value] of all)
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
        throw wrong(`The hyperparameter ${name} is a string, a number or a boolean`, value);
    if (!Array.isArray(metrics)) throw wrong('Metrics are an array of tags', metrics);
    for (const tag of metrics) requireTag(tag);
    inner.hparams(Object.fromEntries(all) as typeof values, [...metrics]);
  },
  graph: (graph) => inner.graph(graph),
  close: (outcome) => inner.close(outcome === 'failed' ? 'failed' : 'done'),
});

function requirePoint(step: unknown, wallTime: unknown): void {
  if (!isStep(step)) throw wrong('A step is a whole number from 0 on', step);
  if (typeof wallTime !== 'number' || !Number.isFinite(wallTime)) throw wrong('A time is a number of seconds since 1970', wallTime);
}

function requireTag(tag: unknown): void {
  if (!isText(tag)) throw wrong('A tag is text', tag);
}

function record(value: unknown, what: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${what} are an object`, value);
  return value;
}

const wrong = (rule: string, value: unknown): TfcError => new TfcError('invalid-value', `${rule}, not ${shown(value)}.`);
