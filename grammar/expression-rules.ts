// The rules for operators, calls, indices and members. In: tokens. Out: expression nodes.
// Holds: an operand that is not there gives a `missing` node and a problem, without reading anything. `(` of a call and
// `[` of an index stand on the line on which what they belong to ends.

import type { IToken, ParserMethod } from 'chevrotain';
import type { Argument, BinaryExpression, CallExpression, Expression, Index } from './ast.js';
import { tokenMatcher } from './chevrotain.js';
import { joinOperators } from './operators.js';
import { isBinaryOperator, isComparison, levelOf } from './precedence.js';
import { joinSpans, type Span } from './span.js';
import { PrimaryRules } from './primary-rules.js';
import { startsSurely } from './starts.js';
import * as t from './tokens.js';

/** `- - x ** …`: what stands before and what stands after is not joined yet. */
interface Operand {
  readonly signs: readonly IToken[];
  readonly base: Expression;
}

/** The value behind its signs. */
const signed = (signs: readonly IToken[], value: Expression, spanOf: (sign: IToken) => Span): Expression =>
  signs.reduceRight<Expression>(
    (operand, sign) => ({
      kind: 'unary',
      operator: sign.image === '!' ? '!' : '-',
      operand,
      span: joinSpans(spanOf(sign), operand.span),
    }),
    value,
  );

export abstract class ExpressionRules extends PrimaryRules {
  protected readonly expression = this.rule('expression', (): Expression =>
    this.nested(() => {
      const operands: Operand[] = [];
      const operators: IToken[] = [];
      operands.push(this.SUBRULE(this.#operand));
      this.MANY(() => {
        operators.push(
          this.OR([
            { ALT: () => this.CONSUME(t.OrOr) },
            { ALT: () => this.CONSUME(t.AndAnd) },
            { ALT: () => this.CONSUME(t.EqualsEquals) },
            { ALT: () => this.CONSUME(t.NotEquals) },
            { ALT: () => this.CONSUME(t.Less) },
            { ALT: () => this.CONSUME(t.LessEquals) },
            { ALT: () => this.CONSUME(t.Greater) },
            { ALT: () => this.CONSUME(t.GreaterEquals) },
            { ALT: () => this.CONSUME(t.Plus) },
            { ALT: () => this.CONSUME(t.Minus) },
            { ALT: () => this.CONSUME(t.Star) },
            { ALT: () => this.CONSUME(t.Slash) },
            { ALT: () => this.CONSUME(t.Percent) },
            { ALT: () => this.CONSUME(t.At) },
            { ALT: () => this.CONSUME(t.StarStar) },
          ]),
        );
        operands.push(this.SUBRULE1(this.#operand));
      });
      return this.ACTION(() => this.#joined(operands, operators));
    }),
  );

  readonly #operand = this.rule('operand', (): Operand => {
    const signs: IToken[] = [];
    this.MANY(() => signs.push(this.OR([{ ALT: () => this.CONSUME(t.Minus) }, { ALT: () => this.CONSUME(t.Bang) }])));
    const base = this.OPTION({ GATE: () => this.#expressionStarts(), DEF: () => this.SUBRULE(this.#outside) });
    if (base === undefined) this.reportExpected(this.LA(1), 'an expression');
    return { signs, base: base ?? { kind: 'missing', span: this.gap() } };
  });

  #joined(operands: readonly Operand[], operators: readonly IToken[]): Expression {
    // From the right: `**` takes what stands to its right, and binds tighter than the signs to its left.
    const values: Expression[] = [];
    const rest: IToken[] = [];
    for (let i = operands.length - 1; i >= 0; i--) {
      const operand = operands[i];
      if (operand === undefined) continue;
      const operator = operators[i];
      let value = operand.base;
      if (operator?.tokenType === t.StarStar) value = this.#binary(value, operator, values.pop() ?? value);
      else if (operator !== undefined) rest.push(operator);
      values.push(signed(operand.signs, value, (sign) => this.spanOf(sign)));
    }
    const made = new Set<Expression>();
    return joinOperators(values.reverse(), rest.reverse(), (left, operator, right) => {
      const node = this.#binary(left, operator, right);
      if (isComparison(operator.image) && left.kind === 'binary' && made.has(left) && levelOf(left.operator) === levelOf(operator.image)) {
        this.report(operator, {
          message: 'comparisons do not chain',
          hint: `write \`${this.#brief(left)} && ${this.#brief(left.right)} ${operator.image} ${this.#brief(right)}\``,
        });
      }
      made.add(node);
      return node;
    });
  }

  #brief(e: Expression): string {
    const text = this.textOf(e.span);
    return text.length > 30 || text === '' ? '…' : text;
  }

  #binary(left: Expression, token: IToken, right: Expression): BinaryExpression {
    const operator = isBinaryOperator(token.image) ? token.image : '+';
    return { kind: 'binary', operator, left, right, operatorSpan: this.spanOf(token), span: joinSpans(left.span, right.span) };
  }

  #expressionStarts(): boolean {
    const token = this.LA(1);
    if (tokenMatcher(token, t.Name)) return !this.atStatement();
    return (
      tokenMatcher(token, t.StringLiteral) ||
      [
        t.NumberLiteral,
        t.reserved.true,
        t.reserved.false,
        t.reserved.if,
        t.reserved.while,
        t.ParenOpen,
        t.BracketOpen,
        t.BraceOpen,
      ].includes(token.tokenType)
    );
  }

  protected atStatement(): boolean {
    const token = this.LA(1);
    if (!this.brokenBefore(token)) return false;
    const next = this.follower(token);
    return startsSurely(token, next) && !(next !== null && t.wordsAfterValues.has(next.image));
  }

  /** `x[i] ?? 0`, whose right side may have signs. */
  readonly #outside: ParserMethod<[], Expression> = this.rule('outside', (): Expression => {
    const start = this.here();
    const inside = this.SUBRULE(this.#postfix);
    const outside = this.OPTION(() => {
      this.CONSUME(t.QuestionQuestion);
      return this.SUBRULE(this.#operand);
    });
    if (outside === undefined) return inside;
    return {
      kind: 'outside',
      inside,
      outside: this.ACTION(() => signed(outside.signs, outside.base, (sign) => this.spanOf(sign))),
      span: this.spanFrom(start),
    };
  });

  // ------------------------------------------------------------------------------------ calls, indices and members

  readonly #postfix = this.rule('postfix', (): Expression => {
    const start = this.here();
    let value = this.SUBRULE(this.primary);
    this.MANY({
      GATE: () => this.#postfixFollows(),
      DEF: () => {
        value = this.OR<Expression>([
          {
            ALT: () => {
              this.CONSUME(t.Dot);
              const member = this.identifier(this.CONSUME(t.Name));
              return { kind: 'member', object: value, member, span: this.spanFrom(start) };
            },
          },
          {
            ALT: () => {
              const indices = this.SUBRULE(this.#indices);
              return { kind: 'index', object: value, indices, span: this.spanFrom(start) };
            },
          },
          {
            ALT: () => {
              const { generics, args } = this.SUBRULE(this.#callSuffix);
              return { kind: 'call', callee: value, generics, arguments: args, span: this.spanFrom(start) } satisfies CallExpression;
            },
          },
        ]);
      },
    });
    return value;
  });

  #postfixFollows(): boolean {
    if (this.at(t.Dot)) return true;
    if (this.at(t.Less)) return this.#genericsFollow();
    return this.sameLine();
  }

