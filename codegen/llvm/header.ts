// The C header of one artifact. In: its manifest. Out: C text that documents entries, feeds, results and variables, and names their
// positions.
// Holds: what it says is what `tfc_call` needs; the text depends on the manifest alone; every name in it is one of C and of C++ and there
// once, whatever the program calls its own; what a program says in words stays in its comment.

import { InternalError, printable } from '../../src/base/index.js';
import { type EntrySpec, type Manifest, type Size, type TensorSpec, type VariableSpec, abiVersion } from '../../runtime/abi/manifest.js';

/**
 * C header for a program that links or opens the artifact. Throws InternalError when `manifest` is not the JSON of a manifest of this ABI.
 */
export function header(manifest: string): string {
  const module = parse(manifest);
  const name = word(module.module.replace(/\.tdsl$/, ''));
  const names = new Names();
  const guard = `TFC_${name.toUpperCase()}_H`;
  const { features } = module.target;
  const lines = [
    `/* ${comment(module.module)}, compiled by tfc ${comment(module.version)} for ${comment(module.target.cpu)} (${comment(module.target.triple)}).`,
    '   Open the shared library, call tfc_module_table, fill a tfc_call and call run of an entry; 0 means done, and variables are what they were',
    '   where it is something else.',
    ...(features.length === 0 ? [] : [`   The processor must have ${features.map(comment).join(', ')}.`]),
    '   Feeds and outputs are row-major and aligned to their elements; variables and arena to 64 bytes. Rows of a variable follow each other,',
    '   or begin so many elements apart as it says below: "in rows of 304". */',
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include "tfc.h"',
    '',
    '#ifdef __cplusplus',
    'extern "C" {',
    '#endif',
    '',
    'const tfc_module *tfc_module_table(void);',
    '',
    ...table(
      names,
      name,
      'entry',
      module.entries.map((entry) => entry.name),
    ),
    ...table(
      names,
      name,
      'variable',
      module.variables.map((variable) => variable.path),
    ),
  ];
  for (const entry of module.entries) lines.push(...describeEntry(names, name, entry), '');
  if (module.variables.length > 0) {
    const initials = module.variables.map((variable) => initialOf(variable, module.entries));
    lines.push('/* Variables, by position:', ...module.variables.map((variable, at) => `${describeVariable(variable, at)}${initials[at]}`));
    if (initials.some((initial) => initial.includes('entry')))
      lines.push('   An entry that starts several variables writes the one whose memory stands in the place of the first of them. */', '');
    else lines.push('*/', '');
  }
  lines.push('#ifdef __cplusplus', '}', '#endif', '#endif', '');
  return lines.join('\n');
}

function parse(text: string): Manifest {
  const data: unknown = JSON.parse(text);
  if (typeof data !== 'object' || data === null || !('abi' in data) || data.abi !== abiVersion)
    throw new InternalError('header', `the manifest is not of ABI ${abiVersion}`);
  return data as Manifest;
}

/** Constants of C that are given away. Programs tell names apart that constants do not: `f` and `F`, `a/b` and `a_b`. */
class Names {
  readonly #taken = new Set<string>();

