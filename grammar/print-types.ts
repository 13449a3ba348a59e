// Types, sizes, patterns and signatures to text. In: their nodes. Out: layouts.
// Holds: what is printed reads back as the same nodes.

import type { Dimension, Fact, GenericParameter, Pattern, SizeExpression, SizeOperator, TypeExpression } from './ast.js';
import { group, indent, join, line, separated, softLine, whenBroken, type Layout } from './layout.js';

/** `open a, b close` on one line, or one element a line with a comma after each. `space` stands inside of the signs. */
export function listed(open: string, elements: readonly Layout[], close: string, space: '' | ' ' = ''): Layout {
  if (elements.length === 0) return open + close;
  const edge = space === '' ? softLine : line;
  return group(open, indent(edge, separated(elements, join(',', line))), whenBroken(','), edge, close);
}

/** A type on one line, as it would be written. */
export function printType(type: TypeExpression): string {
  switch (type.kind) {
    case 'named-type': {
      const generics = genericArgumentsText(type.generics);
      const dims = type.dims === null ? '' : `[${type.dims.map(printDimension).join(', ')}]`;
      return type.name.text + generics + dims;
    }
    case 'record-type':
      if (type.fields.length === 0) return '{}';
      return `{ ${type.fields.map((field) => `${field.name.text}: ${printType(field.type)}`).join(', ')} }`;
    case 'tuple-type':
      return `(${type.elements.map(printType).join(', ')})`;
    case 'fn-type': {
      if (type.signature === null) return 'fn';
      return `fn(${type.signature.parameters.map(printType).join(', ')}): ${printType(type.signature.result)}`;
    }
    case 'missing-type':
      return '';
  }
}

/** A type that may take several lines. */
export function typeLayout(type: TypeExpression): Layout {
  if (type.kind === 'record-type') {
    return listed(
      '{',
      type.fields.map((field) => join(`${field.name.text}: `, typeLayout(field.type))),
      '}',
      ' ',
    );
  }
  if (type.kind === 'tuple-type') return listed('(', type.elements.map(typeLayout), ')');
  return printType(type);
}

/** `<784, 300>`, or nothing. A minus keeps off the `<`, since `<-` is a sign of its own. */
export function genericArgumentsText(generics: readonly Dimension[] | null): string {
  if (generics === null) return '';
  const text = generics.map(printDimension).join(', ');
  return `<${text.startsWith('-') ? ' ' : ''}${text}>`;
}

export function printDimension(dimension: Dimension): string {
  return dimension.kind === 'rank-spread' ? `...${dimension.name.text}` : printSize(dimension);
}

/** A size as it would be written, e.g. `(H + 2) * W`. */
export function printSize(size: SizeExpression): string {
  return sizeText(size, 0);
}

/** How tightly operators of sizes bind; a sign has level 3. */
const sizeLevels: Readonly<Record<SizeOperator, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '**': 4 };

function sizeText(size: SizeExpression, atLeast: number): string {
  switch (size.kind) {
    case 'size-literal':
      return sizeLiteral(size.value);
    case 'size-name':
      return size.name;
    case 'size-element':
      return `${sizeText(size.list, 3)}[${sizeText(size.index, 0)}]`;
    case 'size-negation':
      return atLeast > 3 ? `(${printSize(size)})` : `-${sizeText(size.operand, 3)}`;
    case 'size-binary': {
      const level = sizeLevels[size.operator];
      // A power groups from the right, and its exponent may have a sign.
      const [left, right] = level === 4 ? [5, 3] : [level, level + 1];
      const text = `${sizeText(size.left, left)} ${size.operator} ${sizeText(size.right, right)}`;
      return level < atLeast ? `(${text})` : text;
    }
    case 'missing-size':
      return '';
  }
}

/** Every digit, where `String` would use an exponent. */
function sizeLiteral(value: number): string {
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? String(value) : BigInt(value).toString();
}

/** A pattern as it would be written: `a`, `(a, (b, c))`. */
export function printPattern(pattern: Pattern): string {
  return pattern.kind === 'name-pattern' ? pattern.name : `(${pattern.elements.map(printPattern).join(', ')})`;
}

export function genericsText(generics: readonly GenericParameter[]): string {
  if (generics.length === 0) return '';
  const one = ({ variadic, name, bound, initial }: GenericParameter): string =>
    `${variadic ? '...' : ''}${name.text}${bound === null ? '' : `: ${bound.text}`}${initial === null ? '' : ` = ${printDimension(initial)}`}`;
  return `<${generics.map(one).join(', ')}>`;
}

export function factsText(facts: readonly Fact[]): string {
  if (facts.length === 0) return '';
  return ` where ${facts.map((fact) => `${printSize(fact.left)} ${fact.operator} ${printSize(fact.right)}`).join(', ')}`;
}
