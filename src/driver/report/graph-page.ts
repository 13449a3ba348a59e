// The graph as a page to walk through. In: views of entries, texts, and the page's script. Out: HTML in one piece, which loads nothing.
// Holds: what programs say stands in the page as data alone, in JSON without `<`, and a policy lets no script and no style run but ours.

import type { Texts } from '../../../grammar/index.js';
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { printable, printableLines } from '../../base/index.js';
import type { EntryView } from './graph-view.js';

export interface PageData {
  readonly entries: readonly EntryView[];
  /** So many levels are open at first; undefined: what is made of instances. */
  readonly depth?: number;
  /** `file:line` → the line's text, for all places in the graph. */
  readonly lines: { readonly [place: string]: string };
}

const style = `
body { margin: 0; height: 100vh; display: grid; grid-template: auto 1fr / 1fr 20rem; font: 14px Helvetica, Arial, sans-serif; color: #222 }
header { grid-column: 1 / 3; display: flex; gap: 0.5rem; align-items: center; padding: 0.5rem; border-bottom: 1px solid #ddd }
header h1 { font-size: 1rem; margin: 0 1rem 0 0 }
header input { flex: 1; max-width: 24rem }
#drawing { overflow: auto; padding: 0.5rem; cursor: grab; user-select: none }
aside { overflow: auto; border-left: 1px solid #ddd; padding: 0.5rem }
aside h2 { font-size: 1rem; overflow-wrap: anywhere }
aside dt { color: #666; margin-top: 0.5rem }
aside dd { margin: 0; overflow-wrap: anywhere }
aside pre { overflow: auto; background: #f4f4f8; padding: 0.5rem }
#found { list-style: none; margin: 0; padding: 0; max-height: 40vh; overflow: auto }
#found button { width: 100%; text-align: left; border: 0; background: none; padding: 0.2rem; overflow-wrap: anywhere; cursor: pointer }
#found button:hover { background: #e0ecfa }
g.closed, g.open > text, g.node { cursor: pointer }
g.open > text { text-decoration: underline dotted }
g.selected > path, g.selected > polygon { stroke: #d04020; stroke-width: 2 }
`;

export function toHtml(entries: readonly EntryView[], file: string, texts: Texts, depth: number | undefined, script: string): string {
  const data: PageData = { entries, ...(depth === undefined ? {} : { depth }), lines: linesOf(entries, texts) };
  const title = markup(`${basename(file)} – tfc graph`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '${digest(script)}' 'wasm-unsafe-eval'; style-src '${digest(style)}'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${markup(basename(file))}</h1>
<select id="entry" aria-label="entry"></select>
<button id="fold">Fold all</button>
<button id="more">Open one level</button>
<button id="smaller" aria-label="smaller">−</button>
<button id="larger" aria-label="larger">+</button>
<button id="fit">Fit</button>
<input id="search" type="search" placeholder="Search names, ops, models" aria-label="search">
</header>
<div id="drawing"><noscript>This page draws with a script of its own.</noscript></div>
<aside><ul id="found"></ul><div id="details"></div></aside>
<script id="graph" type="application/json">${printableLines(JSON.stringify(data)).replaceAll('<', '\\u003c')}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Text between tags. */
const markup = (text: string): string => printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const digest = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

function linesOf(entries: readonly EntryView[], texts: Texts): PageData['lines'] {
  const lines = new Map<string, readonly string[]>();
  const found = new Map<string, string>();
  for (const { nodes, scopes } of entries) {
    for (const { place } of [...nodes, ...scopes]) {
      if (place === undefined || found.has(place)) continue;
      const end = place.lastIndexOf(':');
      const source = place.slice(0, end);
      const all = lines.get(source) ?? (texts.get(source) ?? '').split(/\r\n|\n|\r/);
      lines.set(source, all);
      found.set(place, (all[Number(place.slice(end + 1)) - 1] ?? '').trim());
    }
  }
  return Object.fromEntries(found);
}
