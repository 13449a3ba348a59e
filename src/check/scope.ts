// Names in force. In: declarations as they are met. Out: what a name stands for and where it was declared.
// Holds: inner scopes hide outer ones; a declaration of a module is evaluated when it is first asked for.

import type { GenericArgument, Span, TypeExpression } from '../../grammar/index.js';
import { type DType, isFloat, isInteger } from '../base/index.js';
import type { Value } from './values.js';

/** What a dtype generic may be: `<T: float>`. */
export type DTypeBound = 'float' | 'integer' | 'number' | 'any';

export function fitsBound(dtype: DType, bound: DTypeBound): boolean {
  switch (bound) {
    case 'float':
      return isFloat(dtype);
    case 'integer':
      return isInteger(dtype);
    case 'number':
      return dtype !== 'bool';
    case 'any':
      return true;
  }
}

type GenericSort = 'integer' | 'dtype' | 'pack' | 'open';

export type BindingRole = 'builtin' | 'declaration' | 'member' | 'parameter' | 'generic' | 'let';

export interface Binding {
  readonly name: string;
  readonly role: BindingRole;
  /** Where the name was declared; undefined for what is built in. */
  readonly span: Span | undefined;
  /** The declared type, and the scope in which its names mean something. */
  readonly type?: TypeExpression | undefined;
  readonly typeScope?: Scope | undefined;
  /** What it stands for; evaluated on first use for declarations. */
  value(): Value;
}

/** A generic parameter while its call is being matched: what it will be, and where that was decided. */
export class GenericBinding implements Binding {
  readonly role = 'generic';
  #value: Value | undefined;
  /** Where the value came from: an argument, or a generic argument. */
  bound: Span | undefined;

  readonly name: string;
  readonly span: Span | undefined;
  /**
   * `dtype` when the parameter is bound to a family, `integer` for `int`, `pack` for `...S`; a bare name turns out to be either a size or a
   * dtype.
   */
  readonly sort: GenericSort;
  readonly family: DTypeBound;
  readonly unresolved: Value;

  /** What it is when nothing says otherwise. */
  readonly initial: GenericArgument | undefined;

  constructor(
    name: string,
    span: Span | undefined,
    sort: GenericSort,
    family: DTypeBound,
    unresolved: Value,
    initial: GenericArgument | undefined,
  ) {
    this.name = name;
    this.span = span;
    this.sort = sort;
    this.family = family;
    this.unresolved = unresolved;
    this.initial = initial;
  }

  get known(): Value | undefined {
    return this.#value;
  }

  bind(value: Value, at: Span | undefined): void {
    this.#value = value;
    this.bound = at;
  }

  value(): Value {
    return this.#value ?? this.unresolved;
  }
}

export class Scope {
  readonly #names = new Map<string, Binding>();

  readonly parent: Scope | undefined;

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  own(name: string): Binding | undefined {
    return this.#names.get(name);
  }

  lookup(name: string): Binding | undefined {
    return this.#names.get(name) ?? this.parent?.lookup(name);
  }

  /** Declares a name here; the caller has made sure that it is free. */
  add(binding: Binding): void {
    this.#names.set(binding.name, binding);
  }

  addValue(name: string, role: BindingRole, value: Value, span: Span | undefined, type?: TypeExpression, typeScope?: Scope): Binding {
    const binding: Binding = { name, role, span, type, typeScope, value: () => value };
    this.add(binding);
    return binding;
  }

  get names(): Iterable<string> {
    return this.#names.keys();
  }

  /** Every name in force, inner ones first. */
  *visible(): Iterable<string> {
    yield* this.#names.keys();
    if (this.parent !== undefined) yield* this.parent.visible();
  }
}
