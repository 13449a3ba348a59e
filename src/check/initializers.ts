// Initial values. In: a variable and the expression behind `=`. Out: the node of its value, which reads at most the feed `seed`.
// Holds: the expression gets the variable's dtype and shape; random numbers depend on the seed and on the variable's path alone.

import type { Expression } from '../../grammar/index.js';
import { InternalError } from '../base/index.js';
import { topological } from '../graph/index.js';
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
  const foreign = topological([whole]).find((one) => one.op === ops.variable || (ops.isNodeOf(one, ops.feed) && one.attrs.name !== 'seed'));
  if (foreign !== undefined) {
    fail(inside, 'not-constant', expression.span, 'an initial value cannot depend on arguments or variables');
    return;
  }
  variable.initial = whole;
}

/** The seed of initial values: a feed `seed: i64`. */
export function seedNode(context: Context, span: Expression['span']): ReturnType<typeof ops.applyTensor> {
  const { build } = context.checker;
  const node = build.at({ span, scope: context.path, backward: false }, () =>
    ops.applyTensor(build, ops.feed, [], { name: 'seed', dtype: 'i64', shape: [] }),
  );
  if (node.type.dtype !== 'i64') throw new InternalError('check', 'the seed is no i64');
  return node;
}
