// Values as JSON. In: results, tensors, typed arrays. Out: what JSON.stringify writes without loss. Holds: records are objects, tuples and
// tensors arrays; integers beyond 2⁵³ are strings of digits; "NaN", "Infinity" and "-Infinity" stand for themselves, and can be fed again.
import { Tensor } from './tensor.js';

/**
 * What JSON can say.
 * @example
 * ```ts
 * const value: JsonValue = toJson(session.run('train', { x, y, lr: 0.1 }));
 * ```
 */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * A result as JSON has it: tensors are arrays, an i64 beyond 2⁵³ is a string, NaN and infinities stand for themselves.
 * @example
 * ```ts
 * console.log(JSON.stringify(toJson(session.run('predict', { x })))); // [0,2,1,…]
 * ```
 */
export function toJson(value: unknown): JsonValue {
  if (value instanceof Tensor) return toJson(value.toArray());
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint')
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return Array.from(value as unknown as Iterable<unknown>, toJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  return null;
}
