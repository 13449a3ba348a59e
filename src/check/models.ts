// Instances of models. In: a call of a model, at top level or in another model. Out: an instance that owns its variables, at its path.
// Holds: generics, parameters and members are names inside; an instance or variable that is passed is shared, one that is made is owned.

import type { FnDeclaration, ModelDeclaration, ParamDeclaration, StateDeclaration } from '../../grammar/index.js';
import { assignArguments } from './arguments.js';
import type { Call } from './calls.js';
import { joinPath, type Context, type Module } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { demandFacts } from './facts.js';
import { pushFrame } from './functions.js';
import { bindDefaults, bindGenerics, declareGenerics, demandGenerics } from './generics.js';
import { initialize } from './initializers.js';
import { Matcher } from './match.js';
import { fail } from './report.js';
import { Scope } from './scope.js';
import { expectedOf, tensorTypeOf } from './types.js';
import { ERROR, type FunctionValue, type InstanceValue, type ModelValue, type Value } from './values.js';
import { instanceExample } from './ways-out.js';

export function instantiate(call: Call, model: ModelValue): Value {
  const { context } = call;
  const { declaration, module } = model;
  const name = declaration.name.text;
  context.checker.visited.add(declaration);
  // An instance is a call, and its scope, names and variables besides.
  context.checker.growth.spend(20);
  const path = context.instancePath;
  if (path === undefined) {
    for (const argument of call.passed) argument.value();
    return fail(
      context,
      'unsupported-feature',
      call.site,
      `an instance of ${name} is made inside an expression, where it has no name for its variables`,
      { hint: `declare it at top level or in a model: ${instanceExample(name, declaration.generics)}` },
    );
  }
  const needed = declaration.generics.filter((generic) => generic.initial === null);
  const sizesHint = `sizes go in angle brackets: \`${name}<${needed.map((generic) => generic.name.text).join(', ')}>(…)\``;
  const assigned = assignArguments(
    context,
    call.passed,
    declaration.parameters.map((parameter) => ({ name: parameter.name.text, optional: parameter.initial !== null })),
    name,
    call.site,
    declaration.name.span,
    call.generics === null && needed.length > 0 ? sizesHint : undefined,
  );
  const frame = pushFrame(context, declaration, undefined, name, call.site, context.frame);
  if (assigned === undefined || frame === undefined) return ERROR;
  const scope = new Scope(model.scope);
  const bindings = declareGenerics(context, declaration.generics, scope);
  if (call.generics !== null && !bindGenerics(context, bindings, call.generics, call.scope, name, call.site, declaration.name.span))
    return ERROR;
  const inside: Context = {
    ...context,
    module,
    frame,
    self: undefined,
    path: '',
    site: module.std ? (context.module.std ? context.site : call.site) : undefined,
    assigns: false,
    instancePath: undefined,
  };
  const matcher = new Matcher(context, scope);
  let failed = false;
  const given = declaration.parameters.map((parameter) => {
    const passed = assigned.get(parameter.name.text);
    const value = passed?.value(expectedOf(context, parameter.type, scope), joinPath(path, parameter.name.text));
    if (value?.kind === 'error') failed = true;
    return passed === undefined || value === undefined ? undefined : { value, span: passed.span };
  });
  if (failed) return ERROR;
  const values: (Value | undefined)[] = given.map(() => undefined);
  const matchAll = (literals: boolean): void => {
    for (const [at, parameter] of declaration.parameters.entries()) {
      const one = given[at];
      if (one === undefined || (one.value.kind === 'number' && one.value.dtype === undefined) !== literals) continue;
      const text = `argument \`${parameter.name.text}\` of \`${name}\``;
      const matched = matcher.match(one.value, parameter.type, { text, span: one.span });
      if (matched.kind === 'error') failed = true;
      values[at] = matched;
    }
  };
  // What has a dtype of its own says what literals beside it become, and then the default.
  matchAll(false);
  if (failed || !bindDefaults(inside, bindings, scope, name, 'dtypes')) return ERROR;
  matchAll(true);
  if (failed || !matcher.finish() || !bindDefaults(inside, bindings, scope, name)) return ERROR;
  for (const [at, parameter] of declaration.parameters.entries()) {
    let value = values[at];
    if (value === undefined && parameter.initial !== null) {
      const initial = evaluate(
        { ...inside, instancePath: joinPath(path, parameter.name.text) },
        parameter.initial,
        scope,
        expectedOf(inside, parameter.type, scope),
      );
      value = new Matcher(inside, scope).match(initial, parameter.type, {
        text: `the default of \`${parameter.name.text}\``,
        span: parameter.initial.span,
      });
    }
    scope.addValue(parameter.name.text, 'parameter', value ?? ERROR, parameter.name.span, parameter.type, scope);
  }
  if (!demandGenerics(inside, bindings, scope, name, call.site, sizesHint)) return ERROR;
  if (!demandFacts(context, declaration.facts, scope, name, call.site)) return ERROR;
  return context.checker.growth.within('instance', context, call.site, `the instance of \`${name}\``, () =>
    buildInstance(inside, model, path, scope),
  );
}

