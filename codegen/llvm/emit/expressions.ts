// Scalar expressions as LLVM values. In: an expression and the scope it stands in. Out: a value with one lane, or with those of the vector
// loop around.
// Holds: what does not depend on the lanes is computed once, as a scalar; shared sub-expressions of one statement are emitted once.

import { type Dim, InternalError, isFloat } from '../../../src/base/index.js';
import { type Expr, isMachineOp, type Linear, type LinearForms, someExpr, type Term, visitExpr } from '../../../src/kernel/index.js';
import type { LlvmValue } from '../builder/index.js';
import type { MachineOps, Value } from './machine.js';
import type { Memory } from './memory.js';
import type { AccumulatorFile } from './accumulators.js';
import { inner, type Lanes, type Scalar, type Scope } from './scope.js';
import type { ScalarMath, Sizes } from './sizes.js';

/**
 * A linear form seen from the lanes: base + constant is its value in lane 0 without the varying terms, `stride` its step from lane to lane,
 * and `varying` the terms that change with the lanes in another way.
 */
export interface Split {
  /** Names the terms of `base`; undefined when one of them reads memory. */
  readonly key: string | undefined;
  readonly base: Scalar;
  readonly constant: number;
  readonly stride: Scalar;
  readonly varying: readonly Term[];
}

/** Numbers for values, so that they can be named in keys. */
class Ids {
  readonly #numbers = new Map<Value, number>();

  of(value: Value): number {
    let number = this.#numbers.get(value);
    if (number === undefined) this.#numbers.set(value, (number = this.#numbers.size));
    return number;
  }
}

/** Values of the sub-expressions of one statement. */
export type Memo = Map<Expr, Value>;

export class Expressions {
  readonly ops: MachineOps;
  readonly forms: LinearForms;
  readonly sizes: Sizes;
  readonly math: ScalarMath;
  /** Appends to the function's entry block. */
  readonly #entry: MachineOps;
  /** What sizes decide, by name. */
  readonly #fixed = new Map<string, Value>();

  constructor(ops: MachineOps, entry: MachineOps, forms: LinearForms, sizes: Sizes, math: ScalarMath) {
    this.ops = ops;
    this.#entry = entry;
    this.forms = forms;
    this.sizes = sizes;
    this.math = math;
  }

  readonly #ids = new Ids();
  /** Set once by a kernel, because loads and registers need expressions for their indices. */
  #parts: { readonly memory: Memory; readonly accumulators: Pick<AccumulatorFile, 'read'> } | undefined;

  connect(memory: Memory, accumulators: Pick<AccumulatorFile, 'read'>): void {
    this.#parts = { memory, accumulators };
  }

  get #connected(): { readonly memory: Memory; readonly accumulators: Pick<AccumulatorFile, 'read'> } {
    if (this.#parts === undefined) throw new InternalError('codegen', 'a load where there is no kernel');
    return this.#parts;
  }

  emit(expr: Expr, scope: Scope, memo: Memo = new Map()): Value {
    let value = memo.get(expr);
    if (value === undefined) {
      value = this.#make(expr, scope, memo);
      memo.set(expr, value);
    }
    return value;
  }

  /** The value in every lane of the vector loop around, if there is one. */
  emitWide(expr: Expr, scope: Scope, memo: Memo): Value {
    return this.ops.widen(this.emit(expr, scope, memo), scope.lanes?.lanes ?? 1);
  }

