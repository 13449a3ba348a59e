// Where comments go when a program is printed. In: the comments of a program and its text. Out: those that belong to a node.
// Holds: every comment is handed out once; nodes ask in the order of the text, children before what is left of their parents.

import type { Comment, Program } from './ast.js';
import type { Span } from './span.js';

export class CommentPlacer {
  readonly #comments: readonly Comment[];
  readonly #text: string;
  readonly #taken: boolean[];
  #first = 0;

  constructor(program: Program) {
    this.#comments = program.comments;
    this.#text = program.source.text;
    this.#taken = program.comments.map(() => false);
  }

  /** The comments not handed out yet that start before `offset`. */
  before(offset: number): readonly Comment[] {
    const found: Comment[] = [];
    let allTaken = true;
    for (let i = this.#first; i < this.#comments.length; i++) {
      const comment = this.#comments[i];
      if (comment === undefined || comment.span.start >= offset) break;
      if (!this.#taken[i]) {
        this.#taken[i] = true;
        found.push(comment);
      }
      if (allTaken) this.#first = i + 1;
      allTaken &&= this.#taken[i] === true;
    }
    return found;
  }

  /** The comments that follow `end` on its line, before anything else but separators. */
  trailing(end: number): readonly Comment[] {
    const found: Comment[] = [];
    let from = end;
    for (let i = this.#first; i < this.#comments.length; i++) {
      const comment = this.#comments[i];
      if (comment === undefined || this.#taken[i] || comment.span.start < from) continue;
      if (!/^[ \t;]*$/.test(this.#text.slice(from, comment.span.start)) || /[\r\n]/.test(comment.text)) break;
      this.#taken[i] = true;
      found.push(comment);
      from = comment.span.end;
    }
    return found;
  }

  /** Whether a comment starts inside of `span`. */
  within(span: Span): boolean {
    for (let i = this.#first; i < this.#comments.length; i++) {
      const start = this.#comments[i]?.span.start ?? 0;
      if (start >= span.end) return false;
      if (start >= span.start && !this.#taken[i]) return true;
    }
    return false;
  }

  /** Whether the text has an empty line between two places. */
  blankBetween(from: number, to: number): boolean {
    return /\n[^\S\n]*(?:\r?\n)/.test(this.#text.slice(from, to).replaceAll(/\r\n?/g, '\n'));
  }
}
