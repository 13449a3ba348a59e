// Params, states and slots. In: declarations as they are instantiated. Out: one record per path, in the order of creation; their newest
// values inside an entry.
// Holds: a path is unique; a variable's node is the same in every entry; an assignment makes a new version and changes nothing.

import type { Span } from '../../grammar/index.js';
import type { TensorNode, TensorType, Variable } from '../graph/index.js';
import * as ops from '../ops/index.js';
import { applyTensor } from './apply-op.js';
import type { Context } from './context.js';
import { fail } from './report.js';

export interface VariableRecord {
  readonly path: string;
  readonly type: TensorType;
  readonly kind: Variable['kind'];
  readonly span: Span | undefined;
  readonly doc: string | undefined;
  /** Undefined until the initializer was evaluated, and when there is none. */
  initial: TensorNode | undefined;
  /** What the initializer is fed as its streams. */
  streams: readonly number[];
  /** Its value at the start of every entry. */
  readonly node: TensorNode;
}

export class VariableTable {
  readonly #records = new Map<string, VariableRecord>();

  get all(): Iterable<VariableRecord> {
    return this.#records.values();
  }

  has(path: string): boolean {
    return this.#records.has(path);
  }

  get(path: string): VariableRecord | undefined {
    return this.#records.get(path);
  }

  /** How many there are; `returnTo` forgets those that were added since. */
  get count(): number {
    return this.#records.size;
  }

  returnTo(count: number): void {
    for (const path of [...this.#records.keys()].slice(count)) this.#records.delete(path);
  }

  /** A new variable; undefined after a diagnostic when the path is taken or no tensor can have the type. */
  create(
    context: Context,
    path: string,
    type: TensorType,
    kind: Variable['kind'],
    span: Span,
    doc: string | undefined,
  ): VariableRecord | undefined {
    const known = this.#records.get(path);
    if (known !== undefined && !context.entry.dry) {
      fail(context, 'duplicate-name', span, `there is a variable \`${path}\` already`, {
        labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
        hint: 'choose another name for one of them',
      });
      return undefined;
    }
    const node = applyTensor(context, ops.variable, [], { path, dtype: type.dtype, shape: type.shape }, span);
    if (node === undefined) return undefined;
    const record: VariableRecord = { path, type, kind, span, doc, initial: undefined, streams: [], node };
    if (!context.entry.dry) this.#records.set(path, record);
    return record;
  }
}

/** The newest value of a variable inside the entry; undefined after a diagnostic where variables have no value. */
export function readVariable(context: Context, variable: VariableRecord, span: Span): TensorNode | undefined {
  if (context.entry.kind === 'init' || context.entry.kind === 'module') {
    fail(
      context,
      'not-constant',
      span,
      `\`${variable.path}\` is a variable, and has no value yet where ${context.entry.kind === 'init' ? 'an initializer is' : 'declarations are'} evaluated`,
      { hint: context.entry.kind === 'init' ? 'start it from numbers, and assign it in a step' : 'read it in a function or step' },
    );
    return undefined;
  }
  return context.entry.versions.get(variable)?.at(-1) ?? variable.node;
}
