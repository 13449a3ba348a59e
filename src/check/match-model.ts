// Instances against the type `Dense<In, Out>`. In: a value, the model that is declared. Out: the instance, with the generics of the type
// found in it.

import type { NamedType, SizeName } from '../../grammar/index.js';
import type { DType } from '../base/index.js';
import type { Matcher, Subject } from './match.js';
import { fail } from './report.js';
import { fitsBound, GenericBinding } from './scope.js';
import { evaluateSize, solveSize } from './sizes.js';
import { dtypeNamed, typeText } from './types.js';
import { describe, dimOf, ERROR, sizeValue, type ModelValue, type Value } from './values.js';

/** Finds a dtype generic of the type, or compares; false after a diagnostic. */
function matchDType({ context, scope }: Matcher, actual: DType, argument: SizeName, subject: Subject, name: string): boolean {
  const declared = dtypeNamed(argument.name, scope);
  if (declared instanceof GenericBinding && fitsBound(actual, declared.family)) {
    declared.bind({ kind: 'dtype', dtype: actual }, subject.span);
    return true;
  }
  if (declared === actual) return true;
  const labels = [{ span: argument.span, text: 'declared here' }];
  fail(context, 'dtype-mismatch', subject.span, `${subject.text} has ${name} = ${actual}, where ${argument.name} is declared`, {
    labels,
    hint: `pass one with ${name} = ${argument.name}`,
  });
  return false;
}

/** The instance itself; an error after a diagnostic. A type without `<…>` takes any instance of the model. */
export function matchModel(matcher: Matcher, value: Value, model: ModelValue, type: NamedType, subject: Subject): Value {
  const name = model.declaration.name.text;
  if (value.kind !== 'instance' || value.model.declaration !== model.declaration)
    return fail(
      matcher.context,
      'type-mismatch',
      subject.span,
      `${subject.text} is ${describe(value)}, where an instance of ${name} is declared`,
      { labels: [{ span: type.span, text: 'declared here' }], hint: `pass an instance: \`${typeText(matcher.context, type)}(…)\`` },
    );
  for (const [at, argument] of (type.generics ?? []).entries()) {
    const generic = model.declaration.generics[at];
    const own = generic === undefined ? undefined : value.scope.own(generic.name.text)?.value();
    if (own?.kind === 'dtype' && argument.kind === 'size-name') {
      if (!matchDType(matcher, own.dtype, argument, subject, generic?.name.text ?? '')) return ERROR;
      continue;
    }
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
        {
          labels: [{ span: argument.span, text: 'declared here' }],
          hint: `pass one with ${generic.name.text} = ${pattern.toString().replaceAll('?', '')}, or declare ${actual}`,
        },
      );
  }
  return value;
}
