// The params behind a value. In: a param, an instance with all that it uses, or lists of these. Out: their records, or a value for each.
// Holds: they come in the order of declaration, what a model was given before what it declares; one that is shared comes once.

import type { Span } from '../../grammar/index.js';
import { isFloat } from '../base/index.js';
import { typeToString } from '../graph/index.js';
import type { Context } from './context.js';
import { fail } from './report.js';
import { bindingLabel } from './tensors.js';
import { describe, isTree, list, type InstanceValue, type ListValue, type Value } from './values.js';
import type { VariableRecord } from './variables.js';

/** What an instance stands for: the list of its params. */
export const paramsOf = (instance: InstanceValue): ListValue =>
  list([...recordsOf(instance)].map((variable) => ({ kind: 'variable', variable, binding: undefined })));

/** Every variable that is a param of the instance or of one that it uses. */
function recordsOf(instance: InstanceValue): ReadonlySet<VariableRecord> {
  const found = new Set<VariableRecord>();
  visit(instance, (value) => {
    if (value.kind === 'variable' && value.variable.kind === 'param') found.add(value.variable);
  });
  return found;
}

/** Goes over a value, its parts and the members of instances in it, parents first; what stands in several places is looked into once. */
function visit(value: Value, look: (value: Value) => void): void {
  const seen = new Set<Value>();
  const waiting: Value[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    look(next);
    // Last pushed, first visited.
    for (const part of partsOf(next).toReversed()) waiting.push(part);
  }
}

function partsOf(value: Value): readonly Value[] {
  if (value.kind === 'instance') {
    const names = [...value.model.declaration.parameters.map((parameter) => parameter.name.text), ...value.members];
    return names.flatMap((name) => value.scope.own(name)?.value() ?? []);
  }
  if (!isTree(value)) return [];
  return value.kind === 'record' ? [...value.fields.values()] : value.items;
}

/** Params that are trained: float ones, each once. Undefined after a diagnostic. `clause`: where they stand, e.g. `` `over` ``. */
export function trainedParams(context: Context, value: Value, span: Span, clause: string): readonly VariableRecord[] | undefined {
  const found = new Set<VariableRecord>();
  const seen = new Set<Value>();
  const waiting: Value[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    switch (next.kind) {
      case 'error':
        return undefined;
      case 'list':
      case 'tuple':
        for (const item of next.items.toReversed()) waiting.push(item);
        break;
      case 'instance':
        for (const item of paramsOf(next).items.toReversed()) waiting.push(item);
        break;
      case 'variable': {
        const { variable } = next;
        if (variable.kind !== 'param' || !isFloat(variable.type.dtype)) {
          fail(
            context,
            'type-mismatch',
            span,
            `\`${variable.path}\` is a ${variable.kind} of ${typeToString(variable.type)}, and cannot be trained`,
            {
              labels: variable.span === undefined ? [] : [{ span: variable.span, text: 'declared here' }],
              hint: 'declare it as a float `param`',
            },
          );
          return undefined;
        }
        found.add(variable);
        break;
      }
      default:
        fail(context, 'type-mismatch', span, `${clause} takes params, and this is ${describe(next)}`, {
          labels: bindingLabel(next),
          hint:
            next.kind === 'tensor'
              ? 'a param is trained as a whole, by its own name'
              : 'a param, a list of params, or an instance of a model',
        });
        return undefined;
    }
  }
  return [...found];
}
