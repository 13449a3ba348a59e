// The state of a random graph while it is drawn. In: a seed. Out: nodes with bounds of their values and of their rounding errors. Holds:
// the same seed draws the same graph; what has error 0 is whole numbers small enough for its dtype, so that every link must compute it
// exactly, in whatever order it sums.

import { bytesOf, Dim, type DType, elementCount, isFloat, isInteger, isSigned, type Shape, shapeEquals } from '../../src/base/index.js';
import type { TensorNode, TensorType } from '../../src/graph/index.js';
import { fill, sizeAs } from '../../src/ops/index.js';
import { CaseMake, type Sizes } from './graphs.js';

export interface Item {
  readonly node: TensorNode;
  /** Largest magnitude. */
  readonly bound: number;
  /** Bound of the absolute error, in units of the dtype's precision at 1. 0: exact. */
  readonly error: number;
}

export const precision: Readonly<Record<DType, number>> = {
  f64: 2 ** -52,
  f32: 2 ** -23,
  f16: 2 ** -10,
  bf16: 2 ** -7,
  f8e4m3: 2 ** -3,
  f8e5m2: 2 ** -2,
  i8: 0,
  i16: 0,
  i32: 0,
  i64: 0,
  u8: 0,
  u16: 0,
  u32: 0,
  u64: 0,
  bool: 0,
};

/** Up to here sums of whole numbers are exact in any order. */
const exactLimit: Readonly<Record<DType, number>> = {
  f64: 2 ** 45,
  f32: 2 ** 21,
  f16: 1024,
  bf16: 128,
  f8e4m3: 16,
  f8e5m2: 8,
  i8: 127,
  i16: 2 ** 15 - 1,
  i32: 2 ** 30,
  i64: 2 ** 52,
  u8: 255,
  u16: 2 ** 16 - 1,
  u32: 2 ** 31,
  u64: 2 ** 52,
  bool: 1,
};

/** The largest magnitude of an integer. */
export const rangeOf = (dtype: DType): number =>
  !isInteger(dtype) ? Infinity : isSigned(dtype) ? 2 ** (8 * bytesOf(dtype) - 1) : 2 ** (8 * bytesOf(dtype)) - 1;

/** Integers wrap, so their magnitude is that of their dtype at most, and at least that once they did; below 0 those without a sign do. */
export const bounded = (dtype: DType, bound: number): number =>
  isInteger(dtype) && (!isSigned(dtype) || bound >= rangeOf(dtype)) ? rangeOf(dtype) : bound;

/** Elements of the largest tensor worth interpreting. */
const largest = 4000;
/** Errors above this say nothing any more. */
const worstError = 3000;

export class Drawing {
  readonly make: CaseMake;
  readonly sizes: readonly Sizes[];
  readonly dtypes: readonly DType[];
  /** Sizes that shapes are made of. */
  readonly palette: readonly Dim[];
  /** Bounds of feeds and variables by name; whole numbers or not. */
  readonly ranges = new Map<string, { readonly bound: number; readonly whole: boolean }>();
  items: Item[] = [];
  depth = 0;
  /** Bounds of clamps are no round numbers: what is differentiated must not hit them. */
  uneven = false;
  #state: number;
  #names = 0;

