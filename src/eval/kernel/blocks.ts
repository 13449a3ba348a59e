// What blocks of threads do, in generated JavaScript: shared memory, copies to it, products of warps. In: statements, and the source of
// a kernel. Out: lines of source.
// Holds: between two barriers an element of shared memory that one thread touches and another writes is a race; what copies bring may be
// read behind the wait for it.

import { type DType, isWide } from '../../base/index.js';
import {
  type Accumulator,
  type BlockStmt,
  type CombineStmt,
  type CopyStmt,
  expressionOrder,
  expressionsOf,
  type Fragment,
  isSwizzled,
  multiplyDepth,
  type MultiplyStmt,
  type Stmt,
  type SumsFragment,
  swizzledLines,
  warpThreads,
} from '../../kernel/index.js';
import { combined } from './combined.js';
import { fit } from './machine.js';
import { type Place, trouble } from './memory.js';
import { asNumber, integer } from './operand.js';
import { type Checked, type KernelSource, type Local } from './source.js';

export class BlockCode {
  readonly #source: KernelSource;
  readonly #evaluate: (stmt: Stmt) => void;

  /** `evaluate` computes the operands of a statement. */
  constructor(source: KernelSource, evaluate: (stmt: Stmt) => void) {
    this.#source = source;
    this.#evaluate = evaluate;
  }

  emit(stmt: BlockStmt): void {
    const source = this.#source;
    switch (stmt.kind) {
      case 'share':
        return source.line(`state.share(${source.idOf(source.place(stmt.buffer)).id});`);
      case 'barrier':
        return source.line('state.barrier();');
      case 'commit':
        return source.line('state.commit();');
      case 'wait':
        return source.line(`state.wait(${stmt.open});`);
      case 'settle':
        return source.line(`state.settle(${stmt.open}, ${JSON.stringify(source.site(stmt))});`);
      case 'copy':
        return this.#copy(stmt);
      case 'multiply':
        return this.#multiply(stmt);
      case 'combine':
        return this.#combine(stmt);
    }
  }

  /** Since the last barrier no other thread may have touched the element. */
  written(place: Place, at: string, stmt: Stmt): void {
    const source = this.#source;
    const { tag } = this.#thread(stmt);
    const { writers, readers } = source.marks('vector', place);
    const race = source.complaint((state, found) => state.race(source.site(stmt), 'vector', found === 1 ? 'written' : 'read'));
    source.line(`if (${foreign(writers, at, tag)} || ${foreign(readers, at, tag)}) ${race}(state, ${foreign(writers, at, tag)} ? 1 : 0);`);
    source.line(`${writers}[${at}] = ${tag};`);
  }

  read(place: Place, at: string, stmt: Stmt): void {
    const { tag, many } = this.#thread(stmt);
    this.#readBy(place, at, stmt, tag);
    const { readers } = this.#source.marks('vector', place);
    this.#source.line(`${readers}[${at}] = ${foreign(readers, at, tag)} ? ${many} : ${tag};`);
  }

