// A declaration file. In: what TypeScript is told of a program. Out: `mlp.d.tdsl.ts` and its declaration map. Holds: what names and
// documentation say stays in names and comments; the text depends on the program and the file's name alone.

import type { Texts } from '../../../grammar/index.js';
import { basename } from 'node:path';
import { isReserved } from '../../../runtime/session.js';
import { isWide, printableLines } from '../../base/index.js';
import type { EntryShown, FeedShown, ProgramShown, ResultShown, TensorShown, ValueShown } from './describe.js';
import { PlacedText } from './placed-text.js';

export interface DeclarationFile {
  readonly text: string;
  readonly map: string;
}

/** `name`: of the file, `mlp.d.tdsl.ts`; `nameOf`: a source as the file's directory sees it. */
export function declarationFile(program: ProgramShown, texts: Texts, name: string, nameOf: (source: string) => string): DeclarationFile {
  const out = new PlacedText(texts, nameOf);
  const module = basename(program.path);
  const start = { source: program.path, start: 0, end: 0 };
  out.addPlaced(`// Written by \`tfc types\` of ${printableLines(module)}: what is changed here is overwritten.`, start);
  out.add(`\nimport type { ${usedTypes(program).join(', ')} } from '@tdsl/tfc';\n`);
  out.add('\n/** What each entry takes and gives. */\nexport interface Entries {\n');
  for (const entry of program.entries) writeEntry(out, entry);
  out.add('}\n\n/** What can be fetched, and fed in the place of what would be computed. */\nexport interface Nodes {\n');
  for (const node of program.nodes) writeValue(out, node);
  out.add('}\n\n/** Variables by their paths. */\nexport interface Variables {\n');
  for (const variable of program.variables) writeValue(out, variable);
  out.add('}\n\n/** The paths of variables, as a tree. */\nexport interface Paths {\n');
  writeBranch(out, treeOf(program.variables), '  ');
  out.add(`}

export interface Types {
  readonly entries: Entries;
  readonly nodes: Nodes;
  readonly variables: Variables;
  readonly paths: Paths;
}

`);
  out.addPlaced(`export type Session = SessionOf<Entries, Types>;\n\ndeclare const model: Module<Types>;\nexport default model;\n`, start);
  const map = out.map(name);
  out.add(`//# sourceMappingURL=${encodeURIComponent(name)}.map\n`);
  return { text: out.toString(), map };
}

/** Imports that are not used are errors for some. */
function usedTypes(program: ProgramShown): string[] {
  const isTensor = (result: ResultShown): boolean =>
    result.kind === 'tensor'
      ? result.tensor.open || result.tensor.type.shape.length > 0
      : result.kind === 'record'
        ? result.fields.some((field) => isTensor(field.result))
        : result.items.some(isTensor);
  const { entries } = program;
  return [
    ...(entries.some((entry) => entry.feeds.length > 0) ? ['Feed'] : []),
    'Module',
    ...(program.nodes.some((node) => node.kind === 'result') ? ['Output'] : []),
    'Session as SessionOf',
    ...(entries.some((entry) => isTensor(entry.result)) ? ['Tensor'] : []),
    ...([...program.nodes, ...program.variables].some(({ kind }) => kind !== 'result') ? ['Value'] : []),
  ];
}

function writeEntry(out: PlacedText, entry: EntryShown): void {
  out.add(
    comment(
      [
        ...lines(entry.doc),
        ...(isReserved(entry.name) ? [`Sessions have a member of this name: \`session.run('${entry.name}', feeds)\` runs it.`] : []),
      ],
      '  ',
    ),
  );
  out.add('  readonly ').addPlaced(key(entry.name), entry.span).add(': {\n');
  if (entry.feeds.length === 0) out.add('    readonly feeds: Record<never, never>;\n');
  else {
    out.add('    readonly feeds: {\n');
    writeFeeds(
      out,
      entry.feeds.map((feed) => ({ feed, path: feed.name.split('/') })),
      '      ',
    );
    out.add('    };\n');
  }
  if (entry.resultText !== '') out.add(comment([`\`${entry.resultText}\``], '    '));
  out.add('    readonly result: ');
  writeResult(out, entry.result, '    ');
  out.add(';\n  };\n');
}

/** Arguments; fields of one record, which stand together, below its name. */
function writeFeeds(
  out: PlacedText,
  feeds: readonly { readonly feed: FeedShown; readonly path: readonly string[] }[],
  indent: string,
): void {
  for (const [at, { feed, path }] of feeds.entries()) {
    const [name = '', ...rest] = path;
    if (rest.length === 0) {
      out.add(comment([`\`${feed.tensor.text}\``], indent)).add(`${indent}readonly `);
      out.addPlaced(key(name), feed.span).add(`${feed.optional ? '?' : ''}: ${tensorType('Feed', feed.tensor)};\n`);
    } else if (feeds[at - 1]?.path[0] !== name) {
      out.add(`${indent}readonly `).addPlaced(key(name), feed.span).add(': {\n');
      const fields = feeds.filter((one) => one.path[0] === name).map((one) => ({ feed: one.feed, path: one.path.slice(1) }));
      writeFeeds(out, fields, `${indent}  `);
      out.add(`${indent}};\n`);
    }
  }
}

