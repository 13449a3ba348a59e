// Reads the text form of kernel IR. In: what `print.ts` wrote, or a person. Out: a program. Holds: the inverse of the printer; names are
// resolved as they are met, so a name without a declaration is an InternalError that says where. What the program means is the verifier's
// business.

import { ownCode } from './code.js';
import { buffer as build, dtypeOf, rowMajor } from './build.js';
import type {
  Accumulator,
  Ahead,
  ArenaSlot,
  Axis,
  Buffer,
  BufferRole,
  Combiner,
  Expr,
  For,
  Fragment,
  Kernel,
  KernelOrigin,
  PartialResult,
  Program,
  Stmt,
  SumsFragment,
} from './ir.js';
import { ExpressionParser } from './parse-expression.js';
import { axes, combinerText } from './text.js';
import { TokenReader } from './token-reader.js';

export function parseProgram(text: string): Program {
  return new Parser(text).program();
}

const combiners = new Map(Object.entries(combinerText).map(([combiner, symbol]) => [symbol, combiner as Combiner]));

class Parser {
  readonly #tokens: TokenReader;
  readonly #expressions: ExpressionParser;
  readonly #buffers = new Map<string, Buffer>();
  readonly #kernels = new Map<string, Kernel>();
  readonly #slotOf = new Map<string, number>();

  constructor(text: string) {
    this.#tokens = new TokenReader(text);
    this.#expressions = new ExpressionParser(this.#tokens, this.#buffers);
  }

