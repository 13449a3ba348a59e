// The grammar's door. In: the text of a program. Out: its tree and its syntax problems; a tree's canonical text.
// Holds: `parse` never throws, whatever the text; every other room imports from here and from nowhere deeper.

export type * from './ast.js';
export { joinSpans, lineStarts, positionAt, positionIn } from './span.js';
export { lineOf, positionsOf } from './places.js';
export type { Texts } from './places.js';
export type { Span } from './span.js';
export { maximumDepth, maximumLength, parse } from './parse.js';
export type { ParseResult } from './parse.js';
export type { SyntaxProblem } from './problem.js';
export { maximumNesting, maximumProblems } from './parser-base.js';
export { contextualWords, reservedWords } from './tokens.js';
export { children, depthOf, walk } from './walk.js';
export { print } from './print.js';
export { printExpression } from './print-expressions.js';
export { printDimension, printPattern, printSize, printType } from './print-types.js';
