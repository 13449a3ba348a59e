// Loads and stores. In: a buffer, its indices and the scope. Out: instructions. Holds: a lane that does not exist touches no memory; a
// vector access reads and writes exactly the elements of its lanes. One lane after the other: one instruction; a few apart, or beside what
// others read: whole vectors and shuffles; else gather or scatter.

import { bytesOf, InternalError } from '../../../src/base/index.js';
import type { Buffer, Expr, FetchUse, Stmt } from '../../../src/kernel/index.js';
import { lineBytes, widestRow, widestStride } from '../../../src/target/index.js';
import { type Shuffles, pickColumn } from './strided-load.js';
import type { Expressions, Memo } from './expressions.js';
import type { LlvmType, LlvmValue } from '../builder/index.js';
import type { Value } from './machine.js';
import type { Scalar, Scope } from './scope.js';
import { transposeSquare } from './transpose-load.js';

/** Sums on the way to an address, and lanes that are masked off, may lie outside of the buffer. */
const free = { inbounds: false } as const;

type Place =
  | { readonly kind: 'one'; readonly pointer: LlvmValue }
  /** `name`: of the address less `constant` elements, as long as it does not depend on memory. */
  | {
      readonly kind: 'row';
      readonly pointer: LlvmValue;
      readonly stride: number;
      readonly name: string | undefined;
      readonly constant: number;
    }
  | { readonly kind: 'many'; readonly pointers: LlvmValue };

export class Memory {
  readonly #expressions: Expressions;
  readonly #pointerOf: (buffer: Buffer) => LlvmValue;
  /** Whether the kernel writes to the memory of the buffer. */
  readonly #isWritten: (buffer: Buffer) => boolean;

  /** Where an element lies that would be at the pointer if all of them followed one another. */
  readonly #lies: (buffer: Buffer, pointer: LlvmValue) => LlvmValue;

  constructor(
    expressions: Expressions,
    pointerOf: (buffer: Buffer) => LlvmValue,
    isWritten: (buffer: Buffer) => boolean,
    lies: (buffer: Buffer, pointer: LlvmValue) => LlvmValue = (_, pointer) => pointer,
  ) {
    this.#expressions = expressions;
    this.#pointerOf = pointerOf;
    this.#isWritten = isWritten;
    this.#lies = lies;
  }

