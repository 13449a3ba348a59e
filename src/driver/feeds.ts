// Feeds from the command line. In: `name=JSON`, `name=@file.npy`, or a JSON file of all. Out: values for a session. Holds: bad text is a diagnostic that names its feed.

import { readFileSync } from 'node:fs';
import { DiagnosticsError } from '../base/index.js';
import type { FeedValue } from '../../runtime/index.js';
import { readNpy } from './data/npy.js';
import { reasonOf } from './sources.js';

export type Feeds = Record<string, FeedValue>;

export function readFeeds(pairs: readonly string[], file: string | undefined): Feeds {
  const feeds: Feeds = file === undefined ? {} : readFeedsFile(file);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at <= 0) throw mistake(`--feed takes name=JSON or name=@file.npy; got ${JSON.stringify(pair)}`);
    const [name, text] = [pair.slice(0, at), pair.slice(at + 1)];
    feeds[name] = text.startsWith('@') ? readFeedFile(name, text.slice(1)) : parseValue(text, `feed ${name}`);
  }
  return feeds;
}

function readFeedsFile(path: string): Feeds {
  const value = parseJson(readText(path), path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mistake(`${path}: expected one JSON object with a member per feed`);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toFeed(one, `${path}: feed ${name}`)]));
}

function readFeedFile(name: string, path: string): FeedValue {
  if (path.endsWith('.npy')) return readNpy(path);
  return parseValue(readText(path), `feed ${name} (${path})`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DiagnosticsError([{ code: 'file-not-found', message: `${path}: ${reasonOf(error)}` }]);
  }
}

const parseValue = (text: string, what: string): FeedValue => toFeed(parseJson(text, what), what);

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const nonFinite = /\b(?:NaN|-?Infinity)\b/.test(text.replace(/"[^"]*"/g, ''));
    throw mistake(`${what}: ${nonFinite ? 'NaN and Infinity are no JSON' : `not JSON (${(error as Error).message})`}`, nonFinite ? 'Write them as strings: "NaN", "Infinity", "-Infinity".' : undefined);
  }
}

/** Numbers, booleans, strings that stand for numbers, and nested arrays of them. */
function toFeed(value: unknown, what: string): FeedValue {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value as FeedValue;
  if (Array.isArray(value)) return value.map((one) => toFeed(one, what)) as FeedValue;
  throw mistake(`${what}: expected a number or nested arrays of numbers, got ${value === null ? 'null' : 'an object'}`);
}

const mistake = (message: string, hint?: string): DiagnosticsError => new DiagnosticsError([{ code: 'bad-data', message, hint }]);
