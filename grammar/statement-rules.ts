// The rules for statements and blocks. In: tokens. Out: statement nodes.
// Holds: a statement with a mistake is left out of its block, the others stand; a `}` that is missing is told once.

import type { IToken, ParserMethod } from 'chevrotain';
import type { AssignTarget, Block, Expression, ExpressionStatement, IfStatement, Statement, SummaryStatement } from './ast.js';
import { EOF, tokenMatcher } from './chevrotain.js';
import { ExpressionRules } from './expression-rules.js';
import { startsDeclaration, startsOperand, startsWordStatement } from './starts.js';
import * as t from './tokens.js';

export abstract class StatementRules extends ExpressionRules {
  protected readonly block = this.rule('block', (): Block =>
    this.nested(() => {
      const statements: Statement[] = [];
      const open = this.CONSUME(t.BraceOpen);
      if (this.RECORDING_PHASE) this.MANY(() => this.SUBRULE(this.#statement));
      else this.#statements(statements);
      this.close(1, open, t.BraceClose, 'block');
      return { kind: 'block', statements, span: this.spanFrom(open.startOffset) };
    }),
  );

  #statements(into: Statement[]): void {
    while (!this.at(t.BraceClose) && !this.at(EOF)) {
      const first = this.LA(1);
      if (startsDeclaration(first, this.follower(first)) && this.brokenBefore(first)) return;
      const statement = this.guard(
        () => this.SUBRULE(this.#statement),
        () => true,
      );
      if (this.LA(1) === first) this.skip();
      else if (statement !== null) into.push(statement);
      while (this.at(t.Semicolon)) this.skip();
    }
  }

  readonly #statement = this.rule('statement', (): Statement =>
    this.OR<Statement>({
      DEF: [
        { ALT: () => this.SUBRULE(this.#letStatement) },
        { ALT: () => this.SUBRULE(this.#returnStatement) },
        { ALT: () => this.SUBRULE(this.#yieldStatement) },
        { GATE: () => this.#atWord(t.word.minimize), ALT: () => this.SUBRULE(this.#minimizeStatement) },
        { GATE: () => this.#atUpdate(), ALT: () => this.SUBRULE(this.#updateStatement) },
        { ALT: () => this.SUBRULE(this.#ifStatement) },
        { GATE: () => this.#atWord(t.word.precision), ALT: () => this.SUBRULE(this.#precisionStatement) },
        { GATE: () => this.#atWord(t.word.scope), ALT: () => this.SUBRULE(this.#scopeStatement) },
        { GATE: () => this.#atWord(t.word.summary), ALT: () => this.SUBRULE(this.#summaryStatement) },
        { ALT: () => this.SUBRULE(this.#simpleStatement) },
      ],
      ERR_MSG: 'a statement',
      IGNORE_AMBIGUITIES: true,
    }),
  );

  #atWord(type: IToken['tokenType']): boolean {
    return this.at(type) && startsWordStatement(this.LA(1), this.follower(this.LA(1)));
  }

  readonly #letStatement = this.rule('letStatement', (): Statement => {
    const word = this.CONSUME(t.reserved.let);
    const pattern = this.SUBRULE(this.pattern);
    const type =
      this.OPTION(() => {
        this.CONSUME(t.Colon);
        return this.SUBRULE(this.type);
      }) ?? null;
    this.CONSUME(t.Equals);
    const value = this.SUBRULE(this.expression);
    return { kind: 'let', pattern, type, value, span: this.spanFrom(word.startOffset) };
  });

  readonly #returnStatement = this.rule('returnStatement', (): Statement => {
    const word = this.CONSUME(t.reserved.return);
    const value = this.SUBRULE(this.expression);
    return { kind: 'return', value, span: this.spanFrom(word.startOffset) };
  });

  readonly #yieldStatement = this.rule('yieldStatement', (): Statement => {
    const word = this.CONSUME(t.reserved.yield);
    const value = this.SUBRULE(this.expression);
    return { kind: 'yield', value, span: this.spanFrom(word.startOffset) };
  });

  readonly #minimizeStatement = this.rule('minimizeStatement', (): Statement => {
    const word = this.CONSUME(t.word.minimize);
    const loss = this.SUBRULE(this.expression);
    this.CONSUME(t.word.with);
    const optimizer = this.SUBRULE1(this.expression);
    const over =
      this.OPTION({
        GATE: () => !this.at(t.Assign, 2) && !this.at(t.Dot, 2),
        DEF: () => {
          this.CONSUME(t.word.over);
          return this.SUBRULE2(this.expression);
        },
      }) ?? null;
    return { kind: 'minimize', loss, optimizer, over, span: this.spanFrom(word.startOffset) };
  });

  /** `update` before an operand; before brackets it is a name, unless `with` follows them. */
  #atUpdate(): boolean {
    if (!this.at(t.word.update) || this.brokenBefore(this.LA(2))) return false;
    const bracket = this.at(t.ParenOpen, 2) || this.at(t.BracketOpen, 2);
    if (!bracket) return !this.at(t.Minus, 2) && startsOperand(this.LA(2));
    const close = this.#closingFrom(2);
    return close > 0 && this.at(t.word.with, close + 1);
  }

  /** From an opening sign at `distance`: the distance of the one that closes it; 0 when there is none in sight. */
  #closingFrom(distance: number): number {
    let depth = 0;
    for (let i = distance; i - distance < 1000; i++) {
      const { tokenType } = this.LA(i);
      if (tokenType === t.ParenOpen || tokenType === t.BracketOpen || tokenType === t.BraceOpen) depth++;
      else if (tokenType === t.ParenClose || tokenType === t.BracketClose || tokenType === t.BraceClose) {
        if (--depth === 0) return i;
      } else if (tokenType === EOF) return 0;
    }
    return 0;
  }

  readonly #updateStatement = this.rule('updateStatement', (): Statement => {
    const word = this.CONSUME(t.word.update);
    const target = this.SUBRULE(this.expression);
    this.CONSUME(t.word.with);
    const optimizer = this.SUBRULE1(this.expression);
    this.CONSUME(t.word.by);
    const gradients = this.SUBRULE2(this.expression);
    return { kind: 'update-statement', target, optimizer, gradients, span: this.spanFrom(word.startOffset) };
  });

  /** `if c { … } else { … }`; `if c then a else b` is an expression. */
  readonly #ifStatement: ParserMethod<[], IfStatement | ExpressionStatement> = this.rule(
    'ifStatement',
    (): IfStatement | ExpressionStatement => {
      const word = this.CONSUME(t.reserved.if);
      const condition = this.SUBRULE(this.expression);
      return this.OR<IfStatement | ExpressionStatement>({
        DEF: [
          {
            ALT: () => {
              const choice = this.SUBRULE(this.choiceBranches);
              const span = this.spanFrom(word.startOffset);
              return { kind: 'expression-statement', expression: { kind: 'if', condition, ...choice, span }, span };
            },
          },
          {
            ALT: () => {
              const whenTrue = this.SUBRULE(this.block);
              const whenFalse = this.OPTION({ GATE: () => this.#elseFollows(), DEF: () => this.SUBRULE(this.#elseBranch) }) ?? null;
              return { kind: 'if-statement', condition, whenTrue, whenFalse, span: this.spanFrom(word.startOffset) };
            },
          },
        ],
        ERR_MSG: "'then' or '{'",
      });
    },
  );

  #elseFollows(): boolean {
    return this.at(t.BraceOpen, 2) || this.at(t.reserved.if, 2);
  }

  readonly #elseBranch = this.rule('elseBranch', (): Block | IfStatement => {
    this.CONSUME(t.word.else);
    return this.OR<Block | IfStatement>([
      { ALT: () => this.SUBRULE(this.block) },
      {
        ALT: () => {
          const statement = this.nested(() => this.SUBRULE(this.#ifStatement));
          if (this.RECORDING_PHASE || statement.kind === 'if-statement') return statement as IfStatement;
          this.report(this.LA(0), {
            message: 'a value is chosen where statements are',
            hint: 'write `else if c { … }`',
            span: statement.span,
          });
          return { kind: 'block', statements: [statement], span: statement.span };
        },
      },
    ]);
  });

  readonly #precisionStatement = this.rule('precisionStatement', (): Statement => {
    const word = this.CONSUME(t.word.precision);
    const dtype = this.identifier(this.CONSUME(t.Name));
    const body = this.SUBRULE(this.block);
    return { kind: 'precision', dtype, body, span: this.spanFrom(word.startOffset) };
  });

  readonly #scopeStatement = this.rule('scopeStatement', (): Statement => {
    const word = this.CONSUME(t.word.scope);
    const name = this.string(this.CONSUME(t.StringLiteral));
    const body = this.SUBRULE(this.block);
    return { kind: 'scope', name, body, span: this.spanFrom(word.startOffset) };
  });

  readonly #summaryStatement = this.rule('summaryStatement', (): Statement => {
    const word = this.CONSUME(t.word.summary);
    const kind = this.CONSUME(t.Name);
    let summary: SummaryStatement['summary'] = 'scalar';
    if (kind.image === 'histogram') summary = 'histogram';
    else if (kind.image !== 'scalar') {
      this.report(kind, {
        message: `expected scalar or histogram, found '${kind.image}'`,
        hint: 'e.g. `summary histogram("x", x)`',
        expected: ['scalar', 'histogram'],
      });
    }
    const open = this.CONSUME(t.ParenOpen);
    const name = this.string(this.CONSUME(t.StringLiteral));
    this.CONSUME(t.Comma);
    const value = this.SUBRULE(this.expression);
    this.OPTION(() => this.CONSUME1(t.Comma));
    this.close(1, open, t.ParenClose, 'summary');
    return { kind: 'summary', summary, name, value, span: this.spanFrom(word.startOffset) };
  });

  /** `target <- e`, or a bare expression, which starts a line (or follows `{` or `;`). */
  readonly #simpleStatement = this.rule('simpleStatement', (): Statement => {
    const first = this.LA(1);
    const expression = this.SUBRULE(this.expression);
    const sign = this.OPTION(() => this.OR([{ ALT: () => this.CONSUME(t.Assign) }, { ALT: () => this.CONSUME(t.Equals) }]));
    if (this.RECORDING_PHASE || sign !== undefined) {
      const value = this.OPTION1(() => this.SUBRULE1(this.expression)) ?? { kind: 'missing', span: this.gap() };
      if (sign?.tokenType === t.Equals) {
        const name = this.textOf(expression.kind === 'call' ? expression.callee.span : expression.span);
        this.report(sign, {
          message: "'=' gives no name here",
          hint:
            expression.kind === 'call'
              ? `a function in a block is a lambda: \`let ${name} = (x, y) => …\``
              : `write \`let ${name} = …\` for a new value, \`${name} <- …\` to assign a variable`,
          expected: ["'<-'"],
        });
      }
      if (isTarget(expression)) return { kind: 'assign', target: expression, value, span: this.spanFrom(first.startOffset) };
      if (sign?.tokenType === t.Assign && expression.kind !== 'missing')
        this.report(first, {
          message: 'only a variable can be assigned',
          hint: 'the left side of `<-` is a name: `w <- e`, `net.bias <- e`',
          span: expression.span,
        });
    } else if (!this.brokenBefore(first) && !this.#standsAlone(first)) {
      this.reportExpected(first, 'a new line or an operator', ['a new line', 'an operator']);
    }
    return { kind: 'expression-statement', expression, span: this.spanFrom(first.startOffset) };
  });

  #standsAlone(first: IToken): boolean {
    const previous = this.previousOf(first);
    return previous === undefined || tokenMatcher(previous, t.BraceOpen) || tokenMatcher(previous, t.Semicolon);
  }
}

function isTarget(e: Expression): e is AssignTarget {
  return e.kind === 'name' || e.kind === 'member' || e.kind === 'index';
}