  load(expr: Expr & { readonly kind: 'load' }, scope: Scope, memo: Memo): Value {
    const { ops } = this.#expressions;
    const { builder: build, module } = ops;
    const { dtype } = expr.buffer;
    const element = ops.memoryType(dtype);
    const align = bytesOf(dtype);
    const place = this.#place(expr, expr.buffer, expr.index, scope, memo);
    if (place.kind === 'one') return ops.fromMemory(build.load(element, place.pointer, { align }), dtype, 1);
    const lanes = scope.lanes?.lanes ?? 1;
    const mask = scope.lanes?.mask;
    const type = module.types.vector(element, lanes);
    const rest = { align, passThrough: ops.zero(type) };
    if (place.kind === 'row' && mask === undefined && place.stride === 1) this.#fetchAhead(expr.buffer, place.pointer, scope);
    if (place.kind === 'row' && mask === undefined && Math.abs(place.stride) === 1)
      return ops.fromMemory(this.#loadRow(type, place.pointer, place.stride, align), dtype, lanes);
    const active = mask === undefined ? lanes : scope.lanes?.active;
    if (place.kind === 'row' && place.stride >= 2 && place.stride <= widestRow && active !== undefined) {
      const column = this.#column(expr, place.stride, scope);
      if (column !== undefined || place.stride <= Math.min(widestStride, lanes)) {
        const made: Shuffles = place.name === undefined || this.#isWritten(expr.buffer) ? new Map() : scope.halfway;
        return ops.fromMemory(this.#loadApart(type, place, active, column, made), dtype, lanes);
      }
    }
    const turned = place.kind === 'row' && typeof active === 'number' ? this.#loadTurned(type, expr, place, active, scope) : undefined;
    if (turned !== undefined) return ops.fromMemory(turned, dtype, lanes);
    if (place.kind === 'row' && place.stride === 1)
      return ops.fromMemory(build.maskedLoad(type, place.pointer, mask as LlvmValue, rest), dtype, lanes);
    const pointers = place.kind === 'many' ? place.pointers : this.#spread(element, place.pointer, place.stride, lanes);
    return ops.fromMemory(build.gather(type, pointers, mask ?? this.#all(lanes), rest), dtype, lanes);
  }

  /** Of an element that all lanes share. `owner`: names the index, which it belongs to. */
  address(owner: object, buffer: Buffer, index: readonly Expr[], scope: Scope, memo: Memo): LlvmValue {
    const place = this.#place(owner, buffer, index, scope, memo);
    if (place.kind === 'one') return place.pointer;
    throw new InternalError('codegen', `an address in ${buffer.name} differs from lane to lane`);
  }

  /** True while code is made that passes the caches by where stores and loops say so. */
  pastCaches = false;

  #fetchAhead(buffer: Buffer, pointer: LlvmValue, { lanes }: Scope): void {
    const ahead = lanes?.ahead;
    if (!this.pastCaches || ahead?.buffers.includes(buffer) !== true) return;
    const { builder: build, module } = this.#expressions.ops;
    this.#ask(build.gep(module.types.i8, pointer, [module.i64(ahead.bytes)], free), 'read');
  }

  fetch(stmt: Stmt & { readonly kind: 'fetch' }, scope: Scope, memo: Memo): void {
    const { lanes, base } = scope.lanes ?? { lanes: 1, base: 0 };
    // Several vectors have one line: the first asks for it.
    if (typeof base === 'number' && (base * bytesOf(stmt.buffer.dtype)) % lineBytes !== 0) return;
    const place = this.#place(stmt, stmt.buffer, stmt.index, scope, memo);
    if (place.kind === 'one' || (place.kind === 'row' && (lanes === 1 || Math.abs(place.stride) === 1))) this.#ask(place.pointer, stmt.to);
  }

  #ask(pointer: LlvmValue, to: FetchUse): void {
    const { builder: build, module } = this.#expressions.ops;
    const [nearness, data] = [module.i32(to === 'later' ? 2 : 3), module.i32(1)];
    build.intrinsic('llvm.prefetch', module.types.void, [pointer, module.i32(to === 'write' ? 1 : 0), nearness, data]);
  }

  store(stmt: Stmt & { readonly kind: 'store' }, scope: Scope, memo: Memo): void {
    const { ops } = this.#expressions;
    const { builder: build } = ops;
    const { dtype } = stmt.buffer;
    const element = ops.memoryType(dtype);
    const align = bytesOf(dtype);
    const value = this.#expressions.emit(stmt.value, scope, memo);
    const place = this.#place(stmt, stmt.buffer, stmt.index, scope, memo);
    if (place.kind === 'one') {
      // Every lane writes the same element: the last one counts.
      const last = value.lanes === 1 ? value : { ...value, value: build.extractElement(value.value, value.lanes - 1), lanes: 1 };
      build.store(ops.toMemory(last), place.pointer, { align });
      return;
    }
    const lanes = scope.lanes?.lanes ?? 1;
    const mask = scope.lanes?.mask;
    const data = ops.toMemory(ops.widen(value, lanes));
    if (place.kind === 'row' && place.stride === 1) {
      if (mask === undefined && stmt.nontemporal === true && this.pastCaches)
        build.store(data, place.pointer, { align: lanes * align, nontemporal: true });
      else if (mask === undefined) build.store(data, place.pointer, { align });
      else build.maskedStore(data, place.pointer, mask, { align });
      return;
    }
    const pointers = place.kind === 'many' ? place.pointers : this.#spread(element, place.pointer, place.stride, lanes);
    build.scatter(data, pointers, mask ?? this.#all(lanes), { align });
  }

  #place(owner: object, buffer: Buffer, index: readonly Expr[], scope: Scope, memo: Memo): Place {
    const { ops, math, forms } = this.#expressions;
    const build = ops.builder;
    const element = ops.memoryType(buffer.dtype);
    const { key, base, constant, stride, varying } = this.#expressions.split(forms.offset(owner, buffer, index), scope, memo);
    const start = this.#pointerOf(buffer);
    // The constant comes last, so that it ends in the instruction's displacement.
    const name = key === undefined ? undefined : `${buffer.name}@${key}`;
    let moved = base === 0 ? start : name === undefined ? undefined : scope.addresses.get(name);
    if (moved === undefined) {
      moved = build.gep(element, start, [math.value(base)], free);
      if (name !== undefined) scope.addresses.set(name, moved);
    }
    const pointer = this.#lies(buffer, constant === 0 ? moved : build.gep(element, moved, [math.value(constant)], free));
    const lanes = scope.lanes?.lanes ?? 1;
    if (lanes === 1 && varying.length === 0) return { kind: 'one', pointer };
    if (varying.length === 0) {
      if (stride === 0) return { kind: 'one', pointer };
      if (typeof stride === 'number') return { kind: 'row', pointer, stride, name, constant };
      const steps = ops.steps(ops.module.types.i64, lanes, 1);
      const offsets = build.mul(steps, build.splat(lanes, stride));
      return { kind: 'many', pointers: build.gep(element, pointer, [offsets], free) };
    }
    let offsets = this.#expressions.sumVarying(varying, scope, memo) as LlvmValue;
    if (stride !== 0) {
      const steps = ops.steps(ops.module.types.i64, lanes, 1);
      offsets = build.add(offsets, build.mul(steps, build.splat(lanes, math.value(stride))));
    }
    return { kind: 'many', pointers: build.gep(element, pointer, [offsets], free) };
  }

  /** All lanes of a vector, one element after the other, upwards or downwards. */
  #loadRow(type: LlvmType, pointer: LlvmValue, stride: number, align: number): LlvmValue {
    const { builder: build } = this.#expressions.ops;
    const { lanes, scalar } = type;
    if (stride === 1) return build.load(type, pointer, { align });
    const row = build.load(type, build.gep(scalar, pointer, [1 - lanes], free), { align });
    return build.shuffle(
      row,
      row,
      Array.from({ length: lanes }, (_, lane) => lanes - 1 - lane),
    );
  }

  /**
   * The column that the access means when every lane reads from a row of its own, and the rows follow one another; what lies behind each is
   * memory of the buffer.
   */
  #column(expr: Expr & { readonly kind: 'load' }, stride: number, scope: Scope): number | undefined {
    const { strides } = expr.buffer;
    const last = expr.index.at(-1);
    if (last === undefined || strides.at(-2)?.constant !== stride || strides.at(-1)?.constant !== 1) return undefined;
    return this.#expressions.known(last, scope);
  }

