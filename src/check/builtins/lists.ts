// Lists, which exist only while compiling. In: instances and lists. Out: lists.

import { paramsOf } from '../params.js';
import { fail } from '../report.js';
import { bindingLabel } from '../tensors.js';
import { describe, ERROR, list, number, tuple, type Value } from '../values.js';
import { required, type Builtin } from './builtin.js';

const params: Builtin = {
  name: 'params',
  doc: 'The params of an instance in the order of declaration; one that is shared comes once.',
  parameters: required('net'),
  run(call) {
    const { value, span } = call.given('net');
    if (value.kind === 'error') return ERROR;
    if (value.kind === 'instance') return paramsOf(value);
    const items = value.kind === 'list' || value.kind === 'tuple' ? value.items : undefined;
    if (items?.every((item) => item.kind === 'instance' || item.kind === 'variable') !== true)
      return fail(call.context, 'type-mismatch', span, `\`params\` takes an instance of a model, and this is ${describe(value)}`, {
        labels: bindingLabel(value),
        hint: 'an instance, or a list of instances and params',
      });
    const found = new Map<unknown, Value>();
    for (const item of items)
      for (const one of item.kind === 'instance' ? paramsOf(item).items : [item])
        found.set(one.kind === 'variable' ? one.variable : one, one);
    return list([...found.values()]);
  },
};

const enumerate: Builtin = {
  name: 'enumerate',
  doc: 'The elements of a list with their positions: `(0, a), (1, b), …`.',
  parameters: required('list'),
  run(call) {
    const { value, span } = call.given('list');
    if (value.kind === 'error') return ERROR;
    const items =
      value.kind === 'instance' ? paramsOf(value).items : value.kind === 'list' || value.kind === 'tuple' ? value.items : undefined;
    if (items !== undefined) return list(items.map((item, at) => tuple([number(at, true), item])));
    return fail(call.context, 'type-mismatch', span, `\`enumerate\` takes a list, and this is ${describe(value)}`, {
      labels: bindingLabel(value),
      hint: value.kind === 'tensor' || value.kind === 'variable' ? 'use `scan` to run over the rows of a tensor' : 'e.g. `[a, b]`',
    });
  },
};

export const listBuiltins: readonly Builtin[] = [params, enumerate];
