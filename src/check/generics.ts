// Generic parameters of a call. In: their declarations, what stands in `<…>`, what the result is expected to be. Out: bindings in the
// callee's scope.

import type { Dimension, GenericArgument, GenericParameter, Span, TypeExpression } from '../../grammar/index.js';
import { type DType, dtypeNames, isDType, type Shape } from '../base/index.js';
import type { Context } from './context.js';
import { excerpt, fail } from './report.js';
import { fitsBound, GenericBinding, type DTypeBound, type Scope } from './scope.js';
import { evaluateSize, failNegative, solveSize, unknownsIn } from './sizes.js';
import { suggestion } from './spelling.js';
import { dtypeNamed, dtypeWanted, shapeWritten, type Expected } from './types.js';
import { dimOf, ERROR, sizeValue } from './values.js';

const bounds: readonly DTypeBound[] = ['float', 'integer', 'number', 'any'];
/** `<K: int>`: an integer that is known when compiling, which may be negative. */
const integerBound = 'int';

/** Declares generics that nothing determines yet. */
export function declareGenerics(context: Context, generics: readonly GenericParameter[], scope: Scope): GenericBinding[] {
  return generics.map((generic) => {
    const written = generic.bound?.text;
    const bound = bounds.find((one) => one === written);
    const counts = written === integerBound;
    if (generic.bound !== null && bound === undefined && !counts) {
      fail(context, 'unknown-name', generic.bound.span, `no family of dtypes is called \`${generic.bound.text}\``, {
        hint:
          suggestion(generic.bound.text, [...bounds, integerBound]) ??
          `the families are ${bounds.join(', ')}; \`${integerBound}\` is a known integer`,
      });
    }
    if (generic.variadic && generic.initial !== null)
      fail(context, 'unsupported-feature', generic.initial.span, `a list of sizes such as \`...${generic.name.text}\` has no default`, {
        hint: 'leave it out: arguments determine it, or what is passed in angle brackets',
      });
    const known = scope.own(generic.name.text);
    if (known !== undefined) {
      fail(context, 'duplicate-name', generic.name.span, `\`${generic.name.text}\` is declared twice`, {
        hint: 'choose another name',
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
      });
    }
    const binding = new GenericBinding(
      generic.name.text,
      generic.name.span,
      generic.variadic ? 'pack' : counts ? 'integer' : generic.bound !== null ? 'dtype' : 'open',
      bound ?? 'any',
      ERROR,
      generic.initial ?? undefined,
    );
    scope.add(binding);
    return binding;
  });
}

/** Binds what stands in `<…>`; false after a diagnostic. `arguments_` are evaluated in the scope of the call. */
export function bindGenerics(
  context: Context,
  bindings: readonly GenericBinding[],
  arguments_: readonly GenericArgument[],
  callScope: Scope,
  callee: string,
  site: Span,
  declared: Span,
): boolean {
  let at = 0;
  for (const [index, binding] of bindings.entries()) {
    const rest = bindings.length - index - 1;
    if (binding.sort === 'pack') {
      const taken = arguments_.slice(at, Math.max(at, arguments_.length - rest));
      at += taken.length;
      const shape = shapeWritten(context, taken, callScope);
      if (shape === undefined || shape === 'open') return false;
      binding.bind({ kind: 'pack', shape }, taken[0]?.span ?? site);
      continue;
    }
    const argument = arguments_[at];
    if (argument === undefined) break;
    at += 1;
    const full = (): string | undefined => withDType(context, binding, bindings, arguments_, at - 1, callee);
    if (!bindGeneric(context, binding, argument, callScope, callee, declared, full)) return false;
  }
  const extra = arguments_[at];
  if (extra === undefined) return true;
  fail(
    context,
    'too-many-arguments',
    extra.span,
    `\`${callee}\` has ${bindings.length === 0 ? 'no generics' : `${bindings.length} generic${bindings.length > 1 ? 's' : ''}`}, and ${arguments_.length} are passed`,
    {
      labels: [{ span: declared, text: `\`${callee}\` is declared here` }],
      hint: `write \`${callee}${bindings.length === 0 ? '' : `<${bindings.map(({ name }) => name).join(', ')}>`}(…)\``,
    },
  );
  return false;
}

