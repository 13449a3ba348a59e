// Values against declared types. In: a value, the type that was declared for it, the scope with the generics. Out: the value in that type,
// with the generics found.
// Holds: a size in a type is a polynomial; one unknown in it is solved for, several wait until others are known. Literals take the declared
// dtype.

import type { NamedType, Span, TypeExpression } from '../../grammar/index.js';
import { type Dim, isFloat, isInteger, type DType, type Label, type Shape } from '../base/index.js';
import { broadcastTo, sizeLabels } from './broadcast.js';
import type { Context } from './context.js';
import { compileTimeWords, fieldHint, oneAxisMoreHint, oneHotHint, otherRankHint, rankHint, sizeHint } from './match-hints.js';
import { matchModel } from './match-model.js';
import { paramsOf } from './params.js';
import { excerpt, fail } from './report.js';
import { fitsBound, GenericBinding, type Scope } from './scope.js';
import { isUnknown, solveSize, unknownsIn } from './sizes.js';
import { bindingLabel, fallbackDType, ownDType, shapeOf, toTensor } from './tensors.js';
import { dtypeNamed, failUnknownType, isCompileTimeType, shapeWritten, typeText, type CompileTimeType } from './types.js';
import { kindHint } from './ways-out.js';
import {
  describe,
  dimOf,
  ERROR,
  integerHint,
  isCallable,
  list,
  number,
  record,
  sizeValue,
  tensorValue,
  tuple,
  type Value,
} from './values.js';

/** What is matched, for sentences: `argument `x` of `f``, and where it stands. */
export interface Subject {
  readonly text: string;
  readonly span: Span;
  /** Scalars and literals may fill the declared shape (initial values). */
  readonly fills?: boolean;
  /** Literals keep their freedom of dtype (arguments of optimizers). */
  readonly keepsLiterals?: boolean;
  /** The type stands beside the value and follows from it: that of a `let` or of a result. */
  readonly isOwnType?: boolean;
}

/** Sizes that could not be solved when they were met. */
export interface PendingSize {
  readonly pattern: Dim;
  readonly actual: Dim;
  readonly subject: Subject;
  readonly type: TypeExpression;
}

export class Matcher {
  readonly pending: PendingSize[] = [];

  readonly context: Context;
  readonly scope: Scope;
  readonly #usual: DType | undefined;
  /** Generics for which a number with a fraction is passed that has no dtype: integers without one become floats beside it. */
  readonly #fractions = new Set<GenericBinding>();

  /** `usual`: what a generic dtype is that only literals are passed for; undefined: theirs. */
  constructor(context: Context, scope: Scope, usual?: DType) {
    this.context = context;
    this.scope = scope;
    this.#usual = usual;
  }

  /** Looks at a value without a dtype before others are matched, which take theirs from it. */
  foresee(value: Value, type: TypeExpression): void {
    const dtype = type.kind === 'named-type' && type.generics === null ? dtypeNamed(type.name.text, this.scope) : undefined;
    if (dtype instanceof GenericBinding && isFloat(fallbackDType(value))) this.#fractions.add(dtype);
  }

  /** The value in the declared type; an error after a diagnostic. */
  match(value: Value, type: TypeExpression, subject: Subject): Value {
    if (value.kind === 'error') return ERROR;
    switch (type.kind) {
      case 'missing-type':
        return ERROR;
      case 'fn-type':
        return isCallable(value) ? value : this.#mismatch(value, type, subject, { what: 'a function' });
      case 'record-type': {
        if (value.kind !== 'record') return this.#mismatch(value, type, subject);
        const fields: [string, Value][] = [];
        for (const field of type.fields) {
          const own = value.fields.get(field.name.text);
          if (own === undefined)
            return fail(
              this.context,
              'type-mismatch',
              subject.span,
              `${subject.text} lacks the field \`${field.name.text}\` that ${typeText(this.context, type)} declares`,
              { labels: [{ span: field.span, text: 'declared here' }], hint: fieldHint(field.name.text, value, type) },
            );
          fields.push([field.name.text, this.match(own, field.type, { ...subject, text: `\`${field.name.text}\` of ${subject.text}` })]);
        }
        for (const name of value.fields.keys()) {
          if (!type.fields.some((field) => field.name.text === name))
            return fail(
              this.context,
              'type-mismatch',
              subject.span,
              `${subject.text} has a field \`${name}\` that ${typeText(this.context, type)} does not declare`,
              { labels: [{ span: type.span, text: 'declared here' }], hint: `leave it out, or declare it: \`${name}: …\`` },
            );
        }
        return record(fields);
      }
      case 'tuple-type': {
        if (value.kind !== 'tuple') return this.#mismatch(value, type, subject);
        if (value.items.length !== type.elements.length) return this.#mismatch(value, type, subject);
        return tuple(
          value.items.map((item, at) =>
            this.match(item, type.elements[at] as TypeExpression, { ...subject, text: `element ${at} of ${subject.text}` }),
          ),
        );
      }
      case 'named-type':
        return this.#matchNamed(value, type, subject);
    }
  }

