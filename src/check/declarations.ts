// Declarations of a module as names. In: a declaration. Out: a binding that evaluates it when it is first asked for.
// Holds: it is evaluated once; a declaration that needs its own value is a mistake.

import type { ConstDeclaration, Declaration, DimDeclaration, ImportDeclaration, TypeExpression } from '../../grammar/index.js';
import { joinPath, type Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { Matcher } from './match.js';
import { createVariable, modelValue } from './models.js';
import { fail } from './report.js';
import type { Binding } from './scope.js';
import { evaluateSize, failNegative } from './sizes.js';
import { expectedOf, namesNegative } from './types.js';
import { ERROR, number, type Value } from './values.js';

export function bindDeclaration(context: Context, declaration: Exclude<Declaration, ImportDeclaration>): Binding {
  const { text: name, span } = declaration.name;
  let state: Value | 'new' | 'running' = 'new';
  return {
    name,
    role: 'declaration',
    span,
    type: declaredType(declaration),
    typeScope: context.module.scope,
    value() {
      if (state === 'running')
        return fail(context, 'recursive-call', span, `\`${name}\` is declared by its own value`, {
          hint: 'let one of the declarations stand by itself',
        });
      if (state !== 'new') return state;
      state = 'running';
      state = context.checker.growth.within('declaration', context, span, `\`${name}\``, () => evaluateDeclaration(context, declaration));
      return state;
    },
  };
}

function declaredType(declaration: Declaration): TypeExpression | undefined {
  return declaration.kind === 'param' || declaration.kind === 'state' ? (declaration.type ?? undefined) : undefined;
}

function evaluateDeclaration(context: Context, declaration: Exclude<Declaration, ImportDeclaration>): Value {
  const { module } = context;
  const { scope } = module;
  const path = joinPath(module.prefix, declaration.name.text);
  switch (declaration.kind) {
    case 'const':
      return constant(context, declaration);
    case 'dim':
      return dimension(context, declaration);
    case 'param':
    case 'state':
      return createVariable(context, declaration, path, scope);
    case 'fn':
    case 'step':
      return { kind: 'function', declaration, module, scope, self: undefined };
    case 'model':
      return modelValue(declaration, module);
    case 'optimizer':
      return { kind: 'optimizer', declaration, module, scope };
    case 'binding':
      return evaluate({ ...context, instancePath: path }, declaration.value, scope);
  }
}

function constant(context: Context, declaration: ConstDeclaration): Value {
  const { scope } = context.module;
  if (namesNegative(context, declaration.type, scope)) return ERROR;
  const value = evaluate(context, declaration.value, scope, expectedOf(context, declaration.type, scope));
  if (declaration.type === null) return value;
  return new Matcher(context, scope).match(value, declaration.type, { text: `\`${declaration.name.text}\``, span: declaration.value.span });
}

/** A named size: what was set from outside, else what is written. */
function dimension(context: Context, declaration: DimDeclaration): Value {
  const { text } = declaration.name;
  const set = context.module.std ? undefined : context.checker.set.get(text);
  if (set !== undefined) {
    if (Number.isSafeInteger(set) && set >= 0) return number(set, true);
    return fail(context, 'invalid-value', declaration.name.span, `\`${text}\` is set to ${set}, and a size is a whole number from 0 up`, {
      hint: `e.g. \`--set ${text}=3\``,
    });
  }
  const dim = evaluateSize(context, declaration.value, context.module.scope);
  if (dim === undefined) return ERROR;
  const size = dim.constant;
  if (size === undefined)
    return fail(context, 'not-constant', declaration.value.span, `\`${text}\` must be a known size, and is ${dim}`, {
      hint: 'use an integer or another `dim`; sizes that are fed are generics',
    });
  if (size < 0) {
    failNegative(context, declaration.value.span, size);
    return ERROR;
  }
  return number(size, true);
}
