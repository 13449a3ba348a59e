// What nothing calls is checked too. In: functions, models and optimizers that no entry reached. Out: diagnostics of mistakes that no
// instantiation could avoid.
// Holds: generics stand for free sizes; whatever depends on facts that a call would bring is not reported.

import type {
  Declaration,
  FnDeclaration,
  ModelDeclaration,
  OptimizerDeclaration,
  Parameter,
  StepDeclaration,
} from '../../grammar/index.js';
import { Dim, type DiagnosticCode } from '../base/index.js';
import { tensor } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import { EntryState, type Checker, type Context, type Module, outermost } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { evaluateFact } from './facts.js';
import { functionResult } from './functions.js';
import { bindDefaults, declareGenerics } from './generics.js';
import { Matcher } from './match.js';
import { buildInstance, modelValue } from './models.js';
import { fail } from './report.js';
import { GenericBinding, Scope } from './scope.js';
import { evaluateBlock } from './statements.js';
import { dtypeNamed, expectedOf, isCompileTimeType, tensorTypeOf } from './types.js';
import { ERROR, sizeValue, tensorValue, type InstanceValue, type OptimizerValue, type Value } from './values.js';
import { addSlot } from './optimizers.js';

/** Mistakes that depend on the sizes of a call. */
const dependsOnCall: ReadonlySet<DiagnosticCode> = new Set([
  'ambiguous-size',
  'unsatisfied-fact',
  'not-constant',
  'invalid-value',
  'index-out-of-range',
  'nothing-to-minimize',
  'recursive-call',
]);
/** With an open rank even shapes depend on it. */
const dependsOnRank: ReadonlySet<DiagnosticCode> = new Set([
  ...dependsOnCall,
  'shape-mismatch',
  'type-mismatch',
  'dtype-mismatch',
  'unknown-member',
  'unsupported-feature',
]);

/** Checks every declaration of the module that was not evaluated yet. */
export function checkUnused(checker: Checker, module: Module): void {
  for (const declaration of module.program.declarations) {
    if (declaration.kind === 'fn' && !checker.visited.has(declaration))
      checkFunction(checker, module, declaration, module.scope, undefined);
    else if (declaration.kind === 'model') checkModel(checker, module, declaration);
    else if (declaration.kind === 'optimizer' && !checker.visited.has(declaration)) checkOptimizer(checker, module, declaration);
  }
}

const dryContext = (checker: Checker, module: Module, name: string, kind: 'fn' | 'step' = 'fn'): Context =>
  outermost(checker, module, new EntryState(kind, name, true));

function checkFunction(
  checker: Checker,
  module: Module,
  declaration: FnDeclaration | StepDeclaration,
  scope: Scope,
  self: InstanceValue | undefined,
): void {
  const open = declaration.generics.some((generic) => generic.variadic || generic.bound !== null);
  checker.visited.add(declaration);
  checker.reporter.only(
    (code) => !(open ? dependsOnRank : dependsOnCall).has(code),
    () => {
      const context = { ...dryContext(checker, module, declaration.name.text, declaration.kind), self };
      const inside = new Scope(scope);
      if (!standIns(context, declaration, inside)) return;
      for (const written of declaration.facts) {
        const fact = evaluateFact(context, written, inside);
        if (fact !== undefined) context.entry.facts.push(fact);
      }
      checker.growth.within('declaration', context, declaration.name.span, `\`${declaration.name.text}\``, () =>
        functionResult(context, declaration, inside),
      );
    },
  );
}

/** Generics as free sizes, parameters as feeds; false when a parameter's type has a mistake. */
function standIns(context: Context, declaration: FnDeclaration | StepDeclaration | ModelDeclaration, scope: Scope): boolean {
  for (const binding of declareGenerics(context, declaration.generics, scope)) {
    const isDType =
      binding.sort === 'dtype' ||
      declaration.parameters.some((parameter) => parameter.type.kind === 'named-type' && parameter.type.name.text === binding.name);
    if (isDType && binding.initial !== undefined) bindDefaults(context, [binding], scope, declaration.name.text);
    else if (binding.sort === 'pack')
      binding.bind({ kind: 'pack', shape: [Dim.of(`${binding.name}_0`), Dim.of(`${binding.name}_1`)] }, binding.span);
    else if (isDType) binding.bind({ kind: 'dtype', dtype: binding.family === 'integer' ? 'i32' : 'f32' }, binding.span);
    else binding.bind(sizeValue(Dim.of(binding.name)), binding.span);
  }
  let fine = true;
  for (const parameter of declaration.parameters) {
    const known = scope.own(parameter.name.text);
    if (known !== undefined && !(known instanceof GenericBinding)) {
      fail(context, 'duplicate-name', parameter.name.span, `there are two parameters \`${parameter.name.text}\``, {
        hint: `choose another name, e.g. \`${parameter.name.text}2\``,
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
      });
      continue;
    }
    const value = standIn(context, parameter, scope);
    if (value === undefined) fine = false;
    scope.addValue(parameter.name.text, 'parameter', value ?? ERROR, parameter.name.span, parameter.type, scope);
  }
  return fine;
}

