// Writes on loops how a GPU runs them: the threads of a block are the lanes of vector loops, and keep partial results. In: the code of a
// kernel of machine ops whose loops do not say it, and a target. Out: the same statements, each loop with what was decided about it. Holds:
// what `../cpu/vectorize/vectorize.ts` holds; one turn of a loop is one iteration of each thread,
// or of each thread of a warp in a loop of warps.

import { ExpressionCache, type For, type KernelCode, mapBodies, type Stmt, warpThreads } from '../../../kernel/index.js';
import type { CudaTarget } from '../../../target/index.js';
import { lanesOfLoops } from '../common/vectorize/lanes.js';
import { findReductions } from '../common/vectorize/reductions.js';
import { rolledLoops } from '../common/vectorize/rolled.js';

export function threadCode({ params, body }: KernelCode, { threads }: CudaTarget): KernelCode {
  const cache = new ExpressionCache();
  const { vectorized } = lanesOfLoops(body, 1, cache);
  const rolled = rolledLoops(body, () => 1);
  /** `lanes`: threads that compute together. */
  const rewrite =
    (open: ReadonlySet<string>, around: For | undefined, lanes: number) =>
    (stmt: Stmt): Stmt => {
      if (stmt.kind !== 'for') return stmt.kind === 'if' ? mapBodies(stmt, rewrite(open, around, lanes)) : stmt;
      const inside = stmt.warps === true ? warpThreads : lanes;
      const partials =
        around === undefined
          ? findReductions(stmt, { vectorized, lanesOf: () => inside }, cache)
              .filter(({ accumulator }) => !open.has(accumulator.name))
              .map((one) => ({ ...one, chains: 1 }))
          : [];
      const within = new Set([...open, ...partials.map(({ accumulator }) => accumulator.name)]);
      return {
        ...mapBodies(stmt, rewrite(within, around ?? (stmt.axis === 'vector' ? stmt : undefined), inside)),
        ...(stmt.axis === 'vector' ? { lanes } : {}),
        ...(partials.length > 0 ? { partials } : {}),
        ...(rolled.has(stmt) ? { rolled: true } : {}),
      };
    };
  return { params, body: body.map(rewrite(new Set(), undefined, threads)) };
}
