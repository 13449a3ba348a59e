// Statements. In: a block, the names in force. Out: what the block returns, yields or ends with; what it names, assigns and summarises.
// Holds: statements take effect in the order in which they stand; a mistake in one does not hide those in the next.

import type { AssignStatement, Block, LetStatement, Span, Statement, SummaryStatement } from '../../grammar/index.js';
import { shapeEquals } from '../base/index.js';
import { typeToString } from '../graph/index.js';
import { partShape, withPart } from './assign-part.js';
import { evaluateIfStatement } from './branches.js';
import { broadcastTo } from './broadcast.js';
import { enterScope, joinPath, pathWithin, type Context } from './context.js';
import { evaluate } from './expressions/evaluate.js';
import { failUnknownName } from './expressions/names.js';
import { fittingHint } from './fitting.js';
import { cutsOf } from './indexing.js';
import { Matcher } from './match.js';
import { minimize, updateBy } from './minimize.js';
import { bindPattern, nameNode } from './patterns.js';
import { withPrecision } from './precision.js';
import { excerpt, fail } from './report.js';
import { Scope } from './scope.js';
import { bindingLabel, readAll, toTensor } from './tensors.js';
import { expectedOf, expectTensor, namesNegative, type Expected } from './types.js';
import { describe, ERROR, type Value } from './values.js';
import { readVariable } from './variables.js';

export interface Outcome {
  returned: Value | undefined;
  yielded: Value | undefined;
  /** The value of the last statement, when that is an expression. */
  last: Value | undefined;
  /** The text was incomplete: nothing can be said about what is missing. */
  failed: boolean;
}

export function evaluateBlock(context: Context, block: Block, scope: Scope, expected: Expected | undefined): Outcome {
  const outcome: Outcome = { returned: undefined, yielded: undefined, last: undefined, failed: false };
  evaluateStatements(context, block.statements, new Scope(scope), expected, outcome);
  return outcome;
}

function evaluateStatements(
  context: Context,
  statements: readonly Statement[],
  scope: Scope,
  expected: Expected | undefined,
  outcome: Outcome,
): void {
  for (const statement of statements) {
    if (outcome.returned !== undefined) {
      fail(context, 'syntax-error', statement.span, 'nothing may follow `return`: it is never reached', {
        hint: 'put `return` at the end of the block',
      });
      return;
    }
    outcome.last = undefined;
    switch (statement.kind) {
      case 'let':
        evaluateLet(context, statement, scope);
        break;
      case 'assign':
        assign(context, statement, scope);
        break;
      case 'minimize':
        minimize(context, statement, scope);
        break;
      case 'update-statement':
        updateBy(context, statement, scope);
        break;
      case 'if-statement':
        evaluateIfStatement(context, statement, scope);
        break;
      case 'precision':
        evaluateStatements(withPrecision(context, statement.dtype), statement.body.statements, scope, expected, outcome);
        break;
      case 'scope': {
        const mark = context.checker.growth.enter('scope');
        const { span } = statement.name;
        // It is a part of names, however its letters were typed.
        const name = statement.name.value.normalize();
        const inside = enterScope(context, name, { kind: 'scope', name, span });
        evaluateStatements(inside, statement.body.statements, scope, expected, outcome);
        context.checker.growth.returnTo(mark);
        break;
      }
      case 'summary':
        summarize(context, statement, scope);
        break;
      case 'return':
        if (!context.returns) {
          evaluate(context, statement.value, scope, expected);
          fail(context, 'syntax-error', statement.span, 'a loop does not return', {
            hint: 'its last expression is its value: leave out `return`',
          });
          outcome.failed = true;
        } else outcome.returned = readAll(context, evaluate(context, statement.value, scope, expected), statement.value.span);
        break;
      case 'yield':
        if (outcome.yielded !== undefined)
          fail(context, 'syntax-error', statement.span, 'the body of a `scan` yields once', {
            hint: 'several outputs are a tuple: `yield (next, (a, b))`',
          });
        outcome.yielded = evaluate(context, statement.value, scope, expected);
        break;
      case 'expression-statement':
        if (statement.expression.kind === 'missing') outcome.failed = true;
        outcome.last = evaluate(context, statement.expression, scope, expected);
        break;
    }
  }
}

