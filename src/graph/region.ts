// Ways into regions. In: nodes. Out: the regions among their attributes, and new attributes with regions replaced.
// Holds: regions stand only directly in an attribute, never in a list.

import type { AttrValue, Attrs, Node, Region } from './node.js';

export function isRegion(value: AttrValue | undefined): value is Region {
  return typeof value === 'object' && 'kind' in value && value.kind === 'region';
}

/** The regions of a node with their attribute names, sorted by name. */
export function regionsOf(node: Node): readonly (readonly [name: string, region: Region])[] {
  let regions: [string, Region][] | undefined;
  for (const name in node.attrs) {
    const value = node.attrs[name];
    if (isRegion(value)) (regions ??= []).push([name, value]);
  }
  return regions?.sort(([a], [b]) => (a < b ? -1 : 1)) ?? none;
}

const none: readonly never[] = [];

/** The same attributes with every region replaced; the same object when nothing changed. */
export function mapRegions(attrs: Attrs, change: (region: Region) => Region): Attrs {
  let changed: { [name: string]: AttrValue } | undefined;
  for (const name in attrs) {
    const value = attrs[name];
    if (!isRegion(value)) continue;
    const next = change(value);
    if (next === value) continue;
    changed ??= { ...attrs };
    changed[name] = next;
  }
  return changed ?? attrs;
}
