// Values as tensors. In: literals, sizes, variables, lists, and the dtype they meet. Out: graph nodes.
// Holds: a literal takes the dtype of what it meets and must be exact enough for it: no fraction in an integer, nothing out of range.
// Without anything to meet an integer literal is i32, any other number f32.

import type { Span } from '../../grammar/index.js';
import { Dim, dtypes, isFloat, isInteger, roundTo, shapeEquals, type DType, type Shape, isWide } from '../base/index.js';
import { type TensorNode, typeToString } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { warnOfRounding } from './constant-range.js';
import { excerpt, fail } from './report.js';
import { countable } from './growth.js';
import {
  describe,
  ERROR,
  heldBy,
  integerOf,
  isTree,
  list,
  record,
  shown,
  tensorValue,
  tuple,
  type ListValue,
  type NumberValue,
  type TensorValue,
  type Value,
} from './values.js';
import type { Beside } from './types.js';
import { readVariable } from './variables.js';
import { tensorHint } from './ways-out.js';

const defaultDType = (value: NumberValue): DType => value.dtype ?? (value.integer ? 'i32' : 'f32');

/** The dtype that a value brings along; undefined when it takes that of what it meets. */
export function ownDType(value: Value): DType | undefined {
  switch (value.kind) {
    case 'tensor':
      return value.again === undefined ? value.node.type.dtype : undefined;
    case 'variable':
      return value.variable.type.dtype;
    case 'number':
      return value.dtype;
    case 'boolean':
      return 'bool';
    case 'list':
      return dtypesOf(value).own;
    default:
      return undefined;
  }
}

/** The dtype that a value gives to a quotient of sizes beside it. */
export const dtypeBeside = (value: Value): Beside => ownDType(value) ?? (isFraction(value) ? 'any' : undefined);

/** A float that has no dtype yet: a number with a fraction, or what is computed of sizes and literals. */
export const isFraction = (value: Value): boolean =>
  value.kind === 'number' ? !value.integer : value.kind === 'tensor' && value.again !== undefined && isFloat(value.node.type.dtype);

interface ListDTypes {
  readonly own: DType | undefined;
  readonly fallback: DType;
}

/** A list may stand in another many times: it is looked through once. */
const listDTypes = new WeakMap<ListValue, ListDTypes>();

function dtypesOf(value: ListValue): ListDTypes {
  const known = listDTypes.get(value);
  if (known !== undefined) return known;
  const own = value.items.map(ownDType).find((dtype) => dtype !== undefined);
  const found = value.items.map(fallbackDType);
  const dtypes = { own, fallback: own ?? (found.includes('f32') || found[0] === undefined ? 'f32' : found[0]) };
  listDTypes.set(value, dtypes);
  return dtypes;
}

/** The dtype that a value has when nothing else says: its own, else that of a bare literal. */
export function fallbackDType(value: Value): DType {
  const own = ownDType(value);
  if (own !== undefined) return own;
  if (value.kind === 'tensor') return value.node.type.dtype;
  if (value.kind === 'number') return defaultDType(value);
  if (value.kind === 'list') return dtypesOf(value).fallback;
  return value.kind === 'size' ? 'i32' : 'f32';
}

/** The shape that a value has as a tensor; undefined when it is none. */
export function shapeOf(value: Value): Shape | undefined {
  switch (value.kind) {
    case 'tensor':
      return value.node.type.shape;
    case 'variable':
      return value.variable.type.shape;
    case 'number':
    case 'boolean':
    case 'size':
      return [];
    case 'list': {
      const first = value.items[0];
      const inner = first === undefined ? undefined : shapeOf(first);
      return inner === undefined ? undefined : [Dim.of(value.items.length), ...inner];
    }
    default:
      return undefined;
  }
}

