// Free sizes of an entry from what is fed. In: declared shapes, actual shapes or lengths. Out: a value for every free size.
// Holds: with the sizes found, every feed has its declared shape; otherwise an error names the feed and who fixed the size first. Declared
// facts are checked apart.
import type { EntrySpec, FactSpec, Size, TensorSpec } from './abi/manifest.js';
import { TfcError } from './error.js';
import { type Sizes, evaluate, product, sizeToString, solveFor, specToString, unknownOf } from './size.js';

/** What was fed for one feed: a shape, or only a number of elements. */
export interface FedShape {
  readonly shape: readonly number[] | undefined;
  readonly length: number;
}

interface Equation {
  readonly feed: TensorSpec;
  readonly fed: FedShape;
  readonly size: Size;
  readonly value: number;
}

/** @throws TfcError shape-mismatch. */
export function solveSizes(entry: EntrySpec, fed: readonly FedShape[]): Sizes {
  const sizes = new Map<string, number>();
  const sources = new Map<string, string>();
  let open = entry.feeds.flatMap((feed, at) => equationsOf(feed, fed[at] ?? { shape: undefined, length: 0 }));
  while (open.length > 0) {
    const waiting = open.filter((equation) => !settle(equation, sizes, sources));
    if (waiting.length === open.length) throw undetermined(waiting, sizes);
    open = waiting;
  }
  const missing = entry.dims.find((name) => !sizes.has(name) && entry.quotients?.some((quotient) => quotient.name === name) !== true);
  if (missing !== undefined) throw new TfcError('shape-mismatch', `No feed of ${entry.name} determines the size ${missing}.`);
  return sizes;
}

function equationsOf(feed: TensorSpec, fed: FedShape): Equation[] {
  if (fed.shape === undefined) return [{ feed, fed, size: product(feed.shape), value: fed.length }];
  if (fed.shape.length !== feed.shape.length) throw mismatch(feed, fed, undefined);
  return feed.shape.map((size, axis) => ({ feed, fed, size, value: fed.shape?.[axis] ?? 0 }));
}

/** True when the equation holds now, false when it has to wait for other feeds. */
function settle({ feed, fed, size, value }: Equation, sizes: Map<string, number>, sources: Map<string, string>): boolean {
  const unknown = unknownOf(size, sizes);
  if (unknown.kind === 'several') return false;
  if (unknown.kind === 'none') {
    if (evaluate(size, sizes) === value) return true;
    const others = namesOf(feed).filter((name) => sizes.has(name) && sources.get(name) !== feed.name);
    const known = others.map((name) => `${name} = ${sizes.get(name) ?? 0} comes from feed ${sources.get(name) ?? ''}`);
    throw mismatch(feed, fed, known.length === 0 ? undefined : `${known.join('; ')}.`);
  }
  const found = solveFor(unknown.name, size, value, sizes);
  if (found !== undefined) {
    sizes.set(unknown.name, found);
    sources.set(unknown.name, feed.name);
    return true;
  }
  // With no element at all, a flat array leaves the unknown open; another feed may still fix it.
  if (fed.shape === undefined && value === 0) return false;
  throw mismatch(feed, fed, `No ${unknown.name} makes ${sizeToString(size)} equal to ${value}.`);
}

const namesOf = (feed: TensorSpec): string[] => [
  ...new Set(feed.shape.flatMap((size) => (typeof size === 'number' ? [] : size.flatMap(([, names]) => names)))),
];

function mismatch(feed: TensorSpec, fed: FedShape, hint: string | undefined): TfcError {
  const expected = specToString(feed.dtype, feed.shape);
  const actual = fed.shape === undefined ? `${fed.length} elements` : specToString(feed.dtype, fed.shape);
  return new TfcError(
    'shape-mismatch',
    `Feed ${feed.name} must be ${expected}, and ${actual} ${fed.shape === undefined ? 'were' : 'was'} fed.${hint === undefined ? '' : ` ${hint}`}`,
    {
      feed: feed.name,
      expected,
      actual,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

function undetermined(waiting: readonly Equation[], sizes: Sizes): TfcError {
  const first = waiting[0];
  if (first === undefined) return new TfcError('shape-mismatch', 'The sizes cannot be found.');
  const names = namesOf(first.feed).filter((name) => !sizes.has(name));
  const expected = specToString(first.feed.dtype, first.feed.shape);
  return new TfcError(
    'shape-mismatch',
    `Feed ${first.feed.name} is ${expected}, and what was fed does not determine ${names.join(' and ')}.`,
    {
      feed: first.feed.name,
      expected,
      hint: 'Feed { data, shape } or tensor(data, shape) instead of a flat array.',
    },
  );
}

/** The sizes with those that facts give a value. */
export function withQuotients({ quotients }: EntrySpec, sizes: Sizes): Sizes {
  if (quotients === undefined) return sizes;
  const all = new Map(sizes);
  for (const { name, dividend, divisor } of quotients) {
    const [a, b] = [evaluate(dividend, sizes), evaluate(divisor, sizes)];
    // Zero divides only zero.
    if (a !== undefined && b !== undefined) all.set(name, b === 0 ? 0 : a / b);
  }
  return all;
}

/** @throws TfcError unsatisfied-fact for the first declared fact that is false with these sizes. */
export function checkFacts(entry: EntrySpec, sizes: Sizes): void {
  for (const fact of entry.facts) checkFact(entry, fact, sizes);
}

function checkFact(entry: EntrySpec, fact: FactSpec, sizes: Sizes): void {
  const left = evaluate(fact.left, sizes);
  const right = evaluate(fact.right, sizes);
  if (left === undefined || right === undefined || isTrue(left, fact.relation, right)) return;
  const text = factToString(fact);
  const values = [...sizes].filter(([name]) =>
    [fact.left, fact.right].some((size) => unknownOf(size, new Map([...sizes].filter(([other]) => other !== name))).kind !== 'none'),
  );
  throw new TfcError(
    'unsatisfied-fact',
    `${entry.name} needs ${text}${fact.at === undefined ? '' : ` for \`${fact.text}\` at ${fact.at}`}, and here ${values.map(([name, value]) => `${name} = ${value}`).join(', ')}.`,
    { expected: text },
  );
}

/** `divides`: left divides right; zero divides only zero. */
function isTrue(left: number, relation: FactSpec['relation'], right: number): boolean {
  switch (relation) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    case 'divides':
      return left === 0 ? right === 0 : right % left === 0;
    default:
      return unknownRelation(relation);
  }
}

function unknownRelation(relation: never): never {
  throw new TfcError('bad-artifact', `The manifest states a fact with the unknown relation ${String(relation)}.`);
}

const factToString = (fact: FactSpec): string =>
  fact.relation === 'divides'
    ? `${sizeToString(fact.right)} % ${sizeToString(fact.left)} == 0`
    : `${sizeToString(fact.left)} ${fact.relation} ${sizeToString(fact.right)}`;
