// First values of variables. In: positions, a seed. Out: nothing; the variables have values. Holds: the same seed gives the same values
// whatever is initialized together, and no variable changes that was not asked for.
import { convert } from './convert.js';
import { elements } from './element.js';
import { TfcError } from './error.js';
import type { Variables } from './variables.js';

/**
 * Gives each variable at `positions` its declared initial value; `runInitial` runs an entry of kind `init` with streams, for the variable
 * at a position.
 */
export function initialize(
  variables: Variables,
  positions: readonly number[],
  runInitial: (entry: number, streams: readonly number[], at: number) => void,
): void {
  for (const at of new Set(positions)) {
    const { path, dtype, initial } = variables.spec(at);
    switch (initial.kind) {
      case 'none':
        throw new TfcError('uninitialized-variable', `${path} declares no initial value.`, {
          variable: path,
          hint: 'Give it one with session.set.',
        });
      case 'constant': {
        const value = Number(initial.value);
        const element = elements[dtype].family === 'bool' ? value !== 0 : value;
        variables.fill(at, convert({ kind: 'variable', name: path, dtype, shape: [] }, element).data);
        break;
      }
      case 'entry':
        runInitial(initial.entry, initial.streams, at);
        break;
    }
  }
}
