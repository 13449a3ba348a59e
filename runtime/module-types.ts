// What generated declarations say of a program, as types. In: entries, named nodes and variables by name. Out: what a session takes and
// gives. Holds: nothing here exists at run time; what TypeScript refuses, the runtime refuses as well; what it cannot know (sizes that are
// only known when a program runs) it lets through.
import type { ElementType } from './abi/manifest.js';
import type { FeedValue } from './convert.js';
import type { ElementArrays } from './element.js';
import type { Feeds } from './feed-slots.js';
import type { Result } from './result.js';
import type { Tensor } from './tensor.js';

/**
 * Sizes of axes: a number where a size is constant, `number` where it is free.
 * @example
 * ```ts
 * const shape: Sizes = [50, 4];
 * const rows = zeros(shape);
 * ```
 */
export type Sizes = readonly number[];

/**
 * What a program declares: `import type { Types } from './model.tdsl'`.
 * @example
 * ```ts
 * type Entries<Types extends ModuleTypes> = keyof Types['entries'];
 * const name: Entries<AnyModule> = 'train';
 * ```
 */
export interface ModuleTypes {
  /** By name: what an entry takes and gives. */
  readonly entries: object;
  /** By the name that fetches it: what a named node gives, and takes when it is fed. */
  readonly nodes: object;
  /** By path: what a variable holds. */
  readonly variables: object;
  /** Paths of variables as a tree. */
  readonly paths: object;
}

/**
 * What reading it gives, and what can be written or fed.
 * @example
 * ```ts
 * type Weights = Exchange<Tensor<'f32', readonly [4, 3]>, Float32Array>;
 * const given: Weights['takes'] = new Float32Array(12);
 * ```
 */
export interface Exchange<Given, Taken> {
  readonly gives: Given;
  readonly takes: Taken;
}

export type Gives<Of> = (Of & Exchange<unknown, unknown>)['gives'];
export type Takes<Of> = (Of & Exchange<unknown, unknown>)['takes'];

/**
 * A named node or a variable with these sizes; `Sizes`: any number of axes.
 * @example
 * ```ts
 * type Weights = Value<'f32', readonly [4, 3]>;
 * const weights = session.get('net/w') as Weights['gives'];
 * console.log(weights.shape); // [ 4, 3 ]
 * ```
 */
export type Value<DType extends ElementType, Shape extends Sizes = Sizes> = Exchange<Given<DType, Shape>, Feed<DType, Shape>>;

/**
 * What an entry returns and the program has no name for: it can be fetched, and not be fed.
 * @example
 * ```ts
 * type Loss = Output<'f32', readonly []>;
 * const loss: Loss['gives'] = 0.5;
 * ```
 */
export type Output<DType extends ElementType, Shape extends Sizes = Sizes> = Exchange<Given<DType, Shape>, never>;

/**
 * What sessions know of a program beside its entries.
 * @example
 * ```ts
 * interface Known extends KnownNames {
 *   readonly nodes: object;
 *   readonly variables: { readonly 'net/w': Value<'f32', readonly [4, 3]> };
 * }
 * const session = model.session<{ predict: { feeds: Feeds; result: Tensor<'i32'> } }>();
 * ```
 */
export type KnownNames = Pick<ModuleTypes, 'nodes' | 'variables'>;

/**
 * A program that TypeScript knows nothing about.
 * @example
 * ```ts
 * const open: Module<AnyModule> = await compile('model.tdsl');
 * ```
 */
export interface AnyModule extends ModuleTypes {
  readonly entries: AnyEntries;
  readonly nodes: AnyNodes;
  readonly variables: AnyVariables;
}

/**
 * Entries of a module that TypeScript knows nothing about.
 * @example
 * ```ts
 * const entries: readonly (keyof AnyEntries)[] = ['train', 'predict'];
 * ```
 */
export interface AnyEntries {
  readonly [name: string]: { readonly feeds: Feeds; readonly result: Result };
}

/**
 * Named nodes of a module that TypeScript knows nothing about.
 * @example
 * ```ts
 * const fed: NodeFeeds<AnyNodes> = { 'train/logits': zeros([50, 3]) };
 * ```
 */
export interface AnyNodes {
  readonly [name: string]: Exchange<Result, FeedValue>;
}

/**
 * Variables of a module that TypeScript knows nothing about.
 * @example
 * ```ts
 * const weights: AnyVariables['net/w']['gives'] = session.get('net/w');
 * ```
 */
export interface AnyVariables {
  readonly [path: string]: Exchange<Tensor | number | bigint | boolean, FeedValue>;
}

/**
 * One element as it is fed. Floats that JSON does not have, and integers beyond 2⁵³, may be strings.
 * @example
 * ```ts
 * const most: Scalar<'f32'> = 'Infinity';
 * const long: Scalar<'i64'> = '9007199254740993';
 * ```
 */
export type Scalar<DType extends ElementType> = DType extends 'bool'
  ? boolean
  : DType extends 'i8' | 'i16' | 'i32' | 'i64' | 'u8' | 'u16' | 'u32' | 'u64'
    ? number | bigint | `${bigint}`
    : number | bigint | 'NaN' | 'Infinity' | '-Infinity';

/**
 * One element as it is given: a bigint only for an integer beyond 2⁵³.
 * @example
 * ```ts
 * const count: ScalarResult<'i64'> = 9007199254740993n;
 * const loss: ScalarResult<'f32'> = 0.5;
 * ```
 */
