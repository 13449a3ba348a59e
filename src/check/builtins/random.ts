// Random bits. In: a shape and a key. Out: an i32 of bits per element; distributions are TDSL on top of it.
// Holds: an initializer's key is the feed `seed`; anywhere else the caller passes one. The stream is the FNV-1a hash of the place, so that
// two uses of one key differ, and a variable's numbers depend on the seed and its path alone.

import { type TensorNode, typeToString } from '../../graph/index.js';
import * as ops from '../../ops/index.js';
import { applyTensor } from '../apply-op.js';
import { seedNode, streamNode, streamOf } from '../initializers.js';
import { fail } from '../report.js';
import { bindingLabel } from '../tensors.js';
import { sizesGiven } from './axes.js';
import { ERROR } from '../values.js';
import { optional, required, result, type Builtin, type BuiltinCall } from './builtin.js';

function keyOf(call: BuiltinCall): TensorNode | undefined {
  const given = call.optional('key');
  if (given !== undefined && !(given.value.kind === 'string' && given.value.value === 'seed')) {
    if (given.value.kind === 'error') return undefined;
    const node = call.tensor('key', 'i64');
    if (node === undefined || node.type.shape.length === 0) return node;
    fail(call.context, 'shape-mismatch', given.span, `a key is one i64, and this is ${typeToString(node.type)}`, {
      labels: bindingLabel(given.value),
      hint: 'take one of them: `key[0]`',
    });
    return undefined;
  }
  if (call.context.initializing !== undefined || call.context.entry.dry) return seedNode(call.context, call.site);
  fail(call.context, 'missing-argument', call.site, 'random numbers need a key outside of initial values', {
    hint: 'pass one: `key: k`, where `k: i64` is an argument or a state that the step changes',
  });
  return undefined;
}

/** Each use has a stream of its own: in initial values the variable's, elsewhere a constant of the place. */
function streamFor({ context, site }: BuiltinCall): TensorNode | undefined {
  const index = context.entry.nextStream();
  if (context.initializing !== undefined) return streamNode(context, site, index);
  return applyTensor(context, ops.constant, [], { value: streamOf(context.path, index), dtype: 'i32' }, site);
}

const randomBits: Builtin = {
  name: 'randomBits',
  doc: '32 random bits per element: Philox 4×32-10 of the key and the place in the program (Salmon and others, Parallel random numbers: as easy as 1, 2, 3, 2011).',
  signatures: ['randomBits<...R>(shape: list, key: any = "seed"): i32[...R]'],
  parameters: [...required('shape'), ...optional('key')],
  run(call) {
    const shape = sizesGiven(call, call.given('shape'));
    const key = keyOf(call);
    if (shape === undefined || key === undefined) return ERROR;
    const stream = streamFor(call);
    return stream === undefined ? ERROR : result(applyTensor(call.context, ops.randomBits, [key, stream], { shape }, call.site));
  },
};

export const randomBuiltins: readonly Builtin[] = [randomBits];
