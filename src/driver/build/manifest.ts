// The manifest of an artifact. In: the simplified module. Out: what the runtime needs to know of entries and variables.
// Holds: entries stand in the order of the artifact's table; variables in the order of the module.

import { basename } from 'node:path';
import {
  abiVersion,
  type EntrySpec,
  type FeedSpec,
  type FactSpec,
  type Manifest,
  type OpenEntrySpec,
  type TensorSpec,
  type VariableSpec,
} from '../../../runtime/abi/manifest.js';
import type { OpenEntry } from '../../check/index.js';
import {
  calledRoots,
  type Entry,
  type Feed,
  type ModuleGraph,
  type Node,
  type SizeFact,
  sourceOf,
  type TensorType,
  topological,
  type Variable,
} from '../../graph/index.js';
import type { Target } from '../../target/index.js';
import { pitchOf } from '../../lower/index.js';
import { sizeOf } from './manifest-size.js';
import { initPositions, uniformValue } from '../../passes/initializers.js';

/** What places in the text say of an entry. */
export interface EntryPlaces {
  readonly trap: EntrySpec['trap'] | undefined;
  readonly checks: EntrySpec['checks'] | undefined;
  readonly fact: (fact: SizeFact) => Pick<FactSpec, 'at' | 'text'>;
}

const nowhere: EntryPlaces = { trap: undefined, checks: undefined, fact: () => ({}) };

/** `placesOf`: what messages about an entry name. */
export function manifestOf(
  module: ModuleGraph,
  open: readonly OpenEntry[],
  target: Target,
  version: string,
  placesOf: (entry: Entry) => EntryPlaces = () => nowhere,
): Manifest {
  const positions = new Map(module.variables.map((variable, at) => [variable.path, at]));
  const initial = initPositions(module.entries, module.variables);
  return {
    abi: abiVersion,
    version,
    module: basename(module.path),
    target: { triple: target.triple, cpu: target.cpu, features: target.requires },
    entries: module.entries.map((entry) => entrySpec(entry, positions, placesOf(entry))),
    open: open.map(openSpec),
    variables: module.variables.map((variable) => variableSpec(variable, initial)),
  };
}

const tensorSpec = (name: string, type: TensorType): TensorSpec => ({ name, dtype: type.dtype, shape: type.shape.map(sizeOf) });
const feedSpec = ({ name, type, initial, declared }: Feed): FeedSpec => ({
  ...tensorSpec(name, declared === undefined ? type : { ...type, shape: declared }),
  ...(initial === undefined ? {} : { initial: typeof initial === 'bigint' || !Number.isFinite(Number(initial)) ? `${initial}` : initial }),
});
const docOf = (doc: string | undefined): { readonly doc?: string } => (doc === undefined ? {} : { doc });

function entrySpec(entry: Entry, positions: ReadonlyMap<string, number>, { trap, checks, fact }: EntryPlaces): EntrySpec {
  const read = new Set<number>();
  for (const node of topological(calledRoots(entry))) {
    const source = sourceOf(node);
    const at = source?.kind === 'variable' ? positions.get(source.path) : undefined;
    if (at !== undefined) read.add(at);
  }
  return {
    name: entry.name,
    kind: entry.kind,
    ...docOf(entry.doc),
    dims: entry.dims,
    ranks: entry.ranks,
    ...(entry.declared === undefined
      ? {}
      : {
          named: entry.declared.names,
          quotients: entry.declared.quotients.map(({ name, dividend, divisor }) => ({
            name,
            dividend: sizeOf(dividend),
            divisor: sizeOf(divisor),
          })),
        }),
    facts: [...(entry.declared?.facts ?? []), ...entry.facts].map((one) => ({
      left: sizeOf(one.left),
      relation: one.relation,
      right: sizeOf(one.right),
      ...fact(one),
    })),
    feeds: entry.feeds.map(feedSpec),
    outputs: entry.outputs.map((output) => tensorSpec(output.path, output.node.type)),
    result: entry.result,
    reads: [...read].sort((a, b) => a - b),
    writes: entry.updates.map((update) => positions.get(update.variable) as number).sort((a, b) => a - b),
    ...(checks === undefined ? {} : { checks }),
    ...(trap === undefined ? {} : { trap }),
  };
}

const openSpec = ({ name, kind, doc, packs, feeds }: OpenEntry): OpenEntrySpec => ({ name, kind, ...docOf(doc), packs, feeds });

function variableSpec(variable: Variable, initial: ReadonlyMap<Node, number>): VariableSpec {
  const entry = variable.initial === undefined ? undefined : initial.get(variable.initial);
  const value = variable.initial === undefined ? undefined : uniformValue(variable.initial);
  const pitch = pitchOf(variable.type);
  return {
    path: variable.path,
    dtype: variable.type.dtype,
    shape: variable.type.shape.map((dim) => dim.constant ?? 0),
    ...(pitch === undefined ? {} : { pitch }),
    kind: variable.kind,
    ...docOf(variable.doc),
    initial:
      entry !== undefined
        ? { kind: 'entry', entry, streams: variable.streams }
        : value === undefined
          ? { kind: 'none' }
          : { kind: 'constant', value },
  };
}
