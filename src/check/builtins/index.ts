// Everything that needs no import and is not written in TDSL. In: nothing. Out: a scope with the built-in functions and the dtypes.

import { dtypeNames } from '../../base/index.js';
import { Scope } from '../scope.js';
import { bitBuiltins } from './bits.js';
import type { Builtin } from './builtin.js';
import { checkpointBuiltins } from './checkpoint.js';
import { derivativeBuiltins } from './derivatives.js';
import { elementwiseBuiltins } from './elementwise.js';
import { listBuiltins } from './lists.js';
import { randomBuiltins } from './random.js';
import { matrixBuiltins, reductionBuiltins, sizeBuiltins } from './reductions.js';
import { shapeBuiltins } from './shapes.js';
import { splitBuiltins } from './split.js';

/** By what they are about, as documents list them; sections of the library's texts have the same names. */
export const builtinGroups: Readonly<Record<string, readonly Builtin[]>> = {
  elementwise: elementwiseBuiltins,
  reductions: reductionBuiltins,
  matrices: matrixBuiltins,
  shapes: [...shapeBuiltins, ...splitBuiltins],
  sizes: sizeBuiltins,
  derivatives: [...derivativeBuiltins, ...checkpointBuiltins],
  'random numbers': randomBuiltins,
  lists: listBuiltins,
  'element types': bitBuiltins,
};

export function builtinScope(): Scope {
  const scope = new Scope(undefined);
  for (const builtin of Object.values(builtinGroups).flat())
    scope.addValue(builtin.name, 'builtin', { kind: 'builtin', builtin }, undefined);
  for (const dtype of dtypeNames) scope.addValue(dtype, 'builtin', { kind: 'dtype', dtype }, undefined);
  return scope;
}
