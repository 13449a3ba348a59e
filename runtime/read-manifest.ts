// The manifest of an artifact, checked. In: JSON text from a shared library. Out: a typed manifest. Holds: every position and size that it
// mentions exists; no two things have one name; what the runtime relies on has the right kind.
import { type EntrySpec, type Manifest, type ResultSpec, type VariableSpec, abiVersion } from './abi/manifest.js';
import { isCheckCode } from './checked.js';
import { elements, isElementType } from './element.js';
import { TfcError } from './error.js';
import { parseStrictJson } from './strict-json.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Results in results take three levels each. What nests deeper would end the stack. */
const maximumDepth = 1000;

/** @throws TfcError bad-artifact that names the place. */
export function readManifest(path: string, text: string): Manifest {
  const fail = (place: string): never => {
    throw new TfcError('bad-artifact', `${path}: the manifest is malformed at ${place}.`, {
      hint: 'Compile the module again with this version.',
    });
  };
  let json: Json;
  try {
    json = parseStrictJson(text, { maximumDepth }) as Json;
  } catch {
    return fail('its start');
  }
  const manifest = object(json) ?? fail('its start');
  if (manifest['abi'] !== abiVersion)
    throw new TfcError(
      'bad-artifact',
      `${path}: the manifest has version ${JSON.stringify(manifest['abi'])}, and this runtime takes version ${abiVersion}.`,
    );
  const target = object(manifest['target']);
  if (
    typeof manifest['version'] !== 'string' ||
    typeof manifest['module'] !== 'string' ||
    !isText(target?.['triple']) ||
    !isText(target['cpu']) ||
    !(list(target['features'])?.every(isText) ?? false)
  )
    fail('version, module, target');
  const variables = list(manifest['variables']) ?? fail('variables');
  const entries = list(manifest['entries']) ?? fail('entries');
  const open = list(manifest['open']) ?? fail('open');
  variables.forEach((variable, at) => isVariable(variable, entries, variables) || fail(`variables/${at}`));
  entries.forEach((entry, at) => isEntry(entry, variables.length) || fail(`entries/${at}`));
  open.forEach((entry, at) => isOpen(entry) || fail(`open/${at}`));
  if (!areDistinct(variables, ({ path }) => path)) fail('variables: two have one path');
  if (!areDistinct(entries, ({ name, ranks }) => JSON.stringify([name, Object.entries(ranks as JsonObject).sort()])))
    fail('entries: two have one name');
  if (!areDistinct(open, ({ name }) => name)) fail('open: two have one name');
  // Checked piece by piece above; JSON of the compiler has no other fields that are used.
  return json as unknown as Manifest;
}

type JsonObject = { readonly [key: string]: Json };

const object = (json: Json | undefined): JsonObject | undefined =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : undefined;
const list = (json: Json | undefined): readonly Json[] | undefined => (Array.isArray(json) ? (json as readonly Json[]) : undefined);
/** Whether no two of these objects have one key. */
const areDistinct = (items: readonly Json[], key: (item: JsonObject) => Json | undefined): boolean =>
  new Set(items.map((item) => key(item as JsonObject))).size === items.length;
const isText = (json: Json | undefined): json is string => typeof json === 'string';
const isCount = (json: Json | undefined, below = Number.MAX_SAFE_INTEGER): json is number =>
  Number.isSafeInteger(json) && Number(json) >= 0 && Number(json) < below;

/** A number, or a polynomial over the free sizes of the entry. */
function isSize(json: Json | undefined, dims: ReadonlySet<string>): boolean {
  if (typeof json === 'number') return Number.isSafeInteger(json);
  const isTerm = (term: Json): boolean =>
    Array.isArray(term) &&
    term.length === 2 &&
    Number.isSafeInteger(term[0]) &&
    (list(term[1] as Json)?.every((name) => isText(name) && dims.has(name)) ?? false);
  return list(json)?.every(isTerm) ?? false;
}

