// Random numbers for the data that examples make. In: a seed. Out: uniform and normal numbers. Holds: the same seed gives the same numbers
// on every machine.

export interface Random {
  /** From 0 (included) to 1. */
  uniform(): number;
  between(low: number, high: number): number;
  normal(): number;
  /** From 0 to count − 1. */
  integer(count: number): number;
}

/** Mulberry32 (public domain, Tommy Ettinger); normals by Box and Muller's method. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (count) => Math.floor(uniform() * count),
  };
}
