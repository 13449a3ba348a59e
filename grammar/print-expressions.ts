// Expressions to text. In: their nodes. Out: layouts.
// Holds: what is printed reads back as the same nodes: parentheses stand where precedence, and the words that start
// statements, ask for them, and nowhere else; no line breaks before a `(` or `[` that belongs to what is before it.

import type { BinaryExpression, Block, Body, Expression, IfExpression, Index, IndexVariable, Iterable, Pattern } from './ast.js';
import { firstText, group, hang, indent, isForced, join, line, render, separated, type Layout } from './layout.js';
import { atomLevel, isComparison, levelOf, postfixLevel, powerLevel, unaryLevel } from './precedence.js';
import { genericArgumentsText, listed, printPattern } from './print-types.js';
import { wordsAfterValues } from './tokens.js';

/** Lays out a block: comments are the business of whoever prints whole programs. */
export type BlockPrinter = (block: Block, alwaysBroken: boolean) => Layout;

export interface ExpressionPrinter {
  /** `e` where any expression may stand. */
  readonly expression: (e: Expression) => Layout;
  /** The body of a lambda or of a derivative rule, after `=>`. */
  readonly arrowBody: (body: Body) => Layout;
}

export function expressionPrinter(block: BlockPrinter): ExpressionPrinter {
  return new Printer(block);
}

/** Comparisons beside `==` stand in parentheses for the eye's sake, others because they do not chain. */
const besideComparison = levelOf('<') + 1;

class Printer implements ExpressionPrinter {
  readonly #block: BlockPrinter;

  constructor(block: BlockPrinter) {
    this.#block = block;
  }

  readonly expression = (e: Expression): Layout => this.#at(e, 0);

  readonly arrowBody = (body: Body): Layout => {
    if (body.kind === 'block') return this.#block(body, false);
    const text = this.expression(body);
    return firstText(text).startsWith('{') ? join('(', text, ')') : text;
  };