  /** Nobody but the reader may have written the element since the last barrier. */
  #readBy(place: Place, at: string, stmt: Stmt, tag: string): void {
    const source = this.#source;
    const race = source.complaint((state) => state.race(source.site(stmt), 'vector', 'written'));
    source.line(`if (${foreign(source.marks('vector', place).writers, at, tag)}) ${race}(state);`);
  }

  #thread(stmt: Stmt): Checked {
    const loop = this.#source.checked.at(-1);
    if (loop?.level !== 'vector') throw trouble(`shared memory outside of a vector loop in ${this.#source.site(stmt)}`);
    return loop;
  }

  /** Done at once, but nobody may read it before it was waited for. */
  #copy(stmt: CopyStmt): void {
    const source = this.#source;
    const { to, from, count } = stmt;
    const target = source.offset(to, stmt.at, stmt, count);
    const [into, out] = [source.memory(source.place(to)), source.memory(source.place(from))];
    const first = source.fresh('from');
    source.line(`let ${first} = -1;`);
    source.line(`if (${source.of(stmt.when).code}) {`);
    source.line(`${first} = ${source.offset(from, stmt.index, stmt, count)};`);
    source.line('}');
    for (const { at, name } of [
      { at: target, name: to.name },
      { at: first, name: from.name },
    ]) {
      const unaligned = source.complaint((_, found) => {
        throw trouble(`${name} is copied from element ${found} on, ${count} at once; ${source.site(stmt)}`);
      });
      source.line(`if (${at} % ${count} > 0) ${unaligned}(state, ${at});`);
    }
    const [one, at, element] = [source.fresh('e'), source.fresh('at'), source.fresh('at')];
    source.line(`for (let ${one} = 0; ${one} < ${count}; ${one}++) {`);
    source.line(`const ${at} = ${target} + ${one};`);
    this.written(source.place(to), at, stmt);
    source.line(`${into.data}[${at}] = ${isWide(to.dtype) ? '0n' : '0'};`);
    source.line(`if (${first} >= 0) {`);
    source.line(`const ${element} = ${first} + ${one};`);
    if (from.role.kind !== 'feed') this.#known(source.place(from), out.written, element, stmt);
    source.countBytes('Read', source.place(from), element);
    source.line(`${into.data}[${at}] = ${out.data}[${element}];`);
    source.line('}');
    source.line(`state.copied(${source.idOf(source.place(to)).id}, ${at});`);
    source.line('}');
  }

  #multiply(stmt: MultiplyStmt): void {
    const source = this.#source;
    const { warps, sums, left, right } = stmt;
    const { code: to } = source.registers(sums, stmt);
    const [rows = 0, columns = 0, threads = 0] = sums.shape;
    const [warp, row, column, k] = [source.fresh('w'), source.fresh('r'), source.fresh('c'), source.fresh('k')];
    const teams = threads / (warps * warpThreads);
    source.line(`for (let ${warp} = 0; ${warp} < ${teams}; ${warp}++) {`);
    const number: Local = { kind: 'value', operand: integer(warp, teams) };
    const product = (): void => {
      // What depends on the number of the warp.
      this.#evaluate(stmt);
      const b = this.#lines(stmt, right, 4 * columns);
      const a = 'sums' in left ? this.#sums(stmt, left, right.buffer.dtype, warp) : this.#lines(stmt, left, 8 * warps * rows);
      const sum = source.fresh('sum');
      source.line(
        `for (let ${row} = 0; ${row} < ${8 * warps * rows}; ${row}++) for (let ${column} = 0; ${column} < ${4 * columns}; ${column}++) {`,
      );
      source.line(`let ${sum} = 0;`);
      source.line(`for (let ${k} = 0; ${k} < ${multiplyDepth(right.buffer.dtype)}; ${k}++) ${sum} += ${a(row, k)} * ${b(column, k)};`);
      const at = source.fresh('at');
      source.line(`const ${at} = ${elementOf(sums, warps, warp, row, column)};`);
      source.line(`${to}[${at}] = ${fit('f32', `${to}[${at}] + ${sum}`)};`);
      source.line('}');
    };
    source.scoped(product, [stmt.warp, number]);
    source.line('}');
  }

  /** Sums as the left side, rounded as they are multiplied; source of the one of a row and a step. */
  #sums(stmt: MultiplyStmt, { sums, index }: SumsFragment, dtype: DType, warp: string): (row: string, step: string) => string {
    const source = this.#source;
    const { code } = source.registers(sums, stmt);
    const [first, most] = [source.fresh('from'), 4 * (sums.shape[1] ?? 0) - multiplyDepth(dtype)];
    source.line(`const ${first} = ${asNumber(source.of(index[0]))};`);
    const beyond = source.complaint((_, found) => {
      throw trouble(`the steps from column ${found} on of ${sums.name} are multiplied; ${source.site(stmt)}`);
    });
    source.line(`if (!(${first} >= 0 && ${first} <= ${most} && ${first} % ${multiplyDepth(dtype)} === 0)) ${beyond}(state, ${first});`);
    return (row, step) => {
      const value = `${code}[${elementOf(sums, 1, warp, row, `(${first} + ${step})`)}]`;
      return dtype === 'f32' ? `tf32(${value})` : fit(dtype, value);
    };
  }

  #combine(stmt: CombineStmt): void {
    const source = this.#source;
    const { accumulator, combine, lanes } = stmt;
    const { code } = source.registers(accumulator, stmt);
    const count = accumulator.shape.reduce((product, size) => product * size, 1);
    const [before, at] = [source.fresh('before'), source.fresh('at')];
    for (let distance = lanes / 2; distance >= 1; distance /= 2) {
      // Threads are the last axis, whose size is a multiple of the lanes.
      source.line(`{ const ${before} = ${code}.slice();`);
      source.line(`for (let ${at} = 0; ${at} < ${count}; ${at}++)`);
      const other = `${before}[${at} ^ ${distance}]`;
      source.line(`${code}[${at}] = ${combined(combine, accumulator, `${before}[${at}]`, other)}; }`);
    }
  }

  /** Looks at all elements of a side, once; source of the one of a line and a step. */
  #lines(stmt: MultiplyStmt, { buffer, index, along }: Fragment, count: number): (line: string, step: string) => string {
    const source = this.#source;
    const place = this.#source.place(buffer);
    const { data, written } = source.memory(place);
    const depth = multiplyDepth(buffer.dtype);
    const pitch = place.shape.at(-1) ?? 1;
    // What is swizzled has lines in parts, each behind all steps of the one before.
    const together = isSwizzled(buffer) ? Math.min(pitch, count) : count;
    const parts = (place.shape.at(-2) ?? 1) * pitch;
    const start = source.offset(buffer, index, stmt, along === 'depth' ? depth : together);
    const [all, one, step, at, now] = [source.fresh('side'), source.fresh('l'), source.fresh('k'), source.fresh('at'), source.fresh('now')];
    source.line(`const ${now} = state.clock++, ${all} = new Float64Array(${count * depth});`);
    const places = stmt.warps === 4 ? source.fresh('places') : undefined;
    if (places !== undefined) {
      this.#onLines(stmt, start, along, pitch);
      source.line(`const ${places} = new Int32Array(${count * depth});`);
    }
    source.line(`for (let ${one} = 0; ${one} < ${count}; ${one}++) for (let ${step} = 0; ${step} < ${depth}; ${step}++) {`);
    const line = together === count ? one : `(${one} / ${together} | 0) * ${parts} + ${one} % ${together}`;
    source.line(
      `const ${at} = ${along === 'depth' ? `${start} + ${one} * ${pitch} + ${step}` : `${start} + ${step} * ${pitch} + ${line}`};`,
    );
    this.#known(place, written, at, stmt);
    this.#readBy(place, at, stmt, now);
    source.line(`${source.marks('vector', place).readers}[${at}] = ${now};`);
    source.line(
      `${all}[${one} * ${depth} + ${step}] = ${buffer.dtype === 'f32' ? `tf32(${data}[${at}])` : fit(buffer.dtype, `${data}[${at}]`)};`,
    );
    if (places !== undefined) source.line(`${places}[${one} * ${depth} + ${step}] = ${at};`);
    source.line('}');
    if (places !== undefined) source.line(`state.multiplying(${source.idOf(place).id}, ${places}, ${now});`);
    return (of, k) => `${all}[${of} * ${depth} + ${k}]`;
  }

  /** Four warps read whole lines from one on that is mixed as the first is, and begin at a step that is a multiple of theirs. */
  #onLines(stmt: MultiplyStmt, start: string, along: Fragment['along'], pitch: number): void {
    const unaligned = this.#source.complaint((_, found) => {
      throw trouble(`four warps multiply from element ${found} on; ${this.#source.site(stmt)}`);
    });
    const within = along === 'depth' ? multiplyDepth(stmt.right.buffer.dtype) : pitch;
    const rows = swizzledLines * pitch;
    this.#source.line(`if (${start} % ${rows} % ${within} > 0 || ${start} % ${rows} >= ${pitch}) ${unaligned}(state, ${start});`);
  }

  #known(place: Place, written: string, at: string, stmt: Stmt): void {
    const source = this.#source;
    const unwritten = source.complaint((state, found) => state.unwritten(source.site(stmt), place.id, found));
    source.line(`if (!(${written}[${at}] > 0)) ${unwritten}(state, ${at});`);
  }
}

