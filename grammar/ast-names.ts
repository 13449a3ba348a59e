// The syntax tree: names where they are declared or used as labels. In: what the parser read. Out: the other nodes.
// Holds: `text` is never empty.

import type { Span } from './span.js';

/** A name at a place where it is declared or used as a label. Never empty. */
export interface Identifier {
  readonly kind: 'identifier';
  readonly text: string;
  readonly span: Span;
}