/** A scalar constant of that dtype; undefined after a diagnostic when the number does not fit. */
function constantNode(context: Context, value: NumberValue, dtype: DType, span: Span): TensorNode | undefined {
  if (isInteger(dtype)) {
    const [least, most] = dtypes[dtype].bounds.map(BigInt) as [bigint, bigint];
    if (!value.integer || (!Number.isFinite(value.value) && value.exact === undefined))
      return failFraction(context, value, span, dtype, '`f32(…)`');
    const exact = integerOf(value);
    if (exact < least || exact > most) {
      fail(context, 'invalid-value', span, `${shown(value)} is out of the range of ${dtype}, ${least} to ${most}`);
      return undefined;
    }
    return applyTensor(context, ops.constant, [], { value: isWide(dtype) ? exact : Number(exact), dtype }, span);
  }
  if (dtype === 'bool') {
    fail(context, 'dtype-mismatch', span, `${shown(value)} is a number, where bool is expected`, {
      hint: value.value === 0 || value.value === 1 ? `write \`${value.value === 1}\`` : 'compare it: `… != 0`',
    });
    return undefined;
  }
  warnOfRounding(context, value, dtype, span);
  const held = heldBy(dtype, value);
  // Where the double next to it becomes the same, that is what graphs show: `0.1`, and not what f32 makes of it.
  const written = Object.is(roundTo(dtype, value.value), held) ? value.value : held;
  return applyTensor(context, ops.constant, [], { value: written, dtype }, span);
}

/** A fraction where an integer is needed; `converted`: how the other side becomes a float. */
function failFraction(context: Context, value: NumberValue, span: Span, dtype: DType, converted: string): undefined {
  const whole = Number.isSafeInteger(value.value) ? ` without a point: \`${value.value}\`` : '';
  fail(context, 'dtype-mismatch', span, `${shown(value)} is no ${dtype}`, {
    hint: `write an integer${whole}, or convert the other side: ${converted}`,
  });
  return undefined;
}

/** A value as a tensor. `dtype`: what literals become, and what everything else must have. Undefined after a diagnostic. */
export function toTensor(context: Context, value: Value, span: Span, dtype?: DType): TensorNode | undefined {
  const node = convert(context, value, span, dtype);
  if (node !== undefined && dtype !== undefined && node.type.dtype !== dtype) {
    const labels = value.kind === 'tensor' || value.kind === 'variable' ? bindingLabel(value) : [];
    fail(context, 'dtype-mismatch', span, `this is ${typeToString(node.type)}, where ${dtype} is expected`, {
      labels,
      hint: dtype === 'bool' ? `compare it: \`… ${isInteger(node.type.dtype) ? '!=' : '>'} 0\`` : `convert it: \`${dtype}(…)\``,
    });
    return undefined;
  }
  return node;
}

function convert(context: Context, value: Value, span: Span, dtype: DType | undefined): TensorNode | undefined {
  switch (value.kind) {
    case 'error':
      return undefined;
    case 'tensor':
      return dtype === undefined || dtype === value.node.type.dtype || !mayBecome(value, dtype) ? value.node : value.again?.(dtype);
    case 'variable':
      return readVariable(context, value.variable, span);
    case 'number': {
      const own = value.dtype ?? dtype ?? defaultDType(value);
      return value.node?.type.dtype === own ? value.node : constantNode(context, value, own, span);
    }
    case 'boolean':
      return applyTensor(context, ops.constant, [], { value: value.value ? 1 : 0, dtype: 'bool' }, span);
    case 'size': {
      const node = applyTensor(context, ops.dimension, [], { dim: value.dim }, span);
      return node === undefined ? undefined : castTo(context, node, dtype === 'bool' ? 'i32' : (dtype ?? 'i32'), span);
    }
    case 'list':
      if (!countable(context, value, span, 'this list')) return undefined;
      return stackNodes(context, value.items, span, dtype ?? fallbackDType(value));
    default:
      fail(context, 'type-mismatch', span, `this is ${describe(value)}, where a tensor is expected`, {
        hint: tensorHint(value, excerpt(context, span, '…')),
      });
      return undefined;
  }
}

/** What has no dtype yet becomes any float, and what is whole any integer. */
const mayBecome = ({ again, node, isWhole }: TensorValue, dtype: DType): boolean =>
  again !== undefined && (isFloat(dtype) || (isInteger(dtype) && (isWhole === true || isInteger(node.type.dtype))));

