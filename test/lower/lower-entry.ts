// Kernels of one entry. In: a simplified entry, the variables it knows, a target. Out: its program. Holds: by the passes of every compile,
// each verified.

import { lowering } from '../../src/driver/build/pipeline.js';
import type { Entry, GraphBuilder, Variable } from '../../src/graph/index.js';
import type { Program } from '../../src/kernel/index.js';
import type { Target } from '../../src/target/index.js';

export function lowerEntry(entry: Entry, variables: readonly Variable[], target: Target, build: GraphBuilder): Program {
  const { entries } = lowering(target).run({ path: 'graphs.tdsl', variables, entries: [entry] }, { build }).output;
  const [lowered] = entries;
  if (lowered === undefined) throw new Error(`${entry.name} was lowered to nothing`);
  return lowered.program;
}
