// A tree to its canonical text. In: a program. Out: its text, in lines of at most 100 columns where that can be had.
// Holds: parsing the text gives the same tree, spans aside; printing that tree gives the same text. Comments stay before
// or behind the declaration, member or statement they stood at; those inside of one go before it. Single empty lines stay.

import type {
  BindingDeclaration,
  Block,
  Body,
  Comment,
  Declaration,
  Expression,
  FnDeclaration,
  IfStatement,
  ModelMember,
  Parameter,
  Program,
  Statement,
  StepDeclaration,
  UpdateRule,
} from './ast.js';
import { CommentPlacer } from './comment-placer.js';
import { firstText, group, hardLine, indent, join, line, render, type Layout } from './layout.js';
import { afterEquals, expressionPrinter, printString, type ExpressionPrinter } from './print-expressions.js';
import { factsText, genericsText, listed, printPattern, printSize, typeLayout } from './print-types.js';
import type { Span } from './span.js';

const width = 100;

/** The canonical text of `program`, ending in a new line; empty for an empty program. */
export function print(program: Program): string {
  const printer = new ProgramPrinter(program);
  const text = render(printer.program(program), width);
  return text === '' ? '' : `${text}\n`;
}

type Item = Declaration | ModelMember | UpdateRule | Statement;

/** What becomes one line or more, with the place that it had. */
interface Entry {
  readonly layout: Layout;
  readonly start: number;
  readonly end: number;
  readonly item: Item | null;
}

class ProgramPrinter {
  readonly #comments: CommentPlacer;
  readonly #written: boolean;
  readonly #expressions: ExpressionPrinter;

  constructor(program: Program) {
    this.#comments = new CommentPlacer(program);
    this.#written = program.source.text !== '';
    this.#expressions = expressionPrinter((block, alwaysBroken) => this.#block(block, alwaysBroken));
  }

  program(program: Program): Layout {
    return this.#lines(program.declarations, program.span.end, (declaration) => this.#declaration(declaration));
  }

  // -------------------------------------------------------------------------------------------------------- lines

