// Places of a program as a manifest names them. In: spans, the texts. Out: `model.tdsl:12:9`, and what stands there. Holds: a text stands
// on one line.

import type { CheckSpec, FactSpec } from '../../../runtime/abi/manifest.js';
import { placeOf, type Texts } from '../../../grammar/places.js';
import { printable, type Span } from '../../base/index.js';
import type { Entry, SizeFact } from '../../graph/index.js';
import { sizeOf } from './manifest-size.js';

export const textAt = ({ source, start, end }: Span, texts: Texts): string => shortened(texts.get(source)?.slice(start, end) ?? '');

/** On one line. */
function shortened(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim());
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}

/** Characters of a program's text. */
const longest = 60;

/** Undefined for an entry without checks. */
export function checkSpec({ checks }: Entry, texts: Texts): CheckSpec | undefined {
  if (checks === undefined) return undefined;
  const { status, said, places } = checks;
  return {
    status,
    said,
    places: places.map(({ code, size, length, ...span }) => ({
      code,
      at: placeOf(span, texts),
      text: textAt(span, texts),
      size: sizeOf(size),
      length: sizeOf(length),
    })),
  };
}

/** Where a fact comes from that nobody declared. */
export const factPlace = ({ inferred }: SizeFact, texts: Texts): Pick<FactSpec, 'at' | 'text'> =>
  inferred === undefined ? {} : { at: placeOf(inferred, texts), text: textAt(inferred, texts) };
