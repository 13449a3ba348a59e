// What a sweep tries. In: words behind `tfc sweep`, some of whose values are lists or ranges. Out: the words of every combination. Holds:
// all else is passed on as it stands; the first axis turns slowest.

import { UsageError } from './options.js';

export interface Combination {
  /** `lr=0.01,batch=32`: unique in its sweep. */
  readonly name: string;
  /** The value of each axis. */
  readonly values: Readonly<Record<string, string>>;
  /** What `tfc train` is called with. */
  readonly words: readonly string[];
}

interface Axis {
  readonly name: string;
  readonly at: number;
  /** The word with one of the values in it. */
  readonly word: (value: string) => string;
  readonly values: readonly string[];
}

/** Options whose values are paths or structures. */
const whole: ReadonlySet<string> = new Set([
  'data',
  'restore',
  'save',
  'checkpoint',
  'feed',
  'root',
  'validate',
  'blanks',
  'best',
  'early-stop',
]);

/** So many runs are refused as a slip. */
const mostRuns = 1000;

/** @throws UsageError for a range that makes no sense, and when there is nothing to try. */
export function combinationsOf(words: readonly string[]): Combination[] {
  const axes = axesIn(words);
  if (axes.length === 0) throw new UsageError('nothing is swept: give an option a list, --batch 32,64, or a range, --lr 1e-4..1e-1:log');
  const runs = axes.reduce((product, { values }) => product * values.length, 1);
  if (runs > mostRuns) throw new UsageError(`these are ${runs} runs, and a sweep has at most ${mostRuns}`);
  let all: readonly (readonly string[])[] = [[]];
  for (const { values } of axes) all = all.flatMap((chosen) => values.map((value) => [...chosen, value]));
  return all.map((chosen) => {
    const given = [...words];
    axes.forEach(({ at, word }, axis) => (given[at] = word(chosen[axis] as string)));
    return {
      name: axes.map(({ name }, axis) => `${name}=${chosen[axis]}`).join(','),
      values: Object.fromEntries(axes.map(({ name }, axis) => [name, chosen[axis] as string])),
      words: given,
    };
  });
}

function axesIn(words: readonly string[]): Axis[] {
  const axes: Axis[] = [];
  for (const [at, word] of words.entries()) {
    const [, option, joined] = /^--([^=]+)(?:=([^]*))?$/.exec(word) ?? [];
    if (option === undefined || whole.has(option)) continue;
    const value = joined ?? words[at + 1];
    if (value === undefined || (joined === undefined && value.startsWith('--'))) continue;
    // A size by its own name: --set Hidden=16,32.
    const [, size, inner = value] = (option === 'set' ? /^([^=]+)=([^]*)$/.exec(value) : null) ?? [];
    const values = valuesOf(inner, option);
    if (values === undefined) continue;
    const before = `${joined === undefined ? '' : `--${option}=`}${size === undefined ? '' : `${size}=`}`;
    axes.push({ name: size ?? option, at: joined === undefined ? at + 1 : at, word: (one) => `${before}${one}`, values });
  }
  return axes;
}

/** `1,2,3`; `1e-4..1e-1`, `:log` for equal ratios, `:7` for as many values; undefined for a single value. */
function valuesOf(text: string, option: string): readonly string[] | undefined {
  if (/^[^,[\]{}"]+(?:,[^,[\]{}"]+)+$/.test(text)) return [...new Set(text.split(','))];
  const match = /^([^.,:\s]*(?:\.\d+)?[^.,:\s]*)\.\.([^:\s]+?)(:log)?(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [from, to] = [Number(match[1] || 'x'), Number(match[2])];
  const [isLog, count] = [match[3] !== undefined, Number(match[4] ?? 5)];
  if (!Number.isFinite(from) || !Number.isFinite(to) || count < 2 || (isLog && (from <= 0 || to <= 0)))
    throw new UsageError(
      `--${option} takes a range as 1e-4..1e-1, of positive numbers with :log, and at least two values; got ${JSON.stringify(text)}`,
    );
  return Array.from({ length: count }, (_, at) => {
    const part = at / (count - 1);
    return String(Number((isLog ? from * (to / from) ** part : from + (to - from) * part).toPrecision(6)));
  });
}
