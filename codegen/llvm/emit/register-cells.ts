// Where an accumulator's registers are. In: the number of a register, or of a lane when all of them are counted through. Out: its value.
// Holds: what is only indexed by numbers known while emitting is values, which have to be joined where control flow does
// (`control-flow.ts`); what is not is memory.

import { InternalError } from '../../../src/base/index.js';
import type { Builder, LlvmType, LlvmValue } from '../builder/index.js';
import type { Scalar } from './scope.js';
import type { ScalarMath } from './sizes.js';

export interface RegisterCells {
  get(at: Scalar): LlvmValue;
  set(at: Scalar, value: LlvmValue): void;
  lane(at: Scalar): LlvmValue;
  setLane(at: Scalar, value: LlvmValue): void;
}

export class SsaRegisters implements RegisterCells {
  readonly #build: Builder;
  readonly #lanes: number;
  /** What every register holds where the builder stands. */
  values: LlvmValue[];

  constructor(build: Builder, count: number, lanes: number, start: LlvmValue) {
    this.#build = build;
    this.#lanes = lanes;
    this.values = Array<LlvmValue>(count).fill(start);
  }

  get(at: Scalar): LlvmValue {
    return this.values[known(at)] ?? beyond(at);
  }

  set(at: Scalar, value: LlvmValue): void {
    if (known(at) >= this.values.length) beyond(at);
    this.values[known(at)] = value;
  }

  lane(at: Scalar): LlvmValue {
    const register = this.get(Math.floor(known(at) / this.#lanes));
    return this.#lanes === 1 ? register : this.#build.extractElement(register, known(at) % this.#lanes);
  }

  setLane(at: Scalar, value: LlvmValue): void {
    const place = Math.floor(known(at) / this.#lanes);
    this.set(place, this.#lanes === 1 ? value : this.#build.insertElement(this.get(place), value, known(at) % this.#lanes));
  }
}

export class StackRegisters implements RegisterCells {
  readonly #build: Builder;
  readonly #math: ScalarMath;
  readonly #type: LlvmType;
  readonly #element: LlvmType;
  readonly #pointer: LlvmValue;

  /** `type`: of a register, of whose lanes `element` is the type. */
  constructor(build: Builder, math: ScalarMath, type: LlvmType, element: LlvmType, values: readonly LlvmValue[]) {
    this.#build = build;
    this.#math = math;
    this.#type = type;
    this.#element = element;
    this.#pointer = build.alloca(build.types.array(type, Math.max(1, values.length)), { align: 64 });
    values.forEach((value, at) => this.set(at, value));
  }

  get(at: Scalar): LlvmValue {
    return this.#build.load(this.#type, this.#address(this.#type, at));
  }

  set(at: Scalar, value: LlvmValue): void {
    this.#build.store(value, this.#address(this.#type, at));
  }

  lane(at: Scalar): LlvmValue {
    return this.#build.load(this.#element, this.#address(this.#element, at));
  }

  setLane(at: Scalar, value: LlvmValue): void {
    this.#build.store(value, this.#address(this.#element, at));
  }

  #address(type: LlvmType, at: Scalar): LlvmValue {
    return at === 0 ? this.#pointer : this.#build.gep(type, this.#pointer, [this.#math.value(at)]);
  }
}

function known(at: Scalar): number {
  if (typeof at !== 'number') throw new InternalError('codegen', 'a register is chosen by a number that is not known');
  return at;
}

function beyond(at: Scalar): never {
  throw new InternalError('codegen', `there is no register ${known(at)}`);
}
