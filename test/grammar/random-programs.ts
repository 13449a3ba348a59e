// Random trees. In: nothing. Out: generators of programs that no text gave, for round trips through the printer and the parser.
// Holds: names are often clause words; places are all the same; what the grammar cannot write (a tuple of one) is not made.

import fc from 'fast-check';
import type {
  Block,
  Body,
  Declaration,
  Dimension,
  Expression,
  Fact,
  FnDeclaration,
  GenericParameter,
  Identifier,
  Index,
  IndexVariable,
  Iterable,
  Parameter,
  Pattern,
  Program,
  SizeExpression,
  Statement,
  StringExpression,
  TypeExpression,
  VjpRule,
} from '../../grammar/index.js';
import { contextualWords } from '../../grammar/index.js';

const span = { source: 'x', start: 0, end: 0 };
const name = fc.constantFrom('a', 'b', 'x', 'f', 'net', 'f32', 'θ', '_1', ...contextualWords);
const identifier: fc.Arbitrary<Identifier> = name.map((text) => ({ kind: 'identifier', text, span }));
const list = <T>(one: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<T[]> => fc.array(one, { minLength, maxLength: minLength + 2 });
const string: fc.Arbitrary<StringExpression> = fc
  .string({ unit: 'binary', maxLength: 5 })
  .map((value) => ({ kind: 'string', value, span }));
const comparison = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
const doc = fc.option(fc.constantFrom('a doc', 'two\n\n  lines', '', '/ slash'));

const { size } = fc.letrec<{ size: SizeExpression }>((tie) => ({
  size: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.nat(1000).map((value) => ({ kind: 'size-literal' as const, value, span })),
    name.map((text) => ({ kind: 'size-name' as const, name: text, span })),
    fc.record({ kind: fc.constant('size-negation'), operand: tie('size'), span: fc.constant(span) }),
    fc.record({
      kind: fc.constant('size-element'),
      list: name.map((text) => ({ kind: 'size-name' as const, name: text, span })),
      index: tie('size'),
      span: fc.constant(span),
    }),
    fc.record({
      kind: fc.constant('size-binary'),
      operator: fc.constantFrom('+', '-', '*', '/', '%', '**'),
      left: tie('size'),
      right: tie('size'),
      span: fc.constant(span),
    }),
  ),
}));

const dimension: fc.Arbitrary<Dimension> = fc.oneof(
  size,
  identifier.map((it) => ({ kind: 'rank-spread' as const, name: it, span })),
);

const { type } = fc.letrec<{ type: TypeExpression }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      kind: fc.constant('named-type'),
      name: identifier,
      generics: fc.option(list(dimension)),
      dims: fc.option(list(dimension, 1)),
      span: fc.constant(span),
    }),
    fc.constant({ kind: 'fn-type' as const, signature: null, span }),
    list(fc.record({ kind: fc.constant('record-type-field'), name: identifier, type: tie('type'), span: fc.constant(span) })).map(
      (fields) => ({
        kind: 'record-type' as const,
        fields,
        span,
      }),
    ),
    list(tie('type'), 2).map((elements) => ({ kind: 'tuple-type' as const, elements, span })),
    fc.tuple(list(tie('type')), tie('type')).map(([parameters, result]) => ({
      kind: 'fn-type' as const,
      signature: { kind: 'fn-signature' as const, parameters, result, span },
      span,
    })),
  ),
}));

const { pattern } = fc.letrec<{ pattern: Pattern }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'xsmall', withCrossShrink: true },
    name.map((text) => ({ kind: 'name-pattern' as const, name: text, span })),
    list(tie('pattern'), 2).map((elements) => ({ kind: 'tuple-pattern' as const, elements, span })),
  ),
}));

// An alias: an interface would not do for a record of generators.
type Ties = {
  expression: Expression;
  iterable: Iterable;
  index: Index;
  indices: IndexVariable[];
  body: Body;
  block: Block;
  statement: Statement;
};

const nameExpression = name.map((text) => ({ kind: 'name' as const, name: text, span }));
const number = fc.constantFrom('0', '12', '9007199254740993', '1.5', '2e-3', '1E+6').map((text) => ({
  kind: 'number' as const,
  text,
  value: Number(text),
  integer: /^\d+$/.test(text),
  span,
}));

