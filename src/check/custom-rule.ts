// Functions with the author's own derivative: `fn f(x) = … vjp (g) => …`. In: the declaration and its bound arguments. Out: a `call` node
// with two regions.
// Holds: value and rule see their arguments only; the rule gives one cotangent per float argument, of that argument's shape; integers get
// zeros. Tuples and records, as arguments and as results, are taken part by part.

import type { FnDeclaration, Span, VjpRule } from '../../grammar/index.js';
import { isFloat, shapeEquals } from '../base/index.js';
import { typeToString, type TensorNode } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyOp, applyTensor } from './apply-op.js';
import { broadcastTo } from './broadcast.js';
import type { Context } from './context.js';
import { evaluateBody } from './expressions/evaluate.js';
import { fittingHint } from './fitting.js';
import { excerpt, fail } from './report.js';
import { Scope } from './scope.js';
import { readAll, toTensor } from './tensors.js';
import { leavesOf, withLeaves } from './trees.js';
import { expectTensor } from './types.js';
import { describe, ERROR, isTree, tensorValue, tuple, type Value } from './values.js';

/** A tensor that goes into the regions: an argument, or a part of one. */
interface Operand {
  readonly node: TensorNode;
  readonly placeholder: TensorNode;
}

/** A parameter that the rule answers for: it is, or has in it, a float, whether a tensor or a literal. */
interface Answered {
  readonly name: string;
  readonly span: Span;
  readonly value: Value;
  /** Per part of the value, in order; undefined for what is known when compiling. */
  readonly operands: readonly (Operand | undefined)[];
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
  // Of a body of index notation it sees its arguments alone, as anybody's.
  const inside: Context = { ...context, region: true, body: undefined };
  const within = new Scope(scope);
  const { operands, answered } = takeArguments(inside, declaration, scope, within);
  const value = readAll(inside, evaluateIn(inside, within), declaration.name.span);
  const leaves = value.kind === 'error' ? undefined : leavesOf(inside, value, declaration.name.span, `the result of ${name}`);
  const results = leaves?.map((leaf) => toTensor(inside, leaf, declaration.name.span));
  if (results === undefined || !results.every((result) => result !== undefined)) return ERROR;

  // Of integers there is no derivative to say: the function is like any other.
  if (!results.some((result) => isFloat(result.type.dtype))) return readAll(context, evaluateIn(context, scope), declaration.name.span);
  const ruleScope = new Scope(within);
  const cotangents = bindCotangents(inside, rule, name, value, results, ruleScope);
  if (cotangents === undefined) return ERROR;
  const slopes = slopesOf(inside, rule, name, answered, ruleScope);
  if (slopes === undefined) return ERROR;
  const pulled = operands.map((operand) => slopes.get(operand) ?? ops.fill(build, operand.node.type, 0));
  const placeholders = operands.map((operand) => operand.placeholder);
  const body = ops.closeRegion(build, placeholders, results, 'inside');
  const back = ops.closeRegion(build, [...placeholders, ...cotangents], pulled, 'inside');
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
    operands.map((operand) => operand.node),
    { body: body.region, rule: back.region },
    declaration.name.span,
  );
  if (node === undefined) return ERROR;
  if (node.type.kind === 'tensor') return withLeaves(value, [tensorValue(node as TensorNode)]);
  const items = results.map((_, index): Value => {
    const item = applyTensor(context, ops.element, [node], { index }, declaration.name.span);
    return item === undefined ? ERROR : tensorValue(item);
  });
  return withLeaves(value, items);
}

