// Types as they are written. In: type expressions and the names in force. Out: tensor types, and what is expected of an expression.
// Holds: a type that names unknown generics has no tensor type yet; what is known of it still flows down as an expectation.

import type { Dimension, NamedType, RankSpread, Span, TypeExpression } from '../../grammar/index.js';
import { type Dim, dtypeNames, isDType, isFloat, limits, type DType, type Shape } from '../base/index.js';
import { tensor, type TensorType } from '../graph/index.js';
import type { Context } from './context.js';
import { foreignDTypes, nothings, tensorWords } from './foreign-names.js';
import { fail } from './report.js';
import { GenericBinding, type Scope } from './scope.js';
import { evaluateSize, failNegative, packNamed, unknownsIn } from './sizes.js';
import { suggestion } from './spelling.js';

/** The dtype of what stands beside an expression; `any`: a float that has none yet. */
export type Beside = DType | 'any' | undefined;

/** What an expression should be, as far as one knows; literals and initializers take their dtype and shape from it. */
export type Expected =
  | {
      readonly kind: 'tensor';
      readonly dtype: DType | undefined;
      readonly shape: Shape | undefined;
      /** The dtype of what it stands beside, `any` for a float of none yet; asked only where nothing else says what is meant. */
      readonly beside?: (() => Beside) | undefined;
      /** The shape of what it stands beside; asked only where nothing else says which one a value has, as in `x + eye()`. */
      readonly around?: (() => Shape | undefined) | undefined;
      /** Some float, where the dtype is not known. */
      readonly floating?: true;
    }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Expected | undefined> }
  | { readonly kind: 'tuple'; readonly items: readonly (Expected | undefined)[] };

export const expectTensor = (dtype: DType | undefined, shape: Shape | undefined): Expected => ({ kind: 'tensor', dtype, shape });
export const expectedDType = (expected: Expected | undefined): DType | undefined =>
  expected?.kind === 'tensor' ? expected.dtype : undefined;

/** The same of what stands beside something whose dtype and shape are found when they are asked for. */
export function besides(expected: Expected | undefined, beside: () => Beside, around?: () => Shape | undefined): Expected | undefined {
  if (expected !== undefined && expected.kind !== 'tensor') return expected;
  const own = expected ?? { kind: 'tensor', dtype: undefined, shape: undefined };
  const asksDType = own.dtype === undefined;
  const asksShape = own.shape === undefined && around !== undefined;
  if (!asksDType && !asksShape) return own;
  const { beside: outer, around: wider } = own;
  return {
    ...own,
    ...(asksDType ? { beside: outer === undefined ? beside : (): Beside => floatOr(outer(), beside) } : {}),
    ...(asksShape ? { around: wider === undefined ? around : (): Shape | undefined => together(around(), wider) } : {}),
  };
}

/** Shapes aligned at the end, sizes of 1 stretched; undefined where they do not fit, or none is known. */
function together(one: Shape | undefined, other: () => Shape | undefined): Shape | undefined {
  const wider = other();
  if (one === undefined || wider === undefined) return one ?? wider;
  const [long, short] = one.length >= wider.length ? [one, wider] : [wider, one];
  const start = long.length - short.length;
  const shape = long.map((size, axis) => {
    const beside = short[axis - start];
    if (beside === undefined || beside.constant === 1 || beside.equals(size)) return size;
    return size.constant === 1 ? beside : undefined;
  });
  return shape.every((size) => size !== undefined) ? shape : undefined;
}

/** The same without what stands beside: loops, branches and bodies of functions are values by themselves. */
export const alone = (expected: Expected | undefined): Expected | undefined =>
  expected?.kind === 'tensor' && (expected.beside !== undefined || expected.around !== undefined)
    ? { ...expected, beside: undefined, around: undefined }
    : expected;

/** The dtype that is expected, or that of what stands beside. */
export function dtypeWanted(expected: Expected | undefined): DType | undefined {
  if (expected?.kind !== 'tensor') return undefined;
  const beside = expected.dtype ?? expected.beside?.();
  return beside === 'any' ? undefined : beside;
}

/** The first of two that is a float with a dtype, else a float of none. */
function floatOr(first: Beside, otherwise: () => Beside): Beside {
  if (first !== undefined && first !== 'any' && isFloat(first)) return first;
  const second = otherwise();
  return second === undefined || (second !== 'any' && !isFloat(second)) ? (first ?? second) : second;
}

const floatsOnly = (beside: Beside): Beside => (beside === undefined || beside === 'any' || isFloat(beside) ? beside : undefined);

/** What a quotient of sizes becomes that is no size: a number of some float; undefined where nothing says that one is meant. */
export const quotientDType = (expected: Expected | undefined): Beside =>
  expected?.kind === 'tensor' ? floatsOnly(expected.beside?.()) : undefined;

/** Some float of any dtype and shape. */
export const someFloat: Expected = { kind: 'tensor', dtype: undefined, shape: undefined, floating: true };

