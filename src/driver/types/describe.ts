// What TypeScript is told of a program. In: a checked program. Out: entries, named nodes and variables with types, documentation and
// places.
// Holds: an entry with open ranks has the result that it has for a trial rank, with its sizes left open.

import { type Declaration, parse, type Span, type Texts, type TypeExpression } from '../../../grammar/index.js';
import { InternalError } from '../../base/index.js';
import type { Entry, GraphBuilder, ResultTree, TensorNode, TensorType } from '../../graph/index.js';
import { check, type Checked, isLibrary } from '../build/front.js';
import type { BuildRequest } from '../build/request.js';
import { originIn } from '../report/graph-nodes.js';

/** A tensor's type; `open`: its rank is not known. */
export interface TensorShown {
  readonly type: TensorType;
  readonly open: boolean;
  /** As the program or the compiler writes it. */
  readonly text: string;
}

export interface Named {
  readonly name: string;
  readonly doc: string | undefined;
  readonly span: Span | undefined;
}

/** A field of a record is called `batch/x`. */
export interface FeedShown extends Named {
  readonly tensor: TensorShown;
  readonly optional: boolean;
}

export type ResultShown =
  | { readonly kind: 'tensor'; readonly tensor: TensorShown }
  | { readonly kind: 'record'; readonly fields: readonly (Named & { readonly result: ResultShown })[] }
  | { readonly kind: 'tuple'; readonly items: readonly ResultShown[] };

export interface EntryShown extends Named {
  readonly feeds: readonly FeedShown[];
  readonly result: ResultShown;
  readonly resultText: string;
}

/** A node that can be fetched and fed, or a variable. */
export interface ValueShown extends Named {
  /** `let`, `result`, `feed`, `param`, `state`, `slot`. */
  readonly kind: string;
  readonly tensor: TensorShown;
}

export interface ProgramShown {
  readonly path: string;
  readonly entries: readonly EntryShown[];
  readonly nodes: readonly ValueShown[];
  readonly variables: readonly ValueShown[];
}

/** Checks a program and describes it. Errors: the diagnostics of the program. */
export function describe(request: Pick<BuildRequest, 'path' | 'set' | 'roots'>, texts: Map<string, string>): Described {
  const checked = check(request, texts);
  const { program } = parse(texts.get(request.path) ?? '', request.path);
  const own = checked.module.entries
    .filter((entry) => entry.kind !== 'init')
    .map((entry): EntryOf => ({ entry, build: checked.build, open: false }));
  const open = checked.open.map(({ name, packs }): EntryOf => {
    const ranks = Object.fromEntries(packs.map((pack) => [pack, trialRank]));
    const { module, build } = check({ ...request, open: { entry: name, ranks } }, texts);
    const [entry] = module.entries;
    if (entry === undefined) throw new InternalError('types', `${name} was not compiled for ranks`);
    return { entry, build, open: true };
  });
  const all = [...own, ...open];
  const variables = checked.module.variables.map(({ path, type, kind, doc, span }): ValueShown => ({
    name: path,
    doc,
    span: inProgram(span) ?? declaredFor(path, program.declarations),
    kind,
    tensor: tensorShown(type, false),
  }));
  const entries = all.map((one) => entryShown(one, program.declarations, texts));
  const taken = new Set([...entries, ...variables].map(({ name }) => name));
  return {
    warnings: checked.warnings,
    program: { path: request.path, entries, nodes: nodesShown(all, entries, taken), variables },
  };
}

/** An entry, and the graph that it is part of. */
interface EntryOf {
  readonly entry: Entry;
  readonly build: GraphBuilder;
  /** Whether its ranks are open. */
  readonly open: boolean;
}

export interface Described {
  readonly program: ProgramShown;
  readonly warnings: Checked['warnings'];
}

const trialRank = 2;

/** Nobody's editor has the library. */
const inProgram = (span: Span | undefined): Span | undefined => (span === undefined || isLibrary(span.source) ? undefined : span);

/** What the program itself says of a variable that a model or an optimizer of the library declares: the instance, the trained param. */
function declaredFor(path: string, declarations: readonly Declaration[]): Span | undefined {
  const parts = path.split('/');
  return declarations.flatMap((one) => ('name' in one && parts.includes(one.name.text) && one.kind !== 'fn' ? [one.name.span] : []))[0];
}

