// Exported functions and steps. In: a declaration of the compiled file. Out: an entry: feeds, outputs, updates, summaries, names.
// Holds: generic sizes stay free, and can be found from the feeds; an open rank has no entry until it is chosen.

import { type FnDeclaration, type GenericParameter, type StepDeclaration } from '../../grammar/index.js';
import { decide, Dim, type DType, limits, type Shape, solvableNames } from '../base/index.js';
import { type Entry, type Output, type ResultTree, type SizeFact, type TensorNode } from '../graph/index.js';
import { EntryState, joinPath, type Checker, type Context, type Module, outermost } from './context.js';
import { demandPossible, evaluateFact } from './facts.js';
import { functionResult, resultSpan } from './functions.js';
import { bindDefaults, declareGenerics } from './generics.js';
import { type KnownSizes, knownSizes, overGenerics } from './known-sizes.js';
import { addFeed, shapeOfParameter } from './feeds.js';
import { countable } from './growth.js';
import { excerpt, fail } from './report.js';
import { GenericBinding, Scope } from './scope.js';

import { readAll, toTensor } from './tensors.js';
import { dtypeNamed, shapeWritten } from './types.js';
import { describe, sizeValue, type Value } from './values.js';
import { tensorHint } from './ways-out.js';

export type EntryDeclaration = FnDeclaration | StepDeclaration;

/** An exported entry with open ranks, which is compiled per rank. */
export interface OpenEntry {
  readonly name: string;
  readonly kind: 'fn' | 'step';
  readonly doc: string | undefined;
  readonly packs: readonly string[];
  readonly feeds: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly before: number;
    readonly pack?: string;
    readonly after: number;
  }[];
}

/** The rank that is used to check an open entry before anyone asks for one. */
const TRIAL_RANK = 2;

export const entriesOf = (module: Module): readonly EntryDeclaration[] =>
  module.program.declarations.filter((one): one is EntryDeclaration => one.kind === 'step' || (one.kind === 'fn' && one.exported));

export const packsOf = (generics: readonly GenericParameter[]): string[] =>
  generics.filter((generic) => generic.variadic).map((generic) => generic.name.text);

/** The entry for given ranks; undefined after a diagnostic. `dry`: it is checked only. */
export function checkEntry(
  checker: Checker,
  module: Module,
  declaration: EntryDeclaration,
  ranks: Readonly<Record<string, number>>,
  dry: boolean,
): Entry | undefined {
  const { growth, variables } = checker;
  const [mark, count] = [growth.mark, variables.count];
  for (let learned: readonly SizeFact[] = []; ;) {
    try {
      return entryKnowing(checker, module, declaration, ranks, dry, learned);
    } catch (error) {
      if (!(error instanceof Learned)) throw error;
      learned = error.facts;
      growth.returnTo(mark);
      variables.returnTo(count);
    }
  }
}

/** Facts that functions called in an entry declare, by which sizes of the entry are equal: it is checked anew with them. */
class Learned extends Error {
  readonly facts: readonly SizeFact[];

  constructor(facts: readonly SizeFact[]) {
    super('an entry is checked anew');
    this.facts = facts;
  }
}

/** So many facts are learned; those of further calls are preconditions alone. */
const mostLearned = 8;

