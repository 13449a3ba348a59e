// The graph of an entry as plain data, for callers. In: what the compiler knows of a program. Out: types alone. Holds: nodes stand after
// those that they read.
import type { ElementType } from './abi/manifest.js';

/**
 * Where something stands in the program; lines and columns count from 1.
 * @example
 * ```ts
 * const shown = ({ file, line, column }: SourcePlace): string => `${file}:${line}:${column}`;
 * ```
 */
export interface SourcePlace {
  /** As the program was named, or a file of the standard library (`std/nn`). */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * What a node gives.
 * @example
 * ```ts
 * const shown = ({ dtype, shape }: GraphTensorType): string => `${dtype}[${shape.join(', ')}]`; // f32[B, 4]
 * ```
 */
export interface GraphTensorType {
  readonly dtype: ElementType;
  /** A number, or a polynomial over the entry's sizes as text: `B`, `2*B + 1`. */
  readonly shape: readonly (number | string)[];
}

/**
 * An operation, an argument, a constant or a variable of a graph.
 * @example
 * ```ts
 * const placeOf = ({ name, places: [first] }: GraphNode): string => `${name} at line ${first?.line}`;
 * console.log(model.graph().flatMap(({ nodes }) => nodes.map(placeOf)));
 * ```
 */
export interface GraphNode {
  /** Unique in the entry: the path of its `let`, argument or variable, else scope and op, numbered: `loss/mul`, `loss/mul_1`. */
  readonly name: string;
  /** What `session.run` fetches it by: `w`, `train/loss/mul`; nothing for a node without a name in the program. */
  readonly paths: readonly string[];
  readonly op: string;
  /** Names of the nodes that it reads, in the op's order. */
  readonly inputs: readonly string[];
  /** One, or several of an op that gives a tuple. */
  readonly types: readonly GraphTensorType[];
  /** Of a constant; as text for an i64, and for what JSON has no number for. */
  readonly value?: number | string;
  /** Places in the program that made it: several when equal nodes became one. */
  readonly places: readonly SourcePlace[];
}

/**
 * The graph of an entry as data; `model.graph()` gives them.
 * @example
 * ```ts
 * const [graph]: readonly EntryGraph[] = model.graph();
 * console.log(graph?.entry, graph?.nodes.map(({ op }) => op));
 * ```
 */
export interface EntryGraph {
  readonly entry: string;
  readonly kind: 'fn' | 'step';
  /** Sizes that callers choose. */
  readonly sizes: readonly string[];
  readonly nodes: readonly GraphNode[];
  /** Leaves of the result by their paths (`''` for a single one), and the nodes that give them. */
  readonly outputs: readonly { readonly path: string; readonly node: string }[];
  /** Variables that a step assigns. */
  readonly updates: readonly { readonly variable: string; readonly node: string }[];
  readonly summaries: readonly { readonly kind: 'scalar' | 'histogram'; readonly name: string; readonly node: string }[];
}