  /** `text` with each of the endings, or `text_1`, `text_2`, … when one was taken. */
  take(text: string, endings: readonly string[]): readonly string[] {
    for (let times = 0; ; times++) {
      const names = endings.map((ending) => `${text}${times === 0 ? '' : `_${times}`}${ending}`.toUpperCase());
      if (names.some((name) => this.#taken.has(name))) continue;
      for (const name of names) this.#taken.add(name);
      return names;
    }
  }
}

function table(names: Names, module: string, kind: string, members: readonly string[]): string[] {
  if (members.length === 0) return [];
  return [
    `enum tfc_${module}_${kind} {`,
    ...members.map((member, at) => `  ${names.take(`TFC_${module}_${kind}_${word(member)}`, [''])[0]} = ${at},`),
    '};',
    '',
  ];
}

function describeEntry(names: Names, module: string, entry: EntrySpec): string[] {
  const lines = [`/* ${entry.kind} ${comment(entry.name)}`];
  if (entry.doc !== undefined) lines.push(...entry.doc.split('\n').map((line) => `     ${comment(line)}`));
  if (entry.dims.length > 0) lines.push(`   dims: ${entry.dims.map((dim, at) => `[${at}] ${comment(dim)}`).join(', ')}`);
  // What starts variables is fed by names that begin as no name of a program does.
  const feeds = entry.kind === 'init' ? entry.feeds.map((feed) => ({ ...feed, name: feed.name.replace(/^0/, '') })) : entry.feeds;
  lines.push(...tensors('feeds', feeds), ...tensors('outputs', entry.outputs));
  lines.push(...checksOf(entry));
  if (entry.reads.length > 0) lines.push(`   reads variables ${entry.reads.join(', ')}`);
  if (entry.writes.length > 0) lines.push(`   writes variables ${entry.writes.join(', ')}`);
  const last = lines.pop() as string;
  lines.push(`${last} */`);
  if (entry.dims.length > 0 || entry.feeds.length > 0 || entry.outputs.length > 0) {
    const [dims, fed, outputs] = names.take(`TFC_${module}_${word(entry.name)}`, ['_DIMS', '_FEEDS', '_OUTPUTS']);
    lines.push(`enum { ${dims} = ${entry.dims.length}, ${fed} = ${entry.feeds.length}, ${outputs} = ${entry.outputs.length} };`);
  }
  return lines;
}

function tensors(title: string, specs: readonly TensorSpec[]): string[] {
  return specs.map((spec, at) => `   ${title}[${at}] ${comment(spec.name === '' ? '(result)' : spec.name)}: ${tensor(spec)}`);
}

/** What `run` returns, and when. */
const checksOf = ({ checks }: EntrySpec): string[] =>
  checks === undefined
    ? []
    : checks.places.map(
        ({ code, at, text, size: axis }, position) =>
          `   returns ${position + 1} for ${code}: ${comment(text)} at ${comment(at)}, where outputs[${checks.said}] is no index of an axis of ${size(axis)}`,
      );

const tensor = (spec: { readonly dtype: string; readonly shape: readonly Size[] }): string =>
  spec.shape.length === 0 ? spec.dtype : `${spec.dtype}[${spec.shape.map(size).join(', ')}]`;

function describeVariable(variable: VariableSpec, at: number): string {
  const doc = variable.doc === undefined ? '' : `: ${comment(variable.doc.replaceAll('\n', ' '))}`;
  return `   [${at}] ${variable.kind} ${comment(variable.path)}: ${tensor(variable)}${variable.pitch === undefined ? '' : ` in rows of ${variable.pitch}`}${doc}`;
}

function initialOf({ initial }: VariableSpec, entries: readonly EntrySpec[]): string {
  if (initial.kind === 'none') return '';
  if (initial.kind === 'constant') return `; starts as ${initial.value}`;
  const { writes } = entries[initial.entry] as EntrySpec;
  const streams = initial.streams.map((stream, at) => `, stream${at} ${stream}`).join('');
  return `; started by entry ${initial.entry} with a seed${streams}, in the place of variable ${writes[0]}`;
}

function size(of: Size): string {
  if (typeof of === 'number') return `${of}`;
  const terms = of.map(([coefficient, names]) =>
    names.length === 0 ? `${coefficient}` : `${coefficient === 1 ? '' : `${coefficient}*`}${names.join('*')}`,
  );
  return comment(terms.join(' + ') || '0');
}

/**
 * A name as a part of one of C: letters beyond ASCII by their numbers, anything else as `_`, of which no two follow each other and none
 * stands at an end, because C++ keeps such names for itself.
 */
const word = (text: string): string =>
  text
    .replace(/[^\x00-\x7f]/gu, (letter) => `_U${(letter.codePointAt(0) as number).toString(16).toUpperCase()}_`)
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_|_$/g, '') || 'X';

/**
 * One line of text from a source inside of a comment of C: it must neither end it, nor open another, nor continue its line, nor stand for
 * other characters.
 */
const comment = (text: string): string =>
  printable(text)
    .replace(/\*(?=\/)|\/(?=\*)|\?(?=\?)/g, '$& ')
    .replace(/\\+$/, '');
