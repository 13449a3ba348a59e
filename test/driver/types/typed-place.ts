// A project in which programs are typed. In: programs and snippets of TypeScript. Out: what TypeScript says of each snippet. Holds: all
// snippets are checked in one program, each in a file of its own, as strictly as TypeScript can.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root, type Workplace } from '../tfc.js';

/** What docs/typescript.md says belongs in a tsconfig.json. */
const typed = { allowArbitraryExtensions: true, rootDirs: ['.', '.tfc/types'] };

/** Makes the workplace a project that has tfc installed. */
export function installIn({ directory }: Workplace): void {
  mkdirSync(join(directory, 'node_modules', '@tdsl'), { recursive: true });
  symlinkSync(root, join(directory, 'node_modules', '@tdsl', 'tfc'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        types: [],
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noEmit: true,
        ...typed,
      },
    }),
  );
}

/** Per snippet: the codes and sentences of its mistakes. Files of the project that are not TypeScript's own have none. */
export function checkSnippets({ directory }: Workplace, snippets: readonly string[]): readonly (readonly string[])[] {
  const files = snippets.map((text, at) => {
    const file = join(directory, `snippet-${at}.ts`);
    writeFileSync(file, `${text}\n`);
    return file;
  });
  const read = ts.readConfigFile(join(directory, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, directory);
  const program = ts.createProgram(files, options);
  const found = new Map(files.map((file) => [file, [] as string[]]));
  for (const one of ts.getPreEmitDiagnostics(program)) {
    const list = found.get(one.file?.fileName ?? '');
    const text = `TS${one.code}: ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`;
    if (list === undefined) throw new Error(`${one.file?.fileName ?? 'the project'}: ${text}`);
    list.push(text);
  }
  return files.map((file) => found.get(file) ?? []);
}