/** Placeholders for the tensors that are passed, bound in `within` by the names of the parameters. */
function takeArguments(
  context: Context,
  declaration: FnDeclaration,
  scope: Scope,
  within: Scope,
): { readonly operands: Operand[]; readonly answered: Answered[] } {
  const operands: Operand[] = [];
  const answered: Answered[] = [];
  for (const parameter of declaration.parameters) {
    const { text } = parameter.name;
    const value = scope.own(text)?.value();
    if (value === undefined) continue;
    if (value.kind === 'number' && value.dtype !== undefined && isFloat(value.dtype))
      answered.push({ name: text, span: parameter.span, value, operands: [undefined] });
    const parts = value.kind === 'tensor' ? [value] : isTree(value) ? partsOf(value) : undefined;
    if (parts === undefined) continue;
    const taken = parts.map((part): Operand | undefined =>
      part.kind === 'tensor' ? { node: part.node, placeholder: ops.placeholder(context.checker.build, part.node.type) } : undefined,
    );
    operands.push(...taken.filter((operand) => operand !== undefined));
    if (taken.some((operand) => operand !== undefined && isFloat(operand.node.type.dtype)))
      answered.push({ name: text, span: parameter.span, value, operands: taken });
    const bound = withLeaves(
      value,
      taken.map((operand, at) => (operand === undefined ? (parts[at] ?? ERROR) : tensorValue(operand.placeholder))),
    );
    within.addValue(text, 'parameter', bound, parameter.name.span, parameter.type, scope);
  }
  return { operands, answered };
}

/** The parts of a tuple, record or list in order, whatever they are. */
function partsOf(value: Value): Value[] {
  const parts: Value[] = [];
  const waiting = [value];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (!isTree(one)) parts.push(one);
    else waiting.push(...(one.kind === 'record' ? [...one.fields.values()] : [...one.items]).reverse());
  }
  return parts;
}

/** The parts of a value where `like` has its own, in order; undefined when it is made another way. A list may stand for a tensor. */
function partsLike(value: Value, like: Value): readonly Value[] | undefined {
  if (!isTree(like)) return [value];
  const others = like.kind === 'record' ? [...like.fields.values()] : like.items;
  const items =
    value.kind === 'record' && like.kind === 'record'
      ? [...like.fields.keys()].map((name) => value.fields.get(name))
      : value.kind === like.kind && value.kind !== 'record'
        ? value.items
        : [];
  if (items.length !== others.length || (value.kind === 'record' && value.fields.size !== others.length)) return undefined;
  const parts: Value[] = [];
  for (const [at, item] of items.entries()) {
    const inner = item === undefined ? undefined : partsLike(item, others[at] ?? ERROR);
    if (inner === undefined) return undefined;
    parts.push(...inner);
  }
  return parts;
}

/**
 * Placeholders for the cotangents of the float results. One name stands for all of them, in the form of the result; several stand for one
 * each. Undefined after a diagnostic.
 */
function bindCotangents(
  context: Context,
  rule: VjpRule,
  name: string,
  value: Value,
  results: readonly TensorNode[],
  scope: Scope,
): TensorNode[] | undefined {
  const floats = results.filter((result) => isFloat(result.type.dtype));
  const cotangents = floats.map((result) => ops.placeholder(context.checker.build, result.type));
  const { parameters } = rule;
  const [first] = parameters;
  if (first === undefined || (parameters.length > 1 && parameters.length !== floats.length)) {
    const count = floats.length === 1 ? 'one cotangent' : `${floats.length} cotangents, one per float result, or one name for all of them`;
    fail(context, 'type-mismatch', rule.span, `the rule of ${name} takes ${count}`, {
      hint: floats.length === 1 ? '`vjp (g) => …`' : `\`vjp (${floats.map((_, at) => `g${at + 1}`).join(', ')}) => …\``,
    });
    return undefined;
  }
  const given = cotangents.map((node) => tensorValue(node));
  if (parameters.length > 1) {
    for (const [at, parameter] of parameters.entries()) {
      if (scope.own(parameter.text) !== undefined) {
        fail(context, 'duplicate-name', parameter.span, `the rule of ${name} has two cotangents \`${parameter.text}\``, {
          hint: 'name each in its own way',
        });
        return undefined;
      }
      scope.addValue(parameter.text, 'parameter', given[at] ?? ERROR, parameter.span);
    }
  } else {
    const whole = floats.length === results.length ? withLeaves(value, given) : given.length === 1 ? (given[0] ?? ERROR) : tuple(given);
    scope.addValue(first.text, 'parameter', whole, first.span);
  }
  return cotangents;
}