  /**
   * Elements that are `stride` apart for the first `active` lanes, from whole vectors and shuffles. Nothing beyond the last element is
   * read; but where the access is a column, whole rows are, so that all columns come from the same vectors.
   */
  #loadApart(
    type: LlvmType,
    place: Place & { readonly kind: 'row' },
    active: Scalar,
    column: number | undefined,
    made: Shuffles,
  ): LlvmValue {
    const { builder: build } = this.#expressions.ops;
    const { lanes, scalar } = type;
    const { pointer, stride } = place;
    const first = column ?? 0;
    const align = scalar.scalarBits / 8;
    const name = `${place.name}+${place.constant - first}`;
    const from = (start: number): LlvmValue => (start === first ? pointer : build.gep(scalar, pointer, [start - first], free));
    const load = (part: number): LlvmValue => {
      const start = part * lanes;
      if (active !== lanes)
        return build.maskedLoad(type, from(start), this.#existing(active, stride, column !== undefined, lanes, start), {
          align,
          passThrough: this.#expressions.ops.zero(type),
        });
      if (column !== undefined || part < stride - 1) return build.load(type, from(start), { align });
      // Without the rest of its row, the last vector ends with the last element, and what it has is moved to its place.
      const row = build.load(type, from(start - stride + 1), { align });
      return build.shuffle(
        row,
        row,
        Array.from({ length: lanes }, (_, lane) => (lane + stride <= lanes ? lane + stride - 1 : -1)),
      );
    };
    const vectors = (part: number): LlvmValue => {
      const key = `${name}:${part}`;
      let value = made.get(key);
      if (value === undefined) made.set(key, (value = load(part)));
      return value;
    };
    return pickColumn(build, vectors, stride, first, lanes, made, name);
  }

  /** Where copies of this code read the columns beside this one: rows of all these columns, turned. */
  #loadTurned(
    type: LlvmType,
    expr: Expr & { readonly kind: 'load' },
    place: Place & { readonly kind: 'row' },
    active: number,
    scope: Scope,
  ): LlvmValue | undefined {
    const { ops, forms } = this.#expressions;
    const { builder: build } = ops;
    const { square } = scope;
    const column = square === undefined ? undefined : scope.indices.get(square.index)?.value;
    if (square === undefined || typeof column !== 'number' || place.name === undefined || this.#isWritten(expr.buffer)) return undefined;
    const term = forms.offset(expr, expr.buffer, expr.index).terms.find(({ atom }) => atom.kind === 'index' && atom.name === square.index);
    if (term?.coefficient.constant !== 1) return undefined;
    const key = `${place.name}+${place.constant - column}`;
    let columns = square.columns.get(key);
    if (columns === undefined) {
      const [align, isWhole] = [type.scalar.scalarBits / 8, square.count === type.lanes];
      const mask = ops.module.vectorOf(Array.from({ length: type.lanes }, (_, at) => ops.module.bool(at < square.count)));
      const row = (at: number): LlvmValue => {
        const pointer = build.gep(type.scalar, place.pointer, [at * place.stride - column], free);
        return isWhole
          ? build.load(type, pointer, { align })
          : build.maskedLoad(type, pointer, mask, { align, passThrough: ops.zero(type) });
      };
      columns = transposeSquare(
        build,
        Array.from({ length: type.lanes }, (_, at) => (at < active ? row(at) : ops.zero(type))),
      );
      square.columns.set(key, columns);
    }
    return columns[column];
  }

  /** Which elements from the one numbered `start` on belong to the first `active` lanes: to their rows, or up to the last one's own. */
  #existing(active: Scalar, stride: number, rows: boolean, lanes: number, start: number): LlvmValue {
    const { ops, math } = this.#expressions;
    const { builder: build, module } = ops;
    const offset = (rows ? 0 : 1 - stride) - start;
    if (typeof active === 'number')
      return module.vectorOf(Array.from({ length: lanes }, (_, lane) => module.bool(lane < active * stride + offset)));
    const count = build.trunc(math.value(math.add(math.mul(active, stride), offset)), module.types.i32);
    return build.icmp('slt', ops.steps(module.types.i32, lanes, 1), build.splat(lanes, count));
  }

  #spread(element: LlvmType, pointer: LlvmValue, stride: number, lanes: number): LlvmValue {
    const { ops } = this.#expressions;
    const offsets = ops.steps(ops.module.types.i64, lanes, stride);
    return ops.builder.gep(element, pointer, [offsets], free);
  }

  #all(lanes: number): LlvmValue {
    const { module } = this.#expressions.ops;
    return module.allOnes(module.types.vector(module.types.i1, lanes));
  }
}
