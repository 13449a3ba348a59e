// All entries of programs, and all forms of ops with both derivatives, on the emulated device. In: the cases of the chain. Out: what they
// mean. Holds: what `programs.test.ts` and `chain.test.ts` hold, for everything that they leave out.

import { describe, expect, it } from 'vitest';
import { derivativeCase, opForms, valueCase } from '../chain/op-cases.js';
import { runGraphs } from '../chain/graphs.js';
import { programList } from '../chain/program-list.js';
import { device, runProgramOnDevice, target } from './device-chain.js';

describe('the device', () => {
  for (const [path, list] of Object.entries(programList))
    for (const one of list.slice(1)) it(`runs ${path} ${one.entry} ${JSON.stringify(one.dims ?? {})}`, () => runProgramOnDevice(path, one));

  it('computes every op in many forms, and their derivatives', () => {
    const forms = opForms().flatMap((form, at) => (form.quick ? [{ form, at }] : []));
    const cases = forms.flatMap(({ form, at }) => [valueCase(form, at), derivativeCase(form, at) ?? []].flat());
    for (const one of cases) expect(runGraphs([one], { target, device, native: false, ends: true })).toEqual([]);
  });
});
