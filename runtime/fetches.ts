// What a session is asked to fetch. In: a name, or names in arrays and objects. Out: the names, each once, and a way to put their values in
// the places of the names.
// Holds: everything that callers hand in is read once; what has no end is refused.
import { TfcError, reading } from './error.js';
import { composed } from './names.js';
import type { Result } from './result.js';
import { shown } from './shown.js';

/**
 * What is asked of whoever compiles: one entry.
 * @example
 * ```ts
 * const request: FetchRequest = { fetches: ['train/loss'], fed: [], ranks: {}, give: 'values' };
 * ```
 */
export interface FetchRequest {
  /** Sorted. */
  readonly fetches: readonly string[];
  /** Names of what is fed, sorted. */
  readonly fed: readonly string[];
  /** Of entries with open ranks that are fetched, or nodes of theirs: ranks by pack. */
  readonly ranks: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /**
   * Values: the result is a tuple with an item per fetch, in order. Summaries: the outputs are summaries of all entries among the fetches,
   * and are called `scalar NAME` or `histogram NAME`; nothing is updated.
   */
  readonly give: 'values' | 'summaries';
  /** Whether the entry says where it made a NaN or an infinity. Default false. */
  readonly trap?: boolean;
}

export interface ReadFetches {
  /** Each once, sorted. */
  readonly names: readonly string[];
  /** `values`: one per name. */
  readonly build: (values: readonly Result[]) => unknown;
}

/** Deeper ones contain themselves. */
const mostLevels = 100;
const mostNames = 100_000;

type Tree =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'record'; readonly fields: readonly (readonly [name: string, tree: Tree])[] };

/** @throws TfcError invalid-value. */
export function readFetches(what: unknown): ReadFetches {
  const found = new Set<string>();
  let left = mostNames;
  const read = (value: unknown, level: number): Tree => {
    left -= 1;
    if (level > mostLevels || left < 0)
      throw new TfcError(
        'invalid-value',
        level > mostLevels
          ? `Names to fetch are nested more than ${mostLevels} times.`
          : `More than ${mostNames} names are fetched at once.`,
        { hint: 'Does it contain itself?' },
      );
    if (typeof value === 'string') {
      const name = composed(value);
      found.add(name);
      return { kind: 'name', name };
    }
    if (Array.isArray(value)) return { kind: 'array', items: Array.from(value as readonly unknown[], (item) => read(item, level + 1)) };
    if (!isRecord(value))
      throw new TfcError('invalid-value', `What is fetched is a name, or an array or object of names, not ${shown(value)}.`, {
        hint: 'session.run({ loss: "train/loss", weights: ["w", "b"] }, feeds)',
      });
    return { kind: 'record', fields: Object.entries(value).map(([name, field]) => [name, read(field, level + 1)]) };
  };
  const tree = reading('What is fetched', () => read(what, 0));
  if (found.size === 0) throw new TfcError('invalid-value', 'Nothing is fetched.', { hint: 'Name at least one entry, node or variable.' });
  const names = [...found].sort();
  const places = new Map(names.map((name, at) => [name, at]));
  return { names, build: (values) => filled(tree, (name) => values[places.get(name) ?? -1] as Result) };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof Map) && !(value instanceof Set);

/** Fields are defined, not assigned: one may be called `__proto__`. */
function filled(tree: Tree, value: (name: string) => Result): unknown {
  switch (tree.kind) {
    case 'name':
      return value(tree.name);
    case 'array':
      return tree.items.map((item) => filled(item, value));
    case 'record':
      return Object.fromEntries(tree.fields.map(([name, field]) => [name, filled(field, value)]));
  }
}
