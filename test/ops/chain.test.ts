// Every op, and both of its derivatives, through the chain: what it means = its kernels = the expanded kernels = native code.

import { describe, expect, it } from 'vitest';
import { registry } from '../../src/ops/index.js';
import { derivativeCase, opForms, valueCase } from '../chain/op-cases.js';
import { runGraphs } from '../chain/graphs.js';

const forms = opForms().flatMap((form, at) => (form.quick ? [{ form, at }] : []));

describe('every op through the chain', () => {
  it('in some forms with every dtype, in every form with one', () => {
    expect(runGraphs(forms.map(({ form, at }) => valueCase(form, at)))).toEqual([]);
  });

  it('differentiated', () => {
    const cases = forms.flatMap(({ form, at }, which) => (which % 2 === 0 ? (derivativeCase(form, at) ?? []) : []));
    expect(cases.length).toBeGreaterThan(100);
    expect(runGraphs(cases)).toEqual([]);
  });

  it('leaves out none', () => {
    const covered = new Set(forms.map(({ form }) => form.op.name));
    expect([...registry.keys()].filter((name) => !covered.has(name))).toEqual([]);
  });
});