export type ScalarResult<DType extends ElementType> = DType extends 'bool'
  ? boolean
  : DType extends 'i64' | 'u64'
    ? number | bigint
    : number;

/**
 * What an entry gives for a tensor with these sizes.
 * @example
 * ```ts
 * const labels = session.run('predict', { x }) as Given<'i32', readonly [number]>;
 * console.log(labels.data[0]);
 * ```
 */
export type Given<DType extends ElementType, Shape extends Sizes = Sizes> = Shape extends readonly []
  ? ScalarResult<DType>
  : number extends Shape['length']
    ? Tensor<DType> | ScalarResult<DType>
    : Tensor<DType, Shape>;

/**
 * What can be fed where a tensor with these sizes is taken: a tensor, the typed array that holds its dtype, data with a shape, or numbers
 * in as many arrays as it has axes. `Sizes` for a shape: any number of axes.
 * @example
 * ```ts
 * const rows: readonly Feed<'f32', readonly [number, 4]>[] = [[[1, 2, 3, 4]], new Float32Array(8), zeros([2, 4])];
 * ```
 */
export type Feed<DType extends ElementType, Shape extends Sizes = Sizes> =
  | Tensor<DType, Shape>
  | ElementArrays[DType]
  | ShapedFeed<DType>
  | (Shape extends readonly [] ? Scalar<DType> : number extends Shape['length'] ? Scalar<DType> | AnyNested<DType> : Nested<DType, Shape>);

/**
 * Data row by row; tensors are not taken for it, because they know their sizes.
 * @example
 * ```ts
 * const rows: ShapedFeed<'f32'> = { data: new Float32Array(8), shape: [2, 4] };
 * ```
 */
export interface ShapedFeed<DType extends ElementType> {
  readonly data: ElementArrays[DType] | readonly Scalar<DType>[];
  readonly shape: Sizes;
  readonly dtype?: DType;
  readonly toArray?: never;
}

type Nested<DType extends ElementType, Shape extends Sizes> = Shape extends readonly [number, ...infer Rest extends Sizes]
  ? Rest extends readonly []
    ? readonly Scalar<DType>[]
    : readonly (Nested<DType, Rest> | (Rest extends readonly [number] ? Row<DType> : never))[]
  : never;

type AnyNested<DType extends ElementType> = readonly (Scalar<DType> | AnyNested<DType> | Row<DType>)[];

/** Numbers of a row: arrays whose elements are what they stand for. */
type Row<DType extends ElementType> = DType extends 'f16' | 'bf16' | 'f8e4m3' | 'f8e5m2' | 'bool' ? never : ElementArrays[DType];

/**
 * Names to fetch, in arrays and objects of any depth.
 * @example
 * ```ts
 * const tree: FetchTree = { step: 'train', loss: 'train/loss', variables: ['net/w', 'net/b'] };
 * const values = session.run(tree, { x, y, lr: 0.1 });
 * ```
 */
export type FetchTree<Name extends string = string> = Name | FetchBranch<Name>;

/**
 * Several of them.
 * @example
 * ```ts
 * const branch: FetchBranch = { loss: 'train/loss', weights: ['net/w', 'net/b'] };
 * const values = session.run(branch, { x, y });
 * ```
 */
export type FetchBranch<Name extends string = string> = readonly FetchTree<Name>[] | { readonly [key: string]: FetchTree<Name> };

/**
 * What can be fetched by its name: what an entry gives, a node, a variable before the run.
 * @example
 * ```ts
 * const name: FetchName<AnyEntries, AnyModule> = 'train/loss';
 * ```
 */
export type FetchName<Entries, Known extends KnownNames> = (keyof Entries | keyof Known['nodes'] | keyof Known['variables']) & string;

/**
 * What fetches give: a value in the place of every name; `unknown` for fetches that are not known before the program runs.
 * @example
 * ```ts
 * const { loss } = session.run({ loss: 'train/loss' }, { x, y }) as Fetched<AnyEntries, AnyModule, { loss: 'train/loss' }>;
 * ```
 */
export type Fetched<Entries, Known extends KnownNames, Tree> = [FetchTree<FetchName<Entries, Known>>] extends [Tree]
  ? unknown
  : Tree extends keyof Entries
    ? (Entries[Tree] & { readonly result: unknown })['result']
    : Tree extends keyof Known['nodes']
      ? Gives<Known['nodes'][Tree]>
      : Tree extends keyof Known['variables']
        ? Gives<Known['variables'][Tree]>
        : Tree extends readonly unknown[]
          ? { readonly [Item in keyof Tree]: Fetched<Entries, Known, Tree[Item]> }
          : Tree extends object
            ? { readonly [Key in keyof Tree]: Fetched<Entries, Known, Tree[Key]> }
            : never;

/**
 * Nodes and variables that are fed in the place of what would be computed or read.
 * @example
 * ```ts
 * const feeds: NodeFeeds<{ readonly 'train/logits': Value<'f32', readonly [number, 3]> }> = { 'train/logits': [[0, 0, 1]] };
 * console.log(session.run('train/loss', { ...feeds, y: [2] }));
 * ```
 */
export type NodeFeeds<Names> = { readonly [Name in keyof Names]?: Takes<Names[Name]> };
