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
import { reductionBuiltins } from './reductions.js';
import { rowBuiltins } from './rows.js';
import { shapeBuiltins } from './shapes.js';
import { splitBuiltins } from './split.js';

const builtins: readonly Builtin[] = [
  ...elementwiseBuiltins,
  ...reductionBuiltins,
  ...rowBuiltins,
  ...shapeBuiltins,
  ...splitBuiltins,
  ...derivativeBuiltins,
  ...checkpointBuiltins,
  ...randomBuiltins,
  ...listBuiltins,
  ...bitBuiltins,
];

export function builtinScope(): Scope {
  const scope = new Scope(undefined);
  for (const builtin of builtins) scope.addValue(builtin.name, 'builtin', { kind: 'builtin', builtin }, undefined);
  for (const dtype of dtypeNames) scope.addValue(dtype, 'builtin', { kind: 'dtype', dtype }, undefined);
  return scope;
}
