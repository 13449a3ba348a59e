// Functions that are not written in TDSL. In: their parameters and what is passed. Out: a value.
// Holds: arguments are positional or named, as for any function; each is evaluated once.

import type { Span } from '../../../grammar/index.js';
import { assignArguments, type ParameterSlot } from '../arguments.js';
import type { Call, Passed } from '../calls.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { toTensor } from '../tensors.js';
import type { Expected } from '../types.js';
import type { DType } from '../../base/index.js';
import type { TensorNode } from '../../graph/index.js';
import { ERROR, tensorValue, type Value } from '../values.js';

export interface Builtin {
  readonly name: string;
  /** One sentence for people. */
  readonly doc: string;
  /**
   * How it is called, as the head of a function in TDSL; several where it has several uses. Where no result is declared, the description
   * says what it is.
   */
  readonly signatures: readonly string[];
  readonly parameters: readonly ParameterSlot[];
  /** The result; an error after a diagnostic. */
  run(call: BuiltinCall): Value;
}

/** An argument with its value. */
export interface Given {
  readonly value: Value;
  readonly span: Span;
}

export class BuiltinCall {
  readonly #assigned: ReadonlyMap<string, Passed>;
  readonly #values = new Map<string, Given>();

  readonly context: Context;
  readonly builtin: Builtin;
  readonly site: Span;
  readonly expected: Expected | undefined;

  constructor(context: Context, builtin: Builtin, site: Span, expected: Expected | undefined, assigned: ReadonlyMap<string, Passed>) {
    this.context = context;
    this.builtin = builtin;
    this.site = site;
    this.expected = expected;
    this.#assigned = assigned;
  }

  has(name: string): boolean {
    return this.#assigned.has(name);
  }

  /** The argument's value; undefined when it was not passed. */
  optional(name: string, expected?: Expected): Given | undefined {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const passed = this.#assigned.get(name);
    if (passed === undefined) return undefined;
    const given = { value: passed.value(expected), span: passed.span };
    this.#values.set(name, given);
    return given;
  }

  /** The value of an argument that must have been passed. */
  given(name: string, expected?: Expected): Given {
    return this.optional(name, expected) ?? { value: ERROR, span: this.site };
  }

  /** The argument as a tensor; undefined after a diagnostic. */
  tensor(name: string, dtype?: DType): TensorNode | undefined {
    const { value, span } = this.given(name);
    return toTensor(this.context, value, span, dtype);
  }
}

export const required = (...names: string[]): ParameterSlot[] => names.map((name) => ({ name, optional: false }));
export const optional = (...names: string[]): ParameterSlot[] => names.map((name) => ({ name, optional: true }));

/** A tensor as a value; an error for undefined. */
export const result = (node: TensorNode | undefined): Value => (node === undefined ? ERROR : tensorValue(node));

export function callBuiltin(call: Call, builtin: Builtin): Value {
  const { context } = call;
  if (call.generics !== null) return fail(context, 'too-many-arguments', call.site, `\`${builtin.name}\` has no generics`);
  const assigned = assignArguments(context, call.passed, builtin.parameters, builtin.name, call.site, undefined);
  if (assigned === undefined) return ERROR;
  const inner = new BuiltinCall(context, builtin, call.site, call.expected, assigned);
  return builtin.run(inner);
}