function entryKnowing(
  checker: Checker,
  module: Module,
  declaration: EntryDeclaration,
  ranks: Readonly<Record<string, number>>,
  dry: boolean,
  learned: readonly SizeFact[],
): Entry | undefined {
  const kind = declaration.kind;
  const name = declaration.name.text;
  let known = knownSizes([]);
  const state = new EntryState(kind, name, dry, (facts) => {
    if (learned.length >= mostLearned) return;
    const found = facts.flatMap((fact) => overGenerics(fact, known) ?? []);
    const more = knownSizes([...known.facts, ...found]).facts.filter((fact) => found.includes(fact));
    if (more.length > 0) throw new Learned([...learned, ...more]);
  });
  const context: Context = outermost(checker, module, state);
  checker.visited.add(declaration);
  const before = checker.reporter.diagnostics.length;
  const scope = new Scope(module.scope);
  if (!openGenerics(context, declaration, ranks, scope)) return undefined;
  known = knownSizes([...declaration.facts.flatMap((written) => evaluateFact(context, written, scope) ?? []), ...learned]);
  const declared = known.values.size === 0 ? [] : declaration.parameters.map((parameter) => shapeOfParameter(context, parameter, scope));
  if (checker.reporter.diagnostics.length > before) return undefined;
  for (const dim of known.differences) state.facts.push({ left: dim, relation: '>=', right: Dim.zero, span: declaration.name.span });
  for (const [name, dim] of known.values) {
    const binding = scope.own(name);
    if (binding instanceof GenericBinding) binding.bind(sizeValue(dim), binding.span);
  }
  for (const [at, parameter] of declaration.parameters.entries()) addFeed(context, parameter, scope, declared[at]);
  if (checker.reporter.diagnostics.length > before) return undefined;
  for (const written of declaration.facts) {
    const fact = evaluateFact(context, written, scope);
    if (fact === undefined) continue;
    if (!demandPossible(context, fact, name)) return undefined;
    if (decide(fact, []) !== true) state.facts.push(fact);
  }
  const dims = checker.growth.within('declaration', context, declaration.name.span, `\`${name}\``, () =>
    freeSizes(context, declaration, known),
  );
  const value = checker.growth.within('declaration', context, declaration.name.span, `\`${name}\``, () =>
    entryValue(context, declaration, scope),
  );
  const outputs: Output[] = [];
  const result =
    value.kind === 'error' || !countable(context, value, resultSpan(declaration), `the result of \`${name}\``, limits.results)
      ? undefined
      : resultTree(context, value, '', outputs, declaration);
  if (checker.reporter.diagnostics.length > before || result === undefined || dims === undefined) return undefined;
  return {
    name,
    kind,
    doc: declaration.doc ?? undefined,
    dims,
    ranks,
    facts: state.facts,
    ...(known.values.size === 0 ? {} : { declared: { names: [...known.values.keys()], facts: known.facts, quotients: known.quotients } }),
    feeds: state.feeds,
    outputs,
    result,
    updates: [...state.versions].flatMap(([variable, versions]) => {
      const last = versions.at(-1);
      return last === undefined ? [] : [{ variable: variable.path, node: last }];
    }),
    summaries: state.summaries,
    names: state.names,
    hidden: state.hidden,
    span: declaration.name.span,
  };
}

/** Free sizes for generics; false after a diagnostic. */
function openGenerics(context: Context, declaration: EntryDeclaration, ranks: Readonly<Record<string, number>>, scope: Scope): boolean {
  const name = declaration.name.text;
  for (const binding of declareGenerics(context, declaration.generics, scope)) {
    if (binding.initial !== undefined && binding.sort !== 'dtype') {
      fail(
        context,
        'unsupported-feature',
        binding.initial.span,
        `\`${binding.name}\` of the entry \`${name}\` is found from what is fed, and has no default`,
        {
          hint: 'declare a size that is chosen when compiling as `dim`',
        },
      );
      return false;
    }
    const grouped = declaration.parameters.find((parameter) => parameter.type.kind === 'record-type');
    if (binding.sort === 'pack' && grouped !== undefined) {
      fail(context, 'unsupported-feature', grouped.span, `\`${name}\` takes tensors of any rank, and no records then`, {
        hint: 'pass the fields as arguments, or write the axes of every tensor',
      });
      return false;
    }
    if (binding.initial !== undefined) {
      if (!bindDefaults(context, [binding], scope, name)) return false;
    } else if (binding.sort === 'pack') {
      const rank = (Object.hasOwn(ranks, binding.name) ? ranks[binding.name] : undefined) ?? TRIAL_RANK;
      binding.bind({ kind: 'pack', shape: packSizes(binding.name, rank, declaration.generics) }, binding.span);
    } else if (
      binding.sort === 'dtype' ||
      declaration.parameters.some((parameter) => parameter.type.kind === 'named-type' && parameter.type.name.text === binding.name)
    ) {
      fail(
        context,
        'unsupported-feature',
        binding.span ?? declaration.name.span,
        `\`${name}\` is exported, and its dtype \`${binding.name}\` is open`,
        { hint: 'name the dtype, e.g. `f32`; a function that is not exported may leave it open' },
      );
      return false;
    } else binding.bind(sizeValue(Dim.of(binding.name)), binding.span);
  }
  return true;
}

/** Names for the sizes behind `...S`: S_0, S_1, … */
function packSizes(pack: string, rank: number, generics: readonly GenericParameter[]): Shape {
  const taken = new Set(generics.map((generic) => generic.name.text));
  let stem = `${pack}_`;
  while (Array.from({ length: rank }, (_, axis) => `${stem}${axis}`).some((name) => taken.has(name))) stem += '_';
  return Array.from({ length: rank }, (_, axis) => Dim.of(`${stem}${axis}`));
}

