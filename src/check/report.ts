// Where diagnostics are collected. In: code, place, sentence. Out: the mistakes and the warnings, each once.
// Holds: a mistake in the standard library is shown at the user's call that led there; every mistake inside a called function
// also labels the call.

import type { Span } from '../../grammar/index.js';
import type { Diagnostic, DiagnosticCode, Label } from '../base/index.js';
import type { Context } from './context.js';
import { ERROR, type ErrorValue } from './values.js';

export interface Details {
  /** A function where they take a search, as for the hint. */
  readonly labels?: readonly Label[] | (() => readonly Label[]) | undefined;
  /** A function where it takes a search: it is asked only when the mistake is kept. */
  readonly hint?: string | (() => string | undefined) | undefined;
}

/** How many diagnostics are kept: beyond that nobody reads them. */
const LIMIT = 100;
/** How many calls around a mistake are labelled. */
const CALLS = 3;

/** What an attempt gave, with how many mistakes, and how many of them dtypes are about. */
interface Silenced<T> {
  readonly value: T;
  readonly failed: boolean;
  readonly mistakes: number;
  readonly ofDTypes: number;
}

export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #warnings: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #said = 0;
  #muted = 0;
  #silenced = 0;
  /** Those of them that dtypes are about. */
  #ofDTypes = 0;
  #filter: ((code: DiagnosticCode) => boolean) | undefined;

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  get warnings(): readonly Diagnostic[] {
    return this.#warnings;
  }

  /** How often something was to be said, and not kept silent, whether it was new or not. */
  get said(): number {
    return this.#said;
  }

  /** `restOf` is asked for labels and hint only if the diagnostic is kept. */
  add(diagnostic: Diagnostic, restOf?: () => Pick<Diagnostic, 'labels' | 'hint'>): void {
    const warns = diagnostic.severity === 'warning';
    if (this.#muted > 0) {
      if (!warns) this.#silenced += 1;
      if (diagnostic.code === 'dtype-mismatch') this.#ofDTypes += 1;
      return;
    }
    this.#said += 1;
    if (this.#filter !== undefined && !this.#filter(diagnostic.code)) return;
    const key = `${placeOf(diagnostic.code, diagnostic.span)} ${diagnostic.message}`;
    const list = warns ? this.#warnings : this.#diagnostics;
    if (this.#seen.has(key) || list.length >= LIMIT) return;
    this.#seen.add(key);
    list.push(restOf === undefined ? diagnostic : { ...diagnostic, ...restOf() });
  }

  /** Runs `attempt` without keeping its diagnostics; `mistakes`: how many there were. */
  silently<T>(attempt: () => T): Silenced<T> {
    const before = this.#silenced;
    const ofDTypes = this.#ofDTypes;
    this.#muted += 1;
    try {
      const value = attempt();
      const mistakes = this.#silenced - before;
      return { value, failed: mistakes > 0, mistakes, ofDTypes: this.#ofDTypes - ofDTypes };
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

type Report = Omit<Diagnostic, 'hint' | 'labels'> & Details & { readonly span: Span };

function report(context: Context, { span, hint, labels: given = [], ...details }: Report): void {
  const calls: Label[] = [];
  const isStd = (one: Span): boolean => context.checker.modules.get(one.source)?.std ?? false;
  let primary = span;
  let shown = 0;
  for (let frame = context.frame; frame !== undefined; frame = frame.caller) {
    if (isStd(frame.site)) continue;
    if (isStd(primary)) {
      calls.push({ span: primary, text: `inside \`${frame.name}\`` });
      primary = frame.site;
    } else if (shown < CALLS) {
      calls.push({ span: frame.site, text: `in this call of \`${frame.name}\`` });
      shown += 1;
    }
  }
  context.checker.reporter.add({ ...details, span: primary }, () => {
    const labels = distinct([...(typeof given === 'function' ? given() : given), ...calls], primary);
    const said = typeof hint === 'function' ? hint() : hint;
    return { ...(labels.length > 0 ? { labels } : {}), ...(said === undefined ? {} : { hint: said }) };
  });
}

/** One label for each place, and none for `primary`. */
function distinct(labels: readonly Label[], primary: Span): readonly Label[] {
  const known = new Set<string>([spanKey(primary)]);
  return labels.filter((label) => {
    const key = spanKey(label.span);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

const spanKey = (span: Span): string => `${span.source}:${span.start}:${span.end}`;

/** The text of a piece of program when it is short enough for a sentence, else `fallback`. */
export function excerpt(context: Context, span: Span, fallback: string): string {
  const text = context.checker.modules.get(span.source)?.program.source.text.slice(span.start, span.end) ?? '';
  return text === '' || text.length > 32 || text.includes('\n') ? fallback : text;
}

const placeOf = (code: DiagnosticCode, span: Span | undefined): string =>
  span === undefined ? code : `${code} ${span.source}:${span.start}:${span.end}`;
