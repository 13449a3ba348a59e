// Vectors and aggregates: splats, lanes, shuffles, reductions, struct values. In: values. Out: values.
// Holds: lane counts agree and constant lane numbers are within the vector.

import { MemoryBuilder } from './builder-memory.js';
import { fault } from './fault.js';
import { ref } from './raw.js';
import type { LlvmType } from './types.js';
import type { LlvmValue } from './values.js';

export type Reduction =
  'add' | 'mul' | 'and' | 'or' | 'xor' | 'smax' | 'smin' | 'umax' | 'umin' | 'fadd' | 'fmul' | 'fmax' | 'fmin' | 'fmaximum' | 'fminimum';

export class VectorBuilder extends MemoryBuilder {
  /** `value` in each of `lanes` lanes; with 0 lanes the value itself. */
  splat(lanes: number, value: LlvmValue): LlvmValue {
    this.open('splat');
    this.check(value, 'splat', 'value');
    if (lanes === 0) return value;
    const type = this.types.vector(value.type, lanes);
    return this.made(type, 'splat', 0, [value[ref], lanes]);
  }

  /** `vector` with lane `index` replaced. */
  insertElement(vector: LlvmValue, value: LlvmValue, index: LlvmValue | number): LlvmValue {
    const lane = this.#lane(vector, index, 'insertElement');
    this.check(value, 'insertElement', 'value');
    if (value.type !== vector.type.scalar) fault(`insertElement: a ${value.type} is no lane of ${vector.type}`);
    return this.made(vector.type, 'insertElement', 0, [vector[ref], value[ref], lane[ref]]);
  }

  extractElement(vector: LlvmValue, index: LlvmValue | number): LlvmValue {
    const lane = this.#lane(vector, index, 'extractElement');
    return this.made(vector.type.scalar, 'extractElement', 0, [vector[ref], lane[ref]]);
  }

  /** Lanes of `left` followed by those of `right`, chosen by number; -1 leaves a lane poison. */
  shuffle(left: LlvmValue, right: LlvmValue, mask: readonly number[]): LlvmValue {
    this.pair(left, right, 'shuffle');
    const { lanes } = left.type;
    if (lanes === 0) fault(`shuffle: ${left.type} is no vector`);
    if (mask.length === 0 || mask.some((m) => !Number.isInteger(m) || m < -1 || m >= 2 * lanes))
      fault(`shuffle: the mask names lanes outside 0…${2 * lanes - 1}`);
    return this.made(this.types.vector(left.type.scalar, mask.length), 'shuffle', 0, [left[ref], right[ref], mask.length, ...mask]);
  }

  /** Both vectors' lanes, one after the other. */
  concat(left: LlvmValue, right: LlvmValue): LlvmValue {
    this.check(left, 'concat', 'left operand');
    const all = Array.from({ length: 2 * left.type.lanes }, (_, i) => i);
    return this.shuffle(left, right, all);
  }

  /** `count` lanes from lane `first` on. */
  slice(vector: LlvmValue, first: number, count: number): LlvmValue {
    return this.shuffle(
      vector,
      vector,
      Array.from({ length: count }, (_, i) => first + i),
    );
  }

  /**
   * All lanes as one scalar. `fadd` and `fmul` go from lane 0 up in order, from `start` (default -0 and 1). `fmax` and `fmin` prefer
   * numbers, `fmaximum` and `fminimum` hand NaN on.
   */
  reduce(op: Reduction, vector: LlvmValue, start?: LlvmValue): LlvmValue {
    this.check(vector, 'reduce', 'vector');
    const { type } = vector;
    if (!type.isVector) fault(`reduce: ${type} is no vector`);
    const ordered = op === 'fadd' || op === 'fmul';
    if (!ordered && start !== undefined) fault(`reduce: ${op} takes no start`);
    const first = ordered ? (start ?? this.module.float(type.scalar, op === 'fadd' ? -0 : 1)) : undefined;
    return this.intrinsic(`llvm.vector.reduce.${op}`, type.scalar, first === undefined ? [vector] : [first, vector]);
  }

  /** The element of a struct or array value along `path`. */
  extractValue(aggregate: LlvmValue, path: readonly number[]): LlvmValue {
    this.open('extractValue');
    this.check(aggregate, 'extractValue', 'aggregate');
    const type = this.#along(aggregate.type, path, 'extractValue');
    return this.made(type, 'extractValue', 0, [aggregate[ref], path.length, ...path]);
  }

  #along(type: LlvmType, path: readonly number[], what: string): LlvmType {
    if (path.length === 0) fault(`${what}: the path is empty`);
    return path.reduce((at, i): LlvmType => {
      const { shape } = at;
      if (shape.kind === 'struct') return shape.fields[i] ?? fault(`${what}: ${at} has no field ${i}`);
      if (shape.kind === 'array' && Number.isInteger(i) && i >= 0 && i < shape.count) return shape.element;
      return fault(`${what}: ${at} has no element ${i}`);
    }, type);
  }

  #lane(vector: LlvmValue, index: LlvmValue | number, what: string): LlvmValue {
    this.open(what);
    this.check(vector, what, 'vector');
    if (!vector.type.isVector) fault(`${what}: ${vector.type} is no vector`);
    if (typeof index === 'number' && !(index >= 0 && index < vector.type.lanes)) fault(`${what}: ${vector.type} has no lane ${index}`);
    const lane = this.index(index, what);
    if (lane.type.isVector) fault(`${what}: a lane number is no vector`);
    return lane;
  }
}
