// What is being built, as words that the addon plays at once: a call into the addon costs more than the instruction that it makes. In:
// operations and their operands. Out: numbers of the values that they make. Holds: an operation that makes a value counts here as it counts
// when it is played; whoever asks for an object of the addon gets it after everything before was played.

import type { Addon, RawModule, RawTape, RawType, RawValue } from './addon.js';
import { guarded } from './fault.js';

/** By name, with what stands behind them in `../native`. */
export type Operation =
  | 'integer'
  | 'real'
  | 'zero'
  | 'ones'
  | 'poison'
  | 'vector'
  | 'array'
  | 'struct'
  | 'block'
  | 'at'
  | 'name'
  | 'argument'
  | 'phi'
  | 'incoming'
  | Binary
  | 'fneg'
  | 'compare'
  | 'select'
  | Cast
  | 'splat'
  | 'insertElement'
  | 'extractElement'
  | 'shuffle'
  | 'extractValue'
  | 'call'
  | 'intrinsic'
  | 'assembly'
  | 'branch'
  | 'conditionalBranch'
  | 'switch'
  | 'return'
  | 'returnVoid'
  | 'unreachable'
  | 'loopHints'
  | 'branchWeights'
  | 'load'
  | 'store'
  | 'maskedLoad'
  | 'maskedStore'
  | 'gather'
  | 'scatter'
  | 'slot'
  | 'gep'
  | 'structGep';

export type Binary =
  'add' | 'sub' | 'mul' | 'sdiv' | 'udiv' | 'urem' | 'and' | 'or' | 'xor' | 'shl' | 'lshr' | 'ashr' | 'fadd' | 'fsub' | 'fmul' | 'fdiv';

export type Cast =
  | 'SExt'
  | 'ZExt'
  | 'Trunc'
  | 'FPExt'
  | 'FPTrunc'
  | 'SIToFP'
  | 'UIToFP'
  | 'FPToSI'
  | 'FPToUI'
  | 'BitCast'
  | 'PtrToInt'
  | 'IntToPtr'
  | 'AddrSpaceCast';

/** Names by number, the same for every tape; the addon says them. */
let known: Readonly<Record<Operation, number>> | undefined;

const codesOf = (addon: Addon): Readonly<Record<Operation, number>> =>
  (known ??= Object.fromEntries(addon.tfc.tapeOperations().map((name, at) => [name, at])) as Record<Operation, number>);

export class Tape {
  readonly #addon: Addon;
  readonly #raw: RawTape;
  readonly #codes: Readonly<Record<Operation, number>>;
  #words = new Int32Array(1 << 14);
  #count = 0;
  #strings: string[] = [];
  #made = 0;
  #blocks = 0;
  /** Where the next instruction goes. */
  #block = -1;

  constructor(addon: Addon, module: RawModule) {
    this.#addon = addon;
    this.#raw = addon.tfc.createTape(module);
    this.#codes = codesOf(addon);
  }

  /** An operation that makes a value: its number. Where the operation reads a list, its length stands before it. */
  make(operation: Operation, flags: number, operands: readonly number[]): number {
    this.note(operation, flags, operands);
    return this.#made++;
  }

  /** One that makes none. */
  note(operation: Operation, flags: number, operands: readonly number[]): void {
    if (this.#count + operands.length >= this.#words.length) this.#grow(operands.length);
    this.#words[this.#count++] = this.#codes[operation] | (flags << 8);
    for (let at = 0; at < operands.length; at++) this.#words[this.#count++] = operands[at] as number;
  }

  /** A string as an operand. */
  text(text: string): number {
    return this.#strings.push(text) - 1;
  }

  newBlock(fn: number, name: string): number {
    this.note('block', 0, [fn, this.text(name)]);
    return this.#blocks++;
  }

  /** Instructions from here on stand at the end of `block`. */
  place(block: number): void {
    if (block === this.#block) return;
    this.#block = block;
    this.note('at', 0, [block]);
  }

  #grow(words: number): void {
    const larger = new Int32Array(2 * this.#words.length + words);
    larger.set(this.#words);
    this.#words = larger;
  }

  /** Plays what has not been played. */
  play(): void {
    if (this.#count === 0) return;
    const [count, strings] = [this.#count, this.#strings];
    this.#count = 0;
    this.#strings = [];
    guarded('tape', () => this.#addon.tfc.playTape(this.#raw, this.#words, count, strings));
  }

  /** The addon's object behind a number. */
  object(value: number): RawValue {
    this.play();
    return this.#addon.tfc.tapeObject(this.#raw, value);
  }

  /** Numbers for what was not made by the tape: values count from minus one down. */
  given(value: RawValue): number {
    return -1 - this.#addon.tfc.tapeValue(this.#raw, value);
  }

  type(type: RawType): number {
    return this.#addon.tfc.tapeType(this.#raw, type);
  }

  /** The function behind an intrinsic of this signature, and the positions of arguments that must be constants. Errors: InternalError. */
  intrinsic(name: string, signature: RawType): { readonly callee: number; readonly constants: readonly number[] } {
    const { callee, constants } = guarded(name, () => this.#addon.tfc.tapeIntrinsic(this.#raw, name, signature));
    return { callee: -1 - callee, constants };
  }
}
