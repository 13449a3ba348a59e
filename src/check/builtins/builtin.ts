// Functions that are not written in TDSL. In: their parameters and what is passed. Out: a value.
// Holds: arguments are positional or named, as for any function; each is evaluated once.

import type { Span } from '../../../grammar/index.js';
import { assignArguments, type ParameterSlot } from '../arguments.js';
import type { Call, Passed } from '../calls.js';
import type { Context } from '../context.js';
import { fail } from '../report.js';
import { dtypeBeside, ownDType, shapeOf, toTensor } from '../tensors.js';
import { type Beside, besides, dtypeWanted, expectedDType, expectTensor, type Expected } from '../types.js';
import type { DType, Shape } from '../../base/index.js';
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
  /** What is said of a call that lacks the last argument, where more can be said than that. */
  lacking?(call: BuiltinCall): Value;
}

/** An argument with its value. */
export interface Given {
  readonly value: Value;
  readonly span: Span;
}

export class BuiltinCall {
  readonly #assigned: ReadonlyMap<string, Passed>;
  readonly #values: Map<string, Given>;
  /** Arguments that are being evaluated. */
  readonly #open = new Set<string>();
  #isUndecided = false;

  readonly context: Context;
  readonly builtin: Builtin;
  readonly site: Span;
  readonly expected: Expected | undefined;

  constructor(
    context: Context,
    builtin: Builtin,
    site: Span,
    expected: Expected | undefined,
    assigned: ReadonlyMap<string, Passed>,
    values = new Map<string, Given>(),
  ) {
    this.context = context;
    this.builtin = builtin;
    this.site = site;
    this.expected = expected;
    this.#assigned = assigned;
    this.#values = values;
  }

  /** Whether nothing has said which dtype the elements of the result have. */
  get isUndecided(): boolean {
    return this.#isUndecided;
  }

  /** The same call, of the same values, where a dtype is expected of the result. */
  inDType(dtype: DType): BuiltinCall {
    return new BuiltinCall(this.context, this.builtin, this.site, expectTensor(dtype, undefined), this.#assigned, this.#values);
  }

  /** What elements without a dtype become: what is expected, or stands beside; where nothing is, they may become what they meet. */
  dtypeForLiterals(): DType | undefined {
    this.#isUndecided ||= expectedDType(this.expected) === undefined;
    return dtypeWanted(this.expected);
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
    this.#open.add(name);
    const given = { value: passed.value(expected), span: passed.span };
    this.#open.delete(name);
    this.#values.set(name, given);
    return given;
  }

  /** An argument that takes the dtype of those in `names` that have one: a quotient of sizes beside a float is a number. */
  alike(name: string, names: readonly string[], expected: Expected | undefined): Given {
    const others = names.filter((one) => one !== name);
    const valueOf = (other: string): Value | undefined => (this.#open.has(other) ? undefined : this.given(other, expected).value);
    const dtypeOf = (other: string): Beside => {
      const value = valueOf(other);
      return value === undefined ? undefined : dtypeBeside(value);
    };
    const shapeBeside = (other: string): Shape | undefined => {
      const value = valueOf(other);
      const shape = value === undefined ? undefined : shapeOf(value);
      return shape?.length === 0 ? undefined : shape;
    };
    return this.given(
      name,
      besides(
        expected,
        () => firstOf(others, dtypeOf),
        () => firstOf(others, shapeBeside),
      ),
    );
  }

  /** An argument whose elements the result has, as a tensor: a list of literals takes the dtype that the result should have. */
  elements(name: string): TensorNode | undefined {
    const { value, span } = this.given(name);
    return toTensor(this.context, value, span, ownDType(value) === undefined ? this.dtypeForLiterals() : undefined);
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

function firstOf<T>(names: readonly string[], find: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export const required = (...names: string[]): ParameterSlot[] => names.map((name) => ({ name, optional: false }));
export const optional = (...names: string[]): ParameterSlot[] => names.map((name) => ({ name, optional: true }));

/** A tensor as a value; an error for undefined. */
export const result = (node: TensorNode | undefined): Value => (node === undefined ? ERROR : tensorValue(node));

export function callBuiltin(call: Call, builtin: Builtin): Value {
  const { context } = call;
  if (call.generics !== null) return fail(context, 'too-many-arguments', call.site, `\`${builtin.name}\` has no generics`);
  const listed = builtin.parameters.find(({ name }) => name === 'shape' || name === 'axes' || name === 'list')?.name;
  const tooMany = listed === undefined ? undefined : `\`${listed}\` is a list: \`[…, …]\``;
  const last = builtin.lacking === undefined ? undefined : builtin.parameters.at(-1);
  const slots = builtin.parameters.map((slot) => (slot === last ? { ...slot, optional: true } : slot));
  const assigned = assignArguments(context, call.passed, slots, builtin.name, call.site, undefined, tooMany);
  if (assigned === undefined) return ERROR;
  const inner = new BuiltinCall(context, builtin, call.site, call.expected, assigned);
  if (builtin.lacking !== undefined && last !== undefined && !inner.has(last.name)) return builtin.lacking(inner);
  const value = builtin.run(inner);
  if (!inner.isUndecided || value.kind !== 'tensor' || value.node.type.dtype === 'bool') return value;
  return {
    ...value,
    again(dtype) {
      const other = builtin.run(inner.inDType(dtype));
      return other.kind === 'tensor' ? other.node : undefined;
    },
  };
}
