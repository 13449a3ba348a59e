// Names, members and number literals. In: a name, the scope. Out: what it stands for, with the place of its declaration for messages.

import type { MemberExpression, NameExpression, NumberExpression } from '../../../grammar/index.js';
import { Fraction, limits } from '../../base/index.js';
import type { Context } from '../context.js';
import { refuseWhole } from '../index-notation/body.js';
import { wholeTensors } from '../index-notation/space.js';
import { foreignPrefix, memberHint, nameHint, unprefixed } from '../known-names.js';
import { membersOf } from '../members.js';
import { boundNearby, type Nearby } from '../names-nearby.js';
import { nobody } from '../patterns.js';
import { excerpt, fail, warn } from '../report.js';
import { GenericBinding, type Binding, type Scope } from '../scope.js';
import { sizesToValues } from '../sizes.js';
import { suggestion } from '../spelling.js';
import { describe, ERROR, list, number, type Value } from '../values.js';
import { instanceExample } from '../ways-out.js';
import { evaluate } from './evaluate.js';

export function evaluateNumber(context: Context, expression: NumberExpression): Value {
  const { text, value, integer, span } = expression;
  if (integer && !Number.isFinite(value))
    return fail(context, 'too-large', span, `an integer of more than ${limits.integerBits} bits`, { hint: 'no dtype holds it' });
  const shown = text.length > 32 ? `${text.slice(0, 32)}…` : text;
  if (!integer && value === Infinity)
    warn(context, 'literal-overflow', span, `${shown} is more than any dtype holds: it becomes Infinity`, {
      hint: 'where infinity is meant, write `1.0 / 0.0`',
    });
  if (!integer && value === 0 && /[1-9]/.test(text.replace(/e.*/i, '')))
    warn(context, 'literal-underflow', span, `${shown} is less than any dtype holds: it becomes 0`, {
      hint: 'where 0 is meant, write `0.0`',
    });
  return number(value, integer, undefined, integer && Number.isSafeInteger(value) ? undefined : literalOf(expression));
}

const literals = new WeakMap<NumberExpression, { readonly exact: Fraction | undefined }>();

/** What a literal is exactly: it is read once, however often it is evaluated. What f64 does not hold at all is as f64 has it. */
function literalOf(expression: NumberExpression): Fraction | undefined {
  const { text, value, integer } = expression;
  const known = literals.get(expression);
  if (known !== undefined) return known.exact;
  const isHeld = integer || (Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(text.replace(/e.*/i, ''))));
  const exact = isHeld ? Fraction.parse(text) : undefined;
  literals.set(expression, { exact });
  return exact;
}

export function evaluateName(context: Context, expression: NameExpression, scope: Scope): Value {
  const binding = scope.lookup(expression.name);
  if (binding === undefined) {
    return failUnknownName(context, expression, scope);
  }
  if (binding instanceof GenericBinding && binding.known === undefined) {
    return fail(context, 'ambiguous-size', expression.span, `nothing determines \`${expression.name}\``, {
      labels: binding.span === undefined ? [] : [{ span: binding.span, text: 'declared here' }],
      hint: 'pass it in angle brackets, or let an argument have it in its type',
    });
  }
  return refuseWhole(context, valueOf(binding), expression.span);
}

/** `hint`: what to do about a name that is known nowhere. */
export function failUnknownName(context: Context, { name, span }: NameExpression, scope: Scope, hint?: string): Value {
  const nearby = (): Nearby | undefined => boundNearby(context, name, span);
  return fail(context, 'unknown-name', span, `nothing is called \`${name}\` here`, {
    labels: () => nearby()?.labels ?? [],
    hint: () =>
      (name === nobody ? 'it stands for a part that nobody reads: give that a name' : undefined) ??
      nearby()?.hint ??
      nameHint(name, scope) ??
      hint,
  });
}

/** The value of a binding, which remembers the name under which it was read. */
export function valueOf(binding: Binding): Value {
  const value = binding.value();
  switch (value.kind) {
    case 'tensor':
    case 'variable':
      // Inside a call the parameter's declaration tells more than that of the variable behind it.
      return binding.role === 'builtin' ? value : { ...value, binding };
    case 'pack':
      return list(sizesToValues(value.shape));
    default:
      return value;
  }
}

export function evaluateMember(context: Context, expression: MemberExpression, scope: Scope): Value {
  const name = expression.member.text;
  const prefix = foreignPrefix(expression.object, scope);
  if (prefix?.kind === 'name')
    return fail(context, 'unknown-name', prefix.span, `nothing is called \`${prefix.name}\` here`, { hint: () => unprefixed(name, scope) });
  const object = evaluate(wholeTensors(context), expression.object, scope);
  const text = excerpt(context, expression.object.span, 'this');
  const unknown = (members: Iterable<string>, hint?: string): Value => {
    const known = [...members];
    return fail(context, 'unknown-member', expression.member.span, `\`${text}\` is ${describe(object)}, and has no member \`${name}\``, {
      hint: () =>
        hint ??
        memberHint(name, object, text, scope) ??
        suggestion(name, known) ??
        (known.length > 0 && known.length <= 8 ? `its members are ${known.map((one) => `\`${one}\``).join(', ')}` : undefined),
    });
  };
  switch (object.kind) {
    case 'error':
      return ERROR;
    case 'record': {
      const field = object.fields.get(name);
      return field === undefined ? unknown(object.fields.keys()) : refuseWhole(context, field, expression.span);
    }
    case 'instance': {
      // What is not trained in a way of its own is trained as it is called: composite layers need not ask.
      const own = name === 'train' && !object.members.includes(name) && object.members.includes('call') ? 'call' : name;
      const binding = object.members.includes(own) ? object.scope.own(own) : undefined;
      return binding === undefined ? unknown(object.members) : refuseWhole(context, valueOf(binding), expression.span);
    }
    case 'tuple':
      return unknown([], 'take a tuple apart with `let (a, b) = …`, or index it: `[0]`');
    case 'model':
      return unknown(
        [],
        `its members are those of an instance: ${instanceExample(object.declaration.name.text, object.declaration.generics)}`,
      );
    default: {
      const members = membersOf(object);
      const member = members.find((one) => one.name === name);
      if (member !== undefined) return member.value(object);
      return unknown(
        members.map((one) => one.name),
        object.kind === 'list' ? 'a list is written at once: `[a, b]`, `[f(x) for x in list]`; of it there is `length`' : undefined,
      );
    }
  }
}