/** A value of the declared type: a feed for a tensor; `error` where nothing stands for the value. Undefined after a diagnostic. */
function standIn(context: Context, parameter: Parameter, scope: Scope): Value | undefined {
  const { type } = parameter;
  if (parameter.initial !== null) {
    const initial = evaluate(context, parameter.initial, scope, expectedOf(context, type, scope));
    new Matcher(context, scope).match(initial, type, { text: `the default of \`${parameter.name.text}\``, span: parameter.initial.span });
    if (type.kind === 'named-type' && isCompileTimeType(type.name.text)) return initial;
  }
  if (type.kind !== 'named-type') return ERROR;
  // A function of that name, as `any` is one, takes no type its name.
  const named = scope.lookup(type.name.text)?.value().kind;
  if (isCompileTimeType(type.name.text) && (named === undefined || named === 'builtin' || named === 'function')) return ERROR;
  if (dtypeNamed(type.name.text, scope) === undefined && scope.lookup(type.name.text)?.value().kind === 'model') return ERROR;
  const written = tensorTypeOf(context, type, scope, `\`${parameter.name.text}\``);
  const node =
    written === undefined
      ? undefined
      : applyTensor(context, ops.feed, [], { name: parameter.name.text, dtype: written.dtype, shape: written.shape }, parameter.span);
  return node === undefined ? undefined : tensorValue(node);
}

function checkModel(checker: Checker, module: Module, declaration: ModelDeclaration): void {
  const methods = declaration.members.filter(
    (member): member is FnDeclaration | StepDeclaration => member.kind === 'fn' || member.kind === 'step',
  );
  const fresh = !checker.visited.has(declaration);
  if (!fresh && methods.every((method) => checker.visited.has(method))) return;
  checker.visited.add(declaration);
  const open = declaration.generics.some((generic) => generic.variadic || generic.bound !== null);
  checker.reporter.only(
    (code) => (fresh ? !(open ? dependsOnRank : dependsOnCall).has(code) : false),
    () => {
      const scope = new Scope(module.scope);
      const context = dryContext(checker, module, declaration.name.text);
      if (!standIns(context, declaration, scope)) return;
      const instance = checker.growth.within('declaration', context, declaration.name.span, `\`${declaration.name.text}\``, () =>
        buildInstance(context, modelValue(declaration, module), declaration.name.text, scope),
      );
      checker.reporter.only(
        (code) => !(open ? dependsOnRank : dependsOnCall).has(code),
        () => {
          for (const method of methods) if (!checker.visited.has(method)) checkFunction(checker, module, method, scope, instance);
        },
      );
    },
  );
}

/** An optimizer is checked with a param of type f32[N]. */
function checkOptimizer(checker: Checker, module: Module, declaration: OptimizerDeclaration): void {
  checker.visited.add(declaration satisfies Declaration);
  checker.reporter.only(
    (code) => !dependsOnCall.has(code),
    () => {
      const context: Context = { ...dryContext(checker, module, declaration.name.text), assigns: true };
      const scope = new Scope(module.scope);
      for (const parameter of declaration.parameters) {
        if (scope.own(parameter.name.text) !== undefined)
          fail(context, 'duplicate-name', parameter.name.span, `there are two parameters \`${parameter.name.text}\``, {
            hint: `choose another name, e.g. \`${parameter.name.text}2\``,
          });
        else
          scope.addValue(
            parameter.name.text,
            'parameter',
            standIn(context, parameter, scope) ?? ERROR,
            parameter.name.span,
            parameter.type,
            scope,
          );
      }
      const type = tensor('f32', [Dim.of('N')]);
      const optimizer: OptimizerValue = { kind: 'optimizer', declaration, module, scope };
      for (const state of declaration.states) if (addSlot(context, optimizer, state, type, scope) === false) return;
      const { parameter, gradient, body } = declaration.update;
      const param = checker.variables.create(context, parameter.text, type, 'param', parameter.span, undefined);
      const g = applyTensor(context, ops.feed, [], { name: gradient.text, dtype: 'f32', shape: type.shape }, gradient.span);
      scope.addValue(
        parameter.text,
        'parameter',
        param === undefined ? ERROR : { kind: 'variable', variable: param, binding: undefined },
        parameter.span,
      );
      scope.addValue(gradient.text, 'parameter', g === undefined ? ERROR : tensorValue(g), gradient.span);
      evaluateBlock(context, body, scope, undefined);
    },
  );
}