  /** Solves what had to wait; false after a diagnostic. */
  finish(): boolean {
    let progress = true;
    let waiting = this.pending.splice(0);
    while (progress && waiting.length > 0) {
      this.context.checker.growth.spend(4 * waiting.length);
      progress = false;
      const still: PendingSize[] = [];
      for (const one of waiting) {
        const solved = this.#solve(one.pattern, one.actual, one.subject.span);
        if (solved === 'later') still.push(one);
        else if (solved === 'differs') {
          const substituted = this.#sizeText(this.#known(one.pattern));
          fail(
            this.context,
            'shape-mismatch',
            one.subject.span,
            `${one.subject.text}: ${one.actual} cannot be ${this.#sizeText(one.pattern)}`,
            {
              labels: [{ span: one.type.span, text: 'declared here' }],
              hint: `pass ${substituted}, or other sizes for what stands in ${this.#sizeText(one.pattern)}`,
            },
          );
          return false;
        } else progress = true;
      }
      waiting = still;
    }
    const open = waiting[0];
    if (open === undefined) return true;
    const names = unknownsIn(open.pattern).map((name) => `\`${name.slice(1)}\``);
    fail(
      this.context,
      'ambiguous-size',
      open.subject.span,
      `${open.subject.text}: ${names.join(' and ')} cannot be found from ${this.#sizeText(open.pattern)} = ${open.actual}`,
      {
        labels: [{ span: open.type.span, text: 'declared here' }],
        hint: `pass the sizes in angle brackets, where \`f\` is called: \`f<${unknownsIn(open.pattern)
          .map((name) => name.slice(1))
          .join(', ')}>(…)\``,
      },
    );
    return false;
  }

