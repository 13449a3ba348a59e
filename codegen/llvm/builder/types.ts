// LLVM's types as handles. In: sizes and element types. Out: interned handles: equal types of one module are the same object,
// so `===` compares them. Holds: a handle belongs to one module; an impossible type (a vector of structs) is refused here.

import type { Addon, RawContext, RawType } from './addon.js';
import { fault } from './fault.js';
import { raw, ref } from './raw.js';
import type { Tape } from './tape.js';

export type FloatFormat = 'f16' | 'bf16' | 'f32' | 'f64';

export type TypeShape =
  | { readonly kind: 'void' }
  | { readonly kind: 'int'; readonly bits: number }
  | { readonly kind: 'float'; readonly format: FloatFormat }
  | { readonly kind: 'ptr'; readonly space: number }
  | { readonly kind: 'vector'; readonly element: LlvmType; readonly count: number }
  | { readonly kind: 'array'; readonly element: LlvmType; readonly count: number }
  | { readonly kind: 'struct'; readonly fields: readonly LlvmType[]; readonly packed: boolean }
  | { readonly kind: 'function'; readonly result: LlvmType; readonly params: readonly LlvmType[]; readonly varArg: boolean };

/** One type of one module. Compare with `===`; print with `String(type)`, in LLVM's own notation. */
export class LlvmType {
  readonly shape: TypeShape;
  /** The module's types this one belongs to. */
  readonly owner: Types;
  readonly [raw]: RawType;
  readonly #text: string;
  #ref: number | undefined;

  constructor(owner: Types, shape: TypeShape, text: string, rawType: RawType) {
    this.owner = owner;
    this.shape = shape;
    this.#text = text;
    this[raw] = rawType;
  }

  get [ref](): number {
    return (this.#ref ??= this.owner.tape.type(this[raw]));
  }

  /** A vector's element type; any other type itself. */
  get scalar(): LlvmType {
    return this.shape.kind === 'vector' ? this.shape.element : this;
  }

  /** A vector's lane count; 0 for everything else. */
  get lanes(): number {
    return this.shape.kind === 'vector' ? this.shape.count : 0;
  }

  get isVector(): boolean {
    return this.shape.kind === 'vector';
  }

  /** Integer or vector of integers. */
  get isInt(): boolean {
    return this.scalar.shape.kind === 'int';
  }

  /** Floating point or vector of it. */
  get isFloat(): boolean {
    return this.scalar.shape.kind === 'float';
  }

  /** Pointer or vector of pointers. */
  get isPointer(): boolean {
    return this.scalar.shape.kind === 'ptr';
  }

  /** i1 or vector of i1. */
  get isBool(): boolean {
    const s = this.scalar.shape;
    return s.kind === 'int' && s.bits === 1;
  }

  /** Bits of the scalar: 32 for f32 and for <8 x f32>; 64 for pointers; 0 where it makes no sense. */
  get scalarBits(): number {
    const s = this.scalar.shape;
    switch (s.kind) {
      case 'int':
        return s.bits;
      case 'float':
        return s.format === 'f64' ? 64 : s.format === 'f32' ? 32 : 16;
      case 'ptr':
        return 64;
      case 'void':
      case 'vector':
      case 'array':
      case 'struct':
      case 'function':
        return 0;
    }
  }

  /** Whether values of it can be loaded, stored and passed. */
  get isFirstClass(): boolean {
    return this.shape.kind !== 'void' && this.shape.kind !== 'function';
  }

  toString(): string {
    return this.#text;
  }
}

const FLOAT_NAMES: Readonly<Record<FloatFormat, string>> = { f16: 'half', bf16: 'bfloat', f32: 'float', f64: 'double' };

/** The types of one module: `types.f32`, `types.vector(types.f32, 16)`, `types.function(types.void, [types.ptr])`. */
export class Types {
  readonly #addon: Addon;
  readonly #context: RawContext;
  readonly tape: Tape;
  readonly #interned = new Map<string, LlvmType>();
  readonly #vectors = new Map<LlvmType, Map<number, LlvmType>>();

  readonly void: LlvmType;
  readonly i1: LlvmType;
  readonly i8: LlvmType;
  readonly i16: LlvmType;
  readonly i32: LlvmType;
  readonly i64: LlvmType;
  readonly f16: LlvmType;
  readonly bf16: LlvmType;
  readonly f32: LlvmType;
  readonly f64: LlvmType;
  /** A pointer in the default address space; pointers do not know what they point to. */
  readonly ptr: LlvmType;

  constructor(addon: Addon, context: RawContext, tape: Tape) {
    this.#addon = addon;
    this.#context = context;
    this.tape = tape;
    this.void = this.#intern({ kind: 'void' }, 'void', () => addon.Type.getVoidTy(context));
    this.i1 = this.int(1);
    this.i8 = this.int(8);
    this.i16 = this.int(16);
    this.i32 = this.int(32);
    this.i64 = this.int(64);
    this.f16 = this.float('f16');
    this.bf16 = this.float('bf16');
    this.f32 = this.float('f32');
    this.f64 = this.float('f64');
    this.ptr = this.pointer(0);
  }

