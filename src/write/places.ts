// Where a node comes from, in words. In: a node's origins, the texts. Out: `line 12: let z = x @ w`. Holds: what the library computes is
// told by the line that calls it.

import { positionsOf, type Span, type Texts } from '../../grammar/index.js';
import { printable } from '../base/index.js';
import type { GraphBuilder, Node, Origin } from '../graph/index.js';
import { partsOf } from './names.js';

interface Place {
  readonly span: Span;
  readonly backward: boolean;
}

/** `texts` are those of the program, without the library's. Of several places of a node that of this entry, and a forward one. */
export function placeOf(node: Node, entry: string, build: GraphBuilder, texts: Texts): Place | undefined {
  const all = build.originsOf(node);
  const own = all.filter((origin) => origin.entry === undefined || origin.entry === entry);
  const among = own.length > 0 ? own : all;
  const forward = among.filter(({ backward }) => !backward);
  for (const origin of [...forward, ...among]) {
    const span = ownSpan(origin, build, texts);
    if (span !== undefined) return { span, backward: forward.length === 0 };
  }
  return undefined;
}

/** The place itself, or the call around it that stands in the program. */
function ownSpan({ span, scope, entry = '' }: Origin, build: GraphBuilder, texts: Texts): Span | undefined {
  let place = span;
  for (let around = build.scopeAt(entry, scope); !texts.has(place.source) && around !== undefined;) {
    place = around.span;
    around = build.scopeAt(entry, around.parent);
  }
  return texts.has(place.source) ? place : undefined;
}

/** The instance whose call a node was made in, by the name that it has in its model. */
export function instanceOf(node: Node, entry: string, build: GraphBuilder): string | undefined {
  for (const origin of build.originsOf(node)) {
    if (origin.backward) continue;
    const own = origin.entry ?? entry;
    for (let scope = build.scopeAt(own, origin.scope); scope !== undefined; scope = build.scopeAt(own, scope.parent))
      if (scope.kind === 'instance') return partsOf(scope.of ?? scope.name).at(-1);
  }
  return undefined;
}

/** `root`: the file whose name need not be said. */
export function placeText({ span, backward }: Place, root: string, texts: Texts): string {
  const line = positionsOf(span, texts)?.start.line ?? 1;
  const written = printable(((texts.get(span.source) ?? '').split(/\r\n?|\n/)[line - 1] ?? '').replaceAll(/\s+/g, ' ').trim());
  const file = span.source === root ? '' : ` of ${printable(span.source)}`;
  return `${backward ? 'back through' : 'from'} line ${line}${file}: ${written.length > longest ? `${written.slice(0, longest)}…` : written}`;
}

/** Characters of a line of the program. */
const longest = 64;
