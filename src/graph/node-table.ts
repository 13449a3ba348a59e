// Finds the node for a combination of op, arguments, attributes and type. In: combinations. Out: the node that is kept for an equal one.
// Holds: no text is made of a combination; what is compared is the combination itself, with the few that have its hash.

import { Dim } from '../base/index.js';
import type { AttrValue, Attrs, Node, OpTag, Region } from './node.js';
import { isRegion } from './region.js';
import { type TensorType, type Type, typeEquals } from './type.js';

type Combination = Pick<Node, 'op' | 'args' | 'attrs' | 'type'>;

/** What a combination is apart from its arguments, as a hash, and how many letters it would take. */
export interface Kind {
  readonly hash: number;
  readonly letters: number;
}

export class NodeTable {
  /** Nodes that share a hash are in one list. */
  readonly #nodes = new Map<number, Node | Node[]>();
  readonly #names = new Map<OpTag, number>();
  #hash = 0;
  #letters = 0;

  /** Everything but the arguments; the same for equal ops, attributes and types. */
  kindOf(op: OpTag, attrs: Attrs, type: Type): Kind {
    this.#hash = this.#nameOf(op);
    this.#letters = op.name.length + 3;
    this.#attrs(attrs);
    this.#type(type);
    return { hash: this.#hash, letters: this.#letters };
  }

  /** Measures a combination, which is what `find` and `add` are about until the next call. */
  measure({ hash, letters }: Kind, args: readonly Node[]): void {
    this.#hash = hash;
    this.#letters = letters;
    for (let at = 0; at < args.length; at++) {
      const { id } = args[at] as Node;
      this.#number(id);
      this.#letters += digitsOf(id) + 1;
    }
  }

  /** Letters of the combination, if it were written down. */
  get letters(): number {
    return this.#letters;
  }

  find(wanted: Combination): Node | undefined {
    const known = this.#nodes.get(this.#hash);
    if (known === undefined) return undefined;
    if (Array.isArray(known)) return known.find((one) => isSame(one, wanted));
    return isSame(known, wanted) ? known : undefined;
  }

  add(node: Node): void {
    const known = this.#nodes.get(this.#hash);
    if (known === undefined) this.#nodes.set(this.#hash, node);
    else if (Array.isArray(known)) known.push(node);
    else this.#nodes.set(this.#hash, [known, node]);
  }

  #nameOf(op: OpTag): number {
    let hash = this.#names.get(op);
    if (hash === undefined) {
      this.#hash = 0;
      this.#text(op.name);
      this.#names.set(op, (hash = this.#hash));
    }
    return hash;
  }

  #number(value: number): void {
    this.#hash = (Math.imul(this.#hash, 0x9e3779b1) + (Number.isInteger(value) ? value : value * 0x10001)) | 0;
    this.#hash ^= this.#hash >>> 15;
  }

  #text(text: string): void {
    for (let at = 0; at < text.length; at++) this.#hash = (Math.imul(this.#hash, 31) + text.charCodeAt(at)) | 0;
  }

  /** The order in which attributes stand does not matter. */
  #attrs(attrs: Attrs): void {
    const before = this.#hash;
    let [sum, count] = [0, 0];
    for (const name in attrs) {
      this.#hash = before;
      this.#text(name);
      this.#attr(attrs[name] as AttrValue);
      sum = (sum + this.#hash) | 0;
      this.#letters += name.length + 2;
      count++;
    }
    if (count === 0) return;
    this.#hash = sum;
    this.#letters += 1;
  }

  #attr(value: AttrValue): void {
    switch (typeof value) {
      case 'string':
        this.#text(value);
        this.#letters += JSON.stringify(value).length;
        return;
      case 'number':
        this.#number(value);
        this.#letters += Number.isSafeInteger(value) && value > 0 ? digitsOf(value) : Object.is(value, -0) ? 2 : String(value).length;
        return;
      case 'bigint':
        this.#number(Number(BigInt.asIntN(32, value)));
        this.#letters += String(value).length + 1;
        return;
      case 'boolean':
        this.#number(Number(value));
        this.#letters += value ? 4 : 5;
        return;
    }
    if (value instanceof Dim) {
      this.#dim(value);
      this.#letters += 2;
      return;
    }
    if (isRegion(value)) {
      for (const param of value.params) this.#tensor(param);
      for (const { id } of value.results) {
        this.#number(id);
        this.#letters += digitsOf(id);
      }
      this.#letters += 12 + Math.max(0, value.params.length - 1) + Math.max(0, value.results.length - 1);
      return;
    }
    for (const item of value) this.#attr(item);
    this.#letters += 2 + Math.max(0, value.length - 1);
  }

  #type(type: Type): void {
    if (type.kind === 'tensor') return this.#tensor(type);
    for (const item of type.items) this.#tensor(item);
    this.#letters += 2 + Math.max(0, type.items.length - 1);
  }

  #tensor({ dtype, shape }: TensorType): void {
    this.#text(dtype);
    this.#letters += dtype.length + shape.length;
    for (const dim of shape) this.#dim(dim);
  }

  #dim({ constant, key }: Dim): void {
    if (constant === undefined) this.#text(key);
    else this.#number(constant);
    this.#letters += key.length;
  }
}

function digitsOf(natural: number): number {
  let digits = 1;
  for (let bound = 10; bound <= natural; bound *= 10) digits++;
  return digits;
}

const isSame = (a: Combination, b: Combination): boolean =>
  a.op === b.op &&
  sameArgs(a.args, b.args) &&
  (a.attrs === b.attrs || attrsEqual(a.attrs, b.attrs)) &&
  (a.type === b.type || typeEquals(a.type, b.type));

function sameArgs(a: readonly Node[], b: readonly Node[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if ((a[at] as Node).id !== (b[at] as Node).id) return false;
  return true;
}

function attrsEqual(a: Attrs, b: Attrs): boolean {
  let count = 0;
  for (const name in a) {
    const other = b[name];
    if (other === undefined || !valueEquals(a[name] as AttrValue, other)) return false;
    count++;
  }
  return count === Object.keys(b).length;
}

function valueEquals(a: AttrValue, b: AttrValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  if (a instanceof Dim || b instanceof Dim) return a instanceof Dim && b instanceof Dim && a.equals(b);
  if (isRegion(a) || isRegion(b)) return isRegion(a) && isRegion(b) && regionEquals(a, b);
  return a.length === b.length && a.every((item, at) => valueEquals(item, b[at] as AttrValue));
}

const regionEquals = (a: Region, b: Region): boolean =>
  a.params.length === b.params.length &&
  a.results.length === b.results.length &&
  a.params.every((param, at) => typeEquals(param, b.params[at] as TensorType)) &&
  a.results.every((result, at) => result.id === b.results[at]?.id);
