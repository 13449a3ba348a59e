// What an expression is worth while a program is checked. In: nothing. Out: the kinds of compile-time values.
// Holds: a tensor is a graph node; everything else exists only while compiling. `error` stands for a mistake that was
// reported already: whoever meets it returns it and stays silent.

import type {
  Expression,
  FnDeclaration,
  LambdaExpression,
  ModelDeclaration,
  OptimizerDeclaration,
  Span,
  StepDeclaration,
} from '../../grammar/index.js';
import { Dim, type DType, Fraction, roundTo, type Shape } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import type { Builtin } from './builtins/builtin.js';
import type { Frame, Module } from './context.js';
import type { Binding, Scope } from './scope.js';
import type { VariableRecord } from './variables.js';

export interface ErrorValue {
  readonly kind: 'error';
}

/**
 * A number that is known. Without `dtype` it takes the dtype of what it meets. `exact` is what it is where `value`, the nearest double, is
 * not all of it, or is more than that says: a number without it that is no integer came of a function that leaves the rationals. A fraction
 * that `let` has named, and what is computed of it, is a `node` where it meets f32, so that it can be fetched, fed and derived by.
 */
export interface NumberValue {
  readonly kind: 'number';
  readonly value: number;
  readonly integer: boolean;
  readonly dtype: DType | undefined;
  readonly exact: Fraction | undefined;
  readonly node?: TensorNode;
}

/** A size that is not a constant; like a literal it takes the dtype of what it meets. */
export interface SizeValue {
  readonly kind: 'size';
  readonly dim: Dim;
}

export interface BooleanValue {
  readonly kind: 'boolean';
  readonly value: boolean;
}

interface StringValue {
  readonly kind: 'string';
  readonly value: string;
}

export interface TensorValue {
  readonly kind: 'tensor';
  readonly node: TensorNode;
  /** The name under which it was read, for messages. */
  readonly binding: Binding | undefined;
  /**
   * Of what is computed of sizes and literals alone, such as `6.28 / N` or `where(mask, 1, 0)`: the same in another dtype, for it has none
   * before it meets one. Undefined after a diagnostic.
   */
  readonly again?: ((dtype: DType) => TensorNode | undefined) | undefined;
  /** What `again` computes is whole, and so may be an integer, although it is a float where nothing says so: `zeros([3])`. */
  readonly isWhole?: boolean | undefined;
}

/** A param or state itself, so that it can be shared, assigned and trained; reading it gives its newest value. */
interface VariableValue {
  readonly kind: 'variable';
  readonly variable: VariableRecord;
  readonly binding: Binding | undefined;
}

/** What is known of a tuple, record or list without looking into it: the same one may stand in many others. */
interface Tree {
  /** How many values it is made of, those counted twice that stand in it twice; an empty one is a value as well, since it is walked. */
  readonly leaves: number;
  /** Trees inside one another, itself included. */
  readonly depth: number;
  /** Is there a variable in it, which is read by `let`? */
  readonly reads: boolean;
}

export interface RecordValue extends Tree {
  readonly kind: 'record';
  readonly fields: ReadonlyMap<string, Value>;
}

export interface TupleValue extends Tree {
  readonly kind: 'tuple';
  readonly items: readonly Value[];
}

export interface ListValue extends Tree {
  readonly kind: 'list';
  readonly items: readonly Value[];
}

/** A function, or a step, which other steps may call. */
export interface FunctionValue {
  readonly kind: 'function';
  readonly declaration: FnDeclaration | StepDeclaration;
  readonly module: Module;
  /** Where it was declared: a module, or an instance. */
  readonly scope: Scope;
  readonly self: InstanceValue | undefined;
}

export interface LambdaValue {
  readonly kind: 'lambda';
  readonly expression: LambdaExpression;
  readonly module: Module;
  readonly scope: Scope;
  /** The call in which it was written. */
  readonly frame: Frame | undefined;
  readonly self: InstanceValue | undefined;
}

interface BuiltinValue {
  readonly kind: 'builtin';
  readonly builtin: Builtin;
}

