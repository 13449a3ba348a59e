// What is recorded of a program. In: a program, the name of an entry. Out: its graph with a drawing, its variables, its kernels with their
// costs. Holds: the program is checked and lowered for that, and nothing is compiled.

import { DiagnosticsError, elementCount } from '../../base/index.js';
import { typeToString } from '../../graph/index.js';
import type { ProgramFacts } from '../../train/run-facts.js';
import { backendOf } from '../build/backends.js';
import { check } from '../build/front.js';
import { toKernels } from '../build/pipeline.js';
import type { BuildRequest } from '../build/request.js';
import { targetFor } from '../build/target.js';
import { explain } from './explain.js';
import { svgOf } from './graph-drawing.js';
import { placesIn, viewOf } from './graph-view.js';
import { recordedGraph } from './recorded-graph.js';

/** `texts` collects the sources that were read. @throws DiagnosticsError for the program, and for an entry that it does not export. */
export async function describeProgram(
  program: Pick<BuildRequest, 'path' | 'set' | 'roots' | 'sources' | 'cpu'>,
  name: string,
  texts = new Map<string, string>(),
): Promise<ProgramFacts> {
  const { module, build } = check(program, texts);
  const entry = module.entries.find((one) => one.name === name);
  if (entry === undefined) throw new DiagnosticsError([{ code: 'unknown-entry', message: `${program.path} exports no step ${name}` }]);
  const views = viewOf({ ...module, entries: [entry] }, build, texts);
  const graph = { ...recordedGraph(entry, build, placesIn(texts)), drawing: await svgOf(views, undefined) };
  const { output } = toKernels(targetFor(program.cpu, backendOf({}))).run(module, { build });
  const report = explain(output, build, texts).find((one) => one.entry === name);
  return {
    graph,
    variables: module.variables.map(({ path, kind, type }) => {
      const elements = elementCount(type.shape).constant;
      return { path, kind, type: typeToString(type), ...(elements === undefined ? {} : { elements }) };
    }),
    kernels: (report?.kernels ?? []).map(({ name: kernel, title, lines, bytesRead, bytesWritten, flops }) => ({
      name: kernel,
      title,
      lines,
      bytesRead,
      bytesWritten,
      flops,
    })),
  };
}
