// Values as lists of tensors and back: what goes around a loop. In: tuples and records of tensors. Out: their leaves in order; the same
// tree over other leaves.

import type { Span } from '../../grammar/index.js';
import type { Context } from './context.js';
import { limits } from '../base/index.js';
import { countable } from './growth.js';
import { tensorHint } from './ways-out.js';
import { excerpt, fail } from './report.js';
import { describe, ERROR, isTree, list, record, tuple, type Value } from './values.js';

/** The leaves in order; undefined after a diagnostic when something in it is no number or tensor. */
export function leavesOf(context: Context, value: Value, span: Span, what: string): Value[] | undefined {
  if (!countable(context, value, span, what, limits.carries)) return undefined;
  const leaves: Value[] = [];
  return collect(context, value, span, what, leaves, excerpt(context, span, '…')) ? leaves : undefined;
}

/** `text`: how the value is written, as far as it stands by itself. */
function collect(context: Context, value: Value, span: Span, what: string, leaves: Value[], text = '…'): boolean {
  switch (value.kind) {
    case 'error':
      return false;
    case 'tensor':
    case 'variable':
    case 'number':
    case 'size':
    case 'boolean':
      leaves.push(value);
      return true;
    case 'tuple':
    case 'list':
    case 'record':
      for (const item of value.kind === 'record' ? value.fields.values() : value.items)
        if (!collect(context, item, span, what, leaves)) return false;
      return true;
    default:
      fail(context, 'type-mismatch', span, `${what} is ${describe(value)}, and must be made of tensors`, {
        hint: tensorHint(value, text),
      });
      return false;
  }
}

/** The tree of `value` over new leaves. */
export function withLeaves(value: Value, leaves: readonly Value[]): Value {
  let at = 0;
  return mapLeaves(value, () => leaves[at++] ?? ERROR);
}

/** The tree of `value` with every leaf changed, in order. */
export function mapLeaves(value: Value, change: (leaf: Value) => Value): Value {
  switch (value.kind) {
    case 'tuple':
      return tuple(value.items.map((item) => mapLeaves(item, change)));
    case 'list':
      return list(value.items.map((item) => mapLeaves(item, change)));
    case 'record':
      return record([...value.fields].map(([name, field]) => [name, mapLeaves(field, change)] as const));
    default:
      return change(value);
  }
}

/** Are both made the same way, leaf for leaf? */
export function sameTree(a: Value, b: Value): boolean {
  if ((a.kind === 'tuple' && b.kind === 'tuple') || (a.kind === 'list' && b.kind === 'list'))
    return a.items.length === b.items.length && a.items.every((item, at) => sameTree(item, b.items[at] ?? ERROR));
  if (a.kind === 'record' && b.kind === 'record')
    return a.fields.size === b.fields.size && [...a.fields].every(([name, field]) => sameTree(field, b.fields.get(name) ?? ERROR));
  return !isTree(a) && !isTree(b);
}