  /** Items and the comments around them, one below the other; comments up to `end` come last. */
  #lines<I extends Item>(items: readonly I[], end: number, lay: (item: I, index: number) => Layout): Layout {
    const entries: Entry[] = [];
    items.forEach((item, i) => {
      const { before, doc } = splitDoc(this.#comments.before(item.span.start), item);
      const layout = lay(item, i);
      const inside = this.#comments.before(item.span.end).map(plain);
      const behind = this.#comments.trailing(item.span.end);
      for (const comment of before) entries.push(commentEntry(comment));
      for (const comment of inside)
        entries.push({ layout: commentText(comment), start: item.span.start, end: item.span.start, item: null });
      const docs = docLines(item);
      const tail = behind.map((comment) => ` ${commentText(comment)}`);
      entries.push({
        layout: join(...docs.flatMap((text) => [text, hardLine]), layout, ...tail),
        start: doc?.span.start ?? item.span.start,
        end: behind.at(-1)?.span.end ?? item.span.end,
        item,
      });
    });
    for (const comment of this.#comments.before(end)) entries.push(commentEntry(comment));
    return join(
      ...entries.flatMap((entry, i) => {
        const previous = entries[i - 1];
        if (previous === undefined) return [entry.layout];
        return this.#blank(previous, entry) ? [hardLine, hardLine, entry.layout] : [hardLine, entry.layout];
      }),
    );
  }

  #blank(previous: Entry, entry: Entry): boolean {
    if (this.#written) return this.#comments.blankBetween(previous.end, entry.start);
    const [above, below] = [previous.item, entry.item];
    if (above === null || below === null) return false;
    return isDeclaration(above) && !(above.kind === below.kind && short.has(above.kind));
  }

  #block(block: Block, alwaysBroken: boolean): Layout {
    const [only] = block.statements;
    if (only === undefined && !this.#comments.within(block.span)) return '{}';
    const simple = only?.kind === 'expression-statement' || only?.kind === 'yield';
    if (!alwaysBroken && block.statements.length === 1 && simple && !this.#comments.within(block.span)) {
      return group('{', indent(line, this.#statement(only, 0)), line, '}');
    }
    const inside = this.#lines(block.statements, block.span.end, (statement, i) => this.#statement(statement, i));
    return join('{', indent(hardLine, inside), hardLine, '}');
  }

  // --------------------------------------------------------------------------------------------------- statements

  #statement(statement: Statement, index: number): Layout {
    const { expression } = this.#expressions;
    switch (statement.kind) {
      case 'let': {
        const type = statement.type === null ? '' : join(': ', typeLayout(statement.type));
        return join(`let ${printPattern(statement.pattern)}`, type, ' =', afterEquals(statement.value, expression(statement.value)));
      }
      case 'assign':
        return join(expression(statement.target), ' <-', afterEquals(statement.value, expression(statement.value)));
      case 'minimize':
        return group(
          'minimize ',
          expression(statement.loss),
          indent(
            line,
            'with ',
            expression(statement.optimizer),
            ...(statement.over === null ? [] : [line, 'over ', expression(statement.over)]),
          ),
        );
      case 'update-statement':
        return group(
          'update ',
          this.#target(statement.target),
          indent(line, 'with ', expression(statement.optimizer), line, 'by ', expression(statement.gradients)),
        );
      case 'if-statement':
        return this.#choice(statement);
      case 'precision':
        return join(`precision ${statement.dtype.text} `, this.#block(statement.body, true));
      case 'scope':
        return join(`scope ${printString(statement.name.value)} `, this.#block(statement.body, true));
      case 'summary':
        return join(`summary ${statement.summary}`, listed('(', [printString(statement.name.value), expression(statement.value)], ')'));
      case 'return':
      case 'yield':
        return join(`${statement.kind} `, expression(statement.value));
      case 'expression-statement': {
        const text = expression(statement.expression);
        const first = firstWord(text);
        // At the start of a line `-` would continue the line before, and `over` a `minimize` before it; `update` may be the statement.
        const misread =
          (index > 0 && (first.startsWith('-') || first === 'over')) || (first === 'update' && statement.expression.kind !== 'name');
        return misread ? join('(', text, ')') : text;
      }
    }
  }

  /** What is updated: behind brackets that are closed before its end the word would be a name. */
  #target(target: Expression): Layout {
    const text = this.#expressions.expression(target);
    const closed = target.kind === 'list' || target.kind === 'tuple' || target.kind === 'comprehension';
    return !closed && /^[([-]/.test(firstWord(text)) ? join('(', text, ')') : text;
  }

  #choice({ condition, whenTrue, whenFalse }: IfStatement): Layout {
    const head = join('if ', this.#expressions.expression(condition), ' ', this.#block(whenTrue, true));
    if (whenFalse === null) return head;
    return join(head, ' else ', whenFalse.kind === 'block' ? this.#block(whenFalse, true) : this.#choice(whenFalse));
  }

  // ------------------------------------------------------------------------------------------------- declarations

  #declaration(declaration: Declaration): Layout {
    const { expression } = this.#expressions;
    switch (declaration.kind) {
      case 'import': {
        const names = declaration.specifiers.map(({ imported, local }) =>
          imported.text === local.text ? imported.text : `${imported.text} as ${local.text}`,
        );
        return join('import ', listed('{', names, '}', ' '), ` from ${printString(declaration.from.value)}`);
      }
      case 'const': {
        const type = declaration.type === null ? '' : join(': ', typeLayout(declaration.type));
        return join(`const ${declaration.name.text}`, type, ' =', afterEquals(declaration.value, expression(declaration.value)));
      }
      case 'dim':
        return `dim ${declaration.name.text} = ${printSize(declaration.value)}`;
      case 'step':
        return join('export step ', this.#signature(declaration), this.#body(declaration.body));
      case 'model': {
        const { name, generics, parameters, facts, members } = declaration;
        const head = join(`model ${name.text}${genericsText(generics)}`, parameters.length === 0 ? '' : this.#parameters(parameters));
        return join(
          head,
          `${factsText(facts)} `,
          this.#members(members, declaration.span, (member) => this.#member(member)),
        );
      }
      case 'optimizer': {
        const { name, parameters, states, update } = declaration;
        const members = [...states, update].sort((a, b) => a.span.start - b.span.start);
        return join(
          `optimizer ${name.text}`,
          this.#parameters(parameters),
          ' ',
          this.#members(members, declaration.span, (member) => this.#member(member)),
        );
      }
      default:
        return this.#member(declaration);
    }
  }

  #members<M extends ModelMember | UpdateRule>(members: readonly M[], span: Span, lay: (member: M) => Layout): Layout {
    if (members.length === 0 && !this.#comments.within(span)) return '{}';
    return join('{', indent(hardLine, this.#lines(members, span.end, lay)), hardLine, '}');
  }

  #member(member: ModelMember | UpdateRule): Layout {
    switch (member.kind) {
      case 'param':
      case 'state': {
        const type = member.type === null ? '' : join(': ', typeLayout(member.type));
        return join(`${member.kind} ${member.name.text}`, type, this.#initial(member.initial));
      }
      case 'fn':
        return this.#fn(member);
      case 'step':
        return join('step ', this.#signature(member), this.#body(member.body));
      case 'binding':
        return this.#binding(member);
      case 'update':
        return join(`update(${member.parameter.text}, ${member.gradient.text}) `, this.#block(member.body, true));
    }
  }

  #binding(binding: BindingDeclaration): Layout {
    return join(`${binding.name.text} =`, afterEquals(binding.value, this.#expressions.expression(binding.value)));
  }

  #initial(initial: Parameter['initial']): Layout {
    return initial === null ? '' : join(' =', afterEquals(initial, this.#expressions.expression(initial)));
  }

  #fn(fn: FnDeclaration): Layout {
    const rule =
      fn.vjp === null
        ? ''
        : indent(hardLine, `vjp (${fn.vjp.parameters.map((name) => name.text).join(', ')}) => `, this.#expressions.arrowBody(fn.vjp.body));
    return join(fn.exported ? 'export fn ' : 'fn ', this.#signature(fn), this.#body(fn.body), rule);
  }

  #signature(fn: FnDeclaration | StepDeclaration): Layout {
    return join(
      fn.name.text + genericsText(fn.generics),
      this.#parameters(fn.parameters),
      fn.result === null ? '' : join(': ', typeLayout(fn.result)),
      factsText(fn.facts),
    );
  }

  #parameters(parameters: readonly Parameter[]): Layout {
    return listed(
      '(',
      parameters.map((parameter) => join(`${parameter.name.text}: `, typeLayout(parameter.type), this.#initial(parameter.initial))),
      ')',
    );
  }

  #body(body: Body): Layout {
    if (body.kind === 'block') return join(' ', this.#block(body, true));
    return join(' =', afterEquals(body, this.#expressions.expression(body)));
  }
}

const short: ReadonlySet<Item['kind']> = new Set(['import', 'const', 'dim', 'param', 'state', 'binding']);

function isDeclaration(item: Item): item is Declaration {
  return 'doc' in item;
}

function docLines(item: Item): readonly string[] {
  return 'doc' in item && item.doc !== null ? item.doc.split('\n').map((text) => `/// ${text}`.trimEnd()) : [];
}

/** Takes out of the comments before `item` the doc lines that `item` has itself. What is left documents nothing. */
function splitDoc(comments: readonly Comment[], item: Item): { readonly before: readonly Comment[]; readonly doc: Comment | null } {
  if (!('doc' in item)) return { before: comments, doc: null };
  let end = comments.length;
  let start = end;
  if (item.doc !== null) {
    while (end > 0 && comments[end - 1]?.style !== 'doc') end--;
    start = Math.max(0, end - item.doc.split('\n').length);
  }
  const before = [...comments.slice(0, start), ...comments.slice(end)].map(plain);
  return { before, doc: end === comments.length ? (comments[start] ?? null) : null };
}

/** A comment as one that documents nothing. */
function plain(comment: Comment): Comment {
  return comment.style === 'doc' ? { ...comment, style: 'line', text: `//${comment.text.slice(3)}` } : comment;
}

function commentText(comment: Comment): string {
  return comment.text.replaceAll(/\r\n?/g, '\n');
}

function commentEntry(comment: Comment): Entry {
  return { layout: commentText(comment), start: comment.span.start, end: comment.span.end, item: null };
}

function firstWord(layout: Layout): string {
  return /^(?:[\p{L}_][\p{L}\p{M}\p{N}_]*|.?)/u.exec(firstText(layout))?.[0] ?? '';
}
