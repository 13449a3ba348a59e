// From a path to an opened module. In: the path of a program, options. Out: a module with sessions.
// Holds: compiling happens in a child process and only when the cache has no artifact yet; what is loaded here is what a cached program needs; a cache that cannot be used is replaced by one of this
// process alone, with a warning; whatever is thrown is a TfcError.

import { join, resolve } from 'node:path';
import { isText, reading } from '../../runtime/error.js';
import { shown } from '../../runtime/shown.js';
import { type Module, openModule, TfcError } from '../../runtime/index.js';
import { InternalError } from '../base/index.js';
import { Cache } from './cache.js';
import { cacheDirectory, cachePlace, temporaryCache, unwritable } from './cache-place.js';
import { buildInChild, buildInChildSync } from './child.js';
import { toTfcError } from './failures.js';
import { CompileError } from './mistakes.js';
import { artifactFiles, type BuildReply, type BuildRequest, optionsKey } from './request.js';

export interface CompileOptions {
  /** Values for `dim` declarations, e.g. { Hidden: 512 }. */
  readonly set?: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for; default: this machine's. */
  readonly cpu?: string;
}

/**
 * Compiles a program, or takes it from the cache, and opens it. A cache that cannot be used is a warning of the process (`process.on('warning')`), and the artifact lives as long as the process.
 * Errors, as rejections: CompileError with the diagnostics of the program; TfcError for what was asked; its code is internal-error when the compiler itself fails.
 */
export const compile = (path: string, options: CompileOptions = {}): Promise<Module> => compileWith(path, options, warnProcess);

/** The same with somebody who is told about the cache. */
export async function compileWith(path: string, options: CompileOptions, warn: Warn): Promise<Module> {
  try {
    const job = reading('What compile was given', () => jobOf(path, options, warn));
    const found = lookUp(job).found;
    return (found === undefined ? undefined : openFound(found, job)) ?? open(await directoryOf(job), job);
  } catch (error) {
    throw toTfcError(error);
  }
}

/** The same, blocking. */
export function compileSync(path: string, options: CompileOptions = {}): Module {
  try {
    const job = reading('What compileSync was given', () => jobOf(path, options, warnProcess));
    const found = lookUp(job).found;
    return (found === undefined ? undefined : openFound(found, job)) ?? open(directoryOfSync(job), job);
  } catch (error) {
    throw toTfcError(error);
  }
}

type Warn = (message: string) => void;

const warnProcess: Warn = (message) => process.emitWarning(message, { type: 'TfcWarning' });

/** A request and the directory that its path is relative to: entries with open ranks are compiled later, when the process may have moved. */
interface Job {
  readonly request: BuildRequest;
  readonly directory: string;
  readonly warn: Warn;
}

function jobOf(path: unknown, options: unknown, warn: Warn): Job {
  if (!isText(path)) throw new TfcError('invalid-value', `A program is named by its path, not by ${shown(path)}.`);
  if (typeof options !== 'object' || options === null) throw new TfcError('invalid-value', `The options of compile are an object, not ${shown(options)}.`, { hint: 'compile("model.tdsl", { set: { Hidden: 512 } })' });
  const { set = {}, cpu = 'native' } = options as { readonly set?: unknown; readonly cpu?: unknown };
  if (!isText(cpu)) throw new TfcError('invalid-value', `A processor is named by a string, not by ${shown(cpu)}.`, { hint: 'native is this machine.' });
  return { request: { path, set: sizesOf(set), cpu }, directory: workingDirectory(), warn };
}

function sizesOf(set: unknown): Record<string, number> {
  if (typeof set !== 'object' || set === null || Array.isArray(set) || set instanceof Map) throw new TfcError('invalid-value', `Sizes are set by an object of names and numbers, not by ${shown(set)}.`, { hint: 'compile("model.tdsl", { set: { Hidden: 512 } })' });
  const sizes = Object.entries(set) as [name: string, value: unknown][];
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TfcError('invalid-value', `The size ${shown(name)} is a whole number that is not negative, not ${shown(value)}.`);
  }
  return Object.fromEntries(sizes as [string, number][]);
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
  /** The directory of an artifact that is there already. */
  readonly found: string | undefined;
}

function lookUp(job: Job): LookUp {
  const { request, directory } = job;
  const key = { path: resolve(directory, request.path), options: optionsKey(request) };
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

async function directoryOf(job: Job): Promise<string> {
  for (;;) {
    const { cache, found } = lookUp(job);
    const built = found ?? builtDirectory(await buildInChild({ request: job.request, cache: cache.directory }, job.directory), cache, job);
    if (built !== undefined) return built;
  }
}

function directoryOfSync(job: Job): string {
  for (;;) {
    const { cache, found } = lookUp(job);
    const built = found ?? builtDirectory(buildInChildSync({ request: job.request, cache: cache.directory }, job.directory), cache, job);
    if (built !== undefined) return built;
  }
}

/** Undefined: the cache is full, and another one has been put in its place. */
function builtDirectory(reply: BuildReply, cache: Cache, job: Job): string | undefined {
  switch (reply.kind) {
    case 'built':
      return reply.directory;
    case 'not-stored': {
      if ([...replaced.values()].includes(cache.directory)) throw new TfcError('file-not-written', reply.reason, { hint: 'Set TFC_CACHE to a directory with space.' });
      replace(cacheDirectory(), reply.reason, job);
      return undefined;
    }
    case 'mistakes':
      throw new CompileError(reply.diagnostics, new Map(reply.texts));
    case 'failed': {
      const failure = new InternalError(reply.pass, reply.reason);
      failure.stack = reply.stack;
      throw failure;
    }
  }
}

/** Undefined when the artifact is none, although it is what was written: then it is built again. */
function openFound(directory: string, job: Job): Module | undefined {
  try {
    return open(directory, job);
  } catch (error) {
    if (!(error instanceof TfcError) || (error.code !== 'bad-artifact' && error.code !== 'file-not-found')) throw error;
    lookUp(job).cache.forget(directory);
    return undefined;
  }
}

function open(directory: string, job: Job): Module {
  return openModule(join(directory, artifactFiles.library), {
    resolveOpen: (entry, ranks) => {
      try {
        return join(directoryOfSync({ ...job, request: { ...job.request, open: { entry, ranks } } }), artifactFiles.library);
      } catch (error) {
        throw toTfcError(error);
      }
    },
  });
}
