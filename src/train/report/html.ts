// Text in pages. In: any text. Out: the same as HTML shows it, between tags and in quoted attributes. Holds: nothing from outside becomes
// markup, and nothing steers or hides what is read.

import { printable, printableLines } from '../../base/index.js';
import type { HyperParameter } from '../recorder.js';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] as string);

/** One line. */
export const html = (text: string): string => escaped(printable(text));

/** With its line ends. */
export const htmlLines = (text: string): string => escaped(printableLines(text));

/** A table; cells are HTML. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table>${head.length === 0 ? '' : `<thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead>`}<tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('\n')}</tbody></table></div>`;

/** Five digits; whole numbers as they are. */
export const shownNumber = (value: number | undefined): string =>
  value === undefined ? '' : Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : html(String(Number(value.toPrecision(5))));

export const shownParameter = (value: HyperParameter | undefined): string => (value === undefined ? '' : html(String(value)));
