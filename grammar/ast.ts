// The syntax tree of TDSL. In: what the parser read. Out: what the checker and the printer take.
// Holds: every node is immutable, has a `kind` and a `span`, and holds its children in the order of the text.
// The tree says what was written, not what it means: no name is resolved here. Parentheses leave no node; the span
// of a parenthesised expression includes them. `missing`, `missing-type` and `missing-size` stand where the parser
// found a mistake: a tree that came without problems has none, and whoever meets one stays silent about it.

import type { Source, Span } from './span.js'

/** A name at a place where it is declared or used as a label. Never empty. */
export interface Identifier {
  readonly kind: 'identifier'
  readonly text: string
  readonly span: Span
}

/** One file. */
export interface Program {
  readonly kind: 'program'
  readonly source: Source
  readonly declarations: readonly Declaration[]
  /** Every comment in the order of the text, doc comments included; the printer puts them back. */
  readonly comments: readonly Comment[]
  readonly span: Span
}

/** `line`: `// …`; `doc`: `/// …`; `block`: between slash-star and star-slash. `text` is the comment with its marks, without the line's end. */
export interface Comment {
  readonly kind: 'comment'
  readonly style: 'line' | 'doc' | 'block'
  readonly text: string
  readonly span: Span
}

// ---------------------------------------------------------------------------------------------------- declarations

export type Declaration =
  | ImportDeclaration
  | ConstDeclaration
  | DimDeclaration
  | ParamDeclaration
  | StateDeclaration
  | FnDeclaration
  | StepDeclaration
  | ModelDeclaration
  | OptimizerDeclaration
  | BindingDeclaration

/** `import { a, b as c } from "std/nn"` */
export interface ImportDeclaration {
  readonly kind: 'import'
  readonly specifiers: readonly ImportSpecifier[]
  readonly from: StringExpression
  readonly doc: string | null
  readonly span: Span
}

/** `imported as local`; without `as` both are the same identifier. */
export interface ImportSpecifier {
  readonly kind: 'import-specifier'
  readonly imported: Identifier
  readonly local: Identifier
  readonly span: Span
}

/** `const eps = 1e-6`, `const eps: f32 = 1e-6` */
export interface ConstDeclaration {
  readonly kind: 'const'
  readonly name: Identifier
  readonly type: TypeExpression | null
  readonly value: Expression
  readonly doc: string | null
  readonly span: Span
}

/** `dim Hidden = 300`, `dim Wide = 4 * Hidden` */
export interface DimDeclaration {
  readonly kind: 'dim'
  readonly name: Identifier
  readonly value: SizeExpression
  readonly doc: string | null
  readonly span: Span
}

/** `param w: f32[N, 1] = uniform(-1, 1)`, at top level or in a model. Without `initial` it starts uninitialized. */
export interface ParamDeclaration {
  readonly kind: 'param'
  readonly name: Identifier
  readonly type: TypeExpression
  readonly initial: Expression | null
  readonly doc: string | null
  readonly span: Span
}

/** `state t: i32 = 0`, at top level or in a model; `state v = zeros()` in an optimizer, where the type is the trained param's. */
export interface StateDeclaration {
  readonly kind: 'state'
  readonly name: Identifier
  readonly type: TypeExpression | null
  readonly initial: Expression | null
  readonly doc: string | null
  readonly span: Span
}

/** `fn f<B, T: float, ...S>(x: T[B, ...S]): T[B] where B > 1 = e vjp (g) => e`, at top level or in a model. */
export interface FnDeclaration {
  readonly kind: 'fn'
  readonly exported: boolean
  readonly name: Identifier
  readonly generics: readonly GenericParameter[]
  readonly parameters: readonly Parameter[]
  /** Absent: the result's type is that of the body. */
  readonly result: TypeExpression | null
  readonly facts: readonly Fact[]
  readonly body: Body
  readonly vjp: VjpRule | null
  readonly doc: string | null
  readonly span: Span
}

/** The author's derivative rule `vjp (g) => e`. The parameters of the function are visible in it. */
export interface VjpRule {
  readonly kind: 'vjp'
  readonly parameters: readonly Identifier[]
  readonly body: Body
  readonly span: Span
}

/** `export step train<B>(x: f32[B]): { loss: f32 } { … }`. A step is always exported. */
export interface StepDeclaration {
  readonly kind: 'step'
  readonly name: Identifier
  readonly generics: readonly GenericParameter[]
  readonly parameters: readonly Parameter[]
  readonly result: TypeExpression | null
  readonly facts: readonly Fact[]
  readonly body: Body
  readonly doc: string | null
  readonly span: Span
}

