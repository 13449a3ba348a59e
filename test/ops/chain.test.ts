// Every op, and both of its derivatives, through the chain: what it means = its kernels = the expanded kernels = native code.

import { describe, expect, it } from 'vitest';
import { registry } from '../../src/ops/index.js';
import { derivativeCase, opForms, valueCase } from '../chain/op-cases.js';
import { type Break, type GraphCase, runGraphs } from '../chain/graphs.js';

const forms = opForms().flatMap((form, at) => (form.quick ? [{ form, at }] : []));

/** LLVM optimizes a form of each op and every third of the others, as it does for users; `chain.long.test.ts` does so with all. */
function run(cases: readonly (GraphCase & { readonly op: string })[]): Break[] {
  const seen = new Set<string>();
  const optimized = new Set<GraphCase>();
  for (const [at, one] of cases.entries()) {
    if (at % 3 === 0 || !seen.has(one.op)) optimized.add(one);
    seen.add(one.op);
  }
  return [
    ...runGraphs([...optimized]),
    ...runGraphs(
      cases.filter((one) => !optimized.has(one)),
      { quick: true },
    ),
  ];
}

describe('every op through the chain', () => {
  it('in some forms with every dtype, in every form with one', () => {
    expect(run(forms.map(({ form, at }) => ({ ...valueCase(form, at), op: form.op.name })))).toEqual([]);
  });

  it('differentiated', () => {
    const cases = forms.flatMap(({ form, at }, which) => {
      const one = which % 2 === 0 ? derivativeCase(form, at) : undefined;
      return one === undefined ? [] : [{ ...one, op: form.op.name }];
    });
    expect(cases.length).toBeGreaterThan(100);
    expect(run(cases)).toEqual([]);
  });

  it('leaves out none', () => {
    const covered = new Set(forms.map(({ form }) => form.op.name));
    expect([...registry.keys()].filter((name) => !covered.has(name))).toEqual([]);
  });
});
