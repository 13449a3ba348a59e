// The source of a kernel while it is written: lines, names, what is in scope, places of buffers, and what the lines call. In: a kernel,
// places of its buffers, sizes. Out: a function. Holds: every name is fresh; every index is checked against its axis; an expression is
// computed once for each statement.

import { bytesOf, type Dim, isWide } from '../../base/index.js';
import { type Accumulator, type Buffer, type Expr, type Kernel, printExpr, printStatements, type Stmt } from '../../kernel/index.js';
import { helpers } from './machine.js';
import { type Place, sizeOf, trouble } from './memory.js';
import { asNumber, big, integer, number, type Operand, small, wholeNumber } from './operand.js';
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

/** A scalar function, called by generated source. */
export type ScalarFunction = (...args: (number | bigint)[]) => number | bigint;

export type Local =
  | { readonly kind: 'value'; readonly operand: Operand }
  | { readonly kind: 'registers'; readonly code: string; readonly accumulator: Accumulator };

/** What a kernel gives its source, which others may have as well. */
interface Given {
  readonly functions: readonly ScalarFunction[];
  readonly complaints: readonly Complaint[];
  /** Of places, as the source numbers them. */
  readonly ids: readonly number[];
  readonly slots: readonly (number | undefined)[];
  readonly sizes: readonly number[];
}

type Generated = (...args: readonly unknown[]) => unknown;

/** Sources that were compiled last; small kernels take longer to compile than to run. */
const known = new Map<string, Generated>();
const mostKnown = 1000;

function compiled(text: string): Generated {
  let run = known.get(text);
  if (run === undefined) {
    // Generated source runs some hundred times faster than a walk over the tree.
    run = new Function('state', 'given', ...Object.keys(helpers), text) as Generated;
    if (known.size >= mostKnown) known.delete(known.keys().next().value as string);
    known.set(text, run);
  }
  return run;
}

/** Sources of the arrays that say who touched an element last. */
export interface Marks {
  readonly writers: string;
  readonly readers: string;
}

export class KernelSource {
  readonly #kernel: Kernel;
  readonly #places: Map<string, Place>;
  readonly #dims: ReadonlyMap<string, number>;
  /** Whether the source counts which bytes it touches. */
  readonly counting: boolean;
  readonly #lines: string[] = [];
  /** Lines ahead of all others, each once. */
  readonly #head = new Map<string, string>();
  readonly #functions: ScalarFunction[] = [];
  readonly #complaints: Complaint[] = [];
  /** Places as the source numbers them, from 0 on: kernels that do the same elsewhere have the same source. */
  readonly #numbers = new Map<number, number>();
  readonly #ids: number[] = [];
  readonly #slots: (number | undefined)[] = [];
  /** Sizes that are not written out: their names by their keys, and their values. */
  readonly #sizeNames = new Map<string, string>();
  readonly #sizes: number[] = [];
  #locals = new Map<string, Local>();
  #checked: readonly Checked[] = [];
  /** Operands of the current statement. */
  #memo = new Map<Expr, Operand>();
  #names = 0;

  constructor(kernel: Kernel, places: ReadonlyMap<string, Place>, dims: ReadonlyMap<string, number>, counting: boolean) {
    this.#kernel = kernel;
    this.#places = new Map(kernel.code.params.map(({ name }, at) => [name, places.get((kernel.buffers[at] as Buffer).name) as Place]));
    this.#dims = dims;
    this.counting = counting;
  }

  line(text: string): void {
    this.#lines.push(text);
  }