/** `model M<In, Out>(act: fn = identity) where In > 0 { … }` */
export interface ModelDeclaration {
  readonly kind: 'model'
  readonly name: Identifier
  readonly generics: readonly GenericParameter[]
  readonly parameters: readonly Parameter[]
  readonly facts: readonly Fact[]
  readonly members: readonly ModelMember[]
  readonly doc: string | null
  readonly span: Span
}

/** `exported` is false in every function that is a member. */
export type ModelMember = ParamDeclaration | StateDeclaration | FnDeclaration | BindingDeclaration

/** `optimizer momentum(lr: f32, beta: f32 = 0.9) { state v = zeros() update(p, g) { … } }` */
export interface OptimizerDeclaration {
  readonly kind: 'optimizer'
  readonly name: Identifier
  readonly parameters: readonly Parameter[]
  readonly states: readonly StateDeclaration[]
  readonly update: UpdateRule
  readonly doc: string | null
  readonly span: Span
}

/** `update(p, g) { … }`: what happens to each trained param, whose value and gradient the two names stand for. */
export interface UpdateRule {
  readonly kind: 'update'
  readonly parameter: Identifier
  readonly gradient: Identifier
  readonly body: Block
  readonly doc: string | null
  readonly span: Span
}

/** `net = Mlp<10>()` at top level; `hidden1 = Dense<784, 300>(act: relu)` in a model. */
export interface BindingDeclaration {
  readonly kind: 'binding'
  readonly name: Identifier
  readonly value: Expression
  readonly doc: string | null
  readonly span: Span
}

/** `x: f32[B]`, `beta: f32 = 0.9` */
export interface Parameter {
  readonly kind: 'parameter'
  readonly name: Identifier
  readonly type: TypeExpression
  readonly initial: Expression | null
  readonly span: Span
}

/** `B` (a size), `T: float` (a dtype with its bound), `...S` (`variadic`: a list of sizes). */
export interface GenericParameter {
  readonly kind: 'generic-parameter'
  readonly name: Identifier
  readonly variadic: boolean
  readonly bound: Identifier | null
  readonly span: Span
}

/** One declared fact about sizes: `D > 1`, `D % Heads == 0`. Facts are separated by `,` or `&&`. */
export interface Fact {
  readonly kind: 'fact'
  readonly operator: ComparisonOperator
  readonly left: SizeExpression
  readonly right: SizeExpression
  readonly span: Span
}

/** `= e` gives an expression, `{ … }` a block. A lambda's `{` opens a block too, as in TypeScript. */
export type Body = Expression | Block

// ----------------------------------------------------------------------------------------------------------- types

export type TypeExpression = NamedType | RecordType | TupleType | FnType | MissingType

/**
 * `f32` (`dims` null), `f32[B, 784]`, `T[...S]`, or the name of a model: `Dense<4, 4>` (`generics` not null).
 * Whether the name is a dtype, a generic or a model is for the checker to find.
 */
export interface NamedType {
  readonly kind: 'named-type'
  readonly name: Identifier
  readonly generics: readonly GenericArgument[] | null
  readonly dims: readonly Dimension[] | null
  readonly span: Span
}

/** `{ loss: f32, accuracy: f32 }` */
export interface RecordType {
  readonly kind: 'record-type'
  readonly fields: readonly RecordTypeField[]
  readonly span: Span
}

export interface RecordTypeField {
  readonly kind: 'record-type-field'
  readonly name: Identifier
  readonly type: TypeExpression
  readonly span: Span
}

/** `(f32, f32[B])`: two elements or more; `(f32)` is `f32`. */
export interface TupleType {
  readonly kind: 'tuple-type'
  readonly elements: readonly TypeExpression[]
  readonly span: Span
}

/** `fn` (`signature` null: any function) or `fn(f32[B]): f32[B]` */
export interface FnType {
  readonly kind: 'fn-type'
  readonly signature: FnSignature | null
  readonly span: Span
}

export interface FnSignature {
  readonly kind: 'fn-signature'
  readonly parameters: readonly TypeExpression[]
  readonly result: TypeExpression
  readonly span: Span
}

export interface MissingType {
  readonly kind: 'missing-type'
  readonly span: Span
}

/** One entry between the brackets of a tensor type. */
export type Dimension = SizeExpression | RankSpread

/** `...S` */
export interface RankSpread {
  readonly kind: 'rank-spread'
  readonly name: Identifier
  readonly span: Span
}

