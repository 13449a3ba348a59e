// Sums of products that run beside other statements. In: code of a kernel. Out: the first statement that touches sums before their products
// are settled, if any. Holds: whichever way loops and branches go.

import type { Stmt } from './ir.js';
import { changedBy, expressionOrder, expressionsOf, forEachStatement } from './walk.js';

/** Names of sums whose products may be under way. */
type UnderWay = ReadonlySet<string>;

export interface SettleProblem {
  readonly rule: 'settle';
  readonly message: string;
}

export function settleProblem(body: readonly Stmt[]): SettleProblem | undefined {
  let runsBeside = false;
  forEachStatement(body, (stmt) => (runsBeside ||= stmt.kind === 'multiply' && stmt.warps === 4));
  return runsBeside ? new Settled().problemIn(body) : undefined;
}

class Settled {
  #problem: string | undefined;

  problemIn(body: readonly Stmt[]): SettleProblem | undefined {
    this.#after(body, new Set());
    return this.#problem === undefined ? undefined : { rule: 'settle', message: this.#problem };
  }

  /** What is under way behind the statements. */
  #after(body: readonly Stmt[], before: UnderWay): UnderWay {
    let now = before;
    for (const stmt of body) now = this.#behind(stmt, now);
    for (const stmt of body)
      if (stmt.kind === 'declare' && now.has(stmt.accumulator.name)) this.#problem ??= `${stmt.accumulator.name} is never settled`;
    return now;
  }

  #behind(stmt: Stmt, before: UnderWay): UnderWay {
    const unsettled = touchedBy(stmt).find((name) => before.has(name));
    if (unsettled !== undefined) this.#problem ??= `${unsettled} is touched by ${stmt.kind} before its products are settled`;
    switch (stmt.kind) {
      case 'multiply':
        return stmt.warps === 4 ? new Set(before).add(stmt.sums.name) : before;
      case 'settle':
        return stmt.open === 0 ? new Set() : before;
      case 'if':
        return new Set([...this.#after(stmt.then, before), ...this.#after(stmt.otherwise ?? [], before)]);
      case 'for': {
        // None may follow, or another iteration, which finds what the first one leaves.
        const once = new Set([...before, ...this.#after(stmt.body, before)]);
        return new Set([...once, ...this.#after(stmt.body, once)]);
      }
      default:
        return before;
    }
  }
}

/** Accumulators that the statement itself reads or changes, but for sums that it goes on with. */
function touchedBy(stmt: Stmt): readonly string[] {
  const changed = changedBy(stmt)?.name;
  const goesOn = stmt.kind === 'multiply' && stmt.warps === 4;
  return [
    ...expressionOrder(expressionsOf(stmt)).flatMap((expr) => (expr.kind === 'read' ? [expr.accumulator.name] : [])),
    ...(changed === undefined || goesOn ? [] : [changed]),
    ...(stmt.kind === 'multiply' && 'sums' in stmt.left ? [stmt.left.sums.name] : []),
  ];
}
