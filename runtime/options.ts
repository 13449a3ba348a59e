// Options as callers give them. In: anything. Out: an object whose members can be asked for. Holds: what is no object is a coded error that names the call.
import { TfcError } from './error.js';
import { shown } from './shown.js';

/** @throws TfcError invalid-value. */
export function requireOptions<Options extends object>(options: Options, call: string): Options {
  if (typeof options === 'object' && (options as object | null) !== null) return options;
  throw new TfcError('invalid-value', `The options of ${call} are an object, not ${shown(options)}.`);
}
