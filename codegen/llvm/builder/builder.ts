// The instruction builder: control flow and calls on top of arithmetic, intrinsics, memory and vectors.
// In: blocks, functions, values. Out: values and terminators. Holds: a block gets exactly one terminator, a call exactly its
// parameters, a return exactly the function's result.

import { VectorBuilder } from './builder-vector.js';
import { fault } from './fault.js';
import { FunctionHandle } from './function.js';
import { ref } from './raw.js';
import type { Operation } from './tape.js';
import type { LlvmType } from './types.js';
import { BasicBlock, Phi, Terminator } from './values.js';
import type { LlvmValue } from './values.js';

/** Builds instructions at the end of a block; made by `ModuleBuilder.builder`. */
export class Builder extends VectorBuilder {
  /** A phi at the head of the current block, whatever the block holds already; give it its values with `Phi.add`. */
  phi(type: LlvmType, name?: string): Phi {
    this.module.alive();
    this.checkType(type, 'phi');
    const phi = new Phi(this.fn, type, this.module.tape.make('phi', 0, [this.block[ref], type[ref]]));
    return name === undefined ? phi : phi.named(name);
  }

  br(to: BasicBlock): Terminator {
    this.open('br');
    this.#target(to, 'br');
    return this.#end('branch', [to[ref]]);
  }

  condBr(condition: LlvmValue, yes: BasicBlock, no: BasicBlock): Terminator {
    this.open('condBr');
    this.check(condition, 'condBr', 'condition');
    if (condition.type !== this.types.i1) fault(`condBr: the condition is ${condition.type}, not i1`);
    this.#target(yes, 'condBr');
    this.#target(no, 'condBr');
    return this.#end('conditionalBranch', [condition[ref], yes[ref], no[ref]]);
  }

  /** Goes to the block whose number equals `value`, else to `otherwise`. */
  switch(value: LlvmValue, otherwise: BasicBlock, cases: readonly (readonly [value: number | bigint, to: BasicBlock])[]): Terminator {
    this.open('switch');
    this.check(value, 'switch', 'value');
    const { type } = value;
    if (type.shape.kind !== 'int') fault(`switch: ${type} is no integer`);
    this.#target(otherwise, 'switch');
    const seen = new Set<bigint>();
    for (const [n, to] of cases) {
      this.#target(to, 'switch');
      const key = BigInt.asUintN(type.scalarBits, BigInt(n));
      if (seen.has(key)) fault(`switch: the case ${n} comes twice`);
      seen.add(key);
    }
    return this.#end('switch', [
      value[ref],
      otherwise[ref],
      cases.length,
      ...cases.flatMap(([n, to]) => [this.module.int(type, n)[ref], to[ref]]),
    ]);
  }

  ret(value: LlvmValue): Terminator {
    this.open('ret');
    this.check(value, 'ret', 'value');
    if (value.type !== this.fn.result) fault(`ret: ${this.fn.name} returns ${this.fn.result}, not ${value.type}`);
    return this.#end('return', [value[ref]]);
  }

  retVoid(): Terminator {
    this.open('retVoid');
    if (this.fn.result !== this.types.void) fault(`retVoid: ${this.fn.name} returns ${this.fn.result}`);
    return this.#end('returnVoid', []);
  }

  /** Calls a function of this module. A call of a `void` function returns a handle that nothing may use. */
  call(fn: FunctionHandle, args: readonly LlvmValue[]): LlvmValue {
    if (!(fn instanceof FunctionHandle)) fault('call: expected a function; use callIndirect for a pointer');
    return this.#call(fn.signature, fn, args, fn.name, fn.convention);
  }

  /** Calls what `callee` points to, as a function of type `signature`. */
  callIndirect(signature: LlvmType, callee: LlvmValue, args: readonly LlvmValue[]): LlvmValue {
    return this.#call(signature, callee, args, 'callIndirect', 'c');
  }

  /**
   * Inline assembly that does more than compute its result: `text` with `$0`, … for what `constraints` name, as LLVM writes both. Errors,
   * when it is played: constraints that the operands do not fit.
   */
  assembly(text: string, constraints: string, result: LlvmType, args: readonly LlvmValue[]): LlvmValue {
    this.open('assembly');
    for (const [i, a] of args.entries()) this.check(a, 'assembly', `argument ${i}`);
    const signature = this.types.function(
      result,
      args.map(({ type }) => type),
    );
    const [code, operands] = [this.module.tape.text(text), this.module.tape.text(constraints)];
    return this.made(result, 'assembly', 0, [signature[ref], code, operands, args.length, ...args.map((arg) => arg[ref])]);
  }

  #call(
    signature: LlvmType,
    callee: LlvmValue,
    args: readonly LlvmValue[],
    what: string,
    convention: FunctionHandle['convention'],
  ): LlvmValue {
    this.open(what);
    this.check(callee, what, 'callee');
    if (callee.type.shape.kind !== 'ptr') fault(`${what}: ${callee.type} cannot be called`);
    this.types.own(signature);
    const { shape } = signature;
    if (shape.kind !== 'function') return fault(`${what}: ${signature} is no function type`);
    const { params } = shape;
    if (args.length < params.length || (args.length > params.length && !shape.varArg))
      fault(`${what}: ${args.length} arguments for ${params.length} parameters`);
    for (const [i, a] of args.entries()) {
      this.check(a, what, `argument ${i}`);
      const wanted = params[i];
      if (wanted !== undefined && a.type !== wanted) fault(`${what}: argument ${i} is ${a.type}, not ${wanted}`);
    }
    const id = convention === 'c' ? 0 : this.module.addon.tfc.conventionId(convention);
    return this.made(shape.result, 'call', id, [signature[ref], callee[ref], args.length, ...args.map((arg) => arg[ref])]);
  }

  #target(block: BasicBlock, what: string): void {
    if (!(block instanceof BasicBlock)) fault(`${what}: expected a block`);
    if (block.fn !== this.fn) fault(`${what}: the block ${block.name} belongs to another function`);
  }

  #end(operation: Operation, operands: readonly number[]): Terminator {
    const made = this.append(operation, 0, operands);
    this.block.terminated = true;
    return new Terminator(this.module, made);
  }
}
