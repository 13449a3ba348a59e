// The first steps of an entry towards kernels, one function for each pass. In: a simplified entry, a target, the module's variables. Out:
// how its nodes are computed; the same in groups; with reductions split where that pays; with attention joined; in order, with places for
// all values.
// Holds: nothing that a step has made changes in a later one.

import { InternalError } from '../../base/index.js';
import {
  type Entry,
  type Node,
  type Output,
  sourceOf,
  type TensorNode,
  topological,
  type Update,
  type Variable,
} from '../../graph/index.js';
import { build, type Buffer } from '../../kernel/index.js';
import type { Target } from '../../target/index.js';
import { type Apart, formBlock, type FormedBlock } from '../form/formed.js';
import { laidOut } from '../form/layout.js';
import { Forms } from '../form/materialize.js';
import { BufferPool, type RequiredOutput, Storage } from '../form/storage.js';
import type { Stored } from '../form/values.js';
import { joinAttention } from '../fuse/flash.js';
import { fuse } from '../fuse/fuse.js';
import type { GroupedBlock } from '../fuse/groups.js';
import { splitReductions } from '../fuse/split-reductions.js';
import type { EmitContext } from '../schedule/common/emitter.js';
import { scoreKeeper } from '../schedule/index.js';
import type { KernelClasses } from './kernel-classes.js';
import { type KernelOrder, planOrder } from './order.js';

export interface FormedEntry {
  readonly entry: Entry;
  readonly block: FormedBlock;
}

export interface GroupedEntry {
  readonly entry: Entry;
  readonly block: GroupedBlock;
}

export interface FusedEntry {
  readonly entry: Entry;
  readonly context: EmitContext;
  readonly order: KernelOrder;
}

/** How each node is computed, and which get storage. */
export function formEntry(entry: Entry, target: Target, { structures }: KernelClasses): FormedEntry {
  const required = [...entry.outputs, ...changes(entry)].map(({ node }) => node);
  return { entry, block: formBlock(required, new Forms(target, structures), apartIn(entry)) };
}

/** Which of them share a kernel. */
export const fuseEntry = ({ entry, block }: FormedEntry): GroupedEntry => ({ entry, block: { formed: block, fusion: fuse(block) } });

/** Which reductions are done by partial results. */
export const splitEntry = ({ entry, block }: GroupedEntry): GroupedEntry => ({ entry, block: splitReductions(block) });

/** Which products, with the softmax between them, never store their scores. */
export function flashEntry({ entry, block }: GroupedEntry): GroupedEntry {
  const { forms } = block.formed;
  const keeper = scoreKeeper(forms);
  return { entry, block: keeper === undefined ? block : joinAttention(block, keeper) };
}

/** In which order groups run, and where values are kept. */
export function orderEntry({ entry, block: { formed, fusion } }: GroupedEntry, variables: readonly Variable[]): FusedEntry {
  const pool = new BufferPool();
  const taken = new Set<string>();
  const named = (stem: string): string => {
    const plain = stem.replace(/[^A-Za-z0-9_]/g, '_');
    let name = plain;
    for (let suffix = 1; taken.has(name); suffix++) name = `${plain}_${suffix}`;
    taken.add(name);
    return name;
  };
  const sources = new Map<string, Buffer>();
  for (const [index, feed] of entry.feeds.entries())
    sources.set(
      `feed:${feed.name}`,
      pool.add(build.buffer(named(`in_${feed.name}`), feed.type.dtype, feed.type.shape, { kind: 'feed', index })),
    );
  const outputs = entry.outputs.map((output, index) =>
    pool.add(
      build.buffer(named(`out_${output.path || 'result'}`), output.node.type.dtype, output.node.type.shape, { kind: 'output', index }),
    ),
  );
  const positions = new Map(variables.map(({ path }, index) => [path, index]));
  const variableBuffer = (path: string): Buffer => {
    const known = sources.get(`variable:${path}`);
    if (known !== undefined) return known;
    const index = positions.get(path);
    const variable = index === undefined ? undefined : variables[index];
    if (index === undefined || variable === undefined) throw new InternalError('lower', `variable ${path} is not declared`);
    const made = pool.add(laidOut(named(`var_${path}`), variable.type, { kind: 'variable', index }));
    sources.set(`variable:${path}`, made);
    return made;
  };
  const bind = (source: TensorNode): Stored => {
    const from = sourceOf(source);
    if (from?.kind === 'variable') return { kind: 'buffer', buffer: variableBuffer(from.path) };
    const buffer = from?.kind === 'feed' ? sources.get(`feed:${from.name}`) : undefined;
    if (buffer === undefined) throw new InternalError('lower', `${source.op.name} %${source.id} is no feed of ${entry.name}`);
    return { kind: 'buffer', buffer };
  };

  const required: RequiredOutput[] = [
    ...entry.outputs.map((output, at): RequiredOutput => ({
      node: output.node,
      to: { kind: 'buffer', buffer: outputs[at] as Buffer, prefix: [] },
    })),
    ...changes(entry).map((update): RequiredOutput => ({
      node: update.node,
      to: { kind: 'buffer', buffer: variableBuffer(update.variable), prefix: [] },
    })),
  ];
  const { forms } = formed;
  const context: EmitContext = {
    storage: new Storage(pool, forms, bind),
    forms,
    target: forms.target,
    parallel: true,
  };
  return { entry, context, order: planOrder(fusion, formed.order, required, context, checkOutputs(entry)) };
}

/** Checks with what serves them alone, and the new values of variables; undefined where nothing has to wait. */
function apartIn(entry: Entry): Apart | undefined {
  const checks = checkOutputs(entry);
  const updates = new Set<Node>(changes(entry).map(({ node }) => node));
  if (checks.size === 0 || updates.size === 0) return undefined;
  const own = new Set(topological(checks));
  for (const node of topological([...entry.outputs.map((output) => output.node).filter((node) => !checks.has(node)), ...updates]))
    own.delete(node);
  return { checks: own, updates };
}

const checkOutputs = ({ checks, outputs }: Entry): ReadonlySet<Node> =>
  new Set(checks === undefined ? [] : [checks.status, checks.said].map((at) => (outputs[at] as Output).node));

/** Updates that are more than the variable's old value. */
const changes = (entry: Entry): readonly Update[] =>
  entry.updates.filter(({ node, variable }) => {
    const source = sourceOf(node);
    return source?.kind !== 'variable' || source.path !== variable;
  });
