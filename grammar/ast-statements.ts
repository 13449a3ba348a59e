// The syntax tree: blocks, statements and patterns. In: what the parser read. Out: the checker and the printer. Holds: the
// grammar lets every statement stand in every block; where a kind has no meaning, the checker says so.

import type { Expression, IndexExpression, MemberExpression, NameExpression, StringExpression } from './ast-expressions.js';
import type { Identifier } from './ast-names.js';
import type { TypeExpression } from './ast-types.js';
import type { Span } from './span.js';

/** `{ … }` around statements. */
export interface Block {
  readonly kind: 'block';
  readonly statements: readonly Statement[];
  readonly span: Span;
}

export type Statement =
  | LetStatement
  | AssignStatement
  | MinimizeStatement
  | UpdateStatement
  | IfStatement
  | PrecisionStatement
  | ScopeStatement
  | SummaryStatement
  | ReturnStatement
  | YieldStatement
  | ExpressionStatement;

/** What `let` and loops bind: a name, or a tuple of patterns (two or more). */
export type Pattern = NamePattern | TuplePattern;

export interface NamePattern {
  readonly kind: 'name-pattern';
  readonly name: string;
  readonly span: Span;
}

export interface TuplePattern {
  readonly kind: 'tuple-pattern';
  readonly elements: readonly Pattern[];
  readonly span: Span;
}

/** `let z = x @ w + b`, `let (a, b) = f(x)`, `let z: f32[B] = …` */
export interface LetStatement {
  readonly kind: 'let';
  readonly pattern: Pattern;
  readonly type: TypeExpression | null;
  readonly value: Expression;
  readonly span: Span;
}

/** `x <- e`, `net.bias <- e`; which targets are variables is for the checker. */
export interface AssignStatement {
  readonly kind: 'assign';
  readonly target: AssignTarget;
  readonly value: Expression;
  readonly span: Span;
}

export type AssignTarget = NameExpression | MemberExpression | IndexExpression;

/** `minimize loss with sgd(lr: 0.1) over [w, b]` */
export interface MinimizeStatement {
  readonly kind: 'minimize';
  readonly loss: Expression;
  readonly optimizer: Expression;
  readonly over: Expression | null;
  readonly span: Span;
}

/** `update net with adam(lr: 1e-3) by g` */
export interface UpdateStatement {
  readonly kind: 'update-statement';
  readonly target: Expression;
  readonly optimizer: Expression;
  readonly gradients: Expression;
  readonly span: Span;
}

/** `if c { … } else { … }`; `else if` is an `if` in the place of the second block. */
export interface IfStatement {
  readonly kind: 'if-statement';
  readonly condition: Expression;
  readonly whenTrue: Block;
  readonly whenFalse: Block | IfStatement | null;
  readonly span: Span;
}

/** `precision bf16 { … }`: hides nothing. */
export interface PrecisionStatement {
  readonly kind: 'precision';
  readonly dtype: Identifier;
  readonly body: Block;
  readonly span: Span;
}

/** `scope "loss" { … }`: names, hides nothing. */
export interface ScopeStatement {
  readonly kind: 'scope';
  readonly name: StringExpression;
  readonly body: Block;
  readonly span: Span;
}

/** `summary scalar("mse", mse)`, `summary histogram("w", w)` */
export interface SummaryStatement {
  readonly kind: 'summary';
  readonly summary: 'scalar' | 'histogram';
  readonly name: StringExpression;
  readonly value: Expression;
  readonly span: Span;
}

export interface ReturnStatement {
  readonly kind: 'return';
  readonly value: Expression;
  readonly span: Span;
}

/** `yield (hNext, y)` in the body of a `scan`. */
export interface YieldStatement {
  readonly kind: 'yield';
  readonly value: Expression;
  readonly span: Span;
}

/** A bare expression: the value of a loop's body when it is its last statement. */
export interface ExpressionStatement {
  readonly kind: 'expression-statement';
  readonly expression: Expression;
  readonly span: Span;
}
