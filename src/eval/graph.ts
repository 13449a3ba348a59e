// The meaning of the language: an interpreter of graphs in doubles. In: nodes, and values of feeds, variables, parameters and sizes. Out:
// their values.
// Holds: asks each op's `evaluate` and adds nothing to it; f32 is not rounded; every node is computed once per region call.

import { type Dim, InternalError } from '../base/index.js';
import {
  attrsKey,
  type Node,
  type Region,
  type Source,
  sourceOf,
  type TensorNode,
  type TensorType,
  topological,
  typeToString,
} from '../graph/index.js';
import { type CheckFailure, type EvaluateContext, isTensorValue, opOf, type TensorValue, type Value } from '../ops/index.js';
import { refuse } from './checks.js';
import { mistake } from './sizes.js';

export interface Environment {
  readonly feeds?: ReadonlyMap<string, TensorValue>;
  readonly variables?: ReadonlyMap<string, TensorValue>;
  /** Values of `argument` nodes outside of regions, by index. */
  readonly args?: readonly TensorValue[];
  readonly dims?: ReadonlyMap<string, number>;
  /** Values that stand in the places of nodes outside of regions; what these would compute is not. */
  readonly nodes?: ReadonlyMap<Node, TensorValue>;
  /** Told of checks that do not hold; by default they are a mistake at once. */
  readonly fails?: (failure: CheckFailure) => void;
}

/** Values of tensor nodes, in their order. */
export function evaluateNodes(roots: readonly TensorNode[], environment: Environment = {}): TensorValue[] {
  return new GraphEvaluator(environment).tensors(roots, environment.args ?? []);
}

export class GraphEvaluator {
  readonly #environment: Environment;
  readonly #dims: ReadonlyMap<string, number>;
  /** The walk through a region is the same in every iteration of its loop. */
  readonly #orders = new Map<Region, readonly Node[]>();

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#dims = environment.dims ?? new Map();
  }

  tensors(roots: readonly TensorNode[], args: readonly TensorValue[]): TensorValue[] {
    const { nodes } = this.#environment;
    const order = topological(roots, (node) => nodes?.has(node) !== true);
    return this.#run(roots, order, args, new Map<Node, Value>(nodes));
  }

  /** `values`: those that are known already. */
  #run(roots: readonly TensorNode[], order: readonly Node[], args: readonly TensorValue[], values: Map<Node, Value>): TensorValue[] {
    for (const node of order) values.set(node, this.#node(node, values, args));
    return roots.map((root) => {
      const value = values.get(root);
      if (value === undefined || !isTensorValue(value)) throw new InternalError('graph interpreter', `${root.op.name} gives no tensor`);
      return value;
    });
  }

  #node(node: Node, values: ReadonlyMap<Node, Value>, args: readonly TensorValue[]): Value {
    const source = sourceOf(node);
    if (source !== undefined) return this.#fitting(node, this.#given(source, args));
    const operands = node.args.map((arg) => values.get(arg) as Value);
    return this.#fitting(node, opOf(node).evaluate(operands, this.#context(node)));
  }

  #given(source: Source, args: readonly TensorValue[]): TensorValue {
    switch (source.kind) {
      case 'feed': {
        const value = this.#environment.feeds?.get(source.name);
        if (value === undefined) throw mistake('missing-feed', `the argument ${source.name} is not fed`);
        return value;
      }
      case 'variable': {
        const value = this.#environment.variables?.get(source.path);
        if (value === undefined) throw mistake('uninitialized-variable', `the variable ${source.path} has no value`);
        return value;
      }
      case 'argument': {
        const value = args[source.index];
        if (value === undefined) throw new InternalError('graph interpreter', `no argument ${source.index} among ${args.length}`);
        return value;
      }
    }
  }

  #context(node: Node): EvaluateContext<Node['attrs']> {
    return {
      attrs: node.attrs,
      type: node.type,
      size: (dim) => this.#size(dim),
      shape: (type) => this.#shape(type),
      region: (region, args) => {
        const order = this.#orders.get(region) ?? topological(region.results);
        this.#orders.set(region, order);
        return this.#run(region.results, order, args, new Map());
      },
      fails: this.#environment.fails ?? ((failure) => refuse([failure])),
    };
  }

  #size(dim: Dim): number {
    const size = dim.evaluate(this.#dims);
    if (size === undefined) throw mistake('ambiguous-size', `the size ${dim.toString()} has no value`);
    return size;
  }

  #shape(type: TensorType): number[] {
    return type.shape.map((dim) => this.#size(dim));
  }

  /** A value has the dtype and shape of its node's type. */
  #fitting(node: Node, value: Value): Value {
    const types = node.type.kind === 'tensor' ? [node.type] : node.type.items;
    const found = isTensorValue(value) ? [value] : value;
    types.forEach((type, at) => {
      const one = found[at];
      const shape = this.#shape(type);
      if (
        one !== undefined &&
        one.dtype === type.dtype &&
        one.shape.length === shape.length &&
        one.shape.every((size, axis) => size === shape[axis])
      )
        return;
      const given = one === undefined ? 'nothing' : `${one.dtype}[${one.shape.join(', ')}]`;
      throw new InternalError(
        'graph interpreter',
        `${node.op.name}${attrsKey(node.attrs).slice(0, 200)} is ${typeToString(type)} and gives ${given}`,
      );
    });
    return value;
  }
}
