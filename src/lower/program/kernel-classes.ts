// Kernels of groups that do the same. In: what a group does, and a way to schedule it. Out: its kernels. Holds: the first group of a kind
// is scheduled, the others are calls of the same code with buffers of their own; so a module of many like layers is as much code as one of
// a few. Memory that a schedule asks for itself is made for each.

import { InternalError } from '../../base/index.js';
import { type Buffer, codeOf, type Kernel, type KernelCode, type Stmt } from '../../kernel/index.js';
import type { GroupKey } from './group-key.js';
import type { BufferPool } from '../form/storage.js';
import { Structures } from '../form/structure.js';

/** A kernel as a schedule makes it. */
export interface Scheduled {
  readonly title: string;
  readonly statements: readonly Stmt[];
  readonly cost: Kernel['cost'];
}

/** A kernel that has neither its name nor its places in the source yet. */
export type Call = Pick<Kernel, 'title' | 'cost' | 'code' | 'buffers'>;

interface KernelClass {
  readonly kernels: readonly {
    readonly title: string;
    readonly cost: Kernel['cost'];
    readonly code: KernelCode;
    readonly which: readonly number[];
  }[];
  /** Temporaries of the schedule, behind the group's buffers. */
  readonly own: readonly Buffer[];
}

export class KernelClasses {
  readonly structures = new Structures();
  readonly #classes = new Map<string, KernelClass>();

  /** The kernels of a group in the order in which they run; `schedule` is asked where the group is the first of its kind. */
  of({ text, buffers }: Pick<GroupKey, 'text' | 'buffers'>, pool: BufferPool, schedule: () => readonly Scheduled[]): Call[] {
    const known = this.#classes.get(text);
    if (known !== undefined) return calls(known, [...buffers, ...known.own.map((buffer) => pool.temporary(buffer))]);
    const before = pool.all.length;
    const scheduled = schedule();
    const own = pool.all.slice(before);
    const all = [...buffers, ...own];
    const made: KernelClass = {
      own,
      kernels: scheduled.map(({ title, statements, cost }) => {
        const code = codeOf(statements);
        return { title, cost, code, which: code.params.map((param) => positionOf(param, all)) };
      }),
    };
    this.#classes.set(text, made);
    return calls(made, all);
  }
}

const calls = ({ kernels }: KernelClass, buffers: readonly Buffer[]): Call[] =>
  kernels.map(({ title, cost, code, which }) => ({ title, cost, code, buffers: which.map((at) => buffers[at] as Buffer) }));

function positionOf(buffer: Buffer, all: readonly Buffer[]): number {
  const position = all.indexOf(buffer);
  if (position < 0) throw new InternalError('lower', `a schedule touches ${buffer.name}, which is none of its group's`);
  return position;
}