function isTensor(json: Json, dims: ReadonlySet<string>): boolean {
  const spec = object(json);
  const shape = list(spec?.['shape']);
  return (
    spec !== undefined &&
    isText(spec['name']) &&
    isElementType(spec['dtype']) &&
    shape !== undefined &&
    shape.every((size) => isSize(size, dims) && !(typeof size === 'number' && size < 0))
  );
}

/** A default, if there is one, is that of a scalar. */
function isInitial(json: Json): boolean {
  const { initial, shape } = object(json) ?? {};
  return (
    initial === undefined || (list(shape)?.length === 0 && (isText(initial) || typeof initial === 'number' || typeof initial === 'boolean'))
  );
}

function isResult(json: Json | undefined, outputs: number): boolean {
  const result = object(json);
  switch (result?.['kind'] as ResultSpec['kind'] | undefined) {
    case 'output':
      return isCount(result?.['index'], outputs);
    case 'record':
      return (
        list(result?.['fields'])?.every(
          (field) => Array.isArray(field) && isText(field[0] as Json) && isResult(field[1] as Json, outputs),
        ) ?? false
      );
    case 'tuple':
      return list(result?.['items'])?.every((item) => isResult(item, outputs)) ?? false;
    default:
      return false;
  }
}

function isEntry(json: Json, variables: number): boolean {
  const entry = object(json);
  const dims = list(entry?.['dims']);
  if (entry === undefined || !isText(entry['name']) || dims === undefined || !dims.every(isText) || new Set(dims).size < dims.length)
    return false;
  if (!(['fn', 'step', 'init'] satisfies EntrySpec['kind'][] as Json[]).includes(entry['kind'] ?? null)) return false;
  const named = entry['named'] === undefined ? [] : list(entry['named']);
  const quotients = entry['quotients'] === undefined ? [] : list(entry['quotients']);
  if (named?.every(isText) !== true || quotients === undefined) return false;
  const names = new Set<string>(dims);
  const all = new Set<string>([...dims, ...(named as readonly string[])]);
  const ranks = object(entry['ranks']);
  const facts = list(entry['facts']);
  const feeds = list(entry['feeds']);
  const outputs = list(entry['outputs']);
  const positions = [list(entry['reads']), list(entry['writes'])];
  if (ranks === undefined || facts === undefined || feeds === undefined || outputs === undefined) return false;
  const known = ['==', '!=', '<', '<=', '>', '>=', 'divides'];
  return (
    Object.values(ranks).every((rank) => isCount(rank)) &&
    facts.every((fact) => {
      const { left, right, relation, at, text } = object(fact) ?? {};
      const isPlaced = [at, text].every((one) => one === undefined || isText(one));
      return isSize(left, all) && isSize(right, all) && isText(relation) && known.includes(relation) && isPlaced;
    }) &&
    quotients.every((item) => {
      const { name, dividend, divisor } = object(item) ?? {};
      return isText(name) && names.has(name) && isSize(dividend, all) && isSize(divisor, all);
    }) &&
    feeds.every((feed) => isTensor(feed, all) && isInitial(feed)) &&
    areDistinct(feeds, ({ name }) => name) &&
    outputs.every((output) => isTensor(output, names)) &&
    isResult(entry['result'], outputs.length) &&
    positions.every((group) => group?.every((at) => isCount(at, variables)) ?? false) &&
    (entry['checks'] === undefined || areChecks(entry['checks'], outputs, names)) &&
    (entry['trap'] === undefined || isTrap(entry['trap'], outputs))
  );
}

function areChecks(json: Json, outputs: readonly Json[], dims: ReadonlySet<string>): boolean {
  const checks = object(json);
  const places = list(checks?.['places']);
  const isScalar = (at: Json | undefined, dtype: 'i32' | 'i64'): boolean => {
    const output = isCount(at, outputs.length) ? object(outputs[at]) : undefined;
    return output?.['dtype'] === dtype && list(output['shape'])?.length === 0;
  };
  if (checks === undefined || places === undefined || !isScalar(checks['status'], 'i32') || !isScalar(checks['said'], 'i64')) return false;
  return places.every((item) => {
    const place = object(item);
    return (
      place !== undefined &&
      isCheckCode(place['code']) &&
      isText(place['at']) &&
      isText(place['text']) &&
      isSize(place['size'], dims) &&
      isSize(place['length'], dims)
    );
  });
}

