// Text to tree. In: the text of a file and its path. Out: its tree and its syntax problems.
// Holds: never throws and ends in reasonable time, whatever the text; without problems the tree has no `missing` node;
// a tree is never deeper than `maximumDepth`, so whoever goes over it may recurse.

import type { IToken } from 'chevrotain';
import type { Comment, Declaration, Program } from './ast.js';
import { type Parsed, TdslParser } from './declaration-rules.js';
import { lex } from './lex.js';
import type { Lookaheads } from './lookahead.js';
import { once } from './once.js';
import { misplaced, optimizerMembers } from './messages.js';
import { maximumProblems, type PlacedProblem } from './parser-base.js';
import { preparedLookaheads, preparedTree } from './prepared.js';
import type { SyntaxProblem } from './problem.js';
import { lineStarts, positionIn, type Source, type Span } from './span.js';
import { depthOf } from './walk.js';

/** The longest source that is read, in UTF-16 code units. */
export const maximumLength = 1_000_000;
/** The longest way from a declaration down to a leaf. */
export const maximumDepth = 500;

export interface ParseResult {
  /** What could be read; complete when `problems` is empty. */
  readonly program: Program;
  /** Syntax errors in the order of the text, at most `maximumProblems`. */
  readonly problems: readonly SyntaxProblem[];
}

// Building the parser takes longer than reading a file, so it is built when it is first needed, and once. Each reading
// starts over: nothing passes from one to the next.
const theParser = once(() => new TdslParser());
// Analysing the grammar takes most of that. Most files have no mistake, and where the build has left tables, those are read without.
const theSoundParser = once(() => {
  const tables = preparedLookaheads();
  return { parser: tables === undefined ? undefined : new TdslParser(JSON.parse(tables) as Lookaheads) };
});

function read(source: Source, tokens: readonly IToken[], comments: readonly Comment[]): Parsed {
  const declarations = theSoundParser().parser?.readSound(source, tokens, comments);
  return declarations === undefined ? theParser().read(source, tokens, comments) : { declarations, problems: [] };
}

/** Reads a `.tdsl` text. `path` is only a name for spans. Mistakes come back as `problems`, not as exceptions. */
export function parse(text: string, path: string): ParseResult {
  const known = preparedTree(path);
  if (known !== undefined) {
    const program = JSON.parse(known) as Program;
    if (program.source.text === text) return { program, problems: [] };
  }
  const source: Source = { path, text };
  const unreadable = refuse(source);
  if (unreadable !== null) return { program: programOf(source, [], []), problems: [unreadable] };
  const { tokens, comments, problems: strange } = lex(source, maximumProblems);
  const { declarations, problems: found } = read(source, tokens, comments);
  const deep = declarations.filter((declaration) => depthOf(declaration) > maximumDepth);
  const kept = deep.length === 0 ? declarations : declarations.filter((declaration) => !deep.includes(declaration));
  return {
    program: programOf(source, kept, comments),
    problems: [...strange, ...consequences(found, strange, source), ...deep.map(tooDeep)]
      .sort((a, b) => a.span.start - b.span.start)
      .slice(0, maximumProblems),
  };
}

function programOf(source: Source, declarations: readonly Declaration[], comments: Program['comments']): Program {
  return { kind: 'program', source, declarations, comments, span: { source: source.path, start: 0, end: source.text.length } };
}

/** What the parser found, without what follows from it: one problem for each line, none where a word was unreadable already. */
function consequences(found: readonly PlacedProblem[], strange: readonly SyntaxProblem[], source: Source): readonly SyntaxProblem[] {
  const starts = lineStarts(source.text);
  /** Up to where the block reaches that a misplaced declaration ended. */
  let ended = -1;
  const line = (problem: SyntaxProblem): number => positionIn(starts, problem.span.start).line;
  const lines = new Set(strange.map(line));
  return found.flatMap(({ at, problem }) => {
    const known = lines.has(line(problem)) || at <= ended;
    lines.add(line(problem));
    // Reading goes on behind the word that stands in the place of a member, maybe on a later line than what is missing.
    if (problem.hint === optimizerMembers) lines.add(positionIn(starts, at).line);
    if (problem.hint === misplaced) ended = Math.max(ended, closingLine(source.text, at));
    return known ? [] : [problem];
  });
}

/** The offset of the `}` that closes the line-wise block around: the first one that begins a line behind `at`. */
function closingLine(text: string, at: number): number {
  const found = /^[ \t]*\}/m.exec(text.slice(at));
  return found === null ? at : at + found.index + found[0].length;
}

function refuse(source: Source): SyntaxProblem | null {
  const { text, path } = source;
  const place = (start: number): Span => ({ source: path, start, end: Math.min(text.length, start + 1) });
  if (text.length > maximumLength) {
    return {
      message: `the file is too long: ${text.length} characters, and no more than ${maximumLength} are read`,
      span: place(0),
      hint: 'keep data in files of their own and feed it',
      limit: true,
    };
  }
  const control = /[\u0000-\u0008\u000e-\u001f\u007f]/.exec(text);
  if (control === null) return null;
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return { message: `this is no text: it has the control character U+${code}`, span: place(control.index) };
}

function tooDeep(declaration: Declaration): SyntaxProblem {
  return {
    message: `this declaration is nested too deeply: more than ${maximumDepth} levels`,
    span: 'name' in declaration ? declaration.name.span : declaration.span,
    hint: 'give names to parts of long expressions with `let`',
    limit: true,
  };
}
