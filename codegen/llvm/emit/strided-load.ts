// Elements that lie a few apart, as vectors. In: `stride` vectors with elements that follow one another. Out: for a remainder `column`, the
// elements whose number is that modulo `stride`, in order.
// Holds: only shuffles, which all columns of the same vectors share as far as they can; every lane that is asked for stands in one of the
// vectors. See the note at the end.

import type { Builder, LlvmValue } from '../builder/index.js';

/** Vectors that were made on the way to another column, by what they hold. */
export type Shuffles = Map<string, LlvmValue>;

type Vectors = (at: number) => LlvmValue;

export function pickColumn(
  build: Builder,
  vectors: Vectors,
  stride: number,
  column: number,
  lanes: number,
  made: Shuffles,
  name: string,
): LlvmValue {
  const kept = (key: string, make: () => LlvmValue): LlvmValue => {
    let value = made.get(key);
    if (value === undefined) made.set(key, (value = make()));
    return value;
  };
  if (stride === 1) return vectors(0);
  if (stride % 2 === 0) {
    const parity = column % 2;
    const half: Vectors = (at) =>
      kept(`${name}/${parity}.${at}`, () =>
        build.shuffle(
          vectors(2 * at),
          vectors(2 * at + 1),
          Array.from({ length: lanes }, (_, lane) => 2 * lane + parity),
        ),
      );
    return pickColumn(build, half, stride / 2, (column - parity) / 2, lanes, made, `${name}/${parity}`);
  }
  const ring = ringOf(stride, lanes);
  /** Vectors after the turns of `stages` stages. */
  const turned = (stages: number, at: number): LlvmValue => {
    if (stages === 0) return vectors(at);
    const by = 2 ** (stages - 1);
    const moved = ring.turns.map((turn) => (turn & by) !== 0);
    if (!moved.includes(true)) return turned(stages - 1, at);
    return kept(`${name}~${stages}.${at}`, () =>
      blend(build, turned(stages - 1, at), turned(stages - 1, (at + by) % stride), moved, stages < all),
    );
  };
  const all = Math.ceil(Math.log2(stride));
  const gathered = turned(all, (ring.inverse * column) % stride);
  return build.shuffle(
    gathered,
    gathered,
    Array.from({ length: lanes }, (_, row) => (row * stride + column) % lanes),
  );
}

/**
 * Lanes of `other` where they are marked, of `one` where not. `keptMask`: the lanes' mask is a value that stays in a register of masks, for
 * registers of 64 bytes, which have such, with at most 16 elements.
 */
function blend(build: Builder, one: LlvmValue, other: LlvmValue, marked: readonly boolean[], keptMask: boolean): LlvmValue {
  const { lanes, scalar } = one.type;
  if (!keptMask || lanes > 16 || lanes * scalar.scalarBits !== 512)
    return build.shuffle(
      one,
      other,
      marked.map((from, lane) => (from ? lanes + lane : lane)),
    );
  const { module, types } = build;
  const bits = lanes === 16 ? types.i16 : types.i8;
  const mask = marked.reduce((sum, from, lane) => sum + (from ? 2 ** lane : 0), 0);
  const name = `lanes.${lanes}.${mask}`;
  const known = module.find(name) ?? module.global({ name, type: bits, initializer: module.int(bits, mask), align: 2 });
  return build.select(build.bitcast(build.load(bits, known), types.vector(types.i1, lanes)), other, one);
}

/** For an odd stride: the inverse of `lanes` modulo it, and by how many vectors every lane is turned. */
function ringOf(stride: number, lanes: number): { readonly inverse: number; readonly turns: readonly number[] } {
  let inverse = 1;
  while ((inverse * lanes) % stride !== 1) inverse += 1;
  return { inverse, turns: Array.from({ length: lanes }, (_, lane) => (stride - ((inverse * lane) % stride)) % stride) };
}

/* Note: why so.
   Element number v·L + l stands in lane l of vector v, L lanes each. An even stride is halved: the even and the odd elements of two
   neighbours make two vectors, and each column needs one kind. An odd stride s has an inverse of L modulo s, so lane l has the element of
   column c in vector (c − l) / L modulo s: exactly one. As c·L⁻¹ does not depend on the lane and −l·L⁻¹ not on the column, all lanes are
   turned round the ring of vectors once, each by its own −l·L⁻¹, in ⌈log₂ s⌉ stages of s blends for all columns together. Then one vector
   has all elements of a column, each in a lane of its own because s is odd, and one permutation orders them. A column costs ⌈log₂ s⌉ blends
   and a permutation where choosing from two vectors at a time costs s − 1 permutations, of which processors with two vector units do one at
   a time, and a gather as many loads as there are lanes.
   A blend of 64 bytes takes its lanes from a register of masks. LLVM makes a mask that it knows anew wherever it is used, on the one unit
   that also permutes; so all but the last stage, which it joins with the permutation, read theirs from variables that nobody writes,
   outside of the loop. */