function isTrap(json: Json, outputs: readonly Json[]): boolean {
  const trap = object(json);
  const places = list(trap?.['places']);
  if (trap === undefined || places === undefined || !isCount(trap['output'], outputs.length) || !isCount(trap['nothing'])) return false;
  const output = object(outputs[trap['output']]);
  if (output?.['dtype'] !== 'i32' || list(output['shape'])?.length !== 0) return false;
  return places.every((item) => {
    const place = object(item);
    const texts = ['text', 'at', 'scope'].map((name) => place?.[name]);
    return (
      ['op', 'feed', 'variable'].includes(String(place?.['kind'])) &&
      isText(place?.['of']) &&
      texts.every((text) => text === undefined || isText(text)) &&
      ['undefined', 'boolean'].includes(typeof place['backward'])
    );
  });
}

function isVariable(json: Json, entries: readonly Json[], variables: readonly Json[]): boolean {
  const variable = object(json);
  const initial = object(variable?.['initial']);
  if (variable === undefined || initial === undefined) return false;
  const shape = list(variable['shape']);
  if (!isText(variable['path']) || !isElementType(variable['dtype']) || shape === undefined || !shape.every((size) => isCount(size)))
    return false;
  const pitch = variable['pitch'];
  if (pitch !== undefined && (shape.length < 2 || !isCount(pitch) || pitch < Number(shape.at(-1)))) return false;
  const bytes = [...shape.slice(0, -1), pitch ?? shape.at(-1) ?? 1].reduce<number>(
    (product, size) => product * (Number(size) || 1),
    elements[variable['dtype']].bytes,
  );
  if (!Number.isSafeInteger(bytes)) return false;
  if (!(['param', 'state', 'slot'] satisfies VariableSpec['kind'][] as Json[]).includes(variable['kind'] ?? null)) return false;
  switch (initial['kind'] as VariableSpec['initial']['kind'] | undefined) {
    case 'none':
      return true;
    case 'constant':
      return typeof initial['value'] === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(String(initial['value']));
    case 'entry':
      return (
        isCount(initial['entry'], entries.length) &&
        initializes(object(entries[initial['entry']]), list(initial['streams']), variable, variables)
      );
    default:
      return false;
  }
}

/** Whether an entry takes a seed and these streams, and writes one variable, in whose place `variable` may be put. */
function initializes(
  entry: JsonObject | undefined,
  streams: readonly Json[] | undefined,
  variable: JsonObject,
  variables: readonly Json[],
): boolean {
  const [feeds, writes] = [list(entry?.['feeds']), list(entry?.['writes'])];
  if (entry?.['kind'] !== 'init' || feeds === undefined || streams === undefined || writes?.length !== 1) return false;
  const own = object(variables[Number(writes[0])]);
  const alike = ['dtype', 'shape', 'pitch'].every((field) => JSON.stringify(own?.[field]) === JSON.stringify(variable[field]));
  const isScalar = (feed: Json, dtype: 'i64' | 'i32'): boolean =>
    object(feed)?.['dtype'] === dtype && list(object(feed)?.['shape'])?.length === 0;
  return (
    alike &&
    feeds.length === 1 + streams.length &&
    feeds.every((feed, at) => isScalar(feed, at === 0 ? 'i64' : 'i32')) &&
    streams.every((stream) => typeof stream === 'number' && (stream | 0) === stream)
  );
}

function isOpen(json: Json): boolean {
  const entry = object(json);
  const packs = list(entry?.['packs']);
  const feeds = list(entry?.['feeds']);
  if (entry === undefined || !isText(entry['name']) || packs === undefined || !packs.every(isText) || feeds === undefined) return false;
  return feeds.every((item) => {
    const feed = object(item);
    if (feed === undefined || !isText(feed['name']) || !isElementType(feed['dtype']) || !isCount(feed['before']) || !isCount(feed['after']))
      return false;
    return feed['pack'] === undefined || (isText(feed['pack']) && packs.includes(feed['pack']));
  });
}
