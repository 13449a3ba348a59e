// Programs that want to become too large are answered: by a diagnostic, or because what they share is kept shared.
// Held to counts, which are the same everywhere; the time is only there to notice what nobody counts.

import { describe, expect, test } from 'vitest';
import { DiagnosticsError, limits } from '../../src/base/index.js';
import { checks, differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { gpt, perceptron } from '../bench/scale/models.js';
import { check } from './support.js';
import { explosions } from './explosions.js';

/** What the checker makes at most of the texts here; passes may make a few times as many. */
const mostNodes = 2 * (limits.expansion + limits.expansionPerCharacter * 1_000_000);
/** A hang is longer, on any machine. */
const mostMilliseconds = 10_000;

describe('programs that want to become too large', () => {
  test.each(explosions.map((one) => [one.name, one] as const))('%s', (_, { text, expected, set }) => {
    const start = process.cpuUsage();
    const { build, found } = answer(text, set);
    const { user, system } = process.cpuUsage(start);
    expect(found).toBe(expected);
    expect(build.meter.spent).toBeLessThan(mostNodes);
    expect((user + system) / 1000).toBeLessThan(mostMilliseconds);
  });
});

test.each(['list', 'comprehension'] as const)('models are as deep as 512 layers, as a %s', (writing) => {
  expect(check(perceptron(512, writing).text).diagnostics).toEqual([]);
});

test('a GPT is as deep as 64 blocks', () => {
  expect(check(gpt(64).text).diagnostics).toEqual([]);
});

test('a broken program is checked for a part of the work, and only its faults are said', () => {
  const large = 'export fn f(x: f32): f32 = fold i in [i for i in 0..9000] with z = x { sin(z) * 1.5 + cos(z) * sin(z) }';
  expect(check(large).diagnostics.map(({ code }) => code)).toEqual([]);
  const broken = check(`export fn g(x: f32): f32 = x +\n${large}\nexport fn h(x: f32): f32 = y`);
  expect(broken.diagnostics.map(({ code }) => code)).toEqual(['syntax-error']);
  expect(broken.build.meter.spent).toBeLessThan(limits.expansionOfBroken + 2 * limits.expansionPerCharacter * large.length);
});

function answer(text: string, set: Readonly<Record<string, number>> = {}): { build: ReturnType<typeof check>['build']; found: string } {
  const { module, diagnostics, build } = check(text, { set: new Map(Object.entries(set)) });
  // A mistake says where it stands, and what to do about most of them.
  for (const diagnostic of diagnostics) expect(diagnostic.span).toBeDefined();
  if (module === undefined) return { build, found: diagnostics[0]?.code ?? 'nothing' };
  try {
    Pipeline.of(differentiate).then(strip).then(checks).then(simplify).run(module, { build });
    return { build, found: 'ok' };
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    expect(error.diagnostics[0]?.span).toBeDefined();
    return { build, found: error.diagnostics[0]?.code ?? 'nothing' };
  }
}