export const trees = fc.letrec<Ties>((tie) => {
  const e = tie('expression');
  const same = fc.constant(span);
  const member = fc.record({ kind: fc.constant('member'), object: e, member: identifier, span: same });
  const index = fc.record({ kind: fc.constant('index'), object: e, indices: list(tie('index'), 1), span: same });
  const loop = { carry: pattern, initial: e, body: tie('block'), span: same };
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      nameExpression,
      number,
      string,
      fc.boolean().map((value) => ({ kind: 'boolean' as const, value, span })),
      member,
      index,
      fc.record({
        kind: fc.constant('call'),
        callee: e,
        generics: fc.option(list(dimension)),
        arguments: list(fc.record({ kind: fc.constant('argument'), name: fc.option(identifier), value: e, span: same })),
        span: same,
      }),
      fc.record({ kind: fc.constant('unary'), operator: fc.constantFrom('-', '!'), operand: e, span: same }),
      fc.record({
        kind: fc.constant('binary'),
        operator: fc.oneof(comparison, fc.constantFrom('+', '-', '*', '/', '%', '**', '@', '&&', '||')),
        left: e,
        right: e,
        operatorSpan: same,
        span: same,
      }),
      list(e).map((elements) => ({ kind: 'list' as const, elements, span })),
      list(e, 2).map((elements) => ({ kind: 'tuple' as const, elements, span })),
      fc.record({
        kind: fc.constant('comprehension'),
        element: e,
        clauses: list(fc.record({ kind: fc.constant('for-clause'), pattern, iterable: tie('iterable'), span: same }), 1),
        span: same,
      }),
      list(
        fc.oneof(
          fc.record({ kind: fc.constant('record-field'), name: identifier, value: e, shorthand: fc.constant(false), span: same }),
          name.map((text) => ({
            kind: 'record-field' as const,
            name: { kind: 'identifier' as const, text, span },
            value: { kind: 'name' as const, name: text, span },
            shorthand: true,
            span,
          })),
        ),
      ).map((fields) => ({ kind: 'record' as const, fields, span })),
      fc.record({ kind: fc.constant('lambda'), parameters: list(identifier), body: tie('body'), span: same }),
      fc.record({ kind: fc.constant('index-notation'), indices: tie('indices'), body: tie('body'), span: same }),
      fc.record({
        kind: fc.constant('reduction'),
        reduction: fc.constantFrom('sum', 'mean', 'max', 'min', 'product', 'any', 'all'),
        nameSpan: same,
        indices: tie('indices'),
        element: e,
        span: same,
      }),
      fc.record({ kind: fc.constant('outside'), inside: e, outside: e, span: same }),
      fc.record({ kind: fc.constant('if'), condition: e, whenTrue: e, whenFalse: e, span: same }),
      fc.record({ kind: fc.constantFrom('fold', 'scan'), variable: pattern, iterable: tie('iterable'), ...loop }),
      fc.record({ kind: fc.constant('while'), condition: e, limit: fc.option(e), ...loop }),
    ),
    iterable: fc.oneof(e, fc.record({ kind: fc.constant('range'), start: e, stop: e, span: same })),
    indices: list(
      fc.record({
        kind: fc.constant('index-variable'),
        name: identifier,
        range: fc.option(fc.record({ kind: fc.constant('range'), start: e, stop: e, span: same })),
        span: same,
      }),
      1,
    ),
    index: fc.oneof(
      e,
      fc.constant({ kind: 'ellipsis' as const, span }),
      fc.record({ kind: fc.constant('slice'), start: fc.option(e), stop: fc.option(e), step: fc.option(e), span: same }),
    ),
    body: fc.oneof({ arbitrary: e, weight: 3 }, tie('block')),
    block: list(tie('statement')).map((statements) => ({ kind: 'block' as const, statements, span })),
    statement: fc.oneof(
      { depthSize: 'small' },
      e.map((expression) => ({ kind: 'expression-statement' as const, expression, span })),
      fc.record({ kind: fc.constant('let'), pattern, type: fc.option(type), value: e, span: same }),
      fc.record({ kind: fc.constant('assign'), target: fc.oneof(nameExpression, member, index), value: e, span: same }),
      fc.record({ kind: fc.constant('minimize'), loss: e, optimizer: e, over: fc.option(e), span: same }),
      fc.record({ kind: fc.constantFrom('return', 'yield'), value: e, span: same }),
      fc.record({ kind: fc.constant('summary'), summary: fc.constantFrom('scalar', 'histogram'), name: string, value: e, span: same }),
      fc.record({ kind: fc.constant('scope'), name: string, body: tie('block'), span: same }),
      fc.record({ kind: fc.constant('precision'), dtype: identifier, body: tie('block'), span: same }),
      fc.record({ kind: fc.constant('update-statement'), target: e, optimizer: e, gradients: e, span: same }),
      fc.record({
        kind: fc.constant('if-statement'),
        condition: e,
        whenTrue: tie('block'),
        whenFalse: fc.option(tie('block')),
        span: same,
      }),
    ),
  };
});

