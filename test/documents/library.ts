// docs/library.md. In: the built-ins and the texts of the standard library. Out: what they document, and the page of it.
// Holds: whatever the page says of a name stands beside its definition: `doc` and `signatures` of a built-in, the `///` comment and the
// head of a declaration. Sections are the groups of built-ins and the dashed comments of the texts. What has no `///` comment is a part of
// others, and not on the page.

import { type Declaration, parse, type Program } from '../../grammar/index.js';
import { dtypeNames } from '../../src/base/index.js';
import { builtinGroups } from '../../src/check/builtins/index.js';
import { conversion } from '../../src/check/calls.js';
import { members } from '../../src/check/members.js';
import { loadStd, stdNames } from '../../src/std/load.js';
import { anchor } from './examples.js';

export interface Documented {
  readonly name: string;
  /** How it is called and what it gives, or what it declares. */
  readonly heads: readonly string[];
  readonly doc: string;
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Documented[];
}

export interface Chapter {
  readonly title: string;
  readonly sections: readonly Section[];
}

/** The declarations of a part of the library, with the titles above them. */
export function declarationsOf(part: string): readonly { readonly declaration: Declaration; readonly title: string }[] {
  const { program } = parse(loadStd()(part) ?? '', part);
  const titles = program.comments.flatMap(({ text, span }) => {
    const [, title] = /^\/\/ -{3,} (.+)$/.exec(text) ?? [];
    return title === undefined ? [] : [{ title, at: span.start }];
  });
  return program.declarations
    .filter(({ kind }) => kind !== 'import')
    .map((declaration) => ({ declaration, title: titles.findLast(({ at }) => at < declaration.span.start)?.title ?? '' }));
}

export const nameOf = (declaration: Declaration): string => (declaration.kind === 'import' ? '' : declaration.name.text);

/** A declaration without its body: the head of a function, a model with its members, an optimizer with its states. */
export function headOf(declaration: Declaration, { source: { text } }: Pick<Program, 'source'>): string {
  const slice = (start: number, end: number): string => text.slice(start, end).replace(/\s+/g, ' ').trim();
  const until = (start: number, end: number): string => slice(start, end).replace(/ =[ (]*$/, '');
  switch (declaration.kind) {
    case 'fn':
    case 'step':
      return until(declaration.name.span.start, declaration.body.span.start);
    case 'model':
    case 'optimizer': {
      const parts = declaration.kind === 'model' ? declaration.members : declaration.states;
      const first = Math.min(
        ...parts.map((part) => part.span.start),
        ...(declaration.kind === 'optimizer' ? [declaration.update.span.start] : []),
      );
      const opened = text.lastIndexOf('{', first);
      const lines = parts.map((part) =>
        part.kind === 'fn' || part.kind === 'step'
          ? `${part.kind} ${until(part.name.span.start, part.body.span.start)}`
          : slice(part.span.start, part.span.end),
      );
      const head = `${declaration.kind} ${slice(declaration.name.span.start, opened)}`;
      return lines.length === 0 ? head : `${head} {\n${lines.map((line) => `  ${line}\n`).join('')}}`;
    }
    default:
      return slice(declaration.span.start, declaration.span.end);
  }
}

/** The parts of the library that are imported; those before them every program has. */
const imported = stdNames.slice(stdNames.indexOf('std/nn'));

/** What built-ins and members say of themselves, by the sections that they belong to. */
function builtInSections(): readonly (readonly [title: string, entries: readonly Documented[]])[] {
  return [
    ...Object.entries(builtinGroups).map(
      ([title, builtins]) => [title, builtins.map(({ name, signatures, doc }) => ({ name, heads: signatures, doc }))] as const,
    ),
    ['sizes', members.map(({ name, signature, doc }) => ({ name, heads: [signature], doc }))],
    ['element types', [{ name: 'conversions', heads: dtypeNames.map(conversion.signature), doc: conversion.doc }]],
  ];
}

/** What the declarations of a part of the library say of themselves. */
function declaredSections(part: string): readonly (readonly [title: string, entries: readonly Documented[]])[] {
  const { program } = parse(loadStd()(part) ?? '', part);
  return declarationsOf(part).flatMap(({ declaration, title }) =>
    declaration.doc === null
      ? []
      : [
          [
            title,
            [{ name: nameOf(declaration), heads: [headOf(declaration, program)], doc: declaration.doc.replaceAll('\n', ' ') }],
          ] as const,
        ],
  );
}

/** Everything that is documented, in the order of the page. */
export function chapters(): readonly Chapter[] {
  const chapter = (title: string, found: ReturnType<typeof declaredSections>): Chapter => {
    const sections = new Map<string, readonly Documented[]>();
    for (const [section, entries] of found) sections.set(section, [...(sections.get(section) ?? []), ...entries]);
    return { title, sections: [...sections].map(([section, entries]) => ({ title: section, entries })) };
  };
  const always = stdNames.filter((part) => !imported.includes(part));
  return [
    chapter('Without an import', [...builtInSections(), ...always.flatMap(declaredSections)]),
    ...imported.map((part) => chapter(part, declaredSections(part))),
  ];
}

const introduction = `# The library

<!-- written by npm run docs -->

Every name that programs can call. What stands in “Without an import” is there everywhere, the rest is imported:
\`import { Dense, relu } from "std/nn"\`. [The language](language.md) has operators, loops and everything else that is no name.

The first line of each is its head, as [a declaration](language.md#functions) has it. \`T\` is an element type, of a family where one is
named (\`number\`: floats and integers; \`any\`: bool as well), \`...S\` any number of axes, \`In\` or \`N\` a size; \`...A\` and \`...B\` are the axes
before and behind the one that is named. Arguments are passed in order
or by name. Elementwise functions of several arguments stretch them as [operators](language.md#operators) do.

- \`axis: axes = "all"\`: an axis, a list of axes, or all of them; negative ones count from the end. These axes go; with \`keepDims: true\` they
  stay, with size 1. The element type is that of \`x\` unless something else is said.
  \`sum\`, \`product\`, \`mean\`, \`max\`, \`min\`, \`any\` and \`all\` also reduce [over indices](language.md#index-notation): \`sum[i](x[i])\`.
- \`key\`: in initial values the session's seed stands for it; elsewhere [a key is passed](language.md#random-numbers), an i64.
- Arguments of the types \`axes\`, \`int\`, \`list\` and \`fn\` exist [only while
  compiling](language.md#what-exists-only-while-compiling).`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function libraryPage(): string {
  const all = chapters();
  const contents = all.flatMap(({ title, sections }) => [
    `- [${title}](#${anchor(title)})`,
    ...sections.map(({ title: section, entries }) => {
      const names = entries.map(({ name }) => `[${name}](#${anchor(name)})`).join(', ');
      return section === '' ? `  - ${names}` : `  - [${capital(section)}](#${anchor(section)}): ${names}`;
    }),
  ]);
  const text = all.flatMap(({ title, sections }) => [
    `## ${title}`,
    ...sections.flatMap(({ title: section, entries }) => [
      ...(section === '' ? [] : [`### ${capital(section)}`]),
      ...entries.flatMap(({ name, heads, doc }) => [`#### ${name}`, `\`\`\`\n${heads.join('\n')}\n\`\`\``, doc]),
    ]),
  ]);
  return [introduction, contents.join('\n'), ...text].join('\n\n') + '\n';
}
