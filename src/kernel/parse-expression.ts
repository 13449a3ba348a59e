// Expressions of kernel text. In: words, and what their names stand for. Out: expressions. Holds: operators bind as the printer writes
// them; a name is what the statements around it declare, else a buffer, else a size.

import { Dim, type DType, isDType } from '../base/index.js';
import { apply, constant } from './build.js';
import type { Accumulator, Buffer, Expr } from './ir.js';
import { impliedDType, infix } from './text.js';
import type { TokenReader } from './token-reader.js';

export type Local =
  | { readonly kind: 'index' }
  | { readonly kind: 'let'; readonly dtype: DType }
  | { readonly kind: 'accumulator'; readonly accumulator: Accumulator }
  | { readonly kind: 'shared'; readonly buffer: Buffer };

const operators = new Map(Object.entries(infix).map(([fn, { symbol, level }]) => [symbol, { fn, level }]));

export class ExpressionParser {
  /** What is declared where the words stand. */
  locals = new Map<string, Local>();
  /** Expressions that the statement at hand names by numbers. */
  shared = new Map<string, Expr>();
  readonly #tokens: TokenReader;
  readonly #buffers: ReadonlyMap<string, Buffer>;

  constructor(tokens: TokenReader, buffers: ReadonlyMap<string, Buffer>) {
    this.#tokens = tokens;
    this.#buffers = buffers;
  }

  parse(level = 0): Expr {
    let left = this.#primary();
    for (;;) {
      const token = this.#tokens.peek();
      const operator = token.kind === 'symbol' ? operators.get(token.text) : undefined;
      if (operator === undefined || operator.level < level) return left;
      this.#tokens.next();
      const args = [left, this.parse(operator.level + 1)];
      left = apply(operator.fn, impliedDType(operator.fn, args) as DType, ...args);
    }
  }

  #primary(): Expr {
    const token = this.#tokens.peek();
    if (token.kind === 'shared') {
      this.#tokens.next();
      return this.shared.get(token.text) ?? this.#tokens.fail(`${token.text} is not defined before this statement`);
    }
    if (this.#tokens.takeSymbol('(')) {
      const inner = this.parse();
      this.#tokens.symbol(')');
      return inner;
    }
    if (this.#tokens.takeSymbol('#')) {
      this.#tokens.symbol('(');
      const dim = this.#tokens.dim();
      this.#tokens.symbol(')');
      return { kind: 'size', dim };
    }
    if (token.kind === 'number' || token.text === '-') return constant('i64', this.#tokens.number());
    if (token.kind === 'word' && isDType(token.text)) {
      this.#tokens.next();
      this.#tokens.symbol('(');
      const value = this.#tokens.number();
      this.#tokens.symbol(')');
      return constant(token.text, value);
    }
    const marked = this.#tokens.takeSymbol('@');
    const name = this.#tokens.name();
    if (!marked && (this.#tokens.at('(') || (this.#tokens.at('<') && this.#dtypeFollows()))) return this.#call(name);
    const local = marked ? undefined : this.locals.get(name);
    if (local?.kind === 'index') return { kind: 'index', name };
    if (local?.kind === 'let') return { kind: 'name', name, dtype: local.dtype };
    const index = this.#tokens.takeSymbol('[') ? this.#tokens.list(() => this.parse(), ']') : undefined;
    if (local?.kind === 'shared') return { kind: 'load', buffer: local.buffer, index: index ?? [] };
    if (local !== undefined) return { kind: 'read', accumulator: local.accumulator, index: index ?? [] };
    if (index === undefined) return { kind: 'size', dim: Dim.of(name) };
    return { kind: 'load', buffer: this.#buffers.get(name) ?? this.#tokens.fail(`no buffer named ${name}`), index };
  }

  #call(fn: string): Expr {
    let dtype: DType | undefined;
    if (this.#tokens.takeSymbol('<')) {
      dtype = this.#tokens.dtype();
      this.#tokens.symbol('>');
    }
    this.#tokens.symbol('(');
    const args = this.#tokens.list(() => this.parse(), ')');
    dtype ??= impliedDType(fn, args) ?? this.#tokens.fail(`${fn} needs its dtype: ${fn}<f32>(…)`);
    return apply(fn, dtype, ...args);
  }

  #dtypeFollows(): boolean {
    const [word, close] = [this.#tokens.ahead(1), this.#tokens.ahead(2)];
    return word?.kind === 'word' && isDType(word.text) && close?.text === '>';
  }
}
