// Parameters of entries as feeds. In: a parameter. Out: nodes, and what callers have to know of them: paths, types, defaults. Holds: a
// record is a feed for each of its fields; a default is known when compiling.

import { walk, type Expression, type NameExpression, type Parameter, type TypeExpression } from '../../grammar/index.js';
import { isFloat, isWide, type Shape } from '../base/index.js';
import { typeToString, type TensorType } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { EntryState, joinPath, type Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { Matcher } from './match.js';
import { fail } from './report.js';
import { GenericBinding, type Scope } from './scope.js';
import { bindingLabel, toTensor } from './tensors.js';
import { expectTensor, shapeWritten, tensorTypeOf } from './types.js';
import { describe, ERROR, heldBy, integerOf, record, tensorValue, type Value } from './values.js';

/** The shape of a parameter over generics; undefined where it is open, or after a diagnostic. */
export function shapeOfParameter(context: Context, { type }: Parameter, scope: Scope): Shape | undefined {
  const shape = type.kind === 'named-type' ? shapeWritten(context, type.dims, scope) : undefined;
  return shape === 'open' ? undefined : shape;
}

/** Declares a parameter of an entry as a feed, or as one for each field of a record; `declared`: its shape over generics. */
export function addFeed(context: Context, parameter: Parameter, scope: Scope, declared: Shape | undefined): void {
  const { text: name, span } = parameter.name;
  const known = scope.own(name);
  if (known !== undefined && !(known instanceof GenericBinding)) {
    fail(context, 'duplicate-name', span, `there are two arguments \`${name}\``, {
      hint: `choose another name, e.g. \`${name}2\``,
      labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
    });
    return;
  }
  const value = feedOf(context, name, parameter.type, parameter, scope, declared);
  // What is wrong with it is said: its name is known all the same.
  scope.addValue(name, 'parameter', value ?? ERROR, span, parameter.type, scope);
}

/** A feed as a value; a record has one for each of its fields. Undefined after a diagnostic. */
function feedOf(
  context: Context,
  path: string,
  written: TypeExpression,
  parameter: Parameter,
  scope: Scope,
  declared?: Shape,
): Value | undefined {
  const { span } = parameter.name;
  const shown = path.replaceAll('/', '.');
  if (written.kind === 'record-type') {
    if (parameter.initial !== null) {
      fail(context, 'unsupported-feature', parameter.initial.span, `the argument \`${shown}\` is a record, and has no default yet`, {
        hint: 'pass what may be left out as an argument of its own',
      });
      return undefined;
    }
    const fields = new Map<string, Value>();
    for (const field of written.fields) {
      const known = fields.has(field.name.text);
      if (known)
        fail(context, 'duplicate-name', field.name.span, `the record has a field \`${field.name.text}\` already`, {
          hint: 'choose another name',
        });
      const value = known ? undefined : feedOf(context, joinPath(path, field.name.text), field.type, parameter, scope);
      if (value === undefined) return undefined;
      fields.set(field.name.text, value);
    }
    if (fields.size === 0)
      fail(context, 'type-mismatch', written.span, `the argument \`${shown}\` is a record without fields`, {
        hint: 'e.g. `{ x: f32[B, 3], y: i32[B] }`',
      });
    return fields.size === 0 ? undefined : record(fields);
  }
  const type = tensorTypeOf(context, written, scope, `the argument \`${shown}\` of an entry`);
  const node =
    type === undefined ? undefined : applyTensor(context, ops.feed, [], { name: path, dtype: type.dtype, shape: type.shape }, span);
  if (type === undefined || node === undefined) return undefined;
  const over = declared === undefined ? {} : { declared };
  if (parameter.initial === null) {
    context.entry.feeds.push({ name: path, type, span, ...over });
    return tensorValue(node);
  }
  const initial = defaultOf(context, parameter, parameter.initial, type, scope);
  if (initial === undefined) return undefined;
  context.entry.feeds.push({ name: path, type, span, ...over, initial });
  return tensorValue(node);
}

/** What an argument is when nobody feeds it: a number or a bool that is known when compiling. Undefined after a diagnostic. */
function defaultOf(
  context: Context,
  { name, type: written }: Parameter,
  expression: Expression,
  type: TensorType,
  scope: Scope,
): number | bigint | boolean | undefined {
  const { span } = expression;
  const text = `the default of \`${name.text}\``;
  if (type.shape.length > 0) {
    fail(context, 'unsupported-feature', span, `only a scalar has a default, and \`${name.text}\` is ${typeToString(type)}`, {
      hint: 'feed it, or keep it in a `state`',
    });
    return undefined;
  }
  // It may name what the module declares, and no other argument.
  const inside: Context = { ...context, entry: new EntryState('module', context.entry.name, true), assigns: false };
  const other = parameterIn(expression, scope);
  if (other !== undefined) {
    fail(context, 'not-constant', other.span, `${text} names the argument \`${other.name}\`, and is known before anything is fed`, {
      labels: [{ span: scope.own(other.name)?.span ?? other.span, text: 'an argument' }],
      hint: `write a number or a \`const\`, e.g. \`${name.text}: ${type.dtype} = 1\``,
    });
    return undefined;
  }
  const value = evaluate(inside, expression, scope.parent ?? scope, expectTensor(type.dtype, type.shape));
  const matched = new Matcher(inside, scope).match(value, written, { text, span });
  if (matched.kind === 'error') return undefined;
  if (matched.kind === 'boolean') return matched.value;
  if (matched.kind !== 'number') {
    fail(context, 'not-constant', span, `${text} is known when compiling, and this is ${describe(matched)}`, {
      labels: bindingLabel(value),
      hint: `write a number or a \`const\`, e.g. \`${name.text}: ${type.dtype} = 1\``,
    });
    return undefined;
  }
  if (toTensor(inside, matched, span, type.dtype) === undefined) return undefined;
  return isWide(type.dtype) ? integerOf(matched) : isFloat(type.dtype) ? heldBy(type.dtype, matched) : matched.value;
}

/** An argument that an expression names; arguments before it are in the scope. */
function parameterIn(expression: Expression, scope: Scope): NameExpression | undefined {
  let found: NameExpression | undefined;
  walk(expression, (node) => {
    if (node.kind === 'name' && scope.own(node.name)?.role === 'parameter') found ??= node;
    return found === undefined;
  });
  return found;
}
