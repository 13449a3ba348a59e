// The public API as TypeScript sees it. In: the files that the package's exports name. Out: every public name with the example of its
// docstring. Holds: a name that two of them export is listed once.

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
const entryPoints = [
  ['@tdsl/tfc', 'src/driver/index.ts'],
  ['@tdsl/tfc/runtime', 'runtime/index.ts'],
  ['@tdsl/tfc/plugin', 'src/driver/plugin/index.ts'],
] as const;

export function publicNames(): readonly PublicName[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'src', 'driver', 'tsconfig.json'),
    { noEmit: true, composite: false, incremental: false },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const files = entryPoints.map(([, path]) => join(root, path));
  const program = ts.createProgram(files, config?.options ?? {});
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, PublicName>();
  for (const [at, [from]] of entryPoints.entries()) {
    const source = program.getSourceFile(files[at] as string);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${from} is no module`);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      if (!found.has(symbol)) found.set(symbol, { name: exported.name, from, example: exampleOf(symbol, checker) });
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
