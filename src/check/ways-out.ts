// What to write where a value of one kind stands and another kind is wanted. In: the value, what its text is called. Out: hints.
// Holds: hints name members, fields and parts that are there.

import type { TypeExpression } from '../../grammar/index.js';
import { lastItem } from './sizes.js';
import { shapeOf } from './tensors.js';
import { isCallable, type InstanceValue, type Value } from './values.js';

/** For a lambda where a comparison was meant. */
export const lambdaHint = '"at least" is written `>=`; `=>` makes a lambda';

/** For a value that is no tensor where one is wanted; `text` is how it is written, when that is short. */
export function tensorHint(value: Value, text = '…'): string | undefined {
  switch (value.kind) {
    case 'tuple':
      return value.items.length === 0
        ? undefined
        : `take one of its parts, \`${text}[0]\`, or bind each: \`let (${value.items.length > 4 ? 'a, …' : [...'abcd'].slice(0, value.items.length).join(', ')}) = …\``;
    case 'list':
      return 'make a tensor of it: `stack([…])`, or add its elements: `addN([…])`';
    case 'record': {
      const [first] = value.fields.keys();
      return first === undefined ? undefined : `take one of its fields: \`${text}.${first}\``;
    }
    case 'instance': {
      if (isCallable(value)) return `call it: \`${text}(…)\``;
      const [first] = value.members;
      return first === undefined ? undefined : `name one of its members: \`${text}.${first}\``;
    }
    case 'model':
      return `make an instance, and call that: ${instanceExample(value.declaration.name.text, value.declaration.generics)}`;
    case 'dtype':
      return `it converts what it is called with: \`${value.dtype}(…)\``;
    case 'optimizer':
    case 'optimizer-rule':
      return 'an optimizer stands behind `with`: `minimize loss with sgd(lr: 0.1)`';
    case 'lambda':
      return `call it, or make what it takes an argument; ${lambdaHint}`;
    case 'string':
      return 'a text exists only while compiling: give a number';
    case 'function':
    case 'builtin':
      return `call it: \`${text}(…)\``;
    default:
      return undefined;
  }
}

/** `` `net = Dense<In, Out>(…)` `` */
export function instanceExample(
  name: string,
  generics: readonly { readonly name: { readonly text: string }; readonly initial: unknown }[],
): string {
  const needed = generics.filter(({ initial }) => initial === null).map((generic) => generic.name.text);
  return `\`net = ${name}${needed.length === 0 ? '' : `<${needed.join(', ')}>`}(…)\``;
}

/** For a value of any kind where a type of another kind is declared. */
export function kindHint(value: Value, type: TypeExpression): string | undefined {
  switch (type.kind) {
    case 'record-type':
      return `write its fields: \`{ ${type.fields.map((field) => `${field.name.text}: …`).join(', ')} }\``;
    case 'tuple-type':
      return `write its parts: \`(${type.elements.map(() => '…').join(', ')})\``;
    case 'fn-type':
      return 'pass the name of a function, or a lambda: `x => …`';
    case 'named-type':
      return tensorHint(value);
    case 'missing-type':
      return undefined;
  }
}

/** For an index of a list that only the running program knows. */
export function itemHint(text: string, items: readonly Value[], index: Value): string | undefined {
  if (index.kind === 'number') return lastItem(items.length);
  return items.every((item) => shapeOf(item) !== undefined)
    ? `make a tensor of it, whose rows have numbers: \`stack(${text})[…]\``
    : `let a loop run over the list itself: \`fold one in ${text} with …\``;
}

/** For what is indexed and has no elements. */
export function elementHint(object: Value, text: string): string | undefined {
  if (object.kind === 'instance') return `name a param of it: \`${text}.w[…]\``;
  return object.kind === 'builtin' || object.kind === 'function'
    ? 'over indices `sum`, `mean`, `max`, `min`, `product`, `any` and `all` combine; a function is called: `f(x)`'
    : tensorHint(object, text);
}

/** For an instance whose model has no `call`. */
export function methodHint(instance: InstanceValue, text: string): string {
  const method = instance.model.declaration.members.find((member) => member.kind === 'fn' || member.kind === 'step');
  return method === undefined ? 'give it one: `fn call(x: …) = …`' : `call a function of it: \`${text}.${method.name.text}(…)\``;
}

/** For what is called and is no function. */
export function callHint(value: Value, text: string): string | undefined {
  switch (value.kind) {
    case 'list':
    case 'tuple':
      return value.items.some(isCallable)
        ? `let a loop call one after the other: \`fold f in ${text} with h = x { f(h) }\``
        : `an element is \`${text}[0]\``;
    case 'tensor':
    case 'variable':
    case 'number':
    case 'size':
      return `a product is written \`${text} * (…)\`, an element \`${text}[…]\``;
    case 'optimizer-rule':
    case 'record':
      return tensorHint(value, text);
    default:
      return undefined;
  }
}
