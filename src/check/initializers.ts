// Initial values. In: a variable and the expression behind `=`. Out: the node of its value, which reads at most the feeds of the seed and
// of streams.
// Holds: the expression gets the variable's dtype and shape; random numbers depend on the seed and on the variable's path alone.

import { type Expression, walk } from '../../grammar/index.js';
import { seedName, streamIndex, streamName, type TensorNode, topological } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { EntryState, type Context } from './context.js';
import { broadcastTo } from './broadcast.js';
import { evaluate } from './expressions/evaluate.js';
import { fittingHint } from './fitting.js';
import { excerpt, fail } from './report.js';
import type { Scope } from './scope.js';
import { shapeOf, toTensor } from './tensors.js';
import { expectTensor } from './types.js';
import type { VariableRecord } from './variables.js';
import { fnv1a, shapeEquals } from '../base/index.js';
import { typeToString } from '../graph/index.js';
import { describe } from './values.js';

/** What initial values are made of. */
const initialHint = 'start it from numbers, or from a shape as `zerosLike(…)` does; what depends on values is assigned in a step';

/** Evaluates the initializer into `variable.initial`; nothing is set after a diagnostic. */
export function initialize(context: Context, variable: VariableRecord, expression: Expression, scope: Scope): void {
  const { initials } = context.checker;
  const type = typeToString(variable.type);
  const known = context.entry.dry ? undefined : initials.get(expression)?.get(type);
  const initial = known ?? evaluated(context, variable, expression, scope);
  if (initial === undefined) return;
  variable.initial = initial;
  variable.streams = Array.from({ length: streamsOf(initial) }, (_, index) => streamOf(variable.path, index));
  if (known !== undefined || context.entry.dry || !isOfModule(expression, scope)) return;
  const byType = initials.get(expression);
  if (byType === undefined) initials.set(expression, new Map([[type, initial]]));
  else byType.set(type, initial);
}

/** Whether every name in it stands for what a module declares or what is built in: nothing of a model's or a call's own. */
function isOfModule(expression: Expression, scope: Scope): boolean {
  let found = true;
  walk(expression, (node) => {
    const role = node.kind === 'name' ? scope.lookup(node.name)?.role : undefined;
    if (role !== undefined && role !== 'builtin' && role !== 'declaration') found = false;
    return found;
  });
  return found;
}

/** How many streams are fed: up to the last that the value reads. */
function streamsOf(initial: TensorNode): number {
  const indices = topological([initial]).map((node) => (ops.isNodeOf(node, ops.feed) ? streamIndex(node.attrs.name) : -1));
  return 1 + indices.reduce((most, index) => Math.max(most, index), -1);
}

/** The value; undefined after a diagnostic. */
function evaluated(context: Context, variable: VariableRecord, expression: Expression, scope: Scope): TensorNode | undefined {
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
  if (value.kind === 'error') return undefined;
  const own = shapeOf(value);
  if (own !== undefined && own.length > 0 && !shapeEquals(own, shape)) {
    fail(
      inside,
      'shape-mismatch',
      expression.span,
      `the initial value is ${describe(value)}, and \`${variable.path}\` is ${typeToString(variable.type)}`,
      {
        labels: variable.span === undefined ? [] : [{ span: variable.span, text: 'declared here' }],
        hint:
          fittingHint(excerpt(inside, expression.span, '…'), dtype, own, shape) ??
          `declare it as \`${typeToString({ ...variable.type, shape: own })}\`; one number fills any shape`,
      },
    );
    return undefined;
  }
  const node = toTensor(inside, value, expression.span, dtype);
  const whole = node === undefined ? undefined : broadcastTo(inside, node, shape, expression.span);
  if (whole === undefined) return undefined;
  const isFed = (name: string): boolean => name === seedName || streamIndex(name) >= 0;
  const foreign = topological([whole]).find((one) => (ops.isNodeOf(one, ops.feed) ? !isFed(one.attrs.name) : one.op === ops.variable));
  if (foreign === undefined) return whole;
  fail(inside, 'not-constant', expression.span, 'an initial value cannot depend on arguments or variables', {
    hint: initialHint,
  });
  return undefined;
}

/** The seed of initial values: a feed, i64. */
export const seedNode = (context: Context, span: Expression['span']): TensorNode => feedNode(context, span, seedName, 'i64');

/** The stream of use number `index` of random numbers in an initial value: a feed, so that like variables have one initializer. */
export const streamNode = (context: Context, span: Expression['span'], index: number): TensorNode =>
  feedNode(context, span, streamName(index), 'i32');

/** The stream of use number `index` at a place of the program, as the i32 of its bits: the hash of the place. */
export const streamOf = (place: string, index: number): number => fnv1a(bytesOf(index === 0 ? place : `${place}#${index}`)) | 0;

function feedNode(context: Context, span: Expression['span'], name: string, dtype: 'i64' | 'i32'): TensorNode {
  const { build } = context.checker;
  return build.at({ span, scope: context.path, backward: false }, () => ops.applyTensor(build, ops.feed, [], { name, dtype, shape: [] }));
}

/** UTF-16 code units, low byte first. */
const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from({ length: 2 * text.length }, (_, at) => (text.charCodeAt(at >> 1) >> (8 * (at & 1))) & 255);
