// The rules for expressions. In: tokens. Out: expression nodes.
// Holds: an operand that is not there gives a `missing` node and a problem, without reading anything. `(` of a call and
// `[` of an index stand on the line on which what they belong to ends.

import type { IToken, ParserMethod } from 'chevrotain'
import type {
  Argument, BinaryExpression, Block, Body, CallExpression, Expression, Identifier, Index, Iterable, RecordField, StringExpression,
} from './ast.js'
import { tokenMatcher } from './chevrotain.js'
import { stringValue } from './lex.js'
import { joinOperators } from './operators.js'
import { startsDeclaration, startsWordStatement } from './parser-base.js'
import { isBinaryOperator, isComparison, levelOf } from './precedence.js'
import { joinSpans } from './span.js'
import * as t from './tokens.js'
import { TypeRules } from './type-rules.js'

/** `- - x ** …`: what stands before and what stands after is not joined yet. */
interface Operand {
  readonly signs: readonly IToken[]
  readonly base: Expression
}

export abstract class ExpressionRules extends TypeRules {
  protected abstract readonly block: ParserMethod<[], Block>

  readonly expression = this.rule('expression', (): Expression =>
    this.nested(() => {
      const operands: Operand[] = []
      const operators: IToken[] = []
      operands.push(this.SUBRULE(this.operand))
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
        )
        operands.push(this.SUBRULE1(this.operand))
      })
      return this.ACTION(() => this.joined(operands, operators))
    }),
  )

  private readonly operand = this.rule('operand', (): Operand => {
    const signs: IToken[] = []
    this.MANY(() => signs.push(this.OR([{ ALT: () => this.CONSUME(t.Minus) }, { ALT: () => this.CONSUME(t.Bang) }])))
    const base = this.OPTION({ GATE: () => this.expressionStarts(), DEF: () => this.SUBRULE(this.postfix) })
    if (base === undefined) this.reportExpected(this.LA(1), 'an expression')
    return { signs, base: base ?? { kind: 'missing', span: this.gap() } }
  })

  private joined(operands: readonly Operand[], operators: readonly IToken[]): Expression {
    // From the right: `**` takes what stands to its right, and binds tighter than the signs to its left.
    const values: Expression[] = []
    const rest: IToken[] = []
    for (let i = operands.length - 1; i >= 0; i--) {
      const operand = operands[i]
      if (operand === undefined) continue
      const operator = operators[i]
      let value = operand.base
      if (operator?.tokenType === t.StarStar) value = this.binary(value, operator, values.pop() ?? value)
      else if (operator !== undefined) rest.push(operator)
      values.push(
        operand.signs.reduceRight<Expression>(
          (inner, sign) => ({
            kind: 'unary',
            operator: sign.image === '!' ? '!' : '-',
            operand: inner,
            span: joinSpans(this.spanOf(sign), inner.span),
          }),
          value,
        ),
      )
    }
    const made = new Set<Expression>()
    return joinOperators(values.reverse(), rest.reverse(), (left, operator, right) => {
      const node = this.binary(left, operator, right)
      if (isComparison(operator.image) && left.kind === 'binary' && made.has(left) && levelOf(left.operator) === levelOf(operator.image)) {
        this.report(operator, {
          message: 'comparisons do not chain',
          hint: `write \`${this.brief(left)} && ${this.brief(left.right)} ${operator.image} ${this.brief(right)}\``,
        })
      }
      made.add(node)
      return node
    })
  }

  private brief(e: Expression): string {
    const text = this.textOf(e.span)
    return text.length > 30 || text === '' ? '…' : text
  }

  private binary(left: Expression, token: IToken, right: Expression): BinaryExpression {
    const operator = isBinaryOperator(token.image) ? token.image : '+'
    return { kind: 'binary', operator, left, right, operatorSpan: this.spanOf(token), span: joinSpans(left.span, right.span) }
  }

  private expressionStarts(): boolean {
    const token = this.LA(1)
    if (tokenMatcher(token, t.Name)) return !this.atStatement()
    return (
      tokenMatcher(token, t.StringLiteral) ||
      [
        t.NumberLiteral, t.reserved.true, t.reserved.false, t.reserved.if, t.reserved.while, t.ParenOpen, t.BracketOpen, t.BraceOpen,
      ].includes(token.tokenType)
    )
  }

  protected atStatement(): boolean {
    const token = this.LA(1)
    const next = this.LA(2)
    return (startsWordStatement(token, next) || startsDeclaration(token, next)) && this.brokenBefore(token)
  }

  // ------------------------------------------------------------------------------------ calls, indices and members

  private readonly postfix = this.rule('postfix', (): Expression => {
    const start = this.here()
    let value = this.SUBRULE(this.primary)
    this.MANY({
      GATE: () => this.postfixFollows(),
      DEF: () => {
        value = this.OR<Expression>([
          {
            ALT: () => {
              this.CONSUME(t.Dot)
              const member = this.identifier(this.CONSUME(t.Name))
              return { kind: 'member', object: value, member, span: this.spanFrom(start) }
            },
          },
          {
            ALT: () => {
              const indices = this.SUBRULE(this.indices)
              return { kind: 'index', object: value, indices, span: this.spanFrom(start) }
            },
          },
          {
            ALT: () => {
              const { generics, args } = this.SUBRULE(this.callSuffix)
              return { kind: 'call', callee: value, generics, arguments: args, span: this.spanFrom(start) } satisfies CallExpression
            },
          },
        ])
      },
    })
    return value
  })

  private postfixFollows(): boolean {
    if (this.at(t.Dot)) return true
    if (this.at(t.Less)) return this.genericsFollow()
    return this.sameLine()
  }

  /** Whether the `<` that comes next opens generic arguments: they end with `>(`, as in TypeScript. */
  private genericsFollow(): boolean {
    let parentheses = 0
    let operand = false
    for (let i = 2; ; i++) {
      const token = this.LA(i)
      switch (token.tokenType) {
        case t.Greater:
          return parentheses === 0 && this.at(t.ParenOpen, i + 1) && !this.brokenBefore(this.LA(i + 1))
        case t.ParenOpen:
          if (operand) return false
          parentheses++
          break
        case t.ParenClose:
          if (--parentheses < 0) return false
          break
        case t.Comma:
        case t.Ellipsis:
        case t.Plus:
        case t.Minus:
        case t.Star:
        case t.Slash:
        case t.Percent:
          operand = false
          break
        default:
          if (operand || !(tokenMatcher(token, t.Name) || tokenMatcher(token, t.NumberLiteral))) return false
          operand = true
      }
    }
  }

  private readonly callSuffix = this.rule('callSuffix', () => {
    const args: Argument[] = []
    const generics = this.OPTION(() => this.SUBRULE(this.genericArguments)) ?? null
    const open = this.CONSUME(t.ParenOpen)
    this.list(1, t.ParenClose, (i) => args.push(this.subrule(i, this.argument)))
    this.close(1, open, t.ParenClose, 'call')
    return { generics, args }
  })

  private readonly argument = this.rule('argument', (): Argument => {
    const start = this.here()
    const name = this.OPTION({
      GATE: () => this.at(t.Colon, 2),
      DEF: () => {
        const label = this.identifier(this.CONSUME(t.Name))
        this.CONSUME(t.Colon)
        return label
      },
    }) ?? null
    const value = this.SUBRULE(this.expression)
    return { kind: 'argument', name, value, span: this.spanFrom(start) }
  })

  private readonly indices = this.rule('indices', (): readonly Index[] => {
    const found: Index[] = []
    const open = this.CONSUME(t.BracketOpen)
    if (this.at(t.BracketClose)) this.reportExpected(this.LA(1), 'an index')
    this.list(1, t.BracketClose, (i) => found.push(this.subrule(i, this.index)))
    this.close(1, open, t.BracketClose, 'index')
    return found
  })

  private readonly index = this.rule('index', (): Index =>
    this.OR<Index>([
      { ALT: () => ({ kind: 'ellipsis', span: this.spanOf(this.CONSUME(t.Ellipsis)) }) },
      { ALT: () => this.SUBRULE(this.slice) },
    ]),
  )

  /** An expression, or `start:stop:step` in which each may be absent. */
  private readonly slice = this.rule('slice', (): Index => {
    const from = this.here()
    const start = this.OPTION({ GATE: () => !this.at(t.Colon), DEF: () => this.SUBRULE(this.expression) }) ?? null
    const rest = this.OPTION1(() => {
      this.CONSUME(t.Colon)
      const stop = this.OPTION2({ GATE: () => this.boundFollows(), DEF: () => this.SUBRULE1(this.expression) }) ?? null
      const step = this.OPTION3(() => {
        this.CONSUME1(t.Colon)
        return this.OPTION4({ GATE: () => this.boundFollows(), DEF: () => this.SUBRULE2(this.expression) })
      }) ?? null
      return { stop, step }
    })
    if (rest === undefined && start !== null) return start
    return { kind: 'slice', start, stop: null, step: null, ...rest, span: this.spanFrom(from) }
  })

  private boundFollows(): boolean {
    return !this.at(t.Colon) && !this.at(t.Comma) && !this.at(t.BracketClose)
  }

  // ---------------------------------------------------------------------------------------------------- primaries

  private readonly primary = this.rule('primary', (): Expression =>
    this.OR<Expression>({
      DEF: [
        { GATE: () => this.at(t.FatArrow, 2) || this.lambdaFollows(), ALT: () => this.SUBRULE(this.lambda) },
        { GATE: () => this.at(t.word.fold) && this.loopFollows(), ALT: () => this.SUBRULE(this.fold) },
        { GATE: () => this.at(t.word.scan) && this.loopFollows(), ALT: () => this.SUBRULE(this.scan) },
        { ALT: () => this.name(this.CONSUME(t.Name)) },
        { ALT: () => this.number(this.CONSUME(t.NumberLiteral)) },
        { ALT: () => this.string(this.CONSUME(t.StringLiteral)) },
        { ALT: () => this.boolean(this.CONSUME(t.reserved.true)) },
        { ALT: () => this.boolean(this.CONSUME(t.reserved.false)) },
        { ALT: () => this.SUBRULE(this.choice) },
        { ALT: () => this.SUBRULE(this.loop) },
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.listOrComprehension) },
        { ALT: () => this.SUBRULE(this.record) },
      ],
      ERR_MSG: 'an expression',
      IGNORE_AMBIGUITIES: true,
    }),
  )

  private loopFollows(): boolean {
    return this.at(t.Name, 2) || (this.at(t.ParenOpen, 2) && this.at(t.word.in, this.closingFrom(2) + 1))
  }

  private lambdaFollows(): boolean {
    return this.at(t.ParenOpen) && this.at(t.FatArrow, this.closingFrom(1) + 1)
  }

  /** From a `(` at `distance`: the distance of its `)`, if nothing but names, commas and parentheses stand between; else 0. */
  private closingFrom(distance: number): number {
    let depth = 0
    for (let i = distance; ; i++) {
      const token = this.LA(i)
      if (token.tokenType === t.ParenOpen) depth++
      else if (token.tokenType === t.ParenClose) {
        if (--depth === 0) return i
      } else if (token.tokenType !== t.Comma && !tokenMatcher(token, t.Name)) return 0
      if (i - distance > 1000) return 0
    }
  }

  private name(token: IToken): Expression {
    return { kind: 'name', name: token.image, span: this.spanOf(token) }
  }

  private number(token: IToken): Expression {
    const text = token.image
    return { kind: 'number', text, value: Number(text), integer: /^\d+$/.test(text), span: this.spanOf(token) }
  }

  protected string(token: IToken): StringExpression {
    const value = stringValue(token.image, (offset, length) => {
      const start = token.startOffset + offset
      this.report(token, {
        message: `'${token.image.slice(offset, offset + length)}' is no escape of a string`,
        hint: 'escapes are \\n \\t \\r \\b \\f \\" \\\\ \\/ \\uXXXX \\u{X…}',
        span: { ...this.spanOf(token), start, end: start + length },
      })
    })
    return { kind: 'string', value, span: this.spanOf(token) }
  }

  private boolean(token: IToken): Expression {
    return { kind: 'boolean', value: token.tokenType === t.reserved.true, span: this.spanOf(token) }
  }

  private readonly group = this.rule('group', (): Expression => {
    const elements: Expression[] = []
    const open = this.CONSUME(t.ParenOpen)
    if (this.at(t.ParenClose)) this.reportExpected(this.LA(1), 'an expression')
    this.list(1, t.ParenClose, (i) => elements.push(this.subrule(i, this.expression)))
    this.close(1, open, t.ParenClose, elements.length > 1 ? 'tuple' : 'parenthesis')
    const span = this.spanFrom(open.startOffset)
    const [only] = elements
    if (only !== undefined && elements.length === 1) return { ...only, span }
    return elements.length === 0 ? { kind: 'missing', span } : { kind: 'tuple', elements, span }
  })

  private readonly listOrComprehension = this.rule('listOrComprehension', (): Expression => {
    const elements: Expression[] = []
    const open = this.CONSUME(t.BracketOpen)
    this.list(1, t.BracketClose, (i) => elements.push(this.subrule(i, this.expression)))
    const loop = this.OPTION({
      GATE: () => elements.length === 1,
      DEF: () => {
        this.CONSUME(t.word.for)
        const pattern = this.SUBRULE(this.pattern)
        this.CONSUME(t.word.in)
        const iterable = this.SUBRULE(this.iterable)
        return { pattern, iterable }
      },
    })
    this.close(1, open, t.BracketClose, 'list')
    const span = this.spanFrom(open.startOffset)
    const [element] = elements
    return loop === undefined || element === undefined ? { kind: 'list', elements, span } : { kind: 'comprehension', element, ...loop, span }
  })

  private readonly iterable = this.rule('iterable', (): Iterable => {
    const from = this.here()
    const start = this.SUBRULE(this.expression)
    const stop = this.OPTION(() => {
      this.CONSUME(t.DotDot)
      return this.SUBRULE1(this.expression)
    })
    return stop === undefined ? start : { kind: 'range', start, stop, span: this.spanFrom(from) }
  })

  private readonly record = this.rule('record', (): Expression => {
    const fields: RecordField[] = []
    const open = this.CONSUME(t.BraceOpen)
    this.list(1, t.BraceClose, (i) => fields.push(this.subrule(i, this.recordField)))
    this.close(1, open, t.BraceClose, 'record')
    return { kind: 'record', fields, span: this.spanFrom(open.startOffset) }
  })

  private readonly recordField = this.rule('recordField', (): RecordField => {
    const token = this.CONSUME(t.Name)
    const name = this.identifier(token)
    const value = this.OPTION(() => {
      this.CONSUME(t.Colon)
      return this.SUBRULE(this.expression)
    })
    const shorthand = value === undefined
    return { kind: 'record-field', name, value: value ?? this.name(token), shorthand, span: this.spanFrom(token.startOffset) }
  })

  private readonly lambda = this.rule('lambda', (): Expression => {
    const start = this.here()
    const parameters = this.OR([
      { ALT: () => [this.identifier(this.CONSUME(t.Name))] },
      { ALT: () => this.SUBRULE(this.names) },
    ])
    const body = this.SUBRULE(this.arrowBody)
    return { kind: 'lambda', parameters, body, span: this.spanFrom(start) }
  })

  /** `(x, y)` */
  protected readonly names = this.rule('names', (): readonly Identifier[] => {
    const found: Identifier[] = []
    const open = this.CONSUME(t.ParenOpen)
    this.list(1, t.ParenClose, (i) => found.push(this.identifier(this.consume(i, t.Name))))
    this.close(1, open, t.ParenClose, 'parameters')
    return found
  })

  /** `=> e` or `=> { … }`, which is a block as in TypeScript. */
  protected readonly arrowBody = this.rule('arrowBody', (): Body => {
    this.CONSUME(t.FatArrow)
    return this.OR<Body>({
      DEF: [
        { GATE: () => this.at(t.BraceOpen), ALT: () => this.SUBRULE(this.block) },
        { ALT: () => this.SUBRULE(this.expression) },
      ],
      IGNORE_AMBIGUITIES: true,
    })
  })

  private readonly choice = this.rule('choice', (): Expression => {
    const word = this.CONSUME(t.reserved.if)
    const condition = this.SUBRULE(this.expression)
    this.CONSUME(t.word.then)
    const whenTrue = this.SUBRULE1(this.expression)
    this.CONSUME(t.word.else)
    const whenFalse = this.SUBRULE2(this.expression)
    return { kind: 'if', condition, whenTrue, whenFalse, span: this.spanFrom(word.startOffset) }
  })

  // -------------------------------------------------------------------------------------------------------- loops

  private readonly fold = this.rule('fold', (): Expression => {
    const word = this.CONSUME(t.word.fold)
    const head = this.SUBRULE(this.loopHead)
    const carry = this.SUBRULE(this.carry)
    return { kind: 'fold', ...head, ...carry, span: this.spanFrom(word.startOffset) }
  })

  private readonly scan = this.rule('scan', (): Expression => {
    const word = this.CONSUME(t.word.scan)
    const head = this.SUBRULE(this.loopHead)
    const carry = this.SUBRULE(this.carry)
    return { kind: 'scan', ...head, ...carry, span: this.spanFrom(word.startOffset) }
  })

  private readonly loop = this.rule('loop', (): Expression => {
    const word = this.CONSUME(t.reserved.while)
    const condition = this.SUBRULE(this.expression)
    const carry = this.SUBRULE(this.carry)
    return { kind: 'while', condition, ...carry, span: this.spanFrom(word.startOffset) }
  })

  private readonly loopHead = this.rule('loopHead', () => {
    const variable = this.SUBRULE(this.pattern)
    this.CONSUME(t.word.in)
    const iterable = this.SUBRULE(this.iterable)
    return { variable, iterable }
  })

  /** `with z = 0.0 { … }` */
  private readonly carry = this.rule('carry', () => {
    this.CONSUME(t.word.with)
    const carry = this.SUBRULE(this.pattern)
    this.CONSUME(t.Equals)
    const initial = this.SUBRULE(this.expression)
    const body = this.SUBRULE(this.block)
    return { carry, initial, body }
  })
}
