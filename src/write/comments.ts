// Comments that say where statements come from. In: a tree that was made, comments for some of its statements. Out: the canonical text with
// them. Holds: the text is printed, read again for the places of its statements, and printed once more, so that whoever formats it changes
// nothing.

import { type Node, parse, print, type Program, type Statement, walk } from '../../grammar/index.js';
import { InternalError } from '../base/index.js';

/** `comments`: lines before a statement; an empty one leaves a line empty. */
export function printCommented(program: Program, comments: ReadonlyMap<Statement, readonly string[]>): string {
  const plain = print(program);
  const made = statementsOf(program);
  const read = statementsOf(parsed(plain));
  if (made.length !== read.length) throw new InternalError('write', `${made.length} statements are read as ${read.length}`);
  let text = plain;
  for (const [at, statement] of [...read.entries()].reverse()) {
    const lines = comments.get(made[at] as Statement);
    if (lines === undefined) continue;
    const { start } = statement.span;
    const begin = text.lastIndexOf('\n', start - 1) + 1;
    // One that follows `{` on its line has no line of its own.
    if (text.slice(begin, start).trim() !== '') continue;
    const above = lines.map((line) => (line === '' ? '\n' : `${text.slice(begin, start)}// ${line}\n`)).join('');
    text = text.slice(0, begin) + above + text.slice(begin);
  }
  return print(parsed(text));
}

function parsed(text: string): Program {
  const { program, problems } = parse(text, 'written.tdsl');
  const [problem] = problems;
  if (problem !== undefined) throw new InternalError('write', `what was written is no TDSL: ${problem.message}\n${text}`);
  return program;
}

const kinds: ReadonlySet<string> = new Set<Statement['kind']>(['let', 'yield', 'return', 'expression-statement']);

/** Statements that a text which is written has, in its order. */
function statementsOf(program: Program): readonly Statement[] {
  const found: Statement[] = [];
  walk(program, (node: Node) => {
    if (kinds.has(node.kind)) found.push(node as Statement);
    return true;
  });
  return found;
}
