// The rules for what stands between operators: names, literals, lists, records, lambdas, choices and loops. In: tokens.
// Out: expression nodes.
// Holds: a contextual word is read as a name unless what follows makes it a loop.

import type { IToken, ParserMethod } from 'chevrotain';
import type {
  Block,
  Body,
  Expression,
  ForClause,
  Identifier,
  IndexVariable,
  Iterable,
  RecordField,
  ReductionName,
  StringExpression,
} from './ast.js';
import { tokenMatcher } from './chevrotain.js';
import { nameOf, stringValue } from './lex.js';
import * as t from './tokens.js';
import { TypeRules } from './type-rules.js';

/** Reductions over indices, which are builtins as well. */
const reductionNames: ReadonlySet<string> = new Set<ReductionName>(['sum', 'mean', 'max', 'min', 'product', 'any', 'all']);

export abstract class PrimaryRules extends TypeRules {
  protected abstract readonly block: ParserMethod<[], Block>;
  protected abstract readonly expression: ParserMethod<[], Expression>;

  protected readonly primary = this.rule('primary', (): Expression =>
    this.OR<Expression>({
      DEF: [
        { GATE: () => this.at(t.FatArrow, 2) || this.#lambdaFollows(), ALT: () => this.SUBRULE(this.#lambda) },
        { GATE: () => this.#reductionFollows(), ALT: () => this.SUBRULE(this.#reduction) },
        { GATE: () => this.#indexNotationFollows(), ALT: () => this.SUBRULE(this.#indexNotation) },
        { GATE: () => this.at(t.word.fold) && this.#loopFollows(), ALT: () => this.SUBRULE(this.#fold) },
        { GATE: () => this.at(t.word.scan) && this.#loopFollows(), ALT: () => this.SUBRULE(this.#scan) },
        { ALT: () => this.#name(this.CONSUME(t.Name)) },
        { ALT: () => this.#number(this.CONSUME(t.NumberLiteral)) },
        { ALT: () => this.string(this.CONSUME(t.StringLiteral)) },
        { ALT: () => this.#boolean(this.CONSUME(t.reserved.true)) },
        { ALT: () => this.#boolean(this.CONSUME(t.reserved.false)) },
        { ALT: () => this.SUBRULE(this.#choice) },
        { ALT: () => this.SUBRULE(this.#loop) },
        { ALT: () => this.SUBRULE(this.#group) },
        { ALT: () => this.SUBRULE(this.#listOrComprehension) },
        { ALT: () => this.SUBRULE(this.#record) },
      ],
      ERR_MSG: 'an expression',
      IGNORE_AMBIGUITIES: true,
    }),
  );

  /** Whether `fold` or `scan`, which comes next, starts a loop: a variable follows, and no word that may follow a value. */
  #loopFollows(): boolean {
    const variable = this.LA(2);
    if (this.brokenBefore(variable)) return false;
    if (variable.tokenType === t.ParenOpen) {
      const after = this.LA(this.#closingFrom(2) + 1);
      return after.tokenType === t.word.in && !this.brokenBefore(after);
    }
    if (!tokenMatcher(variable, t.Name) || t.wordsAfterValues.has(variable.image)) return false;
    return this.at(t.word.in, 3) || variable.tokenType === t.Identifier;
  }

  #lambdaFollows(): boolean {
    return this.at(t.ParenOpen) && this.at(t.FatArrow, this.#closingFrom(1) + 1);
  }

  /** From a `(` at `distance`: the distance of its `)`, if nothing but names, commas and parentheses stand between; else 0. */
  #closingFrom(distance: number): number {
    let depth = 0;
    for (let i = distance; ; i++) {
      const token = this.LA(i);
      if (token.tokenType === t.ParenOpen) depth++;
      else if (token.tokenType === t.ParenClose) {
        if (--depth === 0) return i;
      } else if (token.tokenType !== t.Comma && !tokenMatcher(token, t.Name)) return 0;
      if (i - distance > 1000) return 0;
    }
  }

  #name(token: IToken): Expression {
    return { kind: 'name', name: nameOf(token), span: this.spanOf(token) };
  }

  #number(token: IToken): Expression {
    const text = token.image;
    return { kind: 'number', text, value: Number(text), integer: /^\d+$/.test(text), span: this.spanOf(token) };
  }

  protected string(token: IToken): StringExpression {
    const value = stringValue(token.image, (offset, length) => {
      const start = token.startOffset + offset;
      this.report(token, {
        message: `'${token.image.slice(offset, offset + length)}' is no escape of a string`,
        hint: 'escapes are \\n \\t \\r \\b \\f \\" \\\\ \\/ \\uXXXX \\u{X…}',
        span: { ...this.spanOf(token), start, end: start + length },
      });
    });
    return { kind: 'string', value, span: this.spanOf(token) };
  }

  #boolean(token: IToken): Expression {
    return { kind: 'boolean', value: token.tokenType === t.reserved.true, span: this.spanOf(token) };
  }

  readonly #group = this.rule('group', (): Expression => {
    const elements: Expression[] = [];
    const open = this.CONSUME(t.ParenOpen);
    if (this.at(t.ParenClose)) this.reportExpected(this.LA(1), 'an expression');
    this.list(1, t.ParenClose, (i) => elements.push(this.subrule(i, this.expression)));
    this.close(1, open, t.ParenClose, elements.length > 1 ? 'tuple' : 'parenthesis');
    const span = this.spanFrom(open.startOffset);
    const [only] = elements;
    if (only !== undefined && elements.length === 1) return { ...only, span };
    return elements.length === 0 ? { kind: 'missing', span } : { kind: 'tuple', elements, span };
  });

  readonly #listOrComprehension = this.rule('listOrComprehension', (): Expression => {
    const elements: Expression[] = [];
    const open = this.CONSUME(t.BracketOpen);
    this.list(1, t.BracketClose, (i) => elements.push(this.subrule(i, this.expression)));
    const clauses: ForClause[] = [];
    this.MANY({ GATE: () => elements.length === 1, DEF: () => clauses.push(this.SUBRULE(this.#forClause)) });
    this.close(1, open, t.BracketClose, 'list');
    const span = this.spanFrom(open.startOffset);
    const [element] = elements;
    return clauses.length === 0 || element === undefined
      ? { kind: 'list', elements, span }
      : { kind: 'comprehension', element, clauses, span };
  });

  readonly #forClause = this.rule('forClause', (): ForClause => {
    const word = this.CONSUME(t.word.for);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(t.word.in);
    const iterable = this.SUBRULE(this.#iterable);
    return { kind: 'for-clause', pattern, iterable, span: this.spanFrom(word.startOffset) };
  });

  readonly #iterable = this.rule('iterable', (): Iterable => {
    const from = this.here();
    const start = this.SUBRULE(this.expression);
    const stop = this.OPTION(() => {
      this.CONSUME(t.DotDot);
      return this.SUBRULE1(this.expression);
    });
    return stop === undefined ? start : { kind: 'range', start, stop, span: this.spanFrom(from) };
  });

  readonly #record = this.rule('record', (): Expression => {
    const fields: RecordField[] = [];
    const open = this.CONSUME(t.BraceOpen);
    this.list(1, t.BraceClose, (i) => fields.push(this.subrule(i, this.#recordField)));
    this.close(1, open, t.BraceClose, 'record');
    return { kind: 'record', fields, span: this.spanFrom(open.startOffset) };
  });

  readonly #recordField = this.rule('recordField', (): RecordField => {
    const token = this.CONSUME(t.Name);
    const name = this.identifier(token);
    const value = this.OPTION(() => {
      this.CONSUME(t.Colon);
      return this.SUBRULE(this.expression);
    });
    const shorthand = value === undefined;
    return { kind: 'record-field', name, value: value ?? this.#name(token), shorthand, span: this.spanFrom(token.startOffset) };
  });

  readonly #lambda = this.rule('lambda', (): Expression => {
    const start = this.here();
    const parameters = this.OR([{ ALT: () => [this.identifier(this.CONSUME(t.Name))] }, { ALT: () => this.SUBRULE(this.names) }]);
    const body = this.SUBRULE(this.arrowBody);
    return { kind: 'lambda', parameters, body, span: this.spanFrom(start) };
  });

  /** `(x, y)` */
  protected readonly names = this.rule('names', (): readonly Identifier[] => {
    const found: Identifier[] = [];
    const open = this.CONSUME(t.ParenOpen);
    this.list(1, t.ParenClose, (i) => found.push(this.identifier(this.consume(i, t.Name))));
    this.close(1, open, t.ParenClose, 'parameters');
    return found;
  });

  /** `=> e` or `=> { … }`, which is a block as in TypeScript. */
  protected readonly arrowBody = this.rule('arrowBody', (): Body => {
    this.CONSUME(t.FatArrow);
    return this.OR<Body>({
      DEF: [{ GATE: () => this.at(t.BraceOpen), ALT: () => this.SUBRULE(this.block) }, { ALT: () => this.SUBRULE(this.expression) }],
      IGNORE_AMBIGUITIES: true,
    });
  });

  readonly #choice = this.rule('choice', (): Expression => {
    const word = this.CONSUME(t.reserved.if);
    const condition = this.SUBRULE(this.expression);
    const branches = this.SUBRULE(this.choiceBranches);
    return { kind: 'if', condition, ...branches, span: this.spanFrom(word.startOffset) };
  });

  /** `then a else b` */
  protected readonly choiceBranches = this.rule('choiceBranches', () => {
    this.CONSUME(t.word.then);
    const whenTrue = this.SUBRULE(this.expression);
    this.CONSUME(t.word.else);
    const whenFalse = this.SUBRULE1(this.expression);
    return { whenTrue, whenFalse };
  });

  // ----------------------------------------------------------------------------------------------- index notation

  /** `[b, y in 0..H] =>`: names or ranges in brackets, and an arrow behind them. */
  #indexNotationFollows(): boolean {
    if (!this.at(t.BracketOpen)) return false;
    const closer = this.closerOf(1);
    return closer > 0 && this.at(t.FatArrow, closer + 1);
  }

  /** `sum[i, j in 0..3](`, all on the lines of one expression. */
  #reductionFollows(): boolean {
    if (!reductionNames.has(this.LA(1).image) || !this.at(t.BracketOpen, 2) || this.brokenBefore(this.LA(2))) return false;
    if (!this.at(t.Name, 3) || !(this.at(t.Comma, 4) || this.at(t.BracketClose, 4) || this.at(t.word.in, 4))) return false;
    const closer = this.closerOf(2);
    return closer > 0 && this.at(t.ParenOpen, closer + 1) && !this.brokenBefore(this.LA(closer + 1));
  }

  readonly #indexNotation = this.rule('indexNotation', (): Expression => {
    const start = this.here();
    const indices = this.SUBRULE(this.#indexVariables);
    const body = this.SUBRULE(this.arrowBody);
    return { kind: 'index-notation', indices, body, span: this.spanFrom(start) };
  });

  readonly #reduction = this.rule('reduction', (): Expression => {
    const name = this.CONSUME(t.Name);
    const indices = this.SUBRULE(this.#indexVariables);
    const open = this.CONSUME(t.ParenOpen);
    const element = this.SUBRULE(this.expression);
    this.option(1, () => this.consume(1, t.Comma));
    this.close(2, open, t.ParenClose, 'call');
    return {
      kind: 'reduction',
      reduction: name.image as ReductionName,
      nameSpan: this.spanOf(name),
      indices,
      element,
      span: this.spanFrom(name.startOffset),
    };
  });

  /** `[i, j in 0..H]` */
  readonly #indexVariables = this.rule('indexVariables', (): readonly IndexVariable[] => {
    const found: IndexVariable[] = [];
    const open = this.CONSUME(t.BracketOpen);
    if (this.at(t.BracketClose)) this.reportExpected(this.LA(1), 'an index');
    this.list(1, t.BracketClose, (i) => found.push(this.subrule(i, this.#indexVariable)));
    this.close(1, open, t.BracketClose, 'indices');
    return found;
  });

  readonly #indexVariable = this.rule('indexVariable', (): IndexVariable => {
    const from = this.here();
    const name = this.identifier(this.CONSUME(t.Name));
    const range =
      this.OPTION(() => {
        this.CONSUME(t.word.in);
        const first = this.here();
        const start = this.SUBRULE(this.expression);
        this.CONSUME(t.DotDot);
        const stop = this.SUBRULE1(this.expression);
        return { kind: 'range' as const, start, stop, span: this.spanFrom(first) };
      }) ?? null;
    return { kind: 'index-variable', name, range, span: this.spanFrom(from) };
  });

  // -------------------------------------------------------------------------------------------------------- loops

  readonly #fold = this.rule('fold', (): Expression => {
    const word = this.CONSUME(t.word.fold);
    const head = this.SUBRULE(this.#loopHead);
    const carry = this.SUBRULE(this.#carry);
    return { kind: 'fold', ...head, ...carry, span: this.spanFrom(word.startOffset) };
  });

  readonly #scan = this.rule('scan', (): Expression => {
    const word = this.CONSUME(t.word.scan);
    const head = this.SUBRULE(this.#loopHead);
    const carry = this.SUBRULE(this.#carry);
    return { kind: 'scan', ...head, ...carry, span: this.spanFrom(word.startOffset) };
  });

  readonly #loop = this.rule('loop', (): Expression => {
    const word = this.CONSUME(t.reserved.while);
    const condition = this.SUBRULE(this.expression);
    const { carry, initial } = this.SUBRULE(this.#carryStart);
    const limit =
      this.OPTION(() => {
        this.CONSUME(t.word.limit);
        return this.SUBRULE1(this.expression);
      }) ?? null;
    const body = this.SUBRULE(this.block);
    return { kind: 'while', condition, carry, initial, limit, body, span: this.spanFrom(word.startOffset) };
  });

  readonly #loopHead = this.rule('loopHead', () => {
    const variable = this.SUBRULE(this.pattern);
    this.CONSUME(t.word.in);
    const iterable = this.SUBRULE(this.#iterable);
    return { variable, iterable };
  });

  /** `with z = 0.0 { … }` */
  readonly #carry = this.rule('carry', () => {
    const start = this.SUBRULE(this.#carryStart);
    const body = this.SUBRULE(this.block);
    return { ...start, body };
  });

  readonly #carryStart = this.rule('carryStart', () => {
    this.CONSUME(t.word.with);
    const carry = this.SUBRULE(this.pattern);
    this.CONSUME(t.Equals);
    const initial = this.SUBRULE(this.expression);
    return { carry, initial };
  });
}
