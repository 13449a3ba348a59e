// From a path to an opened module. In: the path of a program, options. Out: a module with sessions.
// Holds: compiling happens in a child process and only when the cache has no artifact yet; what is loaded here is what a cached program
// needs; a cache that cannot be used is replaced by one of this process alone, with a warning; whatever is thrown is a TfcError.

import { dirname, join, relative, resolve } from 'node:path';
import { isText, reading } from '../../../runtime/error.js';
import { composedMembers } from '../../../runtime/names.js';
import { namesOf, requireKnown } from '../../../runtime/options.js';
import { shown } from '../../../runtime/shown.js';
import { type EntryGraph, type Module, openModule, TfcError } from '../../../runtime/index.js';
import { type Diagnostic, InternalError } from '../../base/index.js';
import type { ProgramFacts } from '../../train/run-facts.js';
import { Cache } from '../build/cache.js';
import { cacheDirectory, cachePlace, temporaryCache, unwritable } from '../build/cache-place.js';
import { buildInChild, buildInChildSync } from './child.js';
import { asTfcErrors, toTfcError } from './failures.js';
import { CompileError, oneLine, renamed } from '../mistakes.js';
import { artifactFiles, type BuildJob, type BuildReply, type BuildRequest, type Built, optionsKey } from '../build/request.js';

/**
 * @example
 * ```ts
 * const options: CompileOptions = { set: { Hidden: 64 }, onWarning: ({ message }) => console.warn(message) };
 * const model = await compile('model.tdsl', options);
 * ```
 */
export interface CompileOptions {
  /** Values for `dim` declarations, e.g. { Hidden: 512 }. */
  readonly set?: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for; default: this machine's. */
  readonly cpu?: string;
  /** What the program is compiled for: `cpu`, or `cuda`, which is the processor and NVIDIA GPUs. Default `cpu`. */
  readonly target?: 'cpu' | 'cuda';
  /** Directories beside that of the program from which it may import. */
  readonly roots?: readonly string[];
  /** Gets what compiles, and is hardly what was meant, with the texts that it points into. Default: a warning of the process. */
  readonly onWarning?: (warning: Diagnostic, texts: ReadonlyMap<string, string>) => void;
}

/**
 * Compiles a program, or takes it from the cache, and opens it. A cache that cannot be used is a warning of the process
 * (`process.on('warning')`), and the artifact lives as long as the process. Errors, as rejections: CompileError with the diagnostics of the
 * program; TfcError for what was asked; its code is internal-error when the compiler itself fails.
 * @example
 * ```ts
 * const model = await compile('model.tdsl', { set: { Hidden: 64 } });
 * using session = model.session({ seed: 42 });
 * ```
 */
export const compile = (path: string, options: CompileOptions = {}): Promise<Module> => compileWith(path, options, unattended);

/** The same for somebody who waits for it. */
export async function compileWith(path: string, options: CompileOptions, caller: Caller): Promise<Module> {
  let opened: Opened;
  try {
    const job = reading('What compile was given', () => jobOf(path, options, caller));
    const found = lookUp(job).found;
    opened = (found === undefined ? undefined : openFound(found, job)) ?? open(await builtBy(job), job);
  } catch (error) {
    throw toTfcError(error);
  }
  return announced(opened);
}

/**
 * The same, blocking.
 * @example
 * ```ts
 * const model = compileSync('model.tdsl');
 * console.log(model.entries.map(({ name }) => name));
 * ```
 */
export function compileSync(path: string, options: CompileOptions = {}): Module {
  let opened: Opened;
  try {
    const job = reading('What compileSync was given', () => jobOf(path, options, unattended));
    const found = lookUp(job).found;
    opened = (found === undefined ? undefined : openFound(found, job)) ?? open(builtSync(job), job);
  } catch (error) {
    throw toTfcError(error);
  }
  return announced(opened);
}

