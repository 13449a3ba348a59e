// One LLVM module and all that belongs to it. In: a name. Out: functions, globals, constants, builders, printed text.
// Holds: every handle remembers its module; after `dispose` each use of one of them is refused instead of reaching freed memory.

import { loadAddon } from './addon.js';
import type { Addon, RawContext, RawFunction, RawModule } from './addon.js';
import { Builder } from './builder.js';
import { ConstantFactory } from './constants.js';
import { fault, guarded } from './fault.js';
import { FunctionHandle } from './function.js';
import type { FunctionSpec, Linkage, Visibility } from './function.js';
import { raw } from './raw.js';
import { Tape } from './tape.js';
import { Types } from './types.js';
import type { LlvmType } from './types.js';
import { AliasScope, GlobalHandle, InlineAsm, LlvmConstant, LlvmValue } from './values.js';
import type { BasicBlock } from './values.js';

export interface GlobalSpec {
  readonly name: string;
  readonly type: LlvmType;
  /** Left out: a declaration of a variable defined elsewhere. */
  readonly initializer?: LlvmConstant;
  /** Read-only memory; default false. */
  readonly constant?: boolean;
  /** Default `internal` with an initializer, `external` without. */
  readonly linkage?: Linkage;
  readonly visibility?: Visibility;
  /** In bytes, a power of two. */
  readonly align?: number;
  readonly addressSpace?: number;
  readonly section?: string;
  /** Its address means nothing, so equal constants may be merged. */
  readonly unnamedAddress?: boolean;
}

/** A function of LLVM's own: its number, and which arguments must be constants. */
interface Intrinsic {
  readonly result: LlvmType;
  readonly params: readonly LlvmType[];
  readonly callee: number;
  readonly constants: readonly number[];
}

/** What to do when two linked modules carry the same flag. */
export type FlagBehavior = 'error' | 'warning' | 'override' | 'max';

/**
 * A module under construction, with its own LLVM context. Release it with `dispose` or `using`.
 *
 * `const m = new ModuleBuilder('kernels'); const f = m.function({ name: 'f', type: m.types.function(m.types.f32, [m.types.f32]) });`
 */
export class ModuleBuilder extends ConstantFactory {
  readonly name: string;
  readonly types: Types;
  readonly addon: Addon;
  readonly rawContext: RawContext;
  readonly tape: Tape;
  readonly #raw: RawModule;
  readonly #intrinsics = new Map<string, Intrinsic[]>();
  readonly #names = new Map<string, FunctionHandle | GlobalHandle>();
  #disposed = false;

