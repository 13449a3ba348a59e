// Reads the text form of kernel IR. In: what `print.ts` wrote, or a person. Out: a program. Holds: the inverse of the printer; names are
// resolved as they are met, so a name without a declaration is an InternalError that says where. What the program means is the verifier's
// business.

import { Dim, type DimTerm, type DType, InternalError, isDType } from '../base/index.js';
import { apply, constant, dtypeOf, rowMajor } from './build.js';
import { ownCode } from './code.js';
import type {
  Accumulator,
  ArenaSlot,
  Axis,
  Buffer,
  BufferRole,
  Combiner,
  Expr,
  For,
  Kernel,
  KernelOrigin,
  PartialResult,
  Program,
  Stmt,
} from './ir.js';
import { lex, type Token, type TokenKind } from './lex.js';
import { axes, combinerText, impliedDType, infix } from './text.js';

export function parseProgram(text: string): Program {
  return new Parser(text).program();
}

type Local =
  | { readonly kind: 'index' }
  | { readonly kind: 'let'; readonly dtype: DType }
  | { readonly kind: 'accumulator'; readonly accumulator: Accumulator };

const combiners = new Map(Object.entries(combinerText).map(([combiner, symbol]) => [symbol, combiner as Combiner]));
const operators = new Map(Object.entries(infix).map(([fn, { symbol, level }]) => [symbol, { fn, level }]));

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  readonly #buffers = new Map<string, Buffer>();
  readonly #kernels = new Map<string, Kernel>();
  readonly #slotOf = new Map<string, number>();
  #scope = new Map<string, Local>();
  #shared = new Map<string, Expr>();

  constructor(text: string) {
    this.#text = text;
    this.#tokens = lex(text);
  }

  program(): Program {
    this.#word('program');
    const entry = this.#name();
    const dims = this.#takeWord('dims') ? this.#list(() => this.#name()) : [];
    const slots: ArenaSlot[] = [];
    for (;;) {
      const role = this.#role();
      if (role !== undefined) this.#buffer(role);
      else if (this.#takeWord('slot')) {
        if (this.#integer() !== slots.length) this.#fail('slots are numbered in order');
        this.#symbol(':');
        slots.push({ bytes: this.#list(() => this.#dim()) });
      } else break;
    }
    const kernels: Kernel[] = [];
    while (this.#peek().kind !== 'end') kernels.push(this.#kernel());
    return { entry, dims, buffers: [...this.#buffers.values()], kernels, arena: { slots, slotOf: this.#slotOf } };
  }

  #role(): BufferRole | undefined {
    for (const kind of ['feed', 'output', 'variable'] as const) if (this.#takeWord(kind)) return { kind, index: this.#integer() };
    return this.#takeWord('temporary') ? { kind: 'temporary' } : undefined;
  }

  #buffer(role: BufferRole): void {
    const name = this.#name();
    this.#symbol(':');
    const dtype = this.#dtype();
    const shape = this.#dims();
    const strides = this.#takeWord('strides') ? this.#dims() : rowMajor(shape);
    if (this.#buffers.has(name)) this.#fail(`two buffers named ${name}`);
    this.#buffers.set(name, { name, dtype, shape, strides, role });
    if (this.#takeWord('in')) {
      this.#word('slot');
      this.#slotOf.set(name, this.#integer());
    }
  }

  #kernel(): Kernel {
    this.#word('kernel');
    const name = this.#name();
    const title = this.#take('string').text;
    this.#word('reads');
    const bytesRead = this.#dim();
    this.#word('writes');
    const bytesWritten = this.#dim();
    this.#word('flops');
    const flops = this.#dim();
    const recomputed = this.#takeWord('again') ? this.#dim() : undefined;
    const origins: KernelOrigin[] = [];
    while (this.#takeWord('from')) origins.push(this.#origin());
    this.#scope = new Map();
    const cost = { bytesRead, bytesWritten, flops, ...(recomputed === undefined ? {} : { recomputed }) };
    const kernel: Kernel = { name, ...this.#code(), cost, origins, title };
    this.#kernels.set(name, kernel);
    return kernel;
  }

  #code(): Pick<Kernel, 'code' | 'buffers'> {
    if (!this.#takeWord('like')) return ownCode(this.#block());
    const name = this.#name();
    const { code, buffers } = this.#kernels.get(name) ?? this.#fail(`no kernel named ${name} so far`);
    const others = new Map<string, Buffer>();
    if (this.#takeWord('with')) {
      this.#list(() => {
        const own = this.#namedBuffer();
        this.#word('for');
        others.set(this.#namedBuffer().name, own);
      });
    }
    return { code, buffers: buffers.map((buffer) => others.get(buffer.name) ?? buffer) };
  }

  #namedBuffer(): Buffer {
    const name = this.#name();
    return this.#buffers.get(name) ?? this.#fail(`no buffer named ${name}`);
  }

  #origin(): KernelOrigin {
    const source = this.#take('string').text;
    const start = this.#integer();
    this.#symbol('..');
    const end = this.#integer();
    const scope = this.#take('string').text;
    return { span: { source, start, end }, scope, backward: this.#takeWord('backward') };
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #block(): Stmt[] {
    this.#symbol('{');
    const outer = this.#scope;
    this.#scope = new Map(outer);
    const body: Stmt[] = [];
    while (!this.#takeSymbol('}')) body.push(this.#statement());
    this.#scope = outer;
    return body;
  }

  #statement(): Stmt {
    this.#shared = new Map();
    while (this.#peek().kind === 'shared') {
      const number = this.#take('shared').text;
      this.#symbol('=');
      this.#shared.set(number, this.#expr());
    }
    const word = this.#peek().kind === 'word' ? this.#peek().text : '';
    const axis = axes.find((one) => one === word);
    if (axis !== undefined) this.#next += 1;
    if (axis !== undefined || word === 'for') return this.#for(axis ?? 'serial');
    if (this.#takeWord('let')) {
      const name = this.#name();
      this.#symbol('=');
      const value = this.#expr();
      this.#scope.set(name, { kind: 'let', dtype: dtypeOf(value) });
      return { kind: 'let', name, value };
    }
    if (this.#takeWord('acc')) return this.#declare();
    if (this.#takeWord('fetch')) {
      const to = this.#takeWord('own') ? 'write' : 'read';
      const buffer = this.#namedBuffer();
      return { kind: 'fetch', to, buffer, index: this.#takeSymbol('[') ? this.#list(() => this.#expr(), ']') : [] };
    }
    if (this.#takeWord('if')) {
      const condition = this.#expr();
      const then = this.#block();
      return this.#takeWord('else') ? { kind: 'if', condition, then, otherwise: this.#block() } : { kind: 'if', condition, then };
    }
    return this.#write();
  }

  #for(axis: Axis): Stmt {
    const schedule = this.#schedule();
    this.#word('for');
    const name = this.#name();
    this.#word('in');
    if (this.#integer() !== 0) this.#fail('loops count from 0');
    this.#symbol('..');
    const extent = this.#expr(2);
    const clauses = this.#clauses();
    const outer = this.#scope;
    this.#scope = new Map(outer).set(name, { kind: 'index' });
    const body = this.#block();
    this.#scope = outer;
    return { kind: 'for', index: name, extent, axis, ...clauses, ...schedule, body };
  }

  #schedule(): Pick<For, 'lanes' | 'interleave' | 'jam' | 'straight' | 'rolled' | 'transpose'> {
    return {
      ...(this.#peek().kind === 'number' ? { lanes: this.#integer() } : {}),
      ...(this.#takeWord('interleave') ? { interleave: this.#integer() } : {}),
      ...(this.#takeWord('jam') ? { jam: true } : {}),
      ...(this.#takeWord('straight') ? { straight: true } : {}),
      ...(this.#takeWord('rolled') ? { rolled: true } : {}),
      ...(this.#takeWord('transpose') ? { transpose: true } : {}),
    };
  }

  #clauses(): Pick<For, 'limit' | 'blocks' | 'most' | 'part' | 'partials'> {
    return {
      ...(this.#takeWord('limit') ? { limit: this.#integer() } : {}),
      ...(this.#takeWord('blocks') ? { blocks: this.#dim() } : {}),
      ...(this.#takeWord('most') ? { most: this.#integer() } : {}),
      ...(this.#takeWord('part') ? { part: this.#name() } : {}),
      ...(this.#takeWord('partial') ? { partials: this.#list(() => this.#partial()) } : {}),
    };
  }

  #partial(): PartialResult {
    const name = this.#name();
    const local = this.#scope.get(name);
    if (local?.kind !== 'accumulator') return this.#fail(`${name} is no accumulator`);
    const combine = this.#combiner();
    const chains = this.#integer();
    this.#word('of');
    return { accumulator: local.accumulator, combine, lanes: this.#integer(), chains };
  }

  #combiner(): Combiner {
    const first = this.#tokens[this.#next++] as Token;
    const symbol = first.kind === 'word' && this.#takeSymbol('=') ? `${first.text}=` : first.text;
    return combiners.get(symbol) ?? this.#fail(`${symbol} combines nothing`);
  }

  #declare(): Stmt {
    const name = this.#name();
    this.#symbol(':');
    const dtype = this.#dtype();
    const shape = this.#takeSymbol('[') ? this.#list(() => this.#integer(), ']') : [];
    this.#symbol('=');
    const initial = this.#expr();
    const accumulator: Accumulator = { name, dtype, shape };
    this.#scope.set(name, { kind: 'accumulator', accumulator });
    return { kind: 'declare', accumulator, initial };
  }

  #write(): Stmt {
    const nontemporal = this.#takeWord('nontemporal') ? { nontemporal: true } : {};
    const marked = this.#takeSymbol('@');
    const name = this.#name();
    const local = marked ? undefined : this.#scope.get(name);
    const index = this.#takeSymbol('[') ? this.#list(() => this.#expr(), ']') : [];
    if (local === undefined || 'nontemporal' in nontemporal) {
      const buffer = this.#buffers.get(name) ?? this.#fail(`no buffer named ${name}`);
      this.#symbol('=');
      return { kind: 'store', buffer, index, value: this.#expr(), ...nontemporal };
    }
    if (local.kind !== 'accumulator') return this.#fail(`${name} is no accumulator`);
    const { accumulator } = local;
    if (this.#takeSymbol('=')) return { kind: 'assign', accumulator, index, value: this.#expr() };
    const combine = this.#combiner();
    return { kind: 'accumulate', accumulator, index, combine, value: this.#expr() };
  }

  // ---- Expressions -----------------------------------------------------------------------------------------------------------------

  #expr(level = 0): Expr {
    let left = this.#primary();
    for (;;) {
      const token = this.#peek();
      const operator = token.kind === 'symbol' ? operators.get(token.text) : undefined;
      if (operator === undefined || operator.level < level) return left;
      this.#next += 1;
      const args = [left, this.#expr(operator.level + 1)];
      left = apply(operator.fn, impliedDType(operator.fn, args) as DType, ...args);
    }
  }

  #primary(): Expr {
    const token = this.#peek();
    if (token.kind === 'shared') {
      this.#next += 1;
      return this.#shared.get(token.text) ?? this.#fail(`${token.text} is not defined before this statement`);
    }
    if (this.#takeSymbol('(')) {
      const inner = this.#expr();
      this.#symbol(')');
      return inner;
    }
    if (this.#takeSymbol('#')) {
      this.#symbol('(');
      const dim = this.#dim();
      this.#symbol(')');
      return { kind: 'size', dim };
    }
    if (token.kind === 'number' || token.text === '-') return constant('i64', this.#number());
    if (token.kind === 'word' && isDType(token.text)) {
      this.#next += 1;
      this.#symbol('(');
      const value = this.#number();
      this.#symbol(')');
      return constant(token.text, value);
    }
    const marked = this.#takeSymbol('@');
    const name = this.#name();
    if (!marked && (this.#at('(') || (this.#at('<') && this.#dtypeFollows()))) return this.#call(name);
    const local = marked ? undefined : this.#scope.get(name);
    if (local?.kind === 'index') return { kind: 'index', name };
    if (local?.kind === 'let') return { kind: 'name', name, dtype: local.dtype };
    const index = this.#takeSymbol('[') ? this.#list(() => this.#expr(), ']') : undefined;
    if (local !== undefined) return { kind: 'read', accumulator: local.accumulator, index: index ?? [] };
    if (index === undefined) return { kind: 'size', dim: Dim.of(name) };
    return { kind: 'load', buffer: this.#buffers.get(name) ?? this.#fail(`no buffer named ${name}`), index };
  }

  #call(fn: string): Expr {
    let dtype: DType | undefined;
    if (this.#takeSymbol('<')) {
      dtype = this.#dtype();
      this.#symbol('>');
    }
    this.#symbol('(');
    const args = this.#list(() => this.#expr(), ')');
    dtype ??= impliedDType(fn, args) ?? this.#fail(`${fn} needs its dtype: ${fn}<f32>(…)`);
    return apply(fn, dtype, ...args);
  }

  #dtypeFollows(): boolean {
    const [word, close] = [this.#tokens[this.#next + 1], this.#tokens[this.#next + 2]];
    return word?.kind === 'word' && isDType(word.text) && close?.text === '>';
  }

  #number(): number | bigint {
    const sign = this.#takeSymbol('-') ? -1 : 1;
    const token = this.#tokens[this.#next++] as Token;
    if (token.kind === 'number')
      return token.text.endsWith('n') ? BigInt(sign) * BigInt(token.text.slice(0, -1)) : sign * Number(token.text);
    if (token.text === 'inf') return sign * Infinity;
    return token.text === 'nan' ? NaN : this.#fail('a number is needed');
  }

  #dims(): Dim[] {
    this.#symbol('[');
    return this.#list(() => this.#dim(), ']');
  }

  #dim(): Dim {
    const terms: DimTerm[] = [];
    let sign = this.#takeSymbol('-') ? -1 : 1;
    for (;;) {
      let coefficient = sign;
      const names: string[] = [];
      do {
        if (this.#peek().kind === 'number') coefficient *= this.#integer();
        else names.push(this.#name());
      } while (this.#takeSymbol('*'));
      terms.push({ coefficient, names });
      if (this.#takeSymbol('+')) sign = 1;
      else if (this.#takeSymbol('-')) sign = -1;
      else return Dim.fromTerms(terms);
    }
  }

  // ---- Tokens ----------------------------------------------------------------------------------------------------------------------

  /** Items between commas; with `close`, possibly none, up to that symbol. */
  #list<T>(item: () => T, close?: string): T[] {
    if (close !== undefined && this.#takeSymbol(close)) return [];
    const items = [item()];
    while (this.#takeSymbol(',')) items.push(item());
    if (close !== undefined) this.#symbol(close);
    return items;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #at(symbol: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === symbol;
  }

  #take(kind: TokenKind): Token {
    const token = this.#peek();
    if (token.kind !== kind) this.#fail(`a ${kind} is needed`);
    this.#next += 1;
    return token;
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#at(symbol)) return false;
    this.#next += 1;
    return true;
  }

  #symbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) this.#fail(`${symbol} is needed`);
  }

  #takeWord(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'word' || token.text !== word) return false;
    this.#next += 1;
    return true;
  }

  #word(word: string): void {
    if (!this.#takeWord(word)) this.#fail(`${word} is needed`);
  }

  #name(): string {
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') this.#fail('a name is needed');
    this.#next += 1;
    return token.text;
  }

  #integer(): number {
    const value = Number(this.#take('number').text);
    return Number.isInteger(value) ? value : this.#fail('an integer is needed');
  }

  #dtype(): DType {
    const { text } = this.#take('word');
    return isDType(text) ? text : this.#fail('a dtype is needed');
  }

  #fail(message: string): never {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
    const before = this.#text.slice(0, token.at).split('\n');
    const where = `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
    throw new InternalError(
      'kernel parser',
      `${message} at ${where}, found ${token.kind === 'end' ? 'the end' : JSON.stringify(token.text)}`,
    );
  }
}