/** What is written with a dtype in the place `at`, where there is room for one more. */
function withDType(
  context: Context,
  { family, sort }: GenericBinding,
  bindings: readonly GenericBinding[],
  arguments_: readonly GenericArgument[],
  at: number,
  callee: string,
): string | undefined {
  const hasRoom = arguments_.length < bindings.length || bindings.some((one) => one.sort === 'pack');
  const dtype = (['f32', ...dtypeNames] as const).find((one) => fitsBound(one, family));
  if (sort !== 'dtype' || !hasRoom || dtype === undefined) return undefined;
  const texts = arguments_.map(({ span }) => excerpt(context, span, '…'));
  return `write \`${callee}<${[...texts.slice(0, at), dtype, ...texts.slice(at)].join(', ')}>\`, or leave it out where the arguments say it`;
}

/** Binds one generic to what is written for it; false after a diagnostic. `full`: what to write where a dtype is missing. */
function bindGeneric(
  context: Context,
  binding: GenericBinding,
  argument: GenericArgument,
  scope: Scope,
  callee: string,
  declared: Span,
  full: () => string | undefined = () => undefined,
): boolean {
  const labels = [{ span: binding.span ?? declared, text: 'declared here' }];
  if (argument.kind === 'size-name') {
    const named = scope.lookup(argument.name);
    const own = named?.role === 'parameter' || named?.role === 'let' ? named.value() : undefined;
    const dtype = own?.kind === 'dtype' ? own.dtype : isDType(argument.name) ? argument.name : dtypeNamed(argument.name, scope);
    if (typeof dtype === 'string' && (binding.sort === 'dtype' || binding.sort === 'open')) {
      if (!fitsBound(dtype, binding.family)) {
        fail(context, 'dtype-mismatch', argument.span, `\`${binding.name}: ${binding.family}\` of \`${callee}\` cannot be ${dtype}`, {
          labels,
          hint: `it is one of ${dtypeNames.filter((one) => fitsBound(one, binding.family)).join(', ')}`,
        });
        return false;
      }
      binding.bind({ kind: 'dtype', dtype }, argument.span);
      return true;
    }
  }
  if (binding.sort === 'dtype' || argument.kind === 'rank-spread') {
    const sort = binding.sort === 'dtype' ? 'a dtype' : binding.sort === 'integer' ? 'one integer' : 'one size';
    fail(context, 'type-mismatch', argument.span, `\`${binding.name}\` of \`${callee}\` is ${sort}`, {
      labels,
      hint: () => full() ?? (binding.sort === 'dtype' ? 'e.g. `f32`; without it the arguments say' : 'e.g. `3`'),
    });
    return false;
  }
  const dim = evaluateSize(context, argument, scope);
  if (dim === undefined) return false;
  const [later] = unknownsIn(dim);
  if (later !== undefined) {
    fail(
      context,
      'ambiguous-size',
      argument.span,
      `\`${binding.name}\` of \`${callee}\` goes by \`${later.slice(1)}\`, which nothing has determined before`,
      {
        labels,
        hint: `declare \`${later.slice(1)}\` before \`${binding.name}\``,
      },
    );
    return false;
  }
  if (binding.sort === 'integer' && dim.constant === undefined && !context.entry.dry) {
    fail(context, 'not-constant', argument.span, `\`${binding.name}\` of \`${callee}\` is known when compiling, and ${dim} is not`, {
      labels,
      hint: 'use a number or a `dim`',
    });
    return false;
  }
  if (binding.sort !== 'integer' && dim.constant !== undefined && dim.constant < 0) {
    failNegative(context, argument.span, dim.constant);
    return false;
  }
  binding.bind(sizeValue(dim), argument.span);
  return true;
}

/**
 * Gives generics that nothing has determined their defaults, in which those before them are known; false after a diagnostic. `which`: all,
 * or dtypes alone.
 */
export function bindDefaults(
  context: Context,
  bindings: readonly GenericBinding[],
  scope: Scope,
  callee: string,
  which: 'all' | 'dtypes' = 'all',
): boolean {
  for (const binding of bindings) {
    const { initial, known, span } = binding;
    if (initial === undefined || known !== undefined || (which === 'dtypes' && binding.sort !== 'dtype')) continue;
    if (binding.sort === 'pack') return false;
    if (!bindGeneric(context, binding, initial, scope, callee, span ?? initial.span)) return false;
  }
  return true;
}

/** Lets the dtype that is expected of the result, or that of what stands beside, determine a dtype generic. Never a diagnostic. */
export function inferDType(type: TypeExpression | null, expected: Expected | undefined, scope: Scope, at: Span): void {
  if (type?.kind !== 'named-type' || expected?.kind !== 'tensor') return;
  const generic = dtypeNamed(type.name.text, scope);
  const dtype = generic instanceof GenericBinding ? dtypeWanted(expected) : undefined;
  if (generic instanceof GenericBinding && dtype !== undefined && fitsBound(dtype, generic.family))
    generic.bind({ kind: 'dtype', dtype }, at);
}