/** What stands in `Dense<784, 300>(…)`. A bare name (`size-name`) may name a dtype: the checker decides. */
export type GenericArgument = Dimension

export type SizeExpression = SizeLiteral | SizeName | SizeNegation | SizeBinary | MissingSize

export interface SizeLiteral {
  readonly kind: 'size-literal'
  readonly value: number
  readonly span: Span
}

export interface SizeName {
  readonly kind: 'size-name'
  readonly name: string
  readonly span: Span
}

export interface SizeNegation {
  readonly kind: 'size-negation'
  readonly operand: SizeExpression
  readonly span: Span
}

export type SizeOperator = '+' | '-' | '*' | '/' | '%'

export interface SizeBinary {
  readonly kind: 'size-binary'
  readonly operator: SizeOperator
  readonly left: SizeExpression
  readonly right: SizeExpression
  readonly span: Span
}

export interface MissingSize {
  readonly kind: 'missing-size'
  readonly span: Span
}

// ------------------------------------------------------------------------------------------------------ statements

/** `{ … }` around statements. */
export interface Block {
  readonly kind: 'block'
  readonly statements: readonly Statement[]
  readonly span: Span
}

export type Statement =
  | LetStatement
  | AssignStatement
  | MinimizeStatement
  | ScopeStatement
  | SummaryStatement
  | ReturnStatement
  | YieldStatement
  | ExpressionStatement

/** What `let` and loops bind: a name, or a tuple of patterns (two or more). */
export type Pattern = NamePattern | TuplePattern

export interface NamePattern {
  readonly kind: 'name-pattern'
  readonly name: string
  readonly span: Span
}

export interface TuplePattern {
  readonly kind: 'tuple-pattern'
  readonly elements: readonly Pattern[]
  readonly span: Span
}

/** `let z = x @ w + b`, `let (a, b) = f(x)`, `let z: f32[B] = …` */
export interface LetStatement {
  readonly kind: 'let'
  readonly pattern: Pattern
  readonly type: TypeExpression | null
  readonly value: Expression
  readonly span: Span
}

/** `x <- e`, `net.bias <- e`; which targets are variables is for the checker. */
export interface AssignStatement {
  readonly kind: 'assign'
  readonly target: AssignTarget
  readonly value: Expression
  readonly span: Span
}

export type AssignTarget = NameExpression | MemberExpression | IndexExpression

/** `minimize loss with sgd(lr: 0.1) over [w, b]` */
export interface MinimizeStatement {
  readonly kind: 'minimize'
  readonly loss: Expression
  readonly optimizer: Expression
  readonly over: Expression | null
  readonly span: Span
}

/** `scope "loss" { … }`: names, hides nothing. */
export interface ScopeStatement {
  readonly kind: 'scope'
  readonly name: StringExpression
  readonly body: Block
  readonly span: Span
}

/** `summary scalar("mse", mse)`, `summary histogram("w", w)` */
export interface SummaryStatement {
  readonly kind: 'summary'
  readonly summary: 'scalar' | 'histogram'
  readonly name: StringExpression
  readonly value: Expression
  readonly span: Span
}

export interface ReturnStatement {
  readonly kind: 'return'
  readonly value: Expression
  readonly span: Span
}

/** `yield (hNext, y)` in the body of a `scan`. */
export interface YieldStatement {
  readonly kind: 'yield'
  readonly value: Expression
  readonly span: Span
}

/** A bare expression: the value of a loop's body when it is its last statement. */
export interface ExpressionStatement {
  readonly kind: 'expression-statement'
  readonly expression: Expression
  readonly span: Span
}

// ----------------------------------------------------------------------------------------------------- expressions

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
  | IfExpression
  | FoldExpression
  | ScanExpression
  | WhileExpression
  | UnaryExpression
  | BinaryExpression
  | MissingExpression

/** `text` is as written, for integers beyond 2⁵³; `integer` when it has neither point nor exponent. Never negative. */
export interface NumberExpression {
  readonly kind: 'number'
  readonly text: string
  readonly value: number
  readonly integer: boolean
  readonly span: Span
}

/** `value` has its escapes resolved. */
export interface StringExpression {
  readonly kind: 'string'
  readonly value: string
  readonly span: Span
}

export interface BooleanExpression {
  readonly kind: 'boolean'
  readonly value: boolean
  readonly span: Span
}

export interface NameExpression {
  readonly kind: 'name'
  readonly name: string
  readonly span: Span
}

/** `net.hidden1` */
export interface MemberExpression {
  readonly kind: 'member'
  readonly object: Expression
  readonly member: Identifier
  readonly span: Span
}

