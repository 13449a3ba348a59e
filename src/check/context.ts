// Where the checker is. In: the module, entry and call that are being evaluated. Out: what every evaluation function takes along.
// Holds: a context is immutable; `EntryState` is what an entry collects while its body is evaluated.

import type { Declaration, Expression, Program, Span } from '../../grammar/index.js';
import type { Precision } from '../base/index.js';
import type { Feed, GraphBuilder, ScopeInfo, SizeFact, Summary, TensorNode } from '../graph/index.js';
import type { Growth } from './growth.js';
import type { BodyPlace } from './index-notation/space.js';
import type { Reporter } from './report.js';
import type { Scope } from './scope.js';
import type { InstanceValue } from './values.js';
import type { VariableTable, VariableRecord } from './variables.js';

/** One source file and its names. */
export interface Module {
  readonly path: string;
  readonly program: Program;
  readonly scope: Scope;
  /** Part of the standard library. */
  readonly std: boolean;
  /** Put before the paths of variables that are declared at its top level: '' for the compiled file itself. */
  readonly prefix: string;
}

/** What all entries share. */
export interface Checker {
  readonly build: GraphBuilder;
  readonly reporter: Reporter;
  readonly growth: Growth;
  readonly variables: VariableTable;
  /** Initial values that follow from their expression and the variable's type alone, by both: like variables ask again and again. */
  readonly initials: Map<Expression, Map<string, TensorNode>>;
  /** Functions, models and optimizers that were evaluated at least once. */
  readonly visited: Set<Declaration>;
  /** Values set from outside for `dim` declarations. */
  readonly set: ReadonlyMap<string, number>;
  /** The module that a source path belongs to. */
  readonly modules: ReadonlyMap<string, Module>;
}

/** A call that is being inlined. */
export interface Frame {
  /** The declaration or lambda that is being evaluated. */
  readonly callee: object;
  readonly self: InstanceValue | undefined;
  readonly name: string;
  /** The call. */
  readonly site: Span;
  /** The call around it, for messages. */
  readonly caller: Frame | undefined;
  /** The call in which the callee was written (lambdas) or which called it (functions): recursion is looked for along this line. */
  readonly parent: Frame | undefined;
}

/** `init`: an initializer; `module`: declarations of a module, which read no variable. */
export type EntryKind = 'fn' | 'step' | 'init' | 'module';

/** What an entry collected meanwhile. */
export interface Collected {
  /** Kinds and paths that `unique` gave away, and how often each was asked for; none of them was taken before. */
  readonly taken: readonly (readonly [key: string, count: number])[];
  readonly names: readonly (readonly [path: string, node: TensorNode])[];
  readonly assigned: readonly (readonly [variable: VariableRecord, version: TensorNode])[];
}

/** What an entry collects. */
export class EntryState {
  readonly feeds: Feed[] = [];
  readonly summaries: Summary[] = [];
  /** Facts about sizes that hold inside. */
  readonly facts: SizeFact[] = [];
  /** The newest value of each assigned variable, and those before it. */
  readonly versions = new Map<VariableRecord, TensorNode[]>();
  readonly names = new Map<string, TensorNode>();
  /** Names that can be neither fetched nor fed, and where they stand, for messages. */
  readonly hidden = new Map<string, string>();
  #used = new Map<string, number>();
  #streams = 0;
  #attempts = 0;
  #guesses = 0;
  /** Of what is assigned by statements that run apart: how many versions there were before. */
  #before: Map<VariableRecord, number> | undefined;
  #recording: { readonly asked: Set<string>; readonly assigned: [VariableRecord, TensorNode][]; plain: boolean } | undefined;

  /**
   * Told of equalities and divisibilities that a callee declares, and that nobody knew: whoever can make sizes equal by them throws, and
   * begins anew. Undefined where nobody does.
   */
  readonly learn: ((facts: readonly SizeFact[]) => void) | undefined;

  readonly kind: EntryKind;
  readonly name: string;
  /** True while something is checked whose graph nobody will run. */
  readonly dry: boolean;

