// Functions as handles. In: name, type, linkage, attributes. Out: parameters, blocks, attributes.
// Holds: the type is checked where the function is made; an attribute LLVM does not know, or that does not fit, is refused.

import type { RawFunction } from './addon.js';
import { fault, guarded } from './fault.js';
import type { ModuleBuilder } from './module.js';
import { rawFunction, ref } from './raw.js';
import type { LlvmType } from './types.js';
import { BasicBlock, LlvmConstant, LlvmValue } from './values.js';

/** `internal` and `private` names do not leave the object; `external` ones do, also as declarations. */
export type Linkage = 'external' | 'internal' | 'private' | 'linkonce-odr' | 'weak';

export type Visibility = 'default' | 'hidden' | 'protected';

export type CallingConvention = 'c' | 'fast' | 'ptx-kernel' | 'ptx-device';

/** What a function may touch; `arguments` means memory reached through its pointer parameters. */
export type MemoryEffects = 'none' | 'read' | 'arguments' | 'arguments-read';

/** `'nounwind'`, or a pair: `['align', 64]`, `['target-cpu', 'znver4']` (a string value makes a target attribute). */
export type Attribute = string | readonly [name: string, value: number | string];

export interface FunctionSpec {
  readonly name: string;
  /** Made by `types.function(result, params)`. */
  readonly type: LlvmType;
  /** Default `external`. */
  readonly linkage?: Linkage;
  readonly visibility?: Visibility;
  readonly convention?: CallingConvention;
  /** Of the function: `nounwind`, `alwaysinline`, `noinline`, `cold`, `willreturn`, `['prefer-vector-width', '512']`, … */
  readonly attributes?: readonly Attribute[];
  readonly memory?: MemoryEffects;
  /** Names and attributes (`noalias`, `nonnull`, `readonly`, `['align', 64]`, `['dereferenceable', 8]`) by position. */
  readonly params?: readonly { readonly name?: string; readonly attributes?: readonly Attribute[] }[];
}

/** A function of the module: a declaration until it has its first block. As a value it is a pointer. */
export class FunctionHandle extends LlvmConstant {
  readonly name: string;
  /** Its function type; `type` is `ptr`. */
  readonly signature: LlvmType;
  readonly result: LlvmType;
  readonly params: readonly LlvmValue[];
  readonly convention: CallingConvention;
  readonly blocks: BasicBlock[] = [];
  readonly [rawFunction]: RawFunction;

  constructor(module: ModuleBuilder, made: RawFunction, spec: FunctionSpec) {
    super(module, module.types.ptr, module.tape.given(made));
    const shape = spec.type.shape;
    if (shape.kind !== 'function') fault(`${spec.name}: ${spec.type} is no function type`);
    this.name = spec.name;
    this.signature = spec.type;
    this.result = shape.result;
    this.convention = spec.convention ?? 'c';
    this[rawFunction] = made;
    this.params = shape.params.map((type, i) => new LlvmValue(module, type, module.tape.make('argument', 0, [this[ref], i])));
    for (const a of spec.attributes ?? []) this.attribute(a);
    if (spec.memory !== undefined) module.addon.tfc.memoryEffects(made, spec.memory);
    for (const [i, p] of (spec.params ?? []).entries()) {
      if (p.name !== undefined) this.param(i).named(p.name);
      for (const a of p.attributes ?? []) this.paramAttribute(i, a);
    }
    if (spec.visibility !== undefined) module.addon.tfc.setVisibility(made, spec.visibility);
  }

  /** Parameter `i`, from 0. */
  param(i: number): LlvmValue {
    return this.params[i] ?? fault(`${this.name} has no parameter ${i}`);
  }

  /** Appends a block; the first one is the entry. */
  block(name: string): BasicBlock {
    this.module.alive();
    const block = new BasicBlock(this, name);
    this.blocks.push(block);
    return block;
  }

  /** Adds an attribute of the function. */
  attribute(attribute: Attribute): this {
    this.module.alive();
    const [name, value] = split(attribute);
    guarded(`attribute ${name} of ${this.name}`, () => {
      if (value !== undefined) this.module.addon.tfc.functionAttribute(this[rawFunction], name, value);
      else this.module.addon.tfc.functionAttribute(this[rawFunction], name);
    });
    return this;
  }

  /** Adds an attribute of parameter `i`. */
  paramAttribute(i: number, attribute: Attribute): this {
    this.module.alive();
    this.param(i);
    const [name, value] = split(attribute);
    guarded(`attribute ${name} of ${this.name}'s parameter ${i}`, () => {
      if (value !== undefined) this.module.addon.tfc.parameterAttribute(this[rawFunction], i, name, value);
      else this.module.addon.tfc.parameterAttribute(this[rawFunction], i, name);
    });
    return this;
  }

  /** An entry of `nvvm.annotations`, as NVPTX reads it: `annotate('maxntidx', 256)`. */
  annotate(key: string, value: number): this {
    this.module.annotate(this[rawFunction], key, value);
    return this;
  }
}

function split(attribute: Attribute): readonly [string, number | string | undefined] {
  return typeof attribute === 'string' ? [attribute, undefined] : attribute;
}
