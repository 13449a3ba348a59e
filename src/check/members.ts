// Members that every tensor and every list has: `x.shape`, `x.rank`, `x.dtype`, `list.length`. In: a value. Out: its members, each of which
// gives a value that is known when compiling.

import { sizesToValues } from './sizes.js';
import { fallbackDType, shapeOf } from './tensors.js';
import { list, number, type Value } from './values.js';

export interface Member {
  readonly name: string;
  /** One sentence for people. */
  readonly doc: string;
  /** What it is a member of, and what it gives, as documents write it. */
  readonly signature: string;
  value(of: Value): Value;
}

const tensorMembers: readonly Member[] = [
  {
    name: 'shape',
    doc: 'The sizes of the axes, as a list.',
    signature: 'x.shape: list',
    value: (of) => list(sizesToValues(shapeOf(of) ?? [])),
  },
  {
    name: 'rank',
    doc: 'The number of axes.',
    signature: 'x.rank: int',
    value: (of) => number((shapeOf(of) ?? []).length, true),
  },
  {
    name: 'dtype',
    doc: 'The element type, which converts when it is called: `x.dtype(n)`.',
    signature: 'x.dtype',
    value: (of) => ({ kind: 'dtype', dtype: fallbackDType(of) }),
  },
];

const listMembers: readonly Member[] = [
  {
    name: 'length',
    doc: 'The number of elements of a list.',
    signature: 'list.length: int',
    value: (of) => number(of.kind === 'list' ? of.items.length : 0, true),
  },
];

/** All of them, for documents. */
export const members: readonly Member[] = [...tensorMembers, ...listMembers];

export function membersOf(value: Value): readonly Member[] {
  switch (value.kind) {
    case 'list':
      return listMembers;
    case 'tensor':
    case 'variable':
    case 'number':
    case 'size':
    case 'boolean':
      return tensorMembers;
    default:
      return [];
  }
}
