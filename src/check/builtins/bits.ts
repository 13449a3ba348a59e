// Functions that look at bits. In: a tensor and a dtype. Out: nodes that change no bit.

import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { fail } from '../report.js';
import { describe, ERROR } from '../values.js';
import { required, result, type Builtin } from './builtin.js';

const bitcast: Builtin = {
  name: 'bitcast',
  doc: 'The bits of the elements of `x` read as another `dtype` of the same width; `u32(x)` converts values instead.',
  signatures: ['bitcast<T: any, ...S>(x: T[...S], dtype: any): dtype[...S]'],
  parameters: required('x', 'dtype'),
  run(call) {
    const node = call.tensor('x');
    const { value, span } = call.given('dtype');
    if (node === undefined || value.kind === 'error') return ERROR;
    if (value.kind !== 'dtype')
      return fail(call.context, 'type-mismatch', span, `\`dtype\` is an element type, and this is ${describe(value)}`, {
        hint: 'e.g. `bitcast(x, u32)`',
      });
    return result(applyTensor(call.context, ops.bitcast, [node], { dtype: value.dtype }, call.site));
  },
};

export const bitBuiltins: readonly Builtin[] = [bitcast];