/** The members of an instance whose generics and parameters are known. */
export function buildInstance(context: Context, model: ModelValue, path: string, scope: Scope): InstanceValue {
  const { declaration, module } = model;
  const members: string[] = [];
  const instance: InstanceValue = { kind: 'instance', model, path, scope, members };
  const inside: Context = { ...context, self: instance };
  // Functions first: an initializer may call one that stands below it.
  for (const member of declaration.members) {
    if ((member.kind !== 'fn' && member.kind !== 'step') || !claim(inside, scope, member.name, declaration)) continue;
    const value: FunctionValue = { kind: 'function', declaration: member, module, scope, self: instance };
    scope.addValue(member.name.text, 'member', value, member.name.span);
    members.push(member.name.text);
  }
  for (const member of declaration.members) {
    if (member.kind === 'fn' || member.kind === 'step' || !claim(inside, scope, member.name, declaration)) continue;
    const { text, span } = member.name;
    const own = joinPath(path, text);
    members.push(text);
    if (member.kind === 'binding') {
      const value = evaluate({ ...inside, instancePath: own }, member.value, scope);
      scope.addValue(text, 'member', value, span);
    } else scope.addValue(text, 'member', createVariable(inside, member, own, scope), span, member.type ?? undefined, scope);
  }
  return instance;
}

function claim(context: Context, scope: Scope, name: FnDeclaration['name'], declaration: ModelDeclaration): boolean {
  const known = scope.own(name.text);
  if (known === undefined) return true;
  fail(context, 'duplicate-name', name.span, `\`${name.text}\` is declared twice in ${declaration.name.text}`, {
    hint: `choose another name, e.g. \`${name.text}2\``,
    labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
  });
  return false;
}

/** A param or state with its initial value. */
export function createVariable(context: Context, declaration: ParamDeclaration | StateDeclaration, path: string, scope: Scope): Value {
  const what = `\`${declaration.name.text}\``;
  if (declaration.type === null)
    return fail(context, 'missing-argument', declaration.span, `${what} has no type`, {
      hint: `e.g. \`${declaration.kind} ${declaration.name.text}: f32 = 0\``,
    });
  const type = tensorTypeOf(context, declaration.type, scope, what);
  if (type === undefined) return ERROR;
  if (!context.entry.dry) {
    const open = type.shape.find((dim) => dim.constant === undefined);
    if (open !== undefined)
      return fail(context, 'not-constant', declaration.type.span, `the size ${open} of ${what} is not known when compiling`, {
        hint: 'the sizes of variables are constants: declare `dim`',
      });
  }
  const variable = context.checker.variables.create(
    context,
    path,
    type,
    declaration.kind,
    declaration.name.span,
    declaration.doc ?? undefined,
  );
  if (variable === undefined) return ERROR;
  if (declaration.initial !== null) initialize(context, variable, declaration.initial, scope);
  return { kind: 'variable', variable, binding: undefined };
}

export const modelValue = (declaration: ModelDeclaration, module: Module): ModelValue => ({
  kind: 'model',
  declaration,
  module,
  scope: module.scope,
});
