// Sums of products that run beside other statements. In: code of a kernel. Out: the first statement that touches sums before their products
// are settled, if any. Holds: whichever way loops and branches go.

import type { Stmt } from './ir.js';
import { changedBy, expressionOrder, expressionsOf, forEachStatement } from './walk.js';

/** Sums by their names → groups that were begun since they were last multiplied: the products under way. */
type UnderWay = ReadonlyMap<string, number>;

export interface SettleProblem {
  readonly rule: 'settle';
  readonly message: string;
}

export function settleProblem(body: readonly Stmt[]): SettleProblem | undefined {
  let runsBeside = false;
  forEachStatement(body, (stmt) => (runsBeside ||= stmt.kind === 'multiply' && stmt.warps === 4));
  if (!runsBeside) return undefined;
  try {
    after(body, new Map());
    return undefined;
  } catch (problem) {
    if (problem instanceof Touched) return { rule: 'settle', message: problem.message };
    throw problem;
  }
}

class Touched extends Error {}

function after(body: readonly Stmt[], before: UnderWay): UnderWay {
  let now = before;
  for (const stmt of body) now = behind(stmt, now);
  for (const stmt of body)
    if (stmt.kind === 'declare' && now.has(stmt.accumulator.name)) throw new Touched(`${stmt.accumulator.name} is never settled`);
  return now;
}

function behind(stmt: Stmt, before: UnderWay): UnderWay {
  const changed = changedBy(stmt)?.name;
  const touched = [
    ...expressionOrder(expressionsOf(stmt)).flatMap((expr) => (expr.kind === 'read' ? [expr.accumulator.name] : [])),
    ...(changed === undefined || (stmt.kind === 'multiply' && stmt.warps === 4) ? [] : [changed]),
    ...(stmt.kind === 'multiply' && 'sums' in stmt.left ? [stmt.left.sums.name] : []),
  ];
  const unsettled = touched.find((name) => before.has(name));
  if (unsettled !== undefined) throw new Touched(`${unsettled} is touched by ${stmt.kind} before its products are settled`);
  switch (stmt.kind) {
    case 'multiply':
      return stmt.warps === 4 ? new Map(before).set(stmt.sums.name, 0) : before;
    case 'settle':
      return new Map([...before].flatMap(([name, groups]) => (groups < stmt.open ? [[name, groups + 1] as const] : [])));
    case 'if': {
      const [then, otherwise] = [after(stmt.then, before), after(stmt.otherwise ?? [], before)];
      return either(then, otherwise);
    }
    case 'for': {
      // Another iteration, or none, may follow.
      let now = before;
      for (;;) {
        const next = either(now, after(stmt.body, now));
        if (next.size === now.size && [...next].every(([name, groups]) => now.get(name) === groups)) return now;
        now = next;
      }
    }
    default:
      return before;
  }
}

/** The youngest of both. */
function either(one: UnderWay, other: UnderWay): UnderWay {
  const both = new Map(one);
  for (const [name, groups] of other) both.set(name, Math.min(groups, both.get(name) ?? groups));
  return both;
}
