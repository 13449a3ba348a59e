// The ground of the instruction builder: where the next instruction goes, and the checks all instructions share.
// In: blocks and operands. Out: handles. Holds: nothing is ever appended behind a terminator or without a block.

import { fault } from './fault.js';
import type { FunctionHandle } from './function.js';
import type { ModuleBuilder } from './module.js';
import { ref } from './raw.js';
import type { Operation, Tape } from './tape.js';
import type { LlvmType, Types } from './types.js';
import { BasicBlock, LlvmValue } from './values.js';

export class BuilderBase {
  readonly module: ModuleBuilder;
  readonly types: Types;
  readonly #tape: Tape;
  #block: BasicBlock | undefined;

  constructor(module: ModuleBuilder) {
    this.module = module;
    this.types = module.types;
    this.#tape = module.tape;
  }

  /** Moves to the end of `block`. Returns the builder. */
  at(block: BasicBlock): this {
    this.module.alive();
    if (!(block instanceof BasicBlock)) fault('at: expected a block');
    if (block.fn.module !== this.module) fault(`at: the block ${block.name} belongs to another module`);
    this.#block = block;
    return this;
  }

  /** The block that the next instruction goes to. */
  get block(): BasicBlock {
    return this.#block ?? fault('the builder stands in no block yet');
  }

  /** The function under construction. */
  get fn(): FunctionHandle {
    return this.block.fn;
  }

  /** A new block of the current function; the builder stays where it is. */
  newBlock(name: string): BasicBlock {
    return this.fn.block(name);
  }

  /** Refuses to append where nothing may follow. Every instruction calls it. */
  protected open(what: string): void {
    this.module.alive();
    if (this.block.terminated) fault(`${what}: the block ${this.block.name} has its terminator already`);
  }

  protected check(value: LlvmValue, what: string, role: string): void {
    this.module.operand(value, what, role);
  }

  protected checkType(type: LlvmType, what: string): void {
    if (type === undefined || type === null) fault(`${what}: the type is missing`);
    this.types.own(type);
    if (!type.isFirstClass) fault(`${what}: there are no values of ${type}`);
  }

  /** Two operands of one type. */
  protected pair(left: LlvmValue, right: LlvmValue, what: string): void {
    this.open(what);
    this.check(left, what, 'left operand');
    this.check(right, what, 'right operand');
    if (left.type !== right.type) fault(`${what}: ${left.type} and ${right.type} differ`);
  }

  /** Appends an instruction with a result of `type`. */
  protected made(type: LlvmType, operation: Operation, flags: number, operands: readonly number[]): LlvmValue {
    return new LlvmValue(this.module, type, this.append(operation, flags, operands));
  }

  /** Appends an instruction: its number. */
  protected append(operation: Operation, flags: number, operands: readonly number[]): number {
    this.#tape.place(this.block[ref]);
    return this.#tape.make(operation, flags, operands);
  }

  /** An index: a value of integer type, or a number that becomes an i64 constant. */
  protected index(value: LlvmValue | number, what: string): LlvmValue {
    if (typeof value === 'number') return this.module.i64(value);
    this.check(value, what, 'index');
    if (!value.type.isInt) fault(`${what}: an index is an integer, not ${value.type}`);
    return value;
  }
}
