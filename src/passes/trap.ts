// Finds where numbers stop being numbers. In: a simplified graph. Out: the same with one more output per entry, which says which node made
// the first NaN or infinity. Holds: what an entry computes stays as it is; ops are asked, none is listed; the answer follows from the
// values alone, so it does not depend on how they are computed. A note at the end says what the first one is.

import { InternalError, isFloat } from '../base/index.js';
import {
  calledRoots,
  type Entry,
  type GraphBuilder,
  isTensorNode,
  mapEntry,
  type ModuleGraph,
  type Node,
  sourceOf,
  tensor,
  type TensorNode,
  topological,
} from '../graph/index.js';
import {
  apply,
  applyTensor,
  closeRegion,
  constant,
  element,
  fill,
  inlineRegion,
  isNodeOf,
  item,
  loop,
  type LoopAttrs,
  opOf,
  placeholder,
  reduceMax,
  scalar,
  scalars,
  tensorOf,
} from '../ops/index.js';
import { strippedGraph } from './graph-form.js';
import type { Pass } from './pass.js';
import { rebuild } from './rewrite.js';

/** Of the output: nothing was found. */
export const nothingFound = 2 ** 31 - 1;

export const trap: Pass<ModuleGraph, ModuleGraph> = {
  name: 'trap',
  doc: 'Has each entry say which of its nodes first made a NaN or an infinity.',
  to: strippedGraph,
  run: (module, { build }) => ({
    ...module,
    entries: module.entries.map((entry) => (entry.kind === 'init' ? entry : build.at(undefined, () => trapped(entry, build)))),
  }),
};

function trapped(entry: Entry, build: GraphBuilder): Entry {
  const search = new Search(build);
  const { codes, imageOf } = search.through(calledRoots(entry));
  const called = new Set<Node>(calledRoots(entry));
  const image = mapEntry(entry, (node) => (called.has(node) ? imageOf(node) : node));
  return {
    ...image,
    outputs: [...image.outputs, { path: '$trap', node: search.least(codes) }],
    trap: { output: image.outputs.length, places: search.places },
  };
}

/** How bad a tensor is: 0 all is finite, 1 something is infinite, 2 something is NaN. A number where that is known. */
type Level = number | TensorNode;

interface Found {
  /** Scalars (i32): `nothingFound`, or twice a place, and one more where there is a NaN. */
  readonly codes: readonly TensorNode[];
  readonly imageOf: (node: TensorNode) => TensorNode;
}

class Search {
  /** Nodes that may be named, in the order in which they are computed. */
  readonly places: TensorNode[] = [];
  readonly #build: GraphBuilder;
  readonly #levels = new Map<Node, Level>();
  /** Nodes, as they are now, that were looked at. */
  readonly #done = new Set<Node>();

  constructor(build: GraphBuilder) {
    this.#build = build;
  }

