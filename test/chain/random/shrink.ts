// Smaller programs that fail in the same way. In: a text, a test. Out: the smallest text that was found.
// Holds: declarations and statements are left out, expressions become a part of themselves or a number; what no longer compiles does not
// fail in the same way. It asks at most so many questions.

import { children, parse } from '../../../grammar/index.js';

type Node = Parameters<typeof children>[0];

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const saved = ({ start, end, text }: Edit): number => end - start - text.length;

const expressions: ReadonlySet<string> = new Set<Node['kind']>([
  'number',
  'name',
  'member',
  'call',
  'index',
  'list',
  'comprehension',
  'tuple',
  'index-notation',
  'reduction',
  'outside',
  'if',
  'fold',
  'scan',
  'while',
  'unary',
  'binary',
]);

/** `tail` stands behind `text`, and stays. */
export function shrink(text: string, tail: string, fails: (text: string) => boolean, questions = 3000): string {
  let best = text;
  let left = questions;
  for (let progress = true; progress;) {
    progress = false;
    // What saved more has been tried, and did not fail; another pass begins with it again.
    for (let most = Infinity; most > 0;) {
      const edit = editsOf(best, tail).find((one) => saved(one) <= most && left-- > 0 && fails(applied(best, one) + tail));
      if (edit === undefined) break;
      best = applied(best, edit);
      most = saved(edit);
      progress = left > 0;
    }
  }
  return best.replace(/\n\s*\n/g, '\n');
}

const applied = (text: string, edit: Edit): string => text.slice(0, edit.start) + edit.text + text.slice(edit.end);

/** Those that leave out most come first; all of them save something, and none reaches into the tail. */
function editsOf(text: string, tail: string): Edit[] {
  const { program } = parse(text + tail, 'smaller.tdsl');
  const edits: Edit[] = [];
  const waiting: { readonly node: Node; readonly removable: boolean }[] = [{ node: program, removable: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, removable } = next;
    const { start, end } = node.span;
    const parts = children(node);
    if (removable) edits.push({ start, end, text: '' });
    if (expressions.has(node.kind)) {
      const below = parts
        .flatMap((part) => (part.kind === 'argument' ? children(part) : [part]))
        .filter((part) => expressions.has(part.kind));
      for (const part of below) {
        const inner = text.slice(part.span.start, part.span.end);
        edits.push({ start, end, text: part.kind === 'name' || part.kind === 'number' ? inner : `(${inner})` });
      }
      edits.push({ start, end, text: '0.5' });
    }
    // A rule that no longer fits its function is another fault.
    if (node.kind === 'fn' && node.vjp !== null) continue;
    const opens = ['program', 'block', 'model', 'optimizer'].includes(node.kind);
    for (const part of parts) waiting.push({ node: part, removable: opens });
  }
  return edits.filter((edit) => edit.end <= text.length && saved(edit) > 0).sort((a, b) => saved(b) - saved(a));
}
