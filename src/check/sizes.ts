// Sizes as they are written. In: size expressions and the names in force. Out: polynomials.
// Holds: a generic that is not known yet stands in the polynomial as `?Name`, so that it cannot be mistaken for a free size of the entry.

import type { SizeElement, SizeExpression, Span } from '../../grammar/index.js';
import { Dim, TooLarge } from '../base/index.js';
import type { Context } from './context.js';
import { nothings } from './foreign-names.js';
import { parameterNearby } from './names-nearby.js';
import { excerpt, fail } from './report.js';
import { GenericBinding, type Scope } from './scope.js';
import { suggestion } from './spelling.js';
import { describe, dimOf, sizeValue, type Value } from './values.js';

const unknownSize = (name: string): string => `?${name}`;
export const isUnknown = (name: string): boolean => name.startsWith('?');
export const unknownsIn = (dim: Dim): string[] => [...dim.names].filter(isUnknown);

/** The polynomial behind a size expression; undefined after a diagnostic. */
export function evaluateSize(context: Context, expression: SizeExpression, scope: Scope): Dim | undefined {
  return exactly(context, expression.span, () => sizeOf(context, expression, scope));
}

/** Runs arithmetic on sizes; undefined after a diagnostic when one of them leaves what can be computed exactly. */
export function exactly<T>(context: Context, span: Span, compute: () => T): T | undefined {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof TooLarge) || error.of !== 'size') throw error;
    fail(context, 'too-large', span, error.message);
    return undefined;
  }
}

function sizeOf(context: Context, expression: SizeExpression, scope: Scope): Dim | undefined {
  switch (expression.kind) {
    case 'size-literal':
      return Dim.of(expression.value);
    case 'size-name':
      return sizeNamed(context, expression.name, expression.span, scope);
    case 'size-element':
      return elementSize(context, expression, scope);
    case 'size-negation': {
      const operand = sizeOf(context, expression.operand, scope);
      return operand?.mul(-1);
    }
    case 'size-binary': {
      const left = sizeOf(context, expression.left, scope);
      const right = sizeOf(context, expression.right, scope);
      if (left === undefined || right === undefined) return undefined;
      switch (expression.operator) {
        case '+':
          return left.add(right);
        case '-':
          return left.sub(right);
        case '*':
          return product(context, left, right);
        case '/':
          return divide(context, left, right, expression.span);
        case '%':
          return remainder(context, left, right, expression.span);
        case '**':
          return power(context, left, right, expression.right.span);
      }
      break;
    }
    case 'missing-size':
      return undefined;
  }
  return undefined;
}

/** `sizes[i]`, whose index is known when compiling; a negative one counts from the end. */
function elementSize(context: Context, element: SizeElement, scope: Scope): Dim | undefined {
  const value = elementValue(context, element, scope);
  if (value === undefined) return undefined;
  const dim = dimOf(value);
  if (dim === undefined && value.kind !== 'error')
    fail(context, 'type-mismatch', element.span, `this is ${describe(value)}, and no size`, { hint: sizeHint(value) });
  return dim;
}

function elementValue(context: Context, { list, index, span }: SizeElement, scope: Scope): Value | undefined {
  const binding = list.kind === 'size-name' ? scope.lookup(list.name) : undefined;
  if (list.kind === 'size-name' && binding === undefined) {
    fail(context, 'unknown-name', list.span, `no list of sizes is called \`${list.name}\` here`, {
      hint: () => suggestion(list.name, scope.visible()) ?? `declare it: \`const ${list.name} = […]\``,
    });
    return undefined;
  }
  const value = list.kind === 'size-name' ? binding?.value() : elementValue(context, list, scope);
  if (value === undefined || value.kind === 'error') return undefined;
  const items =
    value.kind === 'pack' ? sizesToValues(value.shape) : value.kind === 'list' || value.kind === 'tuple' ? value.items : undefined;
  if (items === undefined) {
    fail(context, 'type-mismatch', list.span, `this is ${describe(value)}, where a list of sizes is expected`, {
      hint: 'e.g. `const widths = [784, 300, 10]`',
      labels: binding?.span === undefined ? [] : [{ span: binding.span, text: 'declared here' }],
    });
    return undefined;
  }
  const at = sizeOf(context, index, scope);
  if (at === undefined) return undefined;
  if (at.constant === undefined) {
    fail(context, 'not-constant', index.span, `the position in a list is known when compiling, and ${at} is not`, {
      hint: 'use an integer, a `dim` or a known generic, `<K: int>`',
    });
    return undefined;
  }
  const item = items.at(at.constant);
  if (item === undefined)
    fail(context, 'invalid-value', span, `there is no element ${at} in a list of ${items.length}`, { hint: lastItem(items.length) });
  return item;
}

/** For sizes that others leave open. */
export const freeSizeHint = 'a size that callers choose is a generic: `fn f<B>(x: f32[B, 3])`';

