// What blocks of threads do, in generated JavaScript: shared memory, copies to it, products of warps. In: statements, and what the compiler
// of a kernel lends. Out: lines of source.
// Holds: between two barriers an element of shared memory that one thread touches and another writes is a race; what copies bring may be
// read behind the wait for it.

import { isWide } from '../../base/index.js';
import {
  type Accumulator,
  type BlockStmt,
  type Buffer,
  type CopyStmt,
  type Expr,
  expressionOrder,
  expressionsOf,
  type Fragment,
  multiplyDepth,
  type MultiplyStmt,
  type Stmt,
  warpThreads,
} from '../../kernel/index.js';
import { fit } from './machine.js';
import { type Place, trouble } from './memory.js';
import type { KernelState } from './state.js';

/** A loop whose iterations must be independent. */
export interface Checked {
  readonly level: 'parallel' | 'warps' | 'vector';
  /** Source of the number of its first iteration, of the current one, and of the one that stands for several. */
  readonly base: string;
  readonly tag: string;
  readonly many: string;
  /** Memories that its body stores. */
  readonly stored: ReadonlySet<number>;
}

/** Throws what is wrong; called by generated source with what it found. */
export type Complaint = (state: KernelState, found: number) => never;

/** What the compiler of a kernel lends. */
export interface KernelSource {
  line(text: string): void;
  fresh(stem: string): string;
  complaint(complaint: Complaint): string;
  site(stmt: Stmt): string;
  code(expr: Expr): string;
  place(buffer: Buffer): Place;
  memory(place: Place): { readonly data: string; readonly written: string };
  /** Of vector loops. */
  marks(place: Place): { readonly writers: string; readonly readers: string };
  offset(buffer: Buffer, index: readonly Expr[], stmt: Stmt, count: number): string;
  /** Counts an element that is read. */
  counted(place: Place, at: string): void;
  registers(accumulator: Accumulator): string | undefined;
  /** The innermost loop around that is checked. */
  thread(): Checked | undefined;
  /** Runs `body` where the number of a warp, at most `most`, has its name, and what `stmt` computes is computed. */
  within(warp: string, code: string, most: number, stmt: Stmt, body: () => void): void;
}

export class BlockCode {
  readonly #source: KernelSource;

  constructor(source: KernelSource) {
    this.#source = source;
  }

  emit(stmt: BlockStmt): void {
    const { line, place } = this.#source;
    switch (stmt.kind) {
      case 'share':
        return line(`state.share(${place(stmt.buffer).id});`);
      case 'barrier':
        return line('state.barrier();');
      case 'commit':
        return line('state.commit();');
      case 'wait':
        return line(`state.wait(${stmt.open});`);
      case 'copy':
        return this.#copy(stmt);
      case 'multiply':
        return this.#multiply(stmt);
    }
  }

  /** Since the last barrier no other thread may have touched the element. */
  written(place: Place, at: string, stmt: Stmt): void {
    const { line, marks, complaint, site } = this.#source;
    const { tag } = this.#thread(stmt);
    const { writers, readers } = marks(place);
    const race = complaint((state, found) => state.race(site(stmt), 'vector', found === 1 ? 'written' : 'read'));
    line(`if (${foreign(writers, at, tag)} || ${foreign(readers, at, tag)}) ${race}(state, ${foreign(writers, at, tag)} ? 1 : 0);`);
    line(`${writers}[${at}] = ${tag};`);
  }

  read(place: Place, at: string, stmt: Stmt): void {
    const { tag, many } = this.#thread(stmt);
    this.#readBy(place, at, stmt, tag);
    const { readers } = this.#source.marks(place);
    this.#source.line(`${readers}[${at}] = ${foreign(readers, at, tag)} ? ${many} : ${tag};`);
  }

