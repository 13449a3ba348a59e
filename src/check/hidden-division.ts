// `x // 2`, which Python rounds down and TDSL reads as a comment. In: a program with its comments. Out: a warning for each comment that
// looks like the right side of a quotient.
// Holds: prose is no quotient: what stands there is a whole number, or a name of the same declaration, and nothing but operators, brackets
// and more of these; before it stands the end of a value, on the same line.

import type { Comment, Program } from '../../grammar/index.js';
import type { Checker } from './context.js';

const operand = String.raw`(?:\d+|[\p{L}_][\p{L}\d_]*)`;
const quotient = new RegExp(String.raw`^//\s*(${operand}(?:\s*[-+*/%]\s*${operand})*)\s*(?:[)\]},][)\]},\s]*)?$`, 'u');
const name = /[\p{L}_][\p{L}\d_]*/gu;

export function warnOfHiddenDivisions({ reporter }: Checker, program: Program): void {
  for (const comment of program.comments) {
    const divisor = comment.style === 'line' ? divisorOf(program, comment) : undefined;
    if (divisor === undefined) continue;
    reporter.add({
      code: 'hidden-division',
      severity: 'warning',
      message: `\`//\` begins a comment, so nothing is divided by \`${divisor}\` here`,
      span: comment.span,
      hint: `a quotient is rounded down by \`floorDiv(a, ${divisor})\`; a comment on a line of its own is not taken for one`,
    });
  }
}

function divisorOf({ source: { text }, declarations }: Program, { text: written, span }: Comment): string | undefined {
  const divisor = quotient.exec(written)?.[1];
  if (divisor === undefined) return undefined;
  let before = span.start - 1;
  while (text[before] === ' ' || text[before] === '\t') before -= 1;
  if (!/[\p{L}\d_)\]]/u.test(text[before] ?? '')) return undefined;
  const around =
    declarations.find((one) => one.span.start <= span.start && span.end <= one.span.end) ?? lastBefore(declarations, span.start);
  if (around === undefined) return undefined;
  const code = `${text.slice(around.span.start, span.start)}\n${text.slice(span.end, Math.max(span.end, around.span.end))}`;
  const names = new Set(code.match(name));
  return (divisor.match(name) ?? []).every((one) => names.has(one)) ? divisor : undefined;
}

/** The declaration that ends before a place: a comment behind its last word is no part of it. */
const lastBefore = (declarations: Program['declarations'], place: number): Program['declarations'][number] | undefined =>
  declarations.findLast((one) => one.span.end <= place);