export interface ModelValue {
  readonly kind: 'model';
  readonly declaration: ModelDeclaration;
  readonly module: Module;
  readonly scope: Scope;
}

export interface InstanceValue {
  readonly kind: 'instance';
  readonly model: ModelValue;
  /** e.g. `net/hidden1`. */
  readonly path: string;
  /** Generics, parameters and members. */
  readonly scope: Scope;
  /** Names of the members in the order of the text. */
  readonly members: readonly string[];
}

export interface OptimizerValue {
  readonly kind: 'optimizer';
  readonly declaration: OptimizerDeclaration;
  readonly module: Module;
  readonly scope: Scope;
}

/** An optimizer with its arguments: what stands behind `with`. */
export interface OptimizerRule {
  readonly kind: 'optimizer-rule';
  readonly optimizer: OptimizerValue;
  /** The arguments, visible to states and update. */
  readonly scope: Scope;
  readonly span: Span;
}

export interface DTypeValue {
  readonly kind: 'dtype';
  readonly dtype: DType;
}

/** The sizes behind `...S`. */
interface PackValue {
  readonly kind: 'pack';
  readonly shape: Shape;
}

/** The rows of a tensor with their numbers, `(0, row), (1, row), …`: what a loop runs over. */
interface RowsValue {
  readonly kind: 'rows';
  readonly of: TensorValue;
}

export type Value =
  | ErrorValue
  | NumberValue
  | SizeValue
  | BooleanValue
  | StringValue
  | TensorValue
  | VariableValue
  | RecordValue
  | TupleValue
  | ListValue
  | FunctionValue
  | LambdaValue
  | BuiltinValue
  | ModelValue
  | InstanceValue
  | OptimizerValue
  | OptimizerRule
  | DTypeValue
  | PackValue
  | RowsValue;

export const ERROR: ErrorValue = { kind: 'error' };

export const number = (value: number, integer = Number.isInteger(value), dtype?: DType, exact?: Fraction): NumberValue => ({
  kind: 'number',
  value,
  integer,
  dtype,
  exact,
});

/** A number that is known exactly; 0 keeps the sign that it has as a double. */
export function exactNumber(exact: Fraction, integer: boolean, dtype?: DType, double = 0): NumberValue {
  const value = exact.numerator === 0n ? (double === 0 ? double : 0) : exact.toNumber();
  return number(value, integer, dtype, integer && Number.isSafeInteger(value) ? undefined : exact);
}

/** The number, if it is known exactly. */
export const exactOf = ({ value, integer, exact }: NumberValue): Fraction | undefined =>
  exact ?? (integer && Number.isSafeInteger(value) ? Fraction.of(BigInt(value)) : undefined);

/** The integer that a number is. */
export const integerOf = ({ value, exact }: NumberValue): bigint => exact?.numerator ?? BigInt(value);

/** What a float dtype holds of a number, rounded once. */
export const heldBy = (dtype: DType, { value, exact }: NumberValue): number =>
  exact === undefined || exact.numerator === 0n ? roundTo(dtype, value) : exact.roundTo(dtype);

/** A number in a sentence. */
export function shown({ value, integer, exact }: NumberValue): string {
  if (exact !== undefined && !integer && !Number.isFinite(value))
    return `a number of ${exact.floor().magnitude().numerator.toString().length} digits`;
  if (exact !== undefined && !integer && value === 0 && exact.numerator !== 0n) return 'a number nearer to 0 than any that f64 has';
  // With a point where it is no integer, whatever its value is.
  const point = !integer && Number.isInteger(value) && Math.abs(value) < 1e21 ? '.0' : '';
  const text = `${integer ? (exact?.numerator ?? value) : value}${point}`;
  return text.length > 40 ? `${text.slice(0, 40)}… (${text.length} digits)` : text;
}
export const boolean = (value: boolean): BooleanValue => ({ kind: 'boolean', value });
export const tensorValue = (node: TensorNode, binding?: Binding): TensorValue => ({ kind: 'tensor', node, binding });
export const tuple = (items: readonly Value[]): TupleValue => ({ kind: 'tuple', items, ...treeOf(items) });
export const list = (items: readonly Value[]): ListValue => ({ kind: 'list', items, ...treeOf(items) });
export function record(given: Iterable<readonly [string, Value]>): RecordValue {
  const fields = new Map(given);
  return { kind: 'record', fields, ...treeOf(fields.values()) };
}