/** What the rule gives for each tensor of the answered parameters; undefined after a diagnostic. */
function slopesOf(
  context: Context,
  rule: VjpRule,
  name: string,
  answered: readonly Answered[],
  scope: Scope,
): Map<Operand, TensorNode> | undefined {
  const only = answered.length === 1 ? answered[0] : undefined;
  const type = only === undefined || isTree(only.value) ? undefined : only.operands[0]?.node.type;
  const expected = type === undefined ? undefined : expectTensor(type.dtype, type.shape);
  const given = readAll(context, evaluateBody(context, rule.body, scope, expected, `the rule of ${name}`, rule.span), rule.body.span);
  if (given.kind === 'error') return undefined;
  const alone = only !== undefined && (given.kind !== 'tuple' || (isTree(only.value) && partsLike(given, only.value) !== undefined));
  const items = alone ? [given] : given.kind === 'tuple' || given.kind === 'list' ? given.items : undefined;
  if (items?.length !== answered.length) {
    fail(
      context,
      'type-mismatch',
      rule.body.span,
      `the rule of ${name} gives ${describe(given)}, and ${name} has ${answered.length} float argument${answered.length === 1 ? '' : 's'}: ${answered.map((one) => `\`${one.name}\``).join(', ')}`,
      {
        labels: answered.map((one) => ({ span: one.span, text: `\`${one.name}\` is ${describe(one.value)}` })),
        hint:
          answered.length > 1
            ? `give a tuple: \`(${answered.map((one) => `d${one.name}`).join(', ')})\``
            : 'give the cotangent of that one alone; integers have none',
      },
    );
    return undefined;
  }
  const slopes = new Map<Operand, TensorNode>();
  for (const [at, one] of answered.entries()) {
    const item = items[at] ?? ERROR;
    const parts = partsLike(item, one.value);
    if (parts === undefined) {
      fail(
        context,
        'type-mismatch',
        givenSpan(rule, at, answered.length),
        `the cotangent of \`${one.name}\` is ${describe(item)}, and \`${one.name}\` is ${describe(one.value)}`,
        {
          labels: [{ span: one.span, text: `\`${one.name}\` is ${describe(one.value)}` }],
          hint: 'give one cotangent per part, in the same form',
        },
      );
      return undefined;
    }
    for (const [place, operand] of one.operands.entries()) {
      if (operand === undefined || !isFloat(operand.node.type.dtype)) continue;
      const slope = slopeOf(context, parts[place] ?? ERROR, operand, one, givenSpan(rule, at, answered.length));
      if (slope === undefined) return undefined;
      slopes.set(operand, slope);
    }
  }
  return slopes;
}

/** Where the cotangent of answered parameter `at` stands. */
function givenSpan({ body }: VjpRule, at: number, count: number): Span {
  const part = body.kind === 'tuple' && body.elements.length === count ? body.elements[at] : undefined;
  return part?.span ?? body.span;
}

/** A cotangent in the type of its argument: a scalar goes everywhere. */
function slopeOf(
  context: Context,
  value: Value,
  { node }: Operand,
  { name, span: declared }: Answered,
  span: Span,
): TensorNode | undefined {
  const { dtype, shape } = node.type;
  const slope = toTensor(context, value, span, dtype);
  if (slope === undefined) return undefined;
  if (slope.type.shape.length > 0 && !shapeEquals(slope.type.shape, shape)) {
    fail(
      context,
      'shape-mismatch',
      span,
      `the cotangent of \`${name}\` is ${typeToString(slope.type)}, and \`${name}\` is ${typeToString(node.type)}`,
      {
        labels: [{ span: declared, text: `\`${name}\` is ${typeToString(node.type)}` }],
        hint:
          fittingHint(excerpt(context, span, '…'), dtype, slope.type.shape, shape) ??
          `give ${typeToString(node.type)}, or a scalar for all elements`,
      },
    );
    return undefined;
  }
  return broadcastTo(context, slope, shape, span);
}