/** What a bundler makes of a program. */
export interface BuiltProgram {
  /** The artifact's directory, in the cache. */
  readonly directory: string;
  /** Absolute paths of the files that it was made of. */
  readonly sources: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** Texts of the sources by the paths that warnings name. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Compiles a program without opening it, or takes it from the cache. Errors: as `compile`. */
export async function buildProgram(path: string, options: CompileOptions): Promise<BuiltProgram> {
  try {
    const { directory, sources, warnings } = await builtBy(jobOf(path, options, unattended));
    const texts = new Map(sources.map((source) => [source.path, source.text]));
    return { directory, sources: sources.map((source) => source.path), warnings, texts };
  } catch (error) {
    throw toTfcError(error);
  }
}

export interface Caller {
  /** Is told about the cache. */
  readonly warn: (message: string) => void;
  /** Whether standard error is a terminal that shows which stage runs. */
  readonly watched: boolean;
}

const warnProcess: Caller['warn'] = (message) => process.emitWarning(message, { type: 'TfcWarning' });

const unattended: Caller = { warn: warnProcess, watched: false };

/**
 * A request and the directory that its path is relative to: entries with open ranks are compiled later, when the process may have moved.
 */
interface Job extends Caller {
  readonly request: BuildRequest;
  readonly directory: string;
  readonly onWarning: NonNullable<CompileOptions['onWarning']>;
}

const names = namesOf<CompileOptions>({ set: true, cpu: true, target: true, roots: true, onWarning: true });

function jobOf(path: unknown, options: unknown, caller: Caller): Job {
  if (!isText(path)) throw new TfcError('invalid-value', `A program is named by its path, not by ${shown(path)}.`);
  if (typeof options !== 'object' || options === null)
    throw new TfcError('invalid-value', `The options of compile are an object, not ${shown(options)}.`, {
      hint: 'compile("model.tdsl", { set: { Hidden: 512 } })',
    });
  requireKnown(options, 'compile', names);
  const {
    set = {},
    cpu = 'native',
    target = 'cpu',
    roots = [],
    onWarning = warnOfProgram,
  } = options as { readonly [option in keyof CompileOptions]?: unknown };
  if (!isText(cpu))
    throw new TfcError('invalid-value', `A processor is named by a string, not by ${shown(cpu)}.`, { hint: 'native is this machine.' });
  if (target !== 'cpu' && target !== 'cuda')
    throw new TfcError('invalid-value', `A program is compiled for cpu or cuda, not for ${shown(target)}.`);
  if (typeof onWarning !== 'function') throw new TfcError('invalid-value', `onWarning is a function, not ${shown(onWarning)}.`);
  const directory = workingDirectory();
  return {
    ...caller,
    request: {
      path,
      set: sizesOf(set),
      cpu,
      ...(target === 'cuda' ? { device: target } : {}),
      roots: rootsOf(roots).map((root) => resolve(directory, root)),
    },
    directory,
    onWarning: onWarning as Job['onWarning'],
  };
}

function rootsOf(roots: unknown): readonly string[] {
  const isPath = (root: unknown): root is string => isText(root) && root !== '';
  if (Array.isArray(roots) && roots.every(isPath)) return roots;
  throw new TfcError(
    'invalid-value',
    `Roots are an array of paths, not ${shown(Array.isArray(roots) ? roots.find((root) => !isPath(root)) : roots)}.`,
    { hint: 'compile("model.tdsl", { roots: ["../library"] })' },
  );
}

const warnOfProgram: Job['onWarning'] = (warning, texts) => warnProcess(oneLine(warning, texts));

function sizesOf(set: unknown): Record<string, number> {
  if (typeof set !== 'object' || set === null || Array.isArray(set) || set instanceof Map)
    throw new TfcError('invalid-value', `Sizes are set by an object of names and numbers, not by ${shown(set)}.`, {
      hint: 'compile("model.tdsl", { set: { Hidden: 512 } })',
    });
  const sizes = Object.entries(set) as [name: string, value: unknown][];
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw new TfcError('invalid-value', `The size ${shown(name)} is a whole number that is not negative, not ${shown(value)}.`);
  }
  return composedMembers(Object.fromEntries(sizes as [string, number][]));
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new TfcError('file-not-found', 'The working directory is not there any more.', { hint: 'Change to one that is.', cause });
  }
}

/** Caches of this process, by the directory that cannot be used. */
const replaced = new Map<string | undefined, string>();

function replace(wanted: string | undefined, reason: string, { warn }: Job): string {
  const directory = temporaryCache(reason);
  replaced.set(wanted, directory);
  warn(`the compile cache cannot be used, so what is compiled now will be compiled again: ${reason}`);
  return directory;
}

interface LookUp {
  readonly cache: Cache;
  /** An artifact that is there already. */
  readonly found: Built | undefined;
}

function lookUp(job: Job): LookUp {
  const { request, directory } = job;
  const key = { path: resolve(directory, request.path), options: optionsKey(request), sources: request.sources };
  const wanted = cacheDirectory();
  const place = replaced.has(wanted) ? undefined : cachePlace(wanted);
  if (place !== undefined && 'directory' in place) {
    const cache = new Cache(place.directory);
    const found = cache.find(key);
    const reason = found === undefined ? unwritable(place.directory) : undefined;
    if (reason === undefined) return { cache, found };
    replace(wanted, reason, job);
  } else if (place !== undefined) replace(wanted, place.refused, job);
  const cache = new Cache(replaced.get(wanted) as string);
  return { cache, found: cache.find(key) };
}

const toChild = ({ request, watched }: Job, cache: Cache): BuildJob => ({ request, cache: cache.directory, watched });

async function builtBy(job: Job): Promise<Built> {
  for (;;) {
    const { cache, found } = lookUp(job);
    const built = found ?? builtOf(await buildInChild(toChild(job, cache), job.directory), cache, job);
    if (built !== undefined) return built;
  }
}

function builtSync(job: Job): Built {
  for (;;) {
    const { cache, found } = lookUp(job);
    const built = found ?? builtOf(buildInChildSync(toChild(job, cache), job.directory), cache, job);
    if (built !== undefined) return built;
  }
}