  /** `iN`, 1 ≤ N ≤ 128. */
  int(bits: number): LlvmType {
    if (!Number.isInteger(bits) || bits < 1 || bits > 128) fault(`no integer type of ${String(bits)} bits`);
    return this.#intern({ kind: 'int', bits }, `i${bits}`, () => this.#addon.Type.getIntNTy(this.#context, bits));
  }

  float(format: FloatFormat): LlvmType {
    const t = this.#addon.Type;
    const c = this.#context;
    return this.#intern({ kind: 'float', format }, FLOAT_NAMES[format], () => {
      switch (format) {
        case 'f16':
          return t.getHalfTy(c);
        case 'bf16':
          return t.getBFloatTy(c);
        case 'f32':
          return t.getFloatTy(c);
        case 'f64':
          return t.getDoubleTy(c);
      }
    });
  }

  /** A pointer into an address space (NVPTX: 1 global, 3 shared, 4 constant, 5 local). */
  pointer(space: number): LlvmType {
    if (!Number.isInteger(space) || space < 0) fault(`no address space ${String(space)}`);
    return this.#intern({ kind: 'ptr', space }, space === 0 ? 'ptr' : `ptr addrspace(${space})`, () =>
      this.#addon.tfc.pointerType(this.#context, space),
    );
  }

  /** `<count x element>`; the element is an integer, a float or a pointer. */
  vector(element: LlvmType, count: number): LlvmType {
    this.own(element);
    const known = this.#vectors.get(element)?.get(count);
    if (known !== undefined) return known;
    const kind = element.shape.kind;
    if (kind !== 'int' && kind !== 'float' && kind !== 'ptr') fault(`no vector of ${element}`);
    if (!Number.isInteger(count) || count < 1) fault(`no vector of ${String(count)} lanes`);
    const made = this.#intern({ kind: 'vector', element, count }, `<${count} x ${element}>`, () =>
      this.#addon.tfc.vectorType(element[raw], count),
    );
    this.#vectors.set(element, (this.#vectors.get(element) ?? new Map<number, LlvmType>()).set(count, made));
    return made;
  }

  /** `element` when `lanes` is 0, else the vector: for code that serves scalars and vectors alike. */
  widened(element: LlvmType, lanes: number): LlvmType {
    return lanes === 0 ? element : this.vector(element, lanes);
  }

  /** The type with the shape of `like` (lanes) and another scalar. */
  withScalar(like: LlvmType, scalar: LlvmType): LlvmType {
    return this.widened(scalar, like.lanes);
  }

  array(element: LlvmType, count: number): LlvmType {
    this.own(element);
    if (!element.isFirstClass) fault(`no array of ${element}`);
    if (!Number.isInteger(count) || count < 0) fault(`no array of ${String(count)} elements`);
    return this.#intern({ kind: 'array', element, count }, `[${count} x ${element}]`, () => this.#addon.ArrayType.get(element[raw], count));
  }

  struct(fields: readonly LlvmType[], options: { readonly packed?: boolean } = {}): LlvmType {
    const packed = options.packed ?? false;
    for (const f of fields) {
      this.own(f);
      if (!f.isFirstClass) fault(`no field of type ${f}`);
    }
    const inner = fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
    const text = packed ? `<${inner}>` : inner;
    return this.#intern({ kind: 'struct', fields: [...fields], packed }, text, () =>
      this.#addon.tfc.structType(
        this.#context,
        fields.map((f) => f[raw]),
        packed,
      ),
    );
  }

  function(result: LlvmType, params: readonly LlvmType[], options: { readonly varArg?: boolean } = {}): LlvmType {
    const varArg = options.varArg ?? false;
    for (const p of params) {
      this.own(p);
      if (!p.isFirstClass) fault(`no parameter of type ${p}`);
    }
    this.own(result);
    if (result.shape.kind === 'function') fault('no function returns a function; use ptr');
    const text = `${result} (${[...params.map(String), ...(varArg ? ['...'] : [])].join(', ')})`;
    return this.#intern({ kind: 'function', result, params: [...params], varArg }, text, () =>
      this.#addon.FunctionType.get(
        result[raw],
        params.map((p) => p[raw]),
        varArg,
      ),
    );
  }

  /** Refuses anything that is no type, or a type of another module. */
  own(type: LlvmType): void {
    if (!(type instanceof LlvmType)) fault(`expected a type, got ${String(type)}`);
    if (type.owner !== this) fault(`the type ${type} belongs to another module`);
  }

  #intern(shape: TypeShape, text: string, make: () => RawType): LlvmType {
    const known = this.#interned.get(text);
    if (known !== undefined) return known;
    const type = new LlvmType(this, shape, text, make());
    this.#interned.set(text, type);
    return type;
  }
}
