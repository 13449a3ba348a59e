// The syntax tree: types and sizes. In: what the parser read. Out: the checker and the printer. Holds: names are not resolved,
// so a name may turn out to be a dtype, a generic, a dim or a model.

import type { Identifier } from './ast-names.js';
import type { Span } from './span.js';

export type TypeExpression = NamedType | RecordType | TupleType | FnType | MissingType;

/**
 * `f32` (`dims` null), `f32[B, 784]`, `T[...S]`, or the name of a model: `Dense<4, 4>` (`generics` not null).
 * Whether the name is a dtype, a generic or a model is for the checker to find.
 */
export interface NamedType {
  readonly kind: 'named-type';
  readonly name: Identifier;
  readonly generics: readonly GenericArgument[] | null;
  readonly dims: readonly Dimension[] | null;
  readonly span: Span;
}

/** `{ loss: f32, accuracy: f32 }` */
export interface RecordType {
  readonly kind: 'record-type';
  readonly fields: readonly RecordTypeField[];
  readonly span: Span;
}

export interface RecordTypeField {
  readonly kind: 'record-type-field';
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly span: Span;
}

/** `(f32, f32[B])`: two elements or more; `(f32)` is `f32`. */
export interface TupleType {
  readonly kind: 'tuple-type';
  readonly elements: readonly TypeExpression[];
  readonly span: Span;
}

/** `fn` (`signature` null: any function) or `fn(f32[B]): f32[B]` */
export interface FnType {
  readonly kind: 'fn-type';
  readonly signature: FnSignature | null;
  readonly span: Span;
}

export interface FnSignature {
  readonly kind: 'fn-signature';
  readonly parameters: readonly TypeExpression[];
  readonly result: TypeExpression;
  readonly span: Span;
}

export interface MissingType {
  readonly kind: 'missing-type';
  readonly span: Span;
}

/** One entry between the brackets of a tensor type. */
export type Dimension = SizeExpression | RankSpread;

/** `...S` */
export interface RankSpread {
  readonly kind: 'rank-spread';
  readonly name: Identifier;
  readonly span: Span;
}

/** What stands in `Dense<784, 300>(…)`. A bare name (`size-name`) may name a dtype: the checker decides. */
export type GenericArgument = Dimension;

export type SizeExpression = SizeLiteral | SizeName | SizeElement | SizeNegation | SizeBinary | MissingSize;

export interface SizeLiteral {
  readonly kind: 'size-literal';
  readonly value: number;
  readonly span: Span;
}

export interface SizeName {
  readonly kind: 'size-name';
  readonly name: string;
  readonly span: Span;
}

/** `sizes[i + 1]`: an element of a list that is known when compiling. */
export interface SizeElement {
  readonly kind: 'size-element';
  readonly list: SizeName | SizeElement;
  readonly index: SizeExpression;
  readonly span: Span;
}

export interface SizeNegation {
  readonly kind: 'size-negation';
  readonly operand: SizeExpression;
  readonly span: Span;
}

export type SizeOperator = '+' | '-' | '*' | '/' | '%' | '**';

export interface SizeBinary {
  readonly kind: 'size-binary';
  readonly operator: SizeOperator;
  readonly left: SizeExpression;
  readonly right: SizeExpression;
  readonly span: Span;
}

export interface MissingSize {
  readonly kind: 'missing-size';
  readonly span: Span;
}