  /** Nobody but the reader may have written the element since the last barrier. */
  #readBy(place: Place, at: string, stmt: Stmt, tag: string): void {
    const { line, marks, complaint, site } = this.#source;
    const race = complaint((state) => state.race(site(stmt), 'vector', 'written'));
    line(`if (${foreign(marks(place).writers, at, tag)}) ${race}(state);`);
  }

  #thread(stmt: Stmt): Checked {
    const loop = this.#source.thread();
    if (loop?.level !== 'vector') throw trouble(`shared memory outside of a vector loop in ${this.#source.site(stmt)}`);
    return loop;
  }

  /** Done at once, but nobody may read it before it was waited for. */
  #copy(stmt: CopyStmt): void {
    const { line, fresh, complaint, site, offset, memory, place } = this.#source;
    const { to, from, count } = stmt;
    const target = offset(to, stmt.at, stmt, count);
    const [into, out] = [memory(place(to)), memory(place(from))];
    const source = fresh('from');
    line(`let ${source} = -1;`);
    line(`if (${this.#source.code(stmt.when)}) {`);
    line(`${source} = ${offset(from, stmt.index, stmt, count)};`);
    line('}');
    for (const { at, name } of [
      { at: target, name: to.name },
      { at: source, name: from.name },
    ]) {
      const unaligned = complaint((_, found) => {
        throw trouble(`${name} is copied from element ${found} on, ${count} at once; ${site(stmt)}`);
      });
      line(`if (${at} % ${count} > 0) ${unaligned}(state, ${at});`);
    }
    const [one, at, element] = [fresh('e'), fresh('at'), fresh('at')];
    line(`for (let ${one} = 0; ${one} < ${count}; ${one}++) {`);
    line(`const ${at} = ${target} + ${one};`);
    this.written(place(to), at, stmt);
    line(`${into.data}[${at}] = ${isWide(to.dtype) ? '0n' : '0'};`);
    line(`if (${source} >= 0) {`);
    line(`const ${element} = ${source} + ${one};`);
    if (from.role.kind !== 'feed') this.#known(place(from), out.written, element, stmt);
    this.#source.counted(place(from), element);
    line(`${into.data}[${at}] = ${out.data}[${element}];`);
    line('}');
    line(`state.copied(${place(to).id}, ${at});`);
    line('}');
  }

  #multiply(stmt: MultiplyStmt): void {
    const { line, fresh, registers, within } = this.#source;
    const { sums, left, right } = stmt;
    const to = registers(sums);
    if (to === undefined) throw trouble(`the accumulator ${sums.name} is not in scope in ${this.#source.site(stmt)}`);
    const [rows = 0, columns = 0, threads = 0] = sums.shape;
    const [warp, row, column, k] = [fresh('w'), fresh('r'), fresh('c'), fresh('k')];
    line(`for (let ${warp} = 0; ${warp} < ${threads / warpThreads}; ${warp}++) {`);
    within(stmt.warp, warp, threads / warpThreads, stmt, () => {
      const [a, b] = [this.#lines(stmt, left, 8 * rows), this.#lines(stmt, right, 4 * columns)];
      const sum = fresh('sum');
      line(`for (let ${row} = 0; ${row} < ${8 * rows}; ${row}++) for (let ${column} = 0; ${column} < ${4 * columns}; ${column}++) {`);
      line(`let ${sum} = 0;`);
      line(`for (let ${k} = 0; ${k} < ${multiplyDepth(left.buffer.dtype)}; ${k}++) ${sum} += ${a(row, k)} * ${b(column, k)};`);
      // The thread of the warp, and which of its elements this is.
      const lane = `(${row} & 7) * 4 + ((${column} & 7) >> 1)`;
      const element = `(${row} >> 3) * ${columns} + (${column} >> 3) * 2 + (${column} & 1)`;
      const at = fresh('at');
      line(`const ${at} = (${element}) * ${threads} + ${warp} * ${warpThreads} + ${lane};`);
      line(`${to}[${at}] = ${fit('f32', `${to}[${at}] + ${sum}`)};`);
      line('}');
    });
    line('}');
  }

  /** Looks at all elements of a side, once; source of the one of a line and a step. */
  #lines(stmt: MultiplyStmt, { buffer, index, along }: Fragment, count: number): (line: string, step: string) => string {
    const { line, fresh, memory, marks, offset } = this.#source;
    const place = this.#source.place(buffer);
    const { data, written } = memory(place);
    const depth = multiplyDepth(buffer.dtype);
    const start = offset(buffer, index, stmt, along === 'depth' ? depth : count);
    const pitch = place.shape.at(-1) ?? 1;
    const [all, one, step, at, now] = [fresh('side'), fresh('l'), fresh('k'), fresh('at'), fresh('now')];
    line(`const ${now} = state.clock++, ${all} = new Float64Array(${count * depth});`);
    line(`for (let ${one} = 0; ${one} < ${count}; ${one}++) for (let ${step} = 0; ${step} < ${depth}; ${step}++) {`);
    line(`const ${at} = ${along === 'depth' ? `${start} + ${one} * ${pitch} + ${step}` : `${start} + ${step} * ${pitch} + ${one}`};`);
    this.#known(place, written, at, stmt);
    this.#readBy(place, at, stmt, now);
    line(`${marks(place).readers}[${at}] = ${now};`);
    line(`${all}[${one} * ${depth} + ${step}] = ${buffer.dtype === 'f32' ? `tf32(${data}[${at}])` : fit(buffer.dtype, `${data}[${at}]`)};`);
    line('}');
    return (of, k) => `${all}[${of} * ${depth} + ${k}]`;
  }

  #known(place: Place, written: string, at: string, stmt: Stmt): void {
    const { line, complaint, site } = this.#source;
    const unwritten = complaint((state, found) => state.unwritten(site(stmt), place.id, found));
    line(`if (!(${written}[${at}] > 0)) ${unwritten}(state, ${at});`);
  }
}

/** Whether another iteration than that of `tag` left a mark since the last barrier. */
const foreign = (marks: string, at: string, tag: string): string => `(${marks}[${at}] >= state.behind && ${marks}[${at}] !== ${tag})`;

/** Whether threads touch shared memory in the statement itself. */
export function touchesShared(stmt: Stmt): boolean {
  if (stmt.kind === 'copy' || (stmt.kind === 'store' && stmt.buffer.role.kind === 'shared')) return true;
  return expressionOrder(expressionsOf(stmt)).some((expr) => expr.kind === 'load' && expr.buffer.role.kind === 'shared');
}