  #matchNamed(value: Value, type: NamedType, subject: Subject): Value {
    const name = type.name.text;
    const dtype = type.generics === null ? dtypeNamed(name, this.scope) : undefined;
    if (dtype !== undefined) return this.#matchTensor(value, type, dtype, subject);
    const binding = this.scope.lookup(name);
    if (binding !== undefined && binding.role !== 'builtin' && !(binding instanceof GenericBinding)) {
      const declared = binding.value();
      if (declared.kind === 'error') return ERROR;
      if (declared.kind === 'model') return matchModel(this, value, declared, type, subject);
    }
    if (isCompileTimeType(name) && type.dims === null) return this.#matchCompileTime(value, name, type, subject);
    failUnknownType(this.context, type, this.scope);
    return ERROR;
  }

  #matchCompileTime(value: Value, name: CompileTimeType, type: NamedType, subject: Subject): Value {
    const fits = ((): boolean => {
      switch (name) {
        case 'any':
          return true;
        case 'int':
          return (value.kind === 'number' && value.integer) || value.kind === 'size';
        case 'number':
          return value.kind === 'number' || value.kind === 'size';
        case 'text':
          return value.kind === 'string';
        case 'list':
          return value.kind === 'list' || value.kind === 'tuple' || value.kind === 'instance';
        case 'axes':
          return (value.kind === 'number' && value.integer) || value.kind === 'list' || (value.kind === 'string' && value.value === 'all');
      }
    })();
    if (fits) return name === 'list' ? listed(value) : value;
    const { what, example } = compileTimeWords[name];
    if (value.kind === 'tensor' || value.kind === 'variable')
      return fail(this.context, 'not-constant', subject.span, `${subject.text} must be known when compiling, and is ${describe(value)}`, {
        labels: bindingLabel(value),
        hint: name === 'int' || name === 'number' ? 'use a literal, a `const`, a `dim` or a size such as `x.shape[0]`' : `e.g. ${example}`,
      });
    const isList = name === 'int' && (value.kind === 'list' || value.kind === 'tuple');
    return this.#mismatch(value, type, subject, {
      what,
      hint:
        (name === 'int' || name === 'axes' ? integerHint(value) : undefined) ??
        (isList ? 'one integer, and no list: e.g. `0`' : `e.g. ${example}`),
    });
  }

  #matchTensor(value: Value, type: NamedType, wanted: DType | GenericBinding, subject: Subject): Value {
    const shape = shapeOf(value);
    if (shape === undefined) return this.#mismatch(value, type, subject);
    const literal = value.kind === 'number' || value.kind === 'size';
    const keeps = subject.keepsLiterals === true && literal && value.kind === 'number' && value.dtype === undefined;
    const dtype = this.#matchDType(value, type, wanted, subject);
    if (dtype === undefined) return ERROR;
    const fills = subject.fills === true || literal;
    const declared = this.#matchShape(value, shape, type, subject, fills);
    if (declared === undefined) return ERROR;
    if (keeps && declared.length === 0) return value;
    const isNode = value.kind === 'number' && value.node?.type.dtype === dtype;
    if (value.kind === 'number' && !isNode && declared.length === 0 && (isFloat(dtype) || (value.integer && dtype !== 'bool')))
      return number(value.value, value.integer, dtype, value.exact);
    if (value.kind === 'size' && declared.length === 0 && isInteger(dtype)) return value;
    if (value.kind === 'boolean' && declared.length === 0 && dtype === 'bool') return value;
    // Shared, not read: who takes it reads its newest value.
    if (value.kind === 'variable' && shape.length === declared.length) return value;
    const node = toTensor(this.context, value, subject.span, dtype);
    if (node === undefined) return ERROR;
    if (node.type.shape.length === declared.length) return tensorValue(node, value.kind === 'tensor' ? value.binding : undefined);
    const filled = broadcastTo(this.context, node, declared, subject.span);
    return filled === undefined ? ERROR : tensorValue(filled);
  }

  /** The dtype that the value has to have; undefined after a diagnostic. */
  #matchDType(value: Value, type: NamedType, wanted: DType | GenericBinding, subject: Subject): DType | undefined {
    const own = ownDType(value);
    if (!(wanted instanceof GenericBinding)) {
      if (own === undefined || own === wanted) return wanted;
      const hint = oneHotHint(value, type, wanted) ?? otherRankHint(this.context, value, type) ?? `convert it: \`${wanted}(…)\``;
      return this.#dtypeMismatch(value, subject, typeText(this.context, type), type.span, value.kind === 'boolean' ? undefined : hint);
    }
    const bound = wanted.family;
    const usual = this.#usual !== undefined && fitsBound(this.#usual, bound) ? this.#usual : undefined;
    const found = own ?? usual ?? (bound === 'float' || this.#fractions.has(wanted) ? 'f32' : fallbackDType(value));
    if (!fitsBound(found, bound)) {
      const hint =
        otherRankHint(this.context, value, type) ??
        (bound === 'float' ? 'convert it: `f32(…)`' : `convert it: \`${bound === 'any' ? 'f32' : 'i32'}(…)\``);
      return this.#dtypeMismatch(value, subject, `\`${wanted.name}: ${bound}\``, wanted.span ?? type.span, hint);
    }
    wanted.bind({ kind: 'dtype', dtype: found }, subject.span);
    return found;
  }

  #dtypeMismatch(value: Value, subject: Subject, declared: string, at: Span, hint: string | undefined): undefined {
    fail(this.context, 'dtype-mismatch', subject.span, `${subject.text} is ${describe(value)}, where ${declared} is declared`, {
      labels: [{ span: at, text: 'declared here' }, ...bindingLabel(value)],
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }

  /** The declared shape with its generics solved; undefined after a diagnostic. */
  #matchShape(value: Value, actual: Shape, type: NamedType, subject: Subject, fills: boolean): Shape | undefined {
    const dims = type.dims ?? [];
    const spread = dims.findIndex((dim) => dim.kind === 'rank-spread');
    if (spread >= 0) {
      const dim = dims[spread];
      const binding = dim?.kind === 'rank-spread' ? this.scope.lookup(dim.name.text) : undefined;
      if (binding instanceof GenericBinding && binding.sort === 'pack' && binding.known === undefined) {
        const after = dims.length - spread - 1;
        if (actual.length < dims.length - 1) return this.#rankMismatch(value, type, subject);
        binding.bind({ kind: 'pack', shape: actual.slice(spread, actual.length - after) }, subject.span);
      }
    }
    const pattern = shapeWritten(this.context, type.dims, this.scope);
    if (pattern === undefined || pattern === 'open') return undefined;
    if (fills && actual.length === 0 && pattern.length > 0 && pattern.every((dim) => unknownsIn(dim).length === 0)) return pattern;
    if (pattern.length !== actual.length) return this.#rankMismatch(value, type, subject, pattern);
    for (const [axis, size] of pattern.entries()) {
      const own = actual[axis] as Dim;
      const solved = this.#solve(size, own, subject.span);
      if (solved === 'later') this.pending.push({ pattern: size, actual: own, subject, type });
      if (solved !== 'differs') continue;
      const written = dims.length === pattern.length ? dims[axis] : undefined;
      const labels: Label[] = [];
      labels.push({
        span: written?.span ?? type.span,
        text:
          written === undefined
            ? `declared as ${this.#sizeText(size)}`
            : `declared as ${excerpt(this.context, written.span, this.#sizeText(size))}`,
      });
      if (written?.kind === 'size-name') {
        const generic = this.scope.lookup(written.name);
        if (generic instanceof GenericBinding && generic.bound !== undefined && `${this.#known(size)}` !== written.name)
          labels.push({ span: generic.bound, text: `\`${written.name}\` is ${this.#known(size)} here` });
        else if (generic?.role === 'declaration' && generic.span !== undefined)
          labels.push({ span: generic.span, text: `\`${written.name}\` is ${this.#known(size)}` });
      }
      labels.push(...sizeLabels({ value, span: subject.span }, axis));
      const unknown = unknownsIn(this.#known(size)).length > 0;
      const known = this.#known(size);
      const sentence = unknown ? `size ${own} is not of the form ${this.#sizeText(size)}` : `size ${own} and size ${known} differ`;
      fail(
        this.context,
        'shape-mismatch',
        subject.span,
        `${subject.text} is ${describe(value)}, where ${typeText(this.context, type)} is declared: ${sentence}`,
        {
          labels,
          hint: sizeHint(
            this.context,
            value,
            subject,
            pattern.map((one) => this.#known(one)),
            axis,
            written?.kind === 'size-name' && this.scope.lookup(written.name) instanceof GenericBinding ? written.name : undefined,
            spread >= 0,
          ),
        },
      );
      return undefined;
    }
    return actual;
  }

  #rankMismatch(value: Value, type: NamedType, subject: Subject, pattern: Shape = []): undefined {
    const wanted = pattern.map((size) => this.#known(size));
    const fitting = rankHint(this.context, value, subject, wanted);
    fail(
      this.context,
      'shape-mismatch',
      subject.span,
      `${subject.text} is ${describe(value)}, where ${typeText(this.context, type)} is declared: the ranks differ`,
      {
        labels: [{ span: type.span, text: 'declared here' }, ...bindingLabel(value)],
        hint: wanted.some((size) => unknownsIn(size).length > 0)
          ? (fitting ?? oneAxisMoreHint(value, type))
          : (oneAxisMoreHint(value, type) ?? fitting),
      },
    );
    return undefined;
  }

  #solve(pattern: Dim, actual: Dim, at: Span): 'equal' | 'bound' | 'differs' | 'later' {
    const solved = solveSize(pattern, actual, (name) => this.#size(name));
    if (solved.kind !== 'bound') return solved.kind;
    const binding = this.scope.lookup(solved.name);
    if (binding instanceof GenericBinding) binding.bind(sizeValue(solved.dim), at);
    return 'bound';
  }

  #size(name: string): Dim | undefined {
    const binding = this.scope.lookup(name);
    if (!(binding instanceof GenericBinding) || binding.known === undefined) return undefined;
    return dimOf(binding.known);
  }

  /** The pattern with what is known by now. */
  #known(pattern: Dim): Dim {
    const values = new Map<string, Dim>();
    for (const name of pattern.names) {
      const dim = isUnknown(name) ? this.#size(name.slice(1)) : undefined;
      if (dim !== undefined) values.set(name, dim);
    }
    return pattern.substitute(values);
  }

  #sizeText(pattern: Dim): string {
    return pattern.toString().replaceAll('?', '');
  }

  #mismatch(value: Value, type: TypeExpression, subject: Subject, said: { readonly what?: string; readonly hint?: string } = {}): Value {
    const what = said.what ?? typeText(this.context, type);
    return fail(this.context, 'type-mismatch', subject.span, `${subject.text} is ${describe(value)}, where ${what} is declared`, {
      labels: [{ span: type.span, text: 'declared here' }],
      hint: said.hint ?? kindHint(value, type),
    });
  }
}

/** A tuple and an instance, which stands for its params, as the list that is declared. */
const listed = (value: Value): Value => (value.kind === 'tuple' ? list(value.items) : value.kind === 'instance' ? paramsOf(value) : value);