export const isTree = (value: Value): value is RecordValue | TupleValue | ListValue =>
  value.kind === 'tuple' || value.kind === 'list' || value.kind === 'record';

function treeOf(items: Iterable<Value>): Tree {
  let [leaves, depth, reads] = [0, 0, false];
  for (const item of items) {
    const inner = isTree(item) ? item : undefined;
    leaves += inner?.leaves ?? 1;
    depth = Math.max(depth, inner?.depth ?? 0);
    reads ||= inner?.reads ?? item.kind === 'variable';
  }
  return { leaves: Math.max(1, leaves), depth: depth + 1, reads };
}

/** A size as a value: a number when it is constant. */
export function sizeValue(dim: Dim): NumberValue | SizeValue {
  const constant = dim.constant;
  return constant === undefined ? { kind: 'size', dim } : number(constant, true);
}

/** The size that a value stands for, if it is one: integers that a double does not hold exactly are none. */
export function dimOf(value: Value): Dim | undefined {
  if (value.kind === 'size') return value.dim;
  if (
    value.kind === 'number' &&
    Number.isSafeInteger(value.value) &&
    value.integer &&
    (value.dtype === undefined || value.dtype === 'i32' || value.dtype === 'i64')
  )
    return Dim.of(value.value);
  return undefined;
}

/** Can be called with arguments. */
export function isCallable(value: Value): boolean {
  switch (value.kind) {
    case 'function':
    case 'lambda':
    case 'builtin':
    case 'dtype':
    case 'error':
      return true;
    case 'instance':
      return value.members.includes('call');
    default:
      return false;
  }
}

/** A hint for a number that was computed and is no integer, where one is needed; `written`: what stands there, if it is at hand. */
export const integerHint = (value: Value, written?: Expression): string | undefined =>
  value.kind === 'number' && !value.integer && written?.kind !== 'number'
    ? '`floorDiv(a, b)` gives the integer below a quotient'
    : undefined;

/** What a value is, as messages say it: `f32[B, 784]`, `the number 2.5`, `a list`. */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'error':
      return 'a mistake';
    case 'number':
      return value.dtype === undefined ? `the number ${shown(value)}` : value.dtype;
    case 'size':
      return `the size ${value.dim}`;
    case 'boolean':
      return `${value.value}`;
    case 'string':
      return `the text ${JSON.stringify(value.value)}`;
    case 'tensor':
      return typeToString(value.node.type);
    case 'variable':
      return typeToString(value.variable.type);
    case 'record':
      return `a record { ${[...value.fields.keys()].join(', ')} }`;
    case 'tuple':
      return `a tuple of ${value.items.length}`;
    case 'list':
      return `a list of ${value.items.length}`;
    case 'function':
      return `the ${value.declaration.kind === 'fn' ? 'function' : 'step'} ${value.declaration.name.text}`;
    case 'lambda':
      return 'a lambda';
    case 'builtin':
      return `the function ${value.builtin.name}`;
    case 'model':
      return `the model ${value.declaration.name.text}`;
    case 'instance':
      return `an instance of ${value.model.declaration.name.text}`;
    case 'optimizer':
      return `the optimizer ${value.declaration.name.text}`;
    case 'optimizer-rule':
      return `the optimizer ${value.optimizer.declaration.name.text}`;
    case 'dtype':
      return `the dtype ${value.dtype}`;
    case 'pack':
      return `the sizes [${value.shape.join(', ')}]`;
    case 'rows':
      return `the numbered rows of ${typeToString(value.of.node.type)}`;
  }
}