/** Undefined: the cache is full, and another one has been put in its place. */
function builtOf(reply: BuildReply, cache: Cache, job: Job): Built | undefined {
  switch (reply.kind) {
    case 'built':
      return reply;
    case 'not-stored': {
      if ([...replaced.values()].includes(cache.directory))
        throw new TfcError('file-not-written', reply.reason, { hint: 'Set TFC_CACHE to a directory with space.' });
      replace(cacheDirectory(), reply.reason, job);
      return undefined;
    }
    case 'mistakes':
      throw new CompileError(reply.diagnostics, new Map(reply.texts));
    case 'refused': {
      const { code, message, ...details } = reply.refusal;
      throw new TfcError(code, message, details);
    }
    case 'graph':
    case 'program':
      throw new InternalError('compile process', `it gave a ${reply.kind} in the place of an artifact`);
    case 'failed': {
      const failure = new InternalError(reply.pass, reply.reason);
      failure.stack = reply.stack;
      throw failure;
    }
  }
}

/** Undefined when the artifact is none, although it is what was written: then it is built again. */
function openFound(found: Built, job: Job): Opened | undefined {
  try {
    return open(found, job);
  } catch (error) {
    if (!(error instanceof TfcError) || (error.code !== 'bad-artifact' && error.code !== 'file-not-found')) throw error;
    lookUp(job).cache.forget(found.directory);
    return undefined;
  }
}

interface Opened {
  readonly module: Module;
  readonly built: Built;
  readonly job: Job;
}

/** What is compiled later is made of the texts that the module was compiled from: the files may have changed. */
function open(built: Built, job: Job): Opened {
  const request: BuildRequest = { ...job.request, sources: built.sources };
  const libraryOf = (more: Pick<BuildRequest, 'open' | 'fetch' | 'trap'>): string =>
    join(builtSync({ ...job, request: { ...request, ...more } }).directory, artifactFiles.library);
  const module = openModule(join(built.directory, artifactFiles.library), {
    resolveOpen: (entry, ranks) => asTfcErrors(() => libraryOf({ open: { entry, ranks } })),
    resolveTrap: (entry, ranks) =>
      asTfcErrors(() => libraryOf({ trap: entry, ...(Object.keys(ranks).length === 0 ? {} : { open: { entry, ranks } }) })),
    resolveFetches: ({ trap = false, ...fetched }) => {
      const name = fetchName(fetched.fetches);
      return { path: asTfcErrors(() => libraryOf({ fetch: { ...fetched, name }, ...(trap ? { trap: name } : {}) })), entry: name };
    },
    readGraph: () => asTfcErrors(() => graphOf({ ...job, request })),
  });
  jobs.set(module, { ...job, request });
  return { module, built, job };
}

/** Of the modules that were opened here. */
const jobs = new WeakMap<Module, Job>();

/** What errors call the entry that computes these nodes. */
function fetchName(fetches: readonly string[]): string {
  const shown = fetches.slice(0, 3);
  return `${shown.join(', ')}${shown.length < fetches.length ? ', …' : ''}`;
}

function graphOf(job: Job): readonly EntryGraph[] {
  const { cache } = lookUp(job);
  const reply = buildInChildSync({ ...toChild(job, cache), want: 'graph' }, job.directory);
  if (reply.kind === 'graph') return reply.entries;
  builtOf(reply, cache, job);
  throw new InternalError('compile process', 'it gave an artifact in the place of a graph');
}

/**
 * What is recorded of an entry of a module, from the texts that the module was compiled from. Errors, as rejections: source-missing for a
 * module that was not compiled here, unknown-entry.
 */
export async function factsOf(module: Module, entry: string): Promise<ProgramFacts> {
  const job = jobs.get(module);
  if (job === undefined)
    throw new TfcError('source-missing', `${module.manifest.module} was opened without its source: nothing is known of its graph.`, {
      hint: 'Compile the source instead, compile("model.tdsl"), or leave the program out.',
    });
  try {
    const { cache } = lookUp(job);
    const reply = await buildInChild({ ...toChild(job, cache), watched: false, want: { recorded: entry } }, job.directory);
    if (reply.kind === 'program') return reply.program;
    builtOf(reply, cache, job);
  } catch (error) {
    throw toTfcError(error);
  }
  throw new InternalError('compile process', 'it gave an artifact in the place of a program');
}

/** Tells what the program is warned of. */
function announced({ module, built: { sources, warnings }, job }: Opened): Module {
  if (warnings.length === 0) return module;
  const names = new Map(sources.map(({ path }) => [path, asNamed(path, job)]));
  const texts = new Map(sources.map(({ path, text }) => [names.get(path) ?? path, text]));
  for (const warning of warnings)
    job.onWarning(
      renamed(warning, (source) => names.get(source) ?? source),
      texts,
    );
  return module;
}

/** The absolute path of a source as the user called it: relative to how the program was named. */
function asNamed(source: string, { request, directory }: Job): string {
  const root = resolve(directory, request.path);
  return source === root ? request.path : join(dirname(request.path), relative(dirname(root), source));
}
