// The manifest inside every artifact: what its entries take, give and change. In: JSON text. Out: typed data. Holds: sizes are polynomials
// over the entry's free sizes.

/** Of the binary interface and of the manifest: TFC_ABI_VERSION of tfc.h. */
export const abiVersion = 11;

/**
 * The types of elements; floats of 16 and 8 bits are bits in a `Uint16Array` and a `Uint8Array`.
 * @example
 * ```ts
 * const dtype: ElementType = 'f32';
 * console.log(zeros([2, 2], dtype).data); // Float32Array(4)
 * ```
 */
export type ElementType =
  'f32' | 'f64' | 'f16' | 'bf16' | 'f8e4m3' | 'f8e5m2' | 'i8' | 'i16' | 'i32' | 'i64' | 'u8' | 'u16' | 'u32' | 'u64' | 'bool';

/**
 * A constant, or a sum of coefficient × product of names.
 * @example
 * ```ts
 * const size: Size = [[2, ['B']], [1, []]]; // 2·B + 1
 * ```
 */
export type Size = number | readonly (readonly [coefficient: number, names: readonly string[]])[];

/**
 * What a feed takes, or an output is.
 * @example
 * ```ts
 * const shapeOf = ({ name, dtype, shape }: TensorSpec): string => `${name}: ${dtype} of ${shape.length} axes`;
 * console.log(entry.feeds.map(shapeOf));
 * ```
 */
export interface TensorSpec {
  /** Feed: argument name. Output: path in the result (`loss`, `point/0`, '' for a single result). */
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly Size[];
}

/**
 * An argument of an entry: fields of records are `batch/x`.
 * @example
 * ```ts
 * const optional = entry.feeds.filter((feed: FeedSpec) => feed.initial !== undefined).map((feed) => feed.name);
 * ```
 */
export interface FeedSpec extends TensorSpec {
  /** Of a scalar: what it is when nobody feeds it, as JSON has values (i64 as digits, `NaN`, `Infinity`). */
  readonly initial?: number | string | boolean;
}

/**
 * How outputs make a result: one value, a record, a tuple.
 * @example
 * ```ts
 * const countOf = (result: ResultSpec): number =>
 *   result.kind === 'output'
 *     ? 1
 *     : result.kind === 'record'
 *       ? result.fields.reduce((sum, [, tree]) => sum + countOf(tree), 0)
 *       : result.items.reduce((sum, tree) => sum + countOf(tree), 0);
 * console.log(countOf(entry.result)); // 2: loss and accuracy
 * ```
 */
export type ResultSpec =
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'record'; readonly fields: readonly (readonly [name: string, tree: ResultSpec])[] }
  | { readonly kind: 'tuple'; readonly items: readonly ResultSpec[] };

/**
 * A condition that sizes have to fulfil.
 * @example
 * ```ts
 * const isStrict = ({ relation }: FactSpec): boolean => relation === '<' || relation === '>';
 * console.log(model.entries.flatMap(({ facts }) => facts).filter(isStrict).length);
 * ```
 */
export interface FactSpec {
  readonly left: Size;
  readonly relation: '==' | '!=' | '<' | '<=' | '>' | '>=' | 'divides';
  readonly right: Size;
  /** Of a fact that follows from the program: where (`model.tdsl:12:9`), and its text there. */
  readonly at?: string;
  readonly text?: string;
}

/** Something that an entry checks when it runs. */
export interface CheckPlace {
  /** Of the error. */
  readonly code: string;
  /** Where it stands (`model.tdsl:12:9`), and the program's text there. */
  readonly at: string;
  readonly text: string;
  /** Of the axis; for a code that is not `index-out-of-range` what the message says. */
  readonly size: Size;
  /** So many elements from the index on lie in the axis. */
  readonly length: Size;
}

/** Of an entry with checks: two outputs (scalars) that are no part of the result. */
export interface CheckSpec {
  /** i32: 0, or the position in `places`, counted from 1, of the first one that fails; variables are then what they were. */
  readonly status: number;
  /** i64: the number that does not fit. */
  readonly said: number;
  readonly places: readonly CheckPlace[];
}

/** What may have made a NaN or an infinity. */
export interface TrapPlace {
  readonly kind: 'op' | 'feed' | 'variable';
  /** The op's name, the feed's name, the variable's path. */
  readonly of: string;
  /** The program's text, where it stands (`model.tdsl:12:9`), and in which scope (`net/hidden`, `adam/net/w`). */
  readonly text?: string;
  readonly at?: string;
  readonly scope?: string;
  /** Whether a derivative computes it. */
  readonly backward?: boolean;
}

