// One entry made of fetched nodes. In: a checked module; names that are fetched and names that are fed. Out: an entry that computes the
// fetched nodes and nothing else, with feeds in the places of fed nodes; or a FetchRefused.
// Holds: a fed value stands wherever the node's own would be read, in derivatives too, which are therefore written out before when a node
// is fed that is computed; an entry that is fetched whole gives its result and makes its updates; variables are those of before the call;
// sizes can be found from the feeds.

import { type Dim, DiagnosticsError } from '../../base/index.js';
import {
  type Entry,
  type Feed,
  type GraphBuilder,
  type ModuleGraph,
  type Output,
  type ResultTree,
  sourceOf,
  type Update,
} from '../../graph/index.js';
import { differentiate } from '../differentiate.js';
import { type Fed, readFeeds } from './feeds.js';
import { type Meaning, Names } from './names.js';
import { neededFeeds } from './needed.js';
import { Parts } from './parts.js';
import { FetchRefused } from './refused.js';
import type { FetchRequest } from './request.js';

/** Throws FetchRefused. */
export function fetchEntry(checked: ModuleGraph, build: GraphBuilder, request: FetchRequest): Entry {
  const module = request.fed.every((name) => isGiven(checked, name)) ? checked : writtenOut(checked, build);
  const names = new Names(module, build);
  const mentioned = new Set(module.entries.filter((entry) => isMentioned(entry, request)));
  const meanings = request.fetches.map((name) => names.fetched(name, mentioned));
  const involved = [...new Set(meanings.flatMap((meaning) => (meaning.kind === 'variable' ? [] : [meaning.entry])))];
  const whole = [...new Set(meanings.flatMap((meaning) => (meaning.kind === 'entry' ? [meaning.entry] : [])))];
  const fed = readFeeds(names, involved, request.fed, request.fetches);
  const parts = new Parts(names, build, involved, fed);
  const given = request.give === 'values' ? valuesOf(meanings, parts) : summariesOf(whole, parts);
  const updates = request.give === 'values' ? updatesOf(whole, parts) : [];
  const roots = [...given.outputs, ...updates].map(({ node }) => node);
  const needed = neededFeeds(roots, request, { meanings, whole, fed, parts });
  const feeds = fed.flatMap((one): Feed[] => {
    const node = needed.has(one.name) ? parts.feed(one.name) : undefined;
    return node === undefined ? [] : [{ name: one.name, type: node.type, span: undefined, ...initialOf(one) }];
  });
  const dims = [...new Set(feeds.flatMap(({ type }) => type.shape.flatMap((dim) => [...dim.names])))];
  return {
    name: request.name,
    kind: whole.some((entry) => entry.kind === 'step') && request.give === 'values' ? 'step' : 'fn',
    doc: undefined,
    dims,
    ranks: {},
    facts: involved.flatMap((entry) => parts.facts(entry)).filter(({ left, right }) => isOver(dims, [left, right])),
    feeds,
    outputs: given.outputs,
    result: given.result,
    updates,
    summaries: [],
    names: new Map(),
    span: undefined,
  };
}

/** A feed may be left out where every argument that it stands for may, and would be the same. */
function initialOf({ targets }: Fed): Pick<Feed, 'initial'> {
  const found = targets.map(({ entry, node, kind }) => {
    const source = kind === 'argument' ? sourceOf(node) : undefined;
    return source?.kind === 'feed' ? entry?.feeds.find(({ name }) => name === source.name)?.initial : undefined;
  });
  const [initial] = found;
  return initial === undefined || found.some((other) => !Object.is(other, initial)) ? {} : { initial };
}

const writtenOut = (module: ModuleGraph, build: GraphBuilder): ModuleGraph =>
  differentiate.run(module, {
    build,
    report: (mistake) => {
      throw new DiagnosticsError([mistake]);
    },
    note: () => undefined,
  });

/** Arguments and variables are there before anything is computed: derivatives read them as they read feeds. */
const isGiven = ({ entries, variables }: ModuleGraph, name: string): boolean =>
  variables.some(({ path }) => path === name) ||
  entries.some((entry) => entry.feeds.some((feed) => feed.name === name || `${entry.name}/${feed.name}` === name));

const isOver = (names: readonly string[], sizes: readonly Dim[]): boolean =>
  sizes.every((size) => [...size.names].every((name) => names.includes(name)));

/** Whether the request names the entry, or something that is qualified by it. */
const isMentioned = ({ name: entry }: Entry, { fetches, fed }: FetchRequest): boolean =>
  fetches.includes(entry) || [fetches, fed].some((all) => all.some((name) => name.startsWith(`${entry}/`)));

interface Given {
  readonly outputs: readonly Output[];
  readonly result: ResultTree;
}

function valuesOf(meanings: readonly Meaning[], parts: Parts): Given {
  const outputs: Output[] = [];
  const items = meanings.map((meaning, at): ResultTree => {
    const first = outputs.length;
    if (meaning.kind === 'entry') {
      const { entry } = meaning;
      for (const { path, node } of entry.outputs)
        outputs.push({ path: path === '' ? `${at}` : `${at}/${path}`, node: parts.image(entry, node) });
      return moved(entry.result, first);
    }
    outputs.push({
      path: `${at}`,
      node: meaning.kind === 'node' ? parts.image(meaning.entry, meaning.node) : parts.variable(meaning.node),
    });
    return { kind: 'output', index: first };
  });
  return { outputs, result: { kind: 'tuple', items } };
}

/** The tree over outputs that begin at `first`. */
function moved(tree: ResultTree, first: number): ResultTree {
  switch (tree.kind) {
    case 'output':
      return { kind: 'output', index: tree.index + first };
    case 'record':
      return { kind: 'record', fields: tree.fields.map(([name, field]) => [name, moved(field, first)]) };
    case 'tuple':
      return { kind: 'tuple', items: tree.items.map((item) => moved(item, first)) };
  }
}

function summariesOf(whole: readonly Entry[], parts: Parts): Given {
  const outputs = whole.flatMap((entry) =>
    entry.summaries.map(({ kind, name, node }): Output => ({ path: `${kind} ${name}`, node: parts.image(entry, node) })),
  );
  return { outputs, result: { kind: 'tuple', items: outputs.map((_, index) => ({ kind: 'output', index })) } };
}

function updatesOf(whole: readonly Entry[], parts: Parts): readonly Update[] {
  const by = new Map<string, Entry>();
  return whole.flatMap((entry) =>
    entry.updates.map(({ variable, node }): Update => {
      const other = by.get(variable);
      if (other !== undefined)
        throw new FetchRefused({
          code: 'invalid-value',
          message: `${other.name} and ${entry.name} both assign ${variable}.`,
          hint: 'Run them one after the other.',
        });
      by.set(variable, entry);
      return { variable, node: parts.image(entry, node) };
    }),
  );
}
