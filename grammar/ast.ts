// The syntax tree of TDSL. In: what the parser read. Out: what the checker and the printer take.
// Holds: every node is immutable, has a `kind` and a `span`, and holds its children in the order of the text.
// The tree says what was written, not what it means: no name is resolved here. Parentheses leave no node; the span
// of a parenthesised expression includes them. `missing`, `missing-type` and `missing-size` stand where the parser
// found a mistake: a tree that came without problems has none, and whoever meets one stays silent about it.

import type { Declaration, Fact, GenericParameter, ImportSpecifier, Parameter, UpdateRule, VjpRule } from './ast-declarations.js';
import type {
  Argument,
  EllipsisIndex,
  Expression,
  ForClause,
  IndexVariable,
  RangeIterable,
  RecordField,
  SliceIndex,
} from './ast-expressions.js';
import type { Identifier } from './ast-names.js';
import type { Block, Pattern, Statement } from './ast-statements.js';
import type { Dimension, FnSignature, RecordTypeField, TypeExpression } from './ast-types.js';
import type { Source, Span } from './span.js';

export type * from './ast-declarations.js';
export type * from './ast-expressions.js';
export type * from './ast-names.js';
export type * from './ast-statements.js';
export type * from './ast-types.js';

/** One file. */
export interface Program {
  readonly kind: 'program';
  readonly source: Source;
  readonly declarations: readonly Declaration[];
  /** Every comment in the order of the text, doc comments included; the printer puts them back. */
  readonly comments: readonly Comment[];
  readonly span: Span;
}

/**
 * `line`: `// …`; `doc`: `/// …`; `block`: between slash-star and star-slash. `text` is the comment with its marks, without the line's end.
 */
export interface Comment {
  readonly kind: 'comment';
  readonly style: 'line' | 'doc' | 'block';
  readonly text: string;
  readonly span: Span;
}

/** Every node that a walk over a program may meet. */
export type Node =
  | Program
  | Declaration
  | ImportSpecifier
  | VjpRule
  | UpdateRule
  | Parameter
  | GenericParameter
  | Fact
  | TypeExpression
  | RecordTypeField
  | FnSignature
  | Dimension
  | Block
  | Statement
  | Pattern
  | Expression
  | Argument
  | IndexVariable
  | SliceIndex
  | EllipsisIndex
  | RangeIterable
  | ForClause
  | RecordField
  | Identifier;
