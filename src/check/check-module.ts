// The front door of the checker. In: the text of a program and ways to read what it imports. Out: the module's graph, or diagnostics.
// Holds: no text makes it throw; without diagnostics there is a module; entries with open ranks are listed, and compiled for the ranks that
// are asked for.

import type { Declaration } from '../../grammar/index.js';
import { type Diagnostic, limits, TooLarge } from '../base/index.js';
import { GraphBuilder, type Entry, type ModuleGraph, type Variable } from '../graph/index.js';
import { withoutConsequences } from './consequences.js';
import { type Checker } from './context.js';
import { checkEntry, entriesOf, openEntry, packsOf, type OpenEntry } from './entries.js';
import { checkUnused } from './generic-check.js';
import { warnOfHiddenDivisions } from './hidden-division.js';
import { forceDeclarations, ModuleLoader, type SameFile } from './modules.js';
import { Growth } from './growth.js';
import { Reporter } from './report.js';
import { suggestion } from './spelling.js';
import { VariableTable } from './variables.js';

export interface CheckOptions {
  /** Where the text comes from; diagnostics and relative imports use it. */
  readonly path: string;
  readonly text: string;
  /**
   * The text of another file by its path; undefined when there is none, or why it is not read. A file that was read under another path is
   * the same module.
   */
  read(path: string): string | SameFile | Diagnostic | undefined;
  /** The text of a file of the standard library by its name, e.g. `std/nn`. */
  std(name: string): string | undefined;
  /** Values for `dim` declarations. */
  readonly set?: ReadonlyMap<string, number>;
  /** Ranks for entries with open ranks: one entry is made of each choice. */
  readonly ranks?: readonly { readonly entry: string; readonly ranks: Readonly<Record<string, number>> }[];
}

export interface CheckResult {
  /** Undefined when there are diagnostics. */
  readonly module: ModuleGraph | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** What compiles, and is hardly what was meant. */
  readonly warnings: readonly Diagnostic[];
  readonly build: GraphBuilder;
  readonly open: readonly OpenEntry[];
  /** Every file that was read, imported ones first. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

export function checkModule(options: CheckOptions): CheckResult {
  const build = new GraphBuilder();
  const reporter = new Reporter();
  const loader = new ModuleLoader(options);
  const checker: Checker = {
    build,
    reporter,
    growth: new Growth(build.meter),
    variables: new VariableTable(),
    initials: new Map(),
    visited: new Set<Declaration>(),
    set: options.set ?? new Map(),
    modules: loader.modules,
  };
  loader.attach(checker);
  const entries: Entry[] = [];
  const open: OpenEntry[] = [];
  let broken = false;
  const check = (): void => {
    const root = loader.loadRoot(options.path, options.text);
    const own = loader.order.filter((module) => !module.std);
    const characters = own.reduce((sum, module) => sum + module.program.source.text.length, 0);
    broken = reporter.diagnostics.length > 0;
    build.meter.allow((broken ? limits.expansionOfBroken : limits.expansion) + limits.expansionPerCharacter * characters);
    for (const module of own) forceDeclarations(module);
    for (const declaration of entriesOf(root)) {
      if (packsOf(declaration.generics).length === 0) {
        const entry = checkEntry(checker, root, declaration, {}, false);
        if (entry !== undefined) entries.push(entry);
        continue;
      }
      const listed = openEntry(checker, root, declaration);
      if (listed !== undefined) open.push(listed);
      const choices = (options.ranks ?? []).filter((choice) => choice.entry === declaration.name.text);
      if (choices.length === 0) checkEntry(checker, root, declaration, {}, true);
      for (const choice of choices) {
        const entry = checkEntry(checker, root, declaration, choice.ranks, false);
        if (entry !== undefined) entries.push(entry);
      }
    }
    checkNames(checker, options, root.program.declarations);
    for (const module of own) {
      checkUnused(checker, module);
      warnOfHiddenDivisions(checker, module.program);
    }
  };
  withinLimits(checker, options, check, () => broken);
  build.meter.allow(Infinity);
  const files = loader.order.map((module) => ({ path: module.path, text: module.program.source.text }));
  const diagnostics = withoutConsequences(reporter.diagnostics, loader.modules);
  const { warnings } = reporter;
  if (diagnostics.length > 0) return { module: undefined, diagnostics, warnings, build, open, files };
  const variables: Variable[] = [...checker.variables.all].map(({ path, type, kind, initial, streams, span, doc }) => ({
    path,
    type,
    kind,
    initial,
    streams,
    span,
    doc,
  }));
  return { module: { path: options.path, variables, entries }, diagnostics, warnings, build, open, files };
}

/** What is set or asked for from outside must exist. */
function checkNames(checker: Checker, options: CheckOptions, declarations: readonly Declaration[]): void {
  const dims = declarations.flatMap((declaration) => (declaration.kind === 'dim' ? [declaration.name.text] : []));
  for (const name of checker.set.keys()) {
    if (!dims.includes(name))
      checker.reporter.add({
        code: 'unknown-dim',
        message: `\`${options.path}\` declares no \`dim ${name}\``,
        hint:
          suggestion(name, dims) ??
          (dims.length === 0 ? 'it declares no dim at all' : `its dims are ${dims.map((dim) => `\`${dim}\``).join(', ')}`),
      });
  }
  const entries = declarations.flatMap((declaration) =>
    declaration.kind === 'step' || (declaration.kind === 'fn' && declaration.exported) ? [declaration.name.text] : [],
  );
  for (const { entry } of options.ranks ?? []) {
    if (!entries.includes(entry))
      checker.reporter.add({
        code: 'unknown-entry',
        message: `\`${options.path}\` exports no \`${entry}\``,
        hint: suggestion(entry, entries),
      });
  }
}

/**
 * A program that grows too large is given up: it gets one diagnostic, beside those that it had already. A broken one has some, and nobody
 * knows yet whether it will be too large.
 */
function withinLimits(checker: Checker, { path, text }: CheckOptions, check: () => void, broken: () => boolean): void {
  try {
    check();
  } catch (error) {
    // What nobody counted may still end the stack.
    const excess =
      error instanceof TooLarge ? error : error instanceof RangeError ? new TooLarge('depth', 'it is nested too deeply') : undefined;
    if (excess === undefined) throw error;
    if (broken() && excess.of === 'work') return;
    checker.growth.report(excess, checker, { source: path, start: 0, end: Math.min(1, text.length) });
  }
}
