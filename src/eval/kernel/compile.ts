// A kernel as a JavaScript function. In: a kernel, places of its buffers, sizes. Out: a function that runs it over memories and, where
// asked, counts how often each statement ran and which bytes it touched.
// Holds: every index is checked against its axis; every load finds a written element; iterations of parallel and vector loops do not touch
// each other's elements (but for what lanes combine into accumulators); extents fit their limits. Everything is evaluated eagerly: a
// `select` does not guard the loads in its arms.

import { bytesOf, isFloat, unreachable, isWide, isNarrowFloat } from '../../base/index.js';
import {
  type Accumulator,
  type Buffer,
  type Combiner,
  type Expr,
  expressionOrder,
  expressionsOf,
  type For,
  forEachStatement,
  isMachineOp,
  type Kernel,
  printExpr,
  printStatements,
  type Stmt,
} from '../../kernel/index.js';
import { evaluateScalar, scalarOfKernel } from '../../ops/index.js';
import { roundFloat } from './arithmetic.js';
import { BlockCode, type Checked, type Complaint, touchesShared } from './blocks.js';
import { type KernelCounts, statementCounts } from './counts.js';
import { fit, helpers, machineCode, product } from './machine.js';
import { type Place, sizeOf, trouble } from './memory.js';
import { asNumber, asStored, big, integer, literal, number, type Operand, small } from './operand.js';
import type { KernelState } from './state.js';

export interface KernelRun {
  /** How often each of the statements ran; empty when nothing is counted. */
  readonly times: readonly number[];
  /** Bytes of distinct elements; 0 when nothing is counted. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface CompiledKernel {
  readonly run: (state: KernelState) => KernelRun;
  readonly statements: readonly KernelCounts[];
  /** The generated source, for people who look for a mistake in here. */
  readonly source: string;
}

type Local =
  | { readonly kind: 'value'; readonly operand: Operand }
  | { readonly kind: 'registers'; readonly code: string; readonly accumulator: Accumulator };

/**
 * `share`: a place for shared memory. Counting makes the source twice as long, and it takes longer to compile small kernels than to run
 * them.
 */
export function compileKernel(
  kernel: Kernel,
  places: ReadonlyMap<string, Place>,
  dims: ReadonlyMap<string, number>,
  share: (buffer: Buffer) => Place,
  counting = true,
): CompiledKernel {
  return new KernelCompiler(kernel, places, dims, share, counting).compile();
}

class KernelCompiler {
  readonly #kernel: Kernel;
  readonly #places: Map<string, Place>;
  readonly #share: (buffer: Buffer) => Place;
  readonly #dims: ReadonlyMap<string, number>;
  readonly #lines: string[] = [];
  readonly #head = new Map<string, string>();
  readonly #statements: KernelCounts[] = [];
  readonly #functions: ((...args: (number | bigint)[]) => number | bigint)[] = [];
  readonly #complaints: Complaint[] = [];
  readonly #counting: boolean;
  readonly #blocks: BlockCode;
  #locals = new Map<string, Local>();
  #checked: readonly Checked[] = [];
  /** Operands of the current statement. */
  #memo = new Map<Expr, Operand>();
  #names = 0;

