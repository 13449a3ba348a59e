// Optimizers with their arguments. In: the call behind `with`. Out: the rule that `minimize` applies to each param.
// Holds: literals among the arguments keep their freedom of dtype, so that one optimizer trains f32 and f64 params alike.

import { assignArguments } from './arguments.js';
import type { Call } from './calls.js';
import { pushFrame } from './functions.js';
import { evaluate } from './expressions/evaluate.js';
import { Matcher } from './match.js';
import { fail } from './report.js';
import { Scope } from './scope.js';
import { readAll } from './tensors.js';
import { expectedOf } from './types.js';
import { ERROR, type OptimizerValue, type Value } from './values.js';

export function optimizerRule(call: Call, optimizer: OptimizerValue): Value {
  const { context } = call;
  const { declaration, module } = optimizer;
  const name = declaration.name.text;
  context.checker.visited.add(declaration);
  if (call.generics !== null) return fail(context, 'too-many-arguments', call.site, `\`${name}\` has no generics`);
  const assigned = assignArguments(
    context,
    call.passed,
    declaration.parameters.map((parameter) => ({ name: parameter.name.text, optional: parameter.initial !== null })),
    name,
    call.site,
    declaration.name.span,
  );
  const frame = pushFrame(context, declaration, undefined, name, call.site, context.frame);
  if (assigned === undefined || frame === undefined) return ERROR;
  const scope = new Scope(optimizer.scope);
  const inside = {
    ...context,
    module,
    frame,
    self: undefined,
    site: module.std ? (context.site ?? call.site) : undefined,
    assigns: false,
    instancePath: undefined,
  };
  let failed = false;
  for (const parameter of declaration.parameters) {
    const passed = assigned.get(parameter.name.text);
    const expected = expectedOf(inside, parameter.type, scope);
    const given =
      passed !== undefined
        ? { context, value: passed.value(expected), span: passed.span, text: `argument \`${parameter.name.text}\` of \`${name}\`` }
        : parameter.initial !== null
          ? {
              context: inside,
              value: evaluate(inside, parameter.initial, scope, expected),
              span: parameter.initial.span,
              text: `the default of \`${parameter.name.text}\``,
            }
          : undefined;
    if (given === undefined) continue;
    const value = new Matcher(given.context, scope).match(given.value, parameter.type, {
      text: given.text,
      span: given.span,
      keepsLiterals: true,
    });
    if (value.kind === 'error') failed = true;
    if (scope.own(parameter.name.text) === undefined)
      scope.addValue(
        parameter.name.text,
        'parameter',
        readAll(given.context, value, given.span),
        parameter.name.span,
        parameter.type,
        scope,
      );
  }
  return failed ? ERROR : { kind: 'optimizer-rule', optimizer, scope, span: call.site };
}
