// Functions with the author's own derivative: `fn f(x) = … vjp (g) => …`. In: the declaration and its bound arguments. Out: a `call` node
// with two regions.
// Holds: value and rule see their arguments only; the rule gives one cotangent per float argument, of that argument's shape; integers get
// zeros.

import type { FnDeclaration, VjpRule } from '../../grammar/index.js';
import { isFloat, shapeEquals } from '../base/index.js';
import { typeToString, type TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { broadcastTo } from './broadcast.js';
import type { Context } from './context.js';
import { evaluateBody } from './expressions/evaluate.js';
import { fail } from './report.js';
import { Scope } from './scope.js';
import { readAll, toTensor } from './tensors.js';
import { expectTensor } from './types.js';
import { describe, ERROR, tensorValue, type Value } from './values.js';

interface RuleArgument {
  readonly name: string;
  readonly node: TensorNode;
  readonly placeholder: TensorNode;
}

export function applyCustomRule(
  context: Context,
  declaration: FnDeclaration,
  rule: VjpRule,
  scope: Scope,
  evaluateIn: (context: Context, scope: Scope) => Value,
): Value {
  const name = `\`${declaration.name.text}\``;
  const { build } = context.checker;
  const inside: Context = { ...context, region: true };
  const within = new Scope(scope);
  const tensors: RuleArgument[] = [];
  /** Parameters that the rule answers for: floats, whether tensors or literals. */
  const answered: { readonly name: string; readonly argument: RuleArgument | undefined }[] = [];
  for (const parameter of declaration.parameters) {
    const binding = scope.own(parameter.name.text);
    const value = binding?.value();
    if (binding === undefined || value === undefined) continue;
    if (value.kind === 'number' && value.dtype !== undefined && isFloat(value.dtype))
      answered.push({ name: parameter.name.text, argument: undefined });
    if (value.kind !== 'tensor') continue;
    const argument = { name: parameter.name.text, node: value.node, placeholder: ops.placeholder(build, value.node.type) };
    tensors.push(argument);
    if (isFloat(value.node.type.dtype)) answered.push({ name: parameter.name.text, argument });
    within.addValue(parameter.name.text, 'parameter', tensorValue(argument.placeholder), parameter.name.span, parameter.type, scope);
  }
  const value = readAll(inside, evaluateIn(inside, within), declaration.name.span);
  if (value.kind === 'error') return ERROR;
  const result = toTensor(inside, value, declaration.name.span);
  if (result === undefined) return ERROR;

  const [cotangent, ...others] = rule.parameters;
  if (cotangent === undefined || others.length > 0)
    return fail(context, 'type-mismatch', rule.span, `the rule of ${name} takes one cotangent`, { hint: '`vjp (g) => …`' });
  const g = ops.placeholder(build, result.type);
  const ruleScope = new Scope(within);
  ruleScope.addValue(cotangent.text, 'parameter', tensorValue(g), cotangent.span);
  const only = answered.length === 1 ? answered[0]?.argument?.node.type : undefined;
  const cotangents = evaluateBody(
    inside,
    rule.body,
    ruleScope,
    only === undefined ? undefined : expectTensor(only.dtype, only.shape),
    `the rule of ${name}`,
    rule.span,
  );
  if (cotangents.kind === 'error') return ERROR;
  const items =
    answered.length === 1 && cotangents.kind !== 'tuple'
      ? [cotangents]
      : cotangents.kind === 'tuple' || cotangents.kind === 'list'
        ? cotangents.items
        : undefined;
  if (items === undefined || items.length !== answered.length) {
    return fail(
      context,
      'type-mismatch',
      rule.body.span,
      `the rule of ${name} gives ${describe(cotangents)}, and ${name} has ${answered.length} float argument${answered.length === 1 ? '' : 's'}: ${answered.map((one) => `\`${one.name}\``).join(', ')}`,
      {
        hint: answered.length > 1 ? `give a tuple: \`(${answered.map((one) => `d${one.name}`).join(', ')})\`` : undefined,
      },
    );
  }
  const slopes: TensorNode[] = [];
  for (const argument of tensors) {
    const { dtype, shape } = argument.node.type;
    const at = answered.findIndex((one) => one.argument === argument);
    const item = at < 0 ? undefined : items[at];
    const zero: Value = { kind: 'number', value: 0, integer: true, dtype: undefined, big: undefined };
    const slope =
      dtype === 'bool'
        ? toTensor(inside, { kind: 'boolean', value: false }, rule.span)
        : toTensor(inside, item ?? zero, rule.body.span, dtype);
    if (slope === undefined) return ERROR;
    if (slope.type.shape.length > 0 && !shapeEquals(slope.type.shape, shape)) {
      return fail(
        context,
        'shape-mismatch',
        rule.body.span,
        `the cotangent of \`${argument.name}\` is ${typeToString(slope.type)}, and \`${argument.name}\` is ${typeToString(argument.node.type)}`,
        { hint: 'sum over the axes that were broadcast' },
      );
    }
    const whole = broadcastTo(inside, slope, shape, rule.body.span);
    if (whole === undefined) return ERROR;
    slopes.push(whole);
  }
  const placeholders = tensors.map((argument) => argument.placeholder);
  const body = ops.closeRegion(build, placeholders, [result]);
  const back = ops.closeRegion(build, [...placeholders, g], slopes);
  if (body.captures.length > 0 || back.captures.length > 0) {
    return fail(
      context,
      'unsupported-feature',
      declaration.name.span,
      `${name} has a derivative of its own, and uses more than its arguments`,
      { hint: 'pass params and other values as arguments' },
    );
  }
  const node = applyOp(
    context,
    ops.call,
    tensors.map((argument) => argument.node),
    { body: body.region, rule: back.region },
    declaration.name.span,
  );
  if (node === undefined) return ERROR;
  if (node.type.kind === 'tensor') return tensorValue(node as TensorNode);
  const item = applyTensor(context, ops.element, [node], { index: 0 }, declaration.name.span);
  return item === undefined ? ERROR : tensorValue(item);
}
