// What follows from a syntax error is not told. In: diagnostics and the modules they are about. Out: those worth reading.
// Holds: a declaration that could not be read as it stands is reported once, for its syntax; all others are checked to the end.

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
  const told = new Set<string>();
  return diagnostics.filter(({ code, span }) => {
    if (span === undefined) return true;
    if (code !== 'syntax-error') return !broken.has(placeOf(span));
    // What could not be read may stand where nothing may: that is told once.
    const place = `${span.source}:${span.start}`;
    const isNew = !told.has(place);
    told.add(place);
    return isNew;
  });
}
