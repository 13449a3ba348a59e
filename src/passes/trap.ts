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
  type TensorNode,
} from '../graph/index.js';
import { applyTensor, constant, fill, isNodeOf, opOf, reduceMax, scalar, scalars, unwind } from '../ops/index.js';
import { uncheckedGraph } from './graph-form.js';
import type { Pass } from './pass.js';
import { type Found, Watch } from './watch.js';

/** Of the output: nothing was found. */
export const nothingFound = 2 ** 31 - 1;

export const trap: Pass<ModuleGraph, ModuleGraph> = {
  name: 'trap',
  doc: 'Has each entry say which of its nodes first made a NaN or an infinity.',
  to: uncheckedGraph,
  run: (module, { build }) => ({
    ...module,
    entries: module.entries.map((entry) => (entry.kind === 'init' ? entry : build.at(undefined, () => trapped(entry, build)))),
  }),
};

function trapped(entry: Entry, build: GraphBuilder): Entry {
  const search = new Search(build);
  const { found, imageOf } = search.through(calledRoots(entry));
  const called = new Set<Node>(calledRoots(entry));
  const image = mapEntry(entry, (node) => (called.has(node) ? imageOf(node) : node));
  return {
    ...image,
    outputs: [...image.outputs, { path: '$trap', node: search.earliest(found)[0] as TensorNode }],
    trap: { output: image.outputs.length, places: search.places },
  };
}

/** How bad a tensor is: 0 all is finite, 1 something is infinite, 2 something is NaN. A number where that is known. */
type Level = number | TensorNode;

class Search extends Watch {
  /** Nodes that may be named, in the order in which they are computed. */
  readonly places: TensorNode[] = [];
  readonly #levels = new Map<Node, Level>();

  /** Scalars (i32): `nothingFound`, or twice a place, and one more where there is a NaN. */
  protected nothing(): Found {
    return [this.#number(nothingFound)];
  }

  protected earlier([one]: Found, [other]: Found): Found {
    return [scalars.min(this.build, one as TensorNode, other as TensorNode)];
  }

  protected look(node: TensorNode): Found | undefined {
    const code = this.#codeOf(node);
    return code === undefined ? undefined : [code];
  }

  /** Undefined for what cannot make anything of finite operands. */
  #codeOf(node: TensorNode): TensorNode | undefined {
    const { lowering, keepsFinite } = opOf(node);
    if (!isFloat(node.type.dtype)) return undefined;
    if (lowering.kind === 'element-of') {
      // Loops and branches say what was found inside; the way back through a loop is a place itself.
      const from = node.args[0];
      return from !== undefined && isNodeOf(from, unwind) ? this.#code(node, this.#worst(from.args)) : undefined;
    }
    const source = sourceOf(node);
    // Nobody made what was fed: an infinity in it may be meant, a NaN is not.
    if (source !== undefined) return source.kind === 'argument' ? undefined : this.#code(node, 1);
    if (node.args.length === 0 || keepsFinite?.(node) === true) return undefined;
    return this.#code(node, this.#worst(node.args));
  }

  #code(node: TensorNode, beyond: Level): TensorNode {
    const build = this.build;
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
    const worst = others.reduce((most, one) => scalars.max(this.build, most, one), first);
    return known === 0 ? worst : scalars.max(this.build, worst, this.#number(known));
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
    const build = this.build;
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
    return scalar(this.build, 'i32', value);
  }
}

/* Note: the first one.
   A node is to blame when its value is worse than all of its operands: NaN where they have at most infinities, infinite where they are
   finite. Operands are computed before what is computed of them, so of all that are to blame the first in this order has nothing to blame
   below it, whatever runs at the same time. Infinities that are meant (a constant, a mask that was fed) blame nobody; a NaN that comes of
   them does. What is worse is decided for whole tensors: where one operand has an infinity that is meant, an op that makes another one
   elsewhere is found when it becomes NaN. In a loop a turn keeps what the turns before it found: the smallest place, not the first turn. */
