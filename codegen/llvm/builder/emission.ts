// Emission in parts. In: modules, as they are finished. Out: one object for each, in the same order, to be linked together. Holds: other
// threads compile the first ones while the next are built; what an object contains follows from its module alone, so the bytes are the same
// whatever the number of threads.

import { type Addon, loadAddon, type RawEmission } from './addon.js';
import { guarded } from './fault.js';
import type { ModuleBuilder } from './module.js';
import { addonTarget, passesOf, type TargetOptions } from './target.js';

export interface Emitted {
  readonly objects: readonly Buffer[];
  /** Milliseconds of all threads together. */
  readonly optimizeMs: number;
  readonly codegenMs: number;
}

export class Emission {
  readonly #addon: Addon = loadAddon();
  readonly #raw: RawEmission = this.#addon.tfc.startEmission();

  /** Verifies, optimizes and compiles the module, which is disposed of, some time before `finish` is done. */
  add(module: ModuleBuilder, options: TargetOptions): void {
    const target = addonTarget(this.#addon, options);
    module.handOver((context, raw) =>
      guarded('emit', () => this.#addon.tfc.addPart(this.#raw, context, raw, target, passesOf(options), options.autovectorize ?? true)),
    );
  }

  /** Waits for what has begun; nothing new begins. */
  [Symbol.dispose](): void {
    this.#addon.tfc.abandonEmission(this.#raw);
  }

  /** Waits for all parts. Errors: InternalError with LLVM's text when a module is broken or a target unknown. */
  finish(): Emitted {
    return guarded('emit', () => this.#addon.tfc.finishEmission(this.#raw));
  }
}