/** The same as some float, where no dtype is known. */
export const asFloat = (expected: Expected | undefined): Expected =>
  expected?.kind === 'tensor' ? (expected.dtype === undefined ? { ...expected, floating: true } : expected) : someFloat;

export const expectsFloat = (expected: Expected | undefined): boolean =>
  expected?.kind === 'tensor' && (expected.dtype === undefined ? expected.floating === true : isFloat(expected.dtype));

/** Types of parameters that exist only at compile time; the standard library uses them. */
const compileTimeTypes = ['axes', 'int', 'number', 'text', 'list', 'any'] as const;
export type CompileTimeType = (typeof compileTimeTypes)[number];
export const isCompileTimeType = (name: string): name is CompileTimeType => (compileTimeTypes as readonly string[]).includes(name);

/** The type as it stands in the text. */
export function typeText(context: Context, type: TypeExpression): string {
  return (
    context.checker.modules.get(type.span.source)?.program.source.text.slice(type.span.start, type.span.end).replace(/\s+/g, ' ') ??
    'the declared type'
  );
}

/** What the type's name stands for as a dtype: known, not yet known, or no dtype at all. */
export function dtypeNamed(name: string, scope: Scope): DType | GenericBinding | undefined {
  const binding = scope.lookup(name);
  if (binding instanceof GenericBinding) {
    if (binding.known === undefined) return binding.sort === 'pack' || binding.sort === 'integer' ? undefined : binding;
    return binding.known.kind === 'dtype' ? binding.known.dtype : undefined;
  }
  if (binding !== undefined && binding.role !== 'builtin') {
    const value = binding.role === 'generic' ? binding.value() : undefined;
    return value?.kind === 'dtype' ? value.dtype : undefined;
  }
  return isDType(name) ? name : undefined;
}

/** The sizes behind the brackets, unknown ones as `?Name`; `open` when a `...S` is not known yet; undefined after a diagnostic. */
export function shapeWritten(context: Context, dims: readonly Dimension[] | null, scope: Scope): Shape | 'open' | undefined {
  const shape: Dim[] = [];
  const excess = dims?.[limits.rank];
  if (excess !== undefined) {
    failRank(context, excess.span, dims?.length ?? 0);
    return undefined;
  }
  let open = false;
  let failed = false;
  for (const dimension of dims ?? []) {
    if (dimension.kind === 'rank-spread') {
      const binding = scope.lookup(dimension.name.text);
      if (binding === undefined) {
        fail(context, 'unknown-name', dimension.span, `no list of sizes is called \`${dimension.name.text}\` here`, {
          hint: `declare it as a generic: \`<...${dimension.name.text}>\``,
        });
        failed = true;
        continue;
      }
      const value = packNamed(scope, dimension.name.text);
      if (value === undefined && binding instanceof GenericBinding && binding.sort !== 'pack') {
        failOneSize(context, dimension);
        failed = true;
      } else if (value === undefined) open = true;
      else if (value.kind === 'pack') shape.push(...value.shape);
      else if (value.kind !== 'error') {
        failOneSize(context, dimension);
        failed = true;
      } else failed = true;
      continue;
    }
    const dim = evaluateSize(context, dimension, scope);
    if (dim === undefined) failed = true;
    else if (dim.constant !== undefined && dim.constant < 0) {
      failNegative(context, dimension.span, dim.constant);
      failed = true;
    } else shape.push(dim);
  }
  if (failed) return undefined;
  const last = dims?.at(-1);
  if (shape.length > limits.rank && last !== undefined) {
    failRank(context, last.span, shape.length);
    return undefined;
  }
  return open ? 'open' : shape;
}

const failOneSize = (context: Context, { name, span }: RankSpread): void =>
  void fail(context, 'type-mismatch', span, `\`${name.text}\` is one size, and \`...\` needs a list of sizes`, {
    hint: `write \`${name.text}\` alone, or declare it as \`<...${name.text}>\``,
  });

export const failRank = (context: Context, span: Span, rank: number): void =>
  void fail(context, 'too-large', span, `a tensor of rank ${rank}: at most ${limits.rank} axes`, {
    hint: 'put axes together: `reshape(x, [B, -1])`',
  });

/** Reports that a type's name is nothing that exists. */
export function failUnknownType(context: Context, type: NamedType, scope: Scope): void {
  const name = type.name.text;
  const binding = scope.lookup(name);
  if (binding !== undefined && binding.role !== 'builtin') {
    fail(
      context,
      'type-mismatch',
      type.name.span,
      `\`${name}\` is no type${isDType(name) ? ' here, but what this program calls so' : ''}`,
      {
        labels: binding.span === undefined ? [] : [{ span: binding.span, text: 'declared here' }],
        hint: isDType(name) ? 'give what is declared another name, which hides no dtype' : `the dtypes are ${dtypeNames.join(', ')}`,
      },
    );
    return;
  }
  fail(context, 'unknown-name', type.name.span, `no type is called \`${name}\``, {
    hint: () => {
      const word = foreignDTypes.get(name);
      if (word !== undefined) return `write \`${word}\``;
      if (tensorWords.has(name)) return 'a tensor has a dtype and sizes: `f32[B, 3]`';
      if (isNoType(name)) return 'what gives nothing is a `step` without a result type';
      return suggestion(name, [...dtypeNames, ...scope.visible()]) ?? `the dtypes are ${dtypeNames.join(', ')}`;
    },
  });
}