  program(): Program {
    this.#tokens.word('program');
    const entry = this.#tokens.name();
    const dims = this.#tokens.takeWord('dims') ? this.#tokens.list(() => this.#tokens.name()) : [];
    const slots: ArenaSlot[] = [];
    for (;;) {
      const role = this.#role();
      if (role !== undefined) this.#buffer(role);
      else if (this.#tokens.takeWord('slot')) {
        if (this.#tokens.integer() !== slots.length) this.#tokens.fail('slots are numbered in order');
        this.#tokens.symbol(':');
        slots.push({ bytes: this.#tokens.list(() => this.#tokens.dim()) });
      } else break;
    }
    const check = this.#tokens.takeWord('check') ? this.#check() : undefined;
    const kernels: Kernel[] = [];
    while (this.#tokens.peek().kind !== 'end') kernels.push(this.#kernel());
    const arena = { slots, slotOf: this.#slotOf };
    return { entry, dims, buffers: [...this.#buffers.values()], kernels, arena, ...(check === undefined ? {} : { check }) };
  }

  #check(): { readonly output: number; readonly behind: number } {
    const output = this.#tokens.integer();
    this.#tokens.word('behind');
    return { output, behind: this.#tokens.integer() };
  }

  #role(): BufferRole | undefined {
    for (const kind of ['feed', 'output', 'variable'] as const)
      if (this.#tokens.takeWord(kind)) return { kind, index: this.#tokens.integer() };
    return this.#tokens.takeWord('temporary') ? { kind: 'temporary' } : undefined;
  }

  #buffer(role: BufferRole): void {
    const name = this.#tokens.name();
    this.#tokens.symbol(':');
    const dtype = this.#tokens.dtype();
    const shape = this.#tokens.dims();
    const strides = this.#tokens.takeWord('strides') ? this.#tokens.dims() : rowMajor(shape);
    if (this.#buffers.has(name)) this.#tokens.fail(`two buffers named ${name}`);
    this.#buffers.set(name, { name, dtype, shape, strides, role });
    if (this.#tokens.takeWord('in')) {
      this.#tokens.word('slot');
      this.#slotOf.set(name, this.#tokens.integer());
    }
  }

  #kernel(): Kernel {
    this.#tokens.word('kernel');
    const name = this.#tokens.name();
    const title = this.#tokens.take('string').text;
    this.#tokens.word('reads');
    const bytesRead = this.#tokens.dim();
    this.#tokens.word('writes');
    const bytesWritten = this.#tokens.dim();
    this.#tokens.word('flops');
    const flops = this.#tokens.dim();
    const recomputed = this.#tokens.takeWord('again') ? this.#tokens.dim() : undefined;
    const origins: KernelOrigin[] = [];
    while (this.#tokens.takeWord('from')) origins.push(this.#origin());
    this.#expressions.locals = new Map();
    const cost = { bytesRead, bytesWritten, flops, ...(recomputed === undefined ? {} : { recomputed }) };
    const kernel: Kernel = { name, ...this.#code(), cost, origins, title };
    this.#kernels.set(name, kernel);
    return kernel;
  }

  #code(): Pick<Kernel, 'code' | 'buffers'> {
    if (!this.#tokens.takeWord('like')) return ownCode(this.#block());
    const name = this.#tokens.name();
    const { code, buffers } = this.#kernels.get(name) ?? this.#tokens.fail(`no kernel named ${name} so far`);
    const others = new Map<string, Buffer>();
    if (this.#tokens.takeWord('with')) {
      this.#tokens.list(() => {
        const own = this.#namedBuffer();
        this.#tokens.word('for');
        others.set(this.#namedBuffer().name, own);
      });
    }
    return { code, buffers: buffers.map((buffer) => others.get(buffer.name) ?? buffer) };
  }

  #namedBuffer(): Buffer {
    const marked = this.#tokens.takeSymbol('@');
    const name = this.#tokens.name();
    const local = marked ? undefined : this.#expressions.locals.get(name);
    if (local?.kind === 'shared') return local.buffer;
    return this.#buffers.get(name) ?? this.#tokens.fail(`no buffer named ${name}`);
  }

  #origin(): KernelOrigin {
    const source = this.#tokens.take('string').text;
    const start = this.#tokens.integer();
    this.#tokens.symbol('..');
    const end = this.#tokens.integer();
    const scope = this.#tokens.take('string').text;
    return { span: { source, start, end }, scope, backward: this.#tokens.takeWord('backward') };
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #block(): Stmt[] {
    this.#tokens.symbol('{');
    const outer = this.#expressions.locals;
    this.#expressions.locals = new Map(outer);
    const body: Stmt[] = [];
    while (!this.#tokens.takeSymbol('}')) body.push(this.#statement());
    this.#expressions.locals = outer;
    return body;
  }

  #statement(): Stmt {
    this.#expressions.shared = new Map();
    while (this.#tokens.peek().kind === 'shared') {
      const number = this.#tokens.take('shared').text;
      this.#tokens.symbol('=');
      this.#expressions.shared.set(number, this.#expressions.parse());
    }
    const word = this.#tokens.peek().kind === 'word' ? this.#tokens.peek().text : '';
    const axis = axes.find((one) => one === word);
    if (axis !== undefined) this.#tokens.next();
    if (axis !== undefined || word === 'for') return this.#for(axis ?? 'serial');
    if (this.#tokens.takeWord('let')) {
      const name = this.#tokens.name();
      this.#tokens.symbol('=');
      const value = this.#expressions.parse();
      this.#expressions.locals.set(name, { kind: 'let', dtype: dtypeOf(value) });
      return { kind: 'let', name, value };
    }
    if (this.#tokens.takeWord('acc')) return this.#declare();
    if (this.#tokens.takeWord('fetch')) {
      const to = this.#tokens.takeWord('own') ? 'write' : this.#tokens.takeWord('later') ? 'later' : 'read';
      const buffer = this.#namedBuffer();
      return { kind: 'fetch', to, buffer, index: this.#indices() };
    }
    if (this.#tokens.takeWord('if')) {
      const lanes = this.#tokens.takeWord('lanes') ? { lanes: true } : {};
      const condition = this.#expressions.parse();
      const then = this.#block();
      const otherwise = this.#tokens.takeWord('else') ? { otherwise: this.#block() } : {};
      return { kind: 'if', condition, ...lanes, then, ...otherwise };
    }
    return this.#ofBlock() ?? this.#write();
  }

  /** A statement of a block of threads, if it is one. */
  #ofBlock(): Stmt | undefined {
    if (this.#tokens.takeWord('barrier')) return { kind: 'barrier' };
    if (this.#tokens.takeWord('commit')) return { kind: 'commit' };
    for (const kind of ['wait', 'settle'] as const) if (this.#tokens.takeWord(kind)) return { kind, open: this.#tokens.integer() };
    if (this.#tokens.takeWord('share')) {
      const name = this.#tokens.name();
      this.#tokens.symbol(':');
      const dtype = this.#tokens.dtype();
      const shape = this.#tokens.dims();
      const buffer = build(name, dtype, shape, { kind: 'shared', ...(this.#tokens.takeWord('swizzled') ? { swizzled: true } : {}) });
      this.#expressions.locals.set(name, { kind: 'shared', buffer });
      return { kind: 'share', buffer };
    }
    if (this.#tokens.takeWord('multiply')) {
      const warps = this.#tokens.peek().kind === 'number' ? this.#tokens.integer() : 1;
      if (warps !== 1 && warps !== 4) this.#tokens.fail('one warp multiplies, or four do');
      const warp = this.#tokens.name();
      this.#tokens.symbol(':');
      const sums = this.#accumulator();
      if (this.#combiner() !== 'sum') this.#tokens.fail('a product is added');
      const outer = this.#expressions.locals;
      this.#expressions.locals = new Map(outer).set(warp, { kind: 'index' });
      const left = this.#tokens.takeWord('sums') ? this.#sumsFragment() : this.#fragment();
      this.#tokens.symbol('*');
      const right = this.#fragment();
      this.#expressions.locals = outer;
      return { kind: 'multiply', warps, warp, sums, left, right };
    }
    if (this.#tokens.takeWord('combine')) {
      const lanes = this.#tokens.integer();
      return { kind: 'combine', lanes, accumulator: this.#accumulator(), combine: this.#combiner() };
    }
    if (!this.#tokens.takeWord('copy')) return undefined;
    const count = this.#tokens.integer();
    const to = this.#namedBuffer();
    const at = this.#indices();
    this.#tokens.word('from');
    const from = this.#namedBuffer();
    const index = this.#indices();
    this.#tokens.word('if');
    return { kind: 'copy', to, at, from, index, count, when: this.#expressions.parse() };
  }

  #fragment(): Fragment {
    const along = this.#tokens.takeWord('depth') ? 'depth' : 'lines';
    if (along === 'lines') this.#tokens.word('lines');
    return { along, buffer: this.#namedBuffer(), index: this.#indices() };
  }

  #sumsFragment(): SumsFragment {
    const sums = this.#accumulator();
    const [column, ...more] = this.#indices();
    return column !== undefined && more.length === 0
      ? { sums, index: [column] }
      : this.#tokens.fail('sums are multiplied from one column on');
  }

  #indices(): Expr[] {
    return this.#tokens.takeSymbol('[') ? this.#tokens.list(() => this.#expressions.parse(), ']') : [];
  }

  #for(axis: Axis): Stmt {
    const schedule = this.#schedule();
    this.#tokens.word('for');
    const name = this.#tokens.name();
    this.#tokens.word('in');
    if (this.#tokens.integer() !== 0) this.#tokens.fail('loops count from 0');
    this.#tokens.symbol('..');
    const extent = this.#expressions.parse(2);
    const clauses = this.#clauses();
    const outer = this.#expressions.locals;
    this.#expressions.locals = new Map(outer).set(name, { kind: 'index' });
    const body = this.#block();
    this.#expressions.locals = outer;
    return { kind: 'for', index: name, extent, axis, ...clauses, ...schedule, body };
  }

  #schedule(): Pick<For, 'lanes' | 'interleave' | 'jam' | 'straight' | 'rolled' | 'transpose'> {
    return {
      ...(this.#tokens.peek().kind === 'number' ? { lanes: this.#tokens.integer() } : {}),
      ...(this.#tokens.takeWord('interleave') ? { interleave: this.#tokens.integer() } : {}),
      ...(this.#tokens.takeWord('jam') ? { jam: true } : {}),
      ...(this.#tokens.takeWord('straight') ? { straight: true } : {}),
      ...(this.#tokens.takeWord('rolled') ? { rolled: true } : {}),
      ...(this.#tokens.takeWord('transpose') ? { transpose: true } : {}),
    };
  }

  #clauses(): Pick<For, 'when' | 'limit' | 'least' | 'blocks' | 'most' | 'part' | 'flops' | 'warps' | 'while' | 'partials' | 'ahead'> {
    return {
      ...(this.#tokens.takeWord('when') ? { when: this.#expressions.parse() } : {}),
      ...(this.#tokens.takeWord('limit') ? { limit: this.#tokens.integer() } : {}),
      ...(this.#tokens.takeWord('least') ? { least: this.#tokens.integer() } : {}),
      ...(this.#tokens.takeWord('blocks') ? { blocks: this.#tokens.dim() } : {}),
      ...(this.#tokens.takeWord('most') ? { most: this.#tokens.integer() } : {}),
      ...(this.#tokens.takeWord('part') ? { part: this.#tokens.name() } : {}),
      ...(this.#tokens.takeWord('flops') ? { flops: this.#tokens.dim() } : {}),
      ...(this.#tokens.takeWord('warps') ? { warps: true } : {}),
      ...(this.#tokens.takeWord('while') ? { while: this.#accumulator() } : {}),
      ...(this.#tokens.takeWord('partial') ? { partials: this.#tokens.list(() => this.#partial()) } : {}),
      ...(this.#tokens.takeWord('ahead') ? { ahead: this.#ahead() } : {}),
    };
  }

  #ahead(): Ahead {
    const bytes = this.#tokens.integer();
    this.#tokens.word('of');
    return { bytes, buffers: this.#tokens.list(() => this.#namedBuffer()) };
  }

  #accumulator(): Accumulator {
    const name = this.#tokens.name();
    const local = this.#expressions.locals.get(name);
    return local?.kind === 'accumulator' ? local.accumulator : this.#tokens.fail(`${name} is no accumulator`);
  }

  #partial(): PartialResult {
    const accumulator = this.#accumulator();
    const combine = this.#combiner();
    const chains = this.#tokens.integer();
    this.#tokens.word('of');
    return { accumulator, combine, lanes: this.#tokens.integer(), chains };
  }

  #combiner(): Combiner {
    const first = this.#tokens.next();
    const symbol = first.kind === 'word' && this.#tokens.takeSymbol('=') ? `${first.text}=` : first.text;
    return combiners.get(symbol) ?? this.#tokens.fail(`${symbol} combines nothing`);
  }

  #declare(): Stmt {
    const name = this.#tokens.name();
    this.#tokens.symbol(':');
    const dtype = this.#tokens.dtype();
    const shape = this.#tokens.takeSymbol('[') ? this.#tokens.list(() => this.#tokens.integer(), ']') : [];
    this.#tokens.symbol('=');
    const initial = this.#expressions.parse();
    const accumulator: Accumulator = { name, dtype, shape };
    this.#expressions.locals.set(name, { kind: 'accumulator', accumulator });
    return { kind: 'declare', accumulator, initial };
  }

  #write(): Stmt {
    const nontemporal = this.#tokens.takeWord('nontemporal') ? { nontemporal: true } : {};
    const marked = this.#tokens.takeSymbol('@');
    const name = this.#tokens.name();
    const local = marked ? undefined : this.#expressions.locals.get(name);
    const index = this.#indices();
    if (local === undefined || local.kind === 'shared' || 'nontemporal' in nontemporal) {
      const buffer = local?.kind === 'shared' ? local.buffer : (this.#buffers.get(name) ?? this.#tokens.fail(`no buffer named ${name}`));
      this.#tokens.symbol('=');
      return { kind: 'store', buffer, index, value: this.#expressions.parse(), ...nontemporal };
    }
    if (local.kind !== 'accumulator') return this.#tokens.fail(`${name} is no accumulator`);
    const { accumulator } = local;
    if (this.#tokens.takeSymbol('=')) return { kind: 'assign', accumulator, index, value: this.#expressions.parse() };
    const combine = this.#combiner();
    return { kind: 'accumulate', accumulator, index, combine, value: this.#expressions.parse() };
  }
}
