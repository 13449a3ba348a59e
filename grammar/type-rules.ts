// The rules for types, sizes, generics and patterns. In: tokens. Out: their nodes.
// Holds: a type or size that is not there gives a `missing-…` node and a problem, without reading anything.

import type { IToken, ParserMethod } from 'chevrotain';
import type {
  Dimension,
  Fact,
  GenericParameter,
  NamePattern,
  Parameter,
  Pattern,
  RankSpread,
  RecordTypeField,
  SizeElement,
  SizeExpression,
  SizeName,
  SizeOperator,
  TypeExpression,
} from './ast.js';
import { nameOf } from './lex.js';
import { joinOperators } from './operators.js';
import { ParserBase } from './parser-base.js';
import { isComparison, isSizeOperator } from './precedence.js';
import { joinSpans } from './span.js';
import * as t from './tokens.js';

const sizeBinary = (operator: SizeOperator, left: SizeExpression, right: SizeExpression): SizeExpression => ({
  kind: 'size-binary',
  operator,
  left,
  right,
  span: joinSpans(left.span, right.span),
});

export abstract class TypeRules extends ParserBase {
  // ------------------------------------------------------------------------------------------------------- sizes

  protected readonly size = this.rule('size', (): SizeExpression => {
    const operands: SizeExpression[] = [];
    const operators: IToken[] = [];
    operands.push(this.SUBRULE(this.#sizeOperand));
    this.MANY(() => {
      operators.push(
        this.OR([
          { ALT: () => this.CONSUME(t.Plus) },
          { ALT: () => this.CONSUME(t.Minus) },
          { ALT: () => this.CONSUME(t.Star) },
          { ALT: () => this.CONSUME(t.Slash) },
          { ALT: () => this.CONSUME(t.Percent) },
        ]),
      );
      operands.push(this.SUBRULE1(this.#sizeOperand));
    });
    return this.ACTION(() =>
      joinOperators(operands, operators, (left, token, right) => {
        const operator = token.image;
        return isSizeOperator(operator) ? sizeBinary(operator, left, right) : left;
      }),
    );
  });

  /** `**` takes what stands to its right, and binds tighter than the signs to its left. */
  readonly #sizeOperand = this.rule('sizeOperand', (): SizeExpression => {
    const signs: IToken[] = [];
    this.MANY(() => signs.push(this.CONSUME(t.Minus)));
    const found = this.OPTION({
      GATE: () => this.#sizeStarts(),
      DEF: () =>
        this.OR<SizeExpression>([
          { ALT: () => this.#sizeLiteral(this.CONSUME(t.NumberLiteral)) },
          { ALT: () => this.SUBRULE(this.#sizeOfName) },
          { ALT: () => this.SUBRULE(this.#sizeGroup) },
        ]),
    });
    if (found === undefined) this.reportExpected(this.LA(1), 'a size');
    const base: SizeExpression = found ?? { kind: 'missing-size', span: this.gap() };
    const exponent = this.OPTION1(() => {
      this.CONSUME(t.StarStar);
      return this.nested(() => this.SUBRULE(this.#sizeOperand));
    });
    return this.ACTION(() =>
      signs.reduceRight<SizeExpression>(
        (inner, sign) => ({ kind: 'size-negation', operand: inner, span: joinSpans(this.spanOf(sign), inner.span) }),
        exponent === undefined ? base : sizeBinary('**', base, exponent),
      ),
    );
  });

  readonly #sizeGroup = this.rule('sizeGroup', (): SizeExpression => {
    const open = this.CONSUME(t.ParenOpen);
    const inner = this.nested(() => this.SUBRULE(this.size));
    this.close(1, open, t.ParenClose, 'parenthesis');
    return { ...inner, span: this.spanFrom(open.startOffset) };
  });

  #sizeStarts(): boolean {
    return (this.at(t.Name) && !this.atStatement()) || this.at(t.NumberLiteral) || this.at(t.ParenOpen);
  }

  #sizeLiteral(token: IToken): SizeExpression {
    if (!/^\d+$/.test(token.image)) {
      this.report(token, {
        message: `a size is a whole number, found '${token.image}'`,
        hint: 'sizes count elements',
        expected: ['a size'],
      });
    }
    return { kind: 'size-literal', value: Number(token.image), span: this.spanOf(token) };
  }

  /** `N`, or `sizes[i]`, whose `[` stands on the same line. */
  readonly #sizeOfName = this.rule('sizeOfName', (): SizeName | SizeElement => {
    const token = this.CONSUME(t.Name);
    let found: SizeName | SizeElement = { kind: 'size-name', name: nameOf(token), span: this.spanOf(token) };
    this.MANY({
      GATE: () => this.sameLine(),
      DEF: () => {
        const open = this.CONSUME(t.BracketOpen);
        const index = this.nested(() => this.SUBRULE(this.size));
        this.close(1, open, t.BracketClose, 'index');
        found = { kind: 'size-element', list: found, index, span: this.spanFrom(token.startOffset) };
      },
    });
    return found;
  });

  readonly #dimension = this.rule('dimension', (): Dimension =>
    this.OR<Dimension>([
      { GATE: () => this.at(t.Ellipsis), ALT: () => this.SUBRULE(this.#rankSpread) },
      { ALT: () => this.SUBRULE(this.size) },
    ]),
  );

  readonly #rankSpread = this.rule('rankSpread', (): RankSpread => {
    const dots = this.CONSUME(t.Ellipsis);
    const name = this.identifier(this.CONSUME(t.Name));
    return { kind: 'rank-spread', name, span: this.spanFrom(dots.startOffset) };
  });

  /** `<784, 300>`: what stands in the place of generics. */
  protected readonly genericArguments = this.rule('genericArguments', (): readonly Dimension[] => {
    const found: Dimension[] = [];
    const open = this.CONSUME(t.Less);
    this.list(1, t.Greater, (i) => found.push(this.subrule(i, this.#dimension)));
    this.close(1, open, t.Greater, 'generic arguments');
    return found;
  });

  // ------------------------------------------------------------------------------------------------------- types

  protected readonly type = this.rule('type', (): TypeExpression => {
    const found = this.OPTION({
      GATE: () => this.#typeStarts(),
      DEF: () =>
        this.nested(() =>
          this.OR<TypeExpression>([
            { ALT: () => this.SUBRULE(this.#namedType) },
            { ALT: () => this.SUBRULE(this.#recordType) },
            { ALT: () => this.SUBRULE(this.#tupleType) },
            { ALT: () => this.SUBRULE(this.#fnType) },
          ]),
        ),
    });
    if (found === undefined) this.reportExpected(this.LA(1), 'a type');
    return found ?? { kind: 'missing-type', span: this.gap() };
  });

  #typeStarts(): boolean {
    return this.at(t.Name) || this.at(t.BraceOpen) || this.at(t.ParenOpen) || this.at(t.reserved.fn);
  }

  readonly #namedType = this.rule('namedType', (): TypeExpression => {
    const name = this.identifier(this.CONSUME(t.Name));
    const generics = this.OPTION(() => this.SUBRULE(this.genericArguments)) ?? null;
    const dims =
      this.OPTION1({
        GATE: () => this.sameLine(),
        DEF: () => {
          const sizes: Dimension[] = [];
          const open = this.CONSUME(t.BracketOpen);
          if (this.at(t.BracketClose)) this.reportExpected(this.LA(1), 'a size');
          this.list(2, t.BracketClose, (i) => sizes.push(this.subrule(i, this.#dimension)));
          this.close(1, open, t.BracketClose, 'sizes');
          return sizes;
        },
      }) ?? null;
    return { kind: 'named-type', name, generics, dims, span: this.spanFrom(name.span.start) };
  });

  readonly #recordType = this.rule('recordType', (): TypeExpression => {
    const fields: RecordTypeField[] = [];
    const open = this.CONSUME(t.BraceOpen);
    this.list(1, t.BraceClose, (i) => fields.push(this.subrule(i, this.#recordTypeField)));
    this.close(1, open, t.BraceClose, 'record type');
    return { kind: 'record-type', fields, span: this.spanFrom(open.startOffset) };
  });

  readonly #recordTypeField = this.rule('recordTypeField', (): RecordTypeField => {
    const name = this.identifier(this.CONSUME(t.Name));
    this.CONSUME(t.Colon);
    const type = this.SUBRULE(this.type);
    return { kind: 'record-type-field', name, type, span: this.spanFrom(name.span.start) };
  });

  readonly #tupleType = this.rule('tupleType', (): TypeExpression => {
    const elements: TypeExpression[] = [];
    const open = this.CONSUME(t.ParenOpen);
    if (this.at(t.ParenClose)) this.reportExpected(this.LA(1), 'a type');
    this.list(1, t.ParenClose, (i) => elements.push(this.subrule(i, this.type)));
    this.close(1, open, t.ParenClose, 'tuple type');
    const span = this.spanFrom(open.startOffset);
    const [only] = elements;
    if (only !== undefined && elements.length === 1) return { ...only, span };
    return { kind: 'tuple-type', elements, span };
  });

  readonly #fnType = this.rule('fnType', (): TypeExpression => {
    const word = this.CONSUME(t.reserved.fn);
    const parameters: TypeExpression[] = [];
    const result = this.OPTION({
      GATE: () => this.sameLine(),
      DEF: () => {
        const open = this.CONSUME(t.ParenOpen);
        this.list(1, t.ParenClose, (i) => parameters.push(this.subrule(i, this.type)));
        this.close(1, open, t.ParenClose, 'function type');
        this.CONSUME(t.Colon);
        return this.SUBRULE1(this.type);
      },
    });
    const span = this.spanFrom(word.startOffset);
    if (result === undefined) return { kind: 'fn-type', signature: null, span };
    const inner = { ...span, start: Math.min(span.end, span.start + word.image.length) };
    return { kind: 'fn-type', signature: { kind: 'fn-signature', parameters, result, span: inner }, span };
  });

  // ---------------------------------------------------------------------------------------------------- patterns

  protected readonly pattern = this.rule('pattern', (): Pattern =>
    this.nested(() =>
      this.OR<Pattern>({
        DEF: [{ ALT: () => this.#namePattern(this.CONSUME(t.Name)) }, { ALT: () => this.SUBRULE(this.#tuplePattern) }],
        ERR_MSG: 'a name',
      }),
    ),
  );

  #namePattern(token: IToken): NamePattern {
    return { kind: 'name-pattern', name: nameOf(token), span: this.spanOf(token) };
  }

  readonly #tuplePattern = this.rule('tuplePattern', (): Pattern => {
    const elements: Pattern[] = [];
    const open = this.CONSUME(t.ParenOpen);
    if (this.at(t.ParenClose)) this.reportExpected(this.LA(1), 'a name');
    this.list(1, t.ParenClose, (i) => elements.push(this.subrule(i, this.pattern)));
    this.close(1, open, t.ParenClose, 'pattern');
    const span = this.spanFrom(open.startOffset);
    const [only] = elements;
    if (only !== undefined && elements.length === 1) return { ...only, span };
    return { kind: 'tuple-pattern', elements, span };
  });

  // ---------------------------------------------------------------------------------- generics, parameters, facts

  /** `<B, T: float, ...S>` or nothing. */
  protected readonly generics = this.rule('generics', (): readonly GenericParameter[] => {
    const found: GenericParameter[] = [];
    this.OPTION(() => {
      const open = this.CONSUME(t.Less);
      this.list(1, t.Greater, (i) => found.push(this.subrule(i, this.#genericParameter)));
      this.close(1, open, t.Greater, 'generics');
    });
    return found;
  });

  readonly #genericParameter = this.rule('genericParameter', (): GenericParameter => {
    const start = this.here();
    const variadic = this.OPTION(() => this.CONSUME(t.Ellipsis)) !== undefined;
    const name = this.identifier(this.CONSUME(t.Name));
    const bound =
      this.OPTION1(() => {
        this.CONSUME(t.Colon);
        return this.identifier(this.CONSUME1(t.Name));
      }) ?? null;
    const initial =
      this.OPTION2(() => {
        this.CONSUME(t.Equals);
        return this.SUBRULE(this.#dimension);
      }) ?? null;
    return { kind: 'generic-parameter', name, variadic, bound, initial, span: this.spanFrom(start) };
  });

  /** `where D > 1, D % Heads == 0` or nothing. */
  protected readonly facts = this.rule('facts', (): readonly Fact[] => {
    const found: Fact[] = [];
    this.OPTION(() => {
      this.CONSUME(t.word.where);
      found.push(this.SUBRULE(this.#fact));
      this.MANY(() => {
        this.OR([{ ALT: () => this.CONSUME(t.Comma) }, { ALT: () => this.CONSUME(t.AndAnd) }]);
        found.push(this.SUBRULE1(this.#fact));
      });
    });
    return found;
  });

  readonly #fact = this.rule('fact', (): Fact => {
    const start = this.here();
    const left = this.SUBRULE(this.size);
    const operator = this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.EqualsEquals) },
        { ALT: () => this.CONSUME(t.NotEquals) },
        { ALT: () => this.CONSUME(t.Less) },
        { ALT: () => this.CONSUME(t.LessEquals) },
        { ALT: () => this.CONSUME(t.Greater) },
        { ALT: () => this.CONSUME(t.GreaterEquals) },
      ],
      ERR_MSG: 'a comparison of sizes, such as `D > 1`',
    }).image;
    const right = this.SUBRULE1(this.size);
    return { kind: 'fact', operator: isComparison(operator) ? operator : '==', left, right, span: this.spanFrom(start) };
  });

  /** `(x: f32[B], beta: f32 = 0.9)` */
  protected readonly parameters = this.rule('parameters', (): readonly Parameter[] => {
    const found: Parameter[] = [];
    const open = this.CONSUME(t.ParenOpen);
    this.list(1, t.ParenClose, (i) => found.push(this.subrule(i, this.parameter)));
    this.close(1, open, t.ParenClose, 'parameters');
    return found;
  });

  protected abstract readonly parameter: ParserMethod<[], Parameter>;

  /** Whether a statement or a declaration that starts with a word of its own begins here, on a new line. */
  protected abstract atStatement(): boolean;
}