function evaluateLet(context: Context, statement: LetStatement, scope: Scope): void {
  if (namesNegative(context, statement.type, scope)) {
    bindPattern(context, statement.pattern, ERROR, scope, { role: 'let', named: true });
    return;
  }
  const expected = expectedOf(context, statement.type, scope);
  let value = readAll(context, evaluate(context, statement.value, scope, expected), statement.value.span);
  if (statement.type !== null) {
    const name = statement.pattern.kind === 'name-pattern' ? `\`${statement.pattern.name}\`` : 'the value';
    value = new Matcher(context, scope).match(value, statement.type, { text: name, span: statement.value.span, isOwnType: true });
  }
  bindPattern(context, statement.pattern, value, scope, { role: 'let', named: true });
}

function assign(context: Context, statement: AssignStatement, scope: Scope): void {
  const { target } = statement;
  const text = excerpt(context, target.span, 'this');
  const part = target.kind === 'index' ? target : undefined;
  const name = part?.object ?? target;
  const isUnknown = name.kind === 'name' && scope.lookup(name.name) === undefined;
  const place = isUnknown
    ? failUnknownName(context, name, scope, `declare it at the top or in a model: \`state ${name.name}: f32 = 0\``)
    : evaluate(context, name, scope);
  // One mistake is told once: the name is taken as declared from here on.
  if (isUnknown) scope.addValue(name.name, 'let', place, name.span);
  if (place.kind !== 'variable') {
    evaluate(context, statement.value, scope);
    if (place.kind === 'error' || !mayAssign(context, statement.span, `\`${text}\` is assigned`)) return;
    const binding = name.kind === 'name' ? scope.lookup(name.name) : undefined;
    const object = excerpt(context, name.span, 'this');
    fail(context, 'not-assignable', target.span, `\`${object}\` is ${describe(place)}, and no param or state`, {
      labels:
        binding?.span === undefined ? [] : [{ span: binding.span, text: binding.role === 'parameter' ? 'an argument' : 'declared here' }],
      hint: partAssignHint(place, object) ?? 'bind a new name with `let`, or declare it as `state`',
    });
    return;
  }
  const { variable } = place;
  const { dtype } = variable.type;
  const cuts = part === undefined ? undefined : cutsOf(context, part, place, variable.type, scope);
  const shape = part === undefined ? variable.type.shape : cuts && partShape(context, cuts, variable.type.shape, target.span);
  if (shape === undefined) {
    evaluate(context, statement.value, scope);
    return;
  }
  const value = evaluate(context, statement.value, scope, expectTensor(dtype, shape));
  if (!mayAssign(context, statement.span, `\`${text}\` is assigned`)) return;
  const node = toTensor(context, value, statement.value.span, dtype);
  if (node === undefined) return;
  const literal = value.kind === 'number' || value.kind === 'boolean' || value.kind === 'size';
  if (!shapeEquals(node.type.shape, shape) && !(literal && node.type.shape.length === 0)) {
    fail(
      context,
      'shape-mismatch',
      statement.value.span,
      `\`${text}\` is ${typeToString({ ...variable.type, shape })}, and cannot become ${typeToString(node.type)}`,
      {
        labels: [
          ...(variable.span === undefined ? [] : [{ span: variable.span, text: `\`${variable.path}\` is declared here` }]),
          ...bindingLabel(value),
        ],
        hint:
          fittingHint(excerpt(context, statement.value.span, '…'), dtype, node.type.shape, shape) ??
          `a variable keeps its shape: declare it as \`${typeToString(node.type)}\`, or assign ${typeToString({ ...variable.type, shape })}`,
      },
    );
    return;
  }
  const filled = broadcastTo(context, node, shape, statement.value.span);
  const old = cuts === undefined ? undefined : readVariable(context, variable, target.span);
  const whole = cuts === undefined || filled === undefined ? filled : old && withPart(context, old, cuts, filled, statement.span);
  // A version is a node of its own: a derivative with respect to it must not reach what computes the same value.
  const version =
    whole === undefined ? undefined : nameNode(context, joinPath(pathWithin(context, variable.path), 'next'), whole, target.span, false);
  if (version === undefined) return;
  context.entry.assign(variable, version);
}