/** Of an entry that looks for NaNs and infinities: an output (i32, a scalar) that is no part of the result. */
export interface TrapSpec {
  readonly output: number;
  /** Its value where nothing was found; else it is twice the position of a place, and one more for a NaN. */
  readonly nothing: number;
  readonly places: readonly TrapPlace[];
}

/**
 * What an entry takes, gives and changes.
 * @example
 * ```ts
 * const train = model.manifest.entries.find(({ name }) => name === 'train') as EntrySpec;
 * console.log(train.feeds.map(({ name, dtype }) => `${name}: ${dtype}`)); // [ 'x: f32', 'y: i32', 'lr: f32' ]
 * ```
 */
export interface EntrySpec {
  readonly name: string;
  readonly kind: 'fn' | 'step' | 'init';
  readonly doc?: string;
  readonly dims: readonly string[];
  /** Sizes that feeds and facts name, and the code does not. */
  readonly named?: readonly string[];
  /** Those of `dims` that no feed has: dividend / divisor, which facts say is whole. */
  readonly quotients?: readonly { readonly name: string; readonly dividend: Size; readonly divisor: Size }[];
  /** Ranks that this build of the entry has for its open-rank packs, e.g. { S: 2 }; then `open` lists the rank-polymorphic feeds. */
  readonly ranks: Readonly<Record<string, number>>;
  readonly facts: readonly FactSpec[];
  readonly feeds: readonly FeedSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly result: ResultSpec;
  /** Variables that must have a value before the call, and those that have one after it, by position. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly checks?: CheckSpec;
  readonly trap?: TrapSpec;
}

/**
 * A variable of a module.
 * @example
 * ```ts
 * const parameters = session.variables.filter(({ kind }: VariableSpec) => kind === 'param').map(({ path }) => path);
 * ```
 */
export interface VariableSpec {
  readonly path: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /**
   * Elements from the start of a row (along the last axis) to the start of the next in a session's memory, where rows do not follow each
   * other. Callers of the runtime never see it.
   */
  readonly pitch?: number;
  readonly kind: 'param' | 'state' | 'slot';
  readonly doc?: string;
  /**
   * constant: every element; entry: run that entry (kind `init`, no outputs), fed the seed (i64) and these streams (i32), with this
   * variable in the place of the one that it writes, which is laid out alike; none: uninitialized.
   */
  readonly initial:
    | { readonly kind: 'constant'; readonly value: number }
    | { readonly kind: 'entry'; readonly entry: number; readonly streams: readonly number[] }
    | { readonly kind: 'none' };
}

/**
 * An exported entry with open ranks, which has no code until ranks are chosen.
 * @example
 * ```ts
 * const ranksOf = ({ name, packs }: OpenEntrySpec): string => `${name} has the open ranks ${packs.join(', ')}`;
 * ```
 */
export interface OpenEntrySpec {
  readonly name: string;
  readonly kind: 'fn' | 'step';
  readonly doc?: string;
  readonly packs: readonly string[];
  /** Each feed's shape as text, e.g. ['...S'], to find ranks from what is fed: fixed axes before and after the pack. */
  readonly feeds: readonly {
    readonly name: string;
    readonly dtype: ElementType;
    readonly before: number;
    readonly pack?: string;
    readonly after: number;
  }[];
}

/**
 * What a compiled module has: entries, variables, how it was compiled.
 * @example
 * ```ts
 * const manifest: Manifest = model.manifest;
 * console.log(manifest.module, manifest.variables.map(({ path }) => path));
 * ```
 */
export interface Manifest {
  readonly abi: typeof abiVersion;
  /** Version of tfc that compiled it. */
  readonly version: string;
  /** Base name of the source, e.g. `mnist.tdsl`. */
  readonly module: string;
  /** `features`: what the processor must have (processor.ts), sorted. */
  readonly target: { readonly triple: string; readonly cpu: string; readonly features: readonly string[] };
  /** Kinds of devices beside the processor that there is code for; absent when there are none. */
  readonly devices?: readonly 'cuda'[];
  /** Same order as the artifact's entry table. */
  readonly entries: readonly EntrySpec[];
  readonly open: readonly OpenEntrySpec[];
  readonly variables: readonly VariableSpec[];
}
