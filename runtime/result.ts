// Results of entries as JavaScript values. In: a result's tree, one reader per output. Out: a function that builds the value, and what in a
// value is not finite. Holds: scalars are numbers, booleans or bigints; tensors are Tensor.
import type { ResultSpec } from './abi/manifest.js';
import { elementValue, elements } from './element.js';
import { Tensor } from './tensor.js';

/**
 * What an entry gives: numbers, tensors, records and tuples of them.
 * @example
 * ```ts
 * const result: Result = session.run('train', { x, y, lr: 0.1 });
 * ```
 */
export type Result = number | bigint | boolean | Tensor | readonly Result[] | ResultRecord;

/**
 * A result with names.
 * @example
 * ```ts
 * const { loss, accuracy } = session.run('train', { x, y, lr: 0.1 }) as ResultRecord;
 * ```
 */
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

/** The first NaN or infinity in a result, and the path to it: `loss`, `0/norm`; of a tensor `grad[3]`, counted row by row. */
export function findNotFinite(result: Result, path = ''): { readonly path: string; readonly value: number } | undefined {
  if (typeof result === 'number') return Number.isFinite(result) ? undefined : { path, value: result };
  if (typeof result !== 'object') return undefined;
  if (result instanceof Tensor) return findInTensor(result, path);
  for (const [name, part] of Object.entries(result)) {
    const found = findNotFinite(part as Result, path === '' ? name : `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findInTensor({ data, dtype }: Tensor, path: string): { readonly path: string; readonly value: number } | undefined {
  if (elements[dtype].family !== 'float') return undefined;
  for (let at = 0; at < data.length; at += 1) {
    const value = elementValue(dtype, data, at);
    if (typeof value === 'number' && !Number.isFinite(value)) return { path: `${path}[${at}]`, value };
  }
  return undefined;
}