  constructor(
    kernel: Kernel,
    places: ReadonlyMap<string, Place>,
    dims: ReadonlyMap<string, number>,
    share: (buffer: Buffer) => Place,
    counting: boolean,
  ) {
    this.#kernel = kernel;
    this.#share = share;
    this.#counting = counting;
    this.#places = new Map(kernel.code.params.map(({ name }, at) => [name, places.get((kernel.buffers[at] as Buffer).name) as Place]));
    this.#dims = dims;
    this.#blocks = new BlockCode({
      line: (text) => this.#emit(text),
      fresh: (stem) => this.#fresh(stem),
      complaint: (complaint) => this.#complaint(complaint),
      site: (stmt) => this.#site(stmt),
      code: (expr) => this.#of(expr).code,
      place: (buffer) => this.#place(buffer),
      memory: (place) => this.#memory(place),
      marks: (place) => this.#marks('vector', place),
      offset: (buffer, index, stmt, count) => this.#offset(buffer, index, stmt, count),
      counted: (place, at) => this.#countBytes('Read', place, at),
      registers: ({ name }) => {
        const local = this.#locals.get(name);
        return local?.kind === 'registers' ? local.code : undefined;
      },
      thread: () => this.#checked.at(-1),
      within: (warp, code, most, stmt, body) => {
        const outer = this.#locals;
        this.#locals = new Map(outer).set(warp, { kind: 'value', operand: integer(code, most) });
        this.#evaluate(stmt);
        body();
        this.#locals = outer;
      },
    });
  }

  compile(): CompiledKernel {
    this.#body(this.#kernel.code.body);
    const helperNames = Object.keys(helpers);
    const counters = this.#statements.map((_, at) => `c${at}`);
    const source = [
      `"use strict";`,
      `let ${['bytesRead', 'bytesWritten', ...counters].map((counter) => `${counter} = 0`).join(', ')};`,
      ...this.#head.values(),
      ...this.#lines,
      `return { times: [${counters.join(', ')}], bytesRead, bytesWritten };`,
    ].join('\n');
    // Generated source runs some hundred times faster than a walk over the tree.
    const run = new Function('state', 'functions', 'complaints', ...helperNames, source) as (...args: readonly unknown[]) => KernelRun;
    const given = Object.values(helpers);
    return { run: (state) => run(state, this.#functions, this.#complaints, ...given), statements: this.#statements, source };
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #body(body: readonly Stmt[]): void {
    const outer = this.#locals;
    this.#locals = new Map(outer);
    for (const stmt of body) this.#statement(stmt);
    this.#locals = outer;
  }

  #statement(stmt: Stmt): void {
    this.#memo = new Map();
    if (this.#counting) {
      this.#emit(`c${this.#statements.length}++;`);
      this.#statements.push(statementCounts(stmt));
    }
    // A warp has a number only inside of the statement, which evaluates what depends on it.
    if (stmt.kind !== 'multiply') this.#evaluate(stmt);
    switch (stmt.kind) {
      case 'for':
        return this.#for(stmt);
      case 'let':
        this.#locals.set(stmt.name, { kind: 'value', operand: this.#of(stmt.value) });
        return;
      case 'declare':
        return this.#declare(stmt.accumulator, this.#of(stmt.initial));
      case 'assign':
        return this.#emit(`${this.#register(stmt.accumulator, stmt.index, stmt)} = ${asStored(this.#of(stmt.value))};`);
      case 'accumulate': {
        const register = this.#register(stmt.accumulator, stmt.index, stmt);
        return this.#emit(`${register} = ${combined(stmt.combine, stmt.accumulator, register, asStored(this.#of(stmt.value)))};`);
      }
      case 'store':
        return this.#store(stmt);
      case 'fetch':
        return;
      case 'if':
        this.#emit(`if (${this.#of(stmt.condition).code}) {`);
        this.#body(stmt.then);
        this.#emit('} else {');
        this.#body(stmt.otherwise ?? []);
        this.#emit('}');
        return;
      case 'share':
        this.#places.set(stmt.buffer.name, this.#share(stmt.buffer));
        return this.#blocks.emit(stmt);
      case 'barrier':
      case 'commit':
      case 'wait':
      case 'copy':
      case 'multiply':
        return this.#blocks.emit(stmt);
      default:
        unreachable('kernel interpreter', stmt);
    }
  }

  #evaluate(stmt: Stmt): void {
    for (const expr of expressionOrder(expressionsOf(stmt))) this.#memo.set(expr, this.#operand(expr, stmt));
  }

  #for(loop: For): void {
    const extent = this.#of(loop.extent);
    const count = this.#fresh('n');
    const index = this.#fresh('i');
    this.#emit(`const ${count} = Math.max(0, ${asNumber(extent)});`);
    for (const limit of [loop.limit, loop.most]) {
      if (limit === undefined) continue;
      const complaint = this.#complaint((state, found) => state.overLimit(this.#site({ ...loop, body: [] }), found, limit));
      this.#emit(`if (${count} > ${limit}) ${complaint}(state, ${count});`);
    }
    const checked = this.#checkedLoop(loop, count, index);
    const before = this.#checked;
    const asked = loop.while === undefined ? '' : ` && ${this.#register(loop.while, [], loop)} !== 0`;
    this.#emit(`for (let ${index} = 0; ${index} < ${count}${asked}; ${index}++) {`);
    if (checked !== undefined) {
      this.#emit(`const ${checked.tag} = ${checked.base} + ${index};`);
      this.#checked = [...before, checked];
    }
    const outer = this.#locals;
    this.#locals = new Map(outer).set(loop.index, { kind: 'value', operand: integer(index, Math.max(0, extent.bound - 1)) });
    this.#body(loop.body);
    this.#locals = outer;
    this.#checked = before;
    this.#emit('}');
  }

  /** Iterations get numbers that no other loop run has, so marks of earlier runs need no clearing. */
  #checkedLoop(loop: For, count: string, index: string): Checked | undefined {
    const level = loop.warps === true ? 'warps' : loop.axis;
    if (level !== 'parallel' && level !== 'warps' && level !== 'vector') return undefined;
    const stored = new Set<number>();
    let shares = false;
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind === 'store' && stmt.buffer.role.kind !== 'shared') stored.add(this.#place(stmt.buffer).id);
      if (loop.axis === 'vector') shares ||= touchesShared(stmt);
    });
    if (stored.size === 0 && !shares) return undefined;
    const base = this.#fresh('base');
    this.#emit(`const ${base} = state.clock; state.clock += ${count} + 1;`);
    return { level, base, tag: `tag_${index}`, many: `(${base} + ${count})`, stored };
  }

  #declare(accumulator: Accumulator, initial: Operand): void {
    const code = this.#fresh('s');
    const size = accumulator.shape.reduce((product, one) => product * one, 1);
    if (accumulator.shape.length === 0) this.#emit(`let ${code} = ${asStored(initial)};`);
    else {
      this.#head.set(
        code,
        `const ${code} = new ${accumulator.dtype === 'i64' ? 'BigInt64Array' : accumulator.dtype === 'u64' ? 'BigUint64Array' : 'Float64Array'}(${size});`,
      );
      this.#emit(`${code}.fill(${asStored(initial)});`);
    }
    this.#locals.set(accumulator.name, { kind: 'registers', code, accumulator });
  }

  #store(stmt: Extract<Stmt, { kind: 'store' }>): void {
    const { buffer } = stmt;
    const place = this.#place(buffer);
    if (buffer.role.kind === 'feed') throw trouble(`the feed ${buffer.name} is stored`);
    const at = this.#offset(buffer, stmt.index, stmt);
    const { data, written } = this.#memory(place);
    if (place.slot !== undefined)
      this.#emit(`if (state.owners[${place.slot}] !== ${place.id}) state.takeOver(${place.slot}, ${place.id});`);
    if (buffer.role.kind === 'shared') this.#blocks.written(place, at, stmt);
    for (const loop of this.#checked) {
      if (!loop.stored.has(place.id)) continue;
      const { writers, readers } = this.#marks(loop.level, place);
      const [writer, reader] = [this.#fresh('w'), this.#fresh('r')];
      const foreign = (mark: string): string => `${mark} >= ${loop.base} && ${mark} !== ${loop.tag}`;
      const race = this.#complaint((state, written) => state.race(this.#site(stmt), loop.level, written === 1 ? 'written' : 'read'));
      this.#emit(`const ${writer} = ${writers}[${at}], ${reader} = ${readers}[${at}];`);
      this.#emit(`if ((${foreign(writer)}) || (${foreign(reader)})) ${race}(state, ${foreign(writer)} ? 1 : 0);`);
      this.#emit(`${writers}[${at}] = ${loop.tag};`);
    }
    this.#countBytes('Written', place, at);
    this.#emit(`${data}[${at}] = ${asStored(this.#of(stmt.value))}; ${written}[${at}] = 1;`);
  }

  // ---- Expressions -----------------------------------------------------------------------------------------------------------------

  #of(expr: Expr): Operand {
    const operand = this.#memo.get(expr);
    if (operand === undefined) throw trouble('an expression before its parts');
    return operand;
  }

  #operand(expr: Expr, stmt: Stmt): Operand {
    switch (expr.kind) {
      case 'const':
        if (expr.dtype === 'u64') return big(`${BigInt(expr.value)}n`, 'u64');
        if (expr.dtype !== 'i64')
          return number(literal(isFloat(expr.dtype) ? roundFloat(expr.dtype, Number(expr.value)) : Number(expr.value)), expr.dtype);
        return wholeNumber(expr.value);
      case 'size':
        return wholeNumber(sizeOf(expr.dim, this.#dims));
      case 'index':
      case 'name': {
        const local = this.#locals.get(expr.name);
        if (local?.kind !== 'value') throw this.#trouble(`${expr.name} is not in scope`, stmt);
        return local.operand;
      }
      case 'read': {
        const register = this.#register(expr.accumulator, expr.index, stmt);
        // Copied, because the statement may change the register before the value is used.
        return this.#keep(
          isWide(expr.accumulator.dtype) ? big(register, expr.accumulator.dtype) : number(register, expr.accumulator.dtype),
        );
      }
      case 'load':
        return this.#load(expr, stmt);
      case 'apply': {
        const args = expr.args.map((arg) => this.#of(arg));
        return this.#keep(isMachineOp(expr.fn) ? machineCode(expr.fn, expr.dtype, args) : this.#scalarFunction(expr, args, stmt));
      }
    }
  }

  #scalarFunction(expr: Extract<Expr, { kind: 'apply' }>, args: readonly Operand[], stmt: Stmt): Operand {
    const row = scalarOfKernel.get(expr.fn);
    if (row === undefined) throw this.#trouble(`no scalar function ${expr.fn}`, stmt);
    const from = args.at(-1)?.dtype ?? expr.dtype;
    this.#functions.push((...values) => evaluateScalar(row, from, values));
    const call = `functions[${this.#functions.length - 1}](${args.map(asStored).join(', ')})`;
    if (isWide(expr.dtype)) return big(call, expr.dtype);
    return number(isFloat(expr.dtype) ? fit(expr.dtype, call) : call, expr.dtype);
  }

  #load(expr: Extract<Expr, { kind: 'load' }>, stmt: Stmt): Operand {
    const { buffer } = expr;
    const place = this.#place(buffer);
    const at = this.#offset(buffer, expr.index, stmt);
    const { data, written } = this.#memory(place);
    if (buffer.role.kind !== 'feed') {
      const unwritten = this.#complaint((state, found) => state.unwritten(this.#site(stmt), place.id, found));
      this.#emit(`if (${written}[${at}] === 0) ${unwritten}(state, ${at});`);
    }
    for (const loop of this.#checked) {
      if (!loop.stored.has(place.id)) continue;
      const { writers, readers } = this.#marks(loop.level, place);
      const [writer, reader] = [this.#fresh('w'), this.#fresh('r')];
      this.#emit(`const ${writer} = ${writers}[${at}], ${reader} = ${readers}[${at}];`);
      const race = this.#complaint((state) => state.race(this.#site(stmt), loop.level, 'written'));
      this.#emit(`if (${writer} >= ${loop.base} && ${writer} !== ${loop.tag}) ${race}(state);`);
      this.#emit(`${readers}[${at}] = ${reader} >= ${loop.base} && ${reader} !== ${loop.tag} ? ${loop.many} : ${loop.tag};`);
    }
    if (buffer.role.kind === 'shared') this.#blocks.read(place, at, stmt);
    this.#countBytes('Read', place, at);
    const value = `${data}[${at}]`;
    if (isWide(buffer.dtype)) return this.#keep(big(value, buffer.dtype));
    return this.#keep(
      number(isNarrowFloat(buffer.dtype) ? `(Number.isFinite(${value}) ? ${fit(buffer.dtype, value)} : ${value})` : value, buffer.dtype),
    );
  }

  /** An element counts when this kernel touches it for the first time. */
  #countBytes(how: 'Read' | 'Written', place: Place, at: string): void {
    if (!this.#counting || place.buffer.role.kind === 'shared') return;
    const seen = `seen${how}${place.id}`;
    this.#head.set(seen, `const ${seen} = state.marks('touched ${how === 'Read' ? 'readers' : 'writers'}', ${place.id});`);
    this.#emit(`if (${seen}[${at}] !== state.kernel) { ${seen}[${at}] = state.kernel; bytes${how} += ${bytesOf(place.buffer.dtype)}; }`);
  }

  /** Checks the index of every axis, for `count` elements along the last one; the name of the first one's position. */
  #offset(buffer: Buffer, index: readonly Expr[], stmt: Stmt, count = 1): string {
    const place = this.#place(buffer);
    if (index.length !== place.shape.length)
      throw this.#trouble(`${buffer.name} has ${place.shape.length} axes and gets ${index.length} indices`, stmt);
    const terms = index.map((expr, axis) => {
      const at = asNumber(this.#of(expr));
      const size = place.shape[axis] as number;
      const stride = sizeOf(buffer.strides[axis] as Buffer['strides'][number], this.#dims);
      const outside = this.#complaint((state, found) =>
        state.outOfBounds(this.#site(stmt), printExpr({ kind: 'load', buffer, index }), axis, found, size),
      );
      const end = axis === index.length - 1 && count > 1 ? `${at} + ${count - 1}` : at;
      this.#emit(`if (!(${at} >= 0 && ${end} < ${size})) ${outside}(state, ${end});`);
      return stride === 1 ? at : `${at} * ${stride}`;
    });
    const name = this.#fresh('at');
    this.#emit(`const ${name} = ${terms.length === 0 ? '0' : terms.join(' + ')};`);
    return name;
  }

  /** The register that an index names, after checking the index. */
  #register(accumulator: Accumulator, index: readonly Expr[], stmt: Stmt): string {
    const local = this.#locals.get(accumulator.name);
    if (local?.kind !== 'registers') throw this.#trouble(`the accumulator ${accumulator.name} is not in scope`, stmt);
    const { shape } = local.accumulator;
    if (index.length !== shape.length)
      throw this.#trouble(`${accumulator.name} has ${shape.length} axes and gets ${index.length} indices`, stmt);
    if (shape.length === 0) return local.code;
    let position = '0';
    index.forEach((expr, axis) => {
      const at = asNumber(this.#of(expr));
      const size = shape[axis] as number;
      const outside = this.#complaint((state, found) =>
        state.outOfBounds(this.#site(stmt), printExpr({ kind: 'read', accumulator, index }), axis, found, size),
      );
      this.#emit(`if (!(${at} >= 0 && ${at} < ${size})) ${outside}(state, ${at});`);
      position = axis === 0 ? at : `(${position}) * ${shape[axis]} + ${at}`;
    });
    return `${local.code}[${position}]`;
  }

  // ---- Source ----------------------------------------------------------------------------------------------------------------------

  #keep(operand: Operand): Operand {
    const name = this.#fresh('t');
    this.#emit(`const ${name} = ${operand.code};`);
    return { ...operand, code: name };
  }

  #place(buffer: Buffer): Place {
    const place = this.#places.get(buffer.name);
    if (place === undefined) throw trouble(`the program has no buffer ${buffer.name}`);
    return place;
  }

  #memory(place: Place): { readonly data: string; readonly written: string } {
    const [data, written] = [`d${place.id}`, `v${place.id}`];
    this.#head.set(data, `const ${data} = state.memories[${place.id}].data, ${written} = state.memories[${place.id}].written;`);
    return { data, written };
  }

  #marks(level: Checked['level'], place: Place): { readonly writers: string; readonly readers: string } {
    const name = `${level}${place.id}`;
    this.#head.set(
      name,
      `const ${name}w = state.marks('${level} writers', ${place.id}), ${name}r = state.marks('${level} readers', ${place.id});`,
    );
    return { writers: `${name}w`, readers: `${name}r` };
  }

  #fresh(stem: string): string {
    this.#names += 1;
    return `${stem}${this.#names}_`;
  }

  #emit(line: string): void {
    this.#lines.push(line);
  }

  /** What source calls when a rule is broken: texts are made only then. */
  #complaint(complaint: Complaint): string {
    return `complaints[${this.#complaints.push(complaint) - 1}]`;
  }

  /** The statement, for messages. */
  #site(stmt: Stmt): string {
    const text = printStatements([stmt.kind === 'if' ? { kind: 'if', condition: stmt.condition, then: [] } : stmt]);
    return `kernel ${this.#kernel.name}: ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`;
  }

  #trouble(message: string, stmt: Stmt): Error {
    return trouble(`${message} in ${this.#site(stmt)}`);
  }
}

function wholeNumber(value: number | bigint): Operand {
  const magnitude = Math.abs(Number(value));
  return magnitude <= small ? integer(literal(Number(value)), magnitude) : big(value < 0 ? `(${BigInt(value)}n)` : `${BigInt(value)}n`);
}

/** `old` combined with `value`: max and min give NaN when either is NaN. */
function combined(combine: Combiner, { dtype }: Accumulator, old: string, value: string): string {
  const wide = isWide(dtype);
  const wrapped = (code: string): string => `BigInt.${dtype === 'u64' ? 'asUintN' : 'asIntN'}(64, ${code})`;
  switch (combine) {
    case 'sum':
      return wide ? wrapped(`${old} + ${value}`) : fit(dtype, `${old} + ${value}`);
    case 'product':
      if (wide) return wrapped(`${old} * ${value}`);
      return product(dtype, old, value);
    case 'max':
    case 'min':
      return wide ? `(${old} ${combine === 'max' ? '>' : '<'} ${value} ? ${old} : ${value})` : `Math.${combine}(${old}, ${value})`;
    case 'any':
      return `(${old} | ${value})`;
    case 'all':
      return `(${old} & ${value})`;
  }
}
