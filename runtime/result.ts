// Results of entries as JavaScript values. In: a result's tree, one reader per output. Out: a function that builds the value. Holds:
// scalars are numbers, booleans or bigints; tensors are Tensor.
import type { ResultSpec } from './abi/manifest.js';
import type { Tensor } from './tensor.js';

export type Result = number | bigint | boolean | Tensor | readonly Result[] | ResultRecord;

export interface ResultRecord {
  readonly [field: string]: Result;
}

export function resultBuilder(tree: ResultSpec, outputs: readonly (() => Result)[]): () => Result {
  switch (tree.kind) {
    case 'output': {
      const read = outputs[tree.index];
      if (read === undefined) throw new RangeError(`no output ${tree.index}`);
      return read;
    }
    case 'record': {
      const fields = tree.fields.map(([name, field]) => [name, resultBuilder(field, outputs)] as const);
      // Assigning to this name would change the record's prototype.
      if (fields.some(([name]) => name === '__proto__')) return () => Object.fromEntries(fields.map(([name, build]) => [name, build()]));
      return () => {
        const record: Record<string, Result> = {};
        for (const [name, build] of fields) record[name] = build();
        return record;
      };
    }
    case 'tuple': {
      const items = tree.items.map((item) => resultBuilder(item, outputs));
      return () => items.map((build) => build());
    }
    default:
      return unknownKind(tree);
  }
}

function unknownKind(tree: never): never {
  throw new TypeError(`no result of kind ${JSON.stringify(tree)}`);
}
