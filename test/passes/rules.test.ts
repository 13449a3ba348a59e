// Every rewrite rule. In: the corpus. Out: each rule fires, keeps the values, and costs no more. Holds: a rule without a firing example
// fails.

import { describe, expect, it } from 'vitest';
import { simplifyModule, rules } from '../../src/passes/index.js';
import { costOf, evaluateNodes } from './evaluate.js';
import { Make, differs, sizes } from './make.js';
import { ruleCorpus } from './rule-corpus.js';

/**
 * Where an edge case of IEEE arithmetic may differ by floating-point.md: values that are not finite under a changed order of sums, products
 * beyond the range.
 */
const finiteOnly: ReadonlySet<string> = new Set(['matmul-of-one-value', 'power-of-two-in-product']);

describe('rules', () => {
  it('have unique names, and a row of the corpus each', () => {
    const names = rules.map((rule) => rule.name);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(ruleCorpus).sort()).toEqual([...names].sort());
  });

  const examples = Object.entries(ruleCorpus).flatMap(([rule, some]) => some.map((example, at) => ({ rule, at, example })));

  it.each(examples)('$rule ($at) fires, keeps values, and costs no more', ({ rule, example }) => {
    const g = new Make();
    const module = g.module(example(g));
    const before = module.entries[0]?.outputs.map((output) => output.node) ?? [];
    const { module: simple, fired } = simplifyModule(module, g.build, rules);
    expect([...fired.keys()]).toContain(rule);
    const after = simple.entries[0]?.outputs.map((output) => output.node) ?? [];
    expect(costOf(after, sizes)).toBeLessThanOrEqual(costOf(before, sizes));
    for (let seed = 0; seed < 20; seed++) {
      const special = seed < 10 || finiteOnly.has(rule) ? [] : [Number.NaN, Infinity, -Infinity, 0, -0, 1e-310, 1e308];
      const environment = g.environment(seed, special);
      const [old, now] = [evaluateNodes(before, environment), evaluateNodes(after, environment)];
      old.forEach((value, index) => {
        const tolerance = value.dtype === 'f32' ? 1e-6 : 1e-13;
        expect(differs(value, now[index] as typeof value, tolerance), `output ${index}, seed ${seed}`).toBeUndefined();
      });
    }
  });

  it.each(examples)('$rule ($at) leaves nothing to do', ({ example }) => {
    const g = new Make();
    const once = simplifyModule(g.module(example(g)), g.build, rules).module;
    const twice = simplifyModule(once, g.build, rules);
    expect([...twice.fired]).toEqual([]);
    expect(twice.module.entries[0]?.outputs).toEqual(once.entries[0]?.outputs);
  });
});
