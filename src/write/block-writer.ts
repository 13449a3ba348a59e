// A graph as statements. In: nodes, names for some of them. Out: statements of TDSL, and expressions of the results. Holds: a node is
// written once, and stands where it is used where that is once and short; what opens a block gets names for all that it needs from around.

import { type Block, type Expression, type Pattern, printExpression, type Statement } from '../../grammar/index.js';
import { DiagnosticsError, type Dim, isInteger, isNatural, type Shape, shapeEquals } from '../base/index.js';
import { type GraphBuilder, type Node, type Region, type SizeFact, sourceOf, type TensorNode, topological } from '../graph/index.js';
import { commonOf, opOf, tdsl, tensorOf, withOnes, type Writer, type Written } from '../ops/index.js';
import { Frame } from './frame.js';
import type { Names } from './names.js';
import type { Sizes } from './sizes.js';
import { elementsOf, forwardFirst, usersOf, usesOf, wants } from './uses.js';

/** What all blocks of a text share. */
export interface TextContext {
  readonly build: GraphBuilder;
  readonly names: Names;
  readonly sizes: Sizes;
  readonly facts: readonly SizeFact[];
  /** Feeds and variables by what the text calls them. */
  sourceName(node: Node): string;
  /** The name that a node shall have, if any: it is asked for once. */
  nameOf(node: Node): string | undefined;
  /** What a temporary is called. */
  stemOf(node: Node): string;
  /** Whether a derivative made it. */
  isBackward(node: Node): boolean;
  /** From which node a statement was written. */
  readonly origins: Map<Statement, Node>;
}

/** An expression of so many characters gets a name, and one of so many that is used more than once and only moves elements. */
const longest = 64;
const longestRepeated = 24;

export class BlockWriter implements Writer {
  readonly #text: TextContext;
  readonly #frame: Frame;
  readonly statements: Statement[];
  /** What is being written. */
  #current: Node | undefined;

  private constructor(text: TextContext, frame: Frame, statements: Statement[], current?: Node) {
    this.#text = text;
    this.#frame = frame;
    this.statements = statements;
    this.#current = current;
  }

  static outermost(text: TextContext): BlockWriter {
    return new BlockWriter(text, new Frame(text.facts, true), []);
  }