function sizeNamed(context: Context, name: string, span: Span, scope: Scope): Dim | undefined {
  const binding = scope.lookup(name);
  if (binding === undefined) {
    const parameter = (): Span | undefined => parameterNearby(context, name, span);
    fail(context, 'unknown-name', span, `no size is called \`${name}\` here`, {
      labels: () => {
        const argument = parameter();
        return argument === undefined ? [] : [{ span: argument, text: `\`${name}\` is an argument` }];
      },
      hint: () => {
        if (parameter() !== undefined) return fedHint;
        if (nothings.has(name)) return freeSizeHint;
        return suggestion(name, sizesIn(scope)) ?? `declare it: \`dim ${name} = …\`, or as a generic: \`<${name}>\``;
      },
    });
    return undefined;
  }
  if (binding instanceof GenericBinding && binding.known === undefined) {
    if (binding.sort !== 'pack' && binding.sort !== 'dtype') return Dim.of(unknownSize(name));
    fail(
      context,
      'type-mismatch',
      span,
      `\`${name}\` is no size, but ${binding.sort === 'pack' ? 'a list of sizes' : 'a dtype'}`,
      binding.sort === 'pack' ? { hint: `write \`...${name}\`` } : {},
    );
    return undefined;
  }
  const value = binding.value();
  if (value.kind === 'error') return undefined;
  const dim = dimOf(value);
  if (dim === undefined) {
    const labels = binding.span === undefined ? [] : [{ span: binding.span, text: `\`${name}\` is declared here` }];
    if (binding instanceof GenericBinding && binding.bound !== undefined && value.kind === 'dtype')
      fail(context, 'type-mismatch', binding.bound, `\`${name}\` is a size, and this is ${describe(value)}`, {
        labels: [...labels, { span, text: `\`${name}\` is used as a size here` }],
        hint: 'e.g. `3`',
      });
    else
      fail(context, 'type-mismatch', span, `\`${name}\` is ${describe(value)}, and no size`, {
        labels,
        hint: value.kind === 'pack' ? `write \`...${name}\`` : sizeHint(value),
      });
  }
  return dim;
}

const fedHint = 'a size is known before anything runs: a generic `<N>`, which what is fed determines, a `dim`, or an integer';

/** For what stands in a size and is none. */
const sizeHint = (value: Value): string =>
  value.kind === 'tensor' || value.kind === 'variable'
    ? fedHint
    : value.kind === 'number'
      ? 'a size is an integer'
      : 'a size is an integer, a `dim` or a generic';

/**
 * Names that may be meant where a size stands: generics and what begins with a capital letter, but no single letters, which are all near
 * one another.
 */
const sizesIn = (scope: Scope): string[] =>
  [...scope.visible()].filter((name) => name.length > 1 && (scope.lookup(name) instanceof GenericBinding || /^\p{Lu}/u.test(name)));

/** A size below 0. */
export function failNegative(context: Context, span: Span, size: number, hint?: string): undefined {
  const text = excerpt(context, span, '');
  // A list holds the size among others.
  const isPlain = text === '' || text === String(size) || text.startsWith('[');
  const message = isPlain ? `a size of ${size} is negative` : `\`${text}\` is ${size} here, and no size is negative`;
  fail(context, 'invalid-value', span, message, { hint: hint ?? (text === '-1' ? freeSizeHint : 'sizes are counted from 0 up') });
}

/** Numbers near to one that is no multiple of `by`. */
export function multiplesNear(by: number, size: number): string {
  const below = size - (size % by);
  return `multiples of ${by} are ${below === 0 ? '' : `${below}, `}${below + by}, …`;
}

/** Which elements a list has. */
export const lastItem = (length: number): string | undefined =>
  length === 0 ? undefined : `the first one is 0, the last one ${length - 1}, or -1`;

/** left / right, exact for every value of the names; undefined after a diagnostic. In an expression a number may be meant. */
export function divide(context: Context, left: Dim, right: Dim, span: Span, where: 'type' | 'expression' = 'type'): Dim | undefined {
  if (right.constant === 0) {
    fail(context, 'invalid-value', span, 'a size is divided by 0', { hint: 'the right side is at least 1' });
    return undefined;
  }
  const exact = left.divideExact(right);
  if (exact !== undefined) return exact;
  if (unknownsIn(left).length > 0 || unknownsIn(right).length > 0) {
    fail(context, 'ambiguous-size', span, 'a quotient does not determine the sizes in it', {
      hint: 'declare the size without division, e.g. `D * 2` in one place and `D` in the other',
    });
    return undefined;
  }
  if (left.constant !== undefined && right.constant !== undefined)
    fail(context, 'invalid-value', span, `${left} is no multiple of ${right}`, {
      hint: multiplesNear(right.constant, left.constant),
    });
  else
    fail(context, 'ambiguous-size', span, `whether ${left} is a multiple of ${right} is not known`, {
      hint: quotientHint(left, right, where),
    });
  return undefined;
}

