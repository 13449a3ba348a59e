// Nothing takes more than it should. In: programs of N copies of a construct. Out: how much work the front end did. Holds: twice as many
// copies are twice the work, or the program is refused by a budget that says what grew; what is counted follows from the program alone.

import { describe, expect, it } from 'vitest';
import { checkModule } from '../../src/check/index.js';
import { DiagnosticsError } from '../../src/base/index.js';
import { checks, differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { loadStd } from '../../src/std/load.js';
import { copies } from './copies.js';

const std = loadStd();
const frontEnd = Pipeline.of(differentiate).then(strip).then(checks).then(simplify);

interface Work {
  /** Units of the meter, all passes together. */
  readonly units: number;
  /** Rounds of simplifying. */
  readonly rounds: number;
}

/** Undefined for what is refused. */
function workOf(name: string, count: number): Work | undefined {
  const made = copies[name]?.(count) ?? '';
  const { main: text, files } = typeof made === 'string' ? { main: made, files: undefined } : made;
  const { module, build } = checkModule({ path: 'main.tdsl', text, read: (path) => files?.[path.replace('./', '')], std });
  if (module === undefined) return undefined;
  try {
    const { records } = frontEnd.run(module, { build });
    return { units: build.meter.spent, rounds: Number(/^\d+/.exec(records.at(-1)?.notes[0] ?? '')?.[0]) };
  } catch (error) {
    if (error instanceof DiagnosticsError) return undefined;
    throw error;
  }
}

/** What is asked for is more than what is written, and a budget counts it. */
const multiplying = new Set([
  // Derivatives of derivatives, and each of N values differentiated on its own.
  'derivatives',
  'derivativesShared',
  'derivativesAlong',
  'derivativesOfTensors',
  // What is inside is computed again by all that are around it.
  'checkpointsNested',
  // A fact is held against all that are known of a size.
  'facts',
  'factsOrdered',
  'factsInferred',
  'factsInferredSlices',
  'factsInferredBack',
  'factsOfCallsInferred',
  'slicesFree',
  // A piece of a piece is looked for in all that was put together before.
  'turns',
]);

describe('copies of a construct', () => {
  it.each(Object.keys(copies))('%s take work that grows as the text does', (name) => {
    const [few, some, many] = [8, 16, 32].map((count) => workOf(name, count));
    if (few === undefined || some === undefined || many === undefined || multiplying.has(name)) return;
    expect(many.units - some.units).toBeLessThan(2.5 * (some.units - few.units) + 100);
    expect(many.rounds).toBeLessThanOrEqual(few.rounds + 1);
  });

  it('a hundred loops in a row have a derivative', () => {
    for (const name of ['foldSin', 'foldRowsLinear', 'scanSlope', 'foldTwice']) expect(workOf(name, 100)?.rounds).toBe(2);
  });
});
