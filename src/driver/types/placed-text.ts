// Text that knows where its pieces come from. In: pieces, some with a place in a source. Out: the text and its source map. Holds: the map
// names sources relative to itself and has nothing of their text in it, so equal programs give equal bytes wherever they lie.

import { addMapping, GenMapping, toEncodedMap } from '@jridgewell/gen-mapping';
import { positionsOf, type Span, type Texts } from '../../../grammar/index.js';
import type { Position } from '../../../grammar/span.js';

export class PlacedText {
  readonly #map = new GenMapping();
  readonly #texts: Texts;
  readonly #nameOf: (source: string) => string;
  readonly #lines: string[] = [''];

  /** `nameOf`: how the map calls a source, as its own directory sees it. */
  constructor(texts: Texts, nameOf: (source: string) => string) {
    this.#texts = texts;
    this.#nameOf = nameOf;
  }

  add(text: string): this {
    const [first = '', ...more] = text.split('\n');
    this.#lines[this.#lines.length - 1] += first;
    this.#lines.push(...more);
    return this;
  }

  /** A piece that stands for `span`, whose both ends are mapped. Of a source without a text nothing is known. */
  addPlaced(text: string, span: Span | undefined): this {
    const ends = span === undefined ? undefined : positionsOf(span, this.#texts);
    if (span === undefined || ends === undefined) return this.add(text);
    this.#mark(span.source, ends.start);
    this.add(text);
    this.#mark(span.source, ends.end);
    return this;
  }

  /** Of the text so far. */
  map(file: string): string {
    const { version, names, sources, mappings } = toEncodedMap(this.#map);
    return JSON.stringify({ version, file, names, sources, mappings });
  }

  toString(): string {
    return this.#lines.join('\n');
  }

  #mark(source: string, { line, column }: Position): void {
    addMapping(this.#map, {
      generated: { line: this.#lines.length, column: this.#lines.at(-1)?.length ?? 0 },
      source: this.#nameOf(source),
      original: { line, column: column - 1 },
    });
  }
}
