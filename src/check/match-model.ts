// Instances against the type `Dense<In, Out>`. In: a value, the model that is declared. Out: the instance, with the generics of the type
// found in it.

import type { NamedType } from '../../grammar/index.js';
import type { Matcher, Subject } from './match.js';
import { fail } from './report.js';
import { GenericBinding } from './scope.js';
import { evaluateSize, solveSize } from './sizes.js';
import { describe, dimOf, ERROR, sizeValue, type ModelValue, type Value } from './values.js';

/** The instance itself; an error after a diagnostic. A type without `<…>` takes any instance of the model. */
export function matchModel(matcher: Matcher, value: Value, model: ModelValue, type: NamedType, subject: Subject): Value {
  const name = model.declaration.name.text;
  if (value.kind !== 'instance' || value.model.declaration !== model.declaration)
    return fail(
      matcher.context,
      'type-mismatch',
      subject.span,
      `${subject.text} is ${describe(value)}, where an instance of ${name} is declared`,
      { labels: [{ span: type.span, text: 'declared here' }] },
    );
  for (const [at, argument] of (type.generics ?? []).entries()) {
    const generic = model.declaration.generics[at];
    const own = generic === undefined ? undefined : value.scope.own(generic.name.text)?.value();
    const actual = own === undefined ? undefined : dimOf(own);
    if (argument.kind === 'rank-spread' || actual === undefined || generic === undefined) continue;
    const pattern = evaluateSize(matcher.context, argument, matcher.scope);
    if (pattern === undefined) return ERROR;
    const solved = solveSize(pattern, actual, (unknown) => {
      const binding = matcher.scope.lookup(unknown);
      return binding instanceof GenericBinding && binding.known !== undefined ? dimOf(binding.known) : undefined;
    });
    if (solved.kind === 'bound') {
      const binding = matcher.scope.lookup(solved.name);
      if (binding instanceof GenericBinding) binding.bind(sizeValue(solved.dim), subject.span);
    } else if (solved.kind === 'differs')
      return fail(
        matcher.context,
        'shape-mismatch',
        subject.span,
        `${subject.text} has ${generic.name.text} = ${actual}, where ${pattern.toString().replaceAll('?', '')} is declared`,
        { labels: [{ span: argument.span, text: 'declared here' }] },
      );
  }
  return value;
}
