// Initial values. In: a variable and the expression behind `=`. Out: the node of its value, which reads at most the feed `seed`.
// Holds: the expression gets the variable's dtype and shape; random numbers depend on the seed and on the variable's path alone.

import type { Expression } from '../../grammar/index.js';
import { seedName, streamName, type TensorNode, topological } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { EntryState, type Context } from './context.js';
import { broadcastTo } from './broadcast.js';
import { evaluate } from './expressions/evaluate.js';
import { fail } from './report.js';
import type { Scope } from './scope.js';
import { shapeOf, toTensor } from './tensors.js';
import { expectTensor } from './types.js';
import type { VariableRecord } from './variables.js';
import { shapeEquals } from '../base/index.js';
import { typeToString } from '../graph/index.js';
import { describe } from './values.js';

/** Evaluates the initializer into `variable.initial`; nothing is set after a diagnostic. */
export function initialize(context: Context, variable: VariableRecord, expression: Expression, scope: Scope): void {
  const { dtype, shape } = variable.type;
  const inside: Context = {
    ...context,
    entry: new EntryState('init', variable.path, context.entry.dry),
    path: '',
    region: false,
    assigns: false,
    instancePath: undefined,
    initializing: variable.path,
  };
  const value = evaluate(inside, expression, scope, expectTensor(dtype, shape));
  if (value.kind === 'error') return;
  const own = shapeOf(value);
  if (own !== undefined && own.length > 0 && !shapeEquals(own, shape)) {
    fail(
      inside,
      'shape-mismatch',
      expression.span,
      `the initial value is ${describe(value)}, and \`${variable.path}\` is ${typeToString(variable.type)}`,
      { labels: variable.span === undefined ? [] : [{ span: variable.span, text: 'declared here' }] },
    );
    return;
  }
  const node = toTensor(inside, value, expression.span, dtype);
  const whole = node === undefined ? undefined : broadcastTo(inside, node, shape, expression.span);
  if (whole === undefined) return;
  const streams: number[] = [];
  const foreign = topological([whole]).find((one) => {
    if (!ops.isNodeOf(one, ops.feed)) return one.op === ops.variable;
    const stream = /^stream(\d+)$/.exec(one.attrs.name)?.[1];
    for (let at = streams.length; at <= Number(stream ?? -1); at++) streams.push(streamOf(variable.path, at));
    return stream === undefined && one.attrs.name !== seedName;
  });
  if (foreign !== undefined) {
    fail(inside, 'not-constant', expression.span, 'an initial value cannot depend on arguments or variables');
    return;
  }
  variable.initial = whole;
  variable.streams = streams;
}

/** The seed of initial values: a feed `seed: i64`. */
export const seedNode = (context: Context, span: Expression['span']): TensorNode => feedNode(context, span, seedName, 'i64');

/** The stream of use number `index` of random numbers in an initial value: a feed, so that like variables have one initializer. */
export const streamNode = (context: Context, span: Expression['span'], index: number): TensorNode =>
  feedNode(context, span, streamName(index), 'i32');

/** The stream of use number `index` at a place of the program, as the i32 of its bits: the hash of the place. */
export const streamOf = (place: string, index: number): number => fnv1a(index === 0 ? place : `${place}#${index}`) | 0;

function feedNode(context: Context, span: Expression['span'], name: string, dtype: 'i64' | 'i32'): TensorNode {
  const { build } = context.checker;
  return build.at({ span, scope: context.path, backward: false }, () => ops.applyTensor(build, ops.feed, [], { name, dtype, shape: [] }));
}

/** 32-bit FNV-1a over UTF-16 code units' bytes, low byte first (http://www.isthe.com/chongo/tech/comp/fnv/). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    for (const byte of [unit & 255, unit >> 8]) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
