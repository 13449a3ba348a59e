// What belongs to attention, found from the product that takes its weights. In: a block in groups, a product. Out: the nodes that are made
// of its scores, and the products and reductions that take them. Holds: nothing else takes any of them, and nobody wants one; what makes
// them attention is for `attention.ts` and `attention-backward.ts` to say.

import { shapeEquals } from '../../base/index.js';
import type { Node } from '../../graph/index.js';
import type { FormedBlock } from '../form/formed.js';
import type { Form, MatmulForm, ReduceForm } from '../form/forms.js';
import { areAlike } from './attention.js';

export interface AttentionParts {
  readonly scores: MatmulForm;
  readonly most: ReduceForm;
  readonly total: ReduceForm;
  readonly mixed: MatmulForm;
  /** Of the derivative: products that are alike with the scores, sums of rows, and products that take what is made of all of these. */
  readonly cotangents: readonly MatmulForm[];
  readonly sums: readonly ReduceForm[];
  readonly takers: readonly MatmulForm[];
  /** What is computed from scores and sums wherever it is read, and so never stored. */
  readonly between: ReadonlySet<Node>;
}

/** Who takes each node of a block; looked for when somebody asks. */
export class Users {
  readonly #block: FormedBlock;
  #users: Map<Node, Node[]> | undefined;

  constructor(block: FormedBlock) {
    this.#block = block;
  }

  of(node: Node): readonly Node[] {
    return (this.#users ??= this.#all()).get(node) ?? [];
  }

  #all(): Map<Node, Node[]> {
    const { order, forms } = this.#block;
    const users = new Map<Node, Node[]>();
    for (const node of order)
      for (const argument of forms.argsOf(node)) {
        const known = users.get(argument);
        if (known === undefined) users.set(argument, [node]);
        else known.push(node);
      }
    return users;
  }
}

/** All ways to see the left side of `mixed` as weights; mostly there is one or none. */
export function partsOfAttention(mixed: MatmulForm, block: FormedBlock, users: Users): readonly AttentionParts[] {
  const { forms } = block;
  const below = new Set<Node>();
  const [left] = mixed.node.args;
  if (left !== undefined) below.add(left);
  // A set's iteration also visits what is added meanwhile.
  for (const node of below) if (forms.of(node).kind === 'element') for (const argument of node.args) below.add(argument);
  const combined = new Set([...below].flatMap((node) => combinerOf(forms.of(node))));
  if (!combined.has('max') || !combined.has('sum')) return [];
  return [...below].flatMap((node) => {
    const scores = forms.of(node);
    if (scores.kind !== 'matmul' || !areAlike(scores, mixed)) return [];
    const parts = new Finder(scores, mixed, below, block, users).parts();
    return parts === undefined ? [] : [parts];
  });
}

const combinerOf = (form: Form): readonly string[] => (form.kind === 'reduce' ? [form.combine] : []);

class Finder {
  readonly #scores: MatmulForm;
  readonly #mixed: MatmulForm;
  readonly #below: ReadonlySet<Node>;
  readonly #block: FormedBlock;
  readonly #users: Users;
  readonly #required: ReadonlySet<Node>;
  readonly #between = new Set<Node>();
  readonly #sums = new Map<Node, ReduceForm>();
  readonly #takers = new Map<Node, MatmulForm>();

  constructor(scores: MatmulForm, mixed: MatmulForm, below: ReadonlySet<Node>, block: FormedBlock, users: Users) {
    this.#scores = scores;
    this.#mixed = mixed;
    this.#below = below;
    this.#block = block;
    this.#users = users;
    this.#required = new Set(block.required);
  }

  parts(): AttentionParts | undefined {
    const [scores, mixed] = [this.#scores, this.#mixed];
    const starts = new Map<Node, MatmulForm>();
    const waiting = [scores];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      starts.set(next.node, next);
      if (!this.#follow(next.node)) return undefined;
      if (waiting.length === 0) waiting.push(...this.#alike(starts));
    }
    const rows = [...this.#sums.values()].filter(({ node }) => this.#below.has(node));
    const most = rows.find(({ combine }) => combine === 'max');
    const total = rows.find(({ combine }) => combine === 'sum');
    if (most === undefined || total === undefined || rows.length > 2 || !this.#takers.delete(mixed.node)) return undefined;
    const sums = [...this.#sums.values()].filter((sum) => sum !== most && sum !== total);
    // A sum is not stored either, so what is made of it is followed as far as it is no part of a larger thing.
    for (const sum of sums) if (!this.#follow(sum.node)) return undefined;
    if (this.#sums.size !== sums.length + 2) return undefined;
    starts.delete(scores.node);
    return {
      scores,
      most,
      total,
      mixed,
      cotangents: [...starts.values()],
      sums,
      takers: [...this.#takers.values()],
      between: this.#between,
    };
  }

  /** Notes what takes a node, at once or by elements that are made of it; whether nobody wants any of it. */
  #follow(from: Node): boolean {
    const { forms } = this.#block;
    if (this.#required.has(from)) return false;
    const found = new Set([from]);
    for (const node of found)
      for (const user of this.#users.of(node)) {
        const form = forms.of(user);
        if (form.kind === 'reduce') this.#sums.set(user, form);
        else if (form.kind === 'matmul') this.#takers.set(user, form);
        else if (form.kind !== 'element' || this.#required.has(user)) return false;
        else {
          found.add(user);
          this.#between.add(user);
        }
      }
    return true;
  }

  /** Products of the shape of the scores that what was found takes, beside what weights are made of. */
  #alike(known: ReadonlyMap<Node, MatmulForm>): readonly MatmulForm[] {
    const { forms } = this.#block;
    const { node } = this.#scores;
    const found = new Set([...this.#between, ...[...this.#sums.keys()].filter((sum) => !this.#below.has(sum))].flatMap(({ args }) => args));
    const products: MatmulForm[] = [];
    for (const one of found) {
      const form = forms.of(one);
      if (known.has(one) || this.#below.has(one)) continue;
      if (form.kind === 'matmul' && shapeEquals(form.node.type.shape, node.type.shape)) products.push(form);
      // On the way to it there may be what only rows' results and it are made of.
      if (form.kind === 'element' && !this.#between.has(one)) for (const argument of one.args) found.add(argument);
    }
    return products;
  }
}
