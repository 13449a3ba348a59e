// Modules. In: paths and the texts behind them. Out: one scope of lazily evaluated declarations per file; imports are links between them.
// Holds: a file is read once; the built-ins lie under the preludes, these under every other module; a cycle of imports is a mistake.

import { parse, type Declaration, type ImportDeclaration, type ImportSpecifier, type ParseResult, type Span } from '../../grammar/index.js';
import type { Diagnostic } from '../base/index.js';
import { builtinScope } from './builtins/index.js';
import { EntryState, type Checker, type Context, type Module, outermost } from './context.js';
import { bindDeclaration } from './declarations.js';
import { fail } from './report.js';
import { Scope, type Binding } from './scope.js';
import { nameHint } from './known-names.js';
import { suggestion } from './spelling.js';
import { ERROR } from './values.js';

/** A file that was read already, under another path that leads to it. */
export interface SameFile {
  readonly sameAs: string;
}

export interface Sources {
  /** The text of a file beside the compiled one; undefined when there is none, or why it is not read. */
  read(path: string): string | SameFile | Diagnostic | undefined;
  /** The text of a file of the standard library by its name: `std/nn`. */
  std(name: string): string | undefined;
}

/** What needs no import: each builds on those before it. */
const preludes = ['std/prelude', 'std/arrays', 'std/linear-algebra'];

export class ModuleLoader {
  readonly modules = new Map<string, Module>();
  /** Modules whose imports are being loaded. */
  readonly #open: string[] = [];
  #base: Scope | undefined;
  #checker: Checker | undefined;

  readonly sources: Sources;

  constructor(sources: Sources) {
    this.sources = sources;
  }

  attach(checker: Checker): void {
    this.#checker = checker;
  }

  /** The modules that a program is made of, imported ones first. */
  get order(): readonly Module[] {
    return [...this.modules.values()];
  }

  /** The compiled file with everything that it imports. */
  loadRoot(path: string, text: string): Module {
    const builtins = builtinScope();
    this.#base = builtins;
    for (const name of preludes) {
      const text = this.sources.std(name);
      if (text !== undefined) this.#base = this.#load(name, text, true, '', new Scope(this.#base)).scope;
    }
    return this.#load(path, text, false, '', new Scope(this.#base));
  }