  /** `e` where something of at least this level must stand. */
  #at(e: Expression, atLeast: number): Layout {
    const text = this.#bare(e);
    return levelOfExpression(e) < atLeast || closesGenerics(e) ? join('(', text, ')') : text;
  }

  #bare(e: Expression): Layout {
    switch (e.kind) {
      case 'number':
        return e.text;
      case 'string':
        return printString(e.value);
      case 'boolean':
        return String(e.value);
      case 'name':
        // At the start of a line, and before most signs, `minimize` would be the statement.
        return e.name === 'minimize' ? '(minimize)' : e.name;
      case 'member':
        return join(this.#at(e.object, postfixLevel), '.', e.member.text);
      case 'call': {
        const args = e.arguments.map((argument) =>
          argument.name === null ? this.expression(argument.value) : join(`${argument.name.text}: `, this.expression(argument.value)),
        );
        return join(this.#owner(e.callee), genericArgumentsText(e.generics), listed('(', args, ')'));
      }
      case 'index':
        return join(
          this.#owner(e.object),
          listed(
            '[',
            e.indices.map((index) => this.#index(index)),
            ']',
          ),
        );
      case 'index-notation':
        return join(
          this.#indexVariables(e.indices),
          ' =>',
          e.body.kind === 'block' ? join(' ', this.arrowBody(e.body)) : group(indent(line, this.arrowBody(e.body))),
        );
      case 'reduction':
        return join(e.reduction, this.#indexVariables(e.indices), listed('(', [this.expression(e.element)], ')'));
      case 'outside':
        return join(this.#at(e.inside, postfixLevel), ' ?? ', this.#signed(e.outside));
      case 'list':
        return listed('[', e.elements.map(this.expression), ']');
      case 'comprehension':
        return group(
          '[',
          indent(
            this.expression(e.element),
            ...e.clauses.flatMap((clause) => [line, `for ${printPattern(clause.pattern)} in `, this.#iterable(clause.iterable)]),
          ),
          ']',
        );
      case 'record':
        return listed(
          '{',
          e.fields.map((field) => (field.shorthand ? field.name.text : join(`${field.name.text}: `, this.expression(field.value)))),
          '}',
          ' ',
        );
      case 'tuple':
        return listed('(', e.elements.map(this.expression), ')');
      case 'lambda': {
        const names = e.parameters.map((parameter) => parameter.text);
        return join(names.length === 1 ? names.join() : `(${names.join(', ')})`, ' => ', this.arrowBody(e.body));
      }
      case 'if':
        return this.#choice(e);
      case 'fold':
      case 'scan':
        return join(
          `${e.kind} ${loopVariable(e.variable)} in `,
          this.#iterable(e.iterable),
          ` with ${printPattern(e.carry)} = `,
          this.expression(e.initial),
          ' ',
          this.#block(e.body, false),
        );
      case 'while':
        return join(
          'while ',
          this.expression(e.condition),
          ` with ${printPattern(e.carry)} = `,
          this.expression(e.initial),
          ...(e.limit === null ? [] : [' limit ', this.expression(e.limit)]),
          ' ',
          this.#block(e.body, false),
        );
      case 'unary':
        return join(e.operator, this.#at(e.operand, unaryLevel));
      case 'binary':
        return this.#binary(e);
      case 'missing':
        return '';
    }
  }

  /** `if c then a else b`; a chain of them has a line for each of its conditions, where it takes more than one. */
  #choice({ condition, whenTrue, whenFalse }: IfExpression): Layout {
    if (whenFalse.kind !== 'if') {
      const sides = indent(line, 'then ', this.expression(whenTrue), line, 'else ', this.expression(whenFalse));
      return group('if ', this.expression(condition), sides);
    }
    const taken = (asked: Expression, value: Expression): Layout =>
      group(this.expression(asked), indent(line, 'then ', this.expression(value)));
    const others: Layout[] = [];
    let last: Expression = whenFalse;
    for (; last.kind === 'if'; last = last.whenFalse) others.push(line, 'else if ', taken(last.condition, last.whenTrue));
    return group('if ', taken(condition, whenTrue), indent(...others, line, 'else ', this.expression(last)));
  }

  /** What a call or an index stands behind. `over […]` would read as a clause. */
  #owner(e: Expression): Layout {
    const text = this.#at(e, postfixLevel);
    return e.kind === 'name' && e.name === 'over' ? join('(', text, ')') : text;
  }

  /** Signs, and what calls and indices could stand behind. */
  #signed(e: Expression): Layout {
    const signs: string[] = [];
    let base = e;
    for (; base.kind === 'unary'; base = base.operand) signs.push(base.operator);
    return join(signs.join(''), this.#at(base, postfixLevel));
  }

  #indexVariables(indices: readonly IndexVariable[]): Layout {
    const texts = indices.map(({ name, range }) => (range === null ? name.text : join(`${name.text} in `, this.#iterable(range))));
    return listed('[', texts, ']');
  }

  #right(e: BinaryExpression): Layout {
    if (isComparison(e.operator)) return this.#at(e.right, besideComparison);
    const level = levelOf(e.operator);
    return this.#at(e.right, level === powerLevel ? unaryLevel : level + 1);
  }

  /** Operators of one level that group from the left are one chain, broken after each operator or nowhere. */
  #binary(e: BinaryExpression): Layout {
    const level = levelOf(e.operator);
    if (level === powerLevel) return join(this.#at(e.left, postfixLevel), ' ** ', this.#right(e));
    const parts: Layout[] = [];
    let first: Expression = e;
    while (first.kind === 'binary' && levelOf(first.operator) === level && (first === e || !isComparison(first.operator))) {
      parts.push(join(` ${first.operator}`, line, this.#right(first)));
      first = first.left;
    }
    return group(this.#at(first, isComparison(e.operator) ? besideComparison : level), indent(...parts.reverse()));
  }

  #iterable(iterable: Iterable): Layout {
    if (iterable.kind !== 'range') return this.expression(iterable);
    return join(this.expression(iterable.start), '..', this.expression(iterable.stop));
  }

  #index(index: Index): Layout {
    if (index.kind === 'ellipsis') return '...';
    if (index.kind !== 'slice') return this.expression(index);
    const bounds = index.step === null ? [index.start, index.stop] : [index.start, index.stop, index.step];
    // A sum beside a colon is kept apart from it: `x[start : start + 3]`.
    const space = bounds.some((e) => e?.kind === 'binary') ? ' ' : '';
    return join(
      ...bounds.flatMap((e, at): Layout[] => {
        const text = e === null ? [] : [this.expression(e)];
        if (at === 0) return text;
        return [bounds[at - 1] === null ? ':' : `${space}:`, ...(e === null ? [] : [space, ...text])];
      }),
    );
  }
}

function levelOfExpression(e: Expression): number {
  switch (e.kind) {
    case 'if':
    case 'lambda':
    case 'fold':
    case 'scan':
    case 'while':
    case 'index-notation':
    // Between operators it stands in parentheses for the eye's sake.
    case 'outside':
      return 0;
    case 'binary':
      return levelOf(e.operator);
    case 'unary':
      return unaryLevel;
    case 'member':
    case 'call':
    case 'index':
    case 'reduction':
      return postfixLevel;
    default:
      return atomLevel;
  }
}

/** A name that would end an expression before it is kept apart from `fold` by parentheses. */
function loopVariable(variable: Pattern): string {
  const text = printPattern(variable);
  return wordsAfterValues.has(text) ? `(${text})` : text;
}

/** Whether `e` is `a > (…`, which after a `b <` would read as the end of generic arguments. */
function closesGenerics(e: Expression): boolean {
  return e.kind === 'binary' && e.operator === '>' && opensParenthesis(e.right, besideComparison);
}

/** Whether the text of `e`, where something of at least this level must stand, starts with a `(`. */
function opensParenthesis(e: Expression, atLeast: number): boolean {
  let first = e;
  let needed = atLeast;
  for (;;) {
    if (levelOfExpression(first) < needed || first.kind === 'tuple' || closesGenerics(first)) return true;
    if (first.kind === 'binary') {
      const level = levelOf(first.operator);
      needed = level === powerLevel ? postfixLevel : isComparison(first.operator) ? besideComparison : level;
      first = first.left;
    } else if (first.kind === 'member' || first.kind === 'index' || first.kind === 'call') {
      needed = postfixLevel;
      first = first.kind === 'call' ? first.callee : first.object;
    } else return false;
  }
}

/** A string literal, in double quotes. */
export function printString(value: string): string {
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
}

/** `head = e`: on one line, or `e` broken inside of its brackets, or on a line of its own. */
export function afterEquals(e: Expression, text: Layout): Layout {
  switch (e.kind) {
    case 'call':
    case 'index':
      return hang(text);
    case 'record':
    case 'list':
    case 'tuple':
    case 'lambda':
      return join(' ', text);
    case 'index-notation':
      return e.body.kind === 'block' ? join(' ', text) : group(indent(line, text));
    default:
      return isForced(text) ? join(' ', text) : group(indent(line, text));
  }
}

/** An expression on one line, as it would be written, for messages; blocks in it take more than one line. */
export function printExpression(e: Expression): string {
  const printer: ExpressionPrinter = expressionPrinter((block) => plainBlock(printer, block));
  return render(printer.expression(e), Number.POSITIVE_INFINITY);
}

/** A block for messages: the last expression, and an ellipsis for what comes before it. */
function plainBlock(printer: ExpressionPrinter, block: Block): Layout {
  const last = block.statements.at(-1);
  const shown: Layout[] = block.statements.length > 1 ? ['…'] : [];
  if (last?.kind === 'expression-statement') shown.push(printer.expression(last.expression));
  else if (last?.kind === 'yield' || last?.kind === 'return') shown.push(join(`${last.kind} `, printer.expression(last.value)));
  else if (last !== undefined && shown.length === 0) shown.push('…');
  return shown.length === 0 ? '{}' : join('{ ', separated(shown, ' '), ' }');
}
