// Where diagnostics are collected. In: code, place, sentence. Out: the mistakes and the warnings, each once.
// Holds: a mistake in the standard library is shown at the user's call that led there; every mistake inside a called function
// also labels the call.

import type { Span } from '../../grammar/index.js';
import type { Diagnostic, DiagnosticCode, Label } from '../base/index.js';
import type { Context } from './context.js';
import { ERROR, type ErrorValue } from './values.js';

export interface Details {
  readonly labels?: readonly Label[] | undefined;
  /** A function where it takes a search: it is asked only when the mistake is kept. */
  readonly hint?: string | (() => string | undefined) | undefined;
}

/** How many diagnostics are kept: beyond that nobody reads them. */
const LIMIT = 100;
/** How many calls around a mistake are labelled. */
const CALLS = 3;

export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #warnings: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #muted = 0;
  #silenced = 0;
  #filter: ((code: DiagnosticCode) => boolean) | undefined;

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  get warnings(): readonly Diagnostic[] {
    return this.#warnings;
  }

  /** `hintOf` is asked for its hint only if the diagnostic is kept. */
  add(diagnostic: Diagnostic, hintOf?: () => string | undefined): void {
    const warns = diagnostic.severity === 'warning';
    if (this.#muted > 0) {
      if (!warns) this.#silenced += 1;
      return;
    }
    if (this.#filter !== undefined && !this.#filter(diagnostic.code)) return;
    const key = `${placeOf(diagnostic.code, diagnostic.span)} ${diagnostic.message}`;
    const list = warns ? this.#warnings : this.#diagnostics;
    if (this.#seen.has(key) || list.length >= LIMIT) return;
    this.#seen.add(key);
    const hint = hintOf?.();
    list.push(hint === undefined ? diagnostic : { ...diagnostic, hint });
  }

  /** Runs `attempt` without keeping its diagnostics; `failed` tells whether there were any. */
  silently<T>(attempt: () => T): { readonly value: T; readonly failed: boolean } {
    const before = this.#silenced;
    this.#muted += 1;
    try {
      const value = attempt();
      return { value, failed: this.#silenced > before };
    } finally {
      this.#muted -= 1;
    }
  }

  /** Runs `check`, keeping only the codes that `keep` accepts. */
  only<T>(keep: (code: DiagnosticCode) => boolean, check: () => T): T {
    const before = this.#filter;
    this.#filter = keep;
    try {
      return check();
    } finally {
      this.#filter = before;
    }
  }
}

/** Reports a mistake and gives the value that silences what follows from it. */
export function fail(context: Context, code: DiagnosticCode, span: Span, message: string, details: Details = {}): ErrorValue {
  report(context, { code, message, span, ...details });
  return ERROR;
}

/** Reports what compiles, and is hardly what was meant. */
export const warn = (context: Context, code: DiagnosticCode, span: Span, message: string, details: Details = {}): void =>
  report(context, { code, severity: 'warning', message, span, ...details });

function report(context: Context, { span, hint, ...details }: Omit<Diagnostic, 'hint'> & Details & { readonly span: Span }): void {
  const labels: Label[] = [...(details.labels ?? [])];
  const isStd = (one: Span): boolean => context.checker.modules.get(one.source)?.std ?? false;
  let primary = span;
  let calls = 0;
  for (let frame = context.frame; frame !== undefined; frame = frame.caller) {
    if (isStd(frame.site)) continue;
    if (isStd(primary)) {
      labels.push({ span: primary, text: `inside \`${frame.name}\`` });
      primary = frame.site;
    } else if (calls < CALLS) {
      labels.push({ span: frame.site, text: `in this call of \`${frame.name}\`` });
      calls += 1;
    }
  }
  const known = new Set<string>([spanKey(primary)]);
  const kept = labels.filter((label) => {
    const key = spanKey(label.span);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
  const { labels: _, ...rest } = details;
  context.checker.reporter.add(
    { ...rest, span: primary, ...(kept.length > 0 ? { labels: kept } : {}) },
    typeof hint === 'function' ? hint : () => hint,
  );
}

const spanKey = (span: Span): string => `${span.source}:${span.start}:${span.end}`;

/** The text of a piece of program when it is short enough for a sentence, else `fallback`. */
export function excerpt(context: Context, span: Span, fallback: string): string {
  const text = context.checker.modules.get(span.source)?.program.source.text.slice(span.start, span.end) ?? '';
  return text === '' || text.length > 32 || text.includes('\n') ? fallback : text;
}

const placeOf = (code: DiagnosticCode, span: Span | undefined): string =>
  span === undefined ? code : `${code} ${span.source}:${span.start}:${span.end}`;
