// A kernel as a JavaScript function. In: a kernel, places of its buffers, sizes. Out: a function that runs it over memories and, where
// asked, counts how often each statement ran and which bytes it touched.
// Holds: every index is checked against its axis; every load finds a written element; iterations of parallel and vector loops do not touch
// each other's elements (but for what lanes combine into accumulators); extents fit their limits. Everything is evaluated eagerly: a
// `select` does not guard the loads in its arms.

import { isFloat, unreachable, isWide, isNarrowFloat } from '../../base/index.js';
import {
  type Accumulator,
  type Buffer,
  type Expr,
  expressionOrder,
  expressionsOf,
  type For,
  forEachStatement,
  isMachineOp,
  type Kernel,
  type Stmt,
} from '../../kernel/index.js';
import { evaluateScalar, scalarOfKernel } from '../../ops/index.js';
import { roundFloat } from './arithmetic.js';
import { BlockCode, touchesShared } from './blocks.js';
import { combined } from './combined.js';
import { type KernelCounts, statementCounts } from './counts.js';
import { fit, machineCode } from './machine.js';
import { type Place, trouble } from './memory.js';
import { asNumber, asStored, big, integer, literal, number, type Operand, wholeNumber } from './operand.js';
import { type Checked, KernelSource, type Local } from './source.js';
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
  readonly #share: (buffer: Buffer) => Place;
  readonly #source: KernelSource;
  readonly #statements: KernelCounts[] = [];
  readonly #blocks: BlockCode;

  constructor(
    kernel: Kernel,
    places: ReadonlyMap<string, Place>,
    dims: ReadonlyMap<string, number>,
    share: (buffer: Buffer) => Place,
    counting: boolean,
  ) {
    this.#kernel = kernel;
    this.#share = share;
    this.#source = new KernelSource(kernel, places, dims, counting);
    this.#blocks = new BlockCode(this.#source, (stmt) => this.#evaluate(stmt));
  }

  compile(): CompiledKernel {
    this.#body(this.#kernel.code.body);
    const counters = this.#statements.map((_, at) => `c${at}`);
    const source = this.#source.text(
      [`"use strict";`, `let ${['bytesRead', 'bytesWritten', ...counters].map((counter) => `${counter} = 0`).join(', ')};`],
      [`return { times: [${counters.join(', ')}], bytesRead, bytesWritten };`],
    );
    return { run: this.#source.function<KernelRun>(source), statements: this.#statements, source };
  }

  // ---- Statements ------------------------------------------------------------------------------------------------------------------

  #body(body: readonly Stmt[]): void {
    this.#source.scoped(() => {
      for (const stmt of body) this.#statement(stmt);
    });
  }

  #statement(stmt: Stmt): void {
    this.#source.begin();
    if (this.#source.counting) {
      this.#source.line(`c${this.#statements.length}++;`);
      this.#statements.push(statementCounts(stmt));
    }
    // A warp has a number only inside of the statement, which evaluates what depends on it.
    if (stmt.kind !== 'multiply') this.#evaluate(stmt);
    switch (stmt.kind) {
      case 'for':
        return this.#for(stmt);
      case 'let':
        this.#source.define(stmt.name, { kind: 'value', operand: this.#source.of(stmt.value) });
        return;
      case 'declare':
        return this.#declare(stmt.accumulator, this.#source.of(stmt.initial));
      case 'assign':
        return this.#source.line(
          `${this.#source.register(stmt.accumulator, stmt.index, stmt)} = ${asStored(this.#source.of(stmt.value))};`,
        );
      case 'accumulate': {
        const register = this.#source.register(stmt.accumulator, stmt.index, stmt);
        return this.#source.line(
          `${register} = ${combined(stmt.combine, stmt.accumulator, register, asStored(this.#source.of(stmt.value)))};`,
        );
      }
      case 'store':
        return this.#store(stmt);
      case 'fetch':
        return;
      case 'if':
        this.#source.line(`if (${this.#source.of(stmt.condition).code}) {`);
        this.#body(stmt.then);
        this.#source.line('} else {');
        this.#body(stmt.otherwise ?? []);
        this.#source.line('}');
        return;
      case 'share':
        this.#source.lies(stmt.buffer, this.#share(stmt.buffer));
        return this.#blocks.emit(stmt);
      case 'barrier':
      case 'commit':
      case 'wait':
      case 'settle':
      case 'copy':
      case 'multiply':
      case 'combine':
        return this.#blocks.emit(stmt);
      default:
        unreachable('kernel interpreter', stmt);
    }
  }

  #evaluate(stmt: Stmt): void {
    for (const expr of expressionOrder(expressionsOf(stmt))) this.#source.computed(expr, this.#operand(expr, stmt));
  }

  #for(loop: For): void {
    const extent = this.#source.of(loop.extent);
    const when = loop.when === undefined ? '' : `!(${this.#source.of(loop.when).code}) ? 0 : `;
    const count = this.#source.fresh('n');
    const index = this.#source.fresh('i');
    this.#source.line(`const ${count} = ${when}Math.max(0, ${asNumber(extent)});`);
    for (const limit of [loop.limit, loop.most]) {
      if (limit === undefined) continue;
      const complaint = this.#source.complaint((state, found) => state.overLimit(this.#source.site({ ...loop, body: [] }), found, limit));
      this.#source.line(`if (${count} > ${limit}) ${complaint}(state, ${count});`);
    }
    const { least } = loop;
    if (least !== undefined) {
      const complaint = this.#source.complaint((state, found) => state.belowLeast(this.#source.site({ ...loop, body: [] }), found, least));
      this.#source.line(`if (${count} < ${least}) ${complaint}(state, ${count});`);
    }
    const checked = this.#checkedLoop(loop, count, index);
    const asked = loop.while === undefined ? '' : ` && ${this.#source.register(loop.while, [], loop)} !== 0`;
    this.#source.line(`for (let ${index} = 0; ${index} < ${count}${asked}; ${index}++) {`);
    if (checked !== undefined) this.#source.line(`const ${checked.tag} = ${checked.base} + ${index};`);
    const counter: Local = { kind: 'value', operand: integer(index, Math.max(0, extent.bound - 1)) };
    this.#source.scoped(() => this.#body(loop.body), [loop.index, counter], checked);
    this.#source.line('}');
  }

  /** Iterations get numbers that no other loop run has, so marks of earlier runs need no clearing. */
  #checkedLoop(loop: For, count: string, index: string): Checked | undefined {
    const level = loop.warps === true ? 'warps' : loop.axis;
    if (level !== 'parallel' && level !== 'warps' && level !== 'vector') return undefined;
    const stored = new Set<number>();
    let shares = false;
    forEachStatement(loop.body, (stmt) => {
      if (stmt.kind === 'store' && stmt.buffer.role.kind !== 'shared') stored.add(this.#source.place(stmt.buffer).id);
      if (loop.axis === 'vector') shares ||= touchesShared(stmt);
    });
    if (stored.size === 0 && !shares) return undefined;
    const base = this.#source.fresh('base');
    this.#source.line(`const ${base} = state.clock; state.clock += ${count} + 1;`);
    return { level, base, tag: `tag_${index}`, many: `(${base} + ${count})`, stored };
  }

  #declare(accumulator: Accumulator, initial: Operand): void {
    const code = this.#source.fresh('s');
    const size = accumulator.shape.reduce((product, one) => product * one, 1);
    if (accumulator.shape.length === 0) this.#source.line(`let ${code} = ${asStored(initial)};`);
    else {
      this.#source.ahead(
        code,
        `const ${code} = new ${accumulator.dtype === 'i64' ? 'BigInt64Array' : accumulator.dtype === 'u64' ? 'BigUint64Array' : 'Float64Array'}(${size});`,
      );
      this.#source.line(`${code}.fill(${asStored(initial)});`);
    }
    this.#source.define(accumulator.name, { kind: 'registers', code, accumulator });
  }

  #store(stmt: Extract<Stmt, { kind: 'store' }>): void {
    const { buffer } = stmt;
    const place = this.#source.place(buffer);
    if (buffer.role.kind === 'feed') throw trouble(`the feed ${buffer.name} is stored`);
    const at = this.#source.offset(buffer, stmt.index, stmt);
    const { data, written } = this.#source.memory(place);
    if (place.slot !== undefined) {
      const { id, slot } = this.#source.idOf(place);
      this.#source.line(`if (state.owners[${slot}] !== ${id}) state.takeOver(${slot}, ${id});`);
    }
    if (buffer.role.kind === 'shared') this.#blocks.written(place, at, stmt);
    for (const loop of this.#source.checked) {
      if (!loop.stored.has(place.id)) continue;
      const { writers, readers } = this.#source.marks(loop.level, place);
      const [writer, reader] = [this.#source.fresh('w'), this.#source.fresh('r')];
      const foreign = (mark: string): string => `${mark} >= ${loop.base} && ${mark} !== ${loop.tag}`;
      const race = this.#source.complaint((state, written) =>
        state.race(this.#source.site(stmt), loop.level, written === 1 ? 'written' : 'read'),
      );
      this.#source.line(`const ${writer} = ${writers}[${at}], ${reader} = ${readers}[${at}];`);
      this.#source.line(`if ((${foreign(writer)}) || (${foreign(reader)})) ${race}(state, ${foreign(writer)} ? 1 : 0);`);
      this.#source.line(`${writers}[${at}] = ${loop.tag};`);
    }
    this.#source.countBytes('Written', place, at);
    this.#source.line(`${data}[${at}] = ${asStored(this.#source.of(stmt.value))}; ${written}[${at}] = 1;`);
  }

  // ---- Expressions -----------------------------------------------------------------------------------------------------------------

  #operand(expr: Expr, stmt: Stmt): Operand {
    switch (expr.kind) {
      case 'const':
        if (expr.dtype === 'u64') return big(`${BigInt(expr.value)}n`, 'u64');
        if (expr.dtype !== 'i64')
          return number(literal(isFloat(expr.dtype) ? roundFloat(expr.dtype, Number(expr.value)) : Number(expr.value)), expr.dtype);
        return wholeNumber(expr.value);
      case 'size':
        return this.#source.measured(expr.dim);
      case 'index':
      case 'name': {
        const local = this.#source.local(expr.name);
        if (local?.kind !== 'value') throw this.#source.trouble(`${expr.name} is not in scope`, stmt);
        return local.operand;
      }
      case 'read':
        return this.#source.read(expr.accumulator, expr.index, stmt);
      case 'load':
        return this.#load(expr, stmt);
      case 'apply': {
        const args = expr.args.map((arg) => this.#source.of(arg));
        return this.#source.keep(isMachineOp(expr.fn) ? machineCode(expr.fn, expr.dtype, args) : this.#scalarFunction(expr, args, stmt));
      }
    }
  }

  #scalarFunction(expr: Extract<Expr, { kind: 'apply' }>, args: readonly Operand[], stmt: Stmt): Operand {
    const row = scalarOfKernel.get(expr.fn);
    if (row === undefined) throw this.#source.trouble(`no scalar function ${expr.fn}`, stmt);
    const from = args.at(-1)?.dtype ?? expr.dtype;
    const called = this.#source.scalarFunction((...values) => evaluateScalar(row, from, values));
    const call = `${called}(${args.map(asStored).join(', ')})`;
    if (isWide(expr.dtype)) return big(call, expr.dtype);
    return number(isFloat(expr.dtype) ? fit(expr.dtype, call) : call, expr.dtype);
  }

  #load(expr: Extract<Expr, { kind: 'load' }>, stmt: Stmt): Operand {
    const { buffer } = expr;
    const place = this.#source.place(buffer);
    const at = this.#source.offset(buffer, expr.index, stmt);
    const { data, written } = this.#source.memory(place);
    if (buffer.role.kind !== 'feed') {
      const unwritten = this.#source.complaint((state, found) => state.unwritten(this.#source.site(stmt), place.id, found));
      this.#source.line(`if (${written}[${at}] === 0) ${unwritten}(state, ${at});`);
    }
    for (const loop of this.#source.checked) {
      if (!loop.stored.has(place.id)) continue;
      const { writers, readers } = this.#source.marks(loop.level, place);
      const [writer, reader] = [this.#source.fresh('w'), this.#source.fresh('r')];
      this.#source.line(`const ${writer} = ${writers}[${at}], ${reader} = ${readers}[${at}];`);
      const race = this.#source.complaint((state) => state.race(this.#source.site(stmt), loop.level, 'written'));
      this.#source.line(`if (${writer} >= ${loop.base} && ${writer} !== ${loop.tag}) ${race}(state);`);
      this.#source.line(`${readers}[${at}] = ${reader} >= ${loop.base} && ${reader} !== ${loop.tag} ? ${loop.many} : ${loop.tag};`);
    }
    if (buffer.role.kind === 'shared') this.#blocks.read(place, at, stmt);
    this.#source.countBytes('Read', place, at);
    const value = `${data}[${at}]`;
    if (isWide(buffer.dtype)) return this.#source.keep(big(value, buffer.dtype));
    return this.#source.keep(
      number(isNarrowFloat(buffer.dtype) ? `(Number.isFinite(${value}) ? ${fit(buffer.dtype, value)} : ${value})` : value, buffer.dtype),
    );
  }
}
