// `tfc gradcheck FILE [ENTRY]`: derivatives by reverse mode, forward mode and finite differences, in f64.

import type { Command } from 'commander';
import { convert } from '../../../runtime/convert.js';
import { elements } from '../../../runtime/element.js';
import { TfcError } from '../../../runtime/index.js';
import { isWide, printable } from '../../base/index.js';
import type { Entry } from '../../graph/index.js';
import { tensorValue, type TensorValue } from '../../ops/index.js';
import type { Checked } from '../gradcheck/check.js';
import { perform, print, printDiagnostics } from './command.js';
import { exportedOf } from './entries.js';
import { type Feeds, readFeeds } from './feeds.js';
import { addProgramOptions, collect, parseCount, parseProgram, parseSizes, type ProgramOptions, UsageError } from './options.js';

interface Options extends ProgramOptions {
  readonly size: readonly string[];
  readonly feed: readonly string[];
  readonly feeds?: string;
  readonly seed: string;
  readonly tolerance: string;
  readonly json?: boolean;
}

export function addGradcheck(program: Command): void {
  addProgramOptions(
    program
      .command('gradcheck')
      .description(
        'check derivatives: reverse mode, forward mode and finite differences in f64, for everything that a program differentiates by',
      ),
  )
    .argument('<file>', 'program (.tdsl)')
    .argument('[entry]', 'exported function or step; default: all')
    .option('--size <Name=N>', 'value for a size that callers choose, such as B=32; may be repeated', collect, [])
    .option('--feed <name=JSON>', 'value of an argument, or name=@file.npy; may be repeated. Others are drawn', collect, [])
    .option('--feeds <file>', 'JSON file with values of arguments')
    .option('--seed <n>', 'for what is drawn', '1')
    .option('--tolerance <x>', 'largest relative difference that passes', '1e-6')
    .option('--json', 'print one JSON object')
    .action((file: string, entry: string | undefined, options: Options) =>
      perform(options.json, (texts) => gradcheck(file, entry?.normalize(), options, texts)),
    );
}

interface Found {
  readonly entry: string;
  readonly checked: readonly Checked[];
  /** Why there is nothing to check. */
  readonly reason?: string;
}

async function gradcheck(file: string, named: string | undefined, options: Options, texts: Map<string, string>): Promise<void> {
  const sizes = new Map(Object.entries(parseSizes(options.size, '--size')));
  const seed = parseCount(options.seed, '--seed', 0);
  const tolerance = Number(options.tolerance);
  if (!(tolerance > 0) || options.tolerance.trim() === '')
    throw new UsageError(`--tolerance takes a number above 0; got ${JSON.stringify(options.tolerance)}`);
  const feeds = readFeeds(options.feed, options.feeds);
  const { check } = await import('../build/front.js');
  const { checkEntry, withoutDerivative } = await import('../gradcheck/check.js');
  const { pointOf, startOf, uniforms } = await import('../gradcheck/points.js');
  const { module, build, warnings } = check({ path: file, ...parseProgram(options) }, texts);
  await printDiagnostics(warnings, texts);
  const start = startOf(module);
  const found = exportedOf(module, file, named).map((entry): Found => {
    const next = uniforms(seed);
    try {
      const point = pointOf(module, entry, start, { sizes, feeds: valuesOf(entry, feeds) }, next);
      const checked = checkEntry(module, entry, build, point, next);
      return { entry: entry.name, checked, ...(checked.length === 0 ? { reason: 'nothing is differentiated' } : {}) };
    } catch (error) {
      const reason = named === undefined ? withoutDerivative(error) : undefined;
      if (reason === undefined) throw error;
      return { entry: entry.name, checked: [], reason };
    }
  });
  const wrong = found.flatMap(({ entry, checked }) => checked.filter((one) => !passes(one, tolerance)).map((one) => ({ entry, ...one })));
  if (options.json === true)
    print(
      JSON.stringify({ ok: wrong.length === 0, tolerance, entries: found }, (_, value: unknown) =>
        typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
      ),
    );
  else print(textOf(found, tolerance));
  if (wrong.length > 0) process.exitCode = 1;
}

const passes = ({ forward, differences }: Checked, tolerance: number): boolean => forward <= tolerance && differences <= tolerance;

/** What is fed, as the interpreter takes it. Errors: those of feeding. */
function valuesOf(entry: Entry, feeds: Feeds): ReadonlyMap<string, TensorValue> {
  const values = new Map<string, TensorValue>();
  for (const { name, type } of entry.feeds) {
    const value = feeds[name];
    if (value === undefined) continue;
    const target = {
      kind: 'feed',
      name,
      dtype: type.dtype,
      shape: type.shape.map((dim) => dim.constant ?? ([[1, [dim.toString()]]] as const)),
    } as const;
    const { data, shape = [data.length] } = convert(target, value);
    if (shape.length !== type.shape.length)
      throw new TfcError('shape-mismatch', `Feed ${name} has ${type.shape.length} axes, and is given ${shape.length}.`, { feed: name });
    const { patterns } = elements[type.dtype];
    const numbers = Array.from(data as Iterable<number | bigint>, (one) =>
      isWide(type.dtype) ? BigInt(one) : (patterns?.toNumber(Number(one)) ?? Number(one)),
    );
    values.set(name, tensorValue(type.dtype, shape, numbers));
  }
  return values;
}

function textOf(found: readonly Found[], tolerance: number): string {
  const rows = found.flatMap(({ entry, checked, reason }) =>
    checked.length === 0
      ? [`${printable(entry)}: ${reason ?? ''}`]
      : checked.map((one) => {
          const verdict = passes(one, tolerance) ? 'ok' : 'WRONG';
          return `${printable(entry)}: ${printable(one.of)} by ${printable(one.by)} (${one.elements}): forward ${exponent(one.forward)}, differences ${exponent(one.differences)}: ${verdict}`;
        }),
  );
  const all = found.flatMap(({ checked }) => checked);
  const worst = all.reduce((most, one) => Math.max(most, one.forward, one.differences), 0);
  const bad = all.filter((one) => !passes(one, tolerance)).length;
  return [
    ...rows,
    all.length === 0 ? 'nothing to check' : `${all.length} checked, ${bad} wrong; worst relative error ${exponent(worst)}`,
  ].join('\n');
}

const exponent = (value: number): string => value.toExponential(1);
