// Multiples of a loop's variable, kept from round to round (see the note at the end). In: a loop, factors. Out: values that stand wherever
// its body does. Holds: each is the variable times its factor in every round; an addition takes the place of a multiplication.

import { keptMultiples } from '../../../src/target/index.js';
import type { BasicBlock, Builder, LlvmType, LlvmValue, Phi } from '../builder/index.js';
import type { Scalar } from './scope.js';
import type { ScalarMath } from './sizes.js';

/** A loop from `start` on in steps of `step`, whose body begins with `head`, which is entered from `before`. */
interface Counted {
  readonly start: number;
  readonly step: number;
  readonly head: BasicBlock;
  readonly before: BasicBlock;
}

export class Multiples {
  readonly #kept = new Map<Scalar, Phi>();

  readonly #build: Builder;
  readonly #math: ScalarMath;
  readonly #i64: LlvmType;
  readonly #loop: Counted;

  constructor(build: Builder, math: ScalarMath, i64: LlvmType, loop: Counted) {
    this.#build = build;
    this.#math = math;
    this.#i64 = i64;
    this.#loop = loop;
  }

  /** The variable times `factor`, which is the same in every round; undefined where a product costs as little, or too many are kept. */
  of(factor: Scalar): LlvmValue | undefined {
    if (typeof factor === 'number' && Number.isInteger(Math.log2(Math.abs(factor)))) return undefined;
    let multiple = this.#kept.get(factor);
    if (multiple === undefined && this.#kept.size < keptMultiples) {
      const { start, head, before } = this.#loop;
      const here = this.#build.block;
      this.#build.at(head);
      multiple = this.#build.phi(this.#i64).add(this.#math.value(this.#math.mul(start, factor)), before);
      this.#build.at(here);
      this.#kept.set(factor, multiple);
    }
    return multiple;
  }

  /** The builder stands where a round ends: those of the next one. */
  close(): void {
    for (const [factor, multiple] of this.#kept)
      multiple.add(this.#build.add(multiple, this.#math.value(this.#math.mul(this.#loop.step, factor)), { nsw: true }), this.#build.block);
  }
}

/* Note: why not a multiplication.
   A step of a tile of f32[B, 784] @ f32[784, 300] with AVX2, before and after (shortened):

     imulq   $1200, %rcx, %rdi                           vmovups  (%rdx,%rdi,4), %ymm12
     vmovups (%rdx,%rdi), %ymm12                         …
     …                                                   addq     $300, %rdi

   Many processors start an integer product on one of the two ports that start multiply-adds, which a tile fills: with twelve of them and
   two products a step takes seven cycles instead of six. LLVM's strength reduction would find the same, in two fifths of the code
   generator's time. Powers of two are shifts, or part of an address. Only innermost loops keep multiples: around others they would take
   registers from what is inside. Shown by "multiplies no integers" in test/codegen/product-loops.test.ts. */