  /** Writes all that the results need; gives them as expressions. */
  write(results: readonly TensorNode[]): readonly Expression[] {
    const order = forwardFirst(topological(results), (node) => this.#text.isBackward(node));
    this.#frame.uses = usesOf(order, results);
    this.#frame.users = usersOf(order, results);
    this.#frame.elements = elementsOf(order);
    for (const node of order) this.#node(node);
    return results.map((result) => this.exact(result));
  }

  // ------------------------------------------------------------------------------------------------- what ops ask

  written(node: Node): Written {
    const found = this.#frame.value(node);
    return found ?? this.refuse(node, 'it stands outside of what is written');
  }

  exact(node: Node): Expression {
    const { expression, shape, other } = this.written(node);
    const wanted = tensorOf(node).type.shape;
    if (shapeEquals(shape, wanted)) return expression;
    // What got its name with other axes of size 1.
    if (other !== undefined && shapeEquals(shape, other.shape)) return withOnes(expression, shape, wanted, this);
    return tdsl.called('broadcastTo', [expression, this.sizes(wanted)]);
  }

  shared(node: Node): Written {
    const value = this.written(node);
    const { dtype, shape } = tensorOf(node).type;
    const bounds = isInteger(dtype) && shape.length === 0 ? this.#frame.ranges.boundsOf(tensorOf(node)) : undefined;
    const found =
      value.expression.kind === 'name' || value.literal !== undefined
        ? value
        : this.#bound(node, value, this.fresh(this.#text.stemOf(node)));
    return bounds === undefined ? found : { ...found, bounds };
  }

  named(node: Node): Expression {
    const { expression, shape, literal } = this.written(node);
    const wanted = tensorOf(node).type.shape;
    if (shapeEquals(shape, wanted))
      return expression.kind === 'name' || (literal !== undefined && shape.length === 0) ? expression : this.shared(node).expression;
    const known = this.#frame.whole(node);
    if (known !== undefined) return known;
    const name = this.fresh(this.#text.stemOf(node));
    this.#add(tdsl.letOf(tdsl.patternOf([name]), this.exact(node)), node);
    this.#frame.setWhole(node, tdsl.named(name));
    return tdsl.named(name);
  }

  together(nodes: readonly Node[], shape: Shape): readonly Expression[] {
    const values = nodes.map((node) => this.written(node));
    const dtype = tensorOf(nodes.at(-1) as Node).type.dtype;
    const decides = nodes.map((node, at) => tensorOf(node).type.dtype === dtype && values[at]?.literal === undefined);
    // Where all are literals, the first one says the dtype.
    const typed = decides.includes(true) ? -1 : nodes.findIndex((node) => tensorOf(node).type.dtype === dtype);
    const texts = values.map(({ expression, literal }, at) => (at === typed ? expression : (literal ?? expression)));
    if (shapeEquals(commonOf(values.map((value) => value.shape)), shape)) return texts;
    const wide = Math.max(
      0,
      values.findIndex(({ literal }) => literal === undefined),
    );
    return texts.map((text, at) => (at === wide ? tdsl.called('broadcastTo', [values[at]?.expression ?? text, this.sizes(shape)]) : text));
  }

  size(dim: Dim): Expression {
    return this.#text.sizes.value(dim);
  }

  sizes(shape: Shape): Expression {
    return tdsl.listOf(shape.map((dim) => this.size(dim)));
  }

  indices(shape: Shape): readonly string[] {
    const letters = ['i', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's'];
    const own: string[] = [];
    for (const dim of shape) {
      const text = `${dim}`;
      // B is gone through by b.
      const wanted = /^\p{Lu}$/u.test(text) ? [text.toLowerCase(), ...letters] : letters;
      own.push(wanted.find((name) => !own.includes(name) && !this.#text.names.has(name)) ?? this.fresh('i'));
    }
    return own;
  }

  fresh(stem: string): string {
    return this.#text.names.fresh(stem);
  }

  results(node: Node, stem: (index: number) => string): readonly string[] {
    const found = this.#frame.elements.get(node);
    const count = node.type.kind === 'tuple' ? node.type.items.length : 1;
    return Array.from({ length: count }, (_, index) => {
      const read = found?.get(index);
      const name = read === undefined || !this.#frame.isOutermost ? undefined : this.#text.nameOf(read);
      return name ?? this.fresh(stem(index));
    });
  }

  part(tuple: Node, index: number): Written {
    return this.#frame.parts(tuple)?.[index] ?? this.refuse(tuple, 'a result of it is missing');
  }

  isRead(tuple: Node, index: number): boolean {
    return this.#frame.elements.get(tuple)?.has(index) === true;
  }

  isNatural(dim: Dim): boolean {
    return isNatural(dim, this.#text.facts);
  }

  isInside(node: Node, size: Dim): boolean {
    return this.#frame.ranges.certainlyInside(tensorOf(node), size);
  }

  bind(pattern: Pattern, value: Expression): void {
    this.#add(tdsl.letOf(pattern, value), this.#current);
  }

  region(region: Region, params: readonly Written[]): readonly Written[] {
    const frame = new Frame(this.#text.facts, false);
    const inside = new BlockWriter(this.#text, frame, this.statements, this.#current);
    for (const node of topological(region.results)) {
      const source = sourceOf(node);
      const param = source?.kind === 'argument' ? params[source.index] : undefined;
      if (param !== undefined) frame.set(node, param);
    }
    return inside.write(region.results).map((expression, at) => {
      const { type } = region.results[at] as TensorNode;
      const bounds = isInteger(type.dtype) ? frame.ranges.boundsOf(region.results[at] as TensorNode) : undefined;
      return { expression, shape: type.shape, bounds };
    });
  }

  block(write: (inside: Writer) => Statement): Block {
    const inside = this.#inside();
    const last = write(inside);
    return tdsl.blockOf([...inside.statements, last]);
  }

  deferred(stem: string, params: readonly string[], write: (inside: Writer) => Expression): Expression {
    const inside = this.#inside();
    const value = write(inside);
    if (inside.statements.length === 0) return value;
    const name = this.fresh(stem);
    this.bind(tdsl.patternOf([name]), {
      kind: 'lambda',
      parameters: params.map(tdsl.identifier),
      body: tdsl.blockOf([...inside.statements, tdsl.returned(value)]),
      span: tdsl.nowhere,
    });
    return tdsl.applied(tdsl.named(name), params.map(tdsl.named));
  }

  refuse(node: Node, reason: string): never {
    const origins = this.#text.build.originsOf(node);
    const origin = origins.find(({ backward }) => !backward) ?? origins[0];
    throw new DiagnosticsError([
      {
        code: 'unsupported-feature',
        message: `\`${opOf(node).name}\` cannot be written as TDSL yet: ${reason}`,
        span: origin?.span,
        hint: 'the derivative itself compiles: `grad(…)` in a program computes it',
      },
    ]);
  }

  // ------------------------------------------------------------------------------------------------------ writing

  #inside(): BlockWriter {
    return new BlockWriter(this.#text, new Frame(this.#text.facts, false, this.#frame), [], this.#current);
  }

  #add(statement: Statement, node: Node | undefined): void {
    this.statements.push(statement);
    if (node !== undefined) this.#text.origins.set(statement, node);
  }

  #node(node: Node): void {
    if (this.#frame.value(node) !== undefined || this.#frame.parts(node) !== undefined) return;
    const source = sourceOf(node);
    if (source !== undefined) {
      const { shape } = tensorOf(node).type;
      this.#frame.set(node, { expression: tdsl.named(this.#text.sourceName(node)), shape });
      return;
    }
    const { write } = opOf(node);
    if (write === undefined) this.refuse(node, 'nothing in the language says what it does');
    this.#current = node;
    const found = write(node, this);
    if (!('expression' in found)) this.#frame.setParts(node, found);
    else {
      this.#frame.set(node, found);
      const isNamed = this.#frame.isOutermost && found.expression.kind !== 'name' && found.literal === undefined;
      const name = isNamed ? this.#text.nameOf(node) : undefined;
      // What the program gave a name had all of its shape there.
      if (name !== undefined) this.#bound(node, { expression: this.exact(node), shape: tensorOf(node).type.shape }, name);
      else if (this.#isBound(node, found)) this.#bound(node, found, this.fresh(this.#text.stemOf(node)));
    }
    this.#current = undefined;
  }

  #isBound(node: Node, { expression, other, isPlain, isWhole }: Written): boolean {
    if (isPlain === true || expression.kind === 'name') return false;
    // With other axes of size 1 it has a name already.
    if (other?.expression.kind === 'name' && this.#isWanted(node, other.shape)) return false;
    const uses = this.#frame.uses.get(node) ?? 0;
    if (isWhole === true && uses > 0) return true;
    const { length } = printExpression(expression);
    const { lowering } = opOf(node);
    const onlyMoves = lowering.kind === 'element' && lowering.cost === 0;
    return length > longest || (uses > 1 && (!onlyMoves || length > longestRepeated));
  }

  /** Whether all that use a node take it with other axes of size 1. */
  #isWanted(node: Node, other: Shape): boolean {
    const users = this.#frame.users.get(node) ?? [];
    return users.length > 0 && users.every((user) => wants(user, other));
  }

  /** A statement for a node, which is a name from then on. */
  #bound(node: Node, value: Written, name: string): Written {
    const { other } = value;
    const isOther = other !== undefined && this.#isWanted(node, other.shape);
    const { expression, shape } = isOther ? other : value;
    this.#add(tdsl.letOf(tdsl.patternOf([name]), expression), node);
    const itself = tdsl.named(name);
    const bound: Written = { expression: itself, shape, ...(isOther ? { other: { expression: itself, shape } } : {}) };
    this.#frame.set(node, bound);
    return bound;
  }
}
