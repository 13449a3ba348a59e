// What an accumulator becomes, in generated JavaScript. In: source of what it was, and of a value. Out: source of both combined. Holds:
// integers of eight bytes are bigints and wrap; whoever stores an element of any other integer wraps it.

import { isWide } from '../../base/index.js';
import type { Accumulator, Combiner } from '../../kernel/index.js';
import { fit, product } from './machine.js';

/** `old` combined with `value`: max and min give NaN when either is NaN. */
export function combined(combine: Combiner, { dtype }: Accumulator, old: string, value: string): string {
  const wide = isWide(dtype);
  const wrapped = (code: string): string => `BigInt.${dtype === 'u64' ? 'asUintN' : 'asIntN'}(64, ${code})`;
  switch (combine) {
    case 'sum':
      return wide ? wrapped(`${old} + ${value}`) : fit(dtype, `${old} + ${value}`);
    case 'product':
      if (wide) return wrapped(`${old} * ${value}`);
      return product(dtype, old, value);
    case 'max':
    case 'min':
      return wide ? `(${old} ${combine === 'max' ? '>' : '<'} ${value} ? ${old} : ${value})` : `Math.${combine}(${old}, ${value})`;
    case 'any':
      return `(${old} | ${value})`;
    case 'all':
      return `(${old} & ${value})`;
  }
}
