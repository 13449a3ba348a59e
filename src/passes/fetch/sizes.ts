// Sizes of several entries that become one. In: entries; types that must be the same. Out: names for the sizes of each.
// Holds: the sizes of an entry have nothing to do with those of another one that are called alike, but where both are fed the same; a size
// keeps its name when no other one has it.

import { Dim } from '../../base/index.js';
import type { AttrValue, Attrs, Entry, TensorType, Type } from '../../graph/index.js';
import { isRegion } from '../../graph/index.js';

export class SizeNames {
  readonly #entries: readonly Entry[];
  /** Sizes as `position of the entry` and name → another one that is the same size. */
  readonly #same = new Map<string, string>();
  #given: ReadonlyMap<string, string> | undefined;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  /** Makes sizes the same where both types have a single name; whether the types are then the same is for the caller to see. */
  join(a: Entry, left: TensorType, b: Entry, right: TensorType): void {
    for (const [axis, dim] of left.shape.entries()) {
      const [x, y] = [nameOf(dim), nameOf(right.shape[axis])];
      if (x === undefined || y === undefined) continue;
      const [first, second] = [this.#found(this.#symbol(a, x)), this.#found(this.#symbol(b, y))];
      if (first !== second) this.#same.set(second, first);
    }
    this.#given = undefined;
  }

  /** New names for the sizes of an entry; undefined when all stay as they are. */
  of(entry: Entry): ReadonlyMap<string, Dim> | undefined {
    const given = (this.#given ??= this.#give());
    const names = entry.dims.map((dim): [string, string] => [dim, given.get(this.#found(this.#symbol(entry, dim))) ?? dim]);
    return names.every(([before, after]) => before === after)
      ? undefined
      : new Map(names.map(([before, after]) => [before, Dim.of(after)]));
  }

  /** Names for all sizes, the first entry's first. */
  #give(): ReadonlyMap<string, string> {
    const given = new Map<string, string>();
    const taken = new Set<string>();
    for (const entry of this.#entries) {
      for (const dim of entry.dims) {
        const size = this.#found(this.#symbol(entry, dim));
        if (given.has(size)) continue;
        let name = dim;
        for (let times = 0; taken.has(name); times++) name = `${dim}_${entry.name}${times === 0 ? '' : `_${times}`}`;
        taken.add(name);
        given.set(size, name);
      }
    }
    return given;
  }

  #symbol(entry: Entry, dim: string): string {
    return `${this.#entries.indexOf(entry)} ${dim}`;
  }

  #found(symbol: string): string {
    let one = symbol;
    for (let next = this.#same.get(one); next !== undefined; next = this.#same.get(one)) one = next;
    return one;
  }
}

const nameOf = (dim: Dim | undefined): string | undefined => {
  const [term, ...more] = dim?.terms ?? [];
  return term !== undefined && more.length === 0 && term.coefficient === 1 && term.names.length === 1 ? term.names[0] : undefined;
};

export const renameTensor = (type: TensorType, names: ReadonlyMap<string, Dim>): TensorType => ({
  ...type,
  shape: type.shape.map((dim) => dim.substitute(names)),
});

export const renameType = (type: Type, names: ReadonlyMap<string, Dim>): Type =>
  type.kind === 'tensor' ? renameTensor(type, names) : { ...type, items: type.items.map((item) => renameTensor(item, names)) };

/** Sizes among attributes; the results of regions stay as they are. */
export const renameAttrs = (attrs: Attrs, names: ReadonlyMap<string, Dim>): Attrs =>
  Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, renameAttr(value, names)]));

function renameAttr(value: AttrValue, names: ReadonlyMap<string, Dim>): AttrValue {
  if (value instanceof Dim) return value.substitute(names);
  if (typeof value !== 'object') return value;
  if (isRegion(value)) return { ...value, params: value.params.map((type) => renameTensor(type, names)) };
  return (value as readonly AttrValue[]).map((one) => renameAttr(one, names));
}
