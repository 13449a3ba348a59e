// The syntax tree: expressions. In: what the parser read. Out: the checker and the printer. Holds: parentheses leave no node;
// `missing` stands where an operand should have been.

import type { Body } from './ast-declarations.js';
import type { Identifier } from './ast-names.js';
import type { Block, Pattern } from './ast-statements.js';
import type { GenericArgument } from './ast-types.js';
import type { Span } from './span.js';

export type Expression =
  | NumberExpression
  | StringExpression
  | BooleanExpression
  | NameExpression
  | MemberExpression
  | CallExpression
  | IndexExpression
  | ListExpression
  | ComprehensionExpression
  | RecordExpression
  | TupleExpression
  | LambdaExpression
  | IndexNotation
  | ReductionExpression
  | OutsideExpression
  | IfExpression
  | FoldExpression
  | ScanExpression
  | WhileExpression
  | UnaryExpression
  | BinaryExpression
  | MissingExpression;

/** `text` is as written, for integers beyond 2⁵³; `integer` when it has neither point nor exponent. Never negative. */
export interface NumberExpression {
  readonly kind: 'number';
  readonly text: string;
  readonly value: number;
  readonly integer: boolean;
  readonly span: Span;
}

/** `value` has its escapes resolved. */
export interface StringExpression {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
}

export interface BooleanExpression {
  readonly kind: 'boolean';
  readonly value: boolean;
  readonly span: Span;
}

export interface NameExpression {
  readonly kind: 'name';
  readonly name: string;
  readonly span: Span;
}

/** `net.hidden1` */
export interface MemberExpression {
  readonly kind: 'member';
  readonly object: Expression;
  readonly member: Identifier;
  readonly span: Span;
}

/** `f(x, axis: 0)`, `Dense<784, 300>(act: relu)`, `f32(x)`; `generics` is null when there are no `<…>`. */
export interface CallExpression {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly generics: readonly GenericArgument[] | null;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

/** `e` (`name` null) or `name: e`. */
export interface Argument {
  readonly kind: 'argument';
  readonly name: Identifier | null;
  readonly value: Expression;
  readonly span: Span;
}

/** `x[i]`, `x[1:, ..., ::2]`, `table[ids]`: one index or more. */
export interface IndexExpression {
  readonly kind: 'index';
  readonly object: Expression;
  readonly indices: readonly Index[];
  readonly span: Span;
}

export type Index = Expression | SliceIndex | EllipsisIndex;

/** `start:stop:step`, each of which may be absent. */
export interface SliceIndex {
  readonly kind: 'slice';
  readonly start: Expression | null;
  readonly stop: Expression | null;
  readonly step: Expression | null;
  readonly span: Span;
}

/** `...` */
export interface EllipsisIndex {
  readonly kind: 'ellipsis';
  readonly span: Span;
}

/** `[a, b, c]`, `[]` */
export interface ListExpression {
  readonly kind: 'list';
  readonly elements: readonly Expression[];
  readonly span: Span;
}

/** `[relu(X) for relu in relus]`, `[f(i, j) for i in 0..5 for j in 0..i]`: one clause or more, the last one runs fastest. */
export interface ComprehensionExpression {
  readonly kind: 'comprehension';
  readonly element: Expression;
  readonly clauses: readonly ForClause[];
  readonly span: Span;
}

/** `for i in 0..5`: what it binds is visible in the clauses after it. */
export interface ForClause {
  readonly kind: 'for-clause';
  readonly pattern: Pattern;
  readonly iterable: Iterable;
  readonly span: Span;
}

/** What a loop or a comprehension runs over. */
export type Iterable = Expression | RangeIterable;

/** `start..stop`: `stop` is not included. */
export interface RangeIterable {
  readonly kind: 'range';
  readonly start: Expression;
  readonly stop: Expression;
  readonly span: Span;
}

/** `{ loss, accuracy: a }` */
export interface RecordExpression {
  readonly kind: 'record';
  readonly fields: readonly RecordField[];
  readonly span: Span;
}

/** With `shorthand`, `value` is the name itself. */
export interface RecordField {
  readonly kind: 'record-field';
  readonly name: Identifier;
  readonly value: Expression;
  readonly shorthand: boolean;
  readonly span: Span;
}

/** `(a, b)`: two elements or more; `(a)` is `a`. */
export interface TupleExpression {
  readonly kind: 'tuple';
  readonly elements: readonly Expression[];
  readonly span: Span;
}

/** `x => x * x`, `(x, y) => x + y`, `() => 0` */
export interface LambdaExpression {
  readonly kind: 'lambda';
  readonly parameters: readonly Identifier[];
  readonly body: Body;
  readonly span: Span;
}

/** `[b, y in 0..H, o] => e`: a tensor as a function of its indices, of which there is one at least. */
export interface IndexNotation {
  readonly kind: 'index-notation';
  readonly indices: readonly IndexVariable[];
  readonly body: Body;
  readonly span: Span;
}

/** `b` (`range` null: the axes where it stands say it) or `y in 0..H`. */
export interface IndexVariable {
  readonly kind: 'index-variable';
  readonly name: Identifier;
  readonly range: RangeIterable | null;
  readonly span: Span;
}

/** `sum[i, j](e)`: e combined over indices, of which there is one at least. */
export interface ReductionExpression {
  readonly kind: 'reduction';
  readonly reduction: ReductionName;
  readonly nameSpan: Span;
  readonly indices: readonly IndexVariable[];
  readonly element: Expression;
  readonly span: Span;
}

export type ReductionName = 'sum' | 'mean' | 'max' | 'min' | 'product' | 'any' | 'all';

/** `x[i - 1] ?? 0`: what stands outside of a tensor. */
export interface OutsideExpression {
  readonly kind: 'outside';
  readonly inside: Expression;
  readonly outside: Expression;
  readonly span: Span;
}

/** `if c then a else b` */
export interface IfExpression {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
  readonly span: Span;
}

/** `fold i in 0..100 with z = 0.0 { … }`: the last expression of the body is the next `z`. */
export interface FoldExpression {
  readonly kind: 'fold';
  readonly variable: Pattern;
  readonly iterable: Iterable;
  readonly carry: Pattern;
  readonly initial: Expression;
  readonly body: Block;
  readonly span: Span;
}

/** `scan t in 0..T with h = h0 { … yield (hNext, y) }` */
export interface ScanExpression {
  readonly kind: 'scan';
  readonly variable: Pattern;
  readonly iterable: Iterable;
  readonly carry: Pattern;
  readonly initial: Expression;
  readonly body: Block;
  readonly span: Span;
}

/** `while z < 100.0 with z = 1.0 limit 50 { z * 2 }`: the carry is visible in the condition. */
export interface WhileExpression {
  readonly kind: 'while';
  readonly condition: Expression;
  readonly carry: Pattern;
  readonly initial: Expression;
  readonly limit: Expression | null;
  readonly body: Block;
  readonly span: Span;
}

export type UnaryOperator = '-' | '!';

export interface UnaryExpression {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
  readonly span: Span;
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '**' | '@';
export type LogicalOperator = '&&' | '||';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | LogicalOperator;

export interface BinaryExpression {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** Where the operator itself stands. */
  readonly operatorSpan: Span;
  readonly span: Span;
}

export interface MissingExpression {
  readonly kind: 'missing';
  readonly span: Span;
}