  through(roots: readonly TensorNode[]): Found {
    const codes: TensorNode[] = [];
    const images = new Map<Node, Node>();
    const imageOf = (node: Node): Node => images.get(node) ?? node;
    for (const node of topological(roots, (one) => !this.#done.has(one))) {
      if (this.#done.has(node)) continue;
      const image = this.#image(node, imageOf, codes);
      images.set(node, image);
      this.#done.add(image);
      const code = isTensorNode(image) ? this.#codeOf(image) : undefined;
      if (code !== undefined) codes.push(code);
    }
    return { codes, imageOf: (node) => tensorOf(imageOf(node)) };
  }

  /** The smallest of scalars, added up like a tournament: chains of thousands are slow to compile. */
  least(codes: readonly TensorNode[]): TensorNode {
    let round = codes.length === 0 ? [this.#number(nothingFound)] : codes;
    while (round.length > 1) {
      const next: TensorNode[] = [];
      for (let at = 0; at < round.length; at += 2) {
        const [one, other] = [round[at] as TensorNode, round[at + 1]];
        next.push(other === undefined ? one : scalars.min(this.#build, one, other));
      }
      round = next;
    }
    return round[0] as TensorNode;
  }

  #image(node: Node, imageOf: (node: Node) => Node, codes: TensorNode[]): Node {
    const args = node.args.map(imageOf);
    if (isNodeOf(node, loop)) return this.#loop(node, args.map(tensorOf), codes);
    const from = node.args[0];
    // A loop has one carry more, behind its own.
    if (isNodeOf(node, element) && from !== undefined && args[0] !== from && isNodeOf(from, loop)) {
      const { carries } = from.attrs;
      return item(this.#build, args[0] as Node, node.attrs.index < carries ? node.attrs.index : node.attrs.index + 1);
    }
    return rebuild(this.#build, node, args);
  }

  /** The loop with a carry for what its turns find. */
  #loop(node: Node<LoopAttrs>, args: readonly TensorNode[], codes: TensorNode[]): Node {
    const { trip, carries, body } = node.attrs;
    const build = this.#build;
    const [inits, captures] = [args.slice(0, carries), args.slice(carries)];
    const count = placeholder(build, tensor('i32'));
    const carried = inits.map((init) => placeholder(build, init.type));
    const code = placeholder(build, tensor('i32'));
    for (const param of [count, ...carried]) this.#done.add(param);
    const results = inlineRegion(build, body, [count, ...carried, ...captures]);
    const inside = this.through(results);
    if (inside.codes.length === 0) return rebuild(build, node, args);
    const images = results.map(inside.imageOf);
    const closed = closeRegion(
      build,
      [count, ...carried, code],
      [...images.slice(0, carries), this.least([code, ...inside.codes]), ...images.slice(carries)],
    );
    const made = apply(build, opOf(node), [...inits, this.#number(nothingFound), ...closed.captures], {
      trip,
      carries: carries + 1,
      body: closed.region,
    });
    codes.push(item(build, made, carries));
    return made;
  }

  /** Undefined for what cannot make anything of finite operands. */
  #codeOf(node: TensorNode): TensorNode | undefined {
    const { lowering, keepsFinite } = opOf(node);
    if (!isFloat(node.type.dtype)) return undefined;
    if (lowering.kind === 'element-of') {
      // A counted loop says what its turns find; a loop that runs as long as it likes, and a branch, are places themselves.
      const from = node.args[0];
      return from === undefined || isNodeOf(from, loop) ? undefined : this.#code(node, this.#worst(from.args));
    }
    const source = sourceOf(node);
    // Nobody made what was fed: an infinity in it may be meant, a NaN is not.
    if (source !== undefined) return source.kind === 'argument' ? undefined : this.#code(node, 1);
    if (node.args.length === 0 || keepsFinite?.(node) === true) return undefined;
    return this.#code(node, this.#worst(node.args));
  }

  #code(node: TensorNode, beyond: Level): TensorNode {
    const build = this.#build;
    const place = this.places.length;
    this.places.push(node);
    const level = this.#measured(node);
    const bound = typeof beyond === 'number' ? this.#number(beyond) : beyond;
    const named = scalars.add(build, level, this.#number(2 * place - 1));
    return scalars.select(build, scalars.gt(build, level, bound), named, this.#number(nothingFound));
  }

  #worst(nodes: readonly Node[]): Level {
    let known = 0;
    const rest = new Set<TensorNode>();
    for (const node of nodes) {
      const level = isTensorNode(node) ? this.#levelOf(node) : 0;
      if (typeof level === 'number') known = Math.max(known, level);
      else rest.add(level);
    }
    const [first, ...others] = rest;
    if (first === undefined) return known;
    const worst = others.reduce((most, one) => scalars.max(this.#build, most, one), first);
    return known === 0 ? worst : scalars.max(this.#build, worst, this.#number(known));
  }

  #levelOf(node: TensorNode): Level {
    const memory = this.#levels.get(node);
    if (memory !== undefined) return memory;
    const level = this.#newLevel(node);
    this.#levels.set(node, level);
    return level;
  }

  #newLevel(node: TensorNode): Level {
    if (!isFloat(node.type.dtype)) return 0;
    if (isNodeOf(node, constant)) {
      const value = Number(node.attrs.value);
      return Number.isFinite(value) ? 0 : Number.isNaN(value) ? 2 : 1;
    }
    const { lowering, keepsFinite } = opOf(node);
    if (node.args.length === 0 && lowering.kind === 'element') return 0;
    // What only moves numbers is no worse than they are.
    return keepsFinite?.(node) === true ? this.#worst(node.args) : this.#measured(node);
  }

  #measured(node: TensorNode): TensorNode {
    const build = this.#build;
    const levels = { ...node.type, dtype: 'i32' } as const;
    const infinite = scalars.eq(build, scalars.abs(build, node), fill(build, node.type, Infinity));
    const [none, one, two] = [0, 1, 2].map((level) => fill(build, levels, level)) as [TensorNode, TensorNode, TensorNode];
    const elements = scalars.select(build, scalars.isnan(build, node), two, scalars.select(build, infinite, one, none));
    const axes = node.type.shape.map((_, axis) => axis);
    const level = axes.length === 0 ? elements : applyTensor(build, reduceMax, [elements], { axes });
    if (level.type.shape.length > 0) throw new InternalError('trap', `${node.op.name} is measured as a tensor`);
    this.#levels.set(node, level);
    return level;
  }

  #number(value: number): TensorNode {
    return scalar(this.#build, 'i32', value);
  }
}

/* Note: the first one.
   A node is to blame when its value is worse than all of its operands: NaN where they have at most infinities, infinite where they are
   finite. Operands are computed before what is computed of them, so of all that are to blame the first in this order has nothing to blame
   below it, whatever runs at the same time. Infinities that are meant (a constant, a mask that was fed) blame nobody; a NaN that comes of
   them does. What is worse is decided for whole tensors: where one operand has an infinity that is meant, an op that makes another one
   elsewhere is found when it becomes NaN. In a loop a turn keeps what the turns before it found: the smallest place, not the first turn. */
