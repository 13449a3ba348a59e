// From a path to an opened module. In: the path of a program, options. Out: a module with sessions.
// Holds: compiling happens in a child process and only when the cache has no artifact yet; what is loaded here is what a cached program needs.

import { join, resolve } from 'node:path';
import { type Module, openModule } from '../../runtime/index.js';
import { DiagnosticsError, InternalError } from '../base/index.js';
import { Cache } from './cache.js';
import { buildInChild, buildInChildSync } from './child.js';
import { oneLine } from './mistakes.js';
import { artifactFiles, type BuildReply, type BuildRequest, type Built, optionsKey } from './request.js';

export interface CompileOptions {
  /** Values for `dim` declarations, e.g. { Hidden: 512 }. */
  readonly set?: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for; default: this machine's. */
  readonly cpu?: string;
  /** Directories beside that of the program from which it may import. */
  readonly roots?: readonly string[];
}

/**
 * Compiles a program, or takes it from the cache, and opens it.
 * Errors: CompileError with the diagnostics of the program; InternalError when the compiler itself fails.
 */
export async function compile(path: string, options: CompileOptions = {}): Promise<Module> {
  const job = jobOf(path, options);
  return open(findCached(job) ?? builtOf(await buildInChild(job.request, job.directory)), job);
}

/** The same, blocking. */
export function compileSync(path: string, options: CompileOptions = {}): Module {
  const job = jobOf(path, options);
  return open(buildSync(job), job);
}

/** What is wrong with a program that was to be compiled; `texts` holds its sources, for code frames. */
export class CompileError extends DiagnosticsError {
  readonly texts: ReadonlyMap<string, string>;

  constructor(reply: Extract<BuildReply, { kind: 'mistakes' }>) {
    super(reply.diagnostics);
    this.texts = new Map(reply.texts);
    this.message = reply.diagnostics.map((diagnostic) => oneLine(diagnostic, this.texts)).join('\n');
  }
}

/** A request and the directory that its path is relative to: entries with open ranks are compiled later, when the process may have moved. */
interface Job {
  readonly request: BuildRequest;
  readonly directory: string;
}

const jobOf = (path: string, { set = {}, cpu = 'native', roots = [] }: CompileOptions): Job => ({ request: { path, set, cpu, roots: roots.map((root) => resolve(root)) }, directory: process.cwd() });

const findCached = ({ request, directory }: Job): Built | undefined => new Cache().find({ path: resolve(directory, request.path), options: optionsKey(request), sources: request.sources });

const buildSync = (job: Job): Built => findCached(job) ?? builtOf(buildInChildSync(job.request, job.directory));

function builtOf(reply: BuildReply): Built {
  switch (reply.kind) {
    case 'built':
      return reply;
    case 'mistakes':
      throw new CompileError(reply);
    case 'failed':
      throw new InternalError('compile', reply.message);
  }
}

/** Entries with open ranks are compiled later, from the texts that the module was compiled from: the files may have changed. */
function open({ directory, sources }: Built, job: Job): Module {
  return openModule(join(directory, artifactFiles.library), {
    resolveOpen: (entry, ranks) => join(buildSync({ ...job, request: { ...job.request, sources, open: { entry, ranks } } }).directory, artifactFiles.library),
  });
}
