// Going over a tree. In: a node. Out: its children in the order of the text.
// Holds: nothing here recurses, so no tree is too deep for it.

import type { Node } from './ast.js';

const some = (...nodes: readonly (Node | null)[]): readonly Node[] => nodes.filter((node) => node !== null);

/** The nodes directly below `node`, in the order of the text. Comments are not among them. */
export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'identifier':
    case 'size-literal':
    case 'size-name':
    case 'missing-size':
    case 'missing-type':
    case 'missing':
    case 'name-pattern':
    case 'number':
    case 'string':
    case 'boolean':
    case 'name':
    case 'ellipsis':
      return [];
    case 'program':
      return node.declarations;
    case 'import':
      return [...node.specifiers, node.from];
    case 'import-specifier':
      return node.imported === node.local ? [node.imported] : [node.imported, node.local];
    case 'const':
      return some(node.name, node.type, node.value);
    case 'dim':
    case 'binding':
      return [node.name, node.value];
    case 'param':
    case 'state':
    case 'parameter':
      return some(node.name, node.type, node.initial);
    case 'fn':
      return some(node.name, ...node.generics, ...node.parameters, node.result, ...node.facts, node.body, node.vjp);
    case 'step':
      return some(node.name, ...node.generics, ...node.parameters, node.result, ...node.facts, node.body);
    case 'vjp':
    case 'lambda':
      return [...node.parameters, node.body];
    case 'model':
      return [node.name, ...node.generics, ...node.parameters, ...node.facts, ...node.members];
    case 'optimizer':
      return [node.name, ...node.parameters, ...node.states, node.update];
    case 'update':
      return [node.parameter, node.gradient, node.body];
    case 'generic-parameter':
      return some(node.name, node.bound, node.initial);
    case 'fact':
    case 'binary':
    case 'size-binary':
      return [node.left, node.right];
    case 'named-type':
      return [node.name, ...(node.generics ?? []), ...(node.dims ?? [])];
    case 'record-type':
    case 'record':
      return node.fields;
    case 'record-type-field':
      return [node.name, node.type];
    case 'tuple-type':
    case 'tuple-pattern':
    case 'list':
    case 'tuple':
      return node.elements;
    case 'fn-type':
      return some(node.signature);
    case 'fn-signature':
      return [...node.parameters, node.result];
    case 'rank-spread':
      return [node.name];
    case 'size-element':
      return [node.list, node.index];
    case 'size-negation':
    case 'unary':
      return [node.operand];
    case 'block':
      return node.statements;
    case 'let':
      return some(node.pattern, node.type, node.value);
    case 'assign':
      return [node.target, node.value];
    case 'minimize':
      return some(node.loss, node.optimizer, node.over);
    case 'update-statement':
      return [node.target, node.optimizer, node.gradients];
    case 'if-statement':
      return some(node.condition, node.whenTrue, node.whenFalse);
    case 'precision':
      return [node.dtype, node.body];
    case 'scope':
      return [node.name, node.body];
    case 'summary':
      return [node.name, node.value];
    case 'return':
    case 'yield':
      return [node.value];
    case 'expression-statement':
      return [node.expression];
    case 'member':
      return [node.object, node.member];
    case 'call':
      return [node.callee, ...(node.generics ?? []), ...node.arguments];
    case 'argument':
      return some(node.name, node.value);
    case 'index':
      return [node.object, ...node.indices];
    case 'index-notation':
      return [...node.indices, node.body];
    case 'index-variable':
      return some(node.name, node.range);
    case 'reduction':
      return [...node.indices, node.element];
    case 'outside':
      return [node.inside, node.outside];
    case 'slice':
      return some(node.start, node.stop, node.step);
    case 'range':
      return [node.start, node.stop];
    case 'comprehension':
      return [node.element, ...node.clauses];
    case 'for-clause':
      return [node.pattern, node.iterable];
    case 'record-field':
      return node.shorthand ? [node.value] : [node.name, node.value];
    case 'if':
      return [node.condition, node.whenTrue, node.whenFalse];
    case 'fold':
    case 'scan':
      return [node.variable, node.iterable, node.carry, node.initial, node.body];
    case 'while':
      return some(node.condition, node.carry, node.initial, node.limit, node.body);
    default:
      return unreachable(node);
  }
}

function unreachable(node: never): never {
  throw new TypeError(`a node of no known kind: ${JSON.stringify(node)}`);
}

/** Calls `visit` on `node` and everything below it, parents first, in the order of the text; `false` leaves out what is below. */
export function walk(node: Node, visit: (node: Node) => boolean | void): void {
  const waiting: Node[] = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (visit(next) === false) continue;
    const below = children(next);
    for (let i = below.length - 1; i >= 0; i--) {
      const child = below[i];
      if (child !== undefined) waiting.push(child);
    }
  }
}

/** The number of nodes on the longest way from `node` down, itself included. */
export function depthOf(node: Node): number {
  let deepest = 0;
  const waiting: [Node, number][] = [[node, 1]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [current, depth] = next;
    deepest = Math.max(deepest, depth);
    for (const child of children(current)) waiting.push([child, depth + 1]);
  }
  return deepest;
}
