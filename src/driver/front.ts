// The front end as the driver uses it. In: a path and options. Out: a checked module with everything that the later steps and the cache need, or diagnostics.
// Holds: initializers that are more than one value are entries of kind `init`, so the rest of the way knows entries only.

import { readFileSync } from 'node:fs';
import { type CheckResult, checkModule } from '../check/index.js';
import { DiagnosticsError } from '../base/index.js';
import { type Entry, type GraphBuilder, type ModuleGraph, tensor, type Variable } from '../graph/index.js';
import { loadStd } from '../std/load.js';
import { initPrefix, uniformValue } from './manifest.js';
import { readSource } from './sources.js';

export interface Checked {
  readonly module: ModuleGraph;
  readonly build: GraphBuilder;
  readonly open: CheckResult['open'];
}

export interface FrontRequest {
  readonly path: string;
  readonly set: Readonly<Record<string, number>>;
  readonly open?: { readonly entry: string; readonly ranks: Readonly<Record<string, number>> } | undefined;
}

/** Checks a module. Throws a DiagnosticsError; `texts` collects the sources that were read, for code frames and the cache. */
export function check(request: FrontRequest, texts: Map<string, string>): Checked {
  const text = readSource(request.path);
  texts.set(request.path, text);
  const read = (path: string): string | undefined => {
    try {
      const source = readFileSync(path, 'utf8');
      texts.set(path, source);
      return source;
    } catch {
      // The checker says which import names a file that is not there.
      return undefined;
    }
  };
  const ranks = request.open === undefined ? {} : { ranks: [request.open] };
  const result = checkModule({ path: request.path, text, read, std: loadStd(), set: new Map(Object.entries(request.set)), ...ranks });
  for (const file of result.files) texts.set(file.path, file.text);
  if (result.diagnostics.length > 0 || result.module === undefined) throw new DiagnosticsError(result.diagnostics);
  const checked = result.module;
  const entries = request.open === undefined ? checked.entries : checked.entries.filter((entry) => entry.name === request.open?.entry);
  const withInitializers = { ...checked, entries: [...entries, ...(request.open === undefined ? checked.variables.flatMap(initEntry) : [])] };
  return { module: withInitializers, build: result.build, open: result.open };
}

function initEntry(variable: Variable): Entry[] {
  const { initial, path } = variable;
  if (initial === undefined || uniformValue(initial) !== undefined) return [];
  return [
    {
      name: initPrefix + path,
      kind: 'init',
      doc: undefined,
      dims: [],
      ranks: {},
      facts: [],
      feeds: [{ name: 'seed', type: tensor('i64'), span: variable.span }],
      outputs: [],
      result: { kind: 'record', fields: [] },
      updates: [{ variable: path, node: initial }],
      summaries: [],
      names: new Map(),
      span: variable.span,
    },
  ];
}
