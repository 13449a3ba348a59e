// First values of variables. In: positions, a seed. Out: nothing; the variables have values. Holds: the same seed gives the same values
// whatever is initialized together, and no variable changes that was not asked for.
import { convert } from './convert.js';
import { elements } from './element.js';
import { TfcError } from './error.js';
import type { Variables } from './variables.js';

/** Gives each variable at `positions` its declared initial value; `runInitial(entry)` runs an entry of kind `init` with the seed. */
export function initialize(
  variables: Variables,
  positions: readonly number[],
  writesOf: (entry: number) => readonly number[],
  runInitial: (entry: number) => void,
): void {
  const wanted = new Set(positions);
  const entries = new Set<number>();
  for (const at of wanted) {
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
        entries.add(initial.entry);
        break;
    }
  }
  for (const entry of entries) {
    // An entry may write variables that keep what they have.
    const kept = writesOf(entry).filter((at) => !wanted.has(at) && variables.isInitialized(at));
    const before = kept.map((at) => variables.read(at));
    runInitial(entry);
    kept.forEach((at, index) => {
      const data = before[index];
      if (data !== undefined) variables.write(at, data);
    });
  }
}