  /** Whether the `<` that comes next opens generic arguments: they end with `>(`, as in TypeScript. */
  #genericsFollow(): boolean {
    let parentheses = 0;
    /** Parentheses that are open around each open bracket. */
    const brackets: number[] = [];
    let operand = false;
    for (let i = 2; ; i++) {
      const token = this.LA(i);
      switch (token.tokenType) {
        case t.Greater:
          return parentheses === 0 && brackets.length === 0 && this.at(t.ParenOpen, i + 1) && !this.brokenBefore(this.LA(i + 1));
        case t.ParenOpen:
          if (operand) return false;
          parentheses++;
          break;
        case t.ParenClose:
          if (--parentheses < 0) return false;
          break;
        case t.BracketOpen:
          if (!operand) return false;
          brackets.push(parentheses);
          operand = false;
          break;
        case t.BracketClose:
          if (!operand || brackets.pop() !== parentheses) return false;
          break;
        case t.Comma:
        case t.Ellipsis:
        case t.Plus:
        case t.Minus:
        case t.Star:
        case t.Slash:
        case t.Percent:
        case t.StarStar:
          operand = false;
          break;
        default:
          if (operand || !(tokenMatcher(token, t.Name) || tokenMatcher(token, t.NumberLiteral))) return false;
          operand = true;
      }
    }
  }

  readonly #callSuffix = this.rule('callSuffix', () => {
    const args: Argument[] = [];
    const generics = this.OPTION(() => this.SUBRULE(this.genericArguments)) ?? null;
    const open = this.CONSUME(t.ParenOpen);
    this.list(1, t.ParenClose, (i) => args.push(this.subrule(i, this.#argument)));
    this.close(1, open, t.ParenClose, 'call');
    return { generics, args };
  });

  readonly #argument = this.rule('argument', (): Argument => {
    const start = this.here();
    const name =
      this.OPTION({
        GATE: () => this.at(t.Colon, 2),
        DEF: () => {
          const label = this.identifier(this.CONSUME(t.Name));
          this.CONSUME(t.Colon);
          return label;
        },
      }) ?? null;
    const value = this.SUBRULE(this.expression);
    return { kind: 'argument', name, value, span: this.spanFrom(start) };
  });

  readonly #indices = this.rule('indices', (): readonly Index[] => {
    const found: Index[] = [];
    const open = this.CONSUME(t.BracketOpen);
    if (this.at(t.BracketClose)) this.reportExpected(this.LA(1), 'an index');
    this.list(1, t.BracketClose, (i) => found.push(this.subrule(i, this.#index)));
    this.close(1, open, t.BracketClose, 'index');
    return found;
  });

  readonly #index = this.rule('index', (): Index =>
    this.OR<Index>([
      { ALT: () => ({ kind: 'ellipsis', span: this.spanOf(this.CONSUME(t.Ellipsis)) }) },
      { ALT: () => this.SUBRULE(this.#slice) },
    ]),
  );

  /** An expression, or `start:stop:step` in which each may be absent. */
  readonly #slice = this.rule('slice', (): Index => {
    const from = this.here();
    const start = this.OPTION({ GATE: () => !this.at(t.Colon), DEF: () => this.SUBRULE(this.expression) }) ?? null;
    const rest = this.OPTION1(() => {
      this.CONSUME(t.Colon);
      const stop = this.OPTION2({ GATE: () => this.#boundFollows(), DEF: () => this.SUBRULE1(this.expression) }) ?? null;
      const step =
        this.OPTION3(() => {
          this.CONSUME1(t.Colon);
          return this.OPTION4({ GATE: () => this.#boundFollows(), DEF: () => this.SUBRULE2(this.expression) });
        }) ?? null;
      return { stop, step };
    });
    if (rest === undefined && start !== null) return start;
    return { kind: 'slice', start, stop: null, step: null, ...rest, span: this.spanFrom(from) };
  });

  #boundFollows(): boolean {
    return !this.at(t.Colon) && !this.at(t.Comma) && !this.at(t.BracketClose);
  }
}
