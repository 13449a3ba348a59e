// Where nodes live while a block of kernels is built. In: bindings of what exists already, destinations of what must be delivered. Out:
// buffers per node, and new temporaries.
// Holds: buffer names are unique in a program; a materialized node is stored only if somebody outside of its group reads it.

import { type DType, InternalError } from '../../base/index.js';
import type { Node, TensorNode } from '../../graph/index.js';
import type { Accumulator, Buffer, Expr } from '../../kernel/index.js';
import { element, isNodeOf } from '../../ops/index.js';
import { type Laid, laidOut } from './layout.js';
import type { Forms } from './materialize.js';
import type { Stored } from './values.js';

/** Where a value must go: a buffer (below a fixed leading index), or a register. */
export type Destination =
  | { readonly kind: 'buffer'; readonly buffer: Buffer; readonly prefix: readonly Expr[] }
  | { readonly kind: 'register'; readonly accumulator: Accumulator };

export interface RequiredOutput {
  readonly node: TensorNode;
  readonly to: Destination;
}

/** All buffers of one program. */
export class BufferPool {
  readonly all: Buffer[] = [];
  #next = 0;

  add(buffer: Buffer): Buffer {
    this.all.push(buffer);
    return buffer;
  }

  temporary(type: Laid): Buffer {
    return this.add(laidOut(`t${this.#next++}`, type, { kind: 'temporary' }));
  }
}

/** Nodes with storage, within one block (an entry, or the body of a loop). */
export class Storage {
  readonly #stored = new Map<Node, Stored>();
  readonly #destinations = new Map<Node, Destination[]>();
  readonly #results = new Map<Node, readonly (Buffer | undefined)[]>();

  readonly pool: BufferPool;
  readonly forms: Forms;
  /** Sources: feeds, variables, region arguments. */
  readonly bind: (source: TensorNode) => Stored | undefined;

  constructor(pool: BufferPool, forms: Forms, bind: (source: TensorNode) => Stored | undefined) {
    this.pool = pool;
    this.forms = forms;
    this.bind = bind;
  }

  stored(node: TensorNode): Stored | undefined {
    const known = this.#stored.get(node);
    if (known !== undefined) return known;
    const form = this.forms.of(node);
    if (form.kind === 'source') {
      const bound = this.bind(node);
      if (bound !== undefined) this.#stored.set(node, bound);
      return bound;
    }
    if (!isNodeOf(node, element)) return undefined;
    const buffers = this.#results.get(node.args[0] as Node);
    const buffer = buffers?.[node.attrs.index];
    return buffer === undefined ? undefined : { kind: 'buffer', buffer };
  }

  bufferOf(node: TensorNode): Buffer {
    const stored = this.stored(node);
    if (stored?.kind !== 'buffer') throw new InternalError('lower', `${node.op.name} (%${node.id}) has no buffer`);
    return stored.buffer;
  }

  /**
   * Gives a materialized node its storage, if it is read or has a destination. The first plain destination is where others read it; without
   * one, a temporary is made, of `dtype`.
   */
  place(node: TensorNode, destinations: readonly Destination[], isRead: boolean, dtype: DType): void {
    const all = [...destinations];
    let home = all.find((one): one is Extract<Destination, { kind: 'buffer' }> => one.kind === 'buffer' && one.prefix.length === 0)?.buffer;
    if (home === undefined && isRead) {
      home = this.pool.temporary({ dtype, shape: node.type.shape });
      all.push({ kind: 'buffer', buffer: home, prefix: [] });
    }
    if (home !== undefined) this.#stored.set(node, { kind: 'buffer', buffer: home });
    this.#destinations.set(node, all);
  }

  /** Storage of the results of a loop: `places` has an item where a result is wanted, which may say where. */
  placeResults(node: Node, places: readonly (Buffer | undefined)[]): void {
    const types = node.type.kind === 'tuple' ? node.type.items : [node.type];
    this.#results.set(
      node,
      types.map((type, at) => (at in places ? (places[at] ?? this.pool.temporary(type)) : undefined)),
    );
  }

  /** Undefined for a result that nothing reads. */
  results(node: Node): readonly (Buffer | undefined)[] {
    return this.#results.get(node) ?? [];
  }

  destinations(node: Node): readonly Destination[] {
    return this.#destinations.get(node) ?? [];
  }
}