  /** A line ahead of all others, unless one with its name is there. */
  ahead(name: string, text: string): void {
    if (!this.#head.has(name)) this.#head.set(name, text);
  }

  fresh(stem: string): string {
    this.#names += 1;
    return `${stem}${this.#names}_`;
  }

  /** All lines between those. */
  text(before: readonly string[], behind: readonly string[]): string {
    return [...before, ...this.#head.values(), ...this.#lines, ...behind].join('\n');
  }

  /** The text as a function. */
  function<T>(text: string): (state: KernelState) => T {
    const run = compiled(text);
    const called = Object.values(helpers);
    const given: Given = {
      functions: this.#functions,
      complaints: this.#complaints,
      ids: this.#ids,
      slots: this.#slots,
      sizes: this.#sizes,
    };
    return (state) => run(state, given, ...called) as T;
  }

  /** What source calls when a rule is broken: texts are made only then. */
  complaint(complaint: Complaint): string {
    return `given.complaints[${this.#complaints.push(complaint) - 1}]`;
  }

  scalarFunction(one: ScalarFunction): string {
    return `given.functions[${this.#functions.push(one) - 1}]`;
  }

  /** The statement, for messages. */
  site(stmt: Stmt): string {
    const text = printStatements([stmt.kind === 'if' ? { kind: 'if', condition: stmt.condition, then: [] } : stmt]);
    return `kernel ${this.#kernel.name}: ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`;
  }

  trouble(message: string, stmt: Stmt): Error {
    return trouble(`${message} in ${this.site(stmt)}`);
  }

  // ---- What is in scope ------------------------------------------------------------------------------------------------------------

  /** Checked loops around, from the outermost. */
  get checked(): readonly Checked[] {
    return this.#checked;
  }

  local(name: string): Local | undefined {
    return this.#locals.get(name);
  }

  define(name: string, local: Local): void {
    this.#locals.set(name, local);
  }

  /** What `fill` defines is in scope until it is done, and so is `name`, and `loop` is around. */
  scoped(fill: () => void, name?: readonly [string, Local], loop?: Checked): void {
    const [outer, before] = [this.#locals, this.#checked];
    this.#locals = new Map(outer);
    if (name !== undefined) this.#locals.set(...name);
    if (loop !== undefined) this.#checked = [...before, loop];
    fill();
    this.#locals = outer;
    this.#checked = before;
  }

  // ---- Operands of a statement -----------------------------------------------------------------------------------------------------

  /** Nothing is computed yet. */
  begin(): void {
    this.#memo = new Map();
  }

  computed(expr: Expr, operand: Operand): void {
    this.#memo.set(expr, operand);
  }

  of(expr: Expr): Operand {
    const operand = this.#memo.get(expr);
    if (operand === undefined) throw trouble('an expression before its parts');
    return operand;
  }

  /** Its value now, under a name. */
  keep(operand: Operand): Operand {
    const name = this.fresh('t');
    this.line(`const ${name} = ${operand.code};`);
    return { ...operand, code: name };
  }

  /** A size as source: a number only where it is the same in every run. */
  measured(dim: Dim): Operand {
    const value = sizeOf(dim, this.#dims);
    if (dim.constant !== undefined || Math.abs(value) > small) return wholeNumber(value);
    const name = this.#sizeNames.get(dim.key) ?? `size${this.#sizes.length}`;
    if (!this.#sizeNames.has(dim.key)) {
      this.#sizeNames.set(dim.key, name);
      this.ahead(name, `const ${name} = given.sizes[${this.#sizes.push(value) - 1}];`);
    }
    return integer(name, Math.abs(value));
  }

  /** The register that an index names, after checking the index. */
  register(accumulator: Accumulator, index: readonly Expr[], stmt: Stmt): string {
    const { code, shape } = this.registers(accumulator, stmt);
    if (index.length !== shape.length)
      throw this.trouble(`${accumulator.name} has ${shape.length} axes and gets ${index.length} indices`, stmt);
    if (shape.length === 0) return code;
    let position = '0';
    index.forEach((expr, axis) => {
      const at = asNumber(this.of(expr));
      const size = shape[axis] as number;
      const outside = this.complaint((state, found) =>
        state.outOfBounds(this.site(stmt), printExpr({ kind: 'read', accumulator, index }), axis, found, size),
      );
      this.line(`if (!(${at} >= 0 && ${at} < ${size})) ${outside}(state, ${at});`);
      position = axis === 0 ? at : `(${position}) * ${shape[axis]} + ${at}`;
    });
    return `${code}[${position}]`;
  }

  /** All of an accumulator. */
  registers({ name }: Accumulator, stmt: Stmt): { readonly code: string; readonly shape: readonly number[] } {
    const local = this.#locals.get(name);
    if (local?.kind !== 'registers') throw this.trouble(`the accumulator ${name} is not in scope`, stmt);
    return { code: local.code, shape: local.accumulator.shape };
  }

  /** What a register holds, copied, because the statement may change it before the value is used. */
  read(accumulator: Accumulator, index: readonly Expr[], stmt: Stmt): Operand {
    const register = this.register(accumulator, index, stmt);
    const { dtype } = accumulator;
    return this.keep(isWide(dtype) ? big(register, dtype) : number(register, dtype));
  }

  // ---- Memory ----------------------------------------------------------------------------------------------------------------------

  /** From here on the buffer lies there. */
  lies(buffer: Buffer, place: Place): void {
    this.#places.set(buffer.name, place);
  }

  place(buffer: Buffer): Place {
    const place = this.#places.get(buffer.name);
    if (place === undefined) throw trouble(`the program has no buffer ${buffer.name}`);
    return place;
  }

  #number({ id, slot }: Place): number {
    const number = this.#numbers.get(id) ?? this.#ids.length;
    if (number === this.#ids.length) {
      this.#numbers.set(id, number);
      this.#ids.push(id);
      this.#slots.push(slot);
    }
    return number;
  }

  /** Sources of the number of a place, and of its slot. */
  idOf(place: Place): { readonly id: string; readonly slot: string } {
    const number = this.#number(place);
    const [id, slot] = [`id${number}`, `slot${number}`];
    this.ahead(id, `const ${id} = given.ids[${number}], ${slot} = given.slots[${number}];`);
    return { id, slot };
  }

  memory(place: Place): { readonly data: string; readonly written: string } {
    const { id } = this.idOf(place);
    const [data, written] = [`d${this.#number(place)}`, `v${this.#number(place)}`];
    this.ahead(data, `const { data: ${data}, written: ${written} } = state.memories[${id}];`);
    return { data, written };
  }

  marks(level: Checked['level'], place: Place): Marks {
    const { id } = this.idOf(place);
    const name = `${level}${this.#number(place)}`;
    this.ahead(name, `const ${name}w = state.marks('${level} writers', ${id}), ${name}r = state.marks('${level} readers', ${id});`);
    return { writers: `${name}w`, readers: `${name}r` };
  }

  /** An element counts when this kernel touches it for the first time. */
  countBytes(how: 'Read' | 'Written', place: Place, at: string): void {
    if (!this.counting || place.buffer.role.kind === 'shared') return;
    const { id } = this.idOf(place);
    const seen = `seen${how}${this.#number(place)}`;
    this.ahead(seen, `const ${seen} = state.marks('touched ${how === 'Read' ? 'readers' : 'writers'}', ${id});`);
    this.line(`if (${seen}[${at}] !== state.kernel) { ${seen}[${at}] = state.kernel; bytes${how} += ${bytesOf(place.buffer.dtype)}; }`);
  }

  /** Checks the index of every axis, for `count` elements along the last one; the name of the first one's position. */
  offset(buffer: Buffer, index: readonly Expr[], stmt: Stmt, count = 1): string {
    const place = this.place(buffer);
    if (index.length !== place.shape.length)
      throw this.trouble(`${buffer.name} has ${place.shape.length} axes and gets ${index.length} indices`, stmt);
    const terms = index.map((expr, axis) => {
      const at = asNumber(this.of(expr));
      const size = place.shape[axis] as number;
      const stride = this.measured(buffer.strides[axis] as Dim);
      const outside = this.complaint((state, found) =>
        state.outOfBounds(this.site(stmt), printExpr({ kind: 'load', buffer, index }), axis, found, size),
      );
      const end = axis === index.length - 1 && count > 1 ? `${at} + ${count - 1}` : at;
      const bound = this.measured(place.buffer.shape[axis] as Dim);
      this.line(`if (!(${at} >= 0 && ${end} < ${asNumber(bound)})) ${outside}(state, ${end});`);
      return stride.code === '1' ? at : `${at} * ${asNumber(stride)}`;
    });
    const name = this.fresh('at');
    this.line(`const ${name} = ${terms.length === 0 ? '0' : terms.join(' + ')};`);
    return name;
  }
}
