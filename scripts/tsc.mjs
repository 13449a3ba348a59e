// TypeScript's `tsc -b`, with `by-index.mjs` on the way. In: projects. Out: what they compile to, and an error for what does not. Holds:
// what is up to date is not compiled again, unless what changes the code on its way is another one.

import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { byIndex } from './by-index.mjs';
import { at, hashFiles, readText, writeWhole } from './files.mjs';

export function compileProjects(projects) {
  const stamp = at('dist', '.tsbuildinfo', 'by-index.stamp');
  const key = hashFiles([at('scripts', 'by-index.mjs')]);
  let program;
  const create = (...given) => (program = ts.createEmitAndSemanticDiagnosticsBuilderProgram(...given));
  const isColored = process.stderr.isTTY === true;
  const formatHost = { getCurrentDirectory: () => at(), getNewLine: () => '\n', getCanonicalFileName: (name) => name };
  const say = (one) =>
    process.stderr.write((isColored ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics)([one], formatHost));
  const host = ts.createSolutionBuilderHost(ts.sys, create, say, say);
  const builder = ts.createSolutionBuilder(host, projects, { force: readText(stamp) !== key });
  const status = builder.build(undefined, undefined, undefined, () => ({ before: [byIndex(() => program.getProgram().getTypeChecker())] }));
  if (status === ts.ExitStatus.Success) writeWhole(stamp, key);
  return status;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = compileProjects(process.argv.slice(2).map((one) => at(one)));
