// Bounds of integers through scalar functions. In: bounds of the arguments. Out: bounds of the result, as far as sizes can be compared.
// Holds: sizes are far from the ends of their dtype, so what is computed of an index does not wrap.

import type { Dim } from '../../base/index.js';
import type { Bounds } from '../define.js';

type Known = Bounds | undefined;
type Natural = (dim: Dim) => boolean;

const sum = (a: Dim | undefined, b: Dim | undefined): Dim | undefined => (a === undefined || b === undefined ? undefined : a.add(b));
const difference = (a: Dim | undefined, b: Dim | undefined): Dim | undefined => (a === undefined || b === undefined ? undefined : a.sub(b));

/** The one that certainly is not above the other. */
function lesser(isNatural: Natural, a: Dim | undefined, b: Dim | undefined): Dim | undefined {
  if (a === undefined || b === undefined) return undefined;
  return isNatural(b.sub(a)) ? a : isNatural(a.sub(b)) ? b : undefined;
}

function greater(isNatural: Natural, a: Dim | undefined, b: Dim | undefined): Dim | undefined {
  const less = lesser(isNatural, a, b);
  return less === undefined ? undefined : less === a ? b : a;
}

export const boundsOf = {
  add: (_: Natural, a: Known, b: Known): Bounds => ({ low: sum(a?.low, b?.low), high: sum(a?.high, b?.high) }),
  sub: (_: Natural, a: Known, b: Known): Bounds => ({ low: difference(a?.low, b?.high), high: difference(a?.high, b?.low) }),
  /** Each argument alone bounds it from above. */
  min: (isNatural: Natural, a: Known, b: Known): Bounds => ({
    low: lesser(isNatural, a?.low, b?.low),
    high: lesser(isNatural, a?.high, b?.high) ?? b?.high ?? a?.high,
  }),
  max: (isNatural: Natural, a: Known, b: Known): Bounds => ({
    low: greater(isNatural, a?.low, b?.low) ?? b?.low ?? a?.low,
    high: greater(isNatural, a?.high, b?.high),
  }),
  select: (isNatural: Natural, _: Known, a: Known, b: Known): Bounds => ({
    low: lesser(isNatural, a?.low, b?.low),
    high: greater(isNatural, a?.high, b?.high),
  }),
};
