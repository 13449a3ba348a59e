// Memory for feeds. In: a shape and an element type. Out: a tensor of zeros that lies as native code likes it. Holds: it starts at a
// multiple of 128 bytes, so that whole vectors start and end with cache lines; what fills half of a huge page or more lies on such; it is
// freed with the last array that shows it, and detached arrays are as harmless as any other.
import type { ElementType } from './abi/manifest.js';
import { type ElementArrays, type TypedArray, elements, isElementType, largestBuffer, noRoom } from './element.js';
import { type Native, loadNative, translating } from './native.js';
import { Tensor, noElementType, requireShape } from './tensor.js';

/**
 * A tensor of zeros to fill and feed, in memory of its own that is aligned for vectors and, when it is large, on huge pages. JavaScript
 * puts its own arrays where it likes, from which large feeds are read up to a fifth slower.
 * @throws TfcError bad-data for what is no shape or element type, out-of-memory.
 * @example
 * ```ts
 * const rows = zeros([50, 4]);
 * rows.data.fill(0.5);
 * session.run('predict', { x: rows });
 * ```
 */
export function zeros<const Shape extends readonly number[]>(shape: Shape): Tensor<'f32', Shape>;
export function zeros<DType extends ElementType, const Shape extends readonly number[]>(shape: Shape, dtype: DType): Tensor<DType, Shape>;
export function zeros(shape: readonly number[], dtype: ElementType = 'f32'): Tensor {
  if (!isElementType(dtype)) throw noElementType(dtype);
  const sizes = requireShape(shape);
  return new Tensor(
    dtype,
    sizes,
    placed(
      loadNative(),
      dtype,
      sizes.reduce((total, size) => total * size, 1),
    ),
  );
}

/** Zeros in memory of their own. @throws TfcError out-of-memory. */
export function placed<DType extends ElementType>(from: Native, dtype: DType, length: number): ElementArrays[DType] {
  const { view } = elements[dtype];
  const bytes = length * elements[dtype].bytes;
  let array: TypedArray;
  if (bytes <= largestBuffer)
    array = view(
      translating(() => from.buffer(bytes)),
      0,
      length,
    );
  else {
    try {
      array = view(new ArrayBuffer(bytes), 0, length);
    } catch (error) {
      throw noRoom(bytes, error);
    }
    from.onHugePages(array);
  }
  // The table has the typed array of each element type.
  return array as ElementArrays[DType];
}
