// The front end as the driver uses it. In: a path and options. Out: a checked module with everything that the later steps and the cache
// need, or diagnostics.
// Holds: the standard library is part of the package, so `texts` alone is what the user's files say.

import { type CheckResult, checkModule, type SameFile } from '../../check/index.js';
import { type Diagnostic, DiagnosticsError } from '../../base/index.js';
import type { GraphBuilder, ModuleGraph } from '../../graph/index.js';
import { loadStd, stdNames } from '../../std/load.js';
import { fetchEntry } from '../../passes/index.js';
import { initEntries } from '../../passes/initializers.js';
import type { BuildRequest } from './request.js';
import { keptSources, type Sources, sourcesOnDisk } from './sources.js';

export interface Checked {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
  readonly open: CheckResult['open'];
  readonly warnings: readonly Diagnostic[];
  readonly aliases: Sources['aliases'];
}

/** Names by which spans point into the standard library; they are no paths. */
export const isLibrary = (path: string): boolean => (stdNames as readonly string[]).includes(path);

/**
 * Checks a module. Throws a DiagnosticsError, or a FetchRefused for what is fetched; `texts` collects the sources that were read, for code
 * frames and the cache.
 */
export function check(
  request: Pick<BuildRequest, 'path' | 'set' | 'open' | 'trap' | 'fetch' | 'roots' | 'sources'>,
  texts: Map<string, string>,
): Checked {
  const { path, set, open, trap, fetch, roots = [] } = request;
  const alone = open?.entry ?? trap;
  const sources = request.sources === undefined ? sourcesOnDisk(path, roots) : keptSources(path, request.sources);
  const text = sources.root();
  texts.set(path, text);
  const result = checkModule({
    path,
    text,
    read: (imported) => readImport(sources, imported),
    std: loadStd(),
    set: new Map(Object.entries(set)),
    ranks: open !== undefined ? [open] : Object.entries(fetch?.ranks ?? {}).map(([entry, ranks]) => ({ entry, ranks })),
  });
  for (const file of result.files) texts.set(file.path, file.text);
  if (result.diagnostics.length > 0 || result.module === undefined) throw new DiagnosticsError(result.diagnostics);
  const { module } = result;
  const entries =
    fetch !== undefined
      ? [fetchEntry(module, result.build, fetch)]
      : alone === undefined
        ? [...module.entries, ...initEntries(module.variables)]
        : module.entries.filter((entry) => entry.name === alone);
  return { module: { ...module, entries }, build: result.build, open: result.open, warnings: result.warnings, aliases: sources.aliases };
}

/** The checker says which import leads to a file that is not read. */
function readImport(sources: Sources, path: string): string | SameFile | Diagnostic {
  try {
    return sources.imported(path);
  } catch (error) {
    const [refusal] = error instanceof DiagnosticsError ? error.diagnostics : [];
    if (refusal === undefined) throw error;
    return refusal;
  }
}