  #make(expr: Expr, scope: Scope, memo: Memo): Value {
    const { ops } = this;
    switch (expr.kind) {
      case 'const':
        return ops.constant(expr.dtype, expr.value);
      case 'size':
        return { value: this.math.value(this.sizes.of(expr.dim)), lanes: 1, dtype: 'i64' };
      case 'index': {
        const { lanes } = scope;
        if (lanes?.index === expr.name) return this.#laneIndex(lanes, 1, lanes.base);
        return { value: this.math.value(this.index(expr.name, scope)), lanes: 1, dtype: 'i64' };
      }
      case 'name':
        return this.#sharedName(expr.name, scope);
      case 'read':
        return this.#connected.accumulators.read(expr.accumulator, expr.index, scope);
      case 'load':
        return this.#sharedSplat(expr, scope) ?? this.#connected.memory.load(expr, scope, memo);
      case 'apply': {
        if (expr.dtype === 'i64') {
          const known = this.known(expr, scope);
          if (known !== undefined) return ops.constant('i64', known);
          const { indices, names, loads } = this.forms.mentioned(expr);
          if (!loads && indices.length === 0 && names.length === 0) return this.#ofSizes(expr);
        }
        if (!isMachineOp(expr.fn)) throw new InternalError('codegen', `${expr.fn} is no machine op; expand the kernel first`);
        if (expr.fn === 'unlikely') return this.#unlikely(expr, scope, memo);
        const narrow = this.#narrowIndex(expr, scope);
        if (narrow !== undefined) return narrow;
        return ops.apply(
          expr.fn,
          expr.dtype,
          expr.args.map((arg) => this.emit(arg, scope, memo)),
        );
      }
    }
  }

  /** What only sizes decide is computed once, where the function begins. */
  #ofSizes(expr: Expr): Value {
    const key = this.forms.key(expr);
    let value = this.#fixed.get(key);
    if (value === undefined) {
      if (expr.kind === 'size') value = { value: this.math.value(this.sizes.of(expr.dim)), lanes: 1, dtype: 'i64' };
      else if (expr.kind === 'const') value = this.#entry.constant(expr.dtype, expr.value);
      else if (expr.kind === 'apply' && isMachineOp(expr.fn))
        value = this.#entry.apply(
          expr.fn,
          expr.dtype,
          expr.args.map((arg) => this.#ofSizes(arg)),
        );
      else throw new InternalError('codegen', `${expr.kind} is not decided by sizes`);
      this.#fixed.set(key, value);
    }
    return value;
  }

  /** Its costly argument stands behind a branch that is taken only when some lane asks for it. */
  #unlikely(expr: Expr & { readonly kind: 'apply' }, scope: Scope, memo: Memo): Value {
    const build = this.ops.builder;
    const [when, costly, usual] = expr.args as [Expr, Expr, Expr];
    const condition = this.emit(when, scope, memo);
    const given = this.emit(usual, scope, memo);
    const common = this.ops.widen(given, Math.max(given.lanes, condition.lanes));
    // What the branch reads is computed before it, so that nothing behind it can depend on the branch.
    const seen = new Set<Expr>();
    const prepare = (part: Expr): void => {
      if (seen.has(part) || memo.has(part)) return;
      seen.add(part);
      if (part.kind === 'apply' && part.dtype !== 'i64') part.args.forEach(prepare);
      else this.emit(part, scope, memo);
    };
    prepare(costly);
    const [branch, end] = [build.newBlock('rare'), build.newBlock('usual')];
    const before = build.block;
    build.condBr(condition.lanes === 1 ? condition.value : build.reduce('or', condition.value), branch, end);
    build.at(branch);
    const value = this.emit(costly, inner(scope), new Map(memo));
    const chosen = this.ops.apply('unlikely', expr.dtype, [condition, value, common]);
    if (chosen.lanes !== common.lanes) throw new InternalError('codegen', 'a rare value has lanes that its condition lacks');
    const after = build.block;
    build.br(end);
    build.at(end);
    const result = build.phi(chosen.value.type).add(common.value, before).add(chosen.value, after);
    return { value: result, lanes: chosen.lanes, dtype: expr.dtype };
  }

  /** A let; one that all lanes share is spread over them once for all chunks of a tile loop. */
  #sharedName(name: string, scope: Scope): Value {
    const { value } = this.#binding(name, scope);
    const { lanes } = scope;
    if (lanes?.splats === undefined || value.lanes > 1 || !isFloat(value.dtype) || !lanes.splats.lets.has(name)) return value;
    let wide = lanes.splats.values.get(`$${name}`);
    if (wide === undefined) lanes.splats.values.set(`$${name}`, (wide = this.ops.widen(value, lanes.lanes)));
    return wide;
  }

  /** A number that all lanes read: chunks of a tile loop without stores take it from the first chunk. */
  #sharedSplat(expr: Expr & { readonly kind: 'load' }, scope: Scope): Value | undefined {
    const { lanes } = scope;
    if (lanes?.splats === undefined || !isFloat(expr.buffer.dtype)) return undefined;
    const { indices, names } = this.forms.mentioned(expr);
    const { lets, values } = lanes.splats;
    if (indices.includes(lanes.index) || !names.every((name) => lets.has(name))) return undefined;
    const at = indices.map((name) => scope.indices.get(name)?.value).map((value) => (typeof value === 'number' ? value : ''));
    const key = `${this.forms.key(expr)}@${at.join()}`;
    let value = values.get(key);
    if (value === undefined) {
      value = this.ops.widen(this.#connected.memory.load(expr, scope, new Map()), lanes.lanes);
      values.set(key, value);
    }
    return value;
  }

  /** Lanes of base + stride·lane, as i64. */
  #laneIndex(lanes: Lanes, stride: number, base: Scalar): Value {
    const { ops } = this;
    const start = ops.widen({ value: this.math.value(base), lanes: 1, dtype: 'i64' }, lanes.lanes);
    const steps = ops.steps(ops.module.types.i64, lanes.lanes, stride);
    return { value: ops.builder.add(start.value, steps), lanes: lanes.lanes, dtype: 'i64' };
  }

  /** convert(i64 → i32) of an index that is linear in the lanes: computed in 32-bit lanes at once. */
  #narrowIndex(expr: Expr & { readonly kind: 'apply' }, scope: Scope): Value | undefined {
    const { ops } = this;
    const [arg] = expr.args;
    const { lanes } = scope;
    if (expr.fn !== 'convert' || expr.dtype !== 'i32' || lanes === undefined || arg === undefined) return undefined;
    if (arg.kind !== 'index' && !(arg.kind === 'apply' && arg.dtype === 'i64')) return undefined;
    const split = this.split(this.forms.of(arg), scope);
    if (typeof split.stride !== 'number' || split.stride === 0 || split.varying.length > 0) return undefined;
    const base = ops.builder.trunc(this.math.value(this.math.add(split.base, split.constant)), ops.module.types.i32);
    const wide = ops.widen({ value: base, lanes: 1, dtype: 'i32' }, lanes.lanes);
    const steps = ops.steps(ops.module.types.i32, lanes.lanes, split.stride);
    return { value: ops.builder.add(wide.value, steps), lanes: lanes.lanes, dtype: 'i32' };
  }

  /** The value of an index expression that all lanes share. */
  scalar(expr: Expr, scope: Scope): Scalar {
    const known = this.known(expr, scope);
    if (known !== undefined) return known;
    const split = this.split(this.forms.of(expr), scope);
    if (split.varying.length > 0 || split.stride !== 0)
      throw new InternalError('codegen', 'a size or condition depends on the lanes of a vector loop');
    return this.math.add(split.base, split.constant);
  }

  split(form: Linear, scope: Scope, memo: Memo = new Map()): Split {
    const { math } = this;
    const { lanes } = scope;
    let constant = 0;
    let stride: Scalar = 0;
    const varying: Term[] = [];
    const parts: { readonly depth: number; readonly value: () => Scalar }[] = [];
    let key: string | undefined = '';
    const add = (name: string | undefined, coefficient: Dim, depth: number, value: () => Scalar): void => {
      parts.push({ depth, value });
      key = key === undefined || name === undefined ? undefined : `${key}+${coefficient.key}*${name}`;
    };
    const fixed = this.sizes.of(form.constant);
    if (typeof fixed === 'number') constant += fixed;
    else add('', form.constant, 0, () => fixed);
    for (const term of form.terms) {
      const { atom, coefficient } = term;
      if (lanes !== undefined && atom.kind === 'index' && atom.name === lanes.index) {
        const step = this.sizes.of(coefficient);
        stride = step;
        if (typeof lanes.base === 'number' && typeof step === 'number') constant += lanes.base * step;
        else if (lanes.base !== 0)
          add(typeof lanes.base === 'number' ? `${lanes.base}` : `#${atom.name}`, coefficient, lanes.depth, () =>
            math.mul(lanes.base, step),
          );
      } else if (lanes !== undefined && this.varies(atom, scope)) varying.push(term);
      else {
        const known = this.known(atom, scope);
        const factor = this.sizes.of(coefficient);
        if (known !== undefined && typeof factor === 'number') constant += known * factor;
        else if (known !== undefined) add(`${known}`, coefficient, 0, () => math.mul(known, factor));
        else add(this.#nameOf(atom, scope), coefficient, this.#depth(atom, scope), () => this.#times(atom, factor, scope, memo));
      }
    }
    let base = key === undefined ? undefined : scope.sums.get(key);
    if (base === undefined) {
      parts.sort((a, b) => a.depth - b.depth);
      base = parts.reduce<Scalar>((total, part) => math.add(total, part.value()), 0);
      if (key !== undefined) scope.sums.set(key, base);
    }
    return { key, base, constant, stride, varying };
  }

  /** A product, which an innermost loop may keep from round to round. */
  #times(atom: Expr, factor: Scalar, scope: Scope, memo: Memo): Scalar {
    const multiples = atom.kind === 'index' ? scope.indices.get(atom.name)?.multiples : undefined;
    return multiples?.of(factor) ?? this.math.mul(this.emit(atom, scope, memo).value, factor);
  }

  /** A name for the value of an atom that is the same wherever it is at hand; undefined when it reads memory. */
  #nameOf(atom: Expr, scope: Scope): string | undefined {
    if (atom.kind === 'index') return `#${atom.name}`;
    const { indices, names, loads } = this.forms.mentioned(atom);
    if (loads || names.some((name) => name.startsWith('%'))) return undefined;
    const bindings = names.map((name) => this.#ids.of(this.#binding(name, scope).value));
    const unrolled = indices.map((name) => this.index(name, scope)).map((value) => (typeof value === 'number' ? value : ''));
    return `${this.forms.key(atom)}@${bindings.join()}@${unrolled.join()}`;
  }

  /** Terms that vary with the lanes in a way of their own, summed up in i64 lanes. */
  sumVarying(terms: readonly Term[], scope: Scope, memo: Memo): LlvmValue | undefined {
    const { ops } = this;
    let sum: LlvmValue | undefined;
    for (const term of terms) {
      const atom = this.emitWide(term.atom, scope, memo);
      const coefficient = this.sizes.of(term.coefficient);
      const scaled =
        coefficient === 1
          ? atom.value
          : ops.builder.mul(atom.value, ops.widen({ value: this.math.value(coefficient), lanes: 1, dtype: 'i64' }, atom.lanes).value);
      sum = sum === undefined ? scaled : ops.builder.add(sum, scaled);
    }
    return sum;
  }

  /** An integer expression's value when unrolling has made it known. */
  known(expr: Expr, scope: Scope): number | undefined {
    switch (expr.kind) {
      case 'const':
        return expr.dtype === 'i64' ? Number(expr.value) : undefined;
      case 'size':
        return expr.dim.constant;
      case 'index': {
        if (scope.lanes?.index === expr.name) return undefined;
        const value = scope.indices.get(expr.name)?.value;
        return typeof value === 'number' ? value : undefined;
      }
      case 'apply': {
        if (expr.dtype !== 'i64') return undefined;
        const args: number[] = [];
        for (const arg of expr.args) {
          const value = this.known(arg, scope);
          if (value === undefined) return undefined;
          args.push(value);
        }
        const result = fold(expr.fn, args[0] ?? 0, args[1] ?? 0);
        return result !== undefined && Number.isSafeInteger(result) ? result : undefined;
      }
      case 'load':
      case 'name':
      case 'read':
        return undefined;
    }
  }

  /** Whether the value may differ between the lanes of the vector loop around. */
  varies(expr: Expr, scope: Scope): boolean {
    const { lanes } = scope;
    if (lanes === undefined) return false;
    return someExpr(expr, (part) => {
      if (part.kind === 'index') return part.name === lanes.index;
      if (part.kind === 'name') return this.#binding(part.name, scope).value.lanes > 1;
      if (part.kind !== 'read') return false;
      const registers = scope.registers.get(part.accumulator.name);
      return registers !== undefined && !registers.across && registers.lanes > 1;
    });
  }

  index(name: string, scope: Scope): Scalar {
    const binding = scope.indices.get(name);
    if (binding === undefined) throw new InternalError('codegen', `the loop variable ${name} is not in scope`);
    return binding.value;
  }

  #binding(name: string, scope: Scope): { readonly value: Value; readonly depth: number } {
    const found = scope.lets.get(name);
    if (found === undefined) throw new InternalError('codegen', `the name ${name} is not in scope`);
    return found;
  }

  /** Depth of the innermost loop that the value depends on. */
  #depth(expr: Expr, scope: Scope): number {
    let depth = 0;
    visitExpr(expr, (part) => {
      if (part.kind === 'index') depth = Math.max(depth, scope.indices.get(part.name)?.depth ?? 0);
      else if (part.kind === 'name') depth = Math.max(depth, this.#binding(part.name, scope).depth);
      else if (part.kind === 'load' || part.kind === 'read') depth = scope.depth;
    });
    return depth;
  }
}

/** i64 arithmetic on exact integers, as the machine ops define it. */
function fold(fn: string, a: number, b: number): number | undefined {
  switch (fn) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'neg':
      return -a;
    case 'div':
      return b === 0 ? 0 : Math.trunc(a / b);
    case 'rem':
      return b === 0 ? a : a % b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    default:
      return undefined;
  }
}