const typeText = ({ dtype, shape }: TensorType): string => (shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`);
/** Sizes of a trial rank are nobody's. */
const tensorShown = (type: TensorType, open: boolean, text = open ? `${type.dtype}[...]` : typeText(type)): TensorShown => ({
  type,
  open,
  text,
});

/** What an entry's declaration says where; the checker keeps the names of feeds alone. */
function entryShown({ entry, open }: EntryOf, declarations: readonly Declaration[], texts: Texts): EntryShown {
  const declaration = declarations.find(
    (one) => (one.kind === 'fn' || one.kind === 'step') && one.name.span.start === entry.span?.start && one.name.text === entry.name,
  );
  const { parameters, result } =
    declaration?.kind === 'fn' || declaration?.kind === 'step' ? declaration : { parameters: [], result: null as TypeExpression | null };
  const written: Written = (type) => (type === null ? undefined : texts.get(type.span.source)?.slice(type.span.start, type.span.end));
  const shown = resultShown(entry.result, entry, result, open ? written : undefined);
  return {
    name: entry.name,
    doc: entry.doc,
    span: entry.span,
    feeds: entry.feeds.map(({ name, type, span, initial }) => {
      const parameter = parameters.find((one) => one.name.text === name);
      const spread = isOpen(parameter?.type);
      const tensor = tensorShown(type, spread, spread ? written(parameter?.type ?? null) : undefined);
      return { name, doc: undefined, span, optional: initial !== undefined, tensor };
    }),
    result: shown,
    resultText: open ? (written(result) ?? '') : resultText(shown),
  };
}

/** A type as the program writes it. */
type Written = (type: TypeExpression | null) => string | undefined;

const isOpen = (type: TypeExpression | undefined): boolean =>
  type?.kind === 'named-type' && type.dims !== null && type.dims.some((dim) => dim.kind === 'rank-spread');

/** `text`: of an entry with open ranks. */
function resultShown(tree: ResultTree, entry: Entry, declared: TypeExpression | null, text: Written | undefined): ResultShown {
  switch (tree.kind) {
    case 'output': {
      const type = entry.outputs[tree.index]?.node.type;
      if (type === undefined) throw new RangeError(`no output ${tree.index}`);
      if (text === undefined || (declared !== null && !isOpen(declared))) return { kind: 'tensor', tensor: tensorShown(type, false) };
      return { kind: 'tensor', tensor: tensorShown(type, true, text(declared)) };
    }
    case 'record':
      return {
        kind: 'record',
        fields: tree.fields.map(([name, field]) => {
          const own = declared?.kind === 'record-type' ? declared.fields.find((one) => one.name.text === name) : undefined;
          return {
            name,
            doc: undefined,
            span: own?.name.span ?? entry.span,
            result: resultShown(field, entry, own?.type ?? null, text),
          };
        }),
      };
    case 'tuple':
      return {
        kind: 'tuple',
        items: tree.items.map((item, at) =>
          resultShown(item, entry, (declared?.kind === 'tuple-type' ? declared.elements[at] : undefined) ?? null, text),
        ),
      };
  }
}

/** As TDSL writes it. */
export function resultText(result: ResultShown): string {
  switch (result.kind) {
    case 'tensor':
      return result.tensor.text;
    case 'record':
      return `{ ${result.fields.map((field) => `${field.name}: ${resultText(field.result)}`).join(', ')} }`;
    case 'tuple':
      return `(${result.items.map(resultText).join(', ')})`;
  }
}

/**
 * What is in entries by the names that fetch it: `train/loss`, and `loss` where that means one node alone and nothing else. A feed has its
 * bare name also where all entries mean the same by it.
 */
function nodesShown(entries: readonly EntryOf[], shown: readonly EntryShown[], taken: ReadonlySet<string>): readonly ValueShown[] {
  const whole: ValueShown[] = [];
  const bare = new Map<string, { readonly value: ValueShown; readonly node: TensorNode | undefined }[]>();
  for (const [at, { entry, build, open }] of entries.entries()) {
    const add = (value: ValueShown, node: TensorNode | undefined): void => {
      whole.push({ ...value, name: `${entry.name}/${value.name}` });
      const same = bare.get(value.name);
      if (same === undefined) bare.set(value.name, [{ value, node }]);
      else same.push({ value, node });
    };
    const known = new Set<string>();
    for (const feed of shown[at]?.feeds ?? []) {
      known.add(feed.name);
      add({ ...feed, kind: 'feed' }, undefined);
    }
    const named = [...entry.names].map(([name, node]) => ({ name, node, kind: 'let' }));
    const results = entry.outputs.map(({ path, node }) => ({ name: path, node, kind: 'result' }));
    for (const { name, node, kind } of [...named, ...results]) {
      if (name === '' || known.has(name)) continue;
      known.add(name);
      const span = inProgram(originIn(node, entry, build)?.span) ?? entry.span;
      add({ name, doc: undefined, span, kind, tensor: tensorShown(node.type, open) }, node);
    }
  }
  const clear = [...bare.values()].flatMap((found) => {
    const [first, ...others] = found;
    if (first === undefined || taken.has(first.value.name)) return [];
    const isOne = others.every((one) => (first.node === undefined ? isSame(one.value, first.value) : one.node === first.node));
    return isOne ? [first.value] : [];
  });
  return [...clear, ...whole];
}

/** Whether TypeScript could not tell them apart. */
const isSame = (one: ValueShown, other: ValueShown): boolean =>
  one.kind === other.kind &&
  one.tensor.open === other.tensor.open &&
  one.tensor.type.dtype === other.tensor.type.dtype &&
  one.tensor.type.shape.length === other.tensor.type.shape.length &&
  one.tensor.type.shape.every((dim, axis) => dim.constant === other.tensor.type.shape[axis]?.constant);
