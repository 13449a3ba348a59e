// What the checker's tests share. In: programs as text. Out: check results, types as text, values from the graph interpreter, diagnostics
// as text.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { positionAt } from '../../grammar/index.js';
import { type Diagnostic, isNarrowFloat, isWide, roundTo, type Span } from '../../src/base/index.js';
import { checkModule, type CheckOptions, type CheckResult } from '../../src/check/index.js';
import { evaluateEntry, initialValues } from '../../src/eval/index.js';
import { type Entry, type ModuleGraph, type ResultTree, typeToString } from '../../src/graph/index.js';
import { tensorValue, type TensorValue } from '../../src/ops/index.js';
import { differentiate, Pipeline, simplify, strip } from '../../src/passes/index.js';
import { loadStd } from '../../src/std/load.js';

export const programs = fileURLToPath(new URL('../programs/', import.meta.url));
export const std = loadStd();
export const programText = (name: string): string => readFileSync(join(programs, name), 'utf8');

export type Extra = Partial<Pick<CheckOptions, 'set' | 'ranks' | 'path'>> & { readonly files?: Readonly<Record<string, string>> };

export function check(text: string, { files = {}, path = 'main.tdsl', ...rest }: Extra = {}): CheckResult {
  return checkModule({ path, text, read: (name) => files[name], std, ...rest });
}

/** The module of a program that must have no mistakes. */
export function moduleOf(text: string, extra: Extra = {}): { module: ModuleGraph; result: CheckResult } {
  const result = check(text, extra);
  if (result.module === undefined) throw new Error(render(result));
  return { module: result.module, result };
}

/** `train(x: f32[B, 2]): { loss: f32 }` */
export function entryText(entry: Entry): string {
  const tree = (one: ResultTree): string => {
    switch (one.kind) {
      case 'output': {
        const output = entry.outputs[one.index];
        return output === undefined ? '?' : typeToString(output.node.type);
      }
      case 'record':
        return `{ ${one.fields.map(([name, field]) => `${name}: ${tree(field)}`).join(', ')} }`;
      case 'tuple':
        return `(${one.items.map(tree).join(', ')})`;
    }
  };
  return `${entry.kind} ${entry.name}(${entry.feeds.map((feed) => `${feed.name}: ${typeToString(feed.type)}`).join(', ')}): ${tree(entry.result)}`;
}

export const entryTexts = (module: ModuleGraph): string[] => module.entries.map(entryText);
export const variableTexts = (module: ModuleGraph): string[] =>
  module.variables.map((variable) => `${variable.kind} ${variable.path}: ${typeToString(variable.type)}`);

export type Json = number | boolean | string | readonly Json[] | { readonly [name: string]: Json };

/** A nested array as a tensor. */
export function fromJson(value: Json, dtype: TensorValue['dtype']): TensorValue {
  const shape: number[] = [];
  for (let one: Json | undefined = value; Array.isArray(one); one = (one as readonly Json[])[0]) shape.push(one.length);
  const flat = (one: Json): (number | bigint)[] =>
    Array.isArray(one) ? one.flatMap(flat) : [isWide(dtype) ? BigInt(one as string) : Number(one)];
  return tensorValue(dtype, shape, flat(value));
}

export function toJson(value: TensorValue): Json {
  const numbers = Array.from<number | bigint, Json>(value.data, (one) => {
    if (typeof one === 'bigint') return one > Number.MAX_SAFE_INTEGER || one < Number.MIN_SAFE_INTEGER ? `${one}` : Number(one);
    return isNarrowFloat(value.dtype) ? roundTo(value.dtype, one) : one;
  });
  const build = (axis: number, offset: number): Json => {
    const size = value.shape[axis];
    if (size === undefined) return value.dtype === 'bool' ? numbers[offset] === 1 : (numbers[offset] ?? Number.NaN);
    const stride = value.shape.slice(axis + 1).reduce((product, one) => product * one, 1);
    return Array.from({ length: size }, (_, at) => build(axis + 1, offset + at * stride));
  };
  return build(0, 0);
}

/** Runs an entry in the graph interpreter, step after step from the initial values; the result of each step. */
export function runEntry(
  text: string,
  entryName: string,
  feeds: Readonly<Record<string, Json>> = {},
  steps = 1,
  extra: Extra = {},
): Json[] {
  const { module, result } = moduleOf(text, extra);
  const { output } = Pipeline.of(differentiate).then(strip).then(simplify).run(module, { build: result.build });
  const entry = output.entries.find((one) => one.name === entryName);
  if (entry === undefined) throw new Error(`no entry ${entryName}`);
  const variables = initialValues(output, 42n);
  const values = new Map(entry.feeds.map((feed) => [feed.name, fromJson(feeds[feed.name] ?? 0, feed.type.dtype)]));
  const results: Json[] = [];
  for (let step = 0; step < steps; step++) {
    const { outputs, updates } = evaluateEntry(entry, { feeds: values, variables });
    for (const [path, value] of updates) variables.set(path, value);
    const tree = (one: ResultTree): Json => {
      switch (one.kind) {
        case 'output': {
          const value = outputs[one.index];
          if (value === undefined) throw new Error('an output is missing');
          return toJson(value);
        }
        case 'record':
          return Object.fromEntries(one.fields.map(([name, field]) => [name, tree(field)]));
        case 'tuple':
          return one.items.map(tree);
      }
    };
    results.push(tree(entry.result));
  }
  return results;
}

/** Largest relative difference between two results of the same form; infinite when the forms differ. */
export function distance(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length !== b.length ? Infinity : Math.max(0, ...a.map((one, at) => distance(one as Json, b[at] as Json)));
  if (typeof a === 'object' && typeof b === 'object') {
    const [x, y] = [a as { [name: string]: Json }, b as { [name: string]: Json }];
    const names = Object.keys(x);
    return names.length !== Object.keys(y).length
      ? Infinity
      : Math.max(0, ...names.map((name) => distance(x[name] as Json, y[name] ?? Infinity)));
  }
  return a === b ? 0 : Infinity;
}

/** Diagnostics as text, with what each span covers. */
export function render(result: Pick<CheckResult, 'diagnostics' | 'files'>): string {
  const place = (span: Span): string => {
    const file = result.files.find((one) => one.path === span.source);
    if (file === undefined) return span.source;
    const { line, column } = positionAt(file.text, span.start);
    const text = file.text.slice(span.start, span.end).replace(/\s+/g, ' ');
    // Lines of the library move when it grows; what stands there does not.
    const at = span.source.startsWith('std/') ? span.source : `${span.source}:${line}:${column}`;
    return `${at} \`${text.length > 60 ? `${text.slice(0, 57)}...` : text}\``;
  };
  const one = (diagnostic: Diagnostic): string =>
    [
      `${diagnostic.code} ${diagnostic.span === undefined ? '' : place(diagnostic.span)}`.trim(),
      `  ${diagnostic.message}`,
      ...(diagnostic.labels ?? []).map((label) => `  - ${place(label.span)}: ${label.text}`),
      ...(diagnostic.hint === undefined ? [] : [`  hint: ${diagnostic.hint}`]),
    ].join('\n');
  return result.diagnostics.map(one).join('\n');
}