/** What other languages call the type of no value. */
export const isNoType = (name: string): boolean => nothings.has(name) || ['void', 'unit', 'Unit', 'never'].includes(name);

/** The tensor type that is written; undefined after a diagnostic. Everything in it must be known. */
export function tensorTypeOf(context: Context, type: TypeExpression, scope: Scope, what: string): TensorType | undefined {
  if (type.kind === 'missing-type') return undefined;
  if (type.kind !== 'named-type') {
    fail(context, 'type-mismatch', type.span, `${what} is declared as ${typeText(context, type)}, and must be a tensor`, {
      hint:
        type.kind === 'fn-type'
          ? 'functions are known when compiling: name it where it is called'
          : 'each part is an argument of its own, or a field of a record: `{ a: f32, b: f32[N] }`',
    });
    return undefined;
  }
  const dtype = dtypeNamed(type.name.text, scope);
  if (dtype === undefined) {
    const binding = scope.lookup(type.name.text);
    if (binding?.value().kind === 'model')
      fail(context, 'type-mismatch', type.span, `${what} is declared as a model, and must be a tensor`, {
        hint: `an instance is made at the top, and used by its name: \`net = ${typeText(context, type)}(…)\``,
      });
    else if (isCompileTimeType(type.name.text) && (binding === undefined || binding.role === 'builtin'))
      fail(
        context,
        'type-mismatch',
        type.span,
        `${what} is declared as ${type.name.text}, which exists only while compiling, and must be a tensor`,
        { hint: type.name.text === 'int' || type.name.text === 'number' ? 'e.g. `i32`, `f32`' : 'e.g. `f32[N, 3]`' },
      );
    else failUnknownType(context, type, scope);
    return undefined;
  }
  const shape = shapeWritten(context, type.dims, scope);
  if (shape === undefined) return undefined;
  if (dtype instanceof GenericBinding || shape === 'open' || shape.some((dim) => unknownsIn(dim).length > 0)) {
    const name =
      dtype instanceof GenericBinding
        ? dtype.name
        : shape === 'open'
          ? (type.dims?.find((dim) => dim.kind === 'rank-spread')?.name.text ?? 'S')
          : (shape.flatMap(unknownsIn)[0]?.slice(1) ?? '');
    fail(context, 'ambiguous-size', type.span, `nothing determines \`${name}\` in the type of ${what}`, {
      hint: 'pass it in angle brackets, or write what it is',
    });
    return undefined;
  }
  return tensor(dtype, shape);
}

/** Whether a size that the type names is below 0, which is said: nothing can be expected to have it. */
export function namesNegative(context: Context, type: TypeExpression | null, scope: Scope): boolean {
  switch (type?.kind) {
    case 'record-type':
      return type.fields.some((field) => namesNegative(context, field.type, scope));
    case 'tuple-type':
      return type.elements.some((element) => namesNegative(context, element, scope));
    case 'named-type':
      return (type.dims ?? []).some((dimension) => {
        if (dimension.kind === 'rank-spread') return false;
        const size = context.checker.reporter.silently(() => evaluateSize(context, dimension, scope)).value?.constant;
        if (size === undefined || size >= 0) return false;
        failNegative(context, dimension.span, size);
        return true;
      });
    default:
      return false;
  }
}

/** What the type lets one expect, silently: unknown parts are left open. */
export function expectedOf(context: Context, type: TypeExpression | null, scope: Scope): Expected | undefined {
  if (type === null) return undefined;
  switch (type.kind) {
    case 'record-type':
      return { kind: 'record', fields: new Map(type.fields.map((field) => [field.name.text, expectedOf(context, field.type, scope)])) };
    case 'tuple-type':
      return { kind: 'tuple', items: type.elements.map((element) => expectedOf(context, element, scope)) };
    case 'named-type': {
      const dtype = dtypeNamed(type.name.text, scope);
      if (dtype === undefined) return undefined;
      const { value: shape } = context.checker.reporter.silently(() => shapeWritten(context, type.dims, scope));
      const known = shape === undefined || shape === 'open' || shape.some((dim) => unknownsIn(dim).length > 0) ? undefined : shape;
      return expectTensor(dtype instanceof GenericBinding ? undefined : dtype, known);
    }
    case 'fn-type':
    case 'missing-type':
      return undefined;
  }
}