function quotientHint(left: Dim, right: Dim, where: 'type' | 'expression'): string {
  const number = left.constant === undefined ? `\`f32(${left}) / ${parenthesized(right)}\`` : `\`${left} / f32(${right})\``;
  if (where === 'expression' && left.constant !== undefined) return `\`/\` of sizes is exact; a number is written ${number}`;
  const size = `declare \`where ${parenthesized(left)} % ${parenthesized(right)} == 0\``;
  return where === 'expression' ? `\`/\` of sizes is exact: ${size}; a number is written ${number}` : size;
}

const parenthesized = (dim: Dim): string => (dim.terms.length > 1 || /[*-]/.test(`${dim}`) ? `(${dim})` : `${dim}`);

/** a * b: of sums, every term with every term, which is work that the program is charged for. */
export function product(context: Context, a: Dim, b: Dim): Dim {
  context.checker.growth.spend(a.terms.length * b.terms.length);
  return a.mul(b);
}

/** base ** exponent, for an exponent that is known; undefined after a diagnostic at the exponent. */
export function power(context: Context, base: Dim, exponent: Dim, span: Span): Dim | undefined {
  const { constant } = exponent;
  if (constant === undefined) {
    fail(context, 'not-constant', span, `the exponent of a size is known when compiling, and ${written(exponent)} is not`, {
      hint: 'use an integer, a `dim`, or a generic that is given: `<K: int>`, called as `f<3>(…)`; or give the power a name of its own: `f32[N]`',
    });
    return undefined;
  }
  if (constant < 0) {
    fail(context, 'invalid-value', span, `a size to the power of ${constant} is no size`, { hint: 'sizes are whole numbers' });
    return undefined;
  }
  let [result, factor] = [Dim.one, base];
  for (let left = constant; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = product(context, result, factor);
    if (left > 1) factor = product(context, factor, factor);
  }
  return result;
}

/** As people wrote it. */
const written = (dim: Dim): string => `${dim}`.replaceAll('?', '');

/** left mod right; undefined after a diagnostic when the sizes do not say it. */
export function remainder(context: Context, left: Dim, right: Dim, span: Span): Dim | undefined {
  if (right.constant === 0) {
    fail(context, 'invalid-value', span, 'a size is divided by 0', { hint: 'the right side is at least 1' });
    return undefined;
  }
  const rest = restOf(left, right);
  if (rest === undefined)
    fail(context, 'ambiguous-size', span, `the remainder of ${left} by ${right} is not known`, {
      hint: 'a remainder needs sizes that are known when compiling',
    });
  return rest;
}

/** left mod right where it is the same for every value of the names: that of 2 · K + 1 by 2 is 1. */
export function restOf(left: Dim, right: Dim): Dim | undefined {
  if (left.divideExact(right) !== undefined) return Dim.zero;
  const by = right.constant;
  if (by === undefined || by === 0) return undefined;
  const single = left.terms.find(({ names }) => names.length === 0)?.coefficient ?? 0;
  return left.sub(Dim.of(single)).divideExact(right) === undefined ? undefined : Dim.of(((single % by) + by) % by);
}

/** The sizes behind `...S`; undefined after a diagnostic or while it is not known. */
export function packNamed(scope: Scope, name: string): Value | undefined {
  const binding = scope.lookup(name);
  if (binding === undefined) return undefined;
  if (binding instanceof GenericBinding) return binding.known;
  return binding.value();
}

/**
 * Binds an unknown so that `pattern` equals `actual`. `bound`: done; `equal`/`differs`: nothing was unknown; `later`: more than one
 * unknown.
 */
export function solveSize(
  pattern: Dim,
  actual: Dim,
  known: (name: string) => Dim | undefined,
): { readonly kind: 'bound'; readonly name: string; readonly dim: Dim } | { readonly kind: 'equal' | 'differs' | 'later' } {
  const values = new Map<string, Dim>();
  for (const unknown of unknownsIn(pattern)) {
    const dim = known(unknown.slice(1));
    if (dim !== undefined) values.set(unknown, dim);
  }
  const rest = pattern.substitute(values);
  const unknowns = unknownsIn(rest);
  const [unknown, ...others] = unknowns;
  if (unknown === undefined) return { kind: rest.equals(actual) ? 'equal' : 'differs' };
  if (others.length > 0) return { kind: 'later' };
  const factor: { coefficient: number; names: string[] }[] = [];
  const constant: { coefficient: number; names: readonly string[] }[] = [];
  for (const term of rest.terms) {
    const times = term.names.filter((name) => name === unknown).length;
    if (times === 0) constant.push({ coefficient: term.coefficient, names: term.names });
    else if (times === 1) factor.push({ coefficient: term.coefficient, names: term.names.filter((name) => name !== unknown) });
    else return { kind: 'later' };
  }
  const dim = actual.sub(Dim.fromTerms(constant)).divideExact(Dim.fromTerms(factor));
  if (dim === undefined || (dim.constant !== undefined && dim.constant < 0)) return { kind: 'differs' };
  return { kind: 'bound', name: unknown.slice(1), dim };
}

export const sizesToValues = (shape: readonly Dim[]): Value[] => shape.map(sizeValue);