/** Where the sum of a row and a column of so many warps together, the ones of this number, lies in its accumulator. */
function elementOf({ shape }: Accumulator, warps: number, number: string, row: string, column: string): string {
  const [, columns = 0, threads = 0] = shape;
  // The thread of the warp, and which of its elements this is.
  const lane = `(${row} & 7) * 4 + ((${column} & 7) >> 1)`;
  const warp = `${number} * ${warps} + ${warps === 1 ? 0 : `(${row} >> 4) % ${warps}`}`;
  const down = warps === 1 ? `(${row} >> 3)` : `((${row} / ${16 * warps} | 0) * 2 + (${row} >> 3 & 1))`;
  const element = `${down} * ${columns} + (${column} >> 3) * 2 + (${column} & 1)`;
  return `(${element}) * ${threads} + (${warp}) * ${warpThreads} + ${lane}`;
}

/** Whether another iteration than that of `tag` left a mark since the last barrier. */
const foreign = (marks: string, at: string, tag: string): string => `(${marks}[${at}] >= state.behind && ${marks}[${at}] !== ${tag})`;

/** Whether threads touch shared memory in the statement itself. */
export function touchesShared(stmt: Stmt): boolean {
  if (stmt.kind === 'copy' || (stmt.kind === 'store' && stmt.buffer.role.kind === 'shared')) return true;
  return expressionOrder(expressionsOf(stmt)).some((expr) => expr.kind === 'load' && expr.buffer.role.kind === 'shared');
}