/** Lets what is expected of the result determine generics that the arguments left open. Never a diagnostic. */
export function inferFromExpected(
  context: Context,
  type: TypeExpression | null,
  expected: Expected | undefined,
  scope: Scope,
  at: Span,
): void {
  if (type?.kind !== 'named-type' || expected?.kind !== 'tensor') return;
  inferDType(type, expected, scope, at);
  const dims = type.dims ?? [];
  const shape = expected.shape ?? shapeAround(context, dims, expected, scope);
  if (shape === undefined) return;
  const spread = dims.findIndex((dim) => dim.kind === 'rank-spread');
  const pack = dims[spread];
  if (pack?.kind === 'rank-spread') {
    const binding = scope.lookup(pack.name.text);
    if (binding instanceof GenericBinding && binding.sort === 'pack' && binding.known === undefined && shape.length >= dims.length - 1) {
      binding.bind({ kind: 'pack', shape: shape.slice(spread, shape.length - (dims.length - spread - 1)) }, at);
    }
  }
  const { value: pattern } = context.checker.reporter.silently(() => shapeWritten(context, type.dims, scope));
  if (pattern === undefined || pattern === 'open' || pattern.length !== shape.length) return;
  for (const [axis, dim] of pattern.entries()) {
    const actual = shape[axis];
    if (actual === undefined) continue;
    const solved = solveSize(dim, actual, (name) => {
      const binding = scope.lookup(name);
      return binding instanceof GenericBinding && binding.known !== undefined ? dimOf(binding.known) : undefined;
    });
    if (solved.kind !== 'bound') continue;
    const binding = scope.lookup(solved.name);
    if (binding instanceof GenericBinding) binding.bind(sizeValue(solved.dim), at);
  }
}

/** The shape of what stands beside, as far as the type has axes; asked only where sizes are not known yet. */
function shapeAround(
  context: Context,
  dims: readonly Dimension[],
  { around }: Extract<Expected, { readonly kind: 'tensor' }>,
  scope: Scope,
): Shape | undefined {
  if (around === undefined || dims.length === 0) return undefined;
  const { value: pattern } = context.checker.reporter.silently(() => shapeWritten(context, dims, scope));
  if (pattern === undefined || (pattern !== 'open' && pattern.every((dim) => unknownsIn(dim).length === 0))) return undefined;
  const shape = around();
  return pattern === 'open' || shape === undefined || shape.length < pattern.length ? shape : shape.slice(shape.length - pattern.length);
}

/** Why what is expected of a result says nothing about its generics: it has another number of axes. */
export function otherRank(type: TypeExpression | null, expected: Expected | undefined, callee: string): string | undefined {
  if (type?.kind !== 'named-type' || expected?.kind !== 'tensor' || expected.shape === undefined) return undefined;
  const dims = type.dims ?? [];
  const isOpen = dims.some((dim) => dim.kind === 'rank-spread');
  const least = isOpen ? dims.length - 1 : dims.length;
  if (expected.shape.length === least || (isOpen && expected.shape.length > least)) return undefined;
  return `\`${callee}\` gives a tensor of rank ${least}${isOpen ? ' or more' : ''}, and one of rank ${expected.shape.length} is expected here: \`zeros\`, \`uniform\` and \`normal\` fill any`;
}

/**
 * Every generic must be known by now or have a default; a float dtype that nothing determines is `usual`. False after a diagnostic.
 * `why`: a hint that explains more than the usual one.
 */
export function demandGenerics(
  context: Context,
  bindings: readonly GenericBinding[],
  scope: Scope,
  callee: string,
  site: Span,
  why: string | undefined,
  usual: DType = 'f32',
): boolean {
  if (!bindDefaults(context, bindings, scope, callee)) return false;
  for (const binding of bindings) {
    if (binding.known !== undefined) continue;
    if (binding.sort === 'dtype' && binding.family !== 'integer') {
      binding.bind({ kind: 'dtype', dtype: fitsBound(usual, binding.family) ? usual : 'f32' }, site);
      continue;
    }
    fail(context, 'ambiguous-size', site, `nothing determines \`${binding.name}\` of \`${callee}\``, {
      labels: binding.span === undefined ? [] : [{ span: binding.span, text: 'declared here' }],
      hint:
        why ??
        (binding.sort === 'pack'
          ? 'declare the type of what it gives: `let x: f32[3] = …`'
          : `pass it: \`${callee}<${bindings.map(({ name }) => name).join(', ')}>(…)\`, or declare the type of what it gives`),
    });
    return false;
  }
  return true;
}