/** For what has parts that cannot change. */
function partAssignHint({ kind }: Value, text: string): string | undefined {
  if (kind === 'instance')
    return `its params are set together by a rule of your own: \`optimizer set() { update(p, g) { p <- g } }\`, then \`update ${text} with set() by …\``;
  return kind === 'list' || kind === 'tuple' || kind === 'record'
    ? 'it exists only while compiling: write a new one, or assign the variables of an instance, as `net.w <- …`'
    : undefined;
}

/** False after a diagnostic where variables cannot change. `inFunction`: what to do about it in a function that a step calls. */
export function mayAssign(context: Context, span: Span, what: string, inFunction?: string): boolean {
  if (context.region) {
    fail(context, 'assign-outside-step', span, `${what} inside a loop, whose body is pure`, {
      hint: 'carry the value through the loop, and assign it afterwards',
    });
    return false;
  }
  if (context.assigns) return true;
  if (context.pure !== undefined) {
    fail(context, 'assign-outside-step', span, `${what} inside ${context.pure}, which is a value alone`, {
      hint: 'do it in a statement of the step',
    });
    return false;
  }
  const inStep = context.entry.kind === 'step' && context.frame !== undefined;
  fail(context, 'assign-outside-step', span, `${what} outside of a step`, {
    hint: inStep
      ? inFunction !== undefined
        ? inFunction
        : context.self === undefined
          ? 'a function is pure: return the new value, and assign it in the step'
          : `a \`fn\` is pure: declare it as \`step ${context.frame?.name.split('.').at(1) ?? 'call'}\`, which other steps may call`
      : 'functions are pure: declare the entry with `export step` instead of `export fn`',
  });
  return false;
}

function summarize(context: Context, statement: SummaryStatement, scope: Scope): void {
  const value = evaluate(context, statement.value, scope);
  const node = toTensor(context, value, statement.value.span);
  if (node === undefined) return;
  if (context.body !== undefined) {
    fail(context, 'unsupported-feature', statement.span, 'a summary inside of index notation, whose body is a scalar for each index', {
      hint: 'summarise the whole tensor',
    });
    return;
  }
  if (context.region) {
    fail(context, 'unsupported-feature', statement.span, 'a summary inside a loop is not recorded yet', {
      hint: 'stack the values with `scan`, and summarise the result',
    });
    return;
  }
  if (context.conditional) {
    fail(
      context,
      'unsupported-feature',
      statement.span,
      'a summary in a branch is not recorded yet: it would stand for no value in other steps',
      {
        hint: 'summarise behind the `if`',
      },
    );
    return;
  }
  if (statement.summary === 'scalar' && node.type.shape.length > 0) {
    fail(context, 'shape-mismatch', statement.value.span, `a scalar summary takes one number, and this is ${typeToString(node.type)}`, {
      hint: 'take its mean, or write `summary histogram`',
    });
    return;
  }
  if (context.entry.summaries.some((one) => one.name === statement.name.value)) {
    fail(context, 'duplicate-name', statement.name.span, `there is a summary \`${statement.name.value}\` already`, {
      hint: `choose another name, e.g. \`${statement.name.value}2\``,
    });
    return;
  }
  context.entry.summaries.push({ kind: statement.summary, name: statement.name.value, node });
}