/** The sizes that callers choose, in order of first use; every generic must be found from the feeds. Undefined after a diagnostic. */
function freeSizes(context: Context, declaration: EntryDeclaration, known: KnownSizes): string[] | undefined {
  const sizes = context.entry.feeds.flatMap((feed) => feed.declared ?? feed.type.shape);
  const names = [...new Set(context.entry.feeds.flatMap((feed) => feed.type.shape).flatMap((dim) => [...dim.names]))];
  const solved = solvableNames(sizes, () => context.checker.growth.spend(sizes.length));
  for (const generic of declaration.generics) {
    const name = generic.name.text;
    if (generic.variadic || generic.initial !== null || solved.has(name) || known.values.has(name)) continue;
    const used = names.includes(name);
    fail(
      context,
      'ambiguous-size',
      generic.span,
      used
        ? `\`${name}\` cannot be found from the arguments of \`${declaration.name.text}\``
        : `no argument of \`${declaration.name.text}\` has the size \`${name}\``,
      {
        hint: used ? 'let one argument have it as a size of its own' : 'use it in the type of an argument, or declare a `dim`',
      },
    );
    return undefined;
  }
  return names;
}

/** The value that an entry returns, in its declared type. */
const entryValue = (context: Context, declaration: EntryDeclaration, scope: Scope): Value =>
  readAll(context, functionResult(context, declaration, scope), declaration.name.span);

/** The shape of the result, with its leaves as outputs; undefined after a diagnostic. */
function resultTree(
  context: Context,
  value: Value,
  path: string,
  outputs: Output[],
  declaration: EntryDeclaration,
): ResultTree | undefined {
  switch (value.kind) {
    case 'error':
      return undefined;
    case 'record': {
      const fields: (readonly [string, ResultTree])[] = [];
      for (const [name, field] of value.fields) {
        const tree = resultTree(context, field, joinPath(path, name), outputs, declaration);
        if (tree === undefined) return undefined;
        fields.push([name, tree]);
      }
      return { kind: 'record', fields };
    }
    case 'tuple':
    case 'list': {
      const items: ResultTree[] = [];
      for (const [at, item] of value.items.entries()) {
        const tree = resultTree(context, item, joinPath(path, String(at)), outputs, declaration);
        if (tree === undefined) return undefined;
        items.push(tree);
      }
      return { kind: 'tuple', items };
    }
    case 'tensor':
    case 'variable':
    case 'number':
    case 'size':
    case 'boolean': {
      const node: TensorNode | undefined = toTensor(context, value, resultSpan(declaration));
      if (node === undefined) return undefined;
      outputs.push({ path, node });
      return { kind: 'output', index: outputs.length - 1 };
    }
    default:
      fail(
        context,
        'type-mismatch',
        resultSpan(declaration),
        `\`${declaration.name.text}\` returns ${describe(value)}, and an entry returns tensors, records and tuples`,
        { hint: tensorHint(value, excerpt(context, resultSpan(declaration), '…')) },
      );
      return undefined;
  }
}

/** What a caller must know to choose ranks; undefined when the declaration has mistakes, which `checkEntry` reports. */
export function openEntry(checker: Checker, module: Module, declaration: EntryDeclaration): OpenEntry | undefined {
  const packs = packsOf(declaration.generics);
  const context: Context = outermost(checker, module, new EntryState(declaration.kind, declaration.name.text, true));
  const scope = new Scope(module.scope);
  return checker.reporter.silently(() => {
    declareGenerics(context, declaration.generics, scope);
    const feeds: OpenEntry['feeds'][number][] = [];
    for (const { name, type } of declaration.parameters) {
      const dtype = type.kind === 'named-type' ? dtypeNamed(type.name.text, scope) : undefined;
      if (type.kind !== 'named-type' || typeof dtype !== 'string' || shapeWritten(context, type.dims, scope) === undefined)
        return undefined;
      const dims = type.dims ?? [];
      const at = dims.findIndex((dim) => dim.kind === 'rank-spread');
      const spread = dims[at];
      if (spread?.kind !== 'rank-spread') feeds.push({ name: name.text, dtype, before: dims.length, after: 0 });
      else feeds.push({ name: name.text, dtype, before: at, pack: spread.name.text, after: dims.length - at - 1 });
    }
    return { name: declaration.name.text, kind: declaration.kind, doc: declaration.doc ?? undefined, packs, feeds };
  }).value;
}
