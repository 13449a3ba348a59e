// The fused graph: its text, and the rules that its verifier keeps. In: programs. Out: text, and which rule a broken graph breaks.

import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { check } from '../../src/driver/build/front.js';
import { toFused } from '../../src/driver/build/pipeline.js';
import type { Group } from '../../src/lower/fuse/groups.js';
import { type FusedEntry, printFused, verifyFused } from '../../src/lower/index.js';
import { fixedTarget } from './kernels.js';

const entriesOf = (name: string): readonly FusedEntry[] => {
  const { module, build } = check(
    { path: join(import.meta.dirname, '..', 'programs', `${name}.tdsl`), set: {}, open: undefined },
    new Map(),
  );
  return toFused(fixedTarget).run(module, { build }).output.entries;
};

const entry = (name: string, wanted: string): FusedEntry => entriesOf(name).find((one) => one.entry.name === wanted) as FusedEntry;

/** The entry with its groups changed. */
const changed = (fused: FusedEntry, change: (groups: readonly Group[]) => readonly Group[]): FusedEntry => ({
  ...fused,
  order: { ...fused.order, groups: change(fused.order.groups) },
});

describe('the fused graph', () => {
  it('prints groups with what they read, compute and store', () => {
    const text = printFused(entry('moons', 'probability'));
    expect(text).toMatch(/^fused "probability" \{\n {2}%0 = /);
    expect(text).toMatch(/\n {2}group \d+ elementwise \[B\] reads %\d+, %\d+, %\d+\n {4}elementwise %\d+: f32\[B, 1\] to out_result\n\}/);
  });

  it.each(['moons', 'mnist', 'deep', 'rows', 'relus', 'loop'])('of %s verifies, and prints the same twice', (name) => {
    const texts = [entriesOf(name), entriesOf(name)].map((entries) => entries.map(printFused).join('\n'));
    expect(texts[0]).toBe(texts[1]);
    for (const one of entriesOf(name)) expect(() => verifyFused(one, 'test')).not.toThrow();
  });

  it.each<[string, (groups: readonly Group[]) => readonly Group[]]>([
    ['members', (groups) => [...groups, { ...(groups[0] as Group), id: 999 }]],
    ['members', (groups) => groups.map((group, at) => (at === 0 ? { ...group, members: [] } : group))],
    ['order', (groups) => groups.toReversed()],
    ['order', (groups) => groups.slice(1)],
    ['demands', (groups) => groups.slice(0, -1)],
  ])('has the rule %s (%#)', (rule, change) => {
    expect(() => verifyFused(changed(entry('mnist', 'train'), change), 'test')).toThrow(
      `rule ${rule} of the fused graph broken in "train"`,
    );
  });
});
