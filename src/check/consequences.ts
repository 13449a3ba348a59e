// What follows from a syntax error is not told. In: diagnostics and the modules they are about. Out: those worth reading.
// Holds: a declaration that could not be read as it stands is reported once, for its syntax; of names that it may have declared nothing is
// said. All others are checked to the end.

import type { Span } from '../../grammar/index.js';
import type { Diagnostic } from '../base/index.js';
import type { Module } from './context.js';

/**
 * Without the mistakes that were found in declarations with syntax errors. A declaration reaches to the next one: recovery may have ended
 * it early.
 */
export function withoutConsequences(diagnostics: readonly Diagnostic[], modules: ReadonlyMap<string, Module>): readonly Diagnostic[] {
  const broken = new Set<string>();
  const placeOf = (span: Span): string => {
    const starts = modules.get(span.source)?.program.declarations.map((declaration) => declaration.span.start) ?? [];
    return `${span.source}:${starts.findLast((start) => start <= span.start) ?? 0}`;
  };
  for (const { code, span } of diagnostics) if (code === 'syntax-error' && span !== undefined) broken.add(placeOf(span));
  if (broken.size === 0) return diagnostics;
  const lost = wordsOf(broken, modules);
  const told = new Set<string>();
  return diagnostics.filter(({ code, span }) => {
    if (span === undefined) return true;
    if (code !== 'syntax-error') return !broken.has(placeOf(span)) && !(code === 'unknown-name' && lost.has(textAt(span, modules)));
    // What could not be read may stand where nothing may: that is told once.
    const place = `${span.source}:${span.start}`;
    const isNew = !told.has(place);
    told.add(place);
    return isNew;
  });
}

const textAt = ({ source, start, end }: Span, modules: ReadonlyMap<string, Module>): string =>
  modules.get(source)?.program.source.text.slice(start, end) ?? '';

/** The words of what could not be read: one of them may be a name that it declares. */
function wordsOf(broken: ReadonlySet<string>, modules: ReadonlyMap<string, Module>): ReadonlySet<string> {
  const words = new Set<string>();
  for (const place of broken) {
    const colon = place.lastIndexOf(':');
    const program = modules.get(place.slice(0, colon))?.program;
    const start = Number(place.slice(colon + 1));
    const next = program?.declarations.find((one) => one.span.start > start)?.span.start;
    for (const [word] of program?.source.text.slice(start, next).matchAll(/[\p{L}_][\p{L}\p{M}\p{N}_]*/gu) ?? []) words.add(word);
  }
  return words;
}