  constructor(name: string) {
    super();
    this.name = name;
    this.addon = loadAddon();
    this.rawContext = new this.addon.LLVMContext();
    this.#raw = new this.addon.Module(name, this.rawContext);
    this.tape = new Tape(this.addon, this.#raw);
    this.types = new Types(this.addon, this.rawContext, this.tape);
  }

  /** With everything that was built. */
  get [raw](): RawModule {
    this.tape.play();
    return this.#raw;
  }

  protected override get self(): ModuleBuilder {
    return this;
  }

  /** Adds a function. A name that is taken is refused: LLVM would rename it silently. */
  function(spec: FunctionSpec): FunctionHandle {
    this.type(spec.type, spec.name);
    if (spec.type.shape.kind !== 'function') fault(`${spec.name}: ${spec.type} is no function type`);
    this.#claim(spec.name);
    const made = guarded(spec.name, () =>
      this.addon.tfc.createFunction(
        this.#raw,
        spec.type[raw],
        this.#linkage(spec.linkage ?? 'external'),
        spec.name,
        spec.convention ?? 'c',
      ),
    );
    const handle = new FunctionHandle(this, made, spec);
    this.#names.set(spec.name, handle);
    return handle;
  }

  /** The function of that name; adds it when there is none. A function of another type is refused. */
  declare(name: string, type: LlvmType, spec: Omit<FunctionSpec, 'name' | 'type'> = {}): FunctionHandle {
    this.alive();
    const known = this.#names.get(name);
    if (known === undefined) return this.function({ ...spec, name, type });
    if (!(known instanceof FunctionHandle) || known.signature !== type) return fault(`${name} exists with another type`);
    return known;
  }

  /** The function or global of that name. */
  find(name: string): FunctionHandle | GlobalHandle | undefined {
    this.alive();
    return this.#names.get(name);
  }

  global(spec: GlobalSpec): GlobalHandle {
    this.type(spec.type, spec.name);
    if (!spec.type.isFirstClass) fault(`${spec.name}: no variable has the type ${spec.type}`);
    const init = spec.initializer;
    if (init !== undefined) {
      this.operand(init, spec.name, 'initializer');
      if (!(init instanceof LlvmConstant)) fault(`${spec.name}: the initializer is no constant`);
      if (init.type !== spec.type) fault(`${spec.name}: a ${init.type} cannot initialize a ${spec.type}`);
    }
    this.#claim(spec.name);
    const linkage = this.#linkage(spec.linkage ?? (init === undefined ? 'external' : 'internal'));
    const space = spec.addressSpace ?? 0;
    const initial = init === undefined ? null : init[raw];
    const made = guarded(spec.name, () =>
      this.addon.tfc.global(
        this.#raw,
        spec.type[raw],
        spec.constant ?? false,
        linkage,
        initial,
        spec.name,
        space,
        spec.align ?? 0,
        spec.section ?? '',
      ),
    );
    if (spec.visibility !== undefined) this.addon.tfc.setVisibility(made, spec.visibility);
    if (spec.unnamedAddress === true) this.addon.tfc.setUnnamedAddress(made);
    const handle = new GlobalHandle(this, this.types.pointer(space), made, spec.name, spec.type);
    this.#names.set(spec.name, handle);
    return handle;
  }

  /** A private, read-only, zero-terminated string; the handle points to its first byte. */
  string(name: string, text: string): GlobalHandle {
    const initializer = this.cString(text);
    return this.global({ name, type: initializer.type, initializer, constant: true, linkage: 'private', unnamedAddress: true });
  }

  /** Assembly with LLVM's constraint notation (`'=r,r'`); refused when the constraints do not fit the type. */
  inlineAsm(
    type: LlvmType,
    text: string,
    constraints: string,
    options: { readonly sideEffects?: boolean; readonly alignStack?: boolean } = {},
  ): InlineAsm {
    this.type(type, 'inlineAsm');
    const made = guarded('inlineAsm', () =>
      this.addon.tfc.inlineAsm(type[raw], text, constraints, options.sideEffects ?? false, options.alignStack ?? false),
    );
    return new InlineAsm(this, type, made);
  }

  /** Fresh alias scopes of one fresh domain, one for each name. */
  aliasScopes(domain: string, names: readonly string[]): AliasScope[] {
    this.alive();
    const owner = this.addon.tfc.aliasDomain(this.rawContext, domain);
    return names.map((n) => new AliasScope(this, this.addon.tfc.aliasScope(this.rawContext, owner, n)));
  }

  /** A module flag, such as `flag('max', 'PIC Level', 2)`. */
  flag(behavior: FlagBehavior, key: string, value: number): void {
    this.alive();
    this[raw].addModuleFlag({ error: 1, warning: 2, override: 4, max: 7 }[behavior], key, value);
  }

  /** A builder, placed at the end of `block` if one is given. */
  builder(block?: BasicBlock): Builder {
    this.alive();
    const builder = new Builder(this);
    return block === undefined ? builder : builder.at(block);
  }

  /** LLVM's complaints about the module, or undefined when it is well formed. */
  verify(): string | undefined {
    this.alive();
    const message = this.addon.tfc.verify(this[raw]);
    return message === '' ? undefined : message;
  }

  /** The module as LLVM assembly text. */
  print(): string {
    this.alive();
    return this[raw].print();
  }

  /** Gives the module and its context away, with everything that was built; handles of it are refused from then on. */
  handOver(take: (context: RawContext, module: RawModule) => void): void {
    this.alive();
    take(this.rawContext, this[raw]);
    this.#disposed = true;
  }

  /** Frees the module and its context; handles of it are refused from then on. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.addon.tfc.dispose(this.rawContext, this.#raw);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Refuses a module that was disposed. */
  override alive(): void {
    if (this.#disposed) fault(`the module ${this.name} was disposed`);
  }

  /** Refuses an operand that is missing, no value, or of another module. */
  override operand(value: LlvmValue, what: string, role: string): void {
    this.alive();
    if (!(value instanceof LlvmValue)) fault(`${what}: the ${role} is ${value === undefined || value === null ? 'missing' : 'no value'}`);
    if (value.module !== this) fault(`${what}: the ${role} belongs to another module`);
  }

  /**
   * For `Builder.intrinsic`: what an intrinsic is for arguments and a result of these types. Errors: an unknown name, a signature that it
   * does not have.
   */
  intrinsic(name: string, result: LlvmType, args: readonly LlvmValue[]): Intrinsic {
    const { types } = this;
    let overloads = this.#intrinsics.get(name);
    if (overloads === undefined) this.#intrinsics.set(name, (overloads = []));
    let known = overloads.find(
      (one) => one.result === result && one.params.length === args.length && args.every((arg, at) => arg.type === one.params[at]),
    );
    if (known === undefined) {
      const params = args.map((arg) => arg.type);
      known = { result, params, ...this.tape.intrinsic(name, types.function(result, params)[raw]) };
      overloads.push(known);
    }
    return known;
  }

  /** For `FunctionHandle.annotate`. */
  annotate(fn: RawFunction, key: string, value: number): void {
    this.alive();
    this.addon.tfc.functionAnnotation(this[raw], fn, key, value);
  }

  #claim(name: string): void {
    if (typeof name !== 'string' || name === '') fault('functions and globals have names');
    if (this.#names.has(name)) fault(`the name ${name} is taken`);
  }

  #linkage(linkage: Linkage): number {
    const kinds = this.addon.GlobalValue.LinkageTypes;
    switch (linkage) {
      case 'external':
        return kinds.ExternalLinkage;
      case 'internal':
        return kinds.InternalLinkage;
      case 'private':
        return kinds.PrivateLinkage;
      case 'linkonce-odr':
        return kinds.LinkOnceODRLinkage;
      case 'weak':
        return kinds.WeakAnyLinkage;
    }
  }
}
