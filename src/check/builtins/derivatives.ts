// `grad`, `jvp`, `stopGradient`. In: values and what they are differentiated with respect to. Out: nodes that differentiation expands.
// Holds: one differentiates with respect to something that has a name: a param, an argument, a `let`. Integers have no derivative.

import type { Span } from '../../../grammar/index.js';
import { isFloat } from '../../base/index.js';
import { typeToString, type TensorNode } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyOp, applyTensor } from '../apply-op.js';
import { broadcastTo } from '../broadcast.js';
import { latestVersion, reachable } from '../dependence.js';
import { paramsOf } from '../params.js';
import { fittingHint } from '../fitting.js';
import { countable } from '../growth.js';
import { excerpt, fail } from '../report.js';
import { bindingLabel, toTensor } from '../tensors.js';
import { expectTensor } from '../types.js';
import { describe, ERROR, list, tuple, type Value } from '../values.js';
import { tensorHint } from '../ways-out.js';
import { required, result, type Builtin, type BuiltinCall, type Given } from './builtin.js';

/** What is named, one by one; an instance stands for its params, and lists may stand in lists. */
function items(value: Value): readonly Value[] {
  if (value.kind === 'instance') return paramsOf(value).items;
  return value.kind === 'list' || value.kind === 'tuple' ? value.items.flatMap(items) : [value];
}

/** The values for what is named, one by one: lists stand where names are lists, since others may be tensors. */
function itemsFor(names: Value, value: Value): readonly Value[] {
  const named = names.kind === 'instance' ? paramsOf(names) : names;
  const given = value.kind === 'instance' ? paramsOf(value) : value;
  if ((named.kind !== 'list' && named.kind !== 'tuple') || (given.kind !== 'list' && given.kind !== 'tuple')) return [given];
  return given.items.flatMap((item, at) => itemsFor(named.items[at] ?? ERROR, item));
}

/** Values, one per item, as they were named: a tuple for a list, and lists for instances and lists in it. */
function arranged(value: Value, values: readonly Value[]): Value {
  const rest = [...values];
  const one = (item: Value): Value => {
    if (item.kind === 'instance') return list(rest.splice(0, paramsOf(item).items.length));
    return item.kind === 'list' || item.kind === 'tuple' ? list(item.items.map(one)) : (rest.shift() ?? ERROR);
  };
  return value.kind === 'list' || value.kind === 'tuple' ? tuple(value.items.map(one)) : one(value);
}

/** Float tensors to differentiate; undefined after a diagnostic. */
function outputs(call: BuiltinCall, given: Given): TensorNode[] | undefined {
  if (!countable(call.context, given.value, given.span, 'what is differentiated')) return undefined;
  const nodes: TensorNode[] = [];
  for (const item of items(given.value)) {
    const node = toTensor(call.context, item, given.span);
    if (node === undefined) return undefined;
    if (!isFloat(node.type.dtype)) {
      fail(call.context, 'not-differentiable', given.span, `\`${call.builtin.name}\`: ${typeToString(node.type)} has no derivative`, {
        labels: bindingLabel(item),
        hint: 'convert it where it still is a float: `f32(…)`',
      });
      return undefined;
    }
    nodes.push(node);
  }
  return nodes;
}

/** Nodes that have a name of their own. */
const isNamed = (node: TensorNode): boolean =>
  node.op === ops.named || node.op === ops.feed || node.op === ops.variable || node.op === ops.placeholderOp;

/** What to differentiate with respect to; undefined after a diagnostic. */
function inputs(call: BuiltinCall, given: Given, ys: readonly TensorNode[]): TensorNode[] | undefined {
  if (!countable(call.context, given.value, given.span, 'what it is differentiated by')) return undefined;
  const listed = items(given.value);
  // Only a variable has versions to choose among.
  const found = listed.some((item) => item.kind === 'variable') ? reachable(ys) : new Set<TensorNode>();
  call.context.checker.growth.spend(found.size >> 3);
  const nodes: TensorNode[] = [];
  for (const item of listed) {
    if (item.kind === 'error') return undefined;
    const node =
      item.kind === 'variable'
        ? (latestVersion(call.context, item.variable, found) ?? toTensor(call.context, item, given.span))
        : item.kind === 'tensor' || item.kind === 'number'
          ? item.node
          : undefined;
    if (item.kind === 'variable' && node === undefined) return undefined;
    if (node === undefined || !isNamed(node)) {
      fail(
        call.context,
        'type-mismatch',
        given.span,
        `\`${call.builtin.name}\` differentiates with respect to a param, an argument or a \`let\`, and \`${excerpt(call.context, given.span, 'this')}\` is ${node === undefined ? describe(item) : 'a value without a name'}`,
        { hint: nameHint(call, item, excerpt(call.context, given.span, '…')) },
      );
      return undefined;
    }
    if (!isFloat(node.type.dtype)) {
      fail(
        call.context,
        'not-differentiable',
        given.span,
        `\`${call.builtin.name}\`: with respect to ${typeToString(node.type)} there is no derivative`,
        { labels: bindingLabel(item), hint: 'differentiate with respect to a float' },
      );
      return undefined;
    }
    nodes.push(node);
  }
  return nodes;
}

