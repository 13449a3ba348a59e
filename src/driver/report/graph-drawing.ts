// The graph as a picture. In: views of entries, how many levels of boxes are open. Out: DOT, or SVG by Graphviz.

import type * as WasmGraphviz from '@hpcc-js/wasm-graphviz';
import { library } from '../../input/library.js';
import { boxesOf } from './graph-boxes.js';
import { toDot } from './graph-dot.js';
import { fold, openTo, openToInstances } from './graph-fold.js';
import type { EntryView } from './graph-view.js';

/** `depth`: undefined opens what is made of instances. */
export const dotOf = (views: readonly EntryView[], depth: number | undefined): string =>
  toDot(views.map((view) => fold(boxesOf(view), depth === undefined ? openToInstances : openTo(depth))));

export async function svgOf(views: readonly EntryView[], depth: number | undefined): Promise<string> {
  // Not by `import()`: code that was compiled ahead has no way to call it.
  const { Graphviz } = library<typeof WasmGraphviz>('@hpcc-js/wasm-graphviz');
  return (await Graphviz.load()).dot(dotOf(views, depth));
}
