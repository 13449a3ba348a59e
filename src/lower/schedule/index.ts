// Schedules by kind of target: how each kind of group becomes loops. In: a target. Out: a table with a schedule for every mode of a group.
// Holds: a target of another kind brings a table of its own, which the types ask for here.

import type { Target, TargetKind } from '../../target/index.js';
import type { Fusion, Group, Mode } from '../fuse/groups.js';
import type { EmitContext } from './cpu/emitter.js';
import type { Scope } from '../form/scope.js';
import { cpu } from './cpu/index.js';

/** Emits the statements of a group of `fusion` into `scope`, and kernels that run ahead of it where the context opens them. */
export type Schedule = (group: Group, scope: Scope, context: EmitContext, fusion: Fusion) => void;
export type Schedules = Readonly<Record<Mode, Schedule>>;

const tables: Readonly<Record<TargetKind, Schedules>> = { cpu };

export const schedulesOf = ({ kind }: Target): Schedules => tables[kind];
