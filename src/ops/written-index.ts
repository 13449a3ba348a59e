// Row numbers as programs write them. In: a node of integers, the size of the axis that they count in. Out: the same as an index.
// Holds: the language looks at indices itself, so a check in the graph is not written again; what nothing has checked is held inside, as
// ops do it with numbers out of range.

import type { Expression } from '../../grammar/index.js';
import type { Dim } from '../base/index.js';
import type { Node } from '../graph/index.js';
import { isNodeOf } from './apply.js';
import { cast } from './cast.js';
import { inRange } from './checks.js';
import { binary, called, digits } from './tdsl.js';
import type { Writer } from './writing.js';

export function writtenRows(ids: Node, rows: Dim, writer: Writer): Expression {
  const checked = isNodeOf(ids, cast) ? (ids.args[0] as Node) : ids;
  if (isNodeOf(checked, inRange) && checked.attrs.size.equals(rows) && checked.attrs.length.constant === 1)
    return writer.exact(checked.args[0] as Node);
  const value = writer.written(ids).literal ?? writer.exact(ids);
  if (writer.isInside(ids, rows)) return value;
  return called('min', [called('max', [value, digits('0')]), binary(writer.size(rows), '-', digits('1'))]);
}