  constructor(prefix: string, seed: number, dtypes: readonly DType[]) {
    this.make = new CaseMake(prefix);
    this.dtypes = dtypes;
    this.#state = Math.imul(seed, 2654435761) ^ 0x9e3779b9;
    for (let warm = 0; warm < 4; warm++) this.random();
    const constants = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 19, 30, 33, 40];
    const names = ['B', 'N'];
    this.palette = [
      Dim.of(this.pick(constants)),
      Dim.of(this.pick(constants)),
      Dim.of(this.pick(names)),
      Dim.of(this.chance(0.5) ? this.pick(names) : this.pick(constants)),
    ];
    const some = (): number => this.pick([2, 3, 5, 6, 9, 17, 20]);
    const odd = (): number => this.pick([0, 1, 1, 2, 33, 40]);
    this.sizes = [
      { B: some(), N: some() },
      { B: odd(), N: some() },
      { B: some(), N: odd() },
    ];
    // A plain axis of each name, so that a call says how large they are.
    for (const name of names) this.feed([Dim.of(name)], 'i32');
  }

  /** In [0, 1). */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  int(below: number): number {
    return Math.floor(this.random() * below);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.int(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }

  // ---- Sizes --------------------------------------------------------------------------------------------------------------------------

  /** The largest value of a size in any run. */
  most(dim: Dim): number {
    return Math.max(...this.sizes.map((sizes) => dim.evaluate(new Map(Object.entries(sizes))) ?? NaN));
  }

  least(dim: Dim): number {
    return Math.min(...this.sizes.map((sizes) => dim.evaluate(new Map(Object.entries(sizes))) ?? NaN));
  }

  shape(ranks: readonly number[] = [0, 1, 1, 2, 2, 2, 3]): Dim[] {
    const shape = Array.from({ length: this.pick(ranks) }, () => this.pick(this.palette));
    return this.most(elementCount(shape)) > largest / 2 ? shape.slice(1) : shape;
  }

  constantShape(): Dim[] {
    return Array.from({ length: this.pick([0, 1, 1, 2, 2, 3]) }, () => Dim.of(this.pick([1, 2, 3, 5, 8, 17, 20])));
  }

  // ---- Items --------------------------------------------------------------------------------------------------------------------------

  /** Takes a node in; values that grow too large are clamped, errors that do are scaled down. Undefined when it has too many elements. */
  take(node: TensorNode, bound: number, error: number): Item | undefined {
    if (this.most(elementCount(node.type.shape)) > largest) return undefined;
    if (node.type.shape.some((dim) => this.least(dim) < 0)) return undefined;
    let item: Item = { node, bound, error };
    if (isFloat(node.type.dtype)) {
      if (bound > (error === 0 ? exactLimit[node.type.dtype] : 30)) item = this.clamp(item, error === 0 ? 20 : 3);
      if (item.error > worstError) item = this.scale(item, 2 ** -Math.ceil(Math.log2(item.error / worstError) + 1));
    }
    this.items.push(item);
    return item;
  }

  clamp({ node, error }: Item, limit: number): Item {
    const bound = (): number => (this.uneven && isFloat(node.type.dtype) ? limit * (0.9 + 0.1 * this.random()) : limit);
    const low = this.make.op('max', [node, fill(this.make.build, node.type, -bound())]);
    return { node: this.make.op('min', [low, fill(this.make.build, node.type, bound())]), bound: limit, error };
  }

  scale({ node, bound, error }: Item, by: number): Item {
    return { node: this.make.op('mul', [node, fill(this.make.build, node.type, by)]), bound: bound * by, error: error * by + 1 };
  }

  /** A recent item, rather, and one of floats rather. */
  find(good: (item: Item) => boolean = () => true): Item | undefined {
    const all = this.items.filter(good);
    const floats = all.filter(({ node }) => isFloat(node.type.dtype));
    const candidates = floats.length > 0 && this.chance(0.6) ? floats : all;
    return candidates.length === 0 ? undefined : candidates[Math.floor(candidates.length * Math.sqrt(this.random()))];
  }

  constant(type: TensorType): Item {
    const value = isFloat(type.dtype) || isSigned(type.dtype) ? this.pick([-3, -1, 0, 1, 2, 5]) : this.int(2);
    return { node: fill(this.make.build, type, value), bound: Math.abs(value), error: 0 };
  }

  feed(shape: Shape, dtype: DType): Item {
    const name = `f${this.#names++}`;
    const whole = !isFloat(dtype) || (dtype !== 'f32' && dtype !== 'f64') || this.chance(0.6);
    return this.#given(name, this.make.feed(name, shape, dtype), whole);
  }

  variable(shape: Shape, dtype: DType): Item {
    const name = `v${this.#names++}`;
    const last = this.make.variables.at(-1)?.type.shape;
    if (last !== undefined && this.chance(0.5)) shape = last;
    return this.#given(name, this.make.variable(name, shape, dtype), !isFloat(dtype) || this.chance(0.6));
  }

  #given(name: string, node: TensorNode, whole: boolean): Item {
    const { dtype } = node.type;
    const bound = dtype === 'bool' ? 1 : 9;
    this.ranges.set(name, { bound, whole });
    const item: Item = { node, bound, error: whole ? 0 : 1 };
    this.items.push(item);
    return item;
  }

  /** An item as a tensor of `type`: repeated, summed up, converted. Exact items stay exact. */
  fit(item: Item, type: TensorType): Item | undefined {
    const { make } = this;
    let { node, bound, error } = item;
    if (error > 0 && !isFloat(type.dtype)) return undefined;
    if (!shapeEquals(node.type.shape, type.shape)) {
      // Axes that match in order stay; the others are summed, or repeated.
      const axes: number[] = [];
      const kept: number[] = [];
      let next = 0;
      for (const [axis, dim] of node.type.shape.entries()) {
        const found = type.shape.findIndex((other, at) => at >= next && other.equals(dim));
        if (found < 0) continue;
        kept.push(axis);
        axes.push(found);
        next = found + 1;
      }
      const dropped = node.type.shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
      if (dropped.length > 0) {
        const count = this.most(elementCount(dropped.map((axis) => node.type.shape[axis] as Dim)));
        if (node.type.dtype === 'bool') node = make.op('reduceAny', [node], { axes: dropped });
        else {
          if (error === 0 && isFloat(node.type.dtype) && bound * count > exactLimit[node.type.dtype])
            ({ node, bound, error } = this.clamp({ node, bound, error }, 1));
          if (error === 0 && isFloat(node.type.dtype) && bound * count > exactLimit[node.type.dtype]) return undefined;
          node = make.op('reduceSum', [node], { axes: dropped });
          error = error === 0 ? 0 : count * (error + bound);
          bound *= count;
        }
      }
      if (!shapeEquals(node.type.shape, type.shape)) node = make.broadcast(node, type.shape, axes);
    }
    return this.convert({ node, bound, error }, type.dtype);
  }

  convert(item: Item, dtype: DType): Item | undefined {
    const { error } = item;
    let { node, bound } = item;
    const from = node.type.dtype;
    if (from === dtype) return item;
    if (error > 0) {
      if (!isFloat(dtype) || dtype === 'f16' || dtype === 'bf16') return undefined;
      return { node: this.make.op('cast', [node], { dtype }), bound, error: (error * precision[from]) / precision[dtype] + bound };
    }
    if (isFloat(dtype) && bound > exactLimit[dtype]) {
      if (isInteger(from) && !isSigned(from)) node = this.make.op('rem', [node, fill(this.make.build, node.type, 50)]);
      else ({ node } = this.clamp({ node, bound, error }, 50));
      bound = 50;
    }
    if (dtype === 'bool') bound = 1;
    bound = bounded(dtype, bound);
    return { node: this.make.op('cast', [node], { dtype }), bound, error };
  }

  sizeNumber(dim: Dim, dtype: DType): Item {
    return { node: sizeAs(this.make.build, dim, dtype), bound: this.most(dim), error: 0 };
  }
}
