// Trees in a form for comparing. In: nodes. Out: short texts, or nodes without their places.
// Holds: the short text shows grouping by parentheses alone, so it shows what the parser did and not how it prints.

import type { Body, Expression, Index, IndexVariable, Iterable, Program } from '../../grammar/index.js';
import { parse, printDimension, printPattern } from '../../grammar/index.js';

/** The program of a text that must be without problems. */
export function read(text: string): Program {
  const { program, problems } = parse(text, 'test.tdsl');
  if (problems.length > 0) throw new Error(`${problems.map((problem) => problem.message).join('\n')}\nin\n${text}`);
  return program;
}

/** The expression of `fn f() = <text>`. */
export function readExpression(text: string): Expression {
  const [declaration] = read(`fn f() = ${text}`).declarations;
  if (declaration?.kind !== 'fn' || declaration.body.kind === 'block') throw new Error(`no expression: ${text}`);
  return declaration.body;
}

/** Every binary operator in parentheses; calls as `f<…>(…)`, members and indices as written. */
export function grouped(e: Expression): string {
  switch (e.kind) {
    case 'number':
      return e.text;
    case 'string':
      return JSON.stringify(e.value);
    case 'boolean':
      return String(e.value);
    case 'name':
      return e.name;
    case 'member':
      return `${grouped(e.object)}.${e.member.text}`;
    case 'call': {
      const generics = e.generics === null ? '' : `<${e.generics.map(printDimension).join(', ')}>`;
      const args = e.arguments.map((argument) => (argument.name === null ? '' : `${argument.name.text}: `) + grouped(argument.value));
      return `${grouped(e.callee)}${generics}(${args.join(', ')})`;
    }
    case 'index':
      return `${grouped(e.object)}[${e.indices.map(index).join(', ')}]`;
    case 'index-notation':
      return `([${e.indices.map(indexVariable).join(', ')}] => ${body(e.body)})`;
    case 'reduction':
      return `${e.reduction}[${e.indices.map(indexVariable).join(', ')}](${grouped(e.element)})`;
    case 'outside':
      return `(${grouped(e.inside)} ?? ${grouped(e.outside)})`;
    case 'list':
      return `[${e.elements.map(grouped).join(', ')}]`;
    case 'comprehension':
      return `[${grouped(e.element)}${e.clauses.map((one) => ` for ${printPattern(one.pattern)} in ${iterable(one.iterable)}`).join('')}]`;
    case 'record':
      return `{${e.fields.map((field) => (field.shorthand ? field.name.text : `${field.name.text}: ${grouped(field.value)}`)).join(', ')}}`;
    case 'tuple':
      return `tuple(${e.elements.map(grouped).join(', ')})`;
    case 'lambda':
      return `((${e.parameters.map((name) => name.text).join(', ')}) => ${body(e.body)})`;
    case 'if':
      return `(if ${grouped(e.condition)} then ${grouped(e.whenTrue)} else ${grouped(e.whenFalse)})`;
    case 'fold':
    case 'scan':
      return `(${e.kind} ${printPattern(e.variable)} in ${iterable(e.iterable)} with ${printPattern(e.carry)} = ${grouped(e.initial)} ${body(e.body)})`;
    case 'while':
      return `(while ${grouped(e.condition)} with ${printPattern(e.carry)} = ${grouped(e.initial)}${e.limit === null ? '' : ` limit ${grouped(e.limit)}`} ${body(e.body)})`;
    case 'unary':
      return `(${e.operator}${grouped(e.operand)})`;
    case 'binary':
      return `(${grouped(e.left)} ${e.operator} ${grouped(e.right)})`;
    case 'missing':
      return '<missing>';
  }
}

function index(e: Index): string {
  if (e.kind === 'ellipsis') return '...';
  if (e.kind !== 'slice') return grouped(e);
  const bound = (part: Expression | null): string => (part === null ? '' : grouped(part));
  return `${bound(e.start)}:${bound(e.stop)}${e.step === null ? '' : `:${grouped(e.step)}`}`;
}

const indexVariable = ({ name, range }: IndexVariable): string => (range === null ? name.text : `${name.text} in ${iterable(range)}`);

function iterable(e: Iterable): string {
  return e.kind === 'range' ? `${grouped(e.start)}..${grouped(e.stop)}` : grouped(e);
}

function body(b: Body): string {
  if (b.kind !== 'block') return grouped(b);
  return `{ ${b.statements.map((statement) => (statement.kind === 'expression-statement' ? grouped(statement.expression) : statement.kind)).join('; ')} }`;
}

/** The tree without places, comments and text. */
export function withoutPlaces(node: unknown): unknown {
  const unplaced = new Set(['span', 'operatorSpan', 'nameSpan', 'source', 'comments']);
  return JSON.parse(JSON.stringify(node, (key, value: unknown) => (unplaced.has(key) ? undefined : value)));
}
