// The syntax tree: what stands at the top of a file, and in models and optimizers. In: what the parser read. Out: the
// checker and the printer. Holds: `doc` is the text of the `///` lines before a declaration, `null` if there are none.

import type { ComparisonOperator, Expression, StringExpression } from './ast-expressions.js';
import type { Identifier } from './ast-names.js';
import type { Block } from './ast-statements.js';
import type { GenericArgument, SizeExpression, TypeExpression } from './ast-types.js';
import type { Span } from './span.js';

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
  | BindingDeclaration;

/** `import { a, b as c } from "std/nn"` */
export interface ImportDeclaration {
  readonly kind: 'import';
  readonly specifiers: readonly ImportSpecifier[];
  readonly from: StringExpression;
  readonly doc: string | null;
  readonly span: Span;
}

/** `imported as local`; without `as` both are the same identifier. */
export interface ImportSpecifier {
  readonly kind: 'import-specifier';
  readonly imported: Identifier;
  readonly local: Identifier;
  readonly span: Span;
}

/** `const eps = 1e-6`, `const eps: f32 = 1e-6` */
export interface ConstDeclaration {
  readonly kind: 'const';
  readonly name: Identifier;
  readonly type: TypeExpression | null;
  readonly value: Expression;
  readonly doc: string | null;
  readonly span: Span;
}

/** `dim Hidden = 300`, `dim Wide = 4 * Hidden` */
export interface DimDeclaration {
  readonly kind: 'dim';
  readonly name: Identifier;
  readonly value: SizeExpression;
  readonly doc: string | null;
  readonly span: Span;
}

/** `param w: f32[N, 1] = uniform(-1, 1)`, at top level or in a model. Without `initial` it starts uninitialized. */
export interface ParamDeclaration {
  readonly kind: 'param';
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly initial: Expression | null;
  readonly doc: string | null;
  readonly span: Span;
}

/** `state t: i32 = 0`, at top level or in a model; `state v = zeros()` in an optimizer, where the type is the trained param's. */
export interface StateDeclaration {
  readonly kind: 'state';
  readonly name: Identifier;
  readonly type: TypeExpression | null;
  readonly initial: Expression | null;
  readonly doc: string | null;
  readonly span: Span;
}

/** `fn f<B, T: float, ...S>(x: T[B, ...S]): T[B] where B > 1 = e vjp (g) => e`, at top level or in a model. */
export interface FnDeclaration {
  readonly kind: 'fn';
  readonly exported: boolean;
  readonly name: Identifier;
  readonly generics: readonly GenericParameter[];
  readonly parameters: readonly Parameter[];
  /** Absent: the result's type is that of the body. */
  readonly result: TypeExpression | null;
  readonly facts: readonly Fact[];
  readonly body: Body;
  readonly vjp: VjpRule | null;
  readonly doc: string | null;
  readonly span: Span;
}

/** The author's derivative rule `vjp (g) => e`. The parameters of the function are visible in it. */
export interface VjpRule {
  readonly kind: 'vjp';
  readonly parameters: readonly Identifier[];
  readonly body: Body;
  readonly span: Span;
}

/** `export step train<B>(x: f32[B]): { loss: f32 } { … }`; without `export` in a model, whose states it assigns. */
export interface StepDeclaration {
  readonly kind: 'step';
  readonly name: Identifier;
  readonly generics: readonly GenericParameter[];
  readonly parameters: readonly Parameter[];
  readonly result: TypeExpression | null;
  readonly facts: readonly Fact[];
  readonly body: Body;
  readonly doc: string | null;
  readonly span: Span;
}

/** `model M<In, Out>(act: fn = identity) where In > 0 { … }` */
export interface ModelDeclaration {
  readonly kind: 'model';
  readonly name: Identifier;
  readonly generics: readonly GenericParameter[];
  readonly parameters: readonly Parameter[];
  readonly facts: readonly Fact[];
  readonly members: readonly ModelMember[];
  readonly doc: string | null;
  readonly span: Span;
}

/** `exported` is false in every function that is a member; a step that is one is called by steps alone. */
export type ModelMember = ParamDeclaration | StateDeclaration | FnDeclaration | StepDeclaration | BindingDeclaration;

/** `optimizer momentum(lr: f32, beta: f32 = 0.9) { state v = zeros() update(p, g) { … } }` */
export interface OptimizerDeclaration {
  readonly kind: 'optimizer';
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly states: readonly StateDeclaration[];
  readonly update: UpdateRule;
  readonly doc: string | null;
  readonly span: Span;
}

/** `update(p, g) { … }`: what happens to each trained param, whose value and gradient the two names stand for. */
export interface UpdateRule {
  readonly kind: 'update';
  readonly parameter: Identifier;
  readonly gradient: Identifier;
  readonly body: Block;
  readonly doc: string | null;
  readonly span: Span;
}

/** `net = Mlp<10>()` at top level; `hidden1 = Dense<784, 300>(act: relu)` in a model. */
export interface BindingDeclaration {
  readonly kind: 'binding';
  readonly name: Identifier;
  readonly value: Expression;
  readonly doc: string | null;
  readonly span: Span;
}

/** `x: f32[B]`, `beta: f32 = 0.9` */
export interface Parameter {
  readonly kind: 'parameter';
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly initial: Expression | null;
  readonly span: Span;
}

/** `B` (a size), `T: float = f32` (a dtype with its bound and a default), `...S` (`variadic`: a list of sizes). */
export interface GenericParameter {
  readonly kind: 'generic-parameter';
  readonly name: Identifier;
  readonly variadic: boolean;
  readonly bound: Identifier | null;
  readonly initial: GenericArgument | null;
  readonly span: Span;
}

/** One declared fact about sizes: `D > 1`, `D % Heads == 0`. Facts are separated by `,` or `&&`. */
export interface Fact {
  readonly kind: 'fact';
  readonly operator: ComparisonOperator;
  readonly left: SizeExpression;
  readonly right: SizeExpression;
  readonly span: Span;
}

/** `= e` gives an expression, `{ … }` a block. A lambda's `{` opens a block too, as in TypeScript. */
export type Body = Expression | Block;
