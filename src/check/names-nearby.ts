// Names that are bound elsewhere in the same declaration: in a block that has ended, or below. In: a name that nothing in force has, and
// where it stands. Out: where it is bound, and how its value comes out of there.
// Holds: a declaration is looked through once, however many names it lacks.

import { children, type Declaration, type NamePattern, type Node, type Pattern, type Span } from '../../grammar/index.js';
import type { Label } from '../base/index.js';
import type { Context } from './context.js';

/** What a name is known inside of. */
type Place = 'block' | 'if' | 'loop' | 'round' | 'index' | 'list' | 'lambda';

interface Bound {
  readonly span: Span;
  readonly place: Place;
}

export interface Nearby {
  readonly labels: readonly Label[];
  readonly hint: string;
}

/** Undefined where the declaration binds no such name. */
export function boundNearby(context: Context, name: string, span: Span): Nearby | undefined {
  const declaration = context.module.program.declarations.findLast((one) => one.span.start <= span.start);
  const bound = declaration === undefined ? undefined : boundIn(declaration).get(name);
  if (bound === undefined) return undefined;
  const before = bound.findLast((one) => one.span.start < span.start);
  const found = before ?? (bound[0] as Bound);
  return {
    labels: [
      { span: found.span, text: before === undefined ? `\`${name}\` stands below` : `\`${name}\` is bound here, ${within[found.place]}` },
    ],
    hint: before === undefined ? 'what stands below is not known yet: put it in front' : ways[found.place](name),
  };
}

/** The parameter of that name in the declaration around; undefined when there is none. */
export function parameterNearby(context: Context, name: string, span: Span): Span | undefined {
  const declaration = context.module.program.declarations.findLast((one) => one.span.start <= span.start);
  return declaration?.kind === 'fn' || declaration?.kind === 'step'
    ? declaration.parameters.find((parameter) => parameter.name.text === name)?.name.span
    : undefined;
}

const within: Readonly<Record<Place, string>> = {
  block: 'and known in this block alone',
  if: 'and known in this branch alone',
  loop: 'and known in the loop alone',
  round: 'and known in the loop alone',
  index: 'and known in its body alone',
  list: 'and known in the list alone',
  lambda: 'and known in the lambda alone',
};

const ways: Readonly<Record<Place, (name: string) => string>> = {
  block: () => 'a block keeps what it binds: compute it again, or pass it as an argument',
  if: (name) => `choose the value in front: \`let ${name} = if … then … else …\``,
  loop: (name) => `a loop is a value: \`let ${name} = fold …\` is its last carry, \`scan\` gives what each round yields as well`,
  round: (name) => `\`${name}\` is another one in each round: carry what is needed of it out of the loop`,
  index: (name) => `put what uses \`${name}\` into the body`,
  list: () => 'put what uses it into the list, or take an element by its position',
  lambda: () => 'put what uses it into the lambda',
};

const known = new WeakMap<Declaration, ReadonlyMap<string, readonly Bound[]>>();

function boundIn(declaration: Declaration): ReadonlyMap<string, readonly Bound[]> {
  const found = known.get(declaration);
  if (found !== undefined) return found;
  const names = new Map<string, Bound[]>();
  const add = (name: string, span: Span, place: Place): void => {
    const list = names.get(name);
    if (list === undefined) names.set(name, [{ span, place }]);
    else list.push({ span, place });
  };
  const waiting: { readonly node: Node; readonly place: Place }[] = [{ node: declaration, place: 'block' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node } = next;
    const place = placeIn(node) ?? next.place;
    if (node.kind === 'fold' || node.kind === 'scan') for (const one of namesIn(node.variable)) add(one.name, one.span, 'round');
    if (node.kind === 'name-pattern' && !names.get(node.name)?.some(({ span }) => span.start === node.span.start))
      add(node.name, node.span, place);
    if (node.kind === 'param' || node.kind === 'state' || node.kind === 'binding') add(node.name.text, node.name.span, 'block');
    if (node.kind === 'index-variable') add(node.name.text, node.name.span, place);
    if (node.kind === 'lambda') for (const parameter of node.parameters) add(parameter.text, parameter.span, place);
    waiting.push(
      ...children(node)
        .map((child) => ({ node: child, place }))
        .reverse(),
    );
  }
  known.set(declaration, names);
  return names;
}

function namesIn(pattern: Pattern): readonly NamePattern[] {
  return pattern.kind === 'name-pattern' ? [pattern] : pattern.elements.flatMap(namesIn);
}

/** What a node encloses; undefined where it binds nothing. */
function placeIn(node: Node): Place | undefined {
  switch (node.kind) {
    case 'if-statement':
      return 'if';
    case 'fold':
    case 'scan':
    case 'while':
      return 'loop';
    case 'index-notation':
    case 'reduction':
      return 'index';
    case 'comprehension':
      return 'list';
    case 'lambda':
      return 'lambda';
    default:
      return undefined;
  }
}
