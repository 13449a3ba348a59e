// Simplifies a graph. In: a stripped graph. Out: an equal one that computes less. Holds: what floating-point.md says of values; the rules
// are the list below.

import type { ModuleGraph } from '../../graph/index.js';
import { strippedGraph } from '../graph-form.js';
import type { Pass } from '../pass.js';
import { functionRules, productRules, sumRules } from './arithmetic.js';
import { constantRules } from './constants.js';
import { simplifyModule } from './engine.js';
import { contractionRules } from './contractions.js';
import { castRules, logicRules } from './logic.js';
import { loopRules } from './loops.js';
import { movementRules } from './movement.js';
import { pieceRules } from './pieces.js';
import { powerRules } from './powers-of-two.js';
import { reductionRules } from './reductions.js';
import { regionRules } from './regions.js';
import type { GraphRule, Rule } from './rule.js';
import { sameLoops } from './same-loops.js';
import { tangentRules } from './tangents.js';

/** Every rule, in the order in which they are tried at a node. */
export const rules: readonly (Rule | GraphRule)[] = [
  ...constantRules,
  ...sumRules,
  ...productRules,
  ...powerRules,
  ...functionRules,
  ...tangentRules,
  ...logicRules,
  ...castRules,
  ...movementRules,
  ...pieceRules,
  ...reductionRules,
  ...contractionRules,
  ...loopRules,
  sameLoops,
  ...regionRules,
];

export const simplify: Pass<ModuleGraph, ModuleGraph> = {
  name: 'simplify',
  doc: 'Applies the rewrite rules until none fits.',
  to: strippedGraph,
  run: (module, { build, note }) => {
    const { module: simple, fired, rounds } = simplifyModule(module, build, rules);
    const times = [...fired].sort(([, a], [, b]) => b - a).map(([rule, count]) => `${rule} ${count}`);
    note(`${rounds} rounds${times.length === 0 ? '' : `: ${times.join(', ')}`}`);
    return simple;
  },
};