/** For what is no name: a part of one, a record, or a value that is computed. */
function nameHint({ builtin: { name } }: BuiltinCall, item: Value, text: string): string {
  if (item.kind === 'record') return `name its fields: \`[${[...item.fields.keys()].map((field) => `${text}.${field}`).join(', ')}]\``;
  if (item.kind === 'string') return `name it without quotes: \`${item.value}\``;
  if (item.kind === 'model') return tensorHint(item, text) ?? '';
  const bracket = text.indexOf('[');
  if (bracket > 0 && text.endsWith(']'))
    return name === 'grad'
      ? `take the part of the derivative: \`grad(…, ${text.slice(0, bracket)})${text.slice(bracket)}\``
      : `name the whole, \`${text.slice(0, bracket)}\`, and let the direction be 0 elsewhere`;
  return 'bind it with `let`, and compute what is differentiated from that name';
}

const grad: Builtin = {
  name: 'grad',
  doc: 'Reverse mode: the derivative of `y`, or of the sum of its elements, with respect to `x`: something that has a name, of whose shape it is. Of several `y` it is that of their sum; a list of names gives a tuple, an instance the list of the derivatives of its params, and so does a list in the list.',
  signatures: ['grad(y: any, x: any)'],
  parameters: required('y', 'x'),
  run(call) {
    const y = call.given('y');
    const x = call.given('x');
    if (y.value.kind === 'error' || x.value.kind === 'error') return ERROR;
    const ys = outputs(call, y);
    const xs = ys === undefined ? undefined : inputs(call, x, ys);
    if (ys === undefined || xs === undefined) return ERROR;
    const [first] = ys;
    if (first === undefined || xs.length === 0)
      return fail(call.context, 'invalid-value', call.site, '`grad` of an empty list', {
        hint: 'name what it is about: `grad(loss, [w, b])`',
      });
    const node = applyOp(call.context, ops.grad, [...ys, ...xs], { outputs: ys.length }, call.site);
    if (node === undefined) return ERROR;
    const derivatives = xs.map((_, index) => result(applyTensor(call.context, ops.element, [node], { index }, call.site)));
    return arranged(x.value, derivatives);
  },
};

const jvp: Builtin = {
  name: 'jvp',
  doc: 'Forward mode: the derivative of `y` in the direction `v` of `x`, in the shape of `y`. A direction has the shape of what it is one of, or is a scalar; lists of names take a list of as many.',
  signatures: ['jvp(y: any, x: any, v: any)'],
  parameters: required('y', 'x', 'v'),
  run(call) {
    const { context } = call;
    const y = call.given('y');
    const x = call.given('x');
    if (y.value.kind === 'error' || x.value.kind === 'error') {
      call.given('v');
      return ERROR;
    }
    const ys = outputs(call, y);
    const xs = ys === undefined ? undefined : inputs(call, x, ys);
    const [target] = ys ?? [];
    const [input] = xs ?? [];
    const v = call.given('v', input === undefined ? undefined : expectTensor(input.type.dtype, input.type.shape));
    if (!countable(context, v.value, v.span, 'the direction')) return ERROR;
    if (v.value.kind === 'error' || ys === undefined || xs === undefined || target === undefined) return ERROR;
    if (ys.length > 1) return fail(context, 'type-mismatch', y.span, '`jvp` differentiates one value', { hint: 'call it once for each' });
    const directions = itemsFor(x.value, v.value);
    if (directions.length !== xs.length)
      return fail(
        context,
        'type-mismatch',
        v.span,
        `\`jvp\` takes one direction per name: ${xs.length} names, ${directions.length} directions`,
        { hint: `one for each: \`[${xs.map((_, at) => `v${at + 1}`).join(', ')}]\`` },
      );
    const vs: TensorNode[] = [];
    for (const [at, direction] of directions.entries()) {
      const node = directionOf(call, direction, xs[at] as TensorNode, v.span);
      if (node === undefined) return ERROR;
      vs.push(node);
    }
    return result(applyTensor(context, ops.jvp, [target, ...xs, ...vs], { inputs: xs.length }, call.site));
  },
};

/** A direction has the type of what it is a direction of; a scalar goes the same way everywhere. */
function directionOf(call: BuiltinCall, direction: Value, input: TensorNode, span: Span): TensorNode | undefined {
  const node = toTensor(call.context, direction, span, input.type.dtype);
  if (node === undefined) return undefined;
  const { shape } = node.type;
  if (
    shape.length > 0 &&
    (shape.length !== input.type.shape.length || shape.some((dim, axis) => !dim.equals(input.type.shape[axis] ?? dim)))
  ) {
    fail(
      call.context,
      'shape-mismatch',
      span,
      `\`jvp\`: the direction is ${typeToString(node.type)}, and what it is a direction of is ${typeToString(input.type)}`,
      {
        labels: bindingLabel(direction),
        hint:
          fittingHint(excerpt(call.context, span, '…'), input.type.dtype, shape, input.type.shape) ??
          `pass ${typeToString(input.type)}, or a scalar for all elements`,
      },
    );
    return undefined;
  }
  return broadcastTo(call.context, node, input.type.shape, span);
}

const stopGradient: Builtin = {
  name: 'stopGradient',
  doc: 'The value itself, constant to every derivative.',
  signatures: ['stopGradient<T: any, ...S>(x: T[...S]): T[...S]'],
  parameters: required('x'),
  run(call) {
    const given = call.given('x', call.expected);
    const node = toTensor(call.context, given.value, given.span);
    return node === undefined ? ERROR : result(applyTensor(call.context, ops.stopGradient, [node], {}, call.site));
  },
};

export const derivativeBuiltins: readonly Builtin[] = [grad, jvp, stopGradient];
