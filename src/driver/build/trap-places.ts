// Where nodes stand that a trap may name. In: an entry with a trap, origins, the texts. Out: places as the manifest has them. Holds:
// lines and columns count from 1, as in editors.

import { placeOf, type Texts } from '../../../grammar/places.js';
import type { TrapPlace, TrapSpec } from '../../../runtime/abi/manifest.js';
import { type Entry, type GraphBuilder, type Node, type Origin, sourceOf } from '../../graph/index.js';
import { nothingFound } from '../../passes/index.js';
import { textAt } from './places.js';

/** Undefined for an entry that sets no trap. */
export function trapSpec(entry: Entry, build: GraphBuilder, texts: Texts): TrapSpec | undefined {
  if (entry.trap === undefined) return undefined;
  const { output, places } = entry.trap;
  return { output, nothing: nothingFound, places: places.map((node) => trapPlace(node, entry.name, build, texts)) };
}

function trapPlace(node: Node, entry: string, build: GraphBuilder, texts: Texts): TrapPlace {
  const source = sourceOf(node);
  if (source?.kind === 'feed') return { kind: 'feed', of: source.name };
  if (source?.kind === 'variable') return { kind: 'variable', of: source.path };
  const origin = narrowest(build.originsOf(node), entry);
  if (origin === undefined) return { kind: 'op', of: node.op.name };
  return {
    kind: 'op',
    of: node.op.name,
    text: textAt(origin.span, texts),
    backward: origin.backward,
    at: placeOf(origin.span, texts),
    ...(origin.scope === '' ? {} : { scope: origin.scope }),
  };
}

/** The first origin in the entry; of those inside of it, as a line in a loop whose derivative is taken, the shortest. */
function narrowest(origins: readonly Origin[], entry: string): Origin | undefined {
  const first = origins.find((one) => one.entry === entry) ?? origins[0];
  const within = ({ span }: Origin, { span: other }: Origin): boolean =>
    span.source === other.source && span.start >= other.start && span.end <= other.end;
  return origins.reduce((best, one) => (best !== undefined && within(one, best) ? one : best), first);
}
