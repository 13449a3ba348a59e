// From a path to an opened module. In: the path of a program, options. Out: a module with sessions.
// Holds: compiling happens in a child process and only when the cache has no artifact yet; what is loaded here is what a cached program needs.

import { dirname, join, relative, resolve } from 'node:path';
import { type Module, openModule } from '../../runtime/index.js';
import { type Diagnostic, DiagnosticsError, InternalError } from '../base/index.js';
import { Cache } from './cache.js';
import { buildInChild, buildInChildSync } from './child.js';
import { oneLine, renamed } from './mistakes.js';
import { artifactFiles, type BuildReply, type BuildRequest, type Built, optionsKey } from './request.js';

export interface CompileOptions {
  /** Values for `dim` declarations, e.g. { Hidden: 512 }. */
  readonly set?: Readonly<Record<string, number>>;
  /** LLVM's name of the CPU to compile for; default: this machine's. */
  readonly cpu?: string;
  /** Directories beside that of the program from which it may import. */
  readonly roots?: readonly string[];
  /** Gets what compiles, and is hardly what was meant, with the texts that it points into. Default: `process.emitWarning`. */
  readonly onWarning?: (warning: Diagnostic, texts: ReadonlyMap<string, string>) => void;
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
  readonly onWarning: NonNullable<CompileOptions['onWarning']>;
}

const jobOf = (path: string, { set = {}, cpu = 'native', roots = [], onWarning = emitWarning }: CompileOptions): Job => ({ request: { path, set, cpu, roots: roots.map((root) => resolve(root)) }, directory: process.cwd(), onWarning });

const emitWarning = (warning: Diagnostic, texts: ReadonlyMap<string, string>): void => process.emitWarning(oneLine(warning, texts), 'TfcWarning');

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
function open({ directory, sources, warnings }: Built, job: Job): Module {
  if (warnings.length > 0) {
    const names = new Map(sources.map(({ path }) => [path, asNamed(path, job)]));
    const texts = new Map(sources.map(({ path, text }) => [names.get(path) ?? path, text]));
    for (const warning of warnings) job.onWarning(renamed(warning, (source) => names.get(source) ?? source), texts);
  }
  return openModule(join(directory, artifactFiles.library), {
    resolveOpen: (entry, ranks) => join(buildSync({ ...job, request: { ...job.request, sources, open: { entry, ranks } } }).directory, artifactFiles.library),
  });
}

/** The absolute path of a source as the user called it: relative to how the program was named. */
function asNamed(source: string, { request, directory }: Job): string {
  const root = resolve(directory, request.path);
  return source === root ? request.path : join(dirname(request.path), relative(dirname(root), source));
}
