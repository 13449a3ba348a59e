// Modules of their own for large functions, which other threads compile while the next ones are emitted. In: functions, with their size.
// Out: modules, handed over. Holds: which functions share a module follows from their order and sizes alone.

import { partStatements } from '../../../src/target/index.js';
import { type Emission, ModuleBuilder, setTarget, type TargetOptions } from '../builder/index.js';

export class CodegenUnits {
  readonly #emission: Emission;
  readonly #options: TargetOptions;
  #open: ModuleBuilder | undefined;
  #statements = 0;

  /** `options`: of every part; nothing is inlined from one into another. */
  constructor(emission: Emission, options: TargetOptions) {
    this.#emission = emission;
    this.#options = options;
  }

  /** `emit` makes a function in the module that it is given: it stays there. */
  place(statements: number, emit: (module: ModuleBuilder) => void): void {
    if (this.#open === undefined) {
      this.#open = new ModuleBuilder('part');
      setTarget(this.#open, this.#options);
    }
    emit(this.#open);
    this.#statements += statements;
    if (this.#statements >= partStatements) this.finish();
  }

  /** Hands over what is left. */
  finish(): void {
    if (this.#open !== undefined) this.#emission.add(this.#open, this.#options);
    this.#open = undefined;
    this.#statements = 0;
  }

  [Symbol.dispose](): void {
    this.#open?.dispose();
  }
}
