// Looking for names in a graph. In: boxes of an entry and a text. Out: nodes and boxes whose names, ops or models contain it.
// Holds: capitals do not matter; what is found is drawn once all boxes around it are open.

import { type Box, type Boxes, within } from './graph-boxes.js';
import { titleOf } from './graph-fold.js';

export interface Found {
  readonly id: string;
  readonly label: string;
  /** The innermost box around it. */
  readonly box: Box;
}

export function search({ root, titles }: Boxes, text: string, most: number): Found[] {
  const wanted = text.trim().toLowerCase();
  const found: Found[] = [];
  if (wanted === '') return found;
  const offer = (id: string, label: string, box: Box, names: readonly (string | undefined)[]): void => {
    if (found.length < most && names.some((name) => name?.toLowerCase().includes(wanted))) found.push({ id, label, box });
  };
  for (const box of within(root)) {
    // All members of a series have the same things inside.
    const paths = box.series.flatMap(({ path, of }) => [path, of]);
    if (box.parent !== undefined) offer(box.id, titleOf(box), box.parent, [titleOf(box), box.scope?.name, ...paths]);
    for (const { id, name, op, type } of box.nodes) {
      const shown = titles.get(id) ?? op;
      offer(id, `${name ?? shown}: ${type}`, box, [name, shown]);
    }
  }
  return found;
}
