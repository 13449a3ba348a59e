// The public API as TypeScript sees it. In: the package's exports. Out: every public name with the example of its docstring. Holds: what
// is exported is found by what package.json says, so nothing that is added escapes; a name that two files export is listed once.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './tfc.js';

export interface PublicName {
  readonly name: string;
  /** From which import it comes. */
  readonly from: string;
  /** The code of its docstring's `@example`; undefined when there is none. */
  readonly example: string | undefined;
}

/** What the package exports, and the file that declares it. */
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
const entryPoints = Object.entries(exports).flatMap(([path, file]): EntryPoint[] =>
  typeof file === 'string' ? [] : [[name + path.slice(1), join(root, file.types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '$1.ts'))]],
);

type EntryPoint = readonly [from: string, file: string];

export function publicNames(exported: readonly EntryPoint[] = entryPoints): readonly PublicName[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'src', 'driver', 'tsconfig.json'),
    { noEmit: true, composite: false, incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const program = ts.createProgram(
    exported.map(([, file]) => file),
    config?.options ?? {},
  );
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, PublicName>();
  for (const [from, file] of exported) {
    const source = program.getSourceFile(file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${from} is no module: ${file}`);
    for (const one of checker.getExportsOfModule(module)) {
      const symbol = (one.flags & ts.SymbolFlags.Alias) === 0 ? one : checker.getAliasedSymbol(one);
      if (!found.has(symbol)) found.set(symbol, { name: one.name, from, example: exampleOf(symbol, checker) });
    }
  }
  return [...found.values()];
}

function exampleOf(symbol: ts.Symbol, checker: ts.TypeChecker): string | undefined {
  const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'example');
  return /^```ts\n([^]*?)\n```$/m.exec(ts.displayPartsToString(tag?.text))?.[1];
}

/** The example as a module of its own: what it uses of the API is imported, unless it declares or imports that itself. */
export function moduleOf(example: string, names: readonly PublicName[]): string {
  const used = new Set<string>();
  const declared = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node as ts.Identifier & { readonly parent: ts.Node & { readonly name?: ts.Node } };
      const declares =
        ts.isVariableDeclaration(parent) ||
        ts.isBindingElement(parent) ||
        ts.isParameter(parent) ||
        ts.isFunctionDeclaration(parent) ||
        ts.isInterfaceDeclaration(parent) ||
        ts.isTypeAliasDeclaration(parent) ||
        ts.isImportSpecifier(parent) ||
        ts.isImportClause(parent);
      if (declares && parent.name === node) declared.add(node.text);
      else used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('example.ts', example, ts.ScriptTarget.ESNext, true));
  const imported = names.filter(({ name, from }) => from !== '@tdsl/tfc/plugin' && used.has(name) && !declared.has(name));
  return `${imported.map(({ name, from }) => `import { ${name} } from '${from}';\n`).join('')}${example}\nexport {};\n`;
}
