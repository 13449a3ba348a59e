// Results of a bound entry. In: sizes. Out: arrays bound to the native step, and what they hold after it ran. Holds: an output never lies
// in memory that is fed. Results are new arrays every time or, where they are reused, those of an earlier run: the one before, unless it is
// fed just now.
import type { EntrySpec, TensorSpec } from './abi/manifest.js';
import { type TypedArray, allocate, bufferOf, elementValue, elements, noRoom } from './element.js';
import { TfcError } from './error.js';
import type { Handle, Native } from './native.js';
import { type Result, resultBuilder } from './result.js';
import { type Sizes, evaluate, sizeToString } from './size.js';
import { Tensor } from './tensor.js';
import { placed } from './zeros.js';

/** Bytes of results from which it is asked whether they are there: Linux gives more memory than it has, and ends who uses it. */
const askedFor = 2 ** 28;

/** Bytes from which results fill huge pages. */
const largeResult = 2 ** 21;

interface OutputSlot {
  readonly spec: TensorSpec;
  readonly at: number;
  readonly cell: TypedArray | undefined;
  data: TypedArray;
  shape: readonly number[];
  length: number;
  /** Reused arrays of this length. */
  kept: TypedArray[];
}

export class OutputSlots {
  /** The last result. */
  readonly build: () => Result;
  readonly #entry: EntrySpec;
  readonly #native: Native;
  readonly #step: Handle<'step'>;
  readonly #reuse: boolean;
  readonly #tensors: readonly OutputSlot[];
  /** Of all tensors together. */
  #bytes = 0;
  /** Whether what is bound came from `bind`. */
  #bound = false;

  /** `cells`: one per scalar output, by position. */
  constructor(native: Native, step: Handle<'step'>, entry: EntrySpec, cells: readonly (TypedArray | undefined)[], reuse: boolean) {
    this.#native = native;
    this.#step = step;
    this.#entry = entry;
    this.#reuse = reuse;
    const slots = entry.outputs.map((spec, at): OutputSlot => {
      const cell = cells[at];
      if (cell !== undefined) native.bindOutput(step, at, cell);
      return { spec, at, cell, data: cell ?? allocate(spec.dtype, 0), shape: [], length: cell === undefined ? -1 : 1, kept: [] };
    });
    this.#tensors = slots.filter((slot) => slot.cell === undefined);
    this.build = resultBuilder(
      entry.result,
      slots.map(
        (slot) => () =>
          slot.cell === undefined ? new Tensor(slot.spec.dtype, slot.shape, slot.data) : elementValue(slot.spec.dtype, slot.cell, 0),
      ),
    );
  }

  /** @throws TfcError shape-mismatch for a negative size. */
  resize(sizes: Sizes): void {
    for (const slot of this.#tensors) {
      slot.shape = slot.spec.shape.map((size) => {
        const value = evaluate(size, sizes) ?? 0;
        if (value < 0)
          throw new TfcError('shape-mismatch', `${this.#entry.name}: a result has the size ${sizeToString(size)}, which is ${value} here.`);
        return value;
      });
      const length = slot.shape.reduce((total, size) => total * size, 1);
      if (length !== slot.length) slot.kept = [];
      slot.length = length;
    }
    this.#bytes = this.#bytesOf(() => true);
  }

  /** New memory for a run during which the caller may do with results of earlier ones what it likes. @throws TfcError out-of-memory. */
  bindNew(): void {
    this.#bound = false;
    if (this.#bytes >= askedFor) this.#requireRoom(this.#bytes);
    for (const slot of this.#tensors) {
      slot.data = this.#space(slot);
      this.#native.bindOutput(this.#step, slot.at, slot.data);
    }
  }

  /** Memory for one run, or for several that follow each other. @throws TfcError out-of-memory. */
  bind(fed: readonly { readonly data: TypedArray | undefined }[], refed: boolean): void {
    const again = refed || !this.#bound;
    this.#bound = true;
    if (this.#bytes >= askedFor) this.#requireRoom(this.#reuse ? this.#bytesOf(({ kept }) => kept.length === 0) : this.#bytes);
    for (const slot of this.#tensors) {
      if (!this.#reuse) slot.data = this.#space(slot);
      else if (again || slot.kept.length === 0) slot.data = this.#reused(slot, fed);
      else continue;
      this.#native.bindOutput(this.#step, slot.at, slot.data);
    }
  }

  #bytesOf(isCounted: (slot: OutputSlot) => boolean): number {
    let bytes = 0;
    for (const slot of this.#tensors) if (isCounted(slot)) bytes += slot.length * elements[slot.spec.dtype].bytes;
    return bytes;
  }

  #requireRoom(bytes: number): void {
    if (bytes >= askedFor && bytes > this.#native.room(this.#step)) throw noRoom(bytes, undefined, 'results');
  }

  #reused(slot: OutputSlot, fed: readonly { readonly data: TypedArray | undefined }[]): TypedArray {
    const isFed = (array: TypedArray): boolean => fed.some(({ data }) => data !== undefined && bufferOf(data) === bufferOf(array));
    const found = slot.kept.find((array) => !isFed(array));
    if (found !== undefined) return found;
    const made = placed(this.#native, slot.spec.dtype, slot.length);
    slot.kept.push(made);
    return made;
  }

  /** The engine's own memory: it collects what is no longer used while a loop goes on, without waiting for the loop's end. */
  #space({ spec, length }: OutputSlot): TypedArray {
    const array = allocate(spec.dtype, length);
    if (length * elements[spec.dtype].bytes >= largeResult) this.#native.onHugePages(array);
    return array;
  }
}
