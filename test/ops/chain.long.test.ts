// Every op in every form with every dtype, compiled for old and new processors.

import { describe, expect, it } from 'vitest';
import { hostTarget } from '../../codegen/llvm/index.js';
import { derivativeCase, opForms, valueCase } from '../chain/op-cases.js';
import { runGraphs, runnableTargets } from '../chain/graphs.js';

const forms = opForms();

describe.each(runnableTargets())('every op, for %s', (cpu) => {
  it('in every form with every dtype', () => {
    expect(runGraphs(forms.map(valueCase), { target: hostTarget(cpu) })).toEqual([]);
  });

  it('differentiated', () => {
    expect(
      runGraphs(
        forms.flatMap((form, at) => derivativeCase(form, at) ?? []),
        { target: hostTarget(cpu) },
      ),
    ).toEqual([]);
  });
});