function stackNodes(context: Context, items: readonly Value[], span: Span, dtype: DType): TensorNode | undefined {
  if (items.length === 0) {
    fail(context, 'type-mismatch', span, 'an empty list is no tensor', { hint: 'use `zeros()` with a declared type' });
    return undefined;
  }
  const nodes: TensorNode[] = [];
  for (const item of items) {
    const node = toTensor(context, item, span, dtype);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  return stackTensors(context, nodes, 0, span);
}

/** Tensors of one shape along a new axis. */
export function stackTensors(context: Context, nodes: readonly TensorNode[], axis: number, span: Span): TensorNode | undefined {
  const first = nodes[0] as TensorNode;
  const raised: TensorNode[] = [];
  for (const node of nodes) {
    if (!shapeEquals(node.type.shape, first.type.shape)) {
      fail(
        context,
        'shape-mismatch',
        span,
        `the elements have different shapes: ${typeToString(first.type)} and ${typeToString(node.type)}`,
        { hint: 'rows of a tensor are equally long; other lists go element by element: `[f(x) for x in list]`' },
      );
      return undefined;
    }
    const shape = [...node.type.shape.slice(0, axis), Dim.one, ...node.type.shape.slice(axis)];
    const up = applyTensor(context, ops.reshape, [node], { shape }, span);
    if (up === undefined) return undefined;
    raised.push(up);
  }
  return raised.length === 1 ? raised[0] : applyTensor(context, ops.concat, raised, { axis }, span);
}

export function castTo(context: Context, node: TensorNode, dtype: DType, span: Span): TensorNode | undefined {
  return node.type.dtype === dtype ? node : applyTensor(context, ops.cast, [node], { dtype }, span);
}

/** Operands with one dtype: that of the first which has its own; literals follow. Undefined after a diagnostic. */
export function agree(
  context: Context,
  operands: readonly { readonly value: Value; readonly span: Span }[],
  expected: DType | undefined,
  span: Span,
  what: string,
): TensorNode[] | undefined {
  if (operands.some((operand) => operand.value.kind === 'error')) return undefined;
  const leader =
    operands.find((operand) => ownDType(operand.value) !== undefined && operand.value.kind !== 'boolean') ??
    operands.find((operand) => ownDType(operand.value) !== undefined);
  const fractional = operands.some(({ value }) => isFraction(value));
  const fallback = expected ?? (fractional ? 'f32' : operands[0] === undefined ? 'f32' : fallbackDType(operands[0].value));
  const dtype = leader === undefined ? fallback : (ownDType(leader.value) ?? fallback);
  const nodes: TensorNode[] = [];
  for (const operand of operands) {
    const own = ownDType(operand.value);
    if (own !== undefined && own !== dtype && leader !== undefined) {
      const type = (one: Value): string => describe(one);
      fail(context, 'dtype-mismatch', span, `${what}: ${type(leader.value)} and ${type(operand.value)} have different dtypes`, {
        labels: [
          { span: leader.span, text: `this is ${type(leader.value)}` },
          { span: operand.span, text: `this is ${type(operand.value)}` },
        ],
        hint: `dtypes never mix silently; convert one side: \`${widest(dtype, own)}(…)\``,
      });
      return undefined;
    }
    if (leader !== undefined && operand.value.kind === 'number' && !operand.value.integer && isInteger(dtype)) {
      failFraction(
        context,
        operand.value,
        operand.span,
        dtype,
        `\`${expected !== undefined && isFloat(expected) ? expected : 'f32'}(${excerpt(context, leader.span, '…')})\``,
      );
      return undefined;
    }
    const node = toTensor(context, operand.value, operand.span, dtype);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  return nodes;
}

/** The dtype that a person would most likely convert to. */
export function widest(a: DType, b: DType): DType {
  if (isFloat(a) !== isFloat(b)) return isFloat(a) ? a : b;
  if (isInteger(a) !== isInteger(b)) return isInteger(a) ? a : b;
  return dtypes[a].bytes >= dtypes[b].bytes ? a : b;
}

/** A label at the place where the name behind a value was declared. */
export function bindingLabel(value: Value): { span: Span; text: string }[] {
  if ((value.kind !== 'tensor' && value.kind !== 'variable') || value.binding?.span === undefined) return [];
  return [{ span: value.binding.span, text: `\`${value.binding.name}\` is ${describe(value)}` }];
}

/** Variables inside a value replaced by their newest values: what `let` keeps. */
export function readAll(context: Context, value: Value, span: Span): Value {
  if (isTree(value) && (!value.reads || !countable(context, value, span, 'this'))) return value.reads ? ERROR : value;
  switch (value.kind) {
    case 'variable': {
      const node = readVariable(context, value.variable, span);
      return node === undefined ? ERROR : tensorValue(node, value.binding);
    }
    case 'tuple':
      return tuple(value.items.map((item) => readAll(context, item, span)));
    case 'list':
      return list(value.items.map((item) => readAll(context, item, span)));
    case 'record':
      return record([...value.fields].map(([name, field]) => [name, readAll(context, field, span)] as const));
    default:
      return value;
  }
}
