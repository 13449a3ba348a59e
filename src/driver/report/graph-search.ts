// Looking for names in a graph. In: boxes of an entry and a text. Out: nodes and boxes whose names, ops or models contain it.
// Holds: capitals do not matter; what is found is drawn once all boxes around it are open; a member of a series leads to the one that is
// drawn.

import { type Box, type Boxes, within } from './graph-boxes.js';
import { titleOf } from './graph-fold.js';

export interface Found {
  readonly id: string;
  readonly label: string;
  /** The innermost box around it. */
  readonly box: Box;
}

export function search({ view, root, titles, boxOf, standIn }: Boxes, text: string, most: number): Found[] {
  const wanted = text.trim().toLowerCase();
  const found = new Map<string, Found>();
  const offer = (one: Found, names: readonly (string | undefined)[]): void => {
    if (found.size < most && !found.has(one.id) && names.some((name) => name?.toLowerCase().includes(wanted))) found.set(one.id, one);
  };
  if (wanted === '') return [];
  for (const box of within(root)) {
    const { parent, scope, series } = box;
    if (parent === undefined) continue;
    const title = titleOf(box);
    const label = parent === root ? title : `${title} in ${titleOf(parent)}`;
    offer({ id: box.id, label, box: parent }, [title, scope?.name, ...series.flatMap(({ path, of }) => [path, of])]);
  }
  for (const node of view.nodes) {
    const { id } = standIn(node.id);
    const box = boxOf.get(id);
    const op = titles.get(id) ?? node.op;
    if (box !== undefined) offer({ id, label: `${node.name ?? op}: ${node.type}`, box }, [node.name, op]);
  }
  return [...found.values()];
}
