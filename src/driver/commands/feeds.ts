// Feeds from the command line. In: `name=JSON`, `name=@file.npy`, or a JSON file of all. Out: values for a session. Holds: bad text is a
// diagnostic that names its feed.

import type { FeedValue } from '../../../runtime/index.js';
import { UsageError } from './options.js';
import { readNpy } from '../../train/data/npy.js';
import { readText } from '../../input/files.js';
import { badData, parseJson } from '../../input/json.js';

export type Feeds = Readonly<Record<string, FeedValue>>;

/** `pairs` win over `file`. Errors: bad-data, file-not-found; UsageError for a pair that is none. */
export function readFeeds(pairs: readonly string[], file: string | undefined): Feeds {
  const feeds = new Map(file === undefined ? [] : readFeedsFile(file));
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at <= 0) throw new UsageError(`--feed takes name=JSON or name=@file.npy; got ${JSON.stringify(pair)}`);
    const [name, text] = [pair.slice(0, at), pair.slice(at + 1)];
    if (text.startsWith('@') && text.endsWith('.npy')) feeds.set(name.normalize(), readNpy(text.slice(1)));
    else for (const [path, value] of readFeed(name, text)) feeds.set(path, value);
  }
  return Object.fromEntries(feeds);
}

function readFeedsFile(path: string): [name: string, value: FeedValue][] {
  const value = parseJson(readText(path), path);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badData(`${path}: expected one JSON object with a member per feed`);
  return Object.entries(value).flatMap(([name, one]) => fieldsOf(name, one, (own) => `${path}: feed ${own}`));
}

function readFeed(name: string, text: string): [name: string, value: FeedValue][] {
  const file = text.startsWith('@') ? text.slice(1) : undefined;
  const what = (own: string): string => (file === undefined ? `feed ${own}` : `feed ${own} (${file})`);
  return fieldsOf(name, parseJson(file === undefined ? text : readText(file), what(name)), what);
}

/** A value, or the fields of a record by their paths: `batch/x`. */
function fieldsOf(name: string, value: unknown, what: (name: string) => string): [name: string, value: FeedValue][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[name.normalize(), toFeed(value, what(name))]];
  const fields = Object.entries(value);
  if (fields.length === 0) throw badData(`${what(name)}: an object without members`);
  return fields.flatMap(([field, one]) => fieldsOf(`${name}/${field}`, one, what));
}

/** Errors: bad-data. */
export const parseValue = (text: string, what: string): FeedValue => toFeed(parseJson(text, what), what);

/**
 * Numbers, booleans, strings that stand for numbers, and nested arrays of them. What was parsed is nowhere deep enough to end the stack.
 */
function toFeed(value: unknown, what: string): FeedValue {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value;
  if (!Array.isArray(value))
    throw badData(`${what}: expected a number or nested arrays of numbers, got ${value === null ? 'null' : 'an object'}`);
  return value.map((one) => toFeed(one, what)) as FeedValue;
}