  #load(path: string, text: string, std: boolean, prefix: string, scope: Scope): Module {
    const checker = this.#checker as Checker;
    const { program, problems } = std ? parseOnce(text, path) : parse(text, path);
    const module: Module = { path, program, scope, std, prefix };
    // Known before its imports are loaded: diagnostics inside quote it.
    this.modules.set(path, module);
    for (const problem of problems) {
      checker.reporter.add({
        code: 'syntax-error',
        message: problem.message,
        span: problem.span,
        ...(problem.hint === undefined ? {} : { hint: problem.hint }),
      });
    }
    const context = moduleContext(checker, module);
    this.#open.push(path);
    for (const declaration of program.declarations) {
      if (declaration.kind === 'import') this.#import(context, declaration);
      else addBinding(context, bindDeclaration(context, declaration));
    }
    this.#open.pop();
    // Imported files stand before those that import them.
    this.modules.delete(path);
    this.modules.set(path, module);
    return module;
  }

  #import(context: Context, declaration: ImportDeclaration): void {
    const target = this.#target(context, declaration.from.value, declaration.from.span);
    for (const specifier of declaration.specifiers) {
      const binding = target === undefined ? undefined : this.#exported(context, target, specifier);
      addBinding(
        context,
        {
          name: specifier.local.text,
          role: 'declaration',
          span: binding?.span ?? specifier.local.span,
          type: binding?.type,
          typeScope: binding?.typeScope,
          value: () => binding?.value() ?? ERROR,
        },
        specifier.local.span,
      );
    }
  }

  #exported(context: Context, target: Module, specifier: ImportSpecifier): Binding | undefined {
    const name = specifier.imported.text;
    // The library may be asked for what needs no import.
    const found = target.scope.own(name) ?? (target.std ? target.scope.lookup(name) : undefined);
    if (found === undefined)
      fail(context, 'unknown-name', specifier.imported.span, `\`${target.path}\` declares nothing called \`${name}\``, {
        hint: () => (target.std ? nameHint(name, target.scope) : suggestion(name, target.scope.names)),
      });
    return found;
  }

  #target(context: Context, from: string, span: Span): Module | undefined {
    if (from.startsWith('std/')) {
      const known = this.modules.get(from);
      const text = known === undefined ? this.sources.std(from) : undefined;
      if (known !== undefined) return known;
      if (text === undefined) {
        fail(context, 'file-not-found', span, `the standard library has no \`${from}\``, {
          hint: suggestion(from, ['std/nn', 'std/loss', 'std/optim']) ?? 'there are std/nn, std/loss and std/optim',
        });
        return undefined;
      }
      return this.#load(from, text, true, '', new Scope(this.#base));
    }
    const ending = from.endsWith('.tdsl') ? '' : '.tdsl';
    if (from.startsWith('/')) {
      fail(
        context,
        'import-outside-root',
        span,
        `\`${from}\` is an absolute path, and imports are relative to the file that they stand in`,
        { hint: 'write `"./…"`; directories beside that of the compiled file are named by `--root`' },
      );
      return undefined;
    }
    if (!from.startsWith('./') && !from.startsWith('../')) {
      fail(context, 'file-not-found', span, `\`${from}\` is neither a part of the standard library nor a relative path`, {
        hint: library.has(from)
          ? `did you mean \`"std/${from}"\`?`
          : `write \`"./${/\w$/.test(from) ? `${from}${ending}` : 'layers.tdsl'}"\` for a file beside this one`,
      });
      return undefined;
    }
    const path = resolvePath(context.module.path, from);
    if (this.modules.has(path)) return this.#known(context, path, span);
    const read = this.sources.read(path);
    if (typeof read === 'object' && 'sameAs' in read) return this.#known(context, read.sameAs, span);
    if (typeof read === 'string' && ending === '') return this.#load(path, read, false, stem(path), new Scope(this.#base));
    const refusal = typeof read === 'string' ? undefined : read;
    // What is wrong inside of a file is shown there, anything else at the import.
    if (refusal?.code === 'bad-data') context.checker.reporter.add({ ...refusal, labels: [{ span, text: 'imported here' }] });
    else if (refusal?.code === 'import-outside-root') fail(context, refusal.code, span, refusal.message, { hint: refusal.hint });
    else if (ending !== '')
      fail(context, 'not-a-program', span, `\`${from}\` is no program: its name does not end in \`.tdsl\``, {
        hint: /\.\w+$/.test(from) ? undefined : /\w$/.test(from) ? `did you mean \`"${from}.tdsl"\`?` : 'name a file: `"./layers.tdsl"`',
      });
    else fail(context, refusal?.code ?? 'file-not-found', span, refusal?.message ?? `there is no file \`${path}\``);
    return undefined;
  }

  /** A module that was met before; undefined when it is still being loaded. */
  #known(context: Context, path: string, span: Span): Module | undefined {
    if (!this.#open.includes(path)) return this.modules.get(path);
    fail(
      context,
      'import-cycle',
      span,
      `these modules import one another: ${[...this.#open.slice(this.#open.indexOf(path)), path].join(' → ')}`,
      { hint: 'move what both need into a third file' },
    );
    return undefined;
  }
}

/** What the parts of the standard library are called behind `std/`. */
const library: ReadonlySet<string> = new Set(['nn', 'loss', 'optim']);

/** Trees of the standard library: nothing changes a tree, so every program may have the same one. */
const libraryTrees = new Map<string, ParseResult>();

function parseOnce(text: string, path: string): ParseResult {
  const known = libraryTrees.get(path);
  if (known !== undefined && known.program.source.text === text) return known;
  const result = parse(text, path);
  libraryTrees.set(path, result);
  return result;
}

function addBinding(context: Context, binding: Binding, at: Span | undefined = binding.span): void {
  const known = context.module.scope.own(binding.name);
  if (known === undefined) {
    context.module.scope.add(binding);
    return;
  }
  if (at !== undefined)
    fail(context, 'duplicate-name', at, `\`${binding.name}\` is declared already`, {
      labels: known.span === undefined ? [] : [{ span: known.span, text: 'declared here first' }],
      hint: `choose another name; an import is renamed by \`import { ${binding.name} as other }\``,
    });
}

/** A context for the declarations of a module. */
function moduleContext(checker: Checker, module: Module): Context {
  return outermost(checker, module, new EntryState('module', '', false));
}

/** Evaluates every declaration, so that variables are created in the order of the text and mistakes show. */
export function forceDeclarations(module: Module): void {
  for (const declaration of module.program.declarations) {
    const name = nameOf(declaration);
    if (name !== undefined) module.scope.own(name)?.value();
  }
}

const nameOf = (declaration: Declaration): string | undefined => (declaration.kind === 'import' ? undefined : declaration.name.text);

/** `./x.tdsl` as seen from the file `from`. Both use `/`. */
function resolvePath(from: string, relative: string): string {
  const absolute = from.startsWith('/');
  const parts = from
    .split('/')
    .slice(0, -1)
    .filter((part) => part !== '' && part !== '.');
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/');
}

const stem = (path: string): string => (path.split('/').at(-1) ?? path).replace(/\.tdsl$/, '');