/** `f(x, axis: 0)`, `Dense<784, 300>(act: relu)`, `f32(x)`; `generics` is null when there are no `<…>`. */
export interface CallExpression {
  readonly kind: 'call'
  readonly callee: Expression
  readonly generics: readonly GenericArgument[] | null
  readonly arguments: readonly Argument[]
  readonly span: Span
}

/** `e` (`name` null) or `name: e`. */
export interface Argument {
  readonly kind: 'argument'
  readonly name: Identifier | null
  readonly value: Expression
  readonly span: Span
}

/** `x[i]`, `x[1:, ..., ::2]`, `table[ids]`: one index or more. */
export interface IndexExpression {
  readonly kind: 'index'
  readonly object: Expression
  readonly indices: readonly Index[]
  readonly span: Span
}

export type Index = Expression | SliceIndex | EllipsisIndex

/** `start:stop:step`, each of which may be absent. */
export interface SliceIndex {
  readonly kind: 'slice'
  readonly start: Expression | null
  readonly stop: Expression | null
  readonly step: Expression | null
  readonly span: Span
}

/** `...` */
export interface EllipsisIndex {
  readonly kind: 'ellipsis'
  readonly span: Span
}

/** `[a, b, c]`, `[]` */
export interface ListExpression {
  readonly kind: 'list'
  readonly elements: readonly Expression[]
  readonly span: Span
}

/** `[relu(X) for relu in relus]`, `[f(i) for i in 0..5]` */
export interface ComprehensionExpression {
  readonly kind: 'comprehension'
  readonly element: Expression
  readonly pattern: Pattern
  readonly iterable: Iterable
  readonly span: Span
}

/** What a loop or a comprehension runs over. */
export type Iterable = Expression | RangeIterable

/** `start..stop`: `stop` is not included. */
export interface RangeIterable {
  readonly kind: 'range'
  readonly start: Expression
  readonly stop: Expression
  readonly span: Span
}

/** `{ loss, accuracy: a }` */
export interface RecordExpression {
  readonly kind: 'record'
  readonly fields: readonly RecordField[]
  readonly span: Span
}

/** With `shorthand`, `value` is the name itself. */
export interface RecordField {
  readonly kind: 'record-field'
  readonly name: Identifier
  readonly value: Expression
  readonly shorthand: boolean
  readonly span: Span
}

/** `(a, b)`: two elements or more; `(a)` is `a`. */
export interface TupleExpression {
  readonly kind: 'tuple'
  readonly elements: readonly Expression[]
  readonly span: Span
}

/** `x => x * x`, `(x, y) => x + y`, `() => 0` */
export interface LambdaExpression {
  readonly kind: 'lambda'
  readonly parameters: readonly Identifier[]
  readonly body: Body
  readonly span: Span
}

/** `if c then a else b` */
export interface IfExpression {
  readonly kind: 'if'
  readonly condition: Expression
  readonly whenTrue: Expression
  readonly whenFalse: Expression
  readonly span: Span
}

/** `fold i in 0..100 with z = 0.0 { … }`: the last expression of the body is the next `z`. */
export interface FoldExpression {
  readonly kind: 'fold'
  readonly variable: Pattern
  readonly iterable: Iterable
  readonly carry: Pattern
  readonly initial: Expression
  readonly body: Block
  readonly span: Span
}

/** `scan t in 0..T with h = h0 { … yield (hNext, y) }` */
export interface ScanExpression {
  readonly kind: 'scan'
  readonly variable: Pattern
  readonly iterable: Iterable
  readonly carry: Pattern
  readonly initial: Expression
  readonly body: Block
  readonly span: Span
}

/** `while z < 100.0 with z = 1.0 { z * 2 }`: the carry is visible in the condition. */
export interface WhileExpression {
  readonly kind: 'while'
  readonly condition: Expression
  readonly carry: Pattern
  readonly initial: Expression
  readonly body: Block
  readonly span: Span
}

export type UnaryOperator = '-' | '!'

export interface UnaryExpression {
  readonly kind: 'unary'
  readonly operator: UnaryOperator
  readonly operand: Expression
  readonly span: Span
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '**' | '@'
export type LogicalOperator = '&&' | '||'
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | LogicalOperator

export interface BinaryExpression {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Expression
  readonly right: Expression
  /** Where the operator itself stands. */
  readonly operatorSpan: Span
  readonly span: Span
}

export interface MissingExpression {
  readonly kind: 'missing'
  readonly span: Span
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
  | SliceIndex
  | EllipsisIndex
  | RangeIterable
  | RecordField
  | Identifier
