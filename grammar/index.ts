// The grammar's door. In: the text of a program. Out: its tree and its syntax problems; a tree's canonical text.

export type * from './ast.js'
export type { SyntaxProblem } from './problem.js'
export { joinSpans, lineStarts, positionAt, positionIn } from './span.js'
export type { Position, Source, Span } from './span.js'
