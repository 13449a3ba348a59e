// Writes on loops how a target runs them: lanes, interleaving, partial results, what is rolled, what passes the caches by. In: a program of
// machine ops whose loops do not say it, and a target. Out: the same statements, each loop with what was decided about it. The other files
// of this folder decide, each with an example in its note; test/lower/vectorize.test.ts shows what is written,
// test/codegen/obedience.test.ts that code generation obeys.
// Holds: code generators read it and decide none of it again; nothing here changes what a kernel computes, but the order in which lanes are
// combined.

import { type KernelCode, mapBodies, type Stmt, ExpressionCache } from '../../../../kernel/index.js';
import type { CpuTarget } from '../../../../target/index.js';
import { interleavedLoops } from './interleave.js';
import { lanesOfLoops } from '../../common/vectorize/lanes.js';
import { loadedAhead, nontemporalStores } from './nontemporal.js';
import { rolledLoops } from '../../common/vectorize/rolled.js';

export function vectorizeCode({ params, body }: KernelCode, target: CpuTarget): KernelCode {
  const cache = new ExpressionCache();
  const lanes = lanesOfLoops(body, target.vectorBytes, cache);
  const interleaved = interleavedLoops(body, lanes, cache);
  const rolled = rolledLoops(body, lanes.lanesOf);
  const past = nontemporalStores(body, lanes.lanesOf, target, cache);
  const rewrite = (stmt: Stmt): Stmt => {
    if (stmt.kind === 'store') return past.has(stmt) ? { ...stmt, nontemporal: true } : stmt;
    if (stmt.kind !== 'for') return stmt.kind === 'if' ? mapBodies(stmt, rewrite) : stmt;
    return {
      ...mapBodies(stmt, rewrite),
      ...(stmt.axis === 'vector' ? { lanes: lanes.lanesOf(stmt) } : {}),
      ...interleaved.get(stmt),
      ...(past.size > 0 ? loadedAhead(stmt, lanes.lanesOf, target, cache) : {}),
      ...(rolled.has(stmt) ? { rolled: true } : {}),
    };
  };
  return { params, body: body.map(rewrite) };
}