function writeResult(out: PlacedText, result: ResultShown, indent: string): void {
  switch (result.kind) {
    case 'tensor':
      out.add(givenType(result.tensor));
      return;
    case 'record':
      if (result.fields.length === 0) {
        out.add('Record<never, never>');
        return;
      }
      out.add('{\n');
      for (const field of result.fields) {
        if (field.result.kind === 'tensor') out.add(comment([`\`${field.result.tensor.text}\``], `${indent}  `));
        out.add(`${indent}  readonly `).addPlaced(key(field.name), field.span).add(': ');
        writeResult(out, field.result, `${indent}  `);
        out.add(';\n');
      }
      out.add(`${indent}}`);
      return;
    case 'tuple':
      out.add('readonly [');
      for (const [at, item] of result.items.entries()) {
        if (at > 0) out.add(', ');
        writeResult(out, item, indent);
      }
      out.add(']');
  }
}

function writeValue(out: PlacedText, { name, kind, doc, span, tensor }: ValueShown): void {
  out.add(comment([`${kind} \`${tensor.text}\``, ...paragraph(doc)], '  '));
  out
    .add('  readonly ')
    .addPlaced(key(name), span)
    .add(`: ${tensorType(kind === 'result' ? 'Output' : 'Value', tensor)};\n`);
}

/** What the runtime makes of the same paths (runtime/path-tree.ts). */
type Branch = Map<string, Branch | ValueShown>;

function treeOf(variables: readonly ValueShown[]): Branch {
  const root: Branch = new Map();
  for (const variable of variables) {
    const parts = variable.name.split('/');
    const last = parts.pop() as string;
    let branch: Branch | undefined = root;
    for (const part of parts) {
      const next: Branch | ValueShown = branch.get(part) ?? new Map<string, Branch | ValueShown>();
      if (!(next instanceof Map)) {
        branch = undefined;
        break;
      }
      branch.set(part, next);
      branch = next;
    }
    if (branch !== undefined && !branch.has(last)) branch.set(last, variable);
  }
  return root;
}

function writeBranch(out: PlacedText, branch: Branch, indent: string): void {
  for (const [part, under] of branch) {
    if (under instanceof Map) {
      out.add(`${indent}readonly ${key(part)}: {\n`);
      writeBranch(out, under, `${indent}  `);
      out.add(`${indent}};\n`);
    } else {
      out.add(comment([`${under.kind} \`${under.tensor.text}\``, ...paragraph(under.doc)], indent));
      out
        .add(`${indent}readonly `)
        .addPlaced(key(part), under.span)
        .add(`: ${literal(under.name)};\n`);
    }
  }
}

const sizesOf = ({ type }: TensorShown): string => `[${type.shape.map((dim) => dim.constant ?? 'number').join(', ')}]`;

const tensorType = (generic: 'Feed' | 'Output' | 'Tensor' | 'Value', tensor: TensorShown): string =>
  `${generic}<'${tensor.type.dtype}'${tensor.open ? '' : `, ${sizesOf(tensor)}`}>`;

/** What a tensor is given as. */
function givenType(tensor: TensorShown): string {
  const { dtype, shape } = tensor.type;
  const scalar = dtype === 'bool' ? 'boolean' : isWide(dtype) ? 'number | bigint' : 'number';
  if (tensor.open) return `${tensorType('Tensor', tensor)} | ${scalar}`;
  return shape.length === 0 ? scalar : tensorType('Tensor', tensor);
}

const literal = (text: string): string =>
  `'${printableLines(JSON.stringify(text)).slice(1, -1).replace(/\\"/g, '"').replaceAll("'", "\\'")}'`;

/** A property's name. Numbers are quoted: `keyof` makes strings of those alone. */
const key = (name: string): string => (/^[\p{L}_$][\p{L}\p{M}\p{N}_$]*$/u.test(name) ? name : literal(name));

const lines = (doc: string | undefined): readonly string[] => (doc === undefined || doc === '' ? [] : doc.split(/\r\n|[\n\r]/));
const paragraph = (doc: string | undefined): readonly string[] => (lines(doc).length === 0 ? [] : ['', ...lines(doc)]);

/** Nothing ends a comment but its own end. */
function comment(text: readonly string[], indent: string): string {
  const safe = text.map((line) => printableLines(line).replaceAll('*/', '*\\/').trimEnd());
  if (safe.length === 0) return '';
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`).join('')}${indent} */\n`;
}