  constructor(kind: EntryKind, name: string, dry: boolean, learn?: (facts: readonly SizeFact[]) => void) {
    this.kind = kind;
    this.name = name;
    this.dry = dry;
    this.learn = learn;
  }

  /** `path`, or `path_1`, `path_2`, … when it was taken. Kinds of names do not disturb each other. */
  unique(kind: 'let' | 'scope', path: string): string {
    for (let free = path; ;) {
      const key = `${kind} ${free}`;
      const count = this.#used.get(key) ?? 0;
      this.#used.set(key, count + 1);
      if (this.#recording !== undefined && !this.#recording.asked.has(key)) {
        this.#recording.asked.add(key);
        this.#recording.plain &&= count === 0;
      }
      if (count === 0) return free;
      free = `${free}_${count}`;
    }
  }

  /**
   * Runs `statements`, and tells what they named and assigned; undefined where they did more than that, or a name was taken already and
   * they got another one.
   */
  recorded(statements: () => void): Collected | undefined {
    const { feeds, summaries, facts, hidden, names } = this;
    const before = [feeds.length, summaries.length, facts.length, hidden.size, this.#streams];
    const named = names.size;
    const around = this.#recording;
    if (around !== undefined) around.plain = false;
    const recording = { asked: new Set<string>(), assigned: [], plain: true };
    this.#recording = recording;
    try {
      statements();
    } finally {
      this.#recording = around;
    }
    const after = [feeds.length, summaries.length, facts.length, hidden.size, this.#streams];
    if (!recording.plain || before.some((count, at) => count !== after[at])) return undefined;
    return {
      taken: [...recording.asked].flatMap((key) => {
        const count = this.#used.get(key);
        return count === undefined ? [] : [[key, count] as const];
      }),
      names: [...names].slice(named),
      assigned: recording.assigned,
    };
  }

  /** Takes names as `unique` did elsewhere, by keys of `Collected`; false where one is taken already, and nothing changes. */
  take(keys: Collected['taken']): boolean {
    if (keys.some(([key]) => this.#used.has(key))) return false;
    for (const [key, count] of keys) this.#used.set(key, count);
    return true;
  }

  /** How many names there are, which `tentatively` copies. */
  get named(): number {
    return this.#used.size;
  }

  /** Counts the uses of random numbers. */
  nextStream(): number {
    return this.#streams++;
  }

  /** How many uses of random numbers there are. */
  get drawn(): number {
    return this.#streams;
  }

  /** Whether it is being tried what a call gives in another dtype. */
  get isGuessing(): boolean {
    return this.#guesses > 0;
  }

  /** An attempt at what a call gives in another dtype. */
  guessing<T>(attempt: () => T): T {
    this.#guesses += 1;
    try {
      return this.tentatively(attempt);
    } finally {
      this.#guesses -= 1;
    }
  }

  /** Whether only types are wanted: inside of an attempt. */
  get isTentative(): boolean {
    return this.#attempts > 0;
  }

  /** Runs `statements` and takes their assignments back: the newest value of each variable that they assigned. */
  apart(statements: () => void): ReadonlyMap<VariableRecord, TensorNode> {
    const around = this.#before;
    const before = new Map<VariableRecord, number>();
    this.#before = before;
    try {
      statements();
    } finally {
      this.#before = around;
    }
    const assigned = new Map<VariableRecord, TensorNode>();
    for (const [variable, count] of before) {
      const versions = this.versions.get(variable);
      const last = versions?.at(-1);
      if (versions === undefined || last === undefined) continue;
      assigned.set(variable, last);
      if (count === 0) this.versions.delete(variable);
      else versions.length = count;
    }
    return assigned;
  }

  /** Nodes that are as young as `mark` or younger are part of something that is run as a whole: nobody asks for one by its name. */
  hide(mark: number, where: string): void {
    for (const [path, node] of this.names) {
      if (node.id < mark) continue;
      this.names.delete(path);
      this.hidden.set(path, where);
    }
  }

  /** A variable's newest value from here on. */
  assign(variable: VariableRecord, version: TensorNode): void {
    this.#recording?.assigned.push([variable, version]);
    const versions = this.versions.get(variable);
    if (this.#before?.has(variable) === false) this.#before.set(variable, versions?.length ?? 0);
    if (versions === undefined) this.versions.set(variable, [version]);
    else versions.push(version);
  }

  /** Runs `attempt` and forgets what it named. */
  tentatively<T>(attempt: () => T): T {
    const used = new Map(this.#used);
    const names = new Map(this.names);
    const streams = this.#streams;
    const facts = this.facts.length;
    this.#attempts += 1;
    try {
      return attempt();
    } finally {
      this.#attempts -= 1;
      this.#used = used;
      this.names.clear();
      for (const [path, node] of names) this.names.set(path, node);
      this.#streams = streams;
      this.facts.length = facts;
    }
  }
}

export interface Context {
  readonly checker: Checker;
  readonly entry: EntryState;
  readonly module: Module;
  readonly frame: Frame | undefined;
  readonly self: InstanceValue | undefined;
  /** Scope path, e.g. `loss` or `net/logits`; '' at the top. */
  readonly path: string;
  /** Inside the body of a loop or of a function with its own derivative: nothing there can be fetched or assigned. */
  readonly region: boolean;
  /** `return` belongs to the block of a function or an entry, and not to the body of a loop in it. */
  readonly returns: boolean;
  /** The path that a model instantiated here gets; undefined where none may be. */
  readonly instancePath: string | undefined;
  /** Inside the standard library: the user's call that led there. */
  readonly site: Span | undefined;
  /** Variables may be assigned here: the body of a step or of an optimizer's update. */
  readonly assigns: boolean;
  /** Where `assigns` ended, if not at a function: `a comprehension`. */
  readonly pure: string | undefined;
  /** In a branch of an `if` statement that only the running step takes. */
  readonly conditional: boolean;
  /** What operands of products are rounded to (`precision bf16`). */
  readonly precision: Precision | undefined;
  /** Inside a body of index notation: what stands there is a scalar of its indices, without names and effects. */
  readonly body: BodyPlace | undefined;
  /** The path of the variable whose initializer is evaluated. */
  readonly initializing: string | undefined;
}

/** A context for what is a value alone, inside of `where`: nothing there is assigned, and no step is called. */
export const purely = (context: Context, where: string): Context =>
  context.assigns ? { ...context, assigns: false, pure: where } : context;

/** A context outside of every call and scope. */
export const outermost = (checker: Checker, module: Module, entry: EntryState): Context => ({
  checker,
  entry,
  module,
  frame: undefined,
  self: undefined,
  path: '',
  region: false,
  returns: true,
  instancePath: undefined,
  site: undefined,
  assigns: entry.kind === 'step',
  pure: undefined,
  conditional: false,
  precision: undefined,
  body: undefined,
  initializing: undefined,
});

export const joinPath = (prefix: string, name: string): string => (prefix === '' ? name : name === '' ? prefix : `${prefix}/${name}`);

/** What the scope's path does not say already of a variable's: `m` for `train/adam/net/w/m` in the update of `net/w`. */
export function pathWithin(context: Context, path: string): string {
  if (context.path === '') return path;
  const here = `/${joinPath(context.entry.name, context.path)}`;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (here.endsWith(`/${path.slice(0, end)}`)) return path.slice(end + 1);
  return path;
}

/** A context for the inside of a scope; `segment` is its path below the scope around it. */
export function enterScope(context: Context, segment: string, what: Pick<ScopeInfo, 'kind' | 'name' | 'of' | 'span'>): Context {
  const { checker, entry } = context;
  const wanted = joinPath(context.path, segment);
  checker.growth.spend(1 + (wanted.length >> 6));
  const path = entry.unique('scope', wanted);
  const span = context.module.std ? (context.site ?? what.span) : what.span;
  checker.build.addScope({ ...what, span, entry: entry.name, path, parent: context.path });
  return { ...context, path };
}
