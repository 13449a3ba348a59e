// Lists, which exist only while compiling. In: instances and lists. Out: lists.

import { paramsOf } from '../params.js';
import { fail } from '../report.js';
import { bindingLabel, readAll } from '../tensors.js';
import { describe, ERROR, list, number, tuple, type Value } from '../values.js';
import { required, type Builtin } from './builtin.js';

const params: Builtin = {
  name: 'params',
  doc: 'The params of an instance in the order of declaration, those that it was given first; one that is shared comes once.',
  signatures: ['params(net: any): list'],
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
  doc: 'The elements of a list, or for a loop the rows of a tensor, with their positions: `(0, a), (1, b), …`.',
  signatures: ['enumerate(list: list): list', 'enumerate<T: any, N, ...S>(list: T[N, ...S])'],
  parameters: required('list'),
  run(call) {
    const { value, span } = call.given('list');
    if (value.kind === 'error') return ERROR;
    const items =
      value.kind === 'instance' ? paramsOf(value).items : value.kind === 'list' || value.kind === 'tuple' ? value.items : undefined;
    if (items !== undefined) return list(items.map((item, at) => tuple([number(at, true), item])));
    if (value.kind !== 'tensor' && value.kind !== 'variable')
      return fail(call.context, 'type-mismatch', span, `\`enumerate\` takes a list or a tensor, and this is ${describe(value)}`, {
        hint: 'e.g. `[a, b]`',
      });
    const of = readAll(call.context, value, span);
    return of.kind === 'tensor' ? { kind: 'rows', of } : ERROR;
  },
};

export const listBuiltins: readonly Builtin[] = [params, enumerate];