const same = fc.constant(span);
const e = trees.expression;
const fact: fc.Arbitrary<Fact> = fc.record({ kind: fc.constant('fact'), operator: comparison, left: size, right: size, span: same });
const generic: fc.Arbitrary<GenericParameter> = fc.record({
  kind: fc.constant('generic-parameter'),
  name: identifier,
  variadic: fc.boolean(),
  bound: fc.option(identifier),
  initial: fc.option(dimension),
  span: same,
});
const parameter: fc.Arbitrary<Parameter> = fc.record({
  kind: fc.constant('parameter'),
  name: identifier,
  type,
  initial: fc.option(e),
  span: same,
});
const signature = {
  name: identifier,
  generics: list(generic),
  parameters: list(parameter),
  result: fc.option(type),
  facts: list(fact),
  body: trees.body,
  doc,
  span: same,
};
const vjp: fc.Arbitrary<VjpRule> = fc.record({ kind: fc.constant('vjp'), parameters: list(identifier), body: trees.body, span: same });
const fn = (exported: fc.Arbitrary<boolean>): fc.Arbitrary<FnDeclaration> =>
  fc.record({ kind: fc.constant('fn'), exported, vjp: fc.option(vjp), ...signature });
const param = fc.record({ kind: fc.constant('param' as const), name: identifier, type, initial: fc.option(e), doc, span: same });
const state = fc.record({
  kind: fc.constant('state' as const),
  name: identifier,
  type: fc.option(type),
  initial: fc.option(e),
  doc,
  span: same,
});
const binding = fc.record({ kind: fc.constant('binding' as const), name: identifier, value: e, doc, span: same });
const specifier = fc
  .tuple(identifier, identifier)
  .map(([imported, local]) => ({ kind: 'import-specifier' as const, imported, local, span }));

const declaration: fc.Arbitrary<Declaration> = fc.oneof(
  fn(fc.boolean()),
  param,
  state,
  binding,
  fc.record({ kind: fc.constant('import'), specifiers: list(specifier), from: string, doc, span: same }),
  fc.record({ kind: fc.constant('const'), name: identifier, type: fc.option(type), value: e, doc, span: same }),
  fc.record({ kind: fc.constant('dim'), name: identifier, value: size, doc, span: same }),
  fc.record({ kind: fc.constant('step'), ...signature }),
  fc.record({
    kind: fc.constant('model'),
    name: identifier,
    generics: list(generic),
    parameters: list(parameter),
    facts: list(fact),
    members: list(fc.oneof(fn(fc.constant(false)), fc.record({ kind: fc.constant('step' as const), ...signature }), param, state, binding)),
    doc,
    span: same,
  }),
  fc.record({
    kind: fc.constant('optimizer'),
    name: identifier,
    parameters: list(parameter),
    states: list(state),
    update: fc.record({ kind: fc.constant('update'), parameter: identifier, gradient: identifier, body: trees.block, doc, span: same }),
    doc,
    span: same,
  }),
);

/** Programs of a few declarations, without text and comments. */
export const programs: fc.Arbitrary<Program> = list(declaration, 1).map((declarations) => ({
  kind: 'program',
  source: { path: 'x', text: '' },
  declarations,
  comments: [],
  span,
}));
